"""Which vector and which candidates are worth fitting to all customers: trials on a sample."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from segspark.clustering.density import eps_steps, least_customers
from segspark.clustering.engine import Candidate, Progress, candidates_of
from segspark.clustering.micro_clusters import micro_clusters
from segspark.clustering.points import MemoryPoints
from segspark.clustering.results import CandidateResult, gain_of
from segspark.clustering.search_fits import PARTS, SampleFits
from segspark.clustering.search_study import Proposal, Study
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


@dataclass(frozen=True, slots=True)
class Trial:
    """What one trial came to.

    Attributes:
        proposal: What it tried.
        row: Its figures on the part of the sample that it was fitted to last.
        customers: Customers of that part.
        seconds: Time of its fits.
        others: Where it was pruned, the median gain of other trials on as many customers; None: it
            was not.
        refusal: Why it cannot be chosen although it went on to the end; None where it can.
    """

    proposal: Proposal
    row: CandidateResult
    customers: int
    seconds: float
    others: float | None = None
    refusal: str | None = None

    @property
    def is_able(self) -> bool:
        """Whether it went on to the end and can be chosen."""
        return self.others is None and self.refusal is None


@dataclass(frozen=True, slots=True)
class Search:
    """A finished search.

    Attributes:
        trials: All of them, in the order in which they were made.
        kept: Those that go on to all customers, the best first, all of one recipe.
    """

    trials: tuple[Trial, ...]
    kept: tuple[Trial, ...]

    @property
    def recipe(self) -> str:
        """That of the best trial."""
        return self.kept[0].proposal.recipe

    @property
    def candidates(self) -> list[Candidate]:
        """What goes on to all customers."""
        return [each.proposal.candidate for each in self.kept]

    @property
    def told(self) -> str:
        """What a reader should know of it, in a sentence."""
        pruned = sum(each.others is not None for each in self.trials)
        recipes = sorted({each.proposal.recipe for each in self.trials})
        most = max(each.customers for each in self.trials)
        return (
            f"Tried beforehand were {len(self.trials)} candidates of {' and '.join(recipes)} on up "
            f"to {most:,} customers, of which {pruned} were pruned on the way; the best "
            f"{len(self.kept)} of {self.recipe} went on to all customers."
        )

    def reason(self, trial: Trial) -> str:
        """Why a trial did not go on to all customers, in a sentence."""
        on = f"{trial.customers:,} customers of the sample"
        if trial.refusal is not None:
            return f"refused on {on}: {trial.refusal}"
        gain = f"gain {gain_of(trial.row):.3f}"
        if trial.others is not None:
            return f"pruned after {on}: {gain}, the median of others there {trial.others:.3f}"
        if trial.proposal.recipe != self.recipe:
            best = gain_of(self.kept[0].row)
            return f"not kept: {gain} on {on}, and the recipe {self.recipe} has one of {best:.3f}"
        return f"not kept: {gain} on {on}, the last one kept has {gain_of(self.kept[-1].row):.3f}"


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
    and as many segments. On each part but the last, one whose best gain so far is below the median
    of those that went on to the end is pruned; what cannot be chosen on a few customers is refused
    on the last part alone. The same samples, settings and seed give the same trials, as far as the
    time allowed lets them come.

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
    # Equal sums on any number of cores: BLAS would split them among its threads.
    with threadpool_limits(limits=1):
        fits = SampleFits.of(samples, settings)
        grid = grid_of(fits)
        study = Study(grid, seed=settings.sweep.seed)
        most, started = min(asked.trials, len(grid)), clock()
        trials: list[Trial] = []
        while len(trials) < most and (not trials or not _is_over(asked, clock() - started)):
            trials.append(
                _tried(study, fits, lead=f"trial {len(trials) + 1} of {most}", progress=progress)
            )
    return _finished(trials, asked, settings)


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


def _finished(trials: Sequence[Trial], asked: SearchSettings, settings: TrainingSettings) -> Search:
    able = sorted(
        (each for each in trials if each.is_able),
        key=lambda each: rank(each.row, settings.selection),
    )
    if not able:
        refused = [
            f"{each.proposal.name}: {each.refusal}" for each in trials if each.refusal is not None
        ][:_MOST_LISTED]
        raise ClusteringError(
            f"none of {len(trials)} trials of the search can be chosen ({'; '.join(refused)}): ask "
            "for fewer segments in training.sweep, lower training.selection."
            "smallest_segment_ratio, or make more training.search.trials"
        )
    own = [each for each in able if each.proposal.recipe == able[0].proposal.recipe]
    return Search(tuple(trials), tuple(own[: asked.kept_candidates]))
