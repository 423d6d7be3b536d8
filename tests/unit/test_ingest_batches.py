"""A batch is known by its bytes and its source's settings, not by its name."""

from dataclasses import replace
from typing import Any

import pytest
from pyspark.sql import Row

from segspark.errors import IngestError
from segspark.ingest.books.batches import (
    Batch,
    Books,
    check_nothing_is_left_behind,
    new_batches,
)
from segspark.settings.sources import Source
from tests.purchases import PRICED, source


def new(
    contents: dict[str, str], books: Books | None = None, settings: Source | None = None
) -> list[Batch]:
    """The new ones of contents, given as content → name in the books."""
    named = {content: (name,) for content, name in contents.items()}
    return new_batches("shop", settings or source(), named, books or Books(), currency="EUR")


def batch(content: str, name: str = "jan.csv", **changed: object) -> Batch:
    return new({content: name}, settings=source(**changed))[0]


def books(*batches: Batch, **taken_as: str) -> Books:
    """Books in which the batches count; `taken_as` is content → the name it has now."""
    booked_as: dict[str, list[str]] = {}
    for each in batches:
        booked_as.setdefault(each.name, []).append(each.content_hash)
    return Books(
        batch_ids={b.content_hash: b.batch_id for b in batches},
        booked_as=booked_as,
        taken_as={name: [content] for content, name in taken_as.items()},
    )


def replacing() -> Source:
    return source(changed_file="replace")


def followed(found: list[Batch]) -> list[tuple[str, ...]]:
    return [(b.content_hash, *b.replaces) for b in found]


def earlier(**names: str) -> list[Row]:
    """Batches of the settings before: content → name."""
    return [
        Row(file_name=name, content_hash=content, replays_batch_id=None)
        for content, name in names.items()
    ]


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
    other = new_batches("other", source(), {"a": ("jan.csv",)}, Books(), currency="EUR")[0]
    ids = {batch("a").batch_id, batch("b").batch_id, other.batch_id}
    assert len(ids) == 3


def test_the_lakes_currency_is_part_of_the_id_where_rates_turn_amounts_into_it() -> None:
    def ids(**changed: object) -> set[str]:
        contents = {"a": ("jan.csv",)}
        return {
            new_batches("shop", source(**changed), contents, Books(), currency=c)[0].batch_id
            for c in ("EUR", "USD")
        }

    assert len(ids(exchange_rates="rates.csv")) == 2
    assert len(ids()) == 1


def test_a_known_content_is_not_new_under_any_name() -> None:
    assert new({"bytes": "other name.csv"}, books(batch("bytes"))) == []


def test_a_changed_file_is_refused_with_what_to_do() -> None:
    with pytest.raises(IngestError, match=r"jan.csv was ingested before.*changed_file to replace"):
        new({"new bytes": "jan.csv"}, books(batch("bytes")))


def test_a_changed_file_replaces_its_old_content_where_that_is_asked_for() -> None:
    old = batch("bytes")
    found = new({"new bytes": "jan.csv"}, books(old), replacing())
    assert followed(found) == [("new bytes", old.batch_id)]


def test_a_file_that_was_renamed_and_then_changed_replaces_what_it_was() -> None:
    old = batch("bytes", "jan.csv")
    now = books(old, bytes="january.csv")
    assert followed(new({"later": "january.csv"}, now, replacing())) == [("later", old.batch_id)]
    with pytest.raises(IngestError, match=r"january\.csv was ingested before"):
        new({"later": "january.csv"}, now)


def test_of_two_contents_of_one_name_the_one_that_the_file_had_last_is_replaced() -> None:
    first, second = batch("1", "jan.csv"), batch("2", "jan.csv")
    now = books(first, second, **{"1": "old/jan.csv", "2": "jan.csv"})
    assert followed(new({"3": "jan.csv"}, now, replacing())) == [("3", second.batch_id)]
    assert followed(new({"3": "old/jan.csv"}, now, replacing())) == [("3", first.batch_id)]


def test_what_a_name_stood_for_is_not_replaced_while_it_is_there_under_another() -> None:
    old = batch("bytes", "jan.csv")
    contents = {"bytes": "january.csv", "other": "jan.csv"}
    assert followed(new(contents, books(old, bytes="jan.csv"), replacing())) == [("other",)]


def test_a_name_whose_last_content_was_replaced_follows_the_replacement() -> None:
    newer = batch("2", "jan.csv")
    killed_before_it_was_remembered = books(newer, **{"1": "jan.csv"})
    found = new({"3": "jan.csv"}, killed_before_it_was_remembered, replacing())
    assert followed(found) == [("3", newer.batch_id)]


@pytest.mark.parametrize(("name", "is_followed"), [("jan.csv", True), ("feb.csv", False)])
def test_of_what_took_a_contents_place_only_what_has_the_same_name_is_replaced(
    *, name: str, is_followed: bool
) -> None:
    history, newer = batch("1", "jan.csv"), batch("2", name)
    now = replace(books(history, newer, gone="jan.csv"), followed_by={"gone": "2"})
    found = followed(new({"3": "jan.csv"}, now, replacing()))
    assert found == [("3", newer.batch_id) if is_followed else ("3",)]


@pytest.mark.parametrize("settings", [source(), replacing()], ids=["refuse", "replace"])
def test_a_second_file_of_the_same_name_in_another_folder_replaces_nothing(
    settings: Source,
) -> None:
    found = new({"2010": "jan.csv", "2011": "jan.csv"}, books(batch("2010")), settings)
    assert followed(found) == [("2011",)]


def test_new_files_beside_known_ones_are_all_that_is_new() -> None:
    found = new({"1": "jan.csv", "2": "feb.csv", "3": "mar.csv"}, books(batch("1")))
    assert [(b.name, b.replaces) for b in found] == [("feb.csv", ()), ("mar.csv", ())]


@pytest.mark.parametrize(
    ("contents", "now"),
    [
        ({"1": "a.csv"}, books()),
        ({"3": "a.csv"}, books()),
        ({"1": "renamed.csv"}, books()),
        ({"3": "renamed.csv"}, books(**{"1": "renamed.csv"})),
        ({}, books(batch("1", "a.csv"))),
    ],
    ids=["still there", "changed", "renamed", "renamed and changed", "taken in anew, then gone"],
)
def test_changed_settings_are_fine_where_each_file_of_before_is_or_was_taken_in_anew(
    contents: dict[str, str], now: Books
) -> None:
    named = {content: (name,) for content, name in contents.items()}
    check_nothing_is_left_behind("shop", named, now, earlier(**{"1": "a.csv"}))


def test_changed_settings_are_refused_while_files_of_before_are_gone() -> None:
    before = earlier(**{"1": "a.csv", "2": "b.csv"})
    for now in (books(), books(batch("1", "a.csv"))):
        with pytest.raises(IngestError, match=r"source shop: its settings changed.* b\.csv are no"):
            check_nothing_is_left_behind("shop", {"1": ("a.csv",)}, now, before)
