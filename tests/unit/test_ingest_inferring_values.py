"""Stamps and numbers of unknown files are recognised by their values."""

from decimal import Decimal

import pytest

from segspark.ingest.inferring.numbers import find_number_style, parse_number
from segspark.ingest.inferring.stamps import find_stamps, is_epoch
from segspark.settings.rules import NumberStyle


def pattern(*values: str) -> str | None:
    found = find_stamps(values)
    assert found is not None
    return found.pattern


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2010-12-01 08:26:00", "2010-12-01"], None),
        (["2019-10-01 00:00:00 UTC"], None),
        (["2021-03-04 12:33:11 +0100"], None),
        (["2019-06-01T12:00:00+00:00", "2019-06-01T12:00:00.123Z"], None),
        (["19970101", "19971231"], "yyyyMMdd"),
        (["20200131235959"], "yyyyMMddHHmmss"),
        (["31.01.2020", "05.02.2020"], "dd.MM.yyyy"),
        (["31.1.2020", "5.2.2020"], "d.M.yyyy"),
        (["31.01.2020 09:05", "05.02.2020 23:59"], "dd.MM.yyyy HH:mm"),
        (["31.01.2020 09:05:07", "05.02.2020 23:59"], "dd.MM.yyyy HH:mm[:ss]"),
        (["31.01.2020 09:05", "05.02.2020"], "dd.MM.yyyy[ HH:mm]"),
        (["12/1/2010 8:26", "12/13/2010 17:02"], "M/d/yyyy H:mm"),
        (["01/31/2020", "02/05/2020"], "MM/dd/yyyy"),
        (["31/01/2020", "05/02/2020"], "dd/MM/yyyy"),
        (["2020/01/31", "2020/02/01"], "yyyy/MM/dd"),
        (["31-Jan-20", "01-Feb-20"], "dd-MMM-yy"),
        (["1/31/2020 1:05:00 PM", "2/5/2020 11:00:00 AM"], "M/d/yyyy h:mm:ss a"),
        (["31.01.2020T10:00"], "dd.MM.yyyy'T'H:mm"),
        (["2020/01/31 10:00:00 +01:00"], "yyyy/MM/dd H:mm:ss XXX"),
        (["31.01.2020 10:00:00,5", "31.01.2020 10:00:00,7"], "dd.MM.yyyy H:mm:ss,S"),
    ],
)
def test_the_pattern_of_stamps_is_found(values: list[str], expected: str | None) -> None:
    assert pattern(*values) == expected


@pytest.mark.parametrize(
    "values",
    [
        ["17850", "13047"],
        ["10.50", "3.20"],
        ["99991301", "20201331"],
        ["32.01.2020"],
        ["2020-13-45"],
        ["a", "b"],
        ["08:26", "09:30"],
        [],
    ],
)
def test_what_is_no_stamp_is_not_taken_for_one(values: list[str]) -> None:
    assert find_stamps(values) is None


def test_a_few_odd_values_do_not_hide_the_stamps() -> None:
    assert pattern(*["31.01.2020"] * 19, "unknown") == "dd.MM.yyyy"
    assert find_stamps([*["31.01.2020"] * 8, "unknown", "unknown"]) is None


def test_a_number_above_12_settles_which_is_the_day() -> None:
    day_first, month_first = find_stamps(["01/02/2020", "13/02/2020"]), find_stamps(["01/13/2020"])
    assert day_first
    assert day_first.is_certain
    assert day_first.pattern == "dd/MM/yyyy"
    assert month_first
    assert month_first.is_certain
    assert month_first.pattern == "MM/dd/yyyy"


def test_without_one_the_order_of_the_rows_settles_it_with_a_doubt() -> None:
    found = find_stamps(["01/11/2020", "01/12/2020", "02/01/2020", "02/02/2020"])
    assert found
    assert found.pattern == "MM/dd/yyyy"
    assert not found.is_certain
    assert "better order" in found.reason


def test_without_any_evidence_custom_settles_it_with_a_doubt() -> None:
    found = find_stamps(["01/02/2020"])
    assert found
    assert not found.is_certain
    assert "by custom only" in found.reason
    with_half = find_stamps(["01/02/2020 1:00 PM"])
    assert with_half
    assert with_half.pattern == "MM/dd/yyyy h:mm a"


def test_offsets_and_the_last_day_are_known() -> None:
    found = find_stamps(["2021-03-04 12:33:11 +0100", "2021-02-04 12:33:11 +0100"])
    assert found
    assert found.has_offset
    assert found.has_time
    assert str(found.last_day) == "2021-03-04"


def test_seconds_since_1970_are_recognised_and_are_no_stamps() -> None:
    for values in (["1577836800"], ["1577836800123"]):
        assert is_epoch(values)
        assert find_stamps(values) is None
    assert not is_epoch(["17850"])
    assert not is_epoch([])


@pytest.mark.parametrize(
    ("values", "decimals", "thousands"),
    [
        (["12.50", "3"], ".", ""),
        (["12,50", "3"], ",", ""),
        (["1,234.50", "12.50"], ".", ","),
        (["1.234,50", "12,50"], ",", "."),
        (["1 234,50", "12,50"], ",", " "),
        (["1\u00a0234,50", "12,50"], ",", " "),
        (["1'234.50", "12.50"], ".", "'"),
        (["-0.75", "5", ".5"], ".", ""),
        (["6", "80995"], ".", ""),
    ],
)
def test_separators_are_found(values: list[str], decimals: str, thousands: str) -> None:
    found = find_number_style([values])
    assert found.is_certain
    assert found.style.decimal_separator == decimals
    assert found.style.thousands_separator == thousands


def test_columns_settle_the_separators_together() -> None:
    found = find_number_style([["1.234", "2.000"], ["12,50"]])
    assert (found.style.decimal_separator, found.style.thousands_separator) == (",", ".")
    assert found.is_certain


def test_three_digits_behind_a_lone_separator_are_doubtful() -> None:
    found = find_number_style([["1.234", "2.000"]])
    assert not found.is_certain
    assert found.reason == "such as 1.234: thousands or decimals?"


def test_currency_signs_and_accounting_negatives_are_found() -> None:
    found = find_number_style([["€ 12,50", "(3,20)", "7,00-", "-1,00 EUR"]])
    assert found.style == NumberStyle(
        decimal_separator=",", currency_signs=("EUR", "€"), accounting_negatives=True
    )
    values = [parse_number(t, found.style) for t in ("€ 12,50", "(3,20)", "7,00-", "-1,00 EUR")]
    assert values == [Decimal("12.50"), Decimal("-3.20"), Decimal("-7.00"), Decimal("-1.00")]


def test_a_number_in_another_style_is_not_read() -> None:
    style = NumberStyle()
    assert parse_number("12,50", style) is None
    assert parse_number("abc", style) is None
    assert parse_number("12.50", style) == Decimal("12.50")


def test_a_few_signs_that_stand_for_endless_digits_are_no_number() -> None:
    assert parse_number("1E10000000", NumberStyle()) is None
    assert parse_number("1E+12", NumberStyle()) == Decimal(10**12)
