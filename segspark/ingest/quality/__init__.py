"""Figures of each batch against what is usual, and their alarms."""
