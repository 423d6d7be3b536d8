"""Made-up customers with a segment, for what explains segments."""

import numpy as np

from segspark.segments.rules import LabelledCustomers

NAMES = ("recency_days", "frequency_count", "average_order_amount")
CHAMPIONS, SLEEPING, OTHERS = 0, 1, 2


def shop(count: int = 600, *, mislabelled: float = 0.0) -> LabelledCustomers:
    """Champions bought within 31 days and more than 4 times; sleeping ones not for 200 days."""
    random = np.random.default_rng(3)
    recency = random.integers(0, 365, count).astype(float)
    frequency = random.integers(1, 12, count).astype(float)
    amounts = np.round(random.lognormal(3, 1, count), 2)
    segments = np.where(recency > 200, SLEEPING, OTHERS)
    segments[(recency <= 31) & (frequency > 4)] = CHAMPIONS
    wrong = random.random(count) < mislabelled
    segments = np.where(wrong, random.integers(0, 3, count), segments)
    return LabelledCustomers(NAMES, np.column_stack([recency, frequency, amounts]), segments)
