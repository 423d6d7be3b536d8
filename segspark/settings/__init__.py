"""Typed configuration: what a user writes, checked once at the edge."""
