"""Stage: customer_days → lifetime_models and their hold-outs, customer_lifetime_values, cohorts."""

from collections.abc import Iterable
from datetime import date
from itertools import chain

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.errors import StageError
from segspark.features.cohorts import customer_cohorts
from segspark.features.lifetime_histories import (
    feature_names,
    history_statistics,
    purchase_histories,
)
from segspark.features.lifetime_values import Forecasts, customer_lifetime_values
from segspark.lifetime.churn_learning import ChurnTerms
from segspark.lifetime.customer_values import CustomerValuer, ValueTerms
from segspark.lifetime.fitted import fit_models
from segspark.lifetime.holdout import value_method
from segspark.pipeline.features import build_features
from segspark.pipeline.ledger import ledger_id, read_ledger
from segspark.pipeline.lifetime_churn import (
    ChurnEvidence,
    churn_dates,
    churn_evidence,
    churn_model_rows,
    churn_reliability_rows,
    churn_score_rows,
)
from segspark.pipeline.lifetime_evidence import (
    Evidence,
    Values,
    calibration_rows,
    model_rows,
    score_rows,
)
from segspark.pipeline.lifetime_folds import Population, hold_outs
from segspark.pipeline.stage import StageResult, Workspace, run_stage
from segspark.settings.lifetime import LifetimeSettings
from segspark.settings.root import Settings
from segspark.tables.contract import TableContract
from segspark.tables.engine_errors import engine_sentences
from segspark.tables.holding import on_disk
from segspark.tables.ids import content_id
from segspark.tables.lake import Lake
from segspark.tables.lifetime import (
    CHURN_RELIABILITY,
    CHURN_SCORES,
    CUSTOMER_COHORTS,
    CUSTOMER_LIFETIME_VALUES,
    LIFETIME_CALIBRATION,
    LIFETIME_MODELS,
    LIFETIME_SCORES,
)
from segspark.tables.manifest import Outcome, StageRun
from segspark.tables.purchases import CUSTOMER_DAYS

STAGE = "lifetime"
_LIFETIME_VERSION = 3
"""Raised when the same snapshot and settings would give other rows."""


def value_customers(
    workspace: Workspace, *, as_of: date, snapshot_id: str | None = None
) -> StageResult:
    """Value every customer of a snapshot, and test the models on what came before it.

    What cannot be estimated is a row and a sentence, never a refusal: the pipeline goes on.

    Args:
        workspace: The surroundings.
        as_of: Last day counted.
        snapshot_id: The snapshot, whose ledger is up to date; None: it is built if need be.

    Raises:
        StageError: Nothing was ingested for the configuration, or nothing up to the date.
    """
    lake, settings = workspace.lake, workspace.settings
    snapshot = snapshot_id or build_features(workspace, as_of=as_of)[-1].stage_id
    run = StageRun(
        stage=STAGE,
        stage_id=lifetime_id_of(settings, snapshot),
        segmentation=settings.segmentation,
        as_of_date=as_of,
        input_ids=(snapshot,),
        reads=(CUSTOMER_DAYS,),
        config=settings.model_dump(mode="json", include={"lifetime"}),
    )

    def work() -> Outcome:
        ledger = read_ledger(lake, ledger_id(settings))
        plain = purchase_histories(ledger, settings=settings.features, as_of=as_of)
        everything = purchase_histories(
            ledger, settings=settings.features, as_of=as_of, with_features=True
        )
        with (
            engine_sentences("valuing customers", error=StageError),
            on_disk(plain) as histories,
        ):
            return _value(workspace, run, ledger, (histories, everything), as_of)

    return run_stage(workspace, run, work)


def lifetime_id_of(settings: Settings, snapshot_id: str) -> str:
    """Id of the values that the settings give the customers of a snapshot."""
    config = settings.lifetime.model_dump(mode="json")
    return content_id(STAGE, snapshot_id, config, _LIFETIME_VERSION)


def _value(
    workspace: Workspace,
    run: StageRun,
    ledger: DataFrame,
    frames: tuple[DataFrame, DataFrame],
    as_of: date,
) -> Outcome:
    """Do the work on histories without features, and on the same with them."""
    histories, everything = frames
    settings, progress = workspace.settings, workspace.progress
    everybody = Population.of(histories, as_of)
    progress.step("lifetime: fitting the models")
    fitted = fit_models(history_statistics(histories, customer_count=everybody.known))
    results, remarks = hold_outs(workspace, ledger, everybody, as_of)
    evidence = Evidence.of(fitted, results)
    churn, told = churn_evidence(
        churn_dates(workspace, ledger, everybody, as_of),
        fitted=fitted,
        choice=evidence.choice,
        terms=ChurnTerms(float(settings.lifetime.churn_days), feature_names(everything)),
        history_days=everybody.history_days,
    )
    remarks += told
    remarks += sorted(set(fitted.failures.values()))
    unpriced = everybody.unpriced.get(evidence.choice.basis, 0) if evidence.choice else 0
    if unpriced:
        remarks.append(
            f"{unpriced:,} customers with a mean spend of 0 or less are priced like the typical one"
        )
    progress.step("lifetime: writing values, models and cohorts")
    rows_out = _write_evidence(workspace.lake, run.stage_id, evidence, churn)
    cohorts = customer_cohorts(
        ledger, settings=settings.features, as_of=as_of, snapshot_id=run.input_ids[0]
    )
    workspace.lake.replace(CUSTOMER_COHORTS, cohorts, {"snapshot_id": run.input_ids[0]})
    values = customer_lifetime_values(
        everything if churn.needs_features else histories,
        forecasts=_forecasts(evidence, churn, settings.lifetime),
        terms=_terms(settings.lifetime),
        failure=evidence.failure,
        lifetime_id=run.stage_id,
    )
    workspace.lake.replace(CUSTOMER_LIFETIME_VALUES, values, {"lifetime_id": run.stage_id})
    return _outcome(workspace, run.stage_id, everybody, (evidence, churn), (remarks, rows_out))


