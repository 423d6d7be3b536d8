"""Batches, kept and refused rows, and the books that tie out."""
