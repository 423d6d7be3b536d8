"""Candidates of a past day against what came after it, on a ledger that can be told by hand."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.clustering.engine import Candidate, candidates_of
from segspark.clustering.vector_fit import VectorFit
from segspark.errors import ClusteringError
from segspark.lifetime.usefulness import DECILES
from segspark.model.vector import FeatureVector, ValueRule, VectorColumn
from segspark.pipeline import usefulness
from segspark.pipeline.progress import Progress
from segspark.pipeline.stage import Workspace
from segspark.pipeline.training_plan import TrainingPlan
from segspark.pipeline.usefulness import NAMED_RFM, past_usefulness
from segspark.pipeline.vector_features import configured_rules
from segspark.settings.root import Settings
from segspark.settings.training import Algorithm, EmbeddingMethod
from segspark.tables.lake import Lake
from segspark.tables.purchases import CUSTOMER_DAYS
from tests.builders import table
from tests.ledger_rows import ledger_row

AFTER, AS_OF = date(2024, 6, 30), date(2024, 9, 28)
CUSTOMERS = 60
VECTOR = FeatureVector(
    tuple(
        VectorColumn(ValueRule(name, "none"), -1e9, 1e9, 0.0, 1.0)
        for name in ("recency_days", "frequency_count")
    )
)
"""As a training might have fitted it on other days."""
SWEEP = {
    "algorithms": ["kmeans"],
    "fewest_segments": 2,
    "most_segments": 3,
    "embeddings": ["none", "pca"],
    "pca": {"component_count": 1},
}


Bought = tuple[str, date, int]


def bought() -> list[Bought]:
    """A third of the customers buys often, lately and much, and goes on; the others stay away."""
    found: list[Bought] = []
    for customer in range(CUSTOMERS):
        is_loyal = customer % 3 == 0
        gap, first, orders = (7, 3, 12) if is_loyal else (40, 60, 2)
        name, spend = f"c{customer:02}", (200 if is_loyal else 20) + customer
        found += [
            (name, AFTER - timedelta(days=first + gap * number + customer % 5), spend + number)
            for number in range(orders)
        ]
        if is_loyal:
            found.append((name, AFTER + timedelta(days=1 + customer % 20), spend))
    return found


def workspace_of(
    spark: SparkSession,
    folder: Path,
    *,
    holdout_days: int = 90,
    **sweep: Any,  # noqa: ANN401 - of the section
) -> Workspace:
    document = {
        "lake": {"location": str(folder)},
        "sources": {},
        "training": {"sweep": SWEEP | sweep, "selection": {"holdout_days": holdout_days}},
    }
    these = Settings.model_validate(document)
    return Workspace(these, Lake.open(spark, these.lake), Progress())


def plan_of(here: Workspace) -> TrainingPlan:
    training = here.settings.training
    rules = configured_rules(here.settings, training.vector)
    fit = VectorFit(VECTOR, ())
    return TrainingPlan(training.vector, rules, fit, candidates_of(training.sweep))


@pytest.fixture(scope="module")
def ledger(spark: SparkSession) -> DataFrame:
    rows = [
        ledger_row(name, on, on, order_count=1, line_count=1, gross_amount=Decimal(spend))
        for name, on, spend in bought()
    ]
    return table(spark, CUSTOMER_DAYS.schema, *rows).repartition(3)


def test_segments_of_a_past_day_tell_who_buys_after_it(
    spark: SparkSession, ledger: DataFrame, tmp_path: Path
) -> None:
    here = workspace_of(spark, tmp_path)

    found = past_usefulness(here, ledger, plan=plan_of(here), as_of=AS_OF)

    assert found.period == "the 90 days after 2024-06-30"
    # In the order of their hashes, so that the first of them are a sample of all.
    names = spark.range(CUSTOMERS).select(F.format_string("c%02d", F.col("id")).alias("name"))
    order = [int(row["name"][1:]) for row in names.orderBy(F.xxhash64("name")).collect()]
    np.testing.assert_array_equal(found.points, points_by_hand(VECTOR)[order])
    assert list(found.baselines) == [NAMED_RFM, DECILES]
    for embedding in (EmbeddingMethod.NONE, EmbeddingMethod.PCA):
        two = found.candidates[Candidate(Algorithm.KMEANS, 2, embedding=embedding)]
        assert two.retention_ratio == pytest.approx(1.0)
        assert two.spend_ratio == pytest.approx(share_between_the_loyal_and_the_others())


def test_an_embedding_that_no_candidate_is_tried_on_cannot_fail(
    spark: SparkSession, ledger: DataFrame, tmp_path: Path
) -> None:
    here = workspace_of(spark, tmp_path, pca={"component_count": 9})
    plan = replace(plan_of(here), candidates=[Candidate(Algorithm.KMEANS, 2)])

    found = past_usefulness(here, ledger, plan=plan, as_of=AS_OF)

    assert list(found.candidates) == plan.candidates


def points_by_hand(vector: FeatureVector) -> NDArray[np.float64]:
    """Recency and orders of the past day, customer by customer."""
    rows = []
    for number in range(CUSTOMERS):
        days = [on for name, on, _ in bought() if name == f"c{number:02}" and on <= AFTER]
        known = {"recency_days": (AFTER - max(days)).days, "frequency_count": len(days)}
        rows.append(vector.point(known))
    return np.array(rows)


def share_between_the_loyal_and_the_others() -> float:
    """By ranks counted one by one: who stayed away shares the middle of the lowest ranks."""
    later = {f"c{n:02}": 0.0 for n in range(CUSTOMERS)}
    for name, on, spend in bought():
        if on > AFTER:
            later[name] += spend
    spends = np.array(list(later.values()))
    ranks = np.array([(spends < s).sum() + ((spends == s).sum() + 1) / 2 for s in spends])
    is_loyal = spends > 0
    means = [ranks[is_loyal].mean(), ranks[~is_loyal].mean()]
    sizes = [is_loyal.sum(), (~is_loyal).sum()]
    between = sum(n * (m - ranks.mean()) ** 2 for n, m in zip(sizes, means, strict=True))
    share = between / ((ranks - ranks.mean()) ** 2).sum()
    # Beyond what two groups have by chance.
    return float(1 - (1 - share) * (CUSTOMERS - 1) / (CUSTOMERS - 2))


def test_before_anybody_bought_nothing_can_be_told(
    spark: SparkSession, ledger: DataFrame, tmp_path: Path
) -> None:
    here = workspace_of(spark, tmp_path, holdout_days=900)

    with pytest.raises(ClusteringError, match="how useful candidates were cannot be told by the"):
        past_usefulness(here, ledger, plan=plan_of(here), as_of=AS_OF)


def test_nothing_known_later_and_no_partitioning_changes_what_a_past_day_tells(
    spark: SparkSession, ledger: DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = workspace_of(spark, tmp_path)
    monkeypatch.setattr(usefulness, "_MOST_CUSTOMERS", 40)
    later = [
        # Customers who came later, in the period and after it.
        *(
            ledger_row(f"x{n:03}", on, on, order_count=1, line_count=1, gross_amount=Decimal(9))
            for n in range(200)
            for on in (AFTER + timedelta(days=5), AS_OF + timedelta(days=5))
        ),
        # Everything that a customer bought came back after the period.
        *(
            ledger_row(
                name,
                on,
                AS_OF + timedelta(days=1),
                undone_order_count=1,
                returned_amount=Decimal(s),
            )
            for name, on, s in bought()
        ),
    ]

    first, second = (
        past_usefulness(here, frame, plan=plan_of(here), as_of=AS_OF)
        for frame in (
            ledger,
            ledger.unionByName(table(spark, CUSTOMER_DAYS.schema, *later)).repartition(5),
        )
    )

    assert 20 < len(first.points) < CUSTOMERS
    np.testing.assert_array_equal(first.points, second.points)
    assert first.candidates == second.candidates
    assert first.baselines == second.baselines
