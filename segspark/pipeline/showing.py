"""What a person sees at the end: the segments, where the tables are, what to try next."""

from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import functions as F

from segspark.pipeline.aligned import aligned
from segspark.pipeline.lifetime import STAGE as LIFETIME
from segspark.pipeline.showing_lifetime import lifetime_lines
from segspark.pipeline.stage import StageResult, Workspace
from segspark.pipeline.train import find_model
from segspark.settings.base import without_credentials
from segspark.tables.publishing import current_publication
from segspark.tables.segments import SEGMENT_PROFILES

_EXAMPLE_QUERY = "SELECT segment_name, suggested_action FROM current_segment_profiles"
_CATALOGUE_QUERY = (
    "SELECT feature_table, feature_name, definition, unit FROM current_feature_catalogue"
)
_HEADINGS = (
    "segment",
    "customers",
    "of all",
    "of spend",
    "last bought",
    "orders",
    "spend",
    "per order",
)


def show_segments(here: Workspace, results: Sequence[StageResult], *, config: Path) -> None:
    """Print the published segments, the verdict, the lake's place and four things to try."""
    current = current_publication(here.lake, here.settings.segmentation)
    run_id = current["run_id"] if current else None
    profiles = (
        here.lake.read(SEGMENT_PROFILES)
        .filter(F.col("run_id") == F.lit(run_id))
        .orderBy(F.desc("monetary_amount"))
        .collect()
    )
    currency = here.settings.lake.currency
    rows = [
        (
            p["segment_name"],
            f"{p['customer_count']:,}",
            f"{p['customer_ratio']:.1%}",
            f"{p['monetary_ratio']:.1%}",
            f"{p['recency_days_median']:,.0f} days ago",
            f"{p['frequency_count_median']:,.0f}",
            f"{p['monetary_amount_median']:,.0f} {currency}",
            f"{p['average_order_amount_median']:,.2f}",
        )
        for p in profiles
    ]
    print(f"\n{aligned([_HEADINGS, *rows])}")
    training = next((r.stage_id for r in results if r.stage == "train"), "")
    model = find_model(here.lake, training)
    if model:
        print(f"\n{model['verdict']}")
    show_lifetime(here, [result for result in results if result.stage == LIFETIME])
    print(_next_steps(here, config))


def show_lifetime(here: Workspace, results: Sequence[StageResult]) -> None:
    """Print what customers are worth and how the forecasts did, for each result of the stage."""
    for result in results:
        for line in lifetime_lines(here, result):
            print(line)


def _next_steps(here: Workspace, config: Path) -> str:
    root = without_credentials(here.lake.root)
    steps = (
        f"Orders, spend and days are medians. The tables are in {root}. Next, try",
        f'  1. segspark sql --config {config} "{_EXAMPLE_QUERY}"',
        f'  2. segspark sql --config {config} "{_CATALOGUE_QUERY}"   (as in docs/features.md)',
        f"  3. mlflow ui --backend-store-uri sqlite:///{root}/mlflow.db   (every candidate tried)",
        "  4. your own purchases: see 'Your own data' in the README",
    )
    return "\n" + "\n".join(steps)
