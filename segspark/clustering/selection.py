"""The rule that chooses a candidate."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from segspark.clustering.engine import Candidate
from segspark.clustering.out_of_time import OutOfTime
from segspark.clustering.results import (
    CandidateResult,
    gains_on_chance,
    is_separated,
    is_stable,
    merit_of,
)
from segspark.clustering.verdict import verdict_on, verdict_on_past
from segspark.errors import ClusteringError
from segspark.settings.training import Algorithm, Covariance, EmbeddingMethod, SelectionSettings

_MOST_LISTED = 3
_DIGITS = 9
"""The same segments found twice, as by an embedding, have figures that differ by rounding."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The outcome of a sweep.

    Attributes:
        chosen: The candidate to use.
        plain_maximum: The one with the highest silhouette, whatever its segments' sizes.
        has_natural_clusters: Whether a gain of the chosen one reaches the margin asked, or
            customers are few between any two of its segments.
        verdict: What to tell a reader, in sentences.
        rows: Every candidate, in the order they were tried.
    """

    chosen: CandidateResult
    plain_maximum: CandidateResult
    has_natural_clusters: bool
    verdict: str
    rows: tuple[CandidateResult, ...]


def contenders(
    rows: Iterable[CandidateResult], settings: SelectionSettings
) -> list[CandidateResult]:
    """Candidates that can be chosen, unless they turn out to be unstable, the best first.

    Where the gain of the best that is not known to be unstable tells of no clusters, those come
    first that are separated: clusters that are long and side by side have no high silhouette.
    """
    able = [row for row in rows if obstacle(row, settings) is None]
    able.sort(key=lambda row: rank(row, settings))
    best = next((row for row in able if is_stable(row, settings)), None)
    if settings.criterion == "gain" and best is not None and not gains_on_chance(best, settings):
        able.sort(key=lambda row: not is_separated(row))
    return able


def select(
    rows: Sequence[CandidateResult],
    settings: SelectionSettings,
    *,
    past: OutOfTime | None = None,
) -> Selection:
    """Choose the candidate of highest merit.

    That is how far its silhouette exceeds that of structureless data, or what it would have told of
    the period after a past day; where the highest tells of no clusters, segments come first that
    have few customers between any two of them. Eligible are candidates that were fitted, fill as
    many clusters as asked, whose smallest segment holds the share asked, and whose segments come
    back in resamples. Equal merits go to fewer segments, then to the plain vector, then to the
    algorithm that `Algorithm` names first, then to the covariance that `Covariance` does. Where no
    candidate's segments come back, as on a continuum, the most stable one is taken, and the verdict
    says so.

    Args:
        rows: Every candidate with its figures.
        settings: Criterion, smallest share, least stability and margin.
        past: What divisions of a past day told, where that was looked at.

    Raises:
        ClusteringError: No candidate is eligible.
    """
    able = contenders(rows, settings)
    if not able:
        raise ClusteringError(_nothing_eligible(rows, settings))
    stable = [row for row in able if is_stable(row, settings)]
    best = stable[0] if stable else max(able, key=_stability_of)
    judged = tuple(_judged(row, best, settings) for row in rows)
    by_candidate = {row.candidate: row for row in judged}
    chosen = by_candidate[best.candidate]
    plain = min((row for row in judged if row.silhouette is not None), key=_plain_rank)
    verdict = verdict_on(chosen, able=able, plain=plain, rows=judged, settings=settings)
    told = verdict_on_past(chosen, past, settings) if past is not None else ""
    return Selection(
        chosen=chosen,
        plain_maximum=plain,
        has_natural_clusters=bool(stable)
        and (gains_on_chance(chosen, settings) or is_separated(chosen)),
        verdict=f"{verdict} {told}" if told else verdict,
        rows=judged,
    )


def obstacle(row: CandidateResult, settings: SelectionSettings) -> str | None:
    """Why a candidate cannot be chosen, however stable it is; None when it can."""
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
    return _lack(row, settings)


def _lack(row: CandidateResult, settings: SelectionSettings) -> str | None:
    """What there is not to compare it by; None where there is."""
    if row.gain is None:
        return "there is no structureless data to compare with, the sample is too small"
    if settings.criterion == "gain" or merit_of(row, settings) > float("-inf"):
        return None
    if row.usefulness is None:
        return "it could not be fitted on the past day"
    return "on the past day it made one group, or later spend is the same for all"


def _judged(
    row: CandidateResult, best: CandidateResult, settings: SelectionSettings
) -> CandidateResult:
    reason = obstacle(row, settings)
    if reason is not None:
        return replace(row, reason=reason)
    if row.candidate == best.candidate and not is_stable(row, settings):
        reason = (
            f"chosen: the most stable, though below the {settings.least_stability:.2f} asked "
            f"(mean Jaccard {_stability_of(row):.2f})"
        )
        return replace(row, is_chosen=True, reason=reason)
    is_by_separation = _is_chosen_by_separation(best, settings)
    if row.candidate == best.candidate and is_by_separation:
        reason = f"chosen: few customers between any two segments ({_merit(row, settings)})"
        return replace(row, is_chosen=True, reason=reason)
    if row.candidate == best.candidate:
        words = "the highest"
        if row.stability is not None:
            words += f" of those whose segments come back (mean Jaccard {row.stability.mean:.2f})"
        reason = f"chosen: {_merit(row, settings)}, {words}"
        return replace(row, is_chosen=True, reason=reason)
    if row.stability is not None and not is_stable(row, settings):
        return replace(
            row,
            reason=f"unstable: in resamples its segments come back with a mean Jaccard of "
            f"{row.stability.mean:.2f}, below the {settings.least_stability:.2f} asked",
        )
    told = f"{_merit(row, settings)}, the chosen one has {merit_of(best, settings):.3f}"
    if is_by_separation and not is_separated(row):
        told = f"{_merit(row, settings)}, and some of its segments run into each other"
    return replace(row, reason=told)


def _is_chosen_by_separation(best: CandidateResult, settings: SelectionSettings) -> bool:
    is_by_gain = settings.criterion == "gain"
    return is_by_gain and is_separated(best) and not gains_on_chance(best, settings)


def _merit(row: CandidateResult, settings: SelectionSettings) -> str:
    names = {"gain": "gain over structureless data", "usefulness": "usefulness"}
    return f"{names[settings.criterion]} {merit_of(row, settings):.3f}"


def _nothing_eligible(rows: Sequence[CandidateResult], settings: SelectionSettings) -> str:
    if not rows:
        return "no candidate was tried: name an algorithm and a range of segments"
    listing = _listing(rows, lambda row: obstacle(row, settings) or "")
    by_gain = ", or choose by the gain" if settings.criterion == "usefulness" else ""
    return (
        f"none of {len(rows)} candidates can be chosen ({listing}): ask for fewer segments "
        f"in training.sweep, lower training.selection.smallest_segment_ratio, or cluster more "
        f"customers{by_gain}"
    )


def _listing(rows: Sequence[CandidateResult], words: Callable[[CandidateResult], str]) -> str:
    listing = "; ".join(f"{row.candidate_id}: {words(row)}" for row in rows[:_MOST_LISTED])
    unlisted = len(rows) - _MOST_LISTED
    return f"{listing}; and {unlisted} more" if unlisted > 0 else listing


def _stability_of(row: CandidateResult) -> float:
    return row.stability.mean if row.stability is not None else 0.0


def _order(candidate: Candidate) -> tuple[int, ...]:
    embedding = list(EmbeddingMethod).index(candidate.embedding)
    shape = 0 if candidate.covariance is None else list(Covariance).index(candidate.covariance)
    algorithm = list(Algorithm).index(candidate.algorithm)
    return candidate.segment_count, embedding, algorithm, shape


def rank(row: CandidateResult, settings: SelectionSettings) -> tuple[float, ...]:
    """What candidates are sorted by: merit, then fewer segments, then what they are tried on."""
    return (-round(merit_of(row, settings), _DIGITS), *_order(row.candidate))


def _plain_rank(row: CandidateResult) -> tuple[float, ...]:
    silhouette = row.silhouette if row.silhouette is not None else float("-inf")
    return (-round(silhouette, _DIGITS), *_order(row.candidate))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
