"""Which clusterings are tried and which one is chosen."""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from segspark.settings.base import StrictModel
from segspark.settings.search import SearchSettings
from segspark.settings.vector import DEFAULT_RECIPE, VectorSettings


class Algorithm(StrEnum):
    """A family of clusterings."""

    KMEANS = "kmeans"
    BISECTING_KMEANS = "bisecting_kmeans"
    GAUSSIAN_MIXTURE = "gaussian_mixture"
    WARD = "ward"
    COMPLETE_LINKAGE = "complete_linkage"
    AVERAGE_LINKAGE = "average_linkage"
    DBSCAN = "dbscan"
    HDBSCAN = "hdbscan"
    CONSENSUS = "consensus"

    @property
    def is_on_micro_clusters(self) -> bool:
        """Whether it looks at many small clusters in place of the customers."""
        return self not in (self.KMEANS, self.BISECTING_KMEANS, self.GAUSSIAN_MIXTURE)

    @property
    def finds_segment_count(self) -> bool:
        """Whether it finds the number of segments rather than being given one."""
        return self in (self.DBSCAN, self.HDBSCAN)


class Covariance(StrEnum):
    """What the covariances of a mixture's components may look like."""

    FULL = "full"
    DIAGONAL = "diagonal"
    TIED = "tied"
    SPHERICAL = "spherical"


class EmbeddingMethod(StrEnum):
    """What a point of the vector becomes before it is clustered."""

    NONE = "none"
    PCA = "pca"
    AUTOENCODER = "autoencoder"


class PcaSettings(StrictModel):
    """Principal components of the vector; give one of the two keys."""

    component_count: int | None = Field(default=None, ge=1)
    """Number of components, at most as many as the vector has columns."""
    least_explained_ratio: float | None = Field(default=None, gt=0, le=1)
    """As few components as explain this share of the variance."""

    @model_validator(mode="after")
    def _one_is_given(self) -> Self:
        if (self.component_count is None) == (self.least_explained_ratio is None):
            raise ValueError("give exactly one of component_count and least_explained_ratio")
        return self


class AutoencoderSettings(StrictModel):
    """A small network that learns to give back the vector from few components of it."""

    component_count: int = Field(default=2, ge=1)
    """Number of components, at most as many as the vector has columns."""
    hidden_unit_count: int = Field(default=16, ge=2, le=256)
    """Units of the layer before the components, and of the one after them."""
    most_epochs: int = Field(default=200, ge=1)
    """Passes over a sample of the customers, after which learning stops if it has not before."""


