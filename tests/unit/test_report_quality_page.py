"""The page for people: what it says, and that nothing on it can act."""

import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser

from segspark.report.quality_page import BatchLine, FilledColumn, SourceReport, quality_page
from segspark.report.volume_chart import VolumePoint

HOSTILE = "<script>alert('x')</script>\"&"
MONEY = (Decimal(1500), Decimal("1234.5"), Decimal("200.5"), Decimal(65))
OLD = BatchLine("2024-03-01.csv", "2024-03-02 05:00", "2024-03-01", (100, 90, 4, 6), MONEY)
NEW = replace(
    OLD,
    name="2024-03-02.csv",
    rows=(1100, 1000, 40, 60),
    reasons={"transaction_at: not a date or time": 60, "too_many": 3},
    alarms=["country is filled in 61% of rows; usual is 97% to 99%"],
)
POINTS = [
    VolumePoint("a Monday", 100, None, None, is_alarm=False),
    VolumePoint("b Monday", 50, 80, 120, is_alarm=True),
]
SHOP = SourceReport(
    name="shop",
    entity="transactions",
    currency="GBP",
    batch_count=2,
    batches=[NEW, OLD],
    volumes=POINTS,
    filled=[FilledColumn("country", 0.61, 0.98, 0.97, 0.99, is_alarm=True)],
    false_alarm_ratio=0.01,
    history_batches=60,
)


class Reader(HTMLParser):
    """Elements, attributes and texts; every element that opens must close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(*sources: SourceReport, lake: str = "/data/lake") -> Reader:
    reader = Reader()
    reader.feed(quality_page(sources, lake=lake))
    reader.close()
    assert reader.open == []
    return reader


def words(reader: Reader) -> str:
    return " ".join(reader.text.split())


def test_the_page_says_what_rings_and_how_often_that_is_by_chance() -> None:
    shown = words(read(SHOP))

    assert "Alarms ring in the newest batch of shop." in shown
    assert "2024-03-02.csv: country is filled in 61% of rows; usual is 97% to 99%." in shown
    assert "By chance, alarms ring in at most 1% of sound batches, which is one in 100" in shown


def test_a_source_without_alarms_says_so() -> None:
    shown = words(read(replace(SHOP, batches=[OLD])))

    assert "No alarm rings in the newest batch of any source." in shown
    assert "No alarm rings. By chance" in shown
    assert "No row breaks a rule or is refused." in shown


def test_batches_come_newest_first_with_books_in_rows_and_money() -> None:
    page = quality_page([SHOP], lake="lake")

    assert page.index("<th scope=row>2024-03-02.csv") < page.index("<th scope=row>2024-03-01.csv")
    cells = re.findall(r'<td class="number">([^<]*)</td>', page)
    assert cells[:8] == ["1,100", "1,000", "40", "60", "1,500.00", "1,234.50", "200.50", "65.00"]
    assert "GBP in" in page


def test_a_source_without_money_has_no_columns_of_it() -> None:
    shown = words(read(replace(SHOP, currency=None)))

    assert "1,234.50" not in shown
    assert "1,000" in shown


def test_refusals_are_counted_for_the_newest_and_for_all_batches() -> None:
    old = replace(OLD, reasons={"too_many": 7})
    page = quality_page([replace(SHOP, batches=[NEW, old])], lake="lake")

    row = re.search(r"too_many</th>(.*?)</tr>", page, flags=re.DOTALL)
    assert row is not None
    assert re.findall(r">(\d+)<", row[1]) == ["3", "10"]


def test_completeness_is_shown_with_the_batch_before_and_the_usual() -> None:
    assert "country alarm61%98%97% to 99%" in words(read(SHOP))


def test_a_page_of_few_of_many_batches_says_so() -> None:
    shown = words(read(replace(SHOP, batch_count=4711)))

    assert "4,711 batches, the newest 2 of them below." in shown


def test_nothing_that_came_from_outside_becomes_part_of_the_page() -> None:
    batch = BatchLine(HOSTILE, HOSTILE, HOSTILE, (1, 1, 0, 0), MONEY, {HOSTILE: 1}, [HOSTILE])
    hostile = SourceReport(
        name=HOSTILE,
        entity=HOSTILE,
        currency=HOSTILE,
        batch_count=1,
        batches=[batch],
        volumes=[
            VolumePoint(HOSTILE, 1, 0, 2, is_alarm=False),
            VolumePoint(HOSTILE, 1, 0, 2, is_alarm=True),
        ],
        filled=[FilledColumn(HOSTILE, 1, None, None, None, is_alarm=False)],
        false_alarm_ratio=0.01,
        history_batches=60,
    )

    reader = read(hostile, lake=HOSTILE)

    assert "script" not in reader.tags
    assert reader.text.count(HOSTILE) >= 11


def test_the_page_needs_no_script_and_nothing_from_elsewhere() -> None:
    page = quality_page([SHOP], lake="lake")
    reader = read(SHOP)

    assert not {"script", "link", "img", "iframe", "object"} & set(reader.tags)
    assert not {"src", "href", "onload", "onclick", "style"} & set(reader.attributes)
    assert "url(" not in page
    assert "@import" not in page
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
