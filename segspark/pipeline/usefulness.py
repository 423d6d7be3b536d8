"""Candidates on a past day, held against what customers did in the period after it."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date, timedelta

import pyarrow as pa
from numpy.typing import ArrayLike
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.clustering.batched import fit_in_memory
from segspark.clustering.block import points_of
from segspark.clustering.embedded_fits import fit_embeddings, methods_of
from segspark.clustering.engine import Candidate
from segspark.clustering.one_thread import one_thread
from segspark.clustering.out_of_time import OutOfTime
from segspark.clustering.outliers import outliers_of
from segspark.clustering.points import MemoryPoints
from segspark.clustering.vector_fit import fit_vector
from segspark.clustering.vectorise import with_vector
from segspark.errors import ClusteringError
from segspark.features.customers import customer_summaries, with_scores
from segspark.features.known import known_rows
from segspark.features.lifetime_histories import later_purchases, sampled
from segspark.features.scores import score_cuts
from segspark.lifetime.usefulness import compare_usefulness
from segspark.model.vector import FeatureVector, ValueRule
from segspark.pipeline.stage import Workspace
from segspark.pipeline.training_plan import TrainingPlan, eligible_customers
from segspark.settings.training import TrainingSettings
from segspark.tables.holding import on_disk

NAMED_RFM = "named RFM"
_MOST_CUSTOMERS = 20_000
"""Of more, a sample is looked at: the figures are sure to a hundredth with it."""
_LATER = ["later_count", "later_amount"]


def past_usefulness(
    workspace: Workspace,
    everyone: DataFrame,
    *,
    plan: TrainingPlan,
    as_of: date,
) -> OutOfTime:
    """Fit every candidate anew on a past day, and hold it against the days since then.

    Features, vector, embeddings and fits see nothing that became known after the past day; the
    vector of the training serves to compare its segments with those of that day.

    Args:
        workspace: The surroundings; `training.selection.holdout_days` is above 0.
        everyone: Conforms to `CUSTOMER_DAYS`; one ledger.
        plan: The candidates, and the vector as the training fitted it.
        as_of: Last day of the period.

    Raises:
        ClusteringError: The customers of the past day cannot be clustered as asked.
    """
    settings = workspace.settings
    days = settings.training.selection.holdout_days
    after = as_of - timedelta(days=days)
    workspace.progress.step(f"train: what candidates of {after} would have told")
    # Who came later must not change which customers are looked at.
    known = known_rows(everyone, settings=settings.features, as_of=after)
    customers = known.select("customer_id").distinct().count()
    sample = sampled(everyone, customer_count=customers, most=_MOST_CUSTOMERS)
    try:
        with ExitStack() as held:
            ledger = held.enter_context(on_disk(sample))
            # The costly part of all that is read of the past day: cuts, vector and rows.
            summaries = customer_summaries(
                ledger,
                settings=settings.features,
                as_of=after,
                hold=lambda df: held.enter_context(on_disk(df)),
            )
            past = _past_customers(workspace, summaries, plan.rules, after=after)
            fit = fit_vector(past, plan.rules, plan.settings)
            for warning in fit.warnings:
                workspace.progress.say(f"train: of {after}: {warning}")
            later = later_purchases(ledger, settings=settings.features, after=after, until=as_of)
            found = _collected(past, later, own=fit.vector, now=plan.fit.vector)
        return _compared(found, plan.candidates, settings.training, after=after, days=days)
    except ClusteringError as error:
        raise ClusteringError(
            f"how useful candidates were cannot be told by the customers of {after} ({error}): "
            "give other training.selection.holdout_days, or 0"
        ) from error


def _past_customers(
    workspace: Workspace, summaries: DataFrame, rules: Sequence[ValueRule], *, after: date
) -> DataFrame:
    """Customers of the past day with their features, who can be clustered."""
    settings = workspace.settings.features
    cuts = score_cuts(summaries, settings=settings)
    scored = with_scores(summaries, settings=settings, cuts=cuts, as_of=after, snapshot_id="")
    return eligible_customers(scored, rules)


def _collected(
    past: DataFrame, later: DataFrame, *, own: FeatureVector, now: FeatureVector
) -> pa.Table:
    """One row per customer: both vectors, named RFM, past and later spend."""
    both = with_vector(with_vector(past, own, name="_vector"), now, name="_vector_now")
    rows = both.select(
        "customer_id",
        "rfm_segment",
        F.col("_vector").alias("vector"),
        F.col("_vector_now").alias("vector_now"),
        F.col("monetary_amount").cast("double").alias("past_amount"),
        F.xxhash64("customer_id").alias("place"),
    ).join(later, on="customer_id", how="left")
    # By hash as a training's: the first of them are a sample, which the lowest ids are not.
    order = [("place", "ascending"), ("customer_id", "ascending")]
    return rows.na.fill(0.0, _LATER).toArrow().sort_by(order).combine_chunks()


def _compared(
    rows: pa.Table,
    candidates: Sequence[Candidate],
    settings: TrainingSettings,
    *,
    after: date,
    days: int,
) -> OutOfTime:
    (batch,) = rows.to_batches()
    points, now = (
        points_of(pa.RecordBatch.from_arrays([batch.column(name)], names=["vector"]))
        for name in ("vector", "vector_now")
    )
    with one_thread():
        outliers = outliers_of(MemoryPoints(points), settings.outliers, seed=settings.sweep.seed)
        rule, sweep = outliers.rule, settings.sweep
        fitted = rule.fitted(points)
        embeddings = fit_embeddings(MemoryPoints(fitted), sweep, methods_of(candidates))
        models = fit_in_memory(fitted, candidates, sweep, embeddings=embeddings)
        labels = {each: model.assign(fitted) for each, model in models.items()}
        groups = {each: outliers.around(model).assign(points) for each, model in models.items()}
    past, count, amount = (
        batch.column(name).to_numpy(zero_copy_only=False) for name in ("past_amount", *_LATER)
    )
    divisions: dict[str, ArrayLike] = {each.candidate_id: own for each, own in groups.items()}
    told = compare_usefulness(
        {**divisions, NAMED_RFM: batch.column("rfm_segment").to_pylist()},
        past_amounts=past,
        later_amounts=amount,
        later_counts=count,
    )
    return OutOfTime(
        after=after,
        days=days,
        customer_count=len(points),
        points=now[rule.is_fitted(points)],
        candidates={each: told.pop(each.candidate_id) for each in models},
        labels=labels,
        baselines=told,
    )
