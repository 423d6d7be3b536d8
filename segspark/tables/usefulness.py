"""Table of what divisions of a past day's customers told of the period after it."""

from pyspark.sql import types as T

from segspark.tables.contract import Column, TableContract

SEGMENT_USEFULNESS = TableContract(
    name="segment_usefulness",
    meaning="How well one division of the customers of a past day tells what they did in the days "
    "after it: the segments of a candidate of the sweep that could be fitted on that day, named "
    "RFM or deciles of past spend. There are none where `training.selection.holdout_days` is 0, "
    "and of trainings of earlier versions.",
    grain=("training_id", "division"),
    columns=(
        Column("training_id", T.StringType(), "Hash of snapshot and training settings."),
        Column(
            "division",
            T.StringType(),
            "candidate_id of `segment_candidates`, or the title of a baseline.",
        ),
        Column("is_baseline", T.BooleanType(), "Whether it needs no clustering."),
        Column("is_chosen", T.BooleanType(), "Whether it became the model."),
        Column("fold_date", T.DateType(), "The past day; the period follows."),
        Column("holdout_days", T.IntegerType(), "Length of the period."),
        Column("customer_count", T.LongType(), "Customers of the past day who were looked at."),
        Column("group_count", T.IntegerType(), "Groups with customers."),
        Column(
            "usefulness_spend_ratio",
            T.DoubleType(),
            "Share of the variance of the ranks of spend in the period that lies between the "
            "groups, beyond chance; NULL with one group, or where all spent the same.",
            nullable=True,
        ),
        Column(
            "usefulness_gini_ratio",
            T.DoubleType(),
            "How well groups ordered by their mean past spend rank customers by that spend: 1 "
            "perfectly, 0 chance; NULL where nobody spent, or all the same.",
            nullable=True,
        ),
        Column(
            "usefulness_retention_ratio",
            T.DoubleType(),
            "Share of the variance of buying again that lies between the groups, beyond chance; "
            "NULL with one group, or where all bought again, or none.",
            nullable=True,
        ),
    ),
)
