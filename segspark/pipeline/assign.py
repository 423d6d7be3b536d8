"""Stage: features and a model → segments of one run, with funnel, profiles and explanations."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.clustering.vectorise import with_coordinates
from segspark.errors import StageError
from segspark.features.eligibility import (
    eligible,
    scorable,
    with_scoring_eligibility,
    with_vector_eligibility,
)
from segspark.model.segment_model import SegmentModel
from segspark.pipeline.explaining import AssignedRun, explain_segments, explaining_tables
from segspark.pipeline.features import snapshot_of
from segspark.pipeline.stage import StageResult, Workspace, run_stage
from segspark.pipeline.train import STAGE as TRAIN
from segspark.pipeline.train import training_id_of
from segspark.pipeline.vector_features import read_vector_features, vector_inputs, vector_tables
from segspark.segments.assignment import customer_funnel, customer_segments, score_customers
from segspark.segments.identity import count_shared, match_identities
from segspark.segments.names import carry_names, character, segment_names
from segspark.segments.profiles import figures_of, profile_rows, summarise
from segspark.settings.root import Settings
from segspark.tables.engine_errors import engine_sentences
from segspark.tables.features import CUSTOMER_FEATURES
from segspark.tables.holding import on_disk
from segspark.tables.ids import content_id
from segspark.tables.lake import Lake
from segspark.tables.manifest import Outcome, StageRun
from segspark.tables.operations import STAGE_RUNS
from segspark.tables.publishing import current_publication
from segspark.tables.segments import (
    CUSTOMER_FUNNEL,
    CUSTOMER_SEGMENTS,
    SEGMENT_IDENTITIES,
    SEGMENT_MODELS,
    SEGMENT_PROFILES,
)

STAGE = "assign"
PUBLISHED, NEWEST = "published", "newest"
_ASSIGNMENT_VERSION = 5
"""Raised when the same features and model would give other rows."""


def assign(
    workspace: Workspace, *, as_of: date, model: str = PUBLISHED, snapshot_id: str | None = None
) -> StageResult:
    """Give every eligible customer of a snapshot a segment.

    Args:
        workspace: The surroundings.
        as_of: Last day counted in the features.
        model: `published`, `newest` (trained by this configuration, else trained last) or a model
            id.
        snapshot_id: Features to assign; None: those of this date and configuration.

    Raises:
        StageError: There is no such snapshot or model, or no lifetime value that the model takes.
    """
    settings = workspace.settings
    snapshot = snapshot_id or snapshot_of(workspace, as_of=as_of)
    row = _find_model(workspace, model, snapshot)
    segment_model = SegmentModel.from_json(row["model_json"])
    vector = segment_model.vector
    inputs = vector_inputs(settings, snapshot, columns=vector.names)
    run_id = _run_id(settings, inputs, row["model_id"])
    run = StageRun(
        stage=STAGE,
        stage_id=run_id,
        segmentation=settings.segmentation,
        as_of_date=as_of,
        input_ids=(snapshot, row["model_id"], *inputs[1:]),
        reads=(*vector_tables(vector.names), SEGMENT_MODELS, *explaining_tables(settings)),
        config=settings.model_dump(mode="json", include={"assignment"}),
    )

    def work() -> Outcome:
        known = read_vector_features(workspace, snapshot, columns=vector.names)
        everyone = with_scoring_eligibility(
            with_vector_eligibility(known, rules=vector.rules), rules=vector.rules
        )
        features = eligible(everyone)
        points = with_coordinates(scorable(known, rules=vector.rules), vector)
        with on_disk(score_customers(points, model=segment_model)) as scored:
            with engine_sentences("assigning segments", error=StageError):
                identities = _identities(workspace, segment_model, scored, features)
            outcome = _write(workspace, run_id, everyone, scored, identities)
        names = {each["segment_id"]: each["segment_name"] for each in identities}
        assigned = outcome.rows_out[CUSTOMER_SEGMENTS.name]
        explained = AssignedRun(run_id, snapshot, vector, names, assigned)
        with engine_sentences("explaining segments", error=StageError):
            written = explain_segments(workspace, explained, features)
        return replace(outcome, rows_out={**outcome.rows_out, **written})

    return run_stage(workspace, run, work)


def _run_id(settings: Settings, inputs: Sequence[str], model_id: str) -> str:
    config = settings.assignment.model_dump(mode="json")
    return content_id("run", settings.segmentation, *inputs, model_id, config, _ASSIGNMENT_VERSION)


def _find_model(workspace: Workspace, model: str, snapshot_id: str) -> Row:
    lake, segmentation = workspace.lake, workspace.settings.segmentation
    models = lake.read(SEGMENT_MODELS).filter(F.col("segmentation") == segmentation)
    if model == PUBLISHED:
        publication = current_publication(lake, segmentation)
        if publication is None:
            raise StageError(
                f"segmentation {segmentation}: nothing is published yet, so there is no published "
                "model: give --model newest after a first training"
            )
        model = publication["model_id"]
    if model == NEWEST:
        # What this configuration trained comes first: "unchanged" leaves it older than others.
        own = training_id_of(workspace.settings, snapshot_id)
        trained = (F.col("stage") == TRAIN) & (F.col("segmentation") == segmentation)
        runs = lake.read(STAGE_RUNS).filter(trained)
        finished = runs.select(F.col("stage_id").alias("training_id"), "completed_at")
        found = (
            models.join(finished, on="training_id", how="inner")
            .orderBy(F.desc(F.col("training_id") == own), F.desc("completed_at"), "model_id")
            .select(*models.columns)
            .first()
        )
    else:
        found = models.filter(F.col("model_id") == model).first()
    if found is None:
        raise StageError(
            f"segmentation {segmentation}: there is no model {model!r} in segment_models: "
            "run train first, or name one that is there"
        )
    return found


def _identities(
    workspace: Workspace, model: SegmentModel, scored: DataFrame, features: DataFrame
) -> list[Row]:
    """The model's identities: settled once, found ever after."""
    lake, model_id = workspace.lake, model.model_id
    found = _settled(lake, model_id)
    if found:
        return found
    clusters = summarise(scored, features, by="cluster_index")
    if not clusters:
        raise StageError("no customer can be assigned: every one is excluded, see customer_funnel")
    publication = current_publication(lake, workspace.settings.segmentation)
    before = publication["run_id"] if publication else None
    published = lake.read(CUSTOMER_SEGMENTS).filter(F.col("run_id") == F.lit(before))
    order = [row["cluster_index"] for row in clusters]
    order += [index for index in range(model.clusters.k) if index not in order]
    identities = match_identities(
        order,
        shared=count_shared(scored, published) if before else {},
        used=_used_ids(lake, workspace.settings.segmentation),
    )
    figures = [
        figures_of(row, segment_id=identities[row["cluster_index"]].segment_id) for row in clusters
    ]
    names = carry_names(segment_names(figures), _names_before(lake, before))
    actions = {each.segment_id: character(each).suggested_action for each in figures}
    rows = [
        (
            model_id,
            index,
            identity.segment_id,
            names.get(identity.segment_id, f"Empty, {identity.segment_id}"),
            actions.get(identity.segment_id, "Nobody was in it when the model was trained."),
            before if identity.shared_customer_ratio is not None else None,
            identity.shared_customer_ratio,
        )
        for index, identity in sorted(identities.items())
    ]
    identities_df = lake.spark.createDataFrame(rows, SEGMENT_IDENTITIES.schema)
    lake.replace(SEGMENT_IDENTITIES, identities_df, {"model_id": model_id})
    return _settled(lake, model_id)


