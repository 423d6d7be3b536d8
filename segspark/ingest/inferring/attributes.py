"""Columns of products and customers beside the usual ones: hierarchies and attributes."""

from collections.abc import Iterable, Mapping, Sequence

from segspark.ingest.inferring.known_columns import is_personal, plain_name, usual_names
from segspark.ingest.inferring.profiles import Choice, Profile

_MOST_ATTRIBUTE_VALUES = 50


def category_levels(profiles: Sequence[Profile]) -> list[str]:
    """Columns of a hierarchy of products, those with the fewest values first."""
    names = usual_names("products", "category_levels")
    levels = [p for p in profiles if plain_name(p.name) in names and p.filled]
    return [p.name for p in sorted(levels, key=lambda profile: profile.distinct_count)]


def free_attributes(profiles: Sequence[Profile], chosen: Mapping[str, Choice]) -> list[str]:
    """Columns that are not mapped, name no person and have between 2 and 50 values."""
    taken = {name for choice in chosen.values() for name in _names(choice.value)}
    return [
        p.name
        for p in profiles
        if p.name not in taken
        and not is_personal(p.name)
        and 1 < p.distinct_count <= _MOST_ATTRIBUTE_VALUES
    ]


def _names(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else (value,)
