"""How regularly a customer buys, at what discount, and how much of it comes back."""

from pyspark.sql import Column
from pyspark.sql import functions as F

HABIT_ARRAYS = ("observed_days", "gaps")
"""Columns on the way, too long to be kept."""


def habit_sums(bought: Column) -> list[Column]:
    """Collects a customer's purchase days in the aggregation of `known_days`.

    Args:
        bought: Whether the row is a purchase day that counts.
    """
    days = F.collect_list(F.when(bought, F.col("purchase_date")))
    return [F.sort_array(days).alias("observed_days")]


def gap_columns() -> dict[str, Column]:
    """The gaps between purchase days that follow each other, in order of time, in days."""
    days = F.col("observed_days")
    later = F.slice(days, F.lit(2), F.size(days))
    earlier = F.slice(days, F.lit(1), F.greatest(F.size(days) - 1, F.lit(0)))
    months = F.array_distinct(F.transform(days, lambda day: F.trunc(day, "month")))
    return {
        "gaps": F.zip_with(later, earlier, F.datediff),
        "active_months_count": F.size(months),
    }


def habit_columns() -> dict[str, Column]:
    """The features, of the gaps and of the sums of money; NULL where there is nothing to tell."""
    gaps, count = F.col("gaps"), F.size("gaps")
    total = F.aggregate(gaps, F.lit(0).cast("long"), lambda sum_, gap: sum_ + gap)
    squares = F.aggregate(
        gaps, F.lit(0).cast("long"), lambda sum_, gap: sum_ + gap.cast("long") * gap
    )
    mean = total.cast("double") / count
    # Sums of whole days are exact, so that the order of the rows has no say in it.
    variance = (count * squares - total * total).cast("double") / (count * (count - 1))
    ordered = F.sort_array(gaps)
    middle = F.get(ordered, F.floor((count - 1) / 2).cast("int"))
    other_middle = F.get(ordered, F.floor(count / 2).cast("int"))
    gross, discount = F.col("gross_amount"), F.col("discount_amount")
    list_price = F.nullif(gross + discount, F.lit(0)).cast("double")
    return {
        "purchase_gap_mean_days": F.when(count > 0, mean),
        "purchase_gap_median_days": F.when(count > 0, (middle + other_middle) / 2.0),
        "purchase_gap_variation_ratio": F.when(count > 1, F.sqrt(variance) / mean),
        "discount_ratio": discount.cast("double") / list_price,
        "return_ratio": F.col("returned_amount").cast("double")
        / F.nullif(gross, F.lit(0)).cast("double"),
    }
