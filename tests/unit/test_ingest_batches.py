"""A batch is known by its bytes and its source's settings, not by its name."""

from typing import Any

import pytest
from pyspark.sql import Row

from segspark.errors import IngestError
from segspark.ingest.books.batches import Batch, check_nothing_is_left_behind, new_batches
from segspark.settings.sources import Source
from tests.purchases import PRICED, source

Known = dict[str, tuple[str, str]]


def batch(content: str, name: str = "jan.csv", *, shop: str = "shop", **changed: object) -> Batch:
    return new_batches(shop, source(**changed), {content: name}, {})[0]


def known(*batches: Batch) -> Known:
    return {b.batch_id: (b.name, b.content_hash) for b in batches}


def replacing() -> Source:
    return source(changed_file="replace")


def test_a_renamed_or_moved_file_keeps_its_id() -> None:
    there = batch("bytes", "renamed.csv", location="/elsewhere")
    assert batch("bytes").batch_id == there.batch_id


@pytest.mark.parametrize(
    "changed",
    [
        {"columns": {**PRICED, "customer_id": "account"}},
        {"stamp_zone": "Europe/London"},
        {"line_kinds": [{"kind": "fee", "product_id_matches": "^F"}]},
        {"customer_ids": {"letter_case": "upper"}},
        {"format": {"kind": "csv", "delimiter": ";"}},
    ],
)
def test_other_settings_give_the_same_bytes_another_id(changed: dict[str, Any]) -> None:
    assert batch("bytes", **changed).batch_id != batch("bytes").batch_id


@pytest.mark.parametrize("changed", [{"changed_file": "replace"}, {"most_rejected_ratio": 0.5}])
def test_settings_that_change_no_row_change_no_id(changed: dict[str, Any]) -> None:
    assert batch("bytes", **changed).batch_id == batch("bytes").batch_id


def test_other_bytes_and_other_sources_have_other_ids() -> None:
    ids = {batch("a").batch_id, batch("b").batch_id, batch("a", shop="other").batch_id}
    assert len(ids) == 3


def test_a_known_content_is_not_new_under_any_name() -> None:
    old = batch("bytes")
    assert new_batches("shop", source(), {"bytes": "other name.csv"}, known(old)) == []


def test_a_changed_file_is_refused_with_what_to_do() -> None:
    with pytest.raises(IngestError, match=r"jan.csv was ingested before.*changed_file to replace"):
        new_batches("shop", source(), {"new bytes": "jan.csv"}, known(batch("bytes")))


def test_a_changed_file_replaces_its_old_content_where_that_is_asked_for() -> None:
    old = batch("bytes")
    new = new_batches("shop", replacing(), {"new bytes": "jan.csv"}, known(old))
    assert [(b.content_hash, b.replaces) for b in new] == [("new bytes", old.batch_id)]


@pytest.mark.parametrize("settings", [source(), replacing()], ids=["refuse", "replace"])
def test_a_second_file_of_the_same_name_in_another_folder_replaces_nothing(
    settings: Source,
) -> None:
    contents = {"2010": "jan.csv", "2011": "jan.csv"}
    new = new_batches("shop", settings, contents, known(batch("2010")))
    assert [(b.content_hash, b.replaces) for b in new] == [("2011", None)]


def test_new_files_beside_known_ones_are_all_that_is_new() -> None:
    contents = {"1": "jan.csv", "2": "feb.csv", "3": "mar.csv"}
    new = new_batches("shop", source(), contents, known(batch("1")))
    assert [(b.name, b.replaces) for b in new] == [("feb.csv", None), ("mar.csv", None)]


def test_changed_settings_are_refused_while_files_of_before_are_gone() -> None:
    kept, gone = (
        Row(file_name="a.csv", content_hash="1", replays_batch_id=None),
        Row(file_name="b.csv", content_hash="2", replays_batch_id=None),
    )
    check_nothing_is_left_behind("shop", {"1": "a.csv"}, [kept])
    check_nothing_is_left_behind("shop", {"3": "a.csv"}, [kept])
    with pytest.raises(IngestError, match=r"source shop: its settings changed.* b\.csv are no"):
        check_nothing_is_left_behind("shop", {"1": "a.csv"}, [kept, gone])
