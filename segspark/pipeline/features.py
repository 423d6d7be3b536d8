"""Stage: customer_days → customer_features, once the ledger is up to date."""

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.errors import StageError
from segspark.features.custom import check_custom, function_sources
from segspark.features.customers import customer_summaries, with_scores
from segspark.features.scores import Cuts, score_cuts
from segspark.pipeline.behaviour import (
    BEHAVIOUR_VERSION,
    describing_batches,
    describing_batches_known,
    write_behaviour,
    write_seasons,
)
from segspark.pipeline.event_ledger import EVENTS, build_event_ledger
from segspark.pipeline.frozen_cuts import FrozenCuts, frozen_cuts
from segspark.pipeline.guests import guest_line_ratio
from segspark.pipeline.holdings import current_batches
from segspark.pipeline.ingest import intake_run
from segspark.pipeline.ledger import PURCHASES, build_ledger, ledger_id, read_ledger
from segspark.pipeline.stage import StageResult, Workspace, run_stage
from segspark.settings.root import Settings
from segspark.tables.contract import TableContract
from segspark.tables.engagement import CUSTOMER_EVENT_DAYS
from segspark.tables.engine_errors import engine_sentences
from segspark.tables.features import (
    CUSTOMER_FEATURES,
    FEATURE_CATALOGUE,
    catalogue_rows,
    customer_features,
)
from segspark.tables.holding import on_disk
from segspark.tables.ids import content_id
from segspark.tables.lake import Lake
from segspark.tables.manifest import Outcome, StageRun, find_stage
from segspark.tables.purchases import CUSTOMER_DAYS

FEATURES = "features"
_FEATURES_VERSION = 4
"""Raised when the same inputs and settings would give other rows."""


def build_features(workspace: Workspace, *, as_of: date) -> list[StageResult]:
    """Bring the ledger up to date, then build the snapshot of customer features.

    Raises:
        StageError: Nothing was ingested for the configuration, or nothing up to the date.
        ConfigError: A custom feature cannot be worked out.
    """
    return backfill_features(workspace, as_of_dates=[as_of])


def backfill_features(workspace: Workspace, *, as_of_dates: Collection[date]) -> list[StageResult]:
    """Bring the ledger up to date, then build the snapshot of each date, the earliest first.

    Snapshots that are finished are left as they are, so that it can be started again.

    Raises:
        StageError: As `build_features`; snapshots of earlier dates are kept.
        ConfigError: As `build_features`.
    """
    check_custom(workspace.lake.spark, workspace.settings.features)
    batches = _counted_batches(workspace)
    dates = sorted(set(as_of_dates))
    if not _known_by(batches, dates[0]):
        first = min((row["first_date"] for row in batches if row["first_date"]), default=None)
        raise StageError(
            f"no purchase line is known up to {dates[0]}: "
            + (f"the earliest is of {first}, give a later --as-of" if first else "run ingest first")
        )
    describing = describing_batches(workspace)
    results = [build_ledger(workspace, batches)]
    if workspace.settings.features.engagement is not None:
        events = [row for row in describing if row["entity"] == EVENTS.entity]
        results.append(build_event_ledger(workspace, events))
    return results + [
        _build_snapshot(workspace, _read_by(workspace.lake, batches, describing, as_of), as_of)
        for as_of in dates
    ]


def snapshot_of(workspace: Workspace, *, as_of: date) -> str:
    """Id of the finished snapshot of this date, this configuration and the batches that count.

    Raises:
        StageError: It was not built.
    """
    batches, describing = _counted_batches(workspace), describing_batches(workspace)
    read = _read_by(workspace.lake, batches, describing, as_of)
    frozen = frozen_cuts(workspace, stage=FEATURES, as_of=as_of)
    snapshot_id = _snapshot_id(workspace.settings, read, as_of, frozen)
    if find_stage(workspace.lake, FEATURES, snapshot_id) is None:
        raise StageError(
            f"there are no features as of {as_of} for this configuration and what was ingested: "
            "run build_features first"
        )
    return snapshot_id


def _known_by(batches: Sequence[Row], as_of: date) -> list[Row]:
    """The batches that hold a line up to the date."""
    return [row for row in batches if row["first_date"] and row["first_date"] <= as_of]


def _read_by(
    lake: Lake, batches: Sequence[Row], describing: Sequence[Row], as_of: date
) -> list[Row]:
    """The batches of a snapshot."""
    described = describing_batches_known(lake, describing, as_of=as_of)
    return [*_known_by(batches, as_of), *described]


def _ledgers_read(settings: Settings) -> tuple[TableContract, ...]:
    has_events = settings.features.engagement is not None
    return (CUSTOMER_DAYS, CUSTOMER_EVENT_DAYS) if has_events else (CUSTOMER_DAYS,)


