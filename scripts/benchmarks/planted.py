"""Benchmark: what a sweep makes of planted structure, and of none.

`make bench-planted` runs the whole sweep by its defaults, 3 to 6 segments, on each scenario of
`planted_customers`, and prints a table: what was planted, what was chosen, the adjusted Rand index
of the chosen segments and the planted groups (1: the same, 0: chance), and what the sweep says
where there is nothing natural to find, or nothing at all.
"""

import argparse
import sys

from pyspark.sql import DataFrame, SparkSession
from sklearn.metrics import adjusted_rand_score

from scripts.benchmarks.measuring import say
from scripts.benchmarks.planted_customers import SCENARIOS, Customers
from scripts.markdown import markdown_table
from segspark.clustering.engine import candidates_of
from segspark.clustering.sweep import Sweep, SweepPlan, run_sweep
from segspark.errors import ClusteringError
from segspark.model.scores import Floats
from segspark.session.opening import spark_session
from segspark.settings.lake import SparkSettings
from segspark.settings.training import SweepSettings, TrainingSettings

HEADS = ("planted", "chosen", "natural", "adjusted Rand index", "the sweep says")
_SETTINGS = TrainingSettings(sweep=SweepSettings(most_segments=6))
_SPARK = SparkSettings(master="local[2]", driver_memory="1g", shuffle_partitions=2)


def main() -> int:
    """Sweep every scenario asked for; print the table."""
    names = _names()
    with spark_session(_SPARK, app_name="bench-planted") as spark:
        rows = []
        for name in names:
            customers = SCENARIOS[name]()
            rows.append(outcome(customers, _frame(spark, customers.points)))
            say(f"{name}: {rows[-1][1]}")
    say(f"\n{markdown_table(HEADS, rows)}")
    return 0


def _names() -> list[str]:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--scenarios", nargs="*", choices=SCENARIOS, default=list(SCENARIOS), help="default all"
    )
    names: list[str] = parser.parse_args().scenarios
    return names


def _frame(spark: SparkSession, points: Floats) -> DataFrame:
    rows = [(f"C{order:05d}", row.tolist()) for order, row in enumerate(points)]
    return spark.createDataFrame(rows, "customer_id string, vector array<double>")


def outcome(
    customers: Customers, points: DataFrame, settings: TrainingSettings = _SETTINGS
) -> tuple[str, str, str, str, str]:
    """Sweep one scenario.

    Args:
        customers: What was planted.
        points: Its points: customer_id (unique), vector (array<double>).
        settings: Of the sweep.

    Returns:
        A row of the table, cells under `HEADS`.
    """
    try:
        plan = SweepPlan(candidates_of(settings.sweep))
        found = run_sweep(points, plan, settings, progress=lambda _: None)
    except ClusteringError as error:
        return (customers.planted, "refused", "", "", str(error))
    selection = found.selection
    is_natural = "yes" if selection.has_natural_clusters else "no"
    cells = (customers.planted, selection.chosen.candidate_id, is_natural)
    return (*cells, _agreement(found, customers), _said(found))


def _agreement(found: Sweep, customers: Customers) -> str:
    if customers.groups is None:
        return ""
    own = found.clusters.assign(customers.points)
    return f"{adjusted_rand_score(customers.groups, own):.3f}"


def _said(found: Sweep) -> str:
    """What is not natural, and why candidates could not be fitted."""
    selection = found.selection
    before_the_choice, *_ = selection.verdict.split("Chosen: ", maxsplit=1)
    reasons = [row.reason for row in selection.rows if row.reason.startswith("not fitted")]
    return "; ".join(filter(None, [before_the_choice.strip(), *dict.fromkeys(reasons)]))


if __name__ == "__main__":
    sys.exit(main())
