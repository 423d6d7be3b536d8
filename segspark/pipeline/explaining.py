"""Part of the stage assign: what tells a run's segments apart, and what else differs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.clustering.vectorise import raised_value
from segspark.features.lifetime_histories import numbers_of, sampled
from segspark.model.vector import FeatureVector
from segspark.pipeline.stage import Workspace
from segspark.segments.differences import segment_differences
from segspark.segments.drivers import permutation_drivers
from segspark.segments.explained import count_rules, difference_rows, driver_rows, rule_rows
from segspark.segments.rules import LabelledCustomers, fit_surrogate
from segspark.settings.root import Settings
from segspark.tables.behaviour import CUSTOMER_ATTRIBUTES
from segspark.tables.contract import TableContract
from segspark.tables.explanations import SEGMENT_DIFFERENCES, SEGMENT_DRIVERS, SEGMENT_RULES
from segspark.tables.features import customer_features
from segspark.tables.segments import CUSTOMER_SEGMENTS

_PLACES = ("country", "region", "store_id")
_OTHER = "other "
"""Before the name of a feature that is compared: the vector may read the same column anew."""


@dataclass(frozen=True, slots=True)
class AssignedRun:
    """What is explained.

    Attributes:
        run_id: The run.
        snapshot_id: Its features.
        vector: What its model sees of them.
        called: Segment id → name.
        customer_count: Assigned customers.
    """

    run_id: str
    snapshot_id: str
    vector: FeatureVector
    called: Mapping[str, str]
    customer_count: int


def explaining_tables(settings: Settings) -> tuple[TableContract, ...]:
    """The tables that are read beside those of the vector."""
    return () if settings.features.attributes is None else (CUSTOMER_ATTRIBUTES,)


def explain_segments(workspace: Workspace, run: AssignedRun, features: DataFrame) -> dict[str, int]:
    """Write rules, drivers and differences of a run.

    Args:
        workspace: The surroundings.
        run: The run, whose customers have their segments.
        features: Eligible customers of the snapshot with the columns of the vector.

    Returns:
        Table → rows written.
    """
    settings = workspace.settings.assignment.explanation
    workspace.progress.step("assign: what tells the segments apart")
    known = _known(workspace, run, features)
    drawn = sampled(known, customer_count=run.customer_count, most=settings.most_customers)
    found = _with_attributes(workspace, run, drawn).toArrow().sort_by("customer_id")
    customers = _labelled(run, found)
    surrogate = fit_surrogate(customers, settings)
    drivers = permutation_drivers(
        surrogate.rules, surrogate.held_out, segment_count=len(run.called)
    )
    differences = segment_differences(
        customers,
        numbers={
            name.removeprefix(_OTHER): numbers_of(found.column(name))
            for name in found.column_names
            if name.startswith(_OTHER)
        },
        levels=_levels(found),
    )
    rules = rule_rows(
        surrogate,
        count_rules(known, surrogate.rules),
        reading=run.vector.rules,
        called=run.called,
        run_id=run.run_id,
    )
    return {
        SEGMENT_RULES.name: _write(workspace, run, SEGMENT_RULES, rules),
        SEGMENT_DRIVERS.name: _write(
            workspace,
            run,
            SEGMENT_DRIVERS,
            driver_rows(drivers, called=run.called, run_id=run.run_id),
        ),
        SEGMENT_DIFFERENCES.name: _write(
            workspace,
            run,
            SEGMENT_DIFFERENCES,
            list(difference_rows(differences, run_id=run.run_id)),
        ),
    }


def _known(workspace: Workspace, run: AssignedRun, features: DataFrame) -> DataFrame:
    """Each customer's segment, the vector's columns as it reads them, and the other features."""
    segments = workspace.lake.read(CUSTOMER_SEGMENTS).filter(F.col("run_id") == run.run_id)
    contract = customer_features(workspace.settings.features)
    others = [
        column.name
        for column in contract.columns
        if isinstance(column.dtype, T.NumericType) and column.name not in run.vector.names
    ]
    return features.select(
        "customer_id",
        *(raised_value(rule).alias(rule.name) for rule in run.vector.rules),
        *(F.col(name).cast("double").alias(f"{_OTHER}{name}") for name in others),
    ).join(segments.select("customer_id", "segment_id"), on="customer_id", how="inner")


def _with_attributes(workspace: Workspace, run: AssignedRun, customers: DataFrame) -> DataFrame:
    told = workspace.lake.read(CUSTOMER_ATTRIBUTES).filter(F.col("snapshot_id") == run.snapshot_id)
    attributes = told.select("customer_id", *_PLACES, "attributes")
    return customers.join(attributes, on="customer_id", how="left")


def _labelled(run: AssignedRun, found: pa.Table) -> LabelledCustomers:
    numbers = {segment_id: number for number, segment_id in enumerate(run.called)}
    return LabelledCustomers(
        names=run.vector.names,
        values=np.column_stack([numbers_of(found.column(name)) for name in run.vector.names]),
        segments=np.array(
            [numbers[segment_id] for segment_id in found.column("segment_id").to_pylist()],
            dtype=np.intp,
        ),
    )


def _levels(found: pa.Table) -> dict[str, list[str | None]]:
    levels: dict[str, list[str | None]] = {name: found.column(name).to_pylist() for name in _PLACES}
    told = [dict(pairs or ()) for pairs in found.column("attributes").to_pylist()]
    for name in sorted({name for each in told for name in each}):
        levels[f"attributes.{name}"] = [each.get(name) for each in told]
    return levels


def _write(
    workspace: Workspace,
    run: AssignedRun,
    contract: TableContract,
    rows: list[tuple[object, ...]],
) -> int:
    frame = workspace.lake.spark.createDataFrame(rows, contract.schema)
    workspace.lake.replace(contract, frame, {"run_id": run.run_id})
    return len(rows)
