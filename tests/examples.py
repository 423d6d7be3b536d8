"""How many examples a test of random input draws."""

import os

MANY = os.environ.get("SEGSPARK_EXAMPLES")
"""What `make soak` asks for, others each time."""


def examples(few: int) -> int:
    """So many as `make soak` asks for, or a few that are always the same."""
    return int(MANY or few)
