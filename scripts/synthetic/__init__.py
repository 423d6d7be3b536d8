"""A synthetic shop with known parameters: what `scripts/generate_transactions.py` is made of."""
