"""The page about what came in: which figures go onto it, and where it is written."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import Row

from segspark.errors import StageError
from segspark.ingest.quality.figures import QualityRow
from segspark.pipeline import quality
from segspark.pipeline.quality import filled_columns, volume_points


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
        ingested_at=datetime(2024, 1, day, 23, tzinfo=UTC), batch_number=day, **figures,
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
