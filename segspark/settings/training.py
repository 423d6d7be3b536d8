"""How customers become points, which clusterings are tried and which one is chosen."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from segspark.settings.base import StrictModel


class Algorithm(StrEnum):
    """A family of clusterings."""

    KMEANS = "kmeans"
    BISECTING_KMEANS = "bisecting_kmeans"
    GAUSSIAN_MIXTURE = "gaussian_mixture"


VectorFeature = Literal[
    "recency_days", "frequency_count", "monetary_amount", "average_order_amount", "tenure_days"
]
"""Columns of `customer_features` that may enter the vector, each as log(1 + value)."""


class VectorSettings(StrictModel):
    """The feature vector: log(1 + x), winsorised, standardised (population deviation)."""

    columns: tuple[VectorFeature, ...] = Field(
        default=("recency_days", "frequency_count", "average_order_amount"), strict=False
    )
    """Feature columns that are clustered, at least one."""
    winsorise_tail_ratio: float = Field(default=0.005, ge=0, lt=0.5)
    """Share cut off at each end, on the log scale; 0: none."""

    @model_validator(mode="after")
    def _columns_come_once(self) -> Self:
        if not self.columns or len(set(self.columns)) < len(self.columns):
            raise ValueError("name at least one column, and each only once")
        return self


class SweepSettings(StrictModel):
    """The candidates."""

    engine: Literal["sparkml"] = "sparkml"
    """What fits them."""
    algorithms: tuple[Annotated[Algorithm, Field(strict=False)], ...] = Field(
        default=(Algorithm.KMEANS, Algorithm.BISECTING_KMEANS, Algorithm.GAUSSIAN_MIXTURE),
        strict=False,
    )
    """Families tried, each with every number of segments."""
    fewest_segments: int = Field(default=3, ge=2)
    """Smallest number of segments tried and chosen."""
    most_segments: int = Field(default=8, ge=2, le=50)
    """Largest number of segments tried and chosen."""
    kmeans_restarts: int = Field(default=3, ge=1)
    """Starts of KMeans per number of segments; the lowest cost is kept."""
    mixture_restarts: int = Field(default=2, ge=1)
    """Starts of the Gaussian mixture; the highest likelihood is kept."""
    most_iterations: int = Field(default=50, ge=1)
    """Iterations after which a fit stops; bisecting, which never stops earlier, makes at most
    20 a split."""
    seed: int = Field(default=20171, ge=0)
    """Seed of every random start."""

    @model_validator(mode="after")
    def _range_is_one(self) -> Self:
        if not self.algorithms or len(set(self.algorithms)) < len(self.algorithms):
            raise ValueError("name at least one algorithm, and each only once")
        if self.fewest_segments > self.most_segments:
            raise ValueError("fewest_segments is above most_segments")
        return self


class SelectionSettings(StrictModel):
    """The rule that chooses a candidate: highest silhouette above structureless data."""

    smallest_segment_ratio: float = Field(default=0.02, ge=0, lt=0.5)
    """A candidate whose smallest segment holds a lower share is not chosen."""
    natural_cluster_margin: float = Field(default=0.05, ge=0)
    """Below this gain over structureless data the verdict says: no natural clusters."""
    structureless_draws: int = Field(default=5, ge=2)
    """Data sets without structure, with the same margins and rank correlations, to compare to."""
    structureless_customers: int = Field(default=2000, ge=50)
    """Customers in each of them."""


class TrainingSettings(StrictModel):
    """Everything that a model depends on beside the customers."""

    vector: VectorSettings = VectorSettings()
    """How a customer becomes a point."""
    sweep: SweepSettings = SweepSettings()
    """What is tried."""
    selection: SelectionSettings = SelectionSettings()
    """What is chosen."""
