"""Stage: audit a run, then one row makes it current; a rollback is one more row."""

from datetime import date
from typing import Any

from pyspark.sql import Row
from pyspark.sql import functions as F

from segspark.errors import StageError, TrackingError
from segspark.pipeline.assign import STAGE as ASSIGN
from segspark.pipeline.features import read_snapshot, snapshot_of
from segspark.pipeline.stage import StageResult, Workspace
from segspark.pipeline.train import find_model, training_id_of
from segspark.pipeline.training_record import open_tracker
from segspark.segments.audit import RunFigures, audit_run
from segspark.tables.engine_errors import engine_sentences
from segspark.tables.ids import content_hash, content_id
from segspark.tables.lake import Lake
from segspark.tables.manifest import (
    Outcome,
    StageRun,
    complete_stage,
    find_stage,
    finished_stages,
    table_versions,
)
from segspark.tables.operations import PUBLICATIONS
from segspark.tables.publishing import (
    PublishedRun,
    commit_publication,
    publication_history,
)
from segspark.tables.segments import CUSTOMER_FUNNEL, CUSTOMER_SEGMENTS, SEGMENT_PROFILES
from segspark.tables.views import write_view_files

STAGE = "publish"


def publish(
    workspace: Workspace, *, as_of: date, run_id: str | None = None, again: bool = False
) -> StageResult:
    """Make a run current if its audit holds.

    Args:
        workspace: The surroundings.
        as_of: Last day counted in the run.
        run_id: The run; None: the newest assignment of this date and configuration.
        again: Whether a run that a later one or a rollback replaced may be current again; for the
            current run, whether to write view files and MLflow's alias once more.

    Raises:
        StageError: There is no such run, or its audit failed; what is current stays current.
    """
    lake, settings = workspace.lake, workspace.settings
    assigned = _assigned_run(workspace, as_of, run_id)
    snapshot_id, model_id = assigned["input_ids"][:2]
    published = PublishedRun(assigned["stage_id"], snapshot_id, model_id, assigned["as_of_date"])
    history = publication_history(lake, settings.segmentation)
    is_current = bool(history) and history[0]["run_id"] == published.run_id
    number = len(history) if is_current else len(history) + 1
    run = StageRun(
        stage=STAGE,
        stage_id=content_id(STAGE, settings.segmentation, published.run_id, number),
        segmentation=settings.segmentation,
        as_of_date=published.as_of_date,
        input_ids=(published.run_id,),
        reads=(CUSTOMER_SEGMENTS, CUSTOMER_FUNNEL, SEGMENT_PROFILES),
        config=settings.model_dump(mode="json", include={"audit"}),
    )
    if is_current and _is_recorded(workspace, run, history[0]):
        if again:
            _follow(workspace, published)
        return _result(workspace, run, f"{published.run_id} is current", was_done=True)
    if not is_current and not again and any(r["run_id"] == published.run_id for r in history):
        # A scheduler that retries yesterday's job must not take readers back a day.
        gave_way = "was rolled back" if _was_withdrawn(history, published.run_id) else "gave way"
        text = f"{published.run_id} {gave_way} and stays so; publish --again makes it current"
        return _result(workspace, run, text, was_done=True)
    versions = table_versions(lake, run.reads)
    figures = _audit(workspace, published)
    if not is_current:
        commit_publication(lake, settings.segmentation, published)
    _follow(workspace, published)
    outcome = Outcome(
        summary=f"{published.run_id} is current",
        rows_in={CUSTOMER_SEGMENTS.name: figures["assigned"]},
        rows_out={PUBLICATIONS.name: 1},
        audit={"problems": {}, **figures},
    )
    complete_stage(lake, run, outcome, input_versions=versions)
    return _result(workspace, run, outcome.summary, was_done=False)


def rollback(workspace: Workspace, *, run_id: str | None = None) -> PublishedRun:
    """Make an earlier published run current again.

    Args:
        workspace: The surroundings.
        run_id: A run that was published before; None: the one before the current.

    Returns:
        The run that is current from here on; its row in `publications` is the only record.

    Raises:
        StageError: There is none.
    """
    lake, segmentation = workspace.lake, workspace.settings.segmentation
    history = publication_history(lake, segmentation)
    if not history:
        raise StageError(f"segmentation {segmentation}: nothing is published yet")
    current = history[0]["run_id"]
    earlier = (
        [row for row in history if row["run_id"] == run_id]
        if run_id
        else [row for row in history if _can_come_back(history, row["run_id"])]
    )
    if not earlier or earlier[0]["run_id"] == current:
        wanted = (
            f"run {run_id} is current or was never published"
            if run_id
            else ("there is no earlier run to go back to")
        )
        raise StageError(f"segmentation {segmentation}: {wanted}: see the table publications")
    target = PublishedRun.of(earlier[0])
    commit_publication(lake, segmentation, target, withdrawn_run_id=current)
    _follow(workspace, target)
    workspace.progress.say(f"rollback  {target.run_id} is current, {current} is not")
    return target


