"""Which vector and which candidates are worth fitting to all customers: trials on a sample."""

import time
from collections.abc import Callable, Mapping, Sequence

from segspark.clustering.density import eps_steps, least_customers
from segspark.clustering.embedded_fits import Embeddings, methods_of
from segspark.clustering.engine import Progress, candidates_of
from segspark.clustering.micro_clusters import micro_clusters
from segspark.clustering.one_thread import one_thread
from segspark.clustering.points import MemoryPoints
from segspark.clustering.search_fits import PARTS, SampleFits
from segspark.clustering.search_study import Proposal, Study
from segspark.clustering.search_trials import Search, Trial
from segspark.clustering.selection import obstacle, rank
from segspark.errors import ClusteringError
from segspark.model.scores import Floats
from segspark.settings.search import SearchSettings
from segspark.settings.training import (
    Algorithm,
    EmbeddingMethod,
    SweepSettings,
    TrainingSettings,
)

_EPS_STEPS = 8
_MOST_LISTED = 3


def search_candidates(
    samples: Mapping[str, Floats],
    asked: SearchSettings,
    settings: TrainingSettings,
    *,
    progress: Progress,
    clock: Callable[[], float] = time.monotonic,
) -> Search:
    """Try what Optuna proposes on growing parts of a sample, and keep the best.

    A trial's merit is its gain: the silhouette above that of structureless data of the same recipe
    and as many segments. On each part but the last, one whose gain is below the median of those
    that went on to the end and can be chosen, five at least, is pruned; what cannot be chosen on a
    few customers is refused on the last part alone. The same samples, settings and seed give the
    same trials, as far as the time allowed lets them come. Where only embeddings would be kept, the
    last of several places is that of the plain vector, so that both are compared on all customers.

    Args:
        samples: By recipe the points of the same kind of sample, shape (n, d); at least one recipe
            and one point.
        asked: Bounds of the search.
        settings: What may be proposed, how it is fitted, and what cannot be chosen.
        progress: Told before each trial.
        clock: Seconds that only rise.

    Raises:
        SetupError: Optuna is not installed.
        ClusteringError: No trial can be chosen, or an embedding cannot be fitted.
    """
    with one_thread():
        fits = SampleFits.of(samples, settings)
        grid = grid_of(fits)
        study = Study(grid, seed=settings.sweep.seed)
        most, started = min(asked.trials, len(grid)), clock()
        trials: list[Trial] = []
        while len(trials) < most and (not trials or not _is_over(asked, clock() - started)):
            trials.append(
                _tried(study, fits, lead=f"trial {len(trials) + 1} of {most}", progress=progress)
            )
    able = sorted(
        (each for each in trials if each.is_able),
        key=lambda each: rank(each.row, settings.selection),
    )
    if not able:
        raise ClusteringError(_nothing_able(trials, asked, grid_count=len(grid)))
    kept = _kept(able, most=asked.kept_candidates)
    unmade = ""
    if len(trials) < most:
        unmade = (
            f" These are {len(trials)} of the {asked.trials} asked (grid of {len(grid)}), as "
            "training.search.most_seconds were over."
        )
    return Search(tuple(trials), kept, _embeddings(fits, kept), unmade)


def grid_of(fits: SampleFits) -> list[Proposal]:
    """Every recipe with every candidate; eps is taken from the distances of what is clustered."""
    return [
        Proposal(recipe, candidate)
        for recipe in fits.samples
        for method in fits.settings.sweep.embeddings
        for candidate in candidates_of(_with_eps(fits, recipe, method))
    ]


def _with_eps(fits: SampleFits, recipe: str, method: EmbeddingMethod) -> SweepSettings:
    """The settings of one embedding, with distances for DBSCAN where they name none."""
    settings = fits.settings.sweep.model_copy(update={"embeddings": (method,)})
    if Algorithm.DBSCAN not in settings.algorithms or settings.dbscan_eps:
        return settings
    points = fits.samples[recipe][: PARTS[-1]]
    if method is not EmbeddingMethod.NONE:
        points = fits.embeddings[recipe][method].embed(points)
    micro = micro_clusters(MemoryPoints(points), settings)
    core = least_customers(micro, ratio=settings.dbscan_core_ratio)
    steps = eps_steps(micro, core_customers=core, most=_EPS_STEPS)
    return settings.model_copy(update={"dbscan_eps": steps})


def _is_over(asked: SearchSettings, elapsed_seconds: float) -> bool:
    return asked.most_seconds is not None and elapsed_seconds >= asked.most_seconds


def _tried(study: Study, fits: SampleFits, *, lead: str, progress: Progress) -> Trial:
    """Make one trial, part by part."""
    proposal, begun = study.begun()
    progress(f"{lead}, {proposal.name}")
    *earlier, last = fits.parts(proposal.recipe)
    seconds = 0.0
    for customers in earlier:
        row = fits.row(proposal, customers)
        seconds += row.fitted.seconds
        # What is too small among a few customers may be large enough among more.
        if row.gain is None or obstacle(row, fits.settings.selection) is not None:
            continue
        others = study.pruned(begun, gain=row.gain, customers=customers)
        if others is not None:
            return Trial(proposal, row, customers, seconds, others=others)
    row = fits.row(proposal, last)
    refusal = obstacle(row, fits.settings.selection)
    study.finished(begun, gain=row.gain if refusal is None else None)
    return Trial(proposal, row, last, seconds + row.fitted.seconds, refusal=refusal)


def _kept(able: Sequence[Trial], *, most: int) -> tuple[Trial, ...]:
    """The best of one recipe; the last place is the plain vector's where all are embedded.

    Else what an embedding is there to be compared with would not be fitted to all customers.
    """
    own = [each for each in able if each.proposal.recipe == able[0].proposal.recipe]
    plain = [each for each in own if not each.proposal.candidate.is_embedded][:1]
    kept = own[:most]
    if most > 1 and plain and plain[0] not in kept:
        kept[-1:] = plain
    return tuple(kept)


def _embeddings(fits: SampleFits, kept: Sequence[Trial]) -> Embeddings:
    """Those that what was kept was fitted on."""
    fitted = fits.embeddings[kept[0].proposal.recipe]
    methods = methods_of(each.proposal.candidate for each in kept)
    return {method: fitted[method] for method in methods if method in fitted}


def _nothing_able(trials: Sequence[Trial], asked: SearchSettings, *, grid_count: int) -> str:
    """Say why nothing can be chosen, and what to do: more trials where there are more."""
    refused = [
        f"{each.proposal.name}: {each.refusal}" for each in trials if each.refusal is not None
    ][:_MOST_LISTED]
    remedies = [
        "ask for fewer segments in training.sweep",
        "lower training.selection.smallest_segment_ratio",
    ]
    if len(trials) < min(asked.trials, grid_count):
        remedies.append("raise training.search.most_seconds")
    elif len(trials) < grid_count:
        remedies.append("make more training.search.trials")
    *first, last = remedies
    return (
        f"none of {len(trials)} trials of the search can be chosen ({'; '.join(refused)}): "
        f"{', '.join(first)}, or {last}"
    )
