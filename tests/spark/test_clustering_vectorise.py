import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from segspark.clustering.vectorise import with_vector
from segspark.model.vector import FeatureVector, ValueRule, VectorColumn
from segspark.model.vector_arrays import points_of_values
from tests.builders import table
from tests.vectors import NAMES, Case, cases, everyday_cases

SCHEMA = ", ".join(["number int", *(f"{name} double" for name in NAMES)])


@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    database=None,
    # Shrinking would run Spark for hours.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    extreme=st.lists(cases(), min_size=4, max_size=4),
    everyday=st.lists(everyday_cases(), min_size=2, max_size=2),
)
def test_spark_arrays_and_one_customer_agree(
    spark: SparkSession, extreme: list[Case], everyday: list[Case]
) -> None:
    drawn = [*extreme, *everyday]
    rows = [
        (number, *(customer[name] for name in NAMES))
        for number, case in enumerate(drawn)
        for customer in case.customers
    ]
    features = table(spark, SCHEMA, *rows).coalesce(1)
    for number, case in enumerate(drawn):
        features = with_vector(features, case.vector, name=f"v{number}")

    found = features.collect()

    of_spark = [row[f"v{row['number']}"] for row in found]
    cases_of = [(case, customer) for case in drawn for customer in case.customers]
    for (case, customer), point in zip(cases_of, of_spark, strict=True):
        values = np.array([[customer[name] for name in NAMES]], dtype=np.float64)
        for other in (case.vector.point(customer), points_of_values(case.vector, values)[0]):
            assert (np.abs(np.subtract(point, other)) <= case.tolerances(customer)).all()


def test_a_missing_value_stays_missing_instead_of_taking_a_bound(spark: SparkSession) -> None:
    vector = FeatureVector((VectorColumn(ValueRule("monetary_amount"), 1.0, 2.0, 0.0, 1.0),))
    features = table(spark, "monetary_amount double", (None,), (float("nan"),), (0.0,), (1e9,))

    rows = with_vector(features, vector, name="vector").collect()

    assert [row["vector"] for row in rows] == [[None], [None], [1.0], [2.0]]
