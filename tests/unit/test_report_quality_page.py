"""The page for people: what it says, and that nothing on it can act."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import Row

from segspark.errors import StageError
from segspark.ingest.quality.alarms import QualityRow
from segspark.pipeline import quality
from segspark.pipeline.quality import filled_columns, volume_points
from segspark.report.quality_page import BatchLine, FilledColumn, SourceReport, quality_page
from segspark.report.volume_chart import VolumePoint, volume_chart

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


def test_the_chart_draws_rows_and_band_to_one_scale() -> None:
    drawn = volume_chart(
        [
            VolumePoint("a", 100, None, None, is_alarm=False),
            VolumePoint("b", 50, 50, 100, is_alarm=False),
        ],
        title="t",
    )

    heights = [float(y) for y in re.findall(r'cy="([\d.]+)"', drawn)]
    pattern = r'class="band".*? y="([\d.]+)" width="[\d.]+" height="([\d.]+)"'
    (band,) = re.findall(pattern, drawn)
    top, height = map(float, band)
    assert heights[0] < heights[1]
    assert top == pytest.approx(heights[0], abs=0.11)
    assert top + height == pytest.approx(heights[1], abs=0.11)
    assert volume_chart([], title="t") == ""


def test_a_huge_band_leaves_the_rows_readable_and_stays_inside() -> None:
    drawn = volume_chart([VolumePoint("a", 10, 0, 1e9, is_alarm=False)], title="t")

    (y,) = (
        float(found)
        for found in re.findall(r'class="band" fill="#cfe3f7" x="[\d.]+" y="([\d.]+)"', drawn)
    )
    (dot,) = (float(found) for found in re.findall(r'cy="([\d.]+)"', drawn))
    assert y >= 0
    assert 12 < dot < 120


def test_an_alarm_has_another_shape_than_a_sound_day() -> None:
    drawn = volume_chart(POINTS, title="t")

    assert drawn.count("<polygon") == 1
    assert drawn.count("<circle") == 1
    assert "b Monday: 50 rows a day, usual 80 to 120" in drawn


def row(metric: str, column: str, value: float, batch: str = "a") -> QualityRow:
    return QualityRow(batch, "shop", metric, column, value, None, 0.9, 1.0, 9, is_alarm=False)


def test_weekdays_stand_in_their_order() -> None:
    rows = [row("volume", day, 1) for day in ("Friday", "Monday", "Tuesday")]

    assert [point.label for point in volume_points("f", rows)] == [
        "f Monday", "f Tuesday", "f Friday"
    ]  # fmt: skip


def test_completeness_is_that_of_the_newest_batch() -> None:
    before = [row("completeness", "country", 0.8), row("mean", "line_amount", 3)]
    newest = [row("completeness", "country", 0.9), row("completeness", "brand", 1)]

    found = filled_columns([before, newest])

    assert [(c.name, c.ratio, c.before) for c in found] == [
        ("country", 0.9, 0.8), ("brand", 1, None)
    ]  # fmt: skip
    assert filled_columns([]) == []


class _Quality:
    """Stands for one source's settings of alarms."""

    false_alarm_ratio, history_batches = 0.05, 60


class _Workspace:
    """A workspace of which the page needs its places, its settings and what it says."""

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.lake = type("Lake", (), {"local_folder": folder, "root": f"s3a://u:secret@{folder}"})()
        source = type("Source", (), {"quality": _Quality})
        self.settings = type("Settings", (), {"sources": {"shop": source}})()
        self.progress = type("Progress", (), {"say": self.said.append})()


def use(monkeypatch: pytest.MonkeyPatch, batches: Sequence[Row]) -> None:
    rows = {"b1": [row("completeness", "country", 0.9, "b1")], "b2": []}
    monkeypatch.setattr(quality, "current_batches", lambda _: list(batches))
    monkeypatch.setattr(quality, "_quality_rows", lambda *_: rows)


def batch_row(batch_id: str, day: int) -> Row:
    figures: dict[str, Any] = {
        f"{flow}_{suffix}": 10 for flow in ("in", "kept", "duplicate", "rejected")
        for suffix in ("row_count", "amount")
    }  # fmt: skip
    return Row(
        batch_id=batch_id, source="shop", entity="transactions", currency="EUR",
        file_name=f"{batch_id}.csv", first_date=None, last_date=None, rule_row_counts={},
        ingested_at=datetime(2024, 1, day, 23, tzinfo=UTC), **figures,
    )  # fmt: skip


def test_the_page_is_written_into_the_lake_or_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, [batch_row("b1", 1), batch_row("b2", 2)])
    workspace: Any = _Workspace(tmp_path)

    default = quality.write_quality_page(workspace)
    chosen = quality.write_quality_page(workspace, output=tmp_path / "new" / "page.html")

    assert default == tmp_path / "reports" / "quality.html"
    page = chosen.read_text(encoding="utf-8")
    assert page == default.read_text(encoding="utf-8")
    assert page.index("b2.csv") < page.index("b1.csv")
    assert "country" in page, "replayed rows without figures must not hide the newest delivery"
    assert "2024-01-02 23:00" in page
    assert "secret" not in page
    assert str(chosen) in workspace.said[-1]


def test_without_a_batch_there_is_no_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, [])
    workspace: Any = _Workspace(tmp_path)

    with pytest.raises(StageError, match="run segspark ingest first"):
        quality.write_quality_page(workspace)


def test_a_place_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, [batch_row("b1", 1)])
    workspace: Any = _Workspace(tmp_path)
    (tmp_path / "file").write_text("")

    with pytest.raises(StageError, match="cannot be written") as caught:
        quality.write_quality_page(workspace, output=tmp_path / "file" / "page.html")

    assert "name another --output" in str(caught.value)
