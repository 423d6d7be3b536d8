"""Tables of feature groups beside the core table of customer features."""

from pyspark.sql import types as T

from segspark.tables.contract import MONEY, Column, TableContract

_SNAPSHOT_ID = Column("snapshot_id", T.StringType(), "Hash of as-of date, settings and batches.")
_CUSTOMER_ID = Column("customer_id", T.StringType(), "Normalised customer id.", personal=True)
_SHARES = T.MapType(T.StringType(), T.DoubleType())
UNKNOWN = "unknown"
"""Category of lines without a product, and of products without a category."""
SEASON_KINDS = {
    "month": "january to december",
    "weekday": "monday to sunday",
    "daypart": "night, morning, afternoon, evening: six hours each, from midnight, local time of "
    "the first line; orders stamped at midnight are in none",
    "holiday": "the periods of `features.seasons.holidays`; of the other days nothing is said",
}
"""Kind of season → its keys."""


def _season_columns(kind: str, keys: str) -> tuple[Column, ...]:
    number, missing = T.DoubleType(), "NULL where orders or days leave nothing to compare."
    return (
        Column(
            f"{kind}_shares", _SHARES, f"Share of the orders by {kind} ({keys}); an absent key: 0."
        ),
        Column(
            f"{kind}_concentration_ratio",
            number,
            f"0: as even as the customer's days; 1: all in the {kind} with the fewest days. "
            + missing,
            nullable=True,
        ),
        Column(
            f"favourite_{kind}",
            T.StringType(),
            "With the most orders; ties: with the fewest days, then the first; NULL without one.",
            nullable=True,
        ),
        Column(
            f"{kind}_strength_ratio",
            number,
            "Concentration less what chance makes of it; 0 where the p-value is above 0.05. "
            + missing,
            nullable=True,
        ),
        Column(
            f"{kind}_p_value",
            number,
            "How probable such a peak or gap is for who buys evenly; never too low. " + missing,
            nullable=True,
        ),
    )


CUSTOMER_SEASONS = TableContract(
    name="customer_seasons",
    meaning="When one customer of a snapshot buys, over the whole history; `docs/behaviour.md` has "
    "the definitions.",
    grain=("snapshot_id", "customer_id"),
    columns=(
        _SNAPSHOT_ID,
        _CUSTOMER_ID,
        Column("order_count", T.LongType(), "Orders, as `features.monetary` counts them."),
        Column(
            "later_order_count",
            T.LongType(),
            "Those after the first purchase day: strength and p-value of months, weekdays and "
            "holidays are theirs, since time begins with that day.",
        ),
        Column(
            "observed_days",
            T.LongType(),
            "Days from the first purchase to the as-of date, both counted; 0 without a purchase.",
        ),
        *(column for kind, keys in SEASON_KINDS.items() for column in _season_columns(kind, keys)),
    ),
)

CUSTOMER_CATEGORIES = TableContract(
    name="customer_categories",
    meaning="What one customer of a snapshot bought of one category, over the whole history.",
    grain=("snapshot_id", "customer_id", "category"),
    columns=(
        _SNAPSHOT_ID,
        _CUSTOMER_ID,
        Column("category", T.StringType(), f"By `features.categories`; {UNKNOWN} without one."),
        Column(
            "order_count",
            T.LongType(),
            "Orders with a line of it; net: of which a unit of it was kept.",
        ),
        Column("spend_amount", MONEY, "Spend on it, net or gross as configured."),
        Column(
            "order_ratio",
            T.DoubleType(),
            "Its orders in the sum of all categories' orders; NULL without an order.",
            nullable=True,
        ),
        Column(
            "affinity_log_odds",
            T.DoubleType(),
            "Logarithm of its odds among the customer's orders over those among all others', with "
            "a Dirichlet prior; above 0: bought more than by others; NULL with one category only.",
            nullable=True,
        ),
        Column(
            "affinity_z_score",
            T.DoubleType(),
            "Log-odds over their standard deviation; NULL as above.",
            nullable=True,
        ),
        Column(
            "is_favourite",
            T.BooleanType(),
            "Whether it has the most orders; ties: the most spend, then the first name; "
            f"{UNKNOWN} is nobody's.",
        ),
    ),
)

CUSTOMER_PREFERENCES = TableContract(
    name="customer_preferences",
    meaning="How broad one customer of a snapshot buys, and what most; customers with a row in "
    "`customer_categories`.",
    grain=("snapshot_id", "customer_id"),
    columns=(
        _SNAPSHOT_ID,
        _CUSTOMER_ID,
        Column("category_count", T.LongType(), f"Categories with an order, {UNKNOWN} left out."),
        Column(
            "concentration_ratio",
            T.DoubleType(),
            "1 less the entropy of the shares of orders over that of all categories alike; 1: one "
            "category only; NULL without an order, or with one category in the whole lake.",
            nullable=True,
        ),
        Column(
            "favourite_category",
            T.StringType(),
            "Category with the most orders; NULL without one.",
            nullable=True,
        ),
        Column(
            "favourite_confidence_ratio",
            T.DoubleType(),
            "Posterior probability that it is ahead of its strongest rival; NULL without one.",
            nullable=True,
        ),
    ),
)

CUSTOMER_ATTRIBUTES = TableContract(
    name="customer_attributes",
    meaning="Where one customer of a snapshot lives and buys, and the demographics, as last known; "
    "for profiles, not for clustering. Of each attribute the values that most customers have are "
    "kept, the others are `other`, and what is not known is `missing`.",
    grain=("snapshot_id", "customer_id"),
    columns=(
        _SNAPSHOT_ID,
        _CUSTOMER_ID,
        Column(
            "country",
            T.StringType(),
            "Of residence, or the one of the most purchase lines; ties: the latest, then the first "
            "name.",
            personal=True,
        ),
        Column("region", T.StringType(), "Region of residence.", personal=True),
        Column(
            "store_id",
            T.StringType(),
            "Shop or channel of the most purchase lines; ties as above.",
            personal=True,
        ),
        Column(
            "attributes",
            T.MapType(T.StringType(), T.StringType()),
            "Each of the attributes that sources of customers name, by its name.",
            personal=True,
        ),
    ),
)
