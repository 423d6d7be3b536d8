"""Contracts of every table, and the only reads and writes."""
