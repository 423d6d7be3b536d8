"""What each segment is like, in natural units and in words."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from segspark.segments.names import SegmentFigures
from segspark.tables.segments import PROFILED_FEATURES, SEGMENT_PROFILES

_SCORES = ("recency_score", "frequency_score", "monetary_score")
_ASSIGNED = "_assigned"
"""No feature is called so: the name of a custom one begins with a letter."""
_QUARTILES = {"p25": 0.25, "median": 0.5, "p75": 0.75}


def summarise(
    assigned: DataFrame, features: DataFrame, *, by: str, custom: Sequence[str] = ()
) -> list[Row]:
    """Sum up each segment; one row a segment, collected.

    Args:
        assigned: `customer_id`, the column `by`, `is_outlier` and, for profiles, `is_borderline`.
        features: One row per customer of the same snapshot.
        by: `cluster_index` or `segment_id`.
        custom: Names of the custom features, profiled as well.

    Returns:
        Ordered by spend, the highest first: `by`, `customers`, `spend`, mean scores, the share of
        outliers and of borderline customers, and mean and quartiles of the profiled features
        (exact quantiles, linear interpolation).
    """
    flags = [flag for flag in ("is_borderline", "is_outlier") if flag in assigned.columns]
    # A custom feature may be called like any column of the assigned.
    apart = assigned.select("customer_id", F.struct(by, *flags).alias(_ASSIGNED))
    joined = apart.join(features, on="customer_id", how="inner")
    return (
        joined.groupBy(F.col(f"{_ASSIGNED}.{by}").alias(by))
        .agg(
            F.count("*").alias("customers"),
            F.sum("monetary_amount").cast("decimal(28,4)").alias("spend"),
            *(F.avg(score).alias(score) for score in _SCORES),
            *(F.avg(F.col(f"{_ASSIGNED}.{flag}").cast("double")).alias(flag) for flag in flags),
            *(each for name in (*PROFILED_FEATURES, *custom) for each in _statistics(name)),
        )
        .orderBy(F.desc("spend"), by)
        .collect()
    )


def figures_of(row: Row, *, segment_id: str) -> SegmentFigures:
    """What the segment's name is made from."""
    medians = {name: float(row[f"{name}_quartiles"][1]) for name in PROFILED_FEATURES}
    recency, frequency, monetary = (float(row[score]) for score in _SCORES)
    return SegmentFigures(segment_id, recency, frequency, monetary, medians)


def profile_rows(
    rows: Sequence[Row], *, called: Mapping[str, Row], run_id: str, custom: Sequence[str] = ()
) -> list[tuple[object, ...]]:
    """Rows of `SEGMENT_PROFILES`, in the order of its columns.

    Args:
        rows: From `summarise` by `segment_id`, with both flags.
        called: Segment id → its row of `SEGMENT_IDENTITIES`.
        run_id: Written into every row.
        custom: As for `summarise`.
    """
    customers = sum(row["customers"] for row in rows)
    spend = sum(row["spend"] for row in rows)
    profiles = [
        _profile(row, called=called, run_id=run_id, customers=customers, spend=float(spend))
        | {"custom_features": _custom_figures(row, custom)}
        for row in rows
    ]
    return [tuple(profile[c.name] for c in SEGMENT_PROFILES.columns) for profile in profiles]


def _profile(
    row: Row, *, called: Mapping[str, Row], run_id: str, customers: int, spend: float
) -> dict[str, object]:
    segment_id = row["segment_id"]
    figures = figures_of(row, segment_id=segment_id)
    share = row["customers"] / customers
    spend_share = float(row["spend"]) / spend if spend else None
    profile: dict[str, object] = {
        "run_id": run_id,
        "segment_id": segment_id,
        "segment_name": called[segment_id]["segment_name"],
        "description": _describe(figures, share, spend_share),
        "suggested_action": called[segment_id]["suggested_action"],
        "customer_count": row["customers"],
        "customer_ratio": share,
        "monetary_amount": row["spend"],
        "monetary_ratio": spend_share,
        "borderline_ratio": row["is_borderline"],
        "outlier_ratio": row["is_outlier"],
    }
    for feature in PROFILED_FEATURES:
        profile[f"{feature}_mean"] = row[f"{feature}_mean"]
        quartiles = zip(_QUARTILES, row[f"{feature}_quartiles"], strict=True)
        profile.update({f"{feature}_{suffix}": value for suffix, value in quartiles})
    return profile


def _custom_figures(row: Row, custom: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Mean and quartiles of the custom features that a customer of the segment has."""
    return {
        name: (row[f"{name}_mean"], *row[f"{name}_quartiles"])
        for name in custom
        if row[f"{name}_mean"] is not None
    }


def _describe(figures: SegmentFigures, share: float, spend_share: float | None) -> str:
    middle = figures.medians
    spend = f" and {spend_share:.0%} of spend" if spend_share is not None else ""
    return (
        f"{share:.0%} of customers{spend}; typically {middle['frequency_count']:,.0f} orders, the "
        f"last {middle['recency_days']:,.0f} days ago, {middle['monetary_amount']:,.2f} spent, "
        f"{middle['average_order_amount']:,.2f} an order"
    )


def _statistics(feature: str) -> tuple[Column, Column]:
    value = F.col(feature).cast("double")
    quartiles = F.array(*map(F.lit, _QUARTILES.values()))
    return (
        F.avg(value).alias(f"{feature}_mean"),
        F.percentile(value, quartiles).alias(f"{feature}_quartiles"),
    )
