"""Dates of a backfill."""

from datetime import date

import pytest

from segspark.settings.dates import Step, dates_between


@pytest.mark.parametrize(
    ("first", "last", "every", "found"),
    [
        ("2024-02-28", "2024-03-01", "day", ["2024-02-28", "2024-02-29", "2024-03-01"]),
        ("2024-12-25", "2025-01-08", "week", ["2024-12-25", "2025-01-01", "2025-01-08"]),
        ("2024-12-25", "2025-01-07", "week", ["2024-12-25", "2025-01-01"]),
        ("2023-11-15", "2024-01-15", "month", ["2023-11-15", "2023-12-15", "2024-01-15"]),
        ("2024-01-30", "2024-03-31", "month", ["2024-01-30", "2024-02-29", "2024-03-30"]),
        ("2023-02-28", "2023-04-30", "month", ["2023-02-28", "2023-03-31", "2023-04-30"]),
        ("2024-03-02", "2024-03-01", "month", []),
    ],
)
def test_dates_are_a_step_apart_up_to_the_last(
    first: str, last: str, every: Step, found: list[str]
) -> None:
    made = dates_between(date.fromisoformat(first), date.fromisoformat(last), every=every)

    assert [each.isoformat() for each in made] == found
