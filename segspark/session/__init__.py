"""Spark sessions: one is built on this machine, a submitted one is checked and completed."""
