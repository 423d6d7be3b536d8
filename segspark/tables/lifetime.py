"""Tables of lifetime value: the models and how they did, each customer's value, cohorts."""

from pyspark.sql import types as T

from segspark.tables.contract import MONEY, Column, TableContract

_LIFETIME_ID = Column("lifetime_id", T.StringType(), "Hash of snapshot and lifetime settings.")
_FORECAST = Column(
    "forecast",
    T.StringType(),
    "purchases (purchase days), value (spend) or churn that is forecast.",
)
_METHOD = Column("method", T.StringType(), "A model, how it is priced, or a baseline.")
_FOLD_DATE = Column("fold_date", T.DateType(), "Last day of calibration; the hold-out follows.")
_CHURN_DATE = Column("fold_date", T.DateType(), "Day of the forecast; the churn days follow.")
_LOWER, _UPPER = "Lower end of its interval at 90 %.", "Upper end of its interval at 90 %."
_TEXTS = T.ArrayType(T.StringType())

LIFETIME_MODELS = TableContract(
    name="lifetime_models",
    meaning="One way to forecast purchases, value or churn: its fit to all customers as of the "
    "date, how it did on the hold-outs, whether customers are valued with it, or why not.",
    grain=("lifetime_id", "forecast", "method"),
    columns=(
        _LIFETIME_ID,
        _FORECAST,
        _METHOD,
        Column("kind", T.StringType(), "model or baseline."),
        Column(
            "parameters_json",
            T.StringType(),
            "Fitted parameters by name, in days and the lake's currency, or what else it "
            "has learnt; NULL without a fit.",
            nullable=True,
        ),
        Column(
            "log_likelihood",
            T.DoubleType(),
            "Of the purchases, or of the spends for a value; comparable within one forecast and "
            "basis only; NULL of churn.",
            nullable=True,
        ),
        Column(
            "customer_count",
            T.LongType(),
            "Customers it is fitted to; NULL of churn.",
            nullable=True,
        ),
        Column("warnings", _TEXTS, "What a reader should know of the fit."),
        Column(
            "mean_rank",
            T.DoubleType(),
            "Over all folds and error, Gini and total, or of churn over all folds by Brier score; "
            "1 is best; NULL where it was not ranked.",
            nullable=True,
        ),
        Column("is_winner", T.BooleanType(), "Whether it did best of all on the hold-outs."),
        Column("is_chosen", T.BooleanType(), "Whether it is what customers are served with."),
        Column("reason", T.StringType(), "Why it was chosen or not."),
    ),
)

LIFETIME_SCORES = TableContract(
    name="lifetime_scores",
    meaning="One forecast of one hold-out, scored against what customers then did.",
    grain=("lifetime_id", "forecast", "method", "fold_date"),
    columns=(
        _LIFETIME_ID,
        _FORECAST,
        _METHOD,
        _FOLD_DATE,
        Column("holdout_days", T.IntegerType(), "Length of the hold-out."),
        Column("customer_count", T.LongType(), "Customers held out."),
        Column(
            "predicted_total",
            T.DoubleType(),
            "Sum over customers: purchase days, or money for a value.",
        ),
        Column("actual_total", T.DoubleType(), "The same of what happened."),
        Column("mean_absolute_error", T.DoubleType(), "Per customer, in the same unit."),
        Column(
            "gini",
            T.DoubleType(),
            "How well it ranks customers: 1 as the outcome would, 0 as chance, below 0 worse; NULL "
            "where the outcome cannot be ranked.",
            nullable=True,
        ),
        Column(
            "top_decile_lift",
            T.DoubleType(),
            "Mean outcome of the tenth ranked highest over that of all; NULL as above.",
            nullable=True,
        ),
    ),
)

LIFETIME_CALIBRATION = TableContract(
    name="lifetime_calibration",
    meaning="Customers of one calibration frequency in one hold-out: purchases forecast and made.",
    grain=("lifetime_id", "method", "fold_date", "repeat_count"),
    columns=(
        _LIFETIME_ID,
        _METHOD,
        _FOLD_DATE,
        Column(
            "repeat_count", T.IntegerType(), "Repeat purchases in the calibration; 7: 7 or more."
        ),
        Column("customer_count", T.LongType(), "Customers."),
        Column("predicted_mean_count", T.DoubleType(), "Purchase days forecast per customer."),
        Column("actual_mean_count", T.DoubleType(), "Purchase days per customer."),
    ),
)

