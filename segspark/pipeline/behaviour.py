"""Part of the stage `features`: the feature groups beside the core table."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.features.seasons import customer_seasons
from segspark.pipeline.stage import Workspace
from segspark.tables.behaviour import CUSTOMER_SEASONS

BEHAVIOUR_VERSION = 1
"""Raised when the same inputs and settings would give other rows."""


def write_behaviour(
    workspace: Workspace, ledger: DataFrame, *, as_of: date, snapshot_id: str
) -> dict[str, int]:
    """Write the groups of a snapshot; returns their numbers of rows by table.

    Args:
        workspace: The surroundings.
        ledger: Rows of `customer_days`; one ledger, up to date.
        as_of: Last day counted.
        snapshot_id: The snapshot.
    """
    settings = workspace.settings.features
    tables = {
        CUSTOMER_SEASONS: customer_seasons(
            ledger, settings=settings, as_of=as_of, snapshot_id=snapshot_id
        )
    }
    rows = {"snapshot_id": snapshot_id}
    counts = {}
    for contract, df in tables.items():
        workspace.lake.replace(contract, df, rows)
        written = workspace.lake.read(contract).filter(F.col("snapshot_id") == snapshot_id)
        counts[contract.name] = written.count()
    return counts
