"""Tables of what tells a run's segments apart, and what else differs between them."""

from pyspark.sql import types as T

from segspark.tables.contract import Column, TableContract

ALL_SEGMENTS = "all"
"""In place of a segment: each is told from each other."""

_RUN_ID = Column("run_id", T.StringType(), "Hash of snapshot, model and assignment settings.")
_RATIO, _COUNT = T.DoubleType(), T.LongType()

SEGMENT_RULES = TableContract(
    name="segment_rules",
    meaning="One rule of a small tree that imitates the model of one run, in natural units: who "
    "meets it is told to be in the segment. Rules of a run exclude each other and leave nobody "
    "out; a segment to which none leads has one row without a condition.",
    grain=("run_id", "segment_id", "rule_number"),
    columns=(
        _RUN_ID,
        Column("segment_id", T.StringType(), "The segment that the rule tells."),
        Column("segment_name", T.StringType(), "Its name."),
        Column(
            "rule_number",
            T.IntegerType(),
            "1: the rule that most of the segment's customers meet; 0: none leads to it.",
        ),
        Column(
            "condition",
            T.StringType(),
            "The rule in SQL over the columns of the vector; NULL without one.",
            nullable=True,
        ),
        Column("description", T.StringType(), "The rule and its counts, in words."),
        Column("customer_count", _COUNT, "Assigned customers who meet it."),
        Column("segment_customer_count", _COUNT, "Those of them who are in the segment."),
        Column(
            "precision_ratio",
            _RATIO,
            "Share of who meets it that is in the segment; NULL where nobody does.",
            nullable=True,
        ),
        Column(
            "coverage_ratio",
            _RATIO,
            "Share of the segment that meets it; NULL where the segment is empty.",
            nullable=True,
        ),
        Column(
            "accuracy_ratio",
            _RATIO,
            "Of all rules: share of the held-out customers whose segment they tell; NULL without "
            "held-out customers.",
            nullable=True,
        ),
        Column(
            "balanced_accuracy_ratio",
            _RATIO,
            "The mean of that share over the segments; NULL as above.",
            nullable=True,
        ),
        Column("held_out_count", _COUNT, "Customers that the rules were tested on, not made from."),
    ),
)

SEGMENT_DRIVERS = TableContract(
    name="segment_drivers",
    meaning="How much the rules of one run need one column of the vector to tell one segment from "
    "the rest, or all from each other.",
    grain=("run_id", "segment_id", "feature_name"),
    columns=(
        _RUN_ID,
        Column("segment_id", T.StringType(), f"The segment, or `{ALL_SEGMENTS}`."),
        Column("segment_name", T.StringType(), f"Its name, or `{ALL_SEGMENTS}`."),
        Column("feature_name", T.StringType(), "Column of the vector."),
        Column(
            "importance_ratio",
            _RATIO,
            "Balanced accuracy lost on held-out customers when the column's values are shuffled "
            "among them, the mean over all shuffles.",
        ),
        Column("rank_number", T.IntegerType(), "1: the column that the segment needs most."),
    ),
)

SEGMENT_DIFFERENCES = TableContract(
    name="segment_differences",
    meaning="How much one variable that is not in the vector differs between the segments of one "
    "run, on a sample of its customers where there are many.",
    grain=("run_id", "variable_kind", "variable_name"),
    columns=(
        _RUN_ID,
        Column("variable_kind", T.StringType(), "feature (a number) or attribute (levels)."),
        Column("variable_name", T.StringType(), "Column of features, or attribute."),
        Column("customer_count", _COUNT, "Customers of whom it is known."),
        Column(
            "eta_squared_ratio",
            _RATIO,
            "Of a number: share of its variance that lies between segments.",
            nullable=True,
        ),
        Column(
            "epsilon_squared_ratio",
            _RATIO,
            "Of a number: share of the variance of its ranks that lies between segments.",
            nullable=True,
        ),
        Column(
            "cramers_v_ratio",
            _RATIO,
            "Of an attribute: Cramer's V, corrected for bias.",
            nullable=True,
        ),
        Column(
            "vector_explained_ratio",
            _RATIO,
            "Of a number: share of its variance that follows from the vector's columns.",
            nullable=True,
        ),
        Column("test", T.StringType(), "kruskal_wallis or chi_squared."),
        Column("test_statistic", _RATIO, "Of the test."),
        Column("degrees_of_freedom", T.IntegerType(), "Of the test."),
        Column(
            "smallest_expected_count",
            _RATIO,
            "Of an attribute: below 5 the p-value is rough.",
            nullable=True,
        ),
        Column(
            "p_value",
            _RATIO,
            "That all segments are alike; NULL where the number follows from the vector, which "
            "made the segments differ.",
            nullable=True,
        ),
        Column(
            "holm_p_value",
            _RATIO,
            "Adjusted for all tests of the run by Holm; NULL as above.",
            nullable=True,
        ),
        Column(
            "benjamini_hochberg_p_value",
            _RATIO,
            "Adjusted for all tests of the run by Benjamini and Hochberg; NULL as above.",
            nullable=True,
        ),
    ),
)