def _assigned_run(workspace: Workspace, as_of: date, run_id: str | None) -> Row:
    lake, settings = workspace.lake, workspace.settings
    if run_id is not None:
        row = find_stage(lake, ASSIGN, run_id)
    else:
        row = _newest_assignment(workspace, as_of)
    if row is None or row["segmentation"] != settings.segmentation:
        wanted = f"run {run_id}" if run_id else f"assignment as of {as_of}"
        raise StageError(f"there is no finished {wanted} for this configuration: run assign first")
    return row


def _newest_assignment(workspace: Workspace, as_of: date) -> Row | None:
    """Of the assignments of this configuration's snapshot: its own model's, else the newest."""
    lake, settings = workspace.lake, workspace.settings
    snapshot_id = snapshot_of(workspace, as_of=as_of)
    runs = finished_stages(
        lake,
        ASSIGN,
        segmentation=settings.segmentation,
        config_hash=content_hash(settings.model_dump(mode="json", include={"assignment"})),
        as_of_date=as_of,
    )
    runs = [row for row in runs if row["input_ids"][0] == snapshot_id]
    trained = find_model(lake, training_id_of(settings, snapshot_id))
    own = [row for row in runs if trained and row["input_ids"][1] == trained["model_id"]]
    return next(iter(own or runs), None)


def _is_recorded(workspace: Workspace, run: StageRun, current: Row) -> bool:
    """Whether the manifest knows the publication; one that was killed before has to be told."""
    rolled_back_to = current["action"] == "rollback"
    return rolled_back_to or find_stage(workspace.lake, STAGE, run.stage_id) is not None


def _can_come_back(history: list[Row], run_id: str) -> bool:
    return run_id != history[0]["run_id"] and not _was_withdrawn(history, run_id)


def _was_withdrawn(history: list[Row], run_id: str) -> bool:
    """Whether the newest word on the run is a rollback."""
    for row in history:
        if row["withdrawn_run_id"] == run_id:
            return True
        if row["run_id"] == run_id:
            return False
    return False


def _audit(workspace: Workspace, run: PublishedRun) -> dict[str, Any]:
    with engine_sentences(f"auditing {run.run_id}", error=StageError):
        figures = _figures(workspace.lake, run)
    problems = audit_run(figures, workspace.settings.audit)
    if problems:
        raise StageError(
            f"{run.run_id} is not published, its audit failed: {'; '.join(problems.values())}: "
            "look into the run's tables, or change the audit's bounds"
        )
    return {
        "customers": figures.customers,
        "funnel": dict(figures.funnel),
        "assigned": figures.assigned,
        "borderline": figures.borderline,
        "outliers": figures.outliers,
    }


def _figures(lake: Lake, run: PublishedRun) -> RunFigures:
    """Count the run's tables afresh."""
    is_mine = F.col("run_id") == run.run_id
    funnel = lake.read(CUSTOMER_FUNNEL).filter(is_mine).collect()
    profiles = lake.read(SEGMENT_PROFILES).filter(is_mine).collect()
    known = [row["segment_id"] for row in profiles]
    counted = (
        lake.read(CUSTOMER_SEGMENTS)
        .filter(is_mine)
        .agg(
            F.count("*").alias("assigned"),
            F.count_distinct("customer_id").alias("customers"),
            F.count_if(~F.col("segment_id").isin(known)).alias("without_profile"),
            F.count_if("is_borderline").alias("borderline"),
            F.count_if("is_outlier").alias("outliers"),
        )
        .collect()[0]
    )
    return RunFigures(
        customers=read_snapshot(lake, run.snapshot_id).count(),
        funnel={row["outcome"]: row["customer_count"] for row in funnel},
        assigned=counted["assigned"],
        distinct_assigned=counted["customers"],
        without_profile=counted["without_profile"],
        profiled=sum(row["customer_count"] for row in profiles),
        profile_ratio=sum(row["customer_ratio"] for row in profiles),
        borderline=counted["borderline"],
        outliers=counted["outliers"],
    )


def _follow(workspace: Workspace, run: PublishedRun) -> None:
    """Bring what follows the pointer up to date: view files and MLflow's alias.

    Both can be redone at any time, so a tracking server that is down does not undo a publication.
    """
    write_view_files(workspace.lake)
    try:
        open_tracker(workspace).mark_published(run.model_id)
    except TrackingError as error:
        workspace.progress.say(
            f"publish   the alias in MLflow was not set ({error}); publish --again sets it"
        )


def _result(workspace: Workspace, run: StageRun, summary: str, *, was_done: bool) -> StageResult:
    result = StageResult(run.stage, run.stage_id, was_done, summary, run.elapsed_seconds)
    workspace.progress.say(result.line())
    return result
