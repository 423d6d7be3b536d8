"""All stages in order."""

from datetime import date

from segspark.pipeline.assign import NEWEST, assign
from segspark.pipeline.features import build_features
from segspark.pipeline.ingest import ingest
from segspark.pipeline.lifetime import value_customers
from segspark.pipeline.publish import publish
from segspark.pipeline.stage import StageResult, Workspace
from segspark.pipeline.train import train
from segspark.pipeline.training_plan import check_training


def run_pipeline(
    workspace: Workspace, *, as_of: date, model: str | None = None
) -> list[StageResult]:
    """Ingest, build features, value customers, train, assign and publish.

    Args:
        workspace: The surroundings.
        as_of: Last day counted.
        model: Model to assign with, as `assign` takes it; None: train one.

    Returns:
        One result a stage, in order.
    """
    if model is None:
        # What is wrong with the training must not show after an hour of other stages.
        check_training(workspace.settings)
    results = [ingest(workspace), *build_features(workspace, as_of=as_of)]
    snapshot_id = results[-1].stage_id
    results.append(value_customers(workspace, as_of=as_of, snapshot_id=snapshot_id))
    if model is None:
        results.append(train(workspace, as_of=as_of, snapshot_id=snapshot_id))
        model = NEWEST
    results.append(assign(workspace, as_of=as_of, model=model, snapshot_id=snapshot_id))
    results.append(publish(workspace, as_of=as_of, run_id=results[-1].stage_id))
    return results
