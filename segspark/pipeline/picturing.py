"""Pictures of a training."""

from collections.abc import Callable, Sequence

from segspark.clustering.engine import Candidate
from segspark.clustering.results import CandidateResult
from segspark.clustering.sweep import Sweep
from segspark.model.embedding import EmbeddedModel
from segspark.model.micro_clusters import MicroClusterModel
from segspark.report.sweep_pictures import dendrogram_picture, line_picture, scatter_picture


def pictures_of(sweep: Sweep) -> dict[str, str]:
    """Draw what led to the choice.

    The within sum and the silhouette of every candidate, the chosen segments, and the tree of each
    linkage that was tried.

    Returns:
        SVG by the name of its file.
    """
    rows, chosen = sweep.selection.rows, sweep.selection.chosen.candidate
    elbows = [(row.candidate.family, row.candidate.segment_count) for row in rows if row.is_elbow]
    labels = sweep.clusters.assign(sweep.sample).tolist()
    return {
        "elbow.svg": line_picture(
            _lines(rows, lambda row: row.evidence.within_cluster_sum if row.evidence else None),
            title="Within sum by number of segments; elbows are ringed",
            unit="sum of squared distances",
            marked=elbows,
        ),
        "silhouette.svg": line_picture(
            _lines(rows, lambda row: row.silhouette),
            title="Silhouette by number of segments; the chosen one is ringed",
            unit="silhouette by squared distance",
            marked=[(chosen.family, chosen.segment_count)],
        ),
        "segments.svg": scatter_picture(
            sweep.sample, labels, title=f"A sample of customers by {chosen.candidate_id}"
        ),
        **_trees(rows, chosen),
    }


def _trees(rows: Sequence[CandidateResult], chosen: Candidate) -> dict[str, str]:
    """One picture for each linkage, cut where the chosen candidate is one of it."""
    found: dict[str, str] = {}
    for row in rows:
        model, family = micro_model_of(row), row.candidate.family
        name = f"dendrogram-{family}.svg"
        if model is None or model.merges is None or name in found:
            continue
        is_chosen = family == chosen.family
        found[name] = dendrogram_picture(
            model.merges,
            model.micro.counts,
            title=f"Unions of {len(model.micro.counts)} micro-clusters by {family}",
            segments=chosen.segment_count if is_chosen else None,
        )
    return found


def micro_model_of(row: CandidateResult) -> MicroClusterModel | None:
    """The model of a candidate on micro-clusters, of the embedding where it is on one."""
    model = row.fitted.clusters
    if isinstance(model, EmbeddedModel):
        model = model.base
    return model if isinstance(model, MicroClusterModel) else None


def _lines(
    rows: tuple[CandidateResult, ...], figure: Callable[[CandidateResult], float | None]
) -> dict[str, dict[int, float]]:
    lines: dict[str, dict[int, float]] = {}
    for row in rows:
        value = figure(row)
        if value is not None:
            line = lines.setdefault(row.candidate.family, {})
            line[row.candidate.segment_count] = value
    return lines
