"""The page about what came in: alarms, books, refusals, completeness of every source."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from html import escape

from segspark.report.style import STYLE
from segspark.report.volume_chart import VolumePoint, volume_chart

_MOST_REASONS = 20


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One batch on the page.

    Attributes:
        name: Its name in the books.
        ingested_at: When, UTC, as text.
        days: First to last day as text; empty without days.
        rows: Rows in, kept, duplicate, refused.
        amounts: Money of the same four.
        reasons: Rule or reason → rows.
        alarms: What rings, a sentence each.
    """

    name: str
    ingested_at: str
    days: str
    rows: tuple[int, int, int, int]
    amounts: tuple[Decimal, Decimal, Decimal, Decimal]
    reasons: Mapping[str, int] = field(default_factory=dict)
    alarms: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class FilledColumn:
    """How far a column of the newest batch is filled, as shares of rows.

    Attributes:
        name: The column.
        ratio: Filled share.
        before: The same of the batch before, or None.
        low: Lower end of what is usual, or None.
        high: Upper end of what is usual, or None.
        is_alarm: Whether it is outside.
    """

    name: str
    ratio: float
    before: float | None
    low: float | None
    high: float | None
    is_alarm: bool


@dataclass(frozen=True, slots=True)
class SourceReport:
    """One source on the page.

    Attributes:
        name: Its name in the configuration.
        entity: What its rows are.
        currency: Of its money; None without money.
        batch_count: All batches that count, also those not shown.
        batches: Newest first.
        volumes: Rows a day, oldest first.
        filled: Columns of the newest batch.
        false_alarm_ratio: Share of sound batches in which any alarm may ring.
        history_batches: How many earlier batches say what is usual.
    """

    name: str
    entity: str
    currency: str | None
    batch_count: int
    batches: Sequence[BatchLine]
    volumes: Sequence[VolumePoint]
    filled: Sequence[FilledColumn]
    false_alarm_ratio: float
    history_batches: int


def quality_page(sources: Sequence[SourceReport], *, lake: str) -> str:
    """The whole page: one HTML text without scripts and without anything from elsewhere.

    Args:
        sources: What to show, in order.
        lake: Where the tables are, without credentials.
    """
    parts = "".join(_source_part(source) for source in sources)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Quality of what came in</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        "<h1>Quality of what came in</h1>\n"
        f'<p class="soft">Tables ingest_batches and ingest_quality of {escape(lake)}.</p>\n'
        f"{_summary(sources)}{parts}</body>\n</html>\n"
    )


def _summary(sources: Sequence[SourceReport]) -> str:
    ringing = [s.name for s in sources if s.batches and s.batches[0].alarms]
    if not ringing:
        return "<p>No alarm rings in the newest batch of any source.</p>\n"
    return f"<p>Alarms ring in the newest batch of {escape(', '.join(ringing))}.</p>\n"


def _source_part(source: SourceReport) -> str:
    shown = len(source.batches)
    of_all = f", the newest {shown} of them below" if shown < source.batch_count else ""
    chart = volume_chart(source.volumes, title=f"Rows a day of {source.name}")
    return (
        f"<h2>{escape(source.name)}</h2>\n"
        f'<p class="soft">{escape(source.entity)}; {source.batch_count:,} '
        f"{'batch' if source.batch_count == 1 else 'batches'}{of_all}.</p>\n"
        f"<h3>Alarms</h3>\n{_alarms(source)}"
        f"<h3>Rows a day</h3>\n{chart}\n"
        '<p class="soft">A dot for each batch and weekday; the band is what was usual for that '
        "weekday when the batch came, a diamond lies outside of it.</p>\n"
        f"<h3>Batches</h3>\n{_batches(source)}"
        f"<h3>Rules and reasons</h3>\n{_reasons(source)}"
        f"<h3>Completeness</h3>\n{_filled(source)}"
    )


def _alarms(source: SourceReport) -> str:
    items = "".join(
        f"<li><strong>{escape(batch.name)}</strong>: {escape(sentence)}.</li>\n"
        for batch in source.batches
        for sentence in batch.alarms
    )
    found = f'<ul class="alarms">\n{items}</ul>\n' if items else "<p>No alarm rings.</p>\n"
    return (
        f'{found}<p class="soft">By chance, alarms ring in at most '
        f"{_percent(source.false_alarm_ratio)} of sound batches, which is "
        f"{_one_in(source.false_alarm_ratio)}; usual is what the last {source.history_batches} "
        "batches at most showed, at least four. New and missing columns ring whenever the batch "
        "before had others.</p>\n"
    )


def _batches(source: SourceReport) -> str:
    has_money = source.currency is not None
    heads = ["batch", "days", "ingested (UTC)", "in", "= kept", "+ duplicate", "+ refused"]
    money_heads = [f"{source.currency} in", "= kept", "+ duplicate", "+ refused"]
    rows = []
    for batch in source.batches:
        name = f"{escape(batch.name)}{_rings(is_alarm=bool(batch.alarms))}"
        cells = [f"<th scope=row>{name}</th>", _text(batch.days), _text(batch.ingested_at)]
        cells += [_number(f"{count:,}") for count in batch.rows]
        cells += [_number(f"{amount:,.2f}") for amount in batch.amounts] if has_money else []
        rows.append("".join(cells))
    return _table("Newest first", heads + (money_heads if has_money else []), rows, first_number=3)


def _reasons(source: SourceReport) -> str:
    totals: dict[str, int] = {}
    for batch in source.batches:
        for reason, count in batch.reasons.items():
            totals[reason] = totals.get(reason, 0) + count
    if not totals:
        return "<p>No row breaks a rule or is refused.</p>\n"
    newest = source.batches[0].reasons
    ordered = sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:_MOST_REASONS]
    rows = [
        f"<th scope=row>{escape(reason)}</th>{_number(f'{newest.get(reason, 0):,}')}"
        f"{_number(f'{count:,}')}"
        for reason, count in ordered
    ]
    heads = ["rule or reason", "rows of the newest batch", "rows of all batches above"]
    return _table("A row may break several", heads, rows, first_number=1)


def _filled(source: SourceReport) -> str:
    if not source.filled:
        return "<p>No column may be empty.</p>\n"
    rows = [
        f"<th scope=row>{escape(column.name)}{_rings(is_alarm=column.is_alarm)}</th>"
        f"{_number(_percent(column.ratio))}"
        f"{_number('' if column.before is None else _percent(column.before))}"
        f"{_number(_band(column.low, column.high))}"
        for column in source.filled
    ]
    heads = ["column", "newest batch", "batch before", "usual"]
    return _table("Share of rows in which the column is filled", heads, rows, first_number=1)


def _table(caption: str, heads: Sequence[str], rows: Iterable[str], *, first_number: int) -> str:
    head = "".join(
        f"<th scope=col{' class=number' if n >= first_number else ''}>{escape(text)}</th>"
        for n, text in enumerate(heads)
    )
    body = "".join(f"<tr>{row}</tr>\n" for row in rows)
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n"
    )


def _text(value: str) -> str:
    return f"<td>{escape(value)}</td>"


def _number(value: str) -> str:
    return f'<td class="number">{escape(value)}</td>'


def _rings(*, is_alarm: bool) -> str:
    return ' <span class="rings">alarm</span>' if is_alarm else ""


def _band(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{_percent(low)} to {_percent(high)}"


def _percent(ratio: float) -> str:
    return f"{100 * ratio:.4g}%"


def _one_in(ratio: float) -> str:
    return f"one in {1 / ratio:,.0f}"
