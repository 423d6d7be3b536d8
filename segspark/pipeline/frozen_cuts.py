"""The cuts of RFM scores that were frozen on an earlier day."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark.sql import functions as F

from segspark.errors import StageError
from segspark.features.scores import Cuts
from segspark.pipeline.stage import Workspace
from segspark.tables.operations import STAGE_RUNS


@dataclass(frozen=True, slots=True)
class FrozenCuts:
    """Cuts of a finished snapshot.

    Attributes:
        snapshot_id: The snapshot.
        cuts: Its cuts.
    """

    snapshot_id: str
    cuts: Cuts


def frozen_cuts(workspace: Workspace, *, stage: str, as_of: date) -> FrozenCuts | None:
    """The cuts that `features.score_cuts_as_of` asks for; None where the day's own count.

    The day itself is scored by its own quintiles under the same configuration. Of several
    snapshots of the day that sum up customers in the same way, the newest counts.

    Raises:
        StageError: The day is after the as-of date, or has no such snapshot.
    """
    day = workspace.settings.features.score_cuts_as_of
    if day is None or day == as_of:
        return None
    if day > as_of:
        raise StageError(
            f"features.score_cuts_as_of {day} is after the as-of date {as_of}, when its cuts were "
            "not known yet: write them as features.score_cuts, or name an earlier day"
        )
    # Segmentations that sum up customers in the same way share a snapshot, and its row names one.
    runs = workspace.lake.read(STAGE_RUNS).filter(
        (F.col("stage") == stage) & (F.col("as_of_date") == F.lit(day))
    )
    mine = workspace.settings.model_dump(mode="json", include={"ledger", "features"})
    for row in runs.orderBy(F.desc("completed_at"), "stage_id").collect():
        config = json.loads(row["config_json"])
        if _has_own_cuts(config, day) and _summing(config) == _summing(mine):
            found = json.loads(row["audit_json"])["score_cuts"]
            return FrozenCuts(row["stage_id"], {name: tuple(cuts) for name, cuts in found.items()})
    raise StageError(
        f"features.score_cuts_as_of {day}: there are no features of that day for this "
        f"configuration: run build-features --as-of {day} first"
    )


def _has_own_cuts(config: Mapping[str, Any], day: date) -> bool:
    """Whether a snapshot of the day is scored by its own quintiles."""
    features = config["features"]
    own = (None, day.isoformat())
    return features["score_cuts"] is None and features.get("score_cuts_as_of") in own


def _summing(config: Mapping[str, Any]) -> tuple[Any, ...]:
    """The settings that recency, frequency and monetary value depend on."""
    features = config["features"]
    return config["ledger"], features["monetary"], features["observation_days"]
