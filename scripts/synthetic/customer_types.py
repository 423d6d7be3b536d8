"""Types of customers, which the segments of a good clustering should tell apart."""

TYPES = ("family", "single", "senior", "business")
TYPE_SHARES = (0.35, 0.35, 0.25, 0.05)
ONLINE_RATIOS = (0.5, 0.7, 0.2, 0.6)
"""Share of each type's orders that come by web or app."""
DISCOUNT_RATIOS = (0.25, 0.15, 0.2, 0.05)
"""Share of each type's lines that are discounted."""
TASTES = (
    (6.0, 3.0, 1.0, 2.0, 1.0, 1.0, 3.0, 0.7),
    (3.0, 1.0, 1.5, 3.0, 0.7, 0.3, 0.3, 2.0),
    (5.0, 2.0, 1.0, 1.0, 1.5, 2.5, 0.7, 0.4),
    (1.0, 4.0, 0.3, 0.5, 2.0, 0.7, 0.2, 4.0),
)
"""Dirichlet parameters of each type over the departments."""
ONLINE_RATIO = sum(share * ratio for share, ratio in zip(TYPE_SHARES, ONLINE_RATIOS, strict=True))
"""Share of all orders that come by web or app."""
