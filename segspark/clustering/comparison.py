"""Candidates beside data without structure: what they gain, and their gaps."""

from collections.abc import Mapping, Sequence

from segspark.clustering.engine import Candidate, FittedCandidate, rivals_of
from segspark.clustering.evidence import Evidence
from segspark.clustering.gap_statistic import GapStatistic, cluster_uniform, gap_statistics
from segspark.clustering.modes import with_single_modes
from segspark.clustering.results import CandidateResult, results
from segspark.clustering.sample_evidence import sample_evidence
from segspark.clustering.separation import separated_pair_ratios
from segspark.clustering.structureless import (
    best_of_all_algorithms,
    cluster_structureless,
    counterparts,
    structureless_silhouettes,
)
from segspark.model.scores import Floats
from segspark.settings.training import Algorithm, TrainingSettings


def compared(
    fitted: Sequence[FittedCandidate],
    evidence: Mapping[Candidate, Evidence],
    sample: Floats,
    settings: TrainingSettings,
) -> tuple[list[CandidateResult], dict[int, GapStatistic]]:
    """Hold candidates to data without structure, drawn from a sample and clustered alike.

    Args:
        fitted: What came of each candidate.
        evidence: Figures on all customers of those that were fitted.
        sample: Points of some customers, shape (n, d).
        settings: Algorithms and fits of the sweep, customers and draws of the selection.

    Returns:
        A row for each candidate, in order, and the gap of KMeans by its number of segments, from
        one up to one more than the most that a candidate has.
    """
    few = sample[: settings.selection.structureless_customers]
    models = {each.candidate: each.clusters for each in fitted if each.clusters is not None}
    rivals = rivals_of({each.segment_count for each in models}, settings.sweep)
    held_to = list(dict.fromkeys([*models, *rivals]))
    draws = settings.selection.structureless_draws
    drawn = cluster_structureless(few, held_to, settings.sweep, draws=draws)
    structureless = best_of_all_algorithms(structureless_silhouettes(drawn))
    single_mode, margins = structureless, with_single_modes(few)
    if margins is not None:
        even = cluster_structureless(few, held_to, settings.sweep, draws=draws, margins=margins)
        single_mode = best_of_all_algorithms(structureless_silhouettes(even))
    # The rule of the gap statistic begins at one segment and looks one ahead of the last.
    most = max((each.segment_count for each in models), default=0)
    from_one = {k: Candidate(Algorithm.KMEANS, k) for k in range(1, most + 2)}
    own = counterparts(few, list(dict.fromkeys([*models, *from_one.values()])), settings.sweep)
    gaps = gap_statistics(own, cluster_uniform(few, list(own), settings.sweep, draws=draws))
    copula_gaps = gap_statistics(own, drawn)
    separated = separated_pair_ratios(few, models, seed=settings.sweep.seed)
    rows = results(
        fitted,
        evidence=evidence,
        sampled=sample_evidence(
            sample, models, gaps=gaps, copula_gaps=copula_gaps, separated=separated
        ),
        structureless=structureless,
        single_mode=single_mode,
    )
    return rows, {k: gaps[kmeans] for k, kmeans in from_one.items() if kmeans in gaps}
