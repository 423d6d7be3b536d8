"""Which trial comes next: Optuna's proposals on a finite grid, none of them made twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from segspark.clustering.engine import Candidate
from segspark.errors import SetupError

if TYPE_CHECKING:
    import optuna

_MOST_REPEATS = 10
"""Proposals that were made before, after which a new one is taken at random."""
_FEWEST_OTHERS = 5
"""Fewer gains have a median that says little."""
_REFUSED = -2.0
"""What Optuna is told of a trial that cannot be chosen: a gain is above."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one trial tries: a candidate on the vector of a recipe."""

    recipe: str
    candidate: Candidate

    @property
    def name(self) -> str:
        """Such as `behaviour-kmeans-4`."""
        return f"{self.recipe}-{self.candidate.candidate_id}"


@dataclass(frozen=True, slots=True)
class _Dimension:
    """One thing in which proposals differ.

    Attributes:
        name: Of Optuna's parameter.
        value_of: The value of a proposal.
        is_ordered: Whether neighbouring values are alike.
    """

    name: str
    value_of: Callable[[Proposal], object]
    is_ordered: bool = False

    def coordinate(self, values: Sequence[object], place: int) -> int | str:
        """What Optuna knows a value by: its place, or its name where there is no order."""
        return place if self.is_ordered else str(values[place])

    def suggested(self, trial: optuna.Trial, values: Sequence[object]) -> int:
        """The place of the value that Optuna suggests."""
        if self.is_ordered:
            return trial.suggest_int(self.name, 0, len(values) - 1)
        names = [str(value) for value in values]
        return names.index(trial.suggest_categorical(self.name, names))


_DIMENSIONS = (
    _Dimension("recipe", lambda each: each.recipe),
    _Dimension("embedding", lambda each: each.candidate.embedding),
    _Dimension("algorithm", lambda each: each.candidate.algorithm),
    _Dimension("covariance", lambda each: each.candidate.covariance),
    _Dimension("segment_count", lambda each: each.candidate.segment_count, is_ordered=True),
    _Dimension("eps", lambda each: each.candidate.eps, is_ordered=True),
)
"""In the order in which they are decided: what is decided leaves fewer values of those after it."""


class Study:
    """Optuna's study of a grid.

    Optuna's sampler (TPE: Bergstra, Bardenet, Bengio and Kégl, 2011, *NeurIPS* 24) comes back to
    what it knows to be good, so it is asked again where it repeats itself; where it goes on doing
    so the next proposal of a random order is taken. As many trials as there are proposals try all.
    Optuna's own median pruner is not asked: it takes a trial's best gain on any part, and counts
    trials that cannot be chosen.
    """

    def __init__(self, grid: Sequence[Proposal], *, seed: int) -> None:
        """Begin a study.

        Args:
            grid: Every proposal once; at least one.
            seed: Of the sampler and the random order.

        Raises:
            SetupError: Optuna is not installed.
        """
        self._optuna = imported_optuna()
        sequence = np.random.SeedSequence(seed)
        with _silent(self._optuna):
            self._study = self._optuna.create_study(
                direction="maximize",
                sampler=self._optuna.samplers.TPESampler(seed=int(sequence.generate_state(1)[0])),
            )
        order = np.random.default_rng(sequence).permutation(len(grid))
        self._grid = tuple(grid)
        self._untried = dict.fromkeys(self._grid[place] for place in order)

    def begun(self) -> tuple[Proposal, optuna.Trial]:
        """Begin a trial of what was not tried before; there must be such."""
        for _ in range(_MOST_REPEATS):
            trial = self._study.ask()
            proposal = self._suggested(trial)
            if proposal in self._untried:
                break
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        else:
            self._study.enqueue_trial(_coordinates(next(iter(self._untried)), self._grid))
            trial = self._study.ask()
            proposal = self._suggested(trial)
        del self._untried[proposal]
        return proposal, trial

    def pruned(self, trial: optuna.Trial, *, gain: float, customers: int) -> float | None:
        """Report the gain on a part of the sample, and end the trial where others did better.

        Returns:
            Where it was ended, the median gain on as many customers of trials that went on to the
            end and can be chosen, which is above this one's; None: it goes on, as all do while
            there are fewer than five such gains.
        """
        trial.report(gain, customers)
        others = self._gains_of_able(customers)
        if len(others) < _FEWEST_OTHERS or gain >= median(others):
            return None
        self._study.tell(trial, state=self._optuna.trial.TrialState.PRUNED)
        return median(others)

    def finished(self, trial: optuna.Trial, *, gain: float | None) -> None:
        """End a trial with its gain on the whole sample; None: it cannot be chosen."""
        self._study.tell(trial, _REFUSED if gain is None else gain)

    def _gains_of_able(self, customers: int) -> list[float]:
        """Gains on a part of the sample of those that went on to the end and can be chosen."""
        finished = self._study.get_trials(
            deepcopy=False, states=(self._optuna.trial.TrialState.COMPLETE,)
        )
        return [
            each.intermediate_values[customers]
            for each in finished
            if each.value != _REFUSED and customers in each.intermediate_values
        ]

    def _suggested(self, trial: optuna.Trial) -> Proposal:
        return _decided(self._grid, lambda each, values: each.suggested(trial, values))


def _decided(
    grid: Sequence[Proposal], decide: Callable[[_Dimension, Sequence[object]], int]
) -> Proposal:
    """Narrow a grid down to one proposal, dimension by dimension.

    Args:
        grid: Every proposal once.
        decide: Gives the place of one of a dimension's values; asked where there are several.
    """
    left = list(grid)
    for dimension in _DIMENSIONS:
        values = list(dict.fromkeys(map(dimension.value_of, left)))
        if len(values) > 1:
            value = values[decide(dimension, values)]
            left = [each for each in left if dimension.value_of(each) == value]
    (found,) = left
    return found


def _coordinates(proposal: Proposal, grid: Sequence[Proposal]) -> dict[str, int | str]:
    """What Optuna has to suggest for a proposal."""
    found: dict[str, int | str] = {}

    def decide(dimension: _Dimension, values: Sequence[object]) -> int:
        place = values.index(dimension.value_of(proposal))
        found[dimension.name] = dimension.coordinate(values, place)
        return place

    _decided(grid, decide)
    return found


def imported_optuna() -> ModuleType:
    """Optuna, which is imported where a search begins and not before.

    Raises:
        SetupError: It is not installed.
    """
    try:
        import optuna  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise SetupError(
            "training.search needs Optuna, which is not installed: pip install 'segspark[search]', "
            "or leave training.search out"
        ) from error
    return optuna


@contextmanager
def _silent(optuna: ModuleType) -> Iterator[None]:
    """Keep Optuna's remarks off the terminal, and leave its verbosity as it was."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