def _names_before(lake: Lake, run_id: str | None) -> dict[str, str]:
    """Segment id → name in a published run; none without one."""
    profiles = lake.read(SEGMENT_PROFILES).filter(F.col("run_id") == F.lit(run_id)).collect()
    return {row["segment_id"]: row["segment_name"] for row in profiles}


def _settled(lake: Lake, model_id: str) -> list[Row]:
    identities = lake.read(SEGMENT_IDENTITIES).filter(F.col("model_id") == model_id)
    return identities.orderBy("cluster_index").collect()


def _write(
    workspace: Workspace,
    run_id: str,
    everyone: DataFrame,
    scored: DataFrame,
    identities: Sequence[Row],
) -> Outcome:
    lake, rows = workspace.lake, {"run_id": run_id}
    segments = customer_segments(
        scored,
        segment_ids={row["cluster_index"]: row["segment_id"] for row in identities},
        settings=workspace.settings.assignment,
        run_id=run_id,
    )
    workspace.progress.step("assign: writing segments, funnel and profiles")
    lake.replace(CUSTOMER_SEGMENTS, segments, rows)
    lake.replace(CUSTOMER_FUNNEL, customer_funnel(everyone, run_id=run_id), rows)
    called = {row["segment_id"]: row for row in identities}
    custom = [feature.name for feature in workspace.settings.features.custom]
    summaries = summarise(segments, eligible(everyone), by="segment_id", custom=custom)
    profiles = profile_rows(summaries, called=called, run_id=run_id, custom=custom)
    lake.replace(
        SEGMENT_PROFILES, lake.spark.createDataFrame(profiles, SEGMENT_PROFILES.schema), rows
    )
    assigned = sum(row["customers"] for row in summaries)
    return Outcome(
        summary=f"{assigned:,} customers in {len(profiles)} segments",
        rows_in={CUSTOMER_FEATURES.name: everyone.count()},
        rows_out={CUSTOMER_SEGMENTS.name: assigned, SEGMENT_PROFILES.name: len(profiles)},
        audit={"segments": {key: row["segment_name"] for key, row in called.items()}},
    )


def _used_ids(lake: Lake, segmentation: str) -> list[str]:
    models = lake.read(SEGMENT_MODELS).filter(F.col("segmentation") == segmentation)
    used = lake.read(SEGMENT_IDENTITIES).join(models.select("model_id"), "model_id", "left_semi")
    return [row["segment_id"] for row in used.select("segment_id").distinct().collect()]
