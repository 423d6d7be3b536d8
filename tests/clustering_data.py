"""Points and published answers that several tests of clustering share."""

import json
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from segspark.clustering.recipes import value_rules
from segspark.clustering.vector_fit import VectorFit, fit_vector
from segspark.model.scores import Floats
from segspark.settings.features import FeatureSettings
from segspark.settings.training import Covariance
from segspark.settings.vector import VectorSettings

COVARIANCE_TYPES = {
    Covariance.FULL: "full",
    Covariance.DIAGONAL: "diag",
    Covariance.TIED: "tied",
    Covariance.SPHERICAL: "spherical",
}
"""What scikit-learn calls them."""
_HERE = Path(__file__).parent


def fit_vector_of(features: DataFrame, settings: VectorSettings) -> VectorFit:
    """Fit a vector to features with the windows that nobody has changed."""
    rules = value_rules(settings, windows=FeatureSettings().windows_days)
    return fit_vector(features, rules, settings)


def points_frame(spark: SparkSession, values: Floats) -> DataFrame:
    """Points of customers c00000, c00001, …: customer_id, vector (array<double>)."""
    rows = [(f"c{order:05}", row.tolist()) for order, row in enumerate(values)]
    return spark.createDataFrame(rows, "customer_id string, vector array<double>")


def known_answers() -> dict[str, Any]:
    """Published figures of clusterings."""
    answers: dict[str, Any] = json.loads((_HERE / "known_answers" / "clustering.json").read_text())
    return answers


ONLINE_RETAIL_CUSTOMERS = _HERE / "known_answers" / "online_retail_customers.csv"
"""4,338 customers: customer_id, recency_days, frequency_count, monetary_amount."""


def online_retail_customers(spark: SparkSession) -> DataFrame:
    """Recency, frequency and money of Online Retail's customers."""
    schema = "customer_id string, recency_days int, frequency_count int, monetary_amount double"
    return spark.read.csv(str(ONLINE_RETAIL_CUSTOMERS), header=True, schema=schema)
