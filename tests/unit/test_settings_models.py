"""What a user may write, and what is refused with a reason."""

from typing import Any

import pytest
from pydantic import ValidationError

from segspark.settings.features import FeatureSettings, LedgerSettings
from segspark.settings.root import Settings
from segspark.settings.rules import LineKind
from segspark.settings.sources import TransactionSource
from segspark.settings.training import TrainingSettings
from tests.purchases import COLUMNS, PRICED, source

CUSTOM = {"name": "own_ratio", "unit": "ratio", "description": "Mine.", "expression": "1"}
CUTS = {
    name: [1.0, 2.0, 3.0, 4.0] for name in ("recency_days", "frequency_count", "monetary_amount")
}


@pytest.mark.parametrize(
    "document",
    [
        {"features": {"observation_days": "30"}},
        {"features": {"observation_days": 30.0}},
        {"audit": {"most_excluded_ratio": True}},
        {"segmentation": 7},
        {"training": {"sweep": {"seed": "1"}}},
    ],
)
def test_a_value_of_another_type_is_not_bent_into_shape(document: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(document)


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().segmentation = "other"  # type: ignore[misc]


def test_kinds_are_read_from_their_names() -> None:
    found = source(line_kinds=[{"kind": "fee", "product_id_matches": "^FEE"}])
    assert isinstance(found, TransactionSource)
    assert found.line_kinds[0].kind is LineKind.FEE


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"columns": COLUMNS}, "exactly one of unit_price and line_amount"),
        ({"columns": {**PRICED, "line_amount": "money"}}, "exactly one of unit_price"),
        ({"columns": {**COLUMNS, "unit_price": "price"}}, "unit_price needs quantity"),
        ({"stamp_zone": "London"}, "'London' is no time zone"),
        ({"business_zone": "Mars/Olympus"}, "is no time zone"),
        ({"currency": "eur"}, "should match pattern"),
        ({"line_kinds": [{"kind": "fee"}]}, "at least one condition beside its kind"),
        ({"line_kinds": [{"kind": "fee", "order_id_matches": "("}]}, "no regular expression"),
        ({"line_kinds": [{"kind": "tax", "quantity": "zero"}]}, "'sale', 'return'"),
        ({"format": {"kind": "csv", "header": False}}, "column_names must name the columns"),
        ({"format": {"kind": "csv", "column_names": ["a"]}}, "set header to false"),
        ({"format": {"kind": "word"}}, "'csv', 'json', 'fixed_width', 'parquet'"),
        ({"format": {"kind": "sqlite"}}, "Field required"),
        ({"format": {"kind": "jdbc", "table": "x; DROP TABLE y"}}, "should match pattern"),
        ({"format": {"kind": "jdbc", "table": "x", "password": "pw"}}, "must be a reference"),
        ({"format": {"kind": "jdbc", "table": "x", "password": "${A:-pw}"}}, "must be a reference"),
        ({"format": {"kind": "jdbc", "table": "x", "partitions": 2}}, "needs partition_column"),
        ({"format": {"kind": "fixed_width", "fields": {"a": [3, 2]}}}, "first and the last place"),
        ({"numbers": {"thousands_separator": "."}}, "must differ"),
        ({"rules": [{"name": "r", "severity": "flag"}]}, "a rule needs a condition"),
        ({"rules": [{"name": "r", "severity": "flag", "column": "x"}]}, "give column together"),
        ({"rules": [{"name": "r", "severity": "flag", "required": True}]}, "give column together"),
        (
            {"rules": [{"name": "r", "severity": "flag", "fails_when": "x"}] * 2},
            "r is the name of two",
        ),
        ({"entity": "shops"}, "'transactions', 'customers', 'products', 'events'"),
        ({"most_rejected_ratio": 1.5}, "less than or equal to 1"),
        ({"location": "${lower_case}"}, "must open a reference such as"),
    ],
)
def test_a_source_that_makes_no_sense_is_refused(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        source(**changed)


def test_a_kind_cannot_make_and_undo_purchases() -> None:
    with pytest.raises(ValidationError, match="return cannot be both purchase and return"):
        LedgerSettings(purchase_kinds=(LineKind.SALE, LineKind.RETURN))


def test_cuts_of_the_scores_must_not_fall() -> None:
    rising = [1.0, 2.0, 2.0, 9.0]
    good = {"recency_days": rising, "frequency_count": rising, "monetary_amount": rising}
    assert FeatureSettings.model_validate({"score_cuts": good}).score_cuts is not None
    with pytest.raises(ValidationError, match="cuts must not fall"):
        FeatureSettings.model_validate(
            {"score_cuts": {**good, "monetary_amount": [1.0, 3.0, 2.0, 4.0]}}
        )


@pytest.mark.parametrize(
    ("features", "reason"),
    [
        ({"windows_days": [30, 7]}, "windows rise, and each comes once"),
        ({"windows_days": [7, 7]}, "windows rise, and each comes once"),
        ({"windows_days": [0]}, "greater than or equal to 1"),
        ({"custom": [{"name": "Own", "unit": "x", "description": "x"}]}, "should match pattern"),
        ({"custom": [{**CUSTOM, "expression": None}]}, "exactly one of expression and function"),
        ({"custom": [{**CUSTOM, "function": "a.b:c"}]}, "exactly one of expression and function"),
        ({"custom": [{**CUSTOM, "function": "os.system('x')"}]}, "should match pattern"),
        ({"custom": [CUSTOM, CUSTOM]}, "each custom feature has a name of its own"),
        ({"score_cuts": CUTS, "score_cuts_as_of": "2024-01-31"}, "not both"),
    ],
)
def test_wrong_features_are_refused(features: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Settings.model_validate({"features": features})


@pytest.mark.parametrize(
    ("sweep", "reason"),
    [
        ({"embeddings": ["pca"]}, "compared with the plain vector: name none among embeddings"),
        ({"embeddings": []}, "name none among embeddings"),
        ({"embeddings": ["none", "pca", "pca"]}, "each of embeddings only once"),
        ({"embeddings": ["none", "umap"]}, "'none', 'pca' or 'autoencoder'"),
        ({"pca": {}}, "exactly one of component_count and least_explained_ratio"),
        ({"pca": {"component_count": 2, "least_explained_ratio": 0.9}}, "exactly one of"),
        ({"pca": {"least_explained_ratio": 1.5}}, "less than or equal to 1"),
        ({"autoencoder": {"component_count": 0}}, "greater than or equal to 1"),
        ({"engine": "sparkml", "algorithms": ["kmeans", "ward"]}, "sparkml does not know ward"),
        ({"algorithms": ["consensus"]}, "consensus needs another algorithm to agree with"),
        ({"engine": "sparkml", "algorithms": ["hdbscan"]}, "sparkml does not know hdbscan"),
        ({"algorithms": ["optics"]}, "'dbscan', 'hdbscan' or 'consensus'"),
        ({"hdbscan_smallest_ratio": 0.0}, "greater than 0"),
        ({"covariance": "tied"}, "covariance is a list now: covariances"),
        ({"covariances": []}, "name at least one covariance, and each only once"),
        ({"covariances": ["tied", "tied"]}, "name at least one covariance, and each only once"),
        ({"engine": "sparkml", "covariances": ["full", "tied"]}, "knows the covariance full only"),
        ({"micro_cluster_count": 49}, "greater than or equal to 50"),
        ({"dbscan_eps": [0.0]}, "greater than 0"),
        ({"dbscan_eps": [0.5, 0.5]}, "name each distance in dbscan_eps only once"),
        ({"dbscan_core_ratio": 0.0}, "greater than 0"),
    ],
)
def test_a_sweep_that_cannot_be_run_is_refused(sweep: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Settings.model_validate({"training": {"sweep": sweep}})


@pytest.mark.parametrize(
    ("training", "reason"),
    [
        ({"search": {"recipes": ["rfm_log", "rfm_log"]}}, "name each of recipes only once"),
        ({"search": {"recipes": ["custom"]}}, "search.recipes names custom: give vector.columns"),
        (
            {"search": {"recipes": ["rfm_log"]}, "vector": {"columns": ["tenure_days"]}},
            "leaves out custom, and vector.columns would be of no use: name custom among",
        ),
        (
            {"search": {"recipes": ["rfm_log", "rfm_clv"]}, "vector": {"recipe": "behaviour"}},
            "leaves out behaviour, and vector.recipe behaviour would be of no use",
        ),
        ({"search": {"trials": 0}}, "greater than or equal to 1"),
        ({"search": {}, "sweep": {"algorithms": ["ward", "consensus"]}}, "leave it out of sweep"),
        (
            {"search": {}, "selection": {"criterion": "usefulness", "holdout_days": 90}},
            "a search looks for the highest gain",
        ),
        (
            {"search": {"recipes": ["rfm_log", "rfm_clv"]}, "selection": {"holdout_days": 90}},
            "a past day, which has no lifetime values",
        ),
    ],
)
def test_a_search_that_cannot_be_made_is_refused(training: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Settings.model_validate({"training": training})


def test_recipes_of_a_search_are_winsorised_and_scaled_as_the_vector_says() -> None:
    vector = {"columns": ["tenure_days"], "winsorise_tail_ratio": 0.1, "scaling": "robust"}
    search = {"recipes": ["custom", "behaviour"]}

    custom, behaviour = TrainingSettings.model_validate(
        {"vector": vector, "search": search}
    ).vectors

    assert (custom.recipe, custom.columns) == ("custom", ("tenure_days",))
    assert (behaviour.recipe, behaviour.columns) == ("behaviour", ())
    assert {(each.winsorise_tail_ratio, each.scaling) for each in (custom, behaviour)} == {
        (0.1, "robust")
    }
    (alone,) = TrainingSettings.model_validate({"vector": vector, "search": {}}).vectors
    assert alone == custom


def test_settings_with_a_search_of_other_recipes_than_the_usual_one_read_back() -> None:
    found = TrainingSettings.model_validate({"search": {"recipes": ["behaviour", "rfm_clv"]}})

    assert TrainingSettings.model_validate(found.model_dump(mode="json")) == found


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"selection": {"criterion": "usefulness"}}, "needs holdout_days, such as 90"),
        (
            {"selection": {"holdout_days": 90}, "vector": {"recipe": "rfm_clv"}},
            "a past day, which has no lifetime values",
        ),
        (
            {"selection": {"holdout_days": 9}, "vector": {"columns": ["lifetime_value_amount"]}},
            "a past day, which has no lifetime values",
        ),
    ],
)
def test_a_past_day_is_looked_at_where_it_can_be(document: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        TrainingSettings.model_validate(document)
    TrainingSettings.model_validate({"selection": {"criterion": "usefulness", "holdout_days": 1}})
