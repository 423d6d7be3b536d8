"""From the seconds of every round to medians, ratios and tables."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SEGSPARK, SKLEARN = "segspark", "sklearn"
SPARK_PEERS = ("cached", "uncached", "openblas")
PARTS = ("prepare", "fit", "evaluate")
_FIGURES = {
    "log_likelihood_difference": "log-l. -",
    "within_cluster_sum_ratio": "wssse /",
    "silhouette_difference": "silh. -",
}


@dataclass(slots=True)
class Side:
    """What one side took.

    Attributes:
        rounds: Of each the seconds of `PARTS`.
        peak_mb: Highest memory of its processes.
        candidates: What it said of them in the last round.
    """

    rounds: list[Mapping[str, float]] = field(default_factory=list)
    peak_mb: float = 0.0
    candidates: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, answer: Mapping[str, Any], peak_mb: float) -> None:
        """Take in the answer of a round."""
        self.rounds.append(answer["seconds"])
        self.peak_mb = max(self.peak_mb, peak_mb)
        self.candidates = answer["candidates"]

    def median(self, part: str) -> float:
        """Median seconds of a part."""
        return statistics.median(each[part] for each in self.rounds)

    @property
    def total(self) -> float:
        """Median seconds of all parts together."""
        return statistics.median(sum(each.values()) for each in self.rounds)

    def medians(self) -> dict[str, float]:
        """Median seconds of each part and of the whole, rounded."""
        parts = {part: self.median(part) for part in PARTS} | {"total": self.total}
        return {part: round(seconds, 2) for part, seconds in parts.items()}


def speed_ratios(sides: Mapping[str, Side]) -> dict[str, float]:
    """How many times longer each peer takes, and the quickest of Spark's evaluations.

    Returns:
        `sweep_vs_naive_…` of each Spark ML loop, `sweep_vs_sklearn`, `evaluation_vs_spark`; only
        of peers that ran.
    """
    mine = sides[SEGSPARK]
    loops = {name: side for name, side in sides.items() if name in SPARK_PEERS}
    ratios = {f"sweep_vs_naive_{name}": side.total / mine.total for name, side in loops.items()}
    if SKLEARN in sides:
        ratios["sweep_vs_sklearn"] = sides[SKLEARN].total / mine.total
    if loops:
        quickest = min(side.median("evaluate") for side in loops.values())
        ratios["evaluation_vs_spark"] = quickest / mine.median("evaluate")
    return {name: round(ratio, 2) for name, ratio in ratios.items()}


def time_table(sides: Mapping[str, Side]) -> list[str]:
    """Lines of medians by side, the first one titles."""
    mine = sides[SEGSPARK].total
    titles = [f"{part}, s" for part in (*PARTS, "total")]
    rows = [["side", *titles, "x segspark", "MB"]]
    for name, side in sides.items():
        seconds = [f"{each:.2f}" for each in side.medians().values()]
        rows.append([name, *seconds, f"{side.total / mine:.2f}", f"{side.peak_mb:,.0f}"])
    return _aligned(rows)


def quality_table(quality: Mapping[str, Mapping[str, float]], peers: Sequence[str]) -> list[str]:
    """Lines of figures by candidate, the first one titles; a figure that is not there is a dash.

    Args:
        quality: From `sweep_quality.compared`.
        peers: Whose figures are shown.
    """
    columns = {
        f"{figure}_{peer}": f"{title} {peer}"
        for peer in peers
        for figure, title in _FIGURES.items()
    }
    shown = {
        name: title
        for name, title in columns.items()
        if any(name in figures for figures in quality.values())
    }
    rows = [["candidate", "silhouette", *shown.values()]]
    for candidate, figures in quality.items():
        values = [figures.get(name) for name in ("silhouette", *shown)]
        rows.append([candidate, *("-" if each is None else f"{each:.4f}" for each in values)])
    return _aligned(rows)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The first column to the left, all others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        )
        for row in rows
    ]
