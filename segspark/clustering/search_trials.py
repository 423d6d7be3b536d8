"""What became of a search: its trials, which of them were kept, and why not the others."""

from dataclasses import dataclass

from segspark.clustering.embedded_fits import Embeddings
from segspark.clustering.engine import Candidate
from segspark.clustering.results import CandidateResult, gain_of
from segspark.clustering.search_study import Proposal


@dataclass(frozen=True, slots=True)
class Trial:
    """What one trial came to.

    Attributes:
        proposal: What it tried.
        row: Its figures on the part of the sample that it was fitted to last.
        customers: Customers of that part.
        seconds: Time of its fits.
        others: Where it was pruned, the median gain of other trials on as many customers; None: it
            was not.
        refusal: Why it cannot be chosen although it went on to the end; None where it can.
    """

    proposal: Proposal
    row: CandidateResult
    customers: int
    seconds: float
    others: float | None = None
    refusal: str | None = None

    @property
    def is_able(self) -> bool:
        """Whether it went on to the end and can be chosen."""
        return self.others is None and self.refusal is None


@dataclass(frozen=True, slots=True)
class Search:
    """A finished search.

    Attributes:
        trials: All of them, in the order in which they were made.
        kept: Those that go on to all customers, the best first, all of one recipe.
        embeddings: What they were fitted on beside the plain vector.
        unmade: Why there are no more trials, where the time was over; empty where it was not.
    """

    trials: tuple[Trial, ...]
    kept: tuple[Trial, ...]
    embeddings: Embeddings
    unmade: str = ""

    @property
    def recipe(self) -> str:
        """That of the best trial."""
        return self.kept[0].proposal.recipe

    @property
    def candidates(self) -> list[Candidate]:
        """What goes on to all customers."""
        return [each.proposal.candidate for each in self.kept]

    @property
    def told(self) -> str:
        """What a reader should know of it, in a sentence."""
        pruned = sum(each.others is not None for each in self.trials)
        recipes = sorted({each.proposal.recipe for each in self.trials})
        most = max(each.customers for each in self.trials)
        best = f"the best {len(self.kept)} of {self.recipe}"
        if self._holds_a_place_for_the_plain_vector:
            best = (
                f"the best {len(self.kept) - 1} of {self.recipe} and its best on the plain vector"
            )
        return (
            f"Tried beforehand were {len(self.trials)} candidates of {' and '.join(recipes)} on up "
            f"to {most:,} customers, of which {pruned} were pruned on the way; {best} went on to "
            f"all customers.{self.unmade}"
        )

    def reason(self, trial: Trial) -> str:
        """Why a trial did not go on to all customers, in a sentence."""
        on = f"{trial.customers:,} customers of the sample"
        if trial.refusal is not None:
            return f"refused on {on}: {trial.refusal}"
        gain = f"gain {gain_of(trial.row):.3f}"
        if trial.others is not None:
            return f"pruned after {on}: {gain}, the median of others there {trial.others:.3f}"
        if trial.proposal.recipe != self.recipe:
            best = gain_of(self.kept[0].row)
            return f"not kept: {gain} on {on}, and the recipe {self.recipe} has one of {best:.3f}"
        last = gain_of(self.kept[-1].row)
        if gain_of(trial.row) > last:
            return f"not kept: {gain} on {on}, the last place went to the best on the plain vector"
        return f"not kept: {gain} on {on}, the last one kept has {last:.3f}"

    @property
    def _holds_a_place_for_the_plain_vector(self) -> bool:
        *others, last = (each.proposal.candidate.is_embedded for each in self.kept)
        return bool(others) and all(others) and not last
