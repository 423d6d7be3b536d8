"""Which of a source's own columns its settings need, and the refusal where one is missing."""

from collections.abc import Iterable, Iterator, Sequence

from segspark.errors import IngestError
from segspark.ingest.reading.raw import ADDED
from segspark.settings.sources import Source


def wanted_columns(source: Source) -> list[str]:
    """Every column that the mapping names, whatever the entity; each once."""
    return list(dict.fromkeys(_names(source.columns.model_dump(exclude_none=True))))


def required_columns(source: Source) -> list[str]:
    """The columns of fields that the mapping cannot do without, such as the customer's id."""
    fields = type(source.columns).model_fields.items()
    return [getattr(source.columns, name) for name, field in fields if field.is_required()]


def check_mapped(
    wanted: Iterable[str], have: Sequence[str], *, name: str, place: str, hint: str = ""
) -> None:
    """Refuse what lacks a mapped column.

    Args:
        wanted: The columns that must be there.
        have: Those that are.
        name: The source's name.
        place: What lacks them, such as a file's name.
        hint: What may be the cause, if anything is known.

    Raises:
        IngestError: One is missing.
    """
    missing = [column for column in wanted if column not in have]
    if missing:
        cause = f"; {hint}" if hint else ""
        raise IngestError(
            f"source {name}: {place}: there is no column {', '.join(missing)}; there are "
            f"{', '.join(have) or 'none'}{cause}: correct sources.{name}.columns or the file"
        )


def check_names(columns: Sequence[str], *, place: str) -> None:
    """Refuse names that a frame cannot hold: equal ones, and those that segspark adds itself.

    Raises:
        IngestError: There is one.
    """
    seen: dict[str, str] = {}
    for column in columns:
        earlier = seen.setdefault(column.casefold(), column)
        if earlier is not column and earlier == column:
            raise IngestError(f"{place}: names the column {column} twice: rename one")
        if earlier != column:
            raise IngestError(
                f"{place}: names the columns {earlier} and {column}, which differ by case only: "
                "rename one"
            )
    taken = sorted(set(ADDED) & set(seen))
    if taken:
        raise IngestError(
            f"{place}: names the column {', '.join(taken)}, which segspark adds itself: rename it"
        )


def _names(mapped: object) -> Iterator[str]:
    if isinstance(mapped, str):
        yield mapped
    elif isinstance(mapped, dict):
        for value in mapped.values():
            yield from _names(value)
    elif isinstance(mapped, list | tuple):
        for value in mapped:
            yield from _names(value)
