"""The rule that chooses a candidate, and the sentences that defend the choice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from segspark.clustering.engine import Candidate
from segspark.clustering.results import CandidateResult
from segspark.errors import ClusteringError
from segspark.settings.training import Algorithm, SelectionSettings

_MOST_LISTED = 3


@dataclass(frozen=True, slots=True)
class Selection:
    """The outcome of a sweep.

    Attributes:
        chosen: The candidate to use.
        plain_maximum: The one with the highest silhouette, whatever its segments' sizes.
        has_natural_clusters: Whether the chosen gain reaches the margin asked.
        verdict: What to tell a reader, in sentences.
        rows: Every candidate, in the order they were tried.
    """

    chosen: CandidateResult
    plain_maximum: CandidateResult
    has_natural_clusters: bool
    verdict: str
    rows: tuple[CandidateResult, ...]


def select(rows: Sequence[CandidateResult], settings: SelectionSettings) -> Selection:
    """Choose the candidate whose silhouette exceeds structureless data the most.

    Eligible are candidates that were fitted, fill as many clusters as asked, and whose smallest
    segment holds the share asked. Equal gains go to fewer segments, then to the algorithm that
    `Algorithm` names first.

    Args:
        rows: Every candidate with its figures.
        settings: Smallest share and margin.

    Raises:
        ClusteringError: No candidate is eligible.
    """
    obstacles = {row.candidate: _obstacle(row, settings) for row in rows}
    eligible = [row for row in rows if obstacles[row.candidate] is None]
    if not eligible:
        raise ClusteringError(_nothing_eligible(rows, obstacles))
    eligible.sort(key=_rank)
    best = eligible[0]
    judged = tuple(_judged(row, obstacles[row.candidate], best) for row in rows)
    chosen = next(row for row in judged if row.is_chosen)
    plain = max((row for row in judged if row.silhouette is not None), key=_plain_rank)
    has_natural_clusters = _gain(chosen) >= settings.natural_cluster_margin
    return Selection(
        chosen=chosen,
        plain_maximum=plain,
        has_natural_clusters=has_natural_clusters,
        verdict=_verdict(chosen, eligible[1:], plain, settings),
        rows=judged,
    )


def _obstacle(row: CandidateResult, settings: SelectionSettings) -> str | None:
    """Why a candidate cannot be chosen; None when it can."""
    asked, found = row.candidate.segment_count, row.evidence
    if found is None:
        return f"not fitted: {row.fitted.refusal or 'the engine gave no reason'}"
    if found.cluster_count < asked:
        return f"only {found.cluster_count} of the {asked} segments asked hold a customer"
    if found.smallest_share < settings.smallest_segment_ratio:
        return (
            f"smallest segment holds {_percent(found.smallest_share)}, below the "
            f"{_percent(settings.smallest_segment_ratio)} asked"
        )
    if row.gain is None:
        return "there is no structureless data to compare with, the sample is too small"
    return None


def _judged(row: CandidateResult, obstacle: str | None, best: CandidateResult) -> CandidateResult:
    if obstacle is not None:
        return replace(row, reason=obstacle)
    if row.candidate == best.candidate:
        reason = f"chosen: gain over structureless data {_gain(row):.3f}, the highest"
        return replace(row, is_chosen=True, reason=reason)
    reason = f"gain over structureless data {_gain(row):.3f}, the chosen one has {_gain(best):.3f}"
    return replace(row, reason=reason)


def _verdict(
    chosen: CandidateResult,
    others: Sequence[CandidateResult],
    plain: CandidateResult,
    settings: SelectionSettings,
) -> str:
    sentences = [
        f"Chosen: {chosen.candidate_id}, whose silhouette of {chosen.silhouette:.3f} is "
        f"{_gain(chosen):.3f} above that of data without clusters."
    ]
    if _gain(chosen) < settings.natural_cluster_margin:
        sentences.insert(
            0,
            f"No natural clusters: this is a discretisation of a continuum (the highest gain is "
            f"{_gain(chosen):.3f}, and {settings.natural_cluster_margin:.3f} is asked).",
        )
    if others:
        sentences.append(f"Next came {others[0].candidate_id} with {_gain(others[0]):.3f}.")
    if plain.candidate == chosen.candidate:
        sentences.append("It has the highest silhouette of all, too.")
    else:
        sentences.append(
            f"The highest silhouette alone would have chosen {plain.candidate_id} "
            f"({plain.silhouette:.3f})."
        )
    return " ".join(sentences)


def _nothing_eligible(
    rows: Sequence[CandidateResult], obstacles: Mapping[Candidate, str | None]
) -> str:
    if not rows:
        return "no candidate was tried: name an algorithm and a range of segments"
    listing = "; ".join(
        f"{row.candidate_id}: {obstacles[row.candidate]}" for row in rows[:_MOST_LISTED]
    )
    unlisted = len(rows) - _MOST_LISTED
    more = f"; and {unlisted} more" if unlisted > 0 else ""
    return (
        f"none of {len(rows)} candidates can be chosen ({listing}{more}): ask for fewer segments "
        f"in training.sweep, lower training.selection.smallest_segment_ratio, or cluster more "
        f"customers"
    )


def _gain(row: CandidateResult) -> float:
    return row.gain if row.gain is not None else float("-inf")


def _order(candidate: Candidate) -> tuple[int, int]:
    return candidate.segment_count, list(Algorithm).index(candidate.algorithm)


def _rank(row: CandidateResult) -> tuple[float, int, int]:
    return (-_gain(row), *_order(row.candidate))


def _plain_rank(row: CandidateResult) -> tuple[float, int, int]:
    count, order = _order(row.candidate)
    return (row.silhouette if row.silhouette is not None else float("-inf"), -count, -order)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
