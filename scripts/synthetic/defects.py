"""Spoilt lines: copies of clean ones with one defect each, which an ingest should find."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.synthetic.catalogue import UNKNOWN
from scripts.synthetic.lines import (
    LOST_DIGITS,
    MISSING,
    NO_SECOND,
    Defect,
    Lines,
    in_time,
    picked,
    together,
)
from scripts.synthetic.places import UNKNOWN_COUNTRY

_DEFECTS = tuple(defect for defect in Defect if defect is not Defect.NONE)
SECOND_IN_1900, SECOND_IN_2099 = -2_208_988_800, 4_102_358_400
"""1900-01-01 and 2099-12-31."""


def with_defects(random: np.random.Generator, lines: Lines, *, share: float) -> Lines:
    """Add spoilt copies to lines, in the order of time of what they are copies of.

    Each kind of defect comes as often as any other, up to one. Of no line there are two copies, so
    rows with a defect differ from one another.

    Args:
        random: Draws which lines are copied.
        lines: Clean.
        share: Copies for each clean line, rounded down.
    """
    count = int(share * lines.count)
    copied = picked(lines, random.choice(lines.count, count, replace=False))
    turn = random.integers(len(_DEFECTS))
    defects = np.array(_DEFECTS, dtype=np.int8)[(turn + np.arange(count)) % len(_DEFECTS)]
    return spoilt(in_time(together([lines, replace(copied, defects=defects)])))


def spoilt(lines: Lines) -> Lines:
    """Write each line's defect into its columns; of a missing price, the defect itself tells."""
    stamps = {
        Defect.MISSING_STAMP: NO_SECOND,
        Defect.STAMP_IN_1900: SECOND_IN_1900,
        Defect.STAMP_IN_2099: SECOND_IN_2099,
    }
    products = {Defect.MISSING_PRODUCT: MISSING, Defect.UNKNOWN_PRODUCT: UNKNOWN}
    is_negative = lines.defects == Defect.NEGATIVE_PRICE
    return replace(
        lines,
        seconds=_with(lines.seconds, lines.defects, stamps),
        customers=_with(lines.customers, lines.defects, {Defect.LOST_DIGITS: LOST_DIGITS}),
        orders=_with(lines.orders, lines.defects, {Defect.MISSING_ORDER: MISSING}),
        products=_with(lines.products, lines.defects, products),
        countries=_with(lines.countries, lines.defects, {Defect.UNKNOWN_COUNTRY: UNKNOWN_COUNTRY}),
        units=_with(lines.units, lines.defects, {Defect.ZERO_QUANTITY: 0}),
        price_cents=np.where(is_negative, -lines.price_cents, lines.price_cents),
    )


def _with(
    column: NDArray[Any], defects: NDArray[np.int8], values: Mapping[Defect, int]
) -> NDArray[Any]:
    """The column with these values where the line has that defect."""
    changed = column.copy()
    for defect, value in values.items():
        changed[defects == defect] = value
    return changed