class SweepSettings(StrictModel):
    """The candidates."""

    engine: Literal["batched", "sparkml"] = "batched"
    """What fits them: `batched` takes all candidates on together, a pass over the customers for a
    step of each; `sparkml` runs Spark ML's own algorithms one after the other."""
    algorithms: tuple[Annotated[Algorithm, Field(strict=False)], ...] = Field(
        default=(Algorithm.KMEANS, Algorithm.BISECTING_KMEANS, Algorithm.GAUSSIAN_MIXTURE),
        strict=False,
    )
    """Families tried, each with every number of segments. `ward`, `complete_linkage` and
    `average_linkage` join micro-clusters to one tree, and every number is cut from it; `dbscan`
    joins dense micro-clusters and finds their number itself, kept if it lies in the range below;
    `hdbscan` does so with an eps of each segment's own, for segments of unlike densities;
    `consensus` joins micro-clusters that most candidates of the other families put together."""
    embeddings: tuple[Annotated[EmbeddingMethod, Field(strict=False)], ...] = Field(
        default=(EmbeddingMethod.NONE,), strict=False
    )
    """What is clustered, each by every algorithm: `none`, the plain vector, which is always among
    them; `pca`, its principal components; `autoencoder`, the components of a small network. All
    are judged by the plain vector."""
    pca: PcaSettings = PcaSettings(least_explained_ratio=0.9)
    """Principal components; as few as explain 0.9 of the variance where nothing is given."""
    autoencoder: AutoencoderSettings = AutoencoderSettings()
    """The network."""
    fewest_segments: int = Field(default=3, ge=2)
    """Smallest number of segments tried and chosen."""
    most_segments: int = Field(default=8, ge=2, le=50)
    """Largest number of segments tried and chosen."""
    kmeans_restarts: int = Field(default=3, ge=1)
    """Starts of KMeans per number of segments; the lowest cost is kept."""
    mixture_restarts: int = Field(default=5, ge=1)
    """Starts of the Gaussian mixture, the first from KMeans; the highest likelihood is kept. Of
    `sparkml` each is a fit to all customers."""
    most_iterations: int = Field(default=50, ge=1)
    """Iterations after which a fit stops; bisecting, which never stops earlier, makes at most
    20 a split."""
    covariances: tuple[Annotated[Covariance, Field(strict=False)], ...] = Field(
        default=(Covariance.FULL,), strict=False
    )
    """What the covariances of a mixture's components may look like: each is tried with every number
    of segments; `sparkml` knows `full` only."""
    micro_cluster_count: int = Field(default=400, ge=50, le=2000)
    """Micro-clusters that stand for all customers, at most as many as there are distinct ones.
    More follow the customers more closely, and scoring takes as much longer."""
    dbscan_eps: tuple[Annotated[FiniteFloat, Field(gt=0)], ...] = Field(default=(), strict=False)
    """Distances, in units of the vector, or of an embedding's components, within which customers
    are neighbours: one candidate each. None: the knee of the curve of distances to the k-th nearest
    customer, or five radii of the micro-clusters where these are more. One below that is refused:
    they are too coarse for it."""
    dbscan_core_ratio: float = Field(default=0.01, gt=0, le=0.5)
    """Share of all customers that must lie within eps of a customer in the middle of a segment."""
    hdbscan_smallest_ratio: float = Field(default=0.04, gt=0, le=0.5)
    """Share of all customers that make a segment of `hdbscan`; what is denser than its
    surroundings and smaller is part of them, or noise. It is as many nearest customers that tell
    how dense it is around one, so a low share takes chance for segments."""
    seed: int = Field(default=20171, ge=0)
    """Seed of every random start."""

    @model_validator(mode="before")
    @classmethod
    def _covariance_is_a_list(cls, data: Any) -> Any:  # noqa: ANN401 - whatever was written
        if isinstance(data, dict) and "covariance" in data:
            raise ValueError("covariance is a list now: covariances, such as [full, tied]")
        return data

    @model_validator(mode="after")
    def _range_is_one(self) -> Self:
        for tried, one in ((self.algorithms, "algorithm"), (self.covariances, "covariance")):
            if not tried or len(set(tried)) < len(tried):
                raise ValueError(f"name at least one {one}, and each only once")
        if EmbeddingMethod.NONE not in self.embeddings:
            raise ValueError(
                "embeddings are compared with the plain vector: name none among embeddings, too"
            )
        if len(set(self.embeddings)) < len(self.embeddings):
            raise ValueError("name each of embeddings only once")
        if self.fewest_segments > self.most_segments:
            raise ValueError("fewest_segments is above most_segments")
        on_micro = [each.value for each in self.algorithms if each.is_on_micro_clusters]
        if self.engine == "sparkml" and on_micro:
            raise ValueError(
                f"the engine sparkml does not know {', '.join(on_micro)}: take the engine batched"
            )
        if self.algorithms == (Algorithm.CONSENSUS,):
            raise ValueError("consensus needs another algorithm to agree with: name one beside it")
        if len(set(self.dbscan_eps)) < len(self.dbscan_eps):
            raise ValueError("name each distance in dbscan_eps only once")
        if self.engine == "sparkml" and self.covariances != (Covariance.FULL,):
            raise ValueError("the engine sparkml knows the covariance full only")
        return self


class SelectionSettings(StrictModel):
    """The rule that chooses a candidate: the best by a criterion, of those that come back."""

    criterion: Literal["gain", "usefulness"] = "gain"
    """What decides between candidates: `gain`, the silhouette above that of structureless data; or
    `usefulness`, the share of the variance of the ranks of later spend that its segments of a past
    day would have told, which more segments nearly always raise."""
    holdout_days: int = Field(default=0, ge=0, le=36_500)
    """Length of the period before the as-of date: every candidate is fitted anew on the day before
    it, held against what customers did in it, and compared with the one of the as-of date; 0: that
    is not looked at."""
    smallest_segment_ratio: float = Field(default=0.02, ge=0, lt=0.5)
    """A candidate whose smallest segment holds a lower share is not chosen."""
    natural_cluster_margin: float = Field(default=0.05, ge=0)
    """Below this gain over structureless data segments are no natural clusters, unless customers
    are few between any two of them."""
    least_stability: float = Field(default=0.6, ge=0, le=1)
    """A candidate whose segments overlap with those of resamples by a lower mean Jaccard is not
    chosen while there is one that does better."""
    stability_resamples: int = Field(default=10, ge=0)
    """Resamples in which segments are looked for again; 0: none, and nothing is ruled out by it."""
    structureless_draws: int = Field(default=5, ge=2)
    """Data sets without structure, with the same margins and rank correlations, to compare to; and
    as many uniform ones."""
    structureless_customers: int = Field(default=2000, ge=50, le=50_000)
    """Customers in each of them."""

    @model_validator(mode="after")
    def _usefulness_has_days(self) -> Self:
        if self.criterion == "usefulness" and not self.holdout_days:
            raise ValueError("the criterion usefulness needs holdout_days, such as 90")
        return self


