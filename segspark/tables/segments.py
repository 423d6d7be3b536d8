"""Tables of models, segments and profiles."""

from pyspark.sql import types as T

from segspark.tables.contract import MONEY, Column, TableContract

PROFILED_FEATURES = {
    "recency_days": "days since the last purchase",
    "frequency_count": "orders",
    "monetary_amount": "spend",
    "average_order_amount": "spend per order",
    "tenure_days": "days since the first purchase",
}
"""Features that a profile describes, with their meaning."""

_RUN_ID = Column("run_id", T.StringType(), "Hash of snapshot, model and assignment settings.")

_CANDIDATE_FIGURES = {
    "silhouette": "Squared Euclidean, -1 to 1.",
    "euclidean_silhouette": "Euclidean, on a sample.",
    "cosine_silhouette": "By 1 - cosine, on a sample.",
    "structureless_silhouette": "Best mean silhouette of any algorithm of the sweep with as many "
    "segments on data without structure: same margins, same rank correlations.",
    "silhouette_gain": "Silhouette less that of structureless data.",
    "single_mode_silhouette_gain": "The same where each column of that data has one mode; NULL in "
    "trainings of earlier versions.",
    "separated_pair_ratio": "Share of the pairs of its segments with few customers between them, "
    "on a sample; NULL in trainings of earlier versions, or of one segment.",
    "search_gain": "Gain on the part of the sample that a search fitted it to last; NULL without a "
    "search, or where there is none.",
    "stability_jaccard": "Mean overlap of its segments with those of resamples, 0 to 1; NULL where "
    "it was not looked at.",
    "lowest_stability_jaccard": "The same of the least stable segment.",
    "stability_rand_ratio": "Mean adjusted Rand index against resamples: 1 equal, 0 chance.",
    "usefulness_spend_ratio": "Share of the variance of the ranks of spend after a past day that "
    "its segments of that day tell; NULL where it was not looked at.",
    "usefulness_gini_ratio": "How well they rank customers by that spend: 1 perfectly, 0 chance.",
    "usefulness_retention_ratio": "Share of the variance of buying again that they tell.",
    "time_stability_jaccard": "Mean overlap of its segments with those of the past day, on the "
    "customers as they were then.",
    "lowest_time_stability_jaccard": "The same of the least stable segment.",
    "time_stability_rand_ratio": "Adjusted Rand index of the two.",
    "davies_bouldin": "Lower is better.",
    "calinski_harabasz": "Higher is better.",
    "within_cluster_sum": "Squared distances to the segment's mean.",
    "gap": "Gap statistic: mean logarithm of the within sum of uniform data, in the box of the "
    "principal components, less that of a sample as large; NULL in trainings of earlier versions.",
    "gap_deviation": "Standard error of the gap, over the draws.",
    "copula_gap": "The same with structureless data in place of uniform ones.",
    "copula_gap_deviation": "Its standard error.",
    "smallest_segment_ratio": "Share of the smallest segment.",
    "largest_segment_ratio": "Share of the largest.",
    "mean_confidence_ratio": "Mean lead over the runner-up, 0 to 1.",
    "log_likelihood": "Of a mixture of the plain vector.",
    "bic": "Bayesian information criterion of such a mixture; lower is better.",
    "aic": "Akaike's information criterion of such a mixture; lower is better.",
}

_JACCARDS = {
    "segment_stability_jaccards": "Mean overlap of each segment with those of resamples, in the "
    "order of cluster_index; NULL within for a segment none of whose customers was drawn.",
    "segment_time_stability_jaccards": "Overlap of each segment with those of the past day, in the "
    "same order.",
}


def _candidate_figures() -> tuple[Column, ...]:
    return tuple(
        Column(name, T.DoubleType(), meaning, nullable=True)
        for name, meaning in _CANDIDATE_FIGURES.items()
    )


