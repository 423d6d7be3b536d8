"""Features of a customer's purchases over the observation window, and over the whole history."""

from pyspark.sql import types as T

from segspark.tables.contract import MONEY
from segspark.tables.feature import HISTORY, Feature

_DAYS, _COUNT, _NUMBER = T.IntegerType(), T.LongType(), T.DoubleType()
_CUTS = "quintiles, or those of features.score_cuts"
_NO_GAP = "there is only one purchase day"

RFM_FEATURES = (
    Feature(
        "recency_days",
        _DAYS,
        "Days since the last purchase; 0: that day",
        "days",
        "as-of date - last_purchase_date",
    ),
    Feature("frequency_count", _COUNT, "Orders", "orders", "sum of orders"),
    Feature("monetary_amount", MONEY, "Spend, net or gross as configured", "money", "sum of spend"),
    Feature(
        "average_order_amount",
        _NUMBER,
        "Spend per order",
        "money per order",
        "monetary_amount / frequency_count",
    ),
    Feature(
        "average_basket_units",
        _NUMBER,
        "Units bought per order placed",
        "units per order",
        "sum of quantity_units / sum of order_count",
    ),
    Feature(
        "average_basket_lines",
        _NUMBER,
        "Lines per order placed",
        "lines per order",
        "sum of line_count / sum of order_count",
    ),
    Feature(
        "tenure_days",
        _DAYS,
        "Days since the first purchase",
        "days",
        "as-of date - first_purchase_date",
        HISTORY,
    ),
    Feature(
        "first_purchase_date",
        T.DateType(),
        "First purchase day",
        "day",
        "smallest purchase day",
        HISTORY,
    ),
    Feature("last_purchase_date", T.DateType(), "Last purchase day", "day", "largest purchase day"),
)

SCORE_FEATURES = (
    Feature(
        "recency_score",
        _DAYS,
        "1 (long ago) to 5 (recent)",
        "score",
        f"5 - number of cuts below recency_days; cuts: {_CUTS}",
    ),
    Feature(
        "frequency_score",
        _DAYS,
        "1 (few) to 5 (many)",
        "score",
        f"1 + number of cuts below frequency_count; cuts: {_CUTS}",
    ),
    Feature(
        "monetary_score",
        _DAYS,
        "1 (little) to 5 (much)",
        "score",
        f"1 + number of cuts below monetary_amount; cuts: {_CUTS}",
    ),
    Feature(
        "rfm_score",
        T.StringType(),
        "The three scores in a row, such as 545",
        "text",
        "recency_score, frequency_score, monetary_score",
    ),
    Feature(
        "rfm_segment",
        T.StringType(),
        "Name of the cell of the three scores, such as champions",
        "text",
        "by recency_score and the mean of frequency_score and monetary_score, halves up",
    ),
)

MONEY_FEATURES = (
    Feature(
        "gross_amount",
        MONEY,
        "Money of all purchase lines",
        "money",
        "sum of gross_amount",
        is_everybodys=True,
    ),
    Feature(
        "returned_amount",
        MONEY,
        "Money given back, positive",
        "money",
        "sum of returned_amount",
        is_everybodys=True,
    ),
    Feature(
        "net_amount",
        MONEY,
        "Gross less returned",
        "money",
        "gross_amount - returned_amount",
        is_everybodys=True,
    ),
    Feature(
        "discount_amount",
        MONEY,
        "Discounts deducted, positive",
        "money",
        "sum of discount_amount",
        is_everybodys=True,
    ),
)

HABIT_FEATURES = (
    Feature(
        "purchase_gap_mean_days",
        _NUMBER,
        "Mean of the gaps between purchase days that follow each other",
        "days",
        "(last - first purchase day) / number of gaps",
        missing=_NO_GAP,
    ),
    Feature(
        "purchase_gap_median_days",
        _NUMBER,
        "Median of these gaps, exact; between the middle two of an even number",
        "days",
        "median of the gaps",
        missing=_NO_GAP,
    ),
    Feature(
        "purchase_gap_variation_ratio",
        _NUMBER,
        "Variation of these gaps: 0 like clockwork, about 1 at random, more in bursts",
        "ratio",
        "sample deviation of the gaps / purchase_gap_mean_days",
        missing="there are fewer than two gaps",
    ),
    Feature(
        "recency_gap_ratio",
        _NUMBER,
        "Silence since the last purchase in gaps of the customer's own; above 1: longer than usual",
        "ratio",
        "recency_days / purchase_gap_mean_days",
        missing=_NO_GAP,
    ),
    Feature(
        "longer_gap_ratio",
        _NUMBER,
        "Share of these gaps that were longer than the silence since the last purchase: the "
        "empirical survival function of the gaps; 0: never silent for longer before",
        "ratio",
        "number of gaps > recency_days / number of gaps",
        missing=_NO_GAP,
    ),
    Feature(
        "active_months_count",
        _DAYS,
        "Calendar months with a purchase day",
        "months",
        "number of different months of purchase days",
    ),
    Feature(
        "discount_ratio",
        _NUMBER,
        "Share of the list price that discounts took off",
        "ratio",
        "discount_amount / (gross_amount + discount_amount)",
        missing="gross_amount + discount_amount is 0",
    ),
    Feature(
        "return_ratio",
        _NUMBER,
        "Money given back per money of purchase lines; may be above 1",
        "ratio",
        "returned_amount / gross_amount",
        missing="gross_amount is 0",
    ),
)

LIFETIME_FEATURES = (
    Feature(
        "btyd_repeat_count",
        _COUNT,
        "x: purchase days after the first",
        "days",
        "number of purchase days - 1",
        HISTORY,
    ),
    Feature(
        "btyd_last_repeat_days",
        _DAYS,
        "t_x: days from the first to the last purchase day",
        "days",
        "last - first purchase day",
        HISTORY,
    ),
    Feature(
        "btyd_age_days",
        _DAYS,
        "T: days from the first purchase day to the as-of date",
        "days",
        "as-of date - first purchase day",
        HISTORY,
    ),
    Feature(
        "btyd_repeat_mean_amount",
        _NUMBER,
        "Mean spend of the repeat days",
        "money per day",
        "spend of all purchase days but the first / btyd_repeat_count",
        HISTORY,
        missing="there is no repeat day",
    ),
    Feature(
        "btyd_day_mean_amount",
        _NUMBER,
        "Mean spend of all purchase days",
        "money per day",
        "spend of purchase days / number of purchase days",
        HISTORY,
    ),
)