class OutlierSettings(StrictModel):
    """Customers far from all others: who they are, and what becomes of them."""

    policy: Literal["keep", "clip", "apart"] = "keep"
    """`keep`: they are clustered like everybody and flagged; `clip`: whoever is farther from the
    middle of all customers than the fence is clustered as if at the fence; `apart`: whoever is
    beyond that fence, or isolated, is left out of the fits and forms a segment of its own."""
    fence_ratio: float = Field(default=3.0, gt=0)
    """Quartile distances above the upper quartile beyond which a distance is far: the one to the
    own segment's centre for the flag, the one to the middle of all customers for the policy."""
    isolation_bound: float | None = Field(default=None, gt=0.5, lt=1)
    """Score of an isolation forest above which a customer is isolated, and flagged: 0.5 is usual,
    0.65 rare; none: no forest is grown."""
    isolation_trees: int = Field(default=100, ge=10, le=1000)
    """Trees of the forest, grown on a sample of 256 customers each."""


class TrainingSettings(StrictModel):
    """Everything that a model depends on beside the customers."""

    vector: VectorSettings = VectorSettings()
    """How a customer becomes a point."""
    outliers: OutlierSettings = OutlierSettings()
    """What becomes of customers far from all others."""
    sweep: SweepSettings = SweepSettings()
    """What is tried."""
    search: SearchSettings | None = None
    """A search for what is worth trying; none: the sweep tries everything that it names."""
    selection: SelectionSettings = SelectionSettings()
    """What is chosen."""

    @property
    def vectors(self) -> tuple[VectorSettings, ...]:
        """The vectors that are tried, one for each recipe."""
        recipes = self.search.recipes if self.search is not None else ()
        return tuple(map(self.vector.with_recipe, recipes)) or (self.vector,)

    def lead_of(self, recipe: str) -> str:
        """What a sentence about one of several recipes begins with; of a single one nothing."""
        return f"of training.search.recipes {recipe}: " if len(self.vectors) > 1 else ""

    @model_validator(mode="after")
    def _a_search_can_be_made(self) -> Self:
        if self.search is None:
            return self
        if "custom" in self.search.recipes and self.vector.recipe != "custom":
            raise ValueError("search.recipes names custom: give vector.columns, or leave it out")
        own = self.vector.recipe
        # Not what was written but what differs: the settings that a training tells must read back.
        if self.search.recipes and own not in (DEFAULT_RECIPE, *self.search.recipes):
            given = "vector.columns" if own == "custom" else f"vector.recipe {own}"
            raise ValueError(
                f"search.recipes leaves out {own}, and {given} would be of no use: name {own} "
                f"among search.recipes, or leave {given} out"
            )
        if Algorithm.CONSENSUS in self.sweep.algorithms:
            raise ValueError(
                "a search tries one candidate at a time, and consensus needs others to agree with: "
                "leave it out of sweep.algorithms, or leave out search"
            )
        if self.selection.criterion != "gain":
            raise ValueError(
                "a search looks for the highest gain: leave selection.criterion at gain, or leave "
                "out search"
            )
        return self

    @model_validator(mode="after")
    def _past_days_have_the_vector(self) -> Self:
        has_value = any(
            each.recipe == "rfm_clv" or "lifetime_value_amount" in each.columns
            for each in self.vectors
        )
        if self.selection.holdout_days and has_value:
            raise ValueError(
                "selection.holdout_days looks at a past day, which has no lifetime values: "
                "take another vector, or leave it at 0"
            )
        return self
