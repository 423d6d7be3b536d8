"""One Spark session that does what it is told line by line, and says how long each took.

A line of standard input is JSON: `{"do": "build" | "value", …}`; one of standard output answers it.
Each `round` has a segmentation and settings of its own that mean the same, so that a rebuild finds
nothing of the one before.
"""

import argparse
import sys
import time
from collections.abc import Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from scripts.benchmarks.workers import serve
from segspark.pipeline.features import build_features
from segspark.pipeline.ingest import ingest
from segspark.pipeline.progress import Progress
from segspark.pipeline.stage import StageResult, Workspace
from segspark.session.opening import spark_session
from segspark.settings.loading import load_settings
from segspark.settings.root import Settings
from segspark.tables.lake import Lake

_OBSERVATION_DAYS = 30_000
"""More than there are: a window that leaves nothing out."""


def main() -> int:
    """Serve until standard input ends."""
    args = _arguments()
    settings = load_settings(args.config, [f"spark.driver_memory={args.driver_memory}"])
    with spark_session(settings.spark, app_name="benchmark") as spark:
        serve(partial(_answer, Lake.open(spark, settings.lake), settings))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--driver-memory", required=True)
    return parser.parse_args()


def _answer(lake: Lake, settings: Settings, command: Mapping[str, Any]) -> dict[str, Any]:
    if command["do"] == "value":
        # What it imports takes 100 MB, which are none of a rebuild's.
        from scripts.benchmarks.lifetime_work import value_histories  # noqa: PLC0415 - as said

        started = time.monotonic()
        value_histories(lake, Path(command["histories"]))
        return {"seconds": time.monotonic() - started}
    number = command["round"]
    whole_history = {"observation_days": _OBSERVATION_DAYS + number}
    mine = settings.model_copy(
        update={
            "segmentation": f"round{number}",
            "features": settings.features.model_copy(update=whole_history),
        }
    )
    workspace, as_of = Workspace(mine, lake, Progress()), date.fromisoformat(command["as_of"])
    # The lines are there already; this says so under the segmentation's name.
    ingest(workspace)
    started = time.monotonic()
    results = build_features(workspace, as_of=as_of)
    if any(result.was_done for result in results):
        raise SystemExit(f"{lake.root} holds this round already: remove the folder")
    return {
        "seconds": time.monotonic() - started,
        "stages": {result.stage: _stage(result) for result in results},
    }


def _stage(result: StageResult) -> dict[str, Any]:
    return {"seconds": result.elapsed_seconds, "summary": result.summary}


if __name__ == "__main__":
    sys.exit(main())
