"""Points and published answers that several tests of clustering share."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

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


def online_retail_customers(spark: SparkSession) -> DataFrame:
    """Recency, frequency and money of Online Retail's customers, or skip where it is absent."""
    data = Path(os.environ.get("SEGSPARK_DATA", _HERE.parent / "../shared/data"))
    path = data.parent / "known_answers" / "rfm_online_retail_valid.csv"
    if not path.exists():
        pytest.skip(f"{path} is absent: set SEGSPARK_DATA to the folder of the real data")
    return spark.read.csv(str(path), header=True, inferSchema=True).select(
        F.col("cust").cast("string").alias("customer_id"),
        "recency_days",
        F.col("frequency_invoices").alias("frequency_count"),
        F.col("monetary_gbp").alias("monetary_amount"),
    )
