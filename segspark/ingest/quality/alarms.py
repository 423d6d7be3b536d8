"""Alarms of a batch: its figures against those of the batches of its source before it.

The stated rate is shared out evenly among all checks of a batch that can ring, so that at most
that share of sound batches rings at all. Sound means: scattering like the batches before. A column
that came or went needs no statistics: it rings at once. See `usual` for the intervals.
"""

from collections.abc import Sequence

from pyspark.sql import Row

from segspark.ingest.quality.comparing import Check, Past, history_count, judged, past_of
from segspark.ingest.quality.figures import Figure, QualityRow
from segspark.ingest.quality.usual import FEWEST_BATCHES
from segspark.settings.sources import QualitySettings


def judge(
    figures: Sequence[Figure],
    history: Sequence[QualityRow | Row],
    settings: QualitySettings,
    *,
    source: str,
) -> list[QualityRow]:
    """Compare the figures of each batch with those of the batches before it.

    Args:
        figures: From `profile_batches`. Several batches are judged in the order in which they
            come, each also against those before it.
        history: Rows of `ingest_quality` of the source's earlier batches that count, in order of
            ingestion; only the last `history_batches` batches are looked at.
        settings: Rate of false alarms and length of the history.
        source: The source's name.

    Returns:
        One row for each figure, in the order of the figures.
    """
    batches: dict[str, list[Figure]] = {}
    for figure in figures:
        batches.setdefault(figure.batch_id, []).append(figure)
    known: dict[str, list[QualityRow]] = {}
    for found in history:
        row = found if isinstance(found, QualityRow) else QualityRow(**found.asDict())
        if row.batch_id not in batches:
            known.setdefault(row.batch_id, []).append(row)
    for batch_id, own in batches.items():
        latest = list(known.values())[-settings.history_batches :]
        known[batch_id] = _judge_batch(own, past_of(latest), settings, source)
    return [row for batch_id in batches for row in known[batch_id]]


def _judge_batch(
    figures: Sequence[Figure], past: Past, settings: QualitySettings, source: str
) -> list[QualityRow]:
    numbers = {(f.metric, f.column_name): f.value for f in figures if f.value is not None}
    check_count = sum(history_count(figure, past) >= FEWEST_BATCHES for figure in figures)
    level = settings.false_alarm_ratio / max(check_count, 1)
    return [judged(Check(figure, numbers, past, level), source) for figure in figures]
