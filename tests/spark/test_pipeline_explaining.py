"""What assign writes beside segments: counted on all customers, the attributes among them."""

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from segspark.model.vector import FeatureVector, ValueRule, VectorColumn
from segspark.pipeline.explaining import AssignedRun, explain_segments
from segspark.pipeline.progress import Progress
from segspark.pipeline.stage import Workspace
from segspark.settings.segments import ExplanationSettings
from segspark.tables.behaviour import CUSTOMER_ATTRIBUTES
from segspark.tables.explanations import SEGMENT_DIFFERENCES, SEGMENT_DRIVERS, SEGMENT_RULES
from segspark.tables.features import CUSTOMER_FEATURES
from segspark.tables.lake import Lake
from segspark.tables.segments import CUSTOMER_SEGMENTS
from tests.jobs.planted import settings

COUNT = 400
VECTOR = FeatureVector(
    tuple(
        VectorColumn(rule, float("-inf"), float("inf"), 0.0, 1.0)
        for rule in (ValueRule("recency_days"), ValueRule("purchase_gap_mean_days", missing=0.0))
    )
)
RUN = AssignedRun("run-1", "snapshot-1", VECTOR, {"S2": "Recent", "S1": "Late"}, COUNT)


def features(spark: SparkSession) -> DataFrame:
    """Customers of every recency from 0 on, with a gap for every second one."""
    n = F.col("id")
    known = {
        "recency_days": n.cast("int"),
        "purchase_gap_mean_days": F.when(n % 2 == 1, F.lit(1.0)),
        "monetary_amount": F.pmod(F.xxhash64(n), F.lit(997)),
    }
    columns = [
        known.get(c.name, F.lit(None)).cast(c.dtype).alias(c.name)
        for c in CUSTOMER_FEATURES.columns
        if c.name != "customer_id"
    ]
    return spark.range(COUNT).select(F.format_string("c%03d", n).alias("customer_id"), *columns)


def workspace_of(spark: SparkSession, folder: Path) -> Workspace:
    """A lake with segments by recency, and regions that go with them."""
    these = settings(folder / "lake", folder / "none.csv", features={})
    lake = Lake.open(spark, these.lake)
    segments = [
        (
            *("run-1", f"c{n:03}", "S2" if n <= 99 else "S1", 0, 0.1, None, 0.9, None),
            *(False, None, False, None, False),
        )
        for n in range(COUNT)
    ]
    attributes = [
        (
            "snapshot-1",
            f"c{n:03}",
            "UK",
            "north" if n <= 99 else "south",
            "missing",
            {"age": f"{n % 3}"},
        )
        for n in range(COUNT)
    ]
    for contract, rows in ((CUSTOMER_SEGMENTS, segments), (CUSTOMER_ATTRIBUTES, attributes)):
        frame = spark.createDataFrame(rows, contract.schema)
        lake.replace(contract, frame, {contract.grain[0]: rows[0][0]})
    return Workspace(these, lake, Progress())


def test_a_run_is_explained(spark: SparkSession, tmp_path: Path) -> None:
    here, everyone = workspace_of(spark, tmp_path), features(spark)

    written = explain_segments(here, RUN, everyone)

    found: dict[str, list[Row]] = {
        table.name: here.lake.read(table).collect()
        for table in (SEGMENT_RULES, SEGMENT_DRIVERS, SEGMENT_DIFFERENCES)
    }
    assert {name: len(rows) for name, rows in found.items()} == written
    rules = {row["segment_id"]: row for row in found["segment_rules"]}
    for segment_id, size in (("S2", 100), ("S1", 300)):
        row = rules[segment_id]
        met = everyone.filter(row["condition"]).count()
        assert met == row["customer_count"]
        assert row["coverage_ratio"] == row["segment_customer_count"] / size
        assert row["precision_ratio"] == row["segment_customer_count"] / met
        assert row["accuracy_ratio"] > 0.95
    weights = {(r["segment_id"], r["feature_name"]): r for r in found["segment_drivers"]}
    assert len(weights) == 6
    assert weights["all", "recency_days"]["rank_number"] == 1
    assert weights["S1", "purchase_gap_mean_days"]["importance_ratio"] == 0
    differences = {r["variable_name"]: r for r in found["segment_differences"]}
    assert set(differences) == {"monetary_amount", "region", "attributes.age"}
    assert differences["region"]["cramers_v_ratio"] == pytest.approx(1, abs=0.01)
    assert differences["attributes.age"]["cramers_v_ratio"] < 0.1
    assert all(row["holm_p_value"] is not None for row in differences.values())


def test_rules_of_a_sample_are_counted_on_everybody(spark: SparkSession, tmp_path: Path) -> None:
    here = workspace_of(spark, tmp_path)
    few = ExplanationSettings(most_customers=100)
    assignment = here.settings.assignment.model_copy(update={"explanation": few})
    of_few = Workspace(
        here.settings.model_copy(update={"assignment": assignment}), here.lake, Progress()
    )

    explain_segments(of_few, RUN, features(spark))

    rules: list[Any] = here.lake.read(SEGMENT_RULES).collect()
    assert sum(row["customer_count"] for row in rules) == COUNT
    assert 10 < rules[0]["held_out_count"] < 50