SEGMENT_CANDIDATES = TableContract(
    name="segment_candidates",
    meaning="One candidate of a training: what was tried, how it did, why it was chosen or not.",
    grain=("training_id", "candidate_id"),
    columns=(
        Column("training_id", T.StringType(), "Hash of snapshot and training settings."),
        Column(
            "candidate_id",
            T.StringType(),
            "Algorithm and number of segments, kmeans-4, or distance of neighbours, "
            "dbscan-eps0.5; an embedding before it, pca-kmeans-4, and a covariance other than full "
            "within, gaussian_mixture-tied-4, where there is one; of a trial with another recipe "
            "than the model's that before all, behaviour-kmeans-4.",
        ),
        Column(
            "embedding",
            T.StringType(),
            "What was clustered: none, the plain vector; pca, its principal components; "
            "autoencoder, those of a network; NULL where there was no choice yet.",
            nullable=True,
        ),
        Column(
            "recipe",
            T.StringType(),
            "Recipe of the vector; NULL in trainings of earlier versions.",
            nullable=True,
        ),
        Column("algorithm", T.StringType(), "Family of the clustering."),
        Column(
            "covariance",
            T.StringType(),
            "What the covariances of a mixture's components may look like; NULL for other "
            "algorithms, and in trainings of earlier versions.",
            nullable=True,
        ),
        Column(
            "segment_count",
            T.IntegerType(),
            "Segments asked for; those found by dbscan and hdbscan, which are asked for none.",
        ),
        Column("found_segment_count", T.IntegerType(), "Segments found.", nullable=True),
        *_candidate_figures(),
        *(
            Column(name, T.ArrayType(T.DoubleType()), meaning, nullable=True)
            for name, meaning in _JACCARDS.items()
        ),
        Column(
            "is_elbow",
            T.BooleanType(),
            "Whether the within sum of its embedding, algorithm and covariance has its elbow here; "
            "NULL for trials of a search that did not go on.",
            nullable=True,
        ),
        Column("is_chosen", T.BooleanType(), "Whether it became the model."),
        Column("is_plain_maximum", T.BooleanType(), "Whether plain silhouette would take it."),
        Column("reason", T.StringType(), "Why it was chosen or not."),
        Column("elapsed_seconds", T.DoubleType(), "Time of the fit, restarts included."),
    ),
)

SEGMENT_MODELS = TableContract(
    name="segment_models",
    meaning="One chosen model, whole: it scores from its JSON alone.",
    grain=("model_id",),
    columns=(
        Column("model_id", T.StringType(), "Hash of the training and the chosen candidate."),
        Column("training_id", T.StringType(), "Training that chose it."),
        Column("segmentation", T.StringType(), "Segmentation it belongs to."),
        Column("snapshot_id", T.StringType(), "Features it was trained on."),
        Column("as_of_date", T.DateType(), "Last day counted in them."),
        Column("algorithm", T.StringType(), "Family of the clustering."),
        Column("segment_count", T.IntegerType(), "Segments."),
        Column("model_json", T.StringType(), "Feature vector, centres or mixture, thresholds."),
        Column("verdict", T.StringType(), "What was chosen and why, in words."),
    ),
)

SEGMENT_IDENTITIES = TableContract(
    name="segment_identities",
    meaning="What a model's cluster is called; settled at the model's first assignment, kept for "
    "its life, carried over from the model published before where customers are the same.",
    grain=("model_id", "cluster_index"),
    columns=(
        Column("model_id", T.StringType(), "The model."),
        Column("cluster_index", T.IntegerType(), "What the algorithm returns."),
        Column("segment_id", T.StringType(), "What people see; survives retraining."),
        Column("segment_name", T.StringType(), "Follows from the segment's profile."),
        Column("suggested_action", T.StringType(), "What to do next, by the same profile."),
        Column(
            "predecessor_run_id",
            T.StringType(),
            "Published run whose segments were carried over.",
            nullable=True,
        ),
        Column(
            "shared_customer_ratio",
            T.DoubleType(),
            "Jaccard overlap with the segment that the id comes from; NULL for a new one.",
            nullable=True,
        ),
    ),
)

