"""What came of a training: the sweep, and trials of a search that did not get so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from segspark.clustering.engine import Candidate
from segspark.clustering.out_of_time import OutOfTime
from segspark.clustering.results import CandidateResult
from segspark.clustering.search_trials import Search, Trial
from segspark.clustering.stability import Stability
from segspark.clustering.sweep import Sweep
from segspark.pipeline.candidate_figures import Figures, candidate_figures, usefulness_figures
from segspark.pipeline.training_plan import TrainingPlan
from segspark.tables.contract import TableContract
from segspark.tables.segments import SEGMENT_CANDIDATES
from segspark.tables.usefulness import SEGMENT_USEFULNESS


@dataclass(frozen=True, slots=True)
class TriedCandidate:
    """One of those that were tried, as the table and MLflow know it.

    Attributes:
        candidate_id: Its name within the training.
        recipe: Of its vector.
        row: What is known of it; of a trial that did not go on to all customers no figures.
        search_gain: Its gain on the part of the sample that it was fitted to last; None without a
            search, or where it has none.
    """

    candidate_id: str
    recipe: str
    row: CandidateResult
    search_gain: float | None = None

    @property
    def candidate(self) -> Candidate:
        return self.row.candidate

    @property
    def figures(self) -> Figures:
        """Figures under the names of their columns in `segment_candidates`."""
        return {**candidate_figures(self.row), "search_gain": self.search_gain}

    @property
    def values(self) -> dict[str, object]:
        """All that it knows itself, under the names of these columns."""
        row, candidate = self.row, self.candidate
        return {
            "candidate_id": self.candidate_id,
            "recipe": self.recipe,
            "embedding": candidate.embedding.value,
            "algorithm": candidate.algorithm.value,
            "covariance": None if candidate.covariance is None else candidate.covariance.value,
            "segment_count": candidate.segment_count,
            "found_segment_count": row.evidence.cluster_count if row.evidence else None,
            "is_elbow": row.is_elbow,
            "is_chosen": row.is_chosen,
            "reason": row.reason,
            "elapsed_seconds": row.fitted.seconds,
            **self.figures,
            "segment_stability_jaccards": _jaccards(row.stability),
            "segment_time_stability_jaccards": _jaccards(row.time_stability),
        }


@dataclass(frozen=True, slots=True)
class Trained:
    """A training whose model is chosen.

    Attributes:
        plan: What the sweep was made of.
        sweep: What came of it, a row for each of the plan's candidates in their order.
        past: What divisions of a past day told, where that was looked at.
    """

    plan: TrainingPlan
    sweep: Sweep
    past: OutOfTime | None = None

    @property
    def verdict(self) -> str:
        """What was chosen and why, and what a search tried before, in sentences."""
        search, verdict = self.plan.search, self.sweep.selection.verdict
        return verdict if search is None else f"{verdict} {search.told}"

    @property
    def tried(self) -> list[TriedCandidate]:
        """Candidates of the sweep, then other trials in their order, each with an id of its own."""
        rows, recipe = self.sweep.selection.rows, self.plan.settings.recipe
        search = self.plan.search
        if search is None:
            return [TriedCandidate(row.candidate_id, recipe, row) for row in rows]
        kept = [
            TriedCandidate(row.candidate_id, recipe, row, trial.row.gain)
            for row, trial in zip(rows, search.kept, strict=True)
        ]
        names = {each.proposal for each in search.kept}
        others = [each for each in search.trials if each.proposal not in names]
        return kept + [_left_behind(each, search) for each in others]

    def rows(self, training_id: str) -> list[tuple[object, ...]]:
        """Rows of `segment_candidates`, values in the order of its columns."""
        plain = self.sweep.selection.plain_maximum.candidate_id
        of_each = [
            {
                **each.values,
                "training_id": training_id,
                "is_plain_maximum": each.candidate_id == plain,
            }
            for each in self.tried
        ]
        return _in_order(SEGMENT_CANDIDATES, of_each)

    def tables(self, training_id: str) -> dict[TableContract, list[tuple[object, ...]]]:
        """Rows of each table that tells of candidates; none of usefulness that nobody asked for."""
        tables = {SEGMENT_CANDIDATES: self.rows(training_id)}
        if self.past is not None:
            tables[SEGMENT_USEFULNESS] = self._usefulness_rows(training_id, self.past)
        return tables

    def _usefulness_rows(self, training_id: str, past: OutOfTime) -> list[tuple[object, ...]]:
        """Candidates that were fitted on the past day, then baselines."""
        candidates = self.sweep.selection.rows
        told = [(row.candidate_id, row.usefulness, False, row.is_chosen) for row in candidates]
        told += [(title, found, True, False) for title, found in past.baselines.items()]
        of_each = [
            {
                "training_id": training_id,
                "division": division,
                "is_baseline": is_baseline,
                "is_chosen": is_chosen,
                "fold_date": past.after,
                "holdout_days": past.days,
                "customer_count": past.customer_count,
                "group_count": found.group_count,
                **usefulness_figures(found),
            }
            for division, found, is_baseline, is_chosen in told
            if found is not None
        ]
        return _in_order(SEGMENT_USEFULNESS, of_each)


def _in_order(
    table: TableContract, of_each: Sequence[Mapping[str, object]]
) -> list[tuple[object, ...]]:
    """Values by name as rows of a table; what is not named is NULL."""
    names = [column.name for column in table.columns]
    return [tuple(map(values.get, names)) for values in of_each]


def _jaccards(found: Stability | None) -> list[float | None] | None:
    return None if found is None else list(found.jaccards)


def _left_behind(trial: Trial, search: Search) -> TriedCandidate:
    """A trial that did not go on; what was found on a sample is no figure of all customers."""
    proposal = trial.proposal
    is_own = proposal.recipe == search.recipe
    fitted = replace(trial.row.fitted, clusters=None, seconds=trial.seconds)
    row = CandidateResult(fitted, None, None, None, None, reason=search.reason(trial))
    name = proposal.candidate.candidate_id if is_own else proposal.name
    return TriedCandidate(name, proposal.recipe, row, trial.row.gain)
