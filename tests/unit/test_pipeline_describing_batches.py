"""Which batches say something on a date is told by their books, where no row is without a day."""

from datetime import date
from typing import cast

from pyspark.sql import Row

from segspark.pipeline.behaviour import describing_batches_known
from segspark.tables.lake import Lake

AS_OF = date(2024, 5, 1)
LATER = date(2024, 5, 2)
NO_LAKE = cast("Lake", None)


def batch(batch_id: str, entity: str, first_date: date | None) -> Row:
    return Row(batch_id=batch_id, entity=entity, first_date=first_date)


def test_later_events_are_left_out_without_a_look_at_any_table() -> None:
    batches = [
        batch("visits", "events", AS_OF),
        batch("later visits", "events", LATER),
        batch("products", "products", None),
        batch("people", "customers", AS_OF),
    ]

    known = describing_batches_known(NO_LAKE, batches, as_of=AS_OF)

    assert [row["batch_id"] for row in known] == ["visits", "products", "people"]
