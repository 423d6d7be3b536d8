"""Tables of feature groups beside the core table of customer features."""

from functools import partial

from pyspark.sql import types as T

from segspark.tables.contract import MONEY, Column
from segspark.tables.feature import CUSTOMER_ID, HISTORY, SNAPSHOT_ID, Feature, FeatureGroup
from segspark.tables.season_features import SEASON_FEATURES

UNKNOWN = "unknown"
"""Category of lines without a product, and of products without a category."""
_CUSTOMER = ("snapshot_id", "customer_id")
_NO_ODDS = (
    "the customer has no order left, nobody has one of it, or nobody has one of another category"
)
_feature = partial(Feature, window=HISTORY, is_everybodys=True)
_category = partial(_feature, table="transactions, products, return_matches")
_preference = partial(_feature, table="customer_categories")
_attribute = partial(_feature, personal=True)

SEASONS = FeatureGroup(
    table="customer_seasons",
    meaning="When one customer of a snapshot buys, over the whole history; `docs/behaviour.md` has "
    "the definitions.",
    keys=(SNAPSHOT_ID, CUSTOMER_ID),
    grain=_CUSTOMER,
    features=SEASON_FEATURES,
)

CATEGORIES = FeatureGroup(
    table="customer_categories",
    meaning="What one customer of a snapshot bought of one category, over the whole history.",
    asked_by="categories",
    keys=(
        SNAPSHOT_ID,
        CUSTOMER_ID,
        Column("category", T.StringType(), f"By `features.categories`; {UNKNOWN} without one."),
    ),
    grain=(*_CUSTOMER, "category"),
    features=(
        _category(
            "order_count",
            T.LongType(),
            "Orders with a line of it; net: of which a unit of it was kept",
            "orders",
            "number of orders with a purchase line of the category; net: whose units exceed those "
            "given back",
        ),
        _category(
            "spend_amount",
            MONEY,
            "Spend on it, net or gross as configured",
            "money",
            "sum of the money of its purchase lines; net: less what was given back",
        ),
        _category(
            "order_ratio",
            T.DoubleType(),
            "Its orders in the sum of all categories' orders",
            "ratio",
            "order_count / sum of order_count over the customer's categories",
            missing="the customer has no order left",
        ),
        _category(
            "affinity_log_odds",
            T.DoubleType(),
            "Logarithm of its odds among the customer's orders over those among all others', with "
            "a Dirichlet prior; above 0: bought more than by others",
            "log odds",
            "ln((o + a) / (n - o + w - a)) of the customer less that of all others; o: orders of "
            "the category, n: of all, w: prior_weight, a: w * the category's share of all orders",
            missing=_NO_ODDS,
        ),
        _category(
            "affinity_z_score",
            T.DoubleType(),
            "Log-odds over their standard deviation",
            "standard deviations",
            "affinity_log_odds / square root of (1 / (o + a) of the customer + that of all others)",
            missing=_NO_ODDS,
        ),
        _category(
            "is_favourite",
            T.BooleanType(),
            "Whether it has the most orders; ties: the most spend, then the first name; "
            f"{UNKNOWN} is nobody's",
            "true or false",
            f"first by order_count, spend_amount, category among those with an order but {UNKNOWN}",
        ),
    ),
)

PREFERENCES = FeatureGroup(
    table="customer_preferences",
    meaning="How broad one customer of a snapshot buys, and what most; customers with a row in "
    "`customer_categories`.",
    asked_by="categories",
    keys=(SNAPSHOT_ID, CUSTOMER_ID),
    grain=_CUSTOMER,
    features=(
        _preference(
            "category_count",
            T.LongType(),
            f"Categories with an order, {UNKNOWN} left out",
            "categories",
            f"number of categories but {UNKNOWN} with order_count above 0",
        ),
        _preference(
            "average_basket_products",
            T.DoubleType(),
            "Different products per order placed; lines without a product do not count",
            "products per order",
            "sum over orders of the number of different product_id / number of orders",
            table="transactions",
            missing="the customer placed no order",
        ),
        _preference(
            "concentration_ratio",
            T.DoubleType(),
            "1 less the entropy of the shares of orders over that of all categories alike; 1: one "
            "category only",
            "ratio",
            "1 - H / ln K; H = - sum of p ln p, p: order_ratio, K: categories that anybody ordered",
            missing="the customer has no order left, or all customers have orders of one category "
            "only",
        ),
        _preference(
            "favourite_category",
            T.StringType(),
            "Category with the most orders",
            "text",
            "category where is_favourite",
            missing="no known category has an order",
        ),
        _preference(
            "favourite_confidence_ratio",
            T.DoubleType(),
            "Posterior probability that it is ahead of its strongest rival",
            "probability",
            "1 - regularised incomplete beta function of (f, r) at 0.5; f, r: order_count + a of "
            "the favourite and of the rival, bought or not, a as in customer_categories",
            missing="there is no favourite or no rival",
        ),
    ),
)

ATTRIBUTES = FeatureGroup(
    table="customer_attributes",
    meaning="Where one customer of a snapshot lives and buys, and the demographics, as last known; "
    "for profiles, not for clustering. Of each attribute the values that most customers have are "
    "kept, the others are `other`, and what is not known is `missing`.",
    asked_by="attributes",
    keys=(SNAPSHOT_ID, CUSTOMER_ID),
    grain=_CUSTOMER,
    features=(
        _attribute(
            "country",
            T.StringType(),
            "Of residence, or the one of the most purchase lines; ties: the latest, then the first "
            "name",
            "text",
            "value that holds on the as-of date; without one, the most frequent of the lines",
            table="customers, transactions",
        ),
        _attribute(
            "region",
            T.StringType(),
            "Region of residence",
            "text",
            "value that holds on the as-of date",
            table="customers",
        ),
        _attribute(
            "store_id",
            T.StringType(),
            "Shop or channel of the most purchase lines; ties as for the country",
            "text",
            "most frequent value of the lines",
            table="transactions",
        ),
        _attribute(
            "attributes",
            T.MapType(T.StringType(), T.StringType()),
            "Each of the attributes that sources of customers name, by its name",
            "text",
            "value of each that holds on the as-of date",
            table="customers",
        ),
    ),
)

CUSTOMER_SEASONS = SEASONS.contract
CUSTOMER_CATEGORIES = CATEGORIES.contract
CUSTOMER_PREFERENCES = PREFERENCES.contract
CUSTOMER_ATTRIBUTES = ATTRIBUTES.contract