def _terms(settings: LifetimeSettings) -> ValueTerms:
    return ValueTerms(
        horizon_days=float(settings.horizon_days),
        yearly_discount_ratio=settings.yearly_discount_ratio,
        margin_ratio=settings.margin_ratio,
    )


def _forecasts(
    evidence: Evidence, churn: ChurnEvidence, settings: LifetimeSettings
) -> Forecasts | None:
    choice = evidence.choice
    if choice is None or churn.served is None:
        return None
    valuer = CustomerValuer.of(
        evidence.fitted, title=choice.title, basis=choice.basis, terms=_terms(settings)
    )
    return valuer, churn.served


def _write_evidence(
    lake: Lake, lifetime_id: str, evidence: Evidence, churn: ChurnEvidence
) -> dict[str, int]:
    """Write models, scores and calibrations; returns their numbers of rows."""
    models = chain(model_rows(lifetime_id, evidence), churn_model_rows(lifetime_id, churn))
    tables: tuple[tuple[TableContract, Iterable[Values]], ...] = (
        (LIFETIME_MODELS, models),
        (LIFETIME_SCORES, score_rows(lifetime_id, evidence)),
        (LIFETIME_CALIBRATION, calibration_rows(lifetime_id, evidence)),
        (CHURN_SCORES, churn_score_rows(lifetime_id, churn)),
        (CHURN_RELIABILITY, churn_reliability_rows(lifetime_id, churn)),
    )
    counts = {}
    for contract, found in tables:
        rows = list(found)
        df = lake.spark.createDataFrame(rows, contract.schema)
        lake.replace(contract, df, {"lifetime_id": lifetime_id})
        counts[contract.name] = len(rows)
    return counts


def _outcome(
    workspace: Workspace,
    lifetime_id: str,
    everybody: Population,
    evidences: tuple[Evidence, ChurnEvidence],
    found: tuple[list[str], dict[str, int]],
) -> Outcome:
    """Count what was written: as many customers as the snapshot has."""
    evidence, churn = evidences
    remarks, rows_out = found
    value = F.coalesce(F.sum("lifetime_value_amount"), F.lit(0.0))
    historic = F.coalesce(F.sum("historic_spend_amount"), F.lit(0.0))
    written = workspace.lake.read(CUSTOMER_LIFETIME_VALUES).filter(
        F.col("lifetime_id") == lifetime_id
    )
    row = written.agg(
        F.count("*").alias("customers"),
        F.count_if(F.col("reason").isNull()).alias("valued"),
        value.alias("value"),
        historic.alias("historic"),
    ).collect()[0]
    if row["customers"] != everybody.customers:
        raise StageError(
            f"{lifetime_id} has {row['customers']:,} of {everybody.customers:,} customers: "
            "run it again"
        )
    verdicts = [evidence.purchases.verdict, evidence.value.verdict, churn.ranking.verdict]
    return Outcome(
        summary=_summary(workspace, evidences, row["valued"], row["value"], row["historic"]),
        rows_in={"customers": everybody.customers},
        rows_out={**rows_out, CUSTOMER_LIFETIME_VALUES.name: row["customers"]},
        audit={"verdicts": verdicts, "remarks": remarks, "valued": row["valued"]},
    )


def _summary(
    workspace: Workspace,
    evidences: tuple[Evidence, ChurnEvidence],
    valued: int,
    value: float,
    historic: float,
) -> str:
    evidence, churn = evidences
    currency, days = workspace.settings.lake.currency, workspace.settings.lifetime.horizon_days
    choice = evidence.choice
    if choice is None:
        return f"no customer could be valued: {evidence.failure}"
    by = value_method(choice.title, choice.basis)
    return (
        f"{valued:,} customers worth {value:,.0f} {currency} in {days} days by {by}, "
        f"{historic:,.0f} by historic spend; best forecasts: "
        f"{evidence.purchases.winner or 'not tested'} (purchases), "
        f"{evidence.value.winner or 'not tested'} (value), "
        f"{churn.ranking.winner or 'not tested'} (churn)"
    )
