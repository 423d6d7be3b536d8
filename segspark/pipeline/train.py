"""Stage: a snapshot of features → candidates, a chosen model, an MLflow record."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.clustering.out_of_time import OutOfTime
from segspark.clustering.sweep import Sweep, run_sweep
from segspark.errors import ClusteringError, StageError
from segspark.model.segment_model import SegmentModel
from segspark.pipeline.features import snapshot_of
from segspark.pipeline.ledger import ledger_id, read_ledger
from segspark.pipeline.stage import NAME_WIDTH, StageResult, Workspace, run_stage
from segspark.pipeline.training_plan import (
    TrainingPlan,
    check_training,
    eligible_customers,
    plan_training,
    vectorised,
)
from segspark.pipeline.training_record import open_tracker, training_record
from segspark.pipeline.training_report import write_report
from segspark.pipeline.tried_candidates import Trained
from segspark.pipeline.usefulness import past_usefulness
from segspark.pipeline.vector_features import (
    configured_columns,
    read_vector_features,
    vector_inputs,
    vector_tables,
)
from segspark.settings.root import Settings
from segspark.tables.contract import TableContract
from segspark.tables.engine_errors import engine_sentences
from segspark.tables.features import CUSTOMER_FEATURES
from segspark.tables.ids import content_id
from segspark.tables.lake import Lake
from segspark.tables.manifest import Outcome, StageRun
from segspark.tables.purchases import CUSTOMER_DAYS
from segspark.tables.segments import SEGMENT_MODELS

STAGE = "train"
_TRAINING_VERSION = 8
"""Raised when the same features and settings would give another model."""


def train(workspace: Workspace, *, as_of: date, snapshot_id: str | None = None) -> StageResult:
    """Try the configured candidates on a snapshot and keep the chosen model.

    Args:
        workspace: The surroundings.
        as_of: Last day counted in the features.
        snapshot_id: Features to train on; None: those of this date and configuration.

    Raises:
        ConfigError: The vector asks for a column that there is not.
        StageError: There is no such snapshot, or no lifetime value that the vector takes.
        ClusteringError: The snapshot cannot be clustered as asked.
    """
    settings = workspace.settings
    check_training(settings)
    snapshot = snapshot_id or snapshot_of(workspace, as_of=as_of)
    columns = configured_columns(settings)
    run = StageRun(
        stage=STAGE,
        stage_id=training_id_of(settings, snapshot),
        segmentation=settings.segmentation,
        as_of_date=as_of,
        input_ids=vector_inputs(settings, snapshot, columns=columns),
        reads=_tables(settings, columns),
        config=settings.model_dump(mode="json", include={"training"}),
    )

    def work() -> Outcome:
        everyone = read_vector_features(workspace, snapshot, columns=columns)
        # Before the sweep: a server that is down must not cost one.
        tracker = open_tracker(workspace)
        with engine_sentences("training", error=StageError):
            plan = plan_training(workspace, everyone)
            for warning in plan.fit.warnings:
                workspace.progress.say(f"{STAGE:<{NAME_WIDTH}}  {warning}")
            features = eligible_customers(everyone, plan.rules)
            past = _past(workspace, plan, as_of)
            trained = Trained(plan, _sweep(workspace, features, plan, past), past)
        model = _keep(workspace, run, trained, as_of)
        record = training_record(workspace, run, model, trained, as_of)
        write_report(record.files, workspace.lake.local_folder, run.stage_id)
        workspace.progress.step("train: recording the candidates in MLflow")
        version = tracker.record_training(record)
        customers = features.count()
        return _outcome(trained, run.stage_id, customers=customers, model_version=version)

    return run_stage(workspace, run, work)


def _tables(settings: Settings, columns: Sequence[str]) -> tuple[TableContract, ...]:
    ledger = (CUSTOMER_DAYS,) if settings.training.selection.holdout_days else ()
    return (*vector_tables(columns), *ledger)


def find_model(lake: Lake, training_id: str) -> Row | None:
    """The model that a training chose, or None where there was no such training."""
    return lake.read(SEGMENT_MODELS).filter(F.col("training_id") == training_id).first()


def training_id_of(settings: Settings, snapshot_id: str) -> str:
    """Id of the training that the settings make of a snapshot."""
    config = settings.training.model_dump(mode="json")
    inputs = vector_inputs(settings, snapshot_id, columns=configured_columns(settings))
    return content_id("training", settings.segmentation, *inputs, config, _TRAINING_VERSION)


def _past(workspace: Workspace, plan: TrainingPlan, as_of: date) -> OutOfTime | None:
    """What candidates would have told on a past day, where that is asked for and can be told."""
    selection = workspace.settings.training.selection
    if not selection.holdout_days:
        return None
    try:
        ledger = read_ledger(workspace.lake, ledger_id(workspace.settings))
        return past_usefulness(workspace, ledger, plan=plan, as_of=as_of)
    except ClusteringError as error:
        if selection.criterion == "usefulness":
            raise
        workspace.progress.say(f"{STAGE:<{NAME_WIDTH}}  {error}")
    return None


def _sweep(
    workspace: Workspace, features: DataFrame, plan: TrainingPlan, past: OutOfTime | None
) -> Sweep:
    points = vectorised(features, plan.fit.vector)

    def progress(words: str) -> None:
        workspace.progress.step(f"train: {words}")

    settings = workspace.settings.training
    return run_sweep(points, plan.sweep, settings, progress=progress, past=past)


def _keep(workspace: Workspace, run: StageRun, trained: Trained, as_of: date) -> SegmentModel:
    """Write the candidates, what divisions of a past day told, and the model."""
    lake, settings, sweep = workspace.lake, workspace.settings, trained.sweep
    chosen, snapshot_id = sweep.selection.chosen, run.input_ids[0]
    model = SegmentModel(
        model_id=content_id("model", run.stage_id, chosen.candidate_id),
        training_id=run.stage_id,
        algorithm=chosen.candidate.algorithm.value,
        vector=trained.plan.fit.vector,
        clusters=sweep.clusters,
        outlier_distance=sweep.outlier_distance,
    )
    model_values = (
        model.model_id,
        run.stage_id,
        settings.segmentation,
        snapshot_id,
        as_of,
        model.algorithm,
        model.clusters.k,
        model.to_json(),
        trained.verdict,
    )
    for table, rows in {**trained.tables(run.stage_id), SEGMENT_MODELS: [model_values]}.items():
        frame = lake.spark.createDataFrame(rows, table.schema)
        lake.replace(table, frame, {"training_id": run.stage_id})
    return model


def _outcome(trained: Trained, training_id: str, *, customers: int, model_version: str) -> Outcome:
    plan, sweep = trained.plan, trained.sweep
    selection, tables = sweep.selection, trained.tables(training_id)
    written = {table.name: len(rows) for table, rows in tables.items()}
    return Outcome(
        summary=f"{selection.chosen.candidate_id} of {len(trained.tried)} candidates",
        rows_in={CUSTOMER_FEATURES.name: customers},
        rows_out={**written, SEGMENT_MODELS.name: 1},
        audit={
            "verdict": trained.verdict,
            "has_natural_clusters": selection.has_natural_clusters,
            "vector": {
                "recipe": plan.settings.recipe,
                "columns": plan.fit.vector.names,
                "warnings": plan.fit.warnings,
            },
            "embeddings": {
                method.value: {
                    "component_count": embedding.component_count,
                    "explained_ratio": embedding.explained_ratio,
                }
                for method, embedding in sweep.embeddings.items()
            },
            "mlflow_model_version": model_version,
        },
    )
