"""What a person sees of lifetime value: what customers are worth, and how sure that is."""

import json

from pyspark.sql import Row
from pyspark.sql import functions as F

from segspark.lifetime.churn_holdout import CHURN
from segspark.lifetime.holdout import PURCHASES, VALUE
from segspark.pipeline.aligned import aligned
from segspark.pipeline.lifetime import STAGE
from segspark.pipeline.stage import StageResult, Workspace
from segspark.tables.lifetime import (
    CHURN_RELIABILITY,
    CHURN_SCORES,
    LIFETIME_MODELS,
    LIFETIME_SCORES,
)
from segspark.tables.manifest import find_stage

_FORECASTS = ("{} forecast by", "predicted", "actual", "error", "Gini", "top tenth's lift")
_SCORES = ("churn forecast by", "Brier score", "skill", "log loss", "AUC")
_BINS = ("probability", "forecast", "churned", "at 90 %", "customers")


def lifetime_lines(here: Workspace, result: StageResult) -> list[str]:
    """What customers are worth, by which forecast, and how that and the others did."""
    row = find_stage(here.lake, STAGE, result.stage_id)
    if row is None:
        return []
    audit = json.loads(row["audit_json"])
    told = [f"  {each}" for each in (*audit["verdicts"], *audit["remarks"])]
    tables = (*forecast_tables(here, result.stage_id), *churn_tables(here, result.stage_id))
    return [f"\nLifetime value: {result.summary}.", *told, *(f"\n{each}" for each in tables)]


def forecast_tables(here: Workspace, lifetime_id: str) -> list[str]:
    """Scores of the ranked forecasts of purchases and of value, models and baselines together.

    Returns:
        Aligned text, in the order of their mean ranks, of equal ones by the error: totals of the
        hold-outs together, and the mean over them of the error per customer, the Gini and the lift;
        none where nothing was tested.
    """
    own = F.col("lifetime_id") == F.lit(lifetime_id)
    totals = (F.sum(name) for name in ("predicted_total", "actual_total"))
    error = F.avg("mean_absolute_error").alias("error")
    means = (error, F.avg("gini"), F.avg("top_decile_lift"))
    scores = here.lake.read(LIFETIME_SCORES).filter(own).groupBy("forecast", "method")
    models = here.lake.read(LIFETIME_MODELS).filter(own)
    ranks = models.select("forecast", "method", "mean_rank").dropna()
    found = scores.agg(*totals, *means).join(ranks, on=["forecast", "method"]).collect()
    ordered = sorted(found, key=lambda row: (row["mean_rank"], row["error"], row["method"]))
    return [
        aligned([(_FORECASTS[0].format(forecast), *_FORECASTS[1:]), *rows])
        for forecast in (PURCHASES, VALUE)
        if (rows := [_forecast_row(row) for row in ordered if row["forecast"] == forecast])
    ]


def _forecast_row(row: Row) -> tuple[str, ...]:
    _, method, predicted, actual, error, gini, lift, _ = row
    ranked = ("" if each is None else f"{each:.2f}" for each in (gini, lift))
    return method, f"{predicted:,.0f}", f"{actual:,.0f}", f"{error:,.2f}", *ranked


def churn_tables(here: Workspace, lifetime_id: str) -> list[str]:
    """Scores of every forecast of churn, and the reliability of the one that is served.

    Returns:
        Aligned text, of the hold-outs together and of the latest; none where nothing was tested.
    """
    own = F.col("lifetime_id") == F.lit(lifetime_id)
    means = (F.avg(name) for name in ("brier_score", "brier_skill", "log_loss", "auc"))
    found = here.lake.read(CHURN_SCORES).filter(own).groupBy("method").agg(*means).collect()
    if not found:
        return []
    rows = sorted(tuple(row) for row in found)
    rows.sort(key=lambda row: float(row[1]))
    scores = [(row[0], *(f"{value:.4f}" for value in row[1:])) for row in rows]
    return [aligned([_SCORES, *scores]), *_reliability(here, lifetime_id)]


def _reliability(here: Workspace, lifetime_id: str) -> list[str]:
    own = F.col("lifetime_id") == F.lit(lifetime_id)
    served = (
        here.lake.read(LIFETIME_MODELS)
        .filter(own & (F.col("forecast") == CHURN) & F.col("is_chosen"))
        .select("method")
    )
    bins = (
        here.lake.read(CHURN_RELIABILITY)
        .filter(own)
        .join(F.broadcast(served), on="method", how="left_semi")
        .orderBy(F.desc("fold_date"), "bin_number")
        .collect()
    )
    rows = [
        (
            f"{row['lowest_ratio']:.1%} to {row['highest_ratio']:.1%}",
            f"{row['predicted_mean_ratio']:.1%}",
            f"{row['churned_ratio']:.1%}",
            f"{row['churned_lower_ratio']:.1%} to {row['churned_upper_ratio']:.1%}",
            f"{row['customer_count']:,}",
        )
        for row in bins
        if row["fold_date"] == bins[0]["fold_date"]
    ]
    if not rows:
        return []
    title = f"Churn by {bins[0]['method']} after {bins[0]['fold_date']}, as it was forecast:"
    return [f"{title}\n{aligned([_BINS, *rows])}"]