CHURN_SCORES = TableContract(
    name="churn_scores",
    meaning="One forecast of churn of one past day, scored against who then bought nothing.",
    grain=("lifetime_id", "method", "fold_date"),
    columns=(
        _LIFETIME_ID,
        _METHOD,
        _CHURN_DATE,
        Column("churn_days", T.IntegerType(), "Who buys nothing for so long has churned."),
        Column("customer_count", T.LongType(), "Customers forecast."),
        Column("predicted_mean_ratio", T.DoubleType(), "Mean probability to churn."),
        Column("churned_ratio", T.DoubleType(), "Share that churned: the base rate."),
        Column(
            "brier_score", T.DoubleType(), "Mean squared difference of probability and outcome."
        ),
        Column(
            "brier_skill",
            T.DoubleType(),
            "1 as the outcome itself, 0 as the base rate for everybody, below 0 worse.",
        ),
        Column(
            "brier_gap_error",
            T.DoubleType(),
            "Standard error of the difference of the Brier score from that of the baseline, "
            "recency alone, over the same customers; 0 of the baseline.",
        ),
        Column(
            "log_loss",
            T.DoubleType(),
            "Mean negative natural logarithm of the probability of what happened.",
        ),
        Column(
            "auc",
            T.DoubleType(),
            "Probability that one who churned was given more than one who did not, ties by half.",
        ),
    ),
)

CHURN_RELIABILITY = TableContract(
    name="churn_reliability",
    meaning="Customers of similar probabilities to churn in one forecast: what was forecast, and "
    "who churned.",
    grain=("lifetime_id", "method", "fold_date", "bin_number"),
    columns=(
        _LIFETIME_ID,
        _METHOD,
        _CHURN_DATE,
        Column(
            "bin_number",
            T.IntegerType(),
            "1 for the lowest tenth of the probabilities to 10; equal ones share a bin, so some "
            "numbers may be absent.",
        ),
        Column("customer_count", T.LongType(), "Customers."),
        Column("lowest_ratio", T.DoubleType(), "Smallest probability among them."),
        Column("highest_ratio", T.DoubleType(), "Largest probability among them."),
        Column("predicted_mean_ratio", T.DoubleType(), "Mean probability."),
        Column("churned_ratio", T.DoubleType(), "Share that churned."),
        Column("churned_lower_ratio", T.DoubleType(), _LOWER),
        Column("churned_upper_ratio", T.DoubleType(), _UPPER),
    ),
)


def _estimate(name: str, comment: str) -> Column:
    return Column(name, T.DoubleType(), f"{comment} NULL where there is a reason.", nullable=True)


CUSTOMER_LIFETIME_VALUES = TableContract(
    name="customer_lifetime_values",
    meaning="One customer of a snapshot: what is expected within the horizon, by the chosen "
    "models, or the reason why nothing could be.",
    grain=("lifetime_id", "customer_id"),
    columns=(
        _LIFETIME_ID,
        Column("customer_id", T.StringType(), "Normalised customer id.", personal=True),
        Column(
            "reason",
            T.StringType(),
            "Why nothing could be estimated; NULL: it could.",
            nullable=True,
        ),
        _estimate("expected_purchase_count", "Purchase days within the horizon, not discounted."),
        _estimate("expected_purchase_lower_count", _LOWER),
        _estimate("expected_purchase_upper_count", _UPPER),
        _estimate("probability_alive_ratio", "Probability not to have dropped out."),
        _estimate("probability_alive_lower_ratio", _LOWER),
        _estimate("probability_alive_upper_ratio", _UPPER),
        _estimate(
            "churn_probability_ratio",
            "Probability to buy nothing within `lifetime.churn_days`, by `churn_method`.",
        ),
        Column(
            "churn_method",
            T.StringType(),
            "What forecasts churn: the method of `churn_scores` that did best, or a model that "
            "could not be tested. NULL where there is a reason.",
            nullable=True,
        ),
        _estimate("expected_purchase_amount", "Spend of a purchase day."),
        _estimate("expected_purchase_lower_amount", _LOWER),
        _estimate("expected_purchase_upper_amount", _UPPER),
        _estimate(
            "lifetime_value_amount", "Discounted spend within the horizon, times the margin."
        ),
        _estimate("lifetime_value_lower_amount", _LOWER),
        _estimate("lifetime_value_upper_amount", _UPPER),
        Column(
            "historic_spend_amount",
            T.DoubleType(),
            "The baseline beside it: spend so far per day of age times the horizon, at most once "
            "what was spent, times the margin; NULL without a purchase.",
            nullable=True,
        ),
    ),
)

CUSTOMER_COHORTS = TableContract(
    name="customer_cohorts",
    meaning="Customers who first bought in one month, so many months later.",
    grain=("snapshot_id", "acquisition_month_date", "age_months"),
    columns=(
        Column("snapshot_id", T.StringType(), "Hash of as-of date, settings and batches."),
        Column("acquisition_month_date", T.DateType(), "First day of the month of the cohort."),
        Column("age_months", T.IntegerType(), "Calendar months after it; 0: the same."),
        Column("customer_count", T.LongType(), "Customers of the cohort."),
        Column("active_customer_count", T.LongType(), "Those with a purchase in that month."),
        Column("retention_ratio", T.DoubleType(), "Active customers of all of the cohort."),
        Column("revenue_amount", MONEY, "Their spend in that month, net or gross as configured."),
        Column("is_whole_month", T.BooleanType(), "Whether the month was over by the as-of date."),
    ),
)
