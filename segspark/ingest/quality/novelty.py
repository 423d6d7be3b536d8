"""What a batch brings that its source never brought before: values and columns."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from segspark.ingest.quality.usual import FEWEST_BATCHES, Interval, usual_ratio


def values_text(row_counts: Mapping[str, int]) -> str:
    """Values and their rows as a figure's text, before it is known which are new."""
    return _json({"known": dict(row_counts), "new": {}})


def columns_text(names: Sequence[str]) -> str:
    """A source's columns as a figure's text."""
    return _json({"columns": list(names), "added": [], "gone": []})


@dataclass(frozen=True, slots=True)
class Listed:
    """Values of one column in an earlier batch.

    Attributes:
        text: From `values_text` or `unseen_values`.
        share: Share of its rows that had new values when it came, or None for the first batch.
        row_count: Its rows.
    """

    text: str
    share: float | None
    row_count: float


def unseen_values(
    text: str, row_count: float, earlier: Sequence[Listed], level: float
) -> tuple[float | None, str, Interval | None]:
    """Share of rows whose value no earlier batch has, and what is usual.

    Sound sources bring a new value now and then; how often, the earlier batches showed when they
    came. A batch rings where its share is beyond their prediction interval and beyond each of
    them: by the second condition alone, at most one batch in `n + 1` rings, whatever the
    distribution. The first batches of a source find most values new, which makes it slow to ring.

    Args:
        text: The batch's values, from `values_text`.
        row_count: Rows of the batch.
        earlier: The same column in the earlier batches.
        level: Share of sound batches outside of the interval.

    Returns:
        The share, the text with the new values told apart, the interval; no share without an
        earlier batch, no interval with fewer than four shares.
    """
    now = _values(text)
    if not earlier:
        return None, text, None
    seen = {value for other in earlier for value in _values(other.text)}
    new = {value: rows for value, rows in now.items() if value not in seen}
    known = {value: rows for value, rows in now.items() if value in seen}
    # A row may have several flags.
    share = min(1.0, sum(new.values()) / max(row_count, 1.0))
    marked = _json({"known": known, "new": new})
    history = [(other.share, other.row_count) for other in earlier if other.share is not None]
    if len(history) < FEWEST_BATCHES:
        return share, marked, None
    usual = usual_ratio(history, row_count, level=level)
    most = max(usual.high, *(ratio for ratio, _ in history))
    return share, marked, Interval(0.0, most)


def new_values(text: str) -> list[str]:
    """Values that were new, those with the most rows first."""
    return list(json.loads(text)["new"])


def columns_changed(text: str, before: str | None) -> tuple[str, bool]:
    """The text of the columns with those that came or went since the batch before, and whether.

    The order of the columns does not matter.
    """
    names = json.loads(text)["columns"]
    old = names if before is None else json.loads(before)["columns"]
    added = [name for name in names if name not in set(old)]
    gone = [name for name in old if name not in set(names)]
    return _json({"columns": names, "added": added, "gone": gone}), bool(added or gone)


def column_changes(text: str) -> tuple[list[str], list[str]]:
    """Columns that came and columns that went."""
    found = json.loads(text)
    return list(found["added"]), list(found["gone"])


def _values(text: str) -> dict[str, int]:
    found = json.loads(text)
    return {**found["known"], **found["new"]}


def _json(found: object) -> str:
    return json.dumps(found, ensure_ascii=False)
