"""From points to a chosen model: fit, judge, compare with structureless data, choose."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame

from segspark.clustering.batched import BatchedEngine
from segspark.clustering.blocks import SAMPLED_ROWS, PointBlocks, point_blocks
from segspark.clustering.comparison import compared
from segspark.clustering.embedded_fits import (
    Embeddings,
    fit_embeddings,
    fit_on_embeddings,
    methods_of,
)
from segspark.clustering.engine import Candidate, Progress, SweepEngine
from segspark.clustering.evaluation import evaluate
from segspark.clustering.evidence import Evidence, mixture_parameter_count
from segspark.clustering.out_of_time import OutOfTime
from segspark.clustering.outliers import fitted_blocks, outliers_of, upper_fence
from segspark.clustering.results import CandidateResult, is_stable
from segspark.clustering.selection import Selection, contenders, select
from segspark.clustering.sparkml import SparkMLEngine
from segspark.clustering.stability import agreement, resampled_customers, stabilities
from segspark.clustering.verdict import verdict_on_gaps
from segspark.model.clusters import ClusterModel
from segspark.model.mixture import Mixture
from segspark.model.scores import Floats
from segspark.settings.training import (
    Algorithm,
    Covariance,
    EmbeddingMethod,
    SelectionSettings,
    SweepSettings,
    TrainingSettings,
)

_ENGINES: dict[str, type[SweepEngine]] = {"batched": BatchedEngine, "sparkml": SparkMLEngine}
_CHEAP_DISTANCES = 2_000_000
"""Distances that one step of all refits takes: about what 2,000 customers and three algorithms
with 3 to 8 segments need, ten times."""
_LOOKED_AT_TOGETHER = 3


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """What a sweep tries.

    Attributes:
        candidates: In the order of the rows.
        embeddings: Those that they name, where a search tried them on it; None: they are yet to be
            fitted, to all customers.
    """

    candidates: Sequence[Candidate]
    embeddings: Embeddings | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """A finished sweep.

    Attributes:
        selection: Every candidate with its figures and reason, and the chosen one.
        clusters: Model of the chosen one.
        outlier_distance: Distance to the own centre above which a customer is an outlier, in
            units of the vector.
        sample: Points of some customers, shape (n, d), always the same ones.
        embeddings: What candidates were fitted on beside the plain vector.
    """

    selection: Selection
    clusters: ClusterModel
    outlier_distance: float
    sample: Floats
    embeddings: Embeddings


def run_sweep(
    points: DataFrame,
    plan: SweepPlan,
    settings: TrainingSettings,
    *,
    progress: Progress,
    past: OutOfTime | None = None,
) -> Sweep:
    """Try every candidate on the points and choose one.

    Args:
        points: customer_id (unique), vector (array<double>), one row per customer; read several
            times, once from its source.
        plan: What is tried.
        settings: How they are fitted, and by which rule one is chosen.
        progress: Passed on to the engine.
        past: What the candidates would have told on a past day, where that was looked at.

    Raises:
        ClusteringError: There are no points, or no candidate can be chosen.
    """
    engine = _ENGINES[settings.sweep.engine]()
    with ExitStack() as held:
        everyone = held.enter_context(point_blocks(points))
        outliers = outliers_of(everyone, settings.outliers, seed=settings.sweep.seed)
        blocks = held.enter_context(fitted_blocks(everyone, outliers))
        embeddings = plan.embeddings
        if embeddings is None:
            embeddings = _embeddings(blocks, plan.candidates, settings.sweep, progress)
        fitted = fit_on_embeddings(
            blocks,
            plan.candidates,
            embeddings,
            lambda these, own: engine.fit(these, own, settings.sweep, progress=progress),
        )
        models = {each.candidate: each.clusters for each in fitted if each.clusters is not None}
        progress(f"judging {len(models)} candidates")
        found = evaluate(blocks, list(models.values()))
        sample = blocks.sample(SAMPLED_ROWS)
        drawn = everyone.sample(settings.selection.structureless_customers)
    judged = zip(models.items(), found, strict=True)
    evidence = {
        candidate: with_parameters(each, model, candidate.covariance)
        for (candidate, model), each in judged
    }
    progress("comparing with data without structure")
    rows, curve = compared(fitted, evidence, sample, settings)
    if past is not None:
        # An engine gives candidates that find their number of segments back with that number.
        asked = zip(plan.candidates, rows, strict=True)
        past = past.fitted_by(outliers.rule)
        rows = [with_past(row, past, asked=each) for each, row in asked]
    progress("looking for the segments in resamples")
    rows = with_stability(rows, sample[: resampled_customers(blocks.row_count)], settings)
    selection = select(rows, settings.selection, past=past)
    chosen = models[selection.chosen.candidate]
    far_out = upper_fence(chosen.score(sample).centre_distance, ratio=settings.outliers.fence_ratio)
    told = [selection.verdict, verdict_on_gaps(curve), outliers.sentence]
    selection = replace(selection, verdict=" ".join(filter(None, told)))
    around = outliers.around(chosen)
    return Sweep(selection, around, far_out, drawn, embeddings)


def _embeddings(
    blocks: PointBlocks,
    candidates: Sequence[Candidate],
    settings: SweepSettings,
    progress: Progress,
) -> Embeddings:
    """Fit what candidates are tried on, and tell how much of the vector it keeps."""
    methods = methods_of(candidates)
    names = [each.value for each in methods if each is not EmbeddingMethod.NONE]
    if names:
        progress(f"fitting {' and '.join(names)}")
    found = fit_embeddings(blocks, settings, methods)
    for method, embedding in found.items():
        share = f"{embedding.explained_ratio:.1%} of the variance"
        progress(f"{method.value} keeps {share} in {embedding.component_count} components")
    return found


def with_past(row: CandidateResult, past: OutOfTime, *, asked: Candidate) -> CandidateResult:
    """Add what came of a candidate on a past day.

    Args:
        row: The candidate with its other figures.
        past: All candidates on that day.
        asked: The candidate before it was fitted.
    """
    before, model = past.labels.get(asked), row.fitted.clusters
    found = None
    if before is not None and model is not None:
        found = agreement(model.assign(past.points), before, clusters=model.k)
    return replace(row, usefulness=past.candidates.get(asked), time_stability=found)


def with_stability(
    rows: Sequence[CandidateResult], sample: Floats, settings: TrainingSettings
) -> list[CandidateResult]:
    """Find out how stable the candidates are: all if that is cheap, else the best ones.

    Else as many as settle the choice: by merit, three at a time, until one of three is stable.

    Args:
        rows: Every candidate with its other figures.
        sample: Points to draw resamples from, shape (n, d).
        settings: Resamples, bounds and fits.
    """
    resamples = settings.selection.stability_resamples
    if resamples == 0:
        return list(rows)
    fitted = [row for row in rows if row.fitted.clusters is not None]
    centres = sum(row.candidate.segment_count for row in fitted)
    is_cheap = len(sample) * centres * resamples <= _CHEAP_DISTANCES
    known: dict[Candidate, CandidateResult] = {}
    portion = fitted if is_cheap else _next_in_line(rows, known, settings.selection)
    while portion:
        together = _with_agreed_on(portion, fitted)
        models = {
            row.candidate: row.fitted.clusters
            for row in together
            if row.fitted.clusters is not None
        }
        found = stabilities(sample, models, settings=settings.sweep, resamples=resamples)
        told = [replace(row, stability=found[row.candidate]) for row in together]
        known |= {row.candidate: row for row in told}
        portion = [] if is_cheap else _next_in_line(rows, known, settings.selection)
    return [known.get(row.candidate, row) for row in rows]


def _with_agreed_on(
    portion: Sequence[CandidateResult], fitted: Sequence[CandidateResult]
) -> list[CandidateResult]:
    """These, and all that a consensus among them agrees with: it is fitted after them."""
    asked = {row.candidate for row in portion}
    agreeing = {each.embedding for each in asked if each.algorithm is Algorithm.CONSENSUS}
    return [r for r in fitted if r.candidate in asked or r.candidate.embedding in agreeing]


def _next_in_line(
    rows: Sequence[CandidateResult],
    known: Mapping[Candidate, CandidateResult],
    settings: SelectionSettings,
) -> list[CandidateResult]:
    """The next three whose stability is to be looked at; none once that of the best is known."""
    able = contenders([known.get(row.candidate, row) for row in rows], settings)
    best = next((row for row in able if is_stable(row, settings)), None)
    if best is None or best.candidate in known:
        return []
    return [row for row in able if row.candidate not in known][:_LOOKED_AT_TOGETHER]


def with_parameters(
    found: Evidence, model: ClusterModel, covariance: Covariance | None
) -> Evidence:
    """Count the parameters of a mixture, on the plain vector, by the shape of its covariances."""
    if covariance is None or not isinstance(model, Mixture):
        return found
    width = model.centres.shape[1]
    count = mixture_parameter_count(covariance, components=model.k, width=width)
    return replace(found, parameter_count=count)
