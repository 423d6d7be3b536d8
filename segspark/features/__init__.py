"""Transactions → ledger of customer days → customer features as of a date."""
