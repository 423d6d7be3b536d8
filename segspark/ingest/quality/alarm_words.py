"""Alarms in words, for the page and for refusals."""

from collections.abc import Callable, Sequence

from segspark.errors import first_names
from segspark.ingest.quality.figures import ALARM_OF, QualityRow
from segspark.ingest.quality.novelty import column_changes, new_values
from segspark.settings.sources import QualitySettings

_RATIOS = {"completeness", "share", "refused", "new_values"}
_MOST_NAMES = 5
_WHOLE_NUMBERS_FROM = 1000


def alarm_sentence(row: QualityRow) -> str:
    """One alarm in words, such as 'country is filled in 61% of rows; usual is 97% to 99%'."""
    about, text = row.column_name, row.text_value or ""
    if row.metric == "columns":
        return _columns_sentence(text)
    words = words_of(row.metric)
    value, high = words(row.value or 0.0), words(row.usual_high or 0.0)
    if row.metric == "new_values":
        names = first_names(new_values(text), most=_MOST_NAMES)
        return (
            f"{about} has values never seen before ({names}) in {value} of rows; usual is at most "
            f"{high}"
        )
    a_day = f" a day on {about}s" if about else ""
    what = {
        "volume": f"{value} rows{a_day}",
        "completeness": f"{about} is filled in {value} of rows",
        "share": f"{about} in {value} of rows",
        "refused": f"{value} of rows are refused",
        "distinct": f"{about} has about {value} different values",
    }.get(row.metric, f"{about} is {value} in the mean")
    return f"{what}; usual is {words(row.usual_low or 0.0)} to {high}"


def words_of(metric: str) -> Callable[[float], str]:
    """How figures of the metric are written for people."""
    return _percent if metric in _RATIOS else _number


def blocking_sentence(
    name: str, batch_name: str, rows: Sequence[QualityRow], settings: QualitySettings
) -> str | None:
    """Why the batch is refused, or None where no blocking alarm rings.

    Args:
        name: The source's name.
        batch_name: The batch's name in the books.
        rows: The batch's rows from `judge`.
        settings: Which alarms refuse a batch.
    """
    ringing = [
        row for row in rows if row.is_alarm and ALARM_OF.get(row.metric) in settings.blocking
    ]
    if not ringing:
        return None
    more = f" (and {len(ringing) - 1} more)" if len(ringing) > 1 else ""
    alarm = ALARM_OF[ringing[0].metric]
    return (
        f"source {name}: {batch_name}: {alarm_sentence(ringing[0])}{more}: correct the delivery, "
        f"or, if it is right, take {alarm} out of sources.{name}.quality.blocking for this run"
    )


def _columns_sentence(text: str) -> str:
    added, gone = column_changes(text)
    parts = []
    if gone:
        parts.append(f"the source lacks the {_columns(gone)}")
    if added:
        parts.append(f"the source has the new {_columns(added)}")
    return f"{' and '.join(parts)}, compared with the batch before"


def _columns(names: Sequence[str]) -> str:
    return f"{'column' if len(names) == 1 else 'columns'} {first_names(names, most=_MOST_NAMES)}"


def _percent(ratio: float) -> str:
    return f"{100 * ratio:.4g}%"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= _WHOLE_NUMBERS_FROM else f"{value:.4g}"
