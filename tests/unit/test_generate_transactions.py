"""What is generated is the same every time, and `truth.json` says exactly what it is."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.synthetic import generating
from scripts.synthetic.cell import Cell, draw_cell
from scripts.synthetic.generating import generate
from scripts.synthetic.plan import Plan
from scripts.synthetic.request import Request
from scripts.synthetic.writing import write_table
from segspark.settings.loading import load_settings
from segspark.settings.sources import Source
from tests.synthetic_shop import (
    COUNT_AND_CENTS,
    DEFECTS,
    PARTS,
    SMALL,
    hashes,
    opened,
    truth_of,
)

KINDS = ("sale", "postage", "fee", "cancellation", "return")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic") / "shop"
    generate(SMALL, folder)
    return folder


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_the_same_request_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_format: Literal["parquet", "csv"]
) -> None:
    request = Request(9_000, 400, file_format=file_format, dirty_share=0.1, increment_lines=50)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        generate(request, Path("shop"))
    first = hashes(tmp_path / "one")
    assert len(first) == 8
    assert first == hashes(tmp_path / "two")


def test_another_seed_gives_another_shop(tmp_path: Path) -> None:
    for seed in (1, 2):
        generate(Request(6_000, 400, seed=seed), tmp_path / str(seed))
    first, second = hashes(tmp_path / "1"), hashes(tmp_path / "2")
    assert not set(first.values()) & set(second.values())


def test_rows_do_not_depend_on_how_many_cells_share_a_file(shop: Path, tmp_path: Path) -> None:
    generate(SMALL, tmp_path / "shop", cells_per_file=1)
    for part in PARTS:
        assert len(list((shop / part).iterdir())) == 1
        assert len(list((tmp_path / "shop" / part).iterdir())) == 2
        assert pq.read_table(shop / part).equals(pq.read_table(tmp_path / "shop" / part))
    assert truth_of(shop) == truth_of(tmp_path / "shop")


def test_no_more_cells_are_held_than_share_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, most = 0, []

    def counted_draw(plan: Plan, number: int) -> Cell:
        nonlocal held
        held += 1
        return draw_cell(plan, number)

    def counted_write(table: pa.Table, path: Path) -> None:
        nonlocal held
        most.append(held)
        held = 0
        write_table(table, path)

    monkeypatch.setattr(generating, "draw_cell", counted_draw)
    monkeypatch.setattr(generating, "write_table", counted_write)
    generate(Request(lines=60_000, customers=1_000), tmp_path / "shop", cells_per_file=2)
    # Sixty lines a customer make cells of 400: the cells are smaller where customers buy more.
    assert [count for count in most if count] == [2, 1]


@pytest.mark.parametrize(("table", "section"), [("lines", "history"), ("next_lines", "increment")])
def test_the_truth_is_what_the_files_hold(shop: Path, table: str, section: str) -> None:
    truth, lake = truth_of(shop)[section], opened(shop)
    for name, condition in DEFECTS.items():
        found = lake.view(table).filter(condition).aggregate(COUNT_AND_CENTS).fetchone()
        assert found == tuple(truth["defects"][name].values()), name
        assert found[0] > 0
    distinct = lake.view(table).distinct().aggregate(COUNT_AND_CENTS).fetchone()
    everything = lake.view(table).aggregate(COUNT_AND_CENTS).fetchone()
    assert distinct is not None
    assert everything is not None
    copied = tuple(truth["defects"]["exact_copy"].values())
    assert (everything[0] - distinct[0], everything[1] - distinct[1]) == copied
    figures = f"kind, {COUNT_AND_CENTS}, sum(quantity), sum(discount_amount * 100)"
    names = ("lines", "amount_cents", "units", "discount_cents")
    kinds = lake.view(f"kept_{table}").aggregate(figures).fetchall()
    assert {kind: tuple(values) for kind, *values in kinds} == {
        kind: tuple(truth["clean"][kind][name] for name in names)
        for kind in KINDS
        if truth["clean"][kind]["lines"]
    }


def test_rows_and_money_tie_out(shop: Path) -> None:
    truth, lake = truth_of(shop)["history"], opened(shop)
    ingest, clean = truth["ingest"], truth["clean"]
    for unit in ("rows", "amount_cents"):
        parts = [ingest[f"{part}_{unit}"] for part in ("kept", "duplicate", "refused")]
        assert ingest[unit] == sum(parts)
    everything = lake.view("lines").aggregate(COUNT_AND_CENTS).fetchone()
    assert everything == (ingest["rows"], ingest["amount_cents"])
    kept = lake.view("kept_lines").aggregate(COUNT_AND_CENTS).fetchone()
    assert kept == (ingest["kept_rows"], ingest["kept_amount_cents"])
    for figure in ("lines", "units", "amount_cents", "discount_cents"):
        assert clean["all"][figure] == sum(clean[kind][figure] for kind in KINDS)


def test_orders_and_guests_are_counted(shop: Path) -> None:
    truth = truth_of(shop)["history"]
    orders = opened(shop).sql(
        "SELECT count(DISTINCT order_id) FILTER (customer_id IS NULL), "
        "count(DISTINCT order_id) FILTER (customer_id IS NOT NULL), "
        "count(DISTINCT customer_id) FROM kept_lines WHERE order_id LIKE 'O%'"
    )
    counted = truth["orders"]
    assert orders.fetchone() == (counted["of_guests"], counted["of_customers"], SMALL.customers)
    guests = opened(shop).view("kept_lines").filter("customer_id IS NULL").aggregate("count(*)")
    assert guests.fetchone() == (truth["clean"]["guests"]["lines"],)


def test_defects_are_added_and_take_nothing_away(shop: Path, tmp_path: Path) -> None:
    generate(replace(SMALL, dirty_share=0.0), tmp_path / "clean")
    kept = opened(shop).view("kept_lines").project("* EXCLUDE kind").order("ALL")
    clean = opened(tmp_path / "clean").view("lines").order("ALL")
    assert kept.to_arrow_table().equals(clean.to_arrow_table())


def test_csv_holds_what_parquet_holds(shop: Path, tmp_path: Path) -> None:
    generate(replace(SMALL, file_format="csv"), tmp_path / "shop")
    for source in ("transactions/*", "increment/*", "customers/*", "events/*", "products*"):
        text = duckdb.read_csv(f"{tmp_path}/shop/{source}", all_varchar=True)
        typed = duckdb.read_parquet(f"{shop}/{source}").project("COLUMNS(*)::VARCHAR")
        assert text.columns == typed.columns
        first, second = (rows.order("ALL").to_arrow_table() for rows in (text, typed))
        assert first.equals(second)


def named_columns(source: Source) -> Iterator[str]:
    for named in source.columns.model_dump(exclude_none=True).values():
        if isinstance(named, str):
            yield named
        else:
            yield from named.values() if isinstance(named, dict) else named


def test_the_configuration_loads_and_names_columns_that_are_there(shop: Path) -> None:
    sources = load_settings(shop / "source.yml").sources
    assert list(sources) == ["transactions", "customers", "products", "events"]
    for name, source in sources.items():
        columns = pq.read_table(source.location).column_names
        assert set(named_columns(source)) <= set(columns), name


def test_demographics_are_of_some_customers_with_gaps_and_moves(shop: Path) -> None:
    found = (
        opened(shop)
        .sql(
            "SELECT count(DISTINCT customer_id) / any_value(everybody), "
            "count(*) - count(DISTINCT customer_id), avg((income_band IS NULL)::INT), "
            "bool_and(starts_with(region, country)) "
            "FROM people SEMI JOIN true_customers USING (customer_id), "
            "(SELECT count(*) AS everybody FROM true_customers)"
        )
        .fetchone()
    )
    assert found is not None
    known, moves, missing, is_in_country = found
    assert known == pytest.approx(0.7, abs=0.05)
    assert 0 < moves < 0.1 * SMALL.customers
    assert missing == pytest.approx(0.1, abs=0.03)
    assert is_in_country
    moved_twice = "SELECT customer_id FROM people GROUP BY ALL HAVING count(*) > 2"
    assert not opened(shop).sql(moved_twice).fetchall()
    same_day = "SELECT customer_id FROM people GROUP BY customer_id, valid_from HAVING count(*) > 1"
    assert not opened(shop).sql(same_day).fetchall()


def test_events_are_of_customers_within_the_history_and_each_its_own(shop: Path) -> None:
    found = (
        opened(shop)
        .sql(
            "SELECT count(*), count(DISTINCT event_id), min(event_at) >= TIMESTAMP '2023-01-01', "
            "max(event_at) < TIMESTAMP '2024-05-15', count(DISTINCT event_type), "
            "bool_and((campaign_id IS NOT NULL) = starts_with(event_type, 'email')), "
            "bool_and((product_id IS NOT NULL) = (event_type = 'browse')) "
            "FROM events SEMI JOIN true_customers USING (customer_id)"
        )
        .fetchone()
    )
    assert found is not None
    count, distinct, *answers = found
    assert count == distinct == opened(shop).view("events").count("*").fetchall()[0][0]
    assert count == pytest.approx(3 * SMALL.customers, rel=0.1)
    assert answers == [True, True, 4, True, True]
