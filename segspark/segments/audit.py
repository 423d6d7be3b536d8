"""The audit: what a run must show before it is published."""

from collections.abc import Mapping
from dataclasses import dataclass

from segspark.settings.segments import AuditSettings

_ROUNDING = 1e-9
"""How far shares of floating point may add up beside one."""


@dataclass(frozen=True, slots=True)
class RunFigures:
    """Counts of a run, read back from its tables.

    Attributes:
        customers: Customers of the snapshot.
        funnel: Outcome → customers, from `customer_funnel`.
        assigned: Rows of `customer_segments`.
        distinct_assigned: Different customers in them.
        without_profile: Rows whose segment has no profile.
        profiled: Customers that the profiles add up to.
        profile_ratio: What the profiles' shares add up to.
        borderline: Rows flagged as borderline.
        outliers: Rows flagged as outliers.
    """

    customers: int
    funnel: Mapping[str, int]
    assigned: int
    distinct_assigned: int
    without_profile: int
    profiled: int
    profile_ratio: float
    borderline: int
    outliers: int


def audit_run(figures: RunFigures, settings: AuditSettings) -> dict[str, str]:
    """Check a run.

    Returns:
        Check → what is wrong, in words; empty for a run that may be published.
    """
    problems: dict[str, str] = {}
    rows = max(figures.assigned, 1)
    customers = max(figures.customers, 1)
    excluded = (customers - figures.funnel.get("assigned", 0)) / customers

    def check(name: str, problem: str, *, holds: bool) -> None:
        if not holds:
            problems[name] = problem

    total = sum(figures.funnel.values())
    check("someone_assigned", "no customer has a segment", holds=figures.assigned > 0)
    check(
        "funnel",
        f"assigned and excluded customers are {total} and the snapshot has {figures.customers}",
        holds=total == figures.customers,
    )
    check(
        "one_row_a_customer",
        f"{figures.assigned} rows hold {figures.distinct_assigned} customers, and the funnel says "
        f"{figures.funnel.get('assigned', 0)}",
        holds=figures.assigned == figures.distinct_assigned == figures.funnel.get("assigned", 0),
    )
    check(
        "profiles",
        f"profiles cover {figures.profiled} of {figures.assigned} customers and "
        f"{figures.without_profile} have a segment without one",
        holds=figures.profiled == figures.assigned
        and figures.without_profile == 0
        and abs(figures.profile_ratio - 1) < _ROUNDING,
    )
    for name, ratio, most in (
        ("excluded", excluded, settings.most_excluded_ratio),
        ("borderline", figures.borderline / rows, settings.most_borderline_ratio),
        ("outlier", figures.outliers / rows, settings.most_outlier_ratio),
    ):
        check(
            name,
            f"{ratio:.1%} of the customers are {name}, above audit.most_{name}_ratio {most:.1%}",
            holds=ratio <= most,
        )
    return problems
