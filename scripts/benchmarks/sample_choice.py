"""Benchmark: whether a sample leads to the choice that all customers lead to.

`make bench-sample CUSTOMERS=500000 SEEDS=3` draws customers once for each seed: seven overlapping
groups (`groups`), and log-normal recency, frequency and money (`continuum`). On all of them, and on
the first of them by each ratio, it fits every candidate, judges it, compares it with data without
clusters, looks for its segments in resamples of the same customers, and chooses one by the rule,
without Spark. The table has a row for each choice, with the rank correlation of the candidates'
silhouettes with those of all customers. The last line is JSON: by kind and ratio, how many of the
seeds led to the candidate, to the number of segments, and to the answer whether there are natural
clusters, that all customers lead to.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from scipy.stats import spearmanr

from scripts.benchmarks.measuring import say
from scripts.benchmarks.planted_customers import skewed
from scripts.benchmarks.sweep_points import draw_points
from scripts.markdown import markdown_table
from segspark.clustering.batched import fit_in_memory
from segspark.clustering.comparison import compared
from segspark.clustering.engine import Candidate, FittedCandidate, candidates_of
from segspark.clustering.evidence import evidence
from segspark.clustering.results import gain_of
from segspark.clustering.selection import Selection, select
from segspark.clustering.sweep import with_stability
from segspark.model.scores import Floats
from segspark.settings.training import TrainingSettings

HEADS = ("customers", "seed", "of all", "chosen", "natural", "gain", "Jaccard", "silhouettes")
_FEATURES = 8
_KINDS: dict[str, Callable[[int, int], Floats]] = {
    "groups": lambda customers, seed: draw_points(customers, _FEATURES, seed=seed),
    "continuum": lambda customers, seed: skewed(customers, seed).points,
}
_FEWEST_CUSTOMERS = 2_000
_FEWEST_SAMPLED = 20


@dataclass(frozen=True, slots=True)
class Choice:
    """What some customers lead to.

    Attributes:
        ratio: Their share of all.
        selection: Every candidate with its figures, and the chosen one.
    """

    ratio: float
    selection: Selection

    @classmethod
    def of(cls, everyone: Floats, settings: TrainingSettings, *, ratio: float) -> Self:
        """Choose on the first of (n, d) points, a share of them."""
        return cls(ratio, choose(everyone[: round(ratio * len(everyone))], settings))

    @property
    def chosen(self) -> Candidate:
        return self.selection.chosen.candidate

    def silhouette_order(self, other: Self) -> float:
        """Spearman's correlation of the candidates' silhouettes here and there."""
        theirs = {row.candidate: row.silhouette for row in other.selection.rows}
        pairs = [
            (row.silhouette, found)
            for row in self.selection.rows
            if row.silhouette is not None and (found := theirs.get(row.candidate)) is not None
        ]
        return float(spearmanr(pairs).statistic)


def main() -> int:
    """Choose on samples and on all customers; print the table, then the JSON line."""
    args = _arguments()
    settings = TrainingSettings()
    rows, agreements = [], {}
    for kind in args.kinds:
        choices = [_choices(kind, seed, args, settings) for seed in range(1, args.seeds + 1)]
        for seed, found in enumerate(choices, start=1):
            rows += [_row(kind, seed, each, found[0]) for each in found]
        agreements[kind] = agreement(choices)
    say(f"\n{markdown_table(HEADS, rows)}")
    say(json.dumps({**agreements, "customers": args.customers, "seeds": args.seeds}))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add, kinds = parser.add_argument, list(_KINDS)
    add("--customers", type=int, default=500_000, help="that all are; default 500000")
    add("--ratios", type=float, nargs="*", default=[0.05, 0.01], help="default 0.05 0.01")
    add("--seeds", type=int, default=3, help="draws of customers; default 3")
    add("--kinds", nargs="*", choices=kinds, default=kinds, help="default both")
    args = parser.parse_args()
    if not all(0 < ratio < 1 for ratio in args.ratios):
        parser.error("--ratios are above 0 and below 1")
    if args.seeds < 1 or args.customers < _FEWEST_CUSTOMERS:
        parser.error(f"--seeds takes 1 or more, --customers {_FEWEST_CUSTOMERS} or more")
    if any(round(ratio * args.customers) < _FEWEST_SAMPLED for ratio in args.ratios):
        parser.error(f"--ratios leave {_FEWEST_SAMPLED} of the customers or more")
    return args


def _choices(
    kind: str, seed: int, args: argparse.Namespace, settings: TrainingSettings
) -> list[Choice]:
    """On all customers of one draw, then on each sample."""
    everyone = _KINDS[kind](args.customers, seed)
    found = []
    for ratio in (1.0, *args.ratios):
        found.append(Choice.of(everyone, settings, ratio=ratio))
        say(f"{kind}, seed {seed}, {ratio:.0%}: {found[-1].chosen.candidate_id}")
    return found


def choose(points: Floats, settings: TrainingSettings) -> Selection:
    """Choose a candidate on some customers alone, by all of them at each step but one.

    Data without clusters are as many as the settings say.

    Args:
        points: Shape (n, d).
        settings: Candidates and rule.
    """
    models = fit_in_memory(points, candidates_of(settings.sweep), settings.sweep)
    fitted = [FittedCandidate(each, clusters=model) for each, model in models.items()]
    judged = {each: evidence(points, model.assign(points)) for each, model in models.items()}
    rows, _ = compared(fitted, judged, points, settings)
    return select(with_stability(rows, points, settings), settings.selection)


def _row(kind: str, seed: int, choice: Choice, everyone: Choice) -> tuple[str, ...]:
    chosen = choice.selection.chosen
    stability = "" if chosen.stability is None else f"{chosen.stability.mean:.2f}"
    is_natural = "yes" if choice.selection.has_natural_clusters else "no"
    order = choice.silhouette_order(everyone)
    return (
        *(kind, str(seed), f"{choice.ratio:.0%}", chosen.candidate_id, is_natural),
        *(f"{gain_of(chosen):.3f}", stability, f"{order:.3f}"),
    )


def agreement(choices: Sequence[Sequence[Choice]]) -> dict[str, dict[str, int]]:
    """Count the draws whose samples lead to the choice of all.

    Args:
        choices: Of each draw, that on all customers first.

    Returns:
        By ratio, draws with the same `candidate`, `segment_count` and answer whether there are
        `natural_clusters`.
    """
    found: dict[str, dict[str, int]] = {}
    for everyone, *samples in choices:
        for each in samples:
            same = {
                "candidate": each.chosen == everyone.chosen,
                "segment_count": each.chosen.segment_count == everyone.chosen.segment_count,
                "natural_clusters": each.selection.has_natural_clusters
                == everyone.selection.has_natural_clusters,
            }
            counts = found.setdefault(f"{each.ratio:.0%}", dict.fromkeys(same, 0))
            for name, is_same in same.items():
                counts[name] += is_same
    return found


if __name__ == "__main__":
    sys.exit(main())
