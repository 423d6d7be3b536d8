"""The command `quality`: the page about what came in, from the lake's tables."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from decimal import Decimal
from pathlib import Path

from pyspark.sql import Row
from pyspark.sql import functions as F

from segspark.errors import StageError
from segspark.ingest.quality.alarm_words import alarm_sentence
from segspark.ingest.quality.figures import QualityRow
from segspark.ingest.quality.profile import WEEKDAYS
from segspark.pipeline.holdings import current_batches
from segspark.pipeline.stage import Workspace
from segspark.report.quality_page import BatchLine, FilledColumn, SourceReport, quality_page
from segspark.report.volume_chart import VolumePoint
from segspark.settings.base import without_credentials
from segspark.tables.engine_errors import engine_sentences
from segspark.tables.ingested import INGEST_QUALITY

MOST_BATCHES = 60
"""Batches of a source that the page shows."""
_DAY_ORDER = {name: number for number, name in enumerate(WEEKDAYS)}
_FLOWS = ("in", "kept", "duplicate", "rejected")
_ByBatch = Mapping[str, Sequence[QualityRow]]


def write_quality_page(workspace: Workspace, *, output: Path | None = None) -> Path:
    """Write the page about all batches that count, and say where it is.

    Args:
        workspace: The surroundings.
        output: Where to write it; None: `reports/quality.html` in a local lake, else
            `quality.html` where the command runs.

    Raises:
        StageError: No batch has been ingested, or the page cannot be written.
    """
    batches = sorted(current_batches(workspace), key=lambda row: int(row["batch_number"]))
    if not batches:
        raise StageError("there is no batch to tell about: run segspark ingest first")
    by_source: dict[str, list[Row]] = {}
    for row in batches:
        by_source.setdefault(row["source"], []).append(row)
    shown = {name: rows[-MOST_BATCHES:] for name, rows in by_source.items()}
    quality = _quality_rows(workspace, [row for rows in shown.values() for row in rows])
    reports = [
        _source_report(workspace, name, rows, quality, batch_count=len(by_source[name]))
        for name, rows in sorted(shown.items())
    ]
    lake = workspace.lake
    path = output or _default_place(lake.local_folder)
    _write(path, quality_page(reports, lake=without_credentials(lake.root)))
    workspace.progress.say(f"quality: the page is in {path}")
    return path


def _quality_rows(workspace: Workspace, batches: Sequence[Row]) -> dict[str, list[QualityRow]]:
    """Batch id → its rows; lists of values only where an alarm tells about them."""
    ids = [row["batch_id"] for row in batches]
    rows = workspace.lake.read(INGEST_QUALITY).filter(F.col("batch_id").isin(ids))
    told = rows.withColumn("text_value", F.when(F.col("is_alarm"), F.col("text_value")))
    with engine_sentences("reading the figures of the batches"):
        found = [QualityRow(**row.asDict()) for row in told.collect()]
    by_batch: dict[str, list[QualityRow]] = {batch_id: [] for batch_id in ids}
    for row in sorted(found, key=lambda row: (row.metric, row.column_name)):
        by_batch[row.batch_id].append(row)
    return by_batch


def _source_report(
    workspace: Workspace, name: str, batches: Sequence[Row], quality: _ByBatch, *, batch_count: int
) -> SourceReport:
    """One source; `batches` come oldest first."""
    settings = workspace.settings.sources[name].quality
    # Replayed rows are no delivery: they have no figures to compare.
    deliveries = [row for row in batches if quality[row["batch_id"]]]
    return SourceReport(
        name=name,
        entity=batches[-1]["entity"],
        currency=batches[-1]["currency"],
        batch_count=batch_count,
        batches=[_batch_line(row, quality[row["batch_id"]]) for row in reversed(batches)],
        volumes=[
            point
            for row in deliveries
            for point in volume_points(row["file_name"], quality[row["batch_id"]])
        ],
        filled=filled_columns([quality[row["batch_id"]] for row in deliveries[-2:]]),
        false_alarm_ratio=settings.false_alarm_ratio,
        history_batches=settings.history_batches,
    )


def _batch_line(batch: Row, rows: Sequence[QualityRow]) -> BatchLine:
    def four(suffix: str) -> list[Decimal]:
        return [Decimal(batch[f"{flow}_{suffix}"]) for flow in _FLOWS]

    came_in, kept, duplicate, refused = (int(count) for count in four("row_count"))
    money_in, kept_money, duplicate_money, refused_money = four("amount")
    days = [str(batch[name]) for name in ("first_date", "last_date") if batch[name] is not None]
    return BatchLine(
        name=batch["file_name"],
        ingested_at=f"{batch['ingested_at'].astimezone(UTC):%Y-%m-%d %H:%M}",
        days=" to ".join(dict.fromkeys(days)),
        rows=(came_in, kept, duplicate, refused),
        amounts=(money_in, kept_money, duplicate_money, refused_money),
        reasons=batch["rule_row_counts"],
        alarms=[alarm_sentence(row) for row in rows if row.is_alarm],
    )


def volume_points(batch_name: str, rows: Sequence[QualityRow]) -> list[VolumePoint]:
    """Rows a day of one batch, one point a weekday."""
    return [
        VolumePoint(
            label=f"{batch_name} {row.column_name}".rstrip(),
            rows=row.value or 0.0,
            low=row.usual_low,
            high=row.usual_high,
            is_alarm=row.is_alarm,
        )
        for row in sorted(rows, key=lambda row: _DAY_ORDER.get(row.column_name, 0))
        if row.metric == "volume"
    ]


def filled_columns(batches: Sequence[Sequence[QualityRow]]) -> list[FilledColumn]:
    """Completeness in the last of the batches, and in the one before where there is one."""
    if not batches:
        return []
    *earlier, newest = batches
    before = {
        r.column_name: r.value for rows in earlier for r in rows if r.metric == "completeness"
    }
    return [
        FilledColumn(
            name=row.column_name,
            ratio=row.value or 0.0,
            before=before.get(row.column_name),
            low=row.usual_low,
            high=row.usual_high,
            is_alarm=row.is_alarm,
        )
        for row in newest
        if row.metric == "completeness"
    ]


def _default_place(folder: Path | None) -> Path:
    return folder / "reports" / "quality.html" if folder else Path("quality.html")


def _write(path: Path, page: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StageError(
            f"{path}: the page cannot be written ({error.strerror}): name another --output"
        ) from error
