"""A candidate's figures by name, for the table and for MLflow alike."""

from segspark.clustering.results import CandidateResult
from segspark.lifetime.usefulness import Usefulness

Figures = dict[str, float | None]


def candidate_figures(row: CandidateResult) -> Figures:
    """Figures under the names of their columns in `segment_candidates`; None: does not apply."""
    return {
        "silhouette": row.silhouette,
        "structureless_silhouette": row.structureless.mean if row.structureless else None,
        "silhouette_gain": row.gain,
        "single_mode_silhouette_gain": row.single_mode_gain,
        **_on_all_customers(row),
        **_on_a_sample(row),
        **_on_a_past_day(row),
    }


def _on_all_customers(row: CandidateResult) -> Figures:
    found = row.evidence
    if found is None:
        return {}
    return {
        "davies_bouldin": found.davies_bouldin,
        "calinski_harabasz": found.calinski_harabasz,
        "within_cluster_sum": found.within_cluster_sum,
        "smallest_segment_ratio": found.smallest_share,
        "largest_segment_ratio": found.largest_share,
        "mean_confidence_ratio": found.mean_confidence,
        "log_likelihood": found.log_likelihood,
        "bic": found.bic,
        "aic": found.aic,
    }


def _on_a_sample(row: CandidateResult) -> Figures:
    found, stability = row.sampled, row.stability
    if found is None:
        return {}
    return {
        "stability_jaccard": stability.mean if stability else None,
        "lowest_stability_jaccard": stability.lowest if stability else None,
        "stability_rand_ratio": stability.rand_index if stability else None,
        "euclidean_silhouette": found.euclidean_silhouette,
        "cosine_silhouette": found.cosine_silhouette,
        "separated_pair_ratio": found.separated_pair_ratio,
        "gap": found.gap.gap if found.gap else None,
        "gap_deviation": found.gap.deviation if found.gap else None,
        "copula_gap": found.copula_gap.gap if found.copula_gap else None,
        "copula_gap_deviation": found.copula_gap.deviation if found.copula_gap else None,
    }


def usefulness_figures(found: Usefulness | None) -> Figures:
    """What a division told of a past period, also under the names of `segment_usefulness`."""
    return {
        "usefulness_spend_ratio": found.spend_ratio if found else None,
        "usefulness_gini_ratio": found.gini if found else None,
        "usefulness_retention_ratio": found.retention_ratio if found else None,
    }


def _on_a_past_day(row: CandidateResult) -> Figures:
    stability = row.time_stability
    return {
        **usefulness_figures(row.usefulness),
        "time_stability_jaccard": stability.mean if stability else None,
        "lowest_time_stability_jaccard": stability.lowest if stability else None,
        "time_stability_rand_ratio": stability.rand_index if stability else None,
    }
