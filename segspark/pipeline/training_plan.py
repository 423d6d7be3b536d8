"""What a training works with: one vector and its candidates, searched for where that is asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.clustering.block import points_of
from segspark.clustering.engine import Candidate, candidates_of
from segspark.clustering.outliers import outliers_of
from segspark.clustering.points import MemoryPoints
from segspark.clustering.search import search_candidates
from segspark.clustering.search_fits import PARTS
from segspark.clustering.search_study import imported_optuna
from segspark.clustering.search_trials import Search
from segspark.clustering.sweep import SweepPlan
from segspark.clustering.vector_fit import VectorFit, fit_vector
from segspark.clustering.vectorise import with_vector
from segspark.errors import ClusteringError
from segspark.features.eligibility import eligible, with_vector_eligibility
from segspark.model.scores import Floats
from segspark.model.vector import FeatureVector, ValueRule
from segspark.pipeline.stage import Workspace
from segspark.pipeline.vector_features import check_configured_vectors, configured_rules
from segspark.settings.root import Settings
from segspark.settings.vector import VectorSettings


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """One vector, and what is to be fitted to all customers.

    Attributes:
        settings: How the vector was to be fitted.
        rules: Its columns, and how each is read.
        fit: The fitted vector.
        candidates: What is tried.
        search: Where they come from; None: from the full grid.
    """

    settings: VectorSettings
    rules: tuple[ValueRule, ...]
    fit: VectorFit
    candidates: Sequence[Candidate]
    search: Search | None = None

    @property
    def sweep(self) -> SweepPlan:
        """The candidates with the embeddings that a search tried them on."""
        return SweepPlan(self.candidates, self.search.embeddings if self.search else None)


def check_training(settings: Settings) -> None:
    """Refuse a training that cannot be made whatever the customers are.

    Raises:
        ConfigError: A column is unknown or no number, or there are fewer columns than components.
        SetupError: A search is asked for and Optuna is not installed.
    """
    check_configured_vectors(settings)
    if settings.training.search is not None:
        imported_optuna()


def plan_training(workspace: Workspace, everyone: DataFrame) -> TrainingPlan:
    """Fit the vector and name the candidates, by a search where the settings ask for one.

    Args:
        workspace: The surroundings.
        everyone: Customer features with the columns of all configured vectors, one row per
            customer.

    Raises:
        ClusteringError: A vector cannot be fitted, or no trial of a search can be chosen.
    """
    training = workspace.settings.training
    plans = [_full_grid(workspace, everyone, vector) for vector in training.vectors]
    if training.search is None:
        return plans[0]
    samples: dict[str, Floats] = {}
    for plan in plans:
        workspace.progress.step(f"train: taking a sample of customers for {plan.settings.recipe}")
        points = vectorised(eligible_customers(everyone, plan.rules), plan.fit.vector)
        rows = max(PARTS[-1], training.selection.structureless_customers)
        sample = sampled_points(points, rows=rows)
        outliers = outliers_of(MemoryPoints(sample), training.outliers, seed=training.sweep.seed)
        samples[plan.settings.recipe] = outliers.rule.fitted(sample)
    search = search_candidates(
        samples,
        training.search,
        training,
        progress=lambda words: workspace.progress.step(f"train: {words}"),
    )
    chosen = next(plan for plan in plans if plan.settings.recipe == search.recipe)
    return TrainingPlan(chosen.settings, chosen.rules, chosen.fit, search.candidates, search)


def eligible_customers(everyone: DataFrame, rules: Sequence[ValueRule]) -> DataFrame:
    """The customers whose features a vector of these columns can take."""
    return eligible(with_vector_eligibility(everyone, rules=rules))


def vectorised(features: DataFrame, vector: FeatureVector) -> DataFrame:
    """Customers as points: customer_id, vector (array<double>)."""
    return with_vector(features, vector, name="vector").select("customer_id", "vector")


def sampled_points(points: DataFrame, *, rows: int) -> Floats:
    """Take the points that `PointBlocks.sample` takes, without laying out all of them.

    Args:
        points: customer_id (unique), vector (array<double>), one row per customer; at least one.
        rows: How many at most; the driver holds them.

    Returns:
        Shape (n, d): customers of the lowest hashes, in their order.
    """
    lowest = points.orderBy(F.xxhash64("customer_id"), "customer_id").limit(rows)
    (batch,) = lowest.select("vector").toArrow().combine_chunks().to_batches()
    return points_of(batch)


def _full_grid(workspace: Workspace, everyone: DataFrame, vector: VectorSettings) -> TrainingPlan:
    settings = workspace.settings
    rules = configured_rules(settings, vector)
    try:
        fit = fit_vector(eligible_customers(everyone, rules), rules, vector)
    except ClusteringError as error:
        raise ClusteringError(f"{settings.training.lead_of(vector.recipe)}{error}") from error
    return TrainingPlan(vector, rules, fit, candidates_of(settings.training.sweep))