def _features_config(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(mode="json", include={"ledger", "features"})


def read_snapshot(
    lake: Lake, snapshot_id: str, *, contract: TableContract = CUSTOMER_FEATURES
) -> DataFrame:
    """The customers of one snapshot, with the features of a contract from `customer_features`."""
    return lake.read(contract).filter(F.col("snapshot_id") == snapshot_id)


def _counted_batches(workspace: Workspace) -> list[Row]:
    _check_sources(workspace.settings)
    batches = current_batches(workspace)
    _check_ingest_finished(workspace, batches)
    return PURCHASES.batches_of(workspace.settings, batches)


def _check_sources(settings: Settings) -> None:
    """Refuse names that are no sources, and events that are asked for and left out."""
    wanted = set(settings.ledger.sources)
    unknown = wanted - set(settings.sources)
    if unknown:
        raise StageError(
            f"ledger.sources names {', '.join(sorted(unknown))}, which sources does not: "
            "correct one of them"
        )
    events = {name for name, each in settings.sources.items() if each.entity == EVENTS.entity}
    if wanted and settings.features.engagement is not None and events and not events & wanted:
        raise StageError(
            "features.engagement asks for events, and ledger.sources names no source of them: "
            f"add {' or '.join(sorted(events))} to it, or leave engagement out"
        )


def _check_ingest_finished(workspace: Workspace, batches: Sequence[Row]) -> None:
    """Refuse to build on a part: an ingest that failed leaves what it had taken in until then."""
    ingested = intake_run(workspace, _ids(batches))
    if batches and find_stage(workspace.lake, ingested.stage, ingested.stage_id) is None:
        raise StageError(
            "what counts of the sources is not what an ingest finished with: the last ingest "
            "failed, had another configuration, or still runs: run ingest until it ends well"
        )


def _ids(batches: Sequence[Row]) -> list[str]:
    return [row["batch_id"] for row in batches]


def _snapshot_id(
    settings: Settings, batches: Sequence[Row], as_of: date, frozen: FrozenCuts | None
) -> str:
    config = _features_config(settings)
    # What counts is the snapshot whose cuts are taken, not the day that named it.
    del config["features"]["score_cuts_as_of"]
    cuts_of = frozen.snapshot_id if frozen else None
    code = function_sources(settings.features.custom)
    versions = [PURCHASES.version, EVENTS.version, _FEATURES_VERSION, BEHAVIOUR_VERSION]
    return content_id("snapshot", as_of.isoformat(), config, _ids(batches), cuts_of, code, versions)


def _build_snapshot(workspace: Workspace, batches: Sequence[Row], as_of: date) -> StageResult:
    lake, settings = workspace.lake, workspace.settings
    frozen = frozen_cuts(workspace, stage=FEATURES, as_of=as_of)
    snapshot_id = _snapshot_id(settings, batches, as_of, frozen)
    run = StageRun(
        stage=FEATURES,
        stage_id=snapshot_id,
        segmentation=settings.segmentation,
        as_of_date=as_of,
        input_ids=tuple(_ids(batches)),
        reads=_ledgers_read(settings),
        config=_features_config(settings),
    )

    def work() -> Outcome:
        ledger = read_ledger(lake, ledger_id(settings))
        cuts, seasons = _write(workspace, ledger, snapshot_id, as_of, frozen)
        groups = write_behaviour(workspace, batches, as_of=as_of, snapshot_id=snapshot_id)
        guests = guest_line_ratio(lake, batches, as_of=as_of)
        outcome = _snapshot_outcome(lake, snapshot_id, cuts, guests, ledger_rows=ledger.count())
        return replace(outcome, rows_out={**outcome.rows_out, **seasons, **groups})

    return run_stage(workspace, run, work)


def _write(
    workspace: Workspace,
    ledger: DataFrame,
    snapshot_id: str,
    as_of: date,
    frozen: FrozenCuts | None,
) -> tuple[Cuts, dict[str, int]]:
    """Customer features, seasons, and the catalogue of all groups.

    Returns the cuts of the scores, and the number of rows of seasons by table.
    """
    lake, settings = workspace.lake, workspace.settings.features
    rows = {"snapshot_id": snapshot_id}
    described = catalogue_rows(settings, snapshot_id=snapshot_id)
    catalogue = lake.spark.createDataFrame(described, FEATURE_CATALOGUE.schema)
    lake.replace(FEATURE_CATALOGUE, catalogue, rows)
    with ExitStack() as held:
        summaries = customer_summaries(
            ledger,
            settings=settings,
            as_of=as_of,
            with_seasons=True,
            hold=lambda df: held.enter_context(on_disk(df)),
        )
        with engine_sentences("building customer features", error=StageError):
            cuts = frozen.cuts if frozen else score_cuts(summaries, settings=settings)
        features = with_scores(
            summaries, settings=settings, cuts=cuts, as_of=as_of, snapshot_id=snapshot_id
        )
        lake.replace(customer_features(settings), features, rows)
        return cuts, write_seasons(lake, summaries, snapshot_id=snapshot_id)


def _snapshot_outcome(
    lake: Lake, snapshot_id: str, cuts: Cuts, guests: float, *, ledger_rows: int
) -> Outcome:
    reason = F.coalesce("exclusion_reason", F.lit("eligible")).alias("reason")
    counted = read_snapshot(lake, snapshot_id).groupBy(reason).count().collect()
    funnel = {row["reason"]: row["count"] for row in counted}
    customers = sum(funnel.values())
    if customers == 0:
        raise StageError(
            f"{snapshot_id} has no customers though batches are known: give a later --as-of where "
            "all lines until then are of guests, or run it again where another process put its "
            "ledger in the place of this one"
        )
    return Outcome(
        summary=f"{customers:,} customers, {funnel.get('eligible', 0):,} with purchases; "
        f"{guests:.1%} of the lines up to the date are of guests",
        rows_in={CUSTOMER_DAYS.name: ledger_rows},
        rows_out={CUSTOMER_FEATURES.name: customers},
        audit={
            "customers": funnel,
            "score_cuts": {k: list(v) for k, v in cuts.items()},
            "guest_line_ratio": guests,
        },
    )
