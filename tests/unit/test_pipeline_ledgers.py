"""What a ledger is made of, and what its id follows from."""

import pytest
from pyspark.sql import Row

from segspark.pipeline.event_ledger import EVENTS
from segspark.pipeline.ledger import PURCHASES
from segspark.pipeline.ledgers import Ledger
from segspark.settings.root import Settings

BATCHES = [
    Row(entity="transactions", source="till"),
    Row(entity="events", source="visits"),
    Row(entity="products", source="goods"),
    Row(entity="transactions", source="web"),
]


def settings(**ledger: object) -> Settings:
    return Settings.model_validate({"lake": {"location": "lake"}, "sources": {}, "ledger": ledger})


@pytest.mark.parametrize(
    ("changed", "of_purchases", "of_events"),
    [
        ({"sources": ["till"]}, True, True),
        ({"exact_duplicates": "all"}, True, True),
        ({"return_matching": "nearest"}, True, False),
        ({"purchase_kinds": ["sale", "fee"]}, True, False),
        ({"return_kinds": ["return"]}, True, False),
    ],
)
def test_a_ledger_is_another_one_where_a_setting_changes_that_it_reads(
    changed: dict[str, object], *, of_purchases: bool, of_events: bool
) -> None:
    def is_other(ledger: Ledger) -> bool:
        return ledger.id_of(settings(**changed)) != ledger.id_of(settings())

    assert (is_other(PURCHASES), is_other(EVENTS)) == (of_purchases, of_events)


@pytest.mark.parametrize(
    ("sources", "of_purchases", "of_events"),
    [
        ([], ["till", "web"], ["visits"]),
        (["web", "visits"], ["web"], ["visits"]),
        (["till"], ["till"], []),
    ],
)
def test_a_ledger_is_made_of_the_sources_that_count(
    sources: list[str], of_purchases: list[str], of_events: list[str]
) -> None:
    def made_of(ledger: Ledger) -> list[str]:
        return [row["source"] for row in ledger.batches_of(settings(sources=sources), BATCHES)]

    assert (made_of(PURCHASES), made_of(EVENTS)) == (of_purchases, of_events)