CUSTOMER_SEGMENTS = TableContract(
    name="customer_segments",
    meaning="One customer in one run.",
    grain=("run_id", "customer_id"),
    columns=(
        _RUN_ID,
        Column("customer_id", T.StringType(), "Normalised customer id.", personal=True),
        Column("segment_id", T.StringType(), "The customer's segment."),
        Column("cluster_index", T.IntegerType(), "What the algorithm returned."),
        Column(
            "centre_distance",
            T.DoubleType(),
            "Distance to the segment's centre, in standard deviations.",
        ),
        Column(
            "probability_ratio",
            T.DoubleType(),
            "Posterior of the segment; NULL unless the model is a mixture, and of outliers apart.",
            nullable=True,
        ),
        Column(
            "confidence_ratio",
            T.DoubleType(),
            "0 (torn between two) to 1: lead over the runner-up; of outliers apart, how far they "
            "are beyond the bounds.",
        ),
        Column("runner_up_segment_id", T.StringType(), "Second-best segment.", nullable=True),
        Column("is_borderline", T.BooleanType(), "Confidence below the configured bound."),
        Column(
            "isolation_score",
            T.DoubleType(),
            "Score of the isolation forest: 0.5 usual, towards 1 alone; NULL without one.",
            nullable=True,
        ),
        Column(
            "is_far_from_centre",
            T.BooleanType(),
            "Beyond the fence of distances to the own centre; NULL in runs before there was it.",
            nullable=True,
        ),
        Column(
            "is_isolated",
            T.BooleanType(),
            "Isolation above the configured bound; NULL without a forest.",
            nullable=True,
        ),
        Column(
            "is_outlier",
            T.BooleanType(),
            "Far from its centre or from the middle of all, isolated, or like no segment.",
        ),
    ),
)

CUSTOMER_FUNNEL = TableContract(
    name="customer_funnel",
    meaning="How many customers of a run are assigned, and how many excluded, by reason; they add "
    "up to all customers of the snapshot.",
    grain=("run_id", "outcome"),
    columns=(
        _RUN_ID,
        Column("outcome", T.StringType(), "assigned, or the reason of the exclusion."),
        Column("customer_count", T.LongType(), "Customers."),
    ),
)


_FIGURES = T.StructType(
    [T.StructField(name, T.DoubleType()) for name in ("mean", "p25", "median", "p75")]
)


def _statistics() -> tuple[Column, ...]:
    statistics = {
        "mean": "Mean",
        "p25": "Lower quartile",
        "median": "Median",
        "p75": "Upper quartile",
    }
    return tuple(
        Column(f"{feature}_{suffix}", T.DoubleType(), f"{words} of {meaning}.", nullable=True)
        for feature, meaning in PROFILED_FEATURES.items()
        for suffix, words in statistics.items()
    )


SEGMENT_PROFILES = TableContract(
    name="segment_profiles",
    meaning="One segment in one run.",
    grain=("run_id", "segment_id"),
    columns=(
        _RUN_ID,
        Column("segment_id", T.StringType(), "The segment."),
        Column("segment_name", T.StringType(), "Its name."),
        Column("description", T.StringType(), "What its customers are like, in words."),
        Column("suggested_action", T.StringType(), "What to do next."),
        Column("customer_count", T.LongType(), "Customers."),
        Column("customer_ratio", T.DoubleType(), "Share of the assigned customers."),
        Column("monetary_amount", MONEY, "Spend of the segment."),
        Column(
            "monetary_ratio",
            T.DoubleType(),
            "Share of the assigned customers' spend.",
            nullable=True,
        ),
        Column("borderline_ratio", T.DoubleType(), "Share of its customers on a border."),
        Column("outlier_ratio", T.DoubleType(), "Share of its outliers."),
        *_statistics(),
        Column(
            "custom_features",
            T.MapType(T.StringType(), _FIGURES),
            "Mean and quartiles of the features of `features.custom`, by name; one that none of "
            "its customers has is absent.",
            nullable=True,
        ),
    ),
)
