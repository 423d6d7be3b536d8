"""Candidates with all that is known of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from segspark.clustering.elbow import elbow
from segspark.clustering.engine import Candidate, FittedCandidate
from segspark.clustering.evidence import Evidence
from segspark.clustering.sample_evidence import SampleEvidence
from segspark.clustering.stability import Stability
from segspark.clustering.structureless import StructurelessSilhouette
from segspark.lifetime.usefulness import Usefulness
from segspark.settings.training import SelectionSettings


@dataclass(frozen=True, slots=True)
class CandidateResult:
    """A candidate with all that is known of it.

    Attributes:
        fitted: What the engine returned.
        evidence: Figures; None when it was not fitted.
        sampled: Figures on a sample; None when it was not fitted.
        structureless: Best silhouette of any algorithm of the sweep with as many segments on data
            without clusters.
        gain: Silhouette minus the structureless mean; None when either is missing.
        single_mode_gain: The same beside data whose columns have one mode each; None where that was
            not looked at.
        stability: How well it comes back in resamples; None where that was not looked at.
        usefulness: What it would have told on a past day; None where that was not looked at.
        time_stability: How well its clusters are found among those of the past day.
        is_elbow: Whether the within sum of its family has its elbow here; None where it was not
            looked at beside its family.
        is_chosen: Whether it is the one.
        reason: Why, or why not, in a sentence.
    """

    fitted: FittedCandidate
    evidence: Evidence | None
    sampled: SampleEvidence | None
    structureless: StructurelessSilhouette | None
    gain: float | None
    single_mode_gain: float | None = None
    stability: Stability | None = None
    usefulness: Usefulness | None = None
    time_stability: Stability | None = None
    is_elbow: bool | None = None
    is_chosen: bool = False
    reason: str = ""

    @property
    def candidate(self) -> Candidate:
        return self.fitted.candidate

    @property
    def candidate_id(self) -> str:
        return self.fitted.candidate.candidate_id

    @property
    def silhouette(self) -> float | None:
        return None if self.evidence is None else self.evidence.silhouette


def gain_of(row: CandidateResult) -> float:
    """Gain over structureless data; minus infinity where there is none."""
    return row.gain if row.gain is not None else float("-inf")


def gains_on_chance(row: CandidateResult, settings: SelectionSettings) -> bool:
    """Whether a gain reaches the margin, be it beside columns of one mode each alone."""
    gains = (row.gain, row.single_mode_gain)
    return any(each is not None and each >= settings.natural_cluster_margin for each in gains)


def is_separated(row: CandidateResult) -> bool:
    """Whether customers are few between any two of its segments."""
    return row.sampled is not None and row.sampled.separated_pair_ratio == 1.0


def merit_of(row: CandidateResult, settings: SelectionSettings) -> float:
    """What candidates are ordered by, higher is better; minus infinity where there is none."""
    if settings.criterion == "gain":
        return gain_of(row)
    found = row.usefulness.spend_ratio if row.usefulness is not None else None
    return float("-inf") if found is None else found


def is_stable(row: CandidateResult, settings: SelectionSettings) -> bool:
    """Whether it comes back in resamples, or was not asked to."""
    return row.stability is None or row.stability.mean >= settings.least_stability


def results(
    fitted: Sequence[FittedCandidate],
    *,
    evidence: Mapping[Candidate, Evidence],
    sampled: Mapping[Candidate, SampleEvidence],
    structureless: Mapping[Candidate, StructurelessSilhouette],
    single_mode: Mapping[Candidate, StructurelessSilhouette] | None = None,
) -> list[CandidateResult]:
    """Put together what was found out of each candidate, in the order they were tried.

    Args:
        fitted: Results of the sweep.
        evidence: Figures of those that were fitted.
        sampled: Their figures on a sample.
        structureless: Silhouettes to compare with.
        single_mode: The same where each column has one mode; None: that was not looked at.
    """
    rows = []
    for each in fitted:
        candidate = each.candidate
        found, null = evidence.get(candidate), structureless.get(candidate)
        gain = _gain(found, null)
        single_mode_gain = _gain(found, (single_mode or {}).get(candidate))
        rows.append(
            CandidateResult(each, found, sampled.get(candidate), null, gain, single_mode_gain)
        )
    elbows = _elbows(rows)
    return [replace(row, is_elbow=row.candidate in elbows) for row in rows]


def _gain(found: Evidence | None, null: StructurelessSilhouette | None) -> float | None:
    if found is None or found.silhouette is None or null is None:
        return None
    return found.silhouette - null.mean


def _elbows(rows: Sequence[CandidateResult]) -> set[Candidate]:
    families: dict[str, dict[Candidate, float]] = {}
    for row in rows:
        if row.evidence is not None and not row.candidate.algorithm.finds_segment_count:
            costs = families.setdefault(row.candidate.family, {})
            costs[row.candidate] = row.evidence.within_cluster_sum
    found = set()
    for costs in families.values():
        count = elbow({candidate.segment_count: cost for candidate, cost in costs.items()})
        found |= {candidate for candidate in costs if candidate.segment_count == count}
    return found
