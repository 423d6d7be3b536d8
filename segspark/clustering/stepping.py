"""How candidates of every family advance together: a pass over the points, then a step each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from segspark.model.clusters import ClusterModel
from segspark.model.scores import Floats

_CHUNK_ROWS = 2048
"""So few that a chunk's distances to all centres stay in the processor's cache."""

SumsOf = Callable[[Floats], Any]
"""Figures of (n, d) points that add up by `+`."""
AddUp = Callable[[Sequence[SumsOf]], list[Any]]
"""Adds up several such figures over all points, in one pass."""


class Steps(Protocol):
    """Candidates of one family on their way."""

    @property
    def is_settled(self) -> bool:
        """Whether no candidate moves any more."""

    def sums(self, points: Floats) -> Any:  # noqa: ANN401 - each family has its own
        """What the next step needs to know of (n, d) points; it adds up by `+`."""

    def stepped(self, sums: Any) -> Self:  # noqa: ANN401 - as above
        """Every candidate after a step, by the sums over all points."""

    def models(self, segment_counts: Sequence[int]) -> list[tuple[ClusterModel, int]]:
        """The model, and the steps that led there, of each candidate that was started."""


@dataclass(frozen=True, slots=True, eq=False)
class SetSums:
    """Points added up for several candidates, each a set of centres or components.

    Attributes:
        sums: A row for each centre or component, set after set; what stands in it, its set knows.
        figures: A figure of each set.
    """

    sums: Floats
    figures: Floats

    def __add__(self, other: Self) -> Self:
        return type(self)(self.sums + other.sums, self.figures + other.figures)


class Moving(Protocol):
    """One candidate of a family whose candidates move on their own."""

    @property
    def k(self) -> int:
        """Number of its centres or components."""

    @property
    def model(self) -> ClusterModel:
        """What it assigns points by."""

    @property
    def steps(self) -> int:
        """Steps made."""

    @property
    def is_settled(self) -> bool:
        """Whether its last step changed nothing any more."""

    def moved(self, sums: Floats, figure: float) -> Self:
        """The candidate after a step, by its rows and its figure of `SetSums`."""


M = TypeVar("M", bound=Moving)
S = TypeVar("S", bound=Steps)


@dataclass(frozen=True, slots=True, eq=False)
class SetSteps(Generic[M]):
    """Candidates that share the passes and nothing else; one that has settled rests.

    Attributes:
        sets: One per candidate or start.
        sums_of: Adds up (n, d) points for several of them at once.
    """

    sets: tuple[M, ...]
    sums_of: Callable[[Floats, Sequence[M]], SetSums]

    @property
    def is_settled(self) -> bool:
        return not self._open

    @property
    def _open(self) -> list[int]:
        return [place for place, each in enumerate(self.sets) if not each.is_settled]

    def sums(self, points: Floats) -> SetSums:
        """Add up points for the candidates that have not settled."""
        return self.sums_of(points, [self.sets[place] for place in self._open])

    def stepped(self, sums: SetSums) -> Self:
        """Take the candidates that have not settled a step on."""
        sets, places = list(self.sets), self._open
        parts = np.split(sums.sums, spans_of([sets[place].k for place in places])[1:, 0])
        for place, part, figure in zip(places, parts, sums.figures, strict=True):
            sets[place] = sets[place].moved(part, float(figure))
        return replace(self, sets=tuple(sets))

    def models(self, segment_counts: Sequence[int]) -> list[tuple[ClusterModel, int]]:
        """The model of each set, in order, and its steps."""
        return [(each.model, each.steps) for each, _ in zip(self.sets, segment_counts, strict=True)]


def spans_of(lengths: Sequence[int]) -> NDArray[np.intp]:
    """First and last + 1 row of parts that follow each other, shape (parts, 2)."""
    ends = np.cumsum(lengths)
    return np.column_stack([ends - lengths, ends])


def settle(
    families: Sequence[S],
    add_up: AddUp,
    *,
    most_steps: int,
    told: Callable[[int], None] = lambda _: None,
) -> list[S]:
    """Take all families on together, a pass over the points for a step of every candidate.

    Args:
        families: What is on its way.
        add_up: Adds up over the points.
        most_steps: Steps after which what has not settled stays where it is.
        told: Called before each pass with its number, 1 for the first.

    Returns:
        The families where they have come to, in order.
    """
    reached = list(families)
    for number in range(1, most_steps + 1):
        places = [place for place, each in enumerate(reached) if not each.is_settled]
        if not places:
            break
        told(number)
        totals = add_up([reached[place].sums for place in places])
        for place, total in zip(places, totals, strict=True):
            reached[place] = reached[place].stepped(total)
    return reached


def chunks(points: Floats) -> Iterator[Floats]:
    """Cut (n, d) points into (d + 1, rows) arrays, a row of ones last."""
    for start in range(0, len(points), _CHUNK_ROWS):
        part = points[start : start + _CHUNK_ROWS]
        columns = np.ones((part.shape[1] + 1, len(part)))
        columns[:-1] = part.T
        yield columns
