"""What a user asks for, and what of it is refused."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from segspark.errors import ConfigError

LINES_PER_CUSTOMER = 23.6
"""How many lines a customer has where no number of customers is given."""
_LEAST_LINES_PER_CUSTOMER, _MOST_LINES_PER_CUSTOMER = 6, 2_000
"""Below, a second order would be rare; above, a few customers would have to fit into memory."""
_MOST_CUSTOMERS = 50_000_000
"""Their ids have eight digits."""
_MOST_DAYS = 7_300
_MOST_INCREMENT_LINES = 1_000_000
"""They are held in memory."""
_EARLIEST_DAY, _LATEST_DAY = date(1980, 1, 1), date(2090, 1, 1)
"""Between the stamps that are defects; an ingest refuses days before 1980, and those to come."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to generate.

    Attributes:
        lines: Lines wanted, hit to about one in a hundred; those with a defect come on top.
        customers: Customers that ever buy, without guests.
        seed: Of all randomness.
        file_format: Of every table.
        first_day: On which the history begins.
        days: Length of the history.
        dirty_share: Spoilt lines for each clean one.
        increment_lines: Clean lines of the day after the history; 0: no increment.
    """

    lines: int
    customers: int
    seed: int = 7
    file_format: Literal["parquet", "csv"] = "parquet"
    first_day: date = date(2023, 1, 1)
    days: int = 730
    dirty_share: float = 0.0
    increment_lines: int = 0

    def check(self) -> None:
        """Refuse what cannot be generated.

        Raises:
            ConfigError: Says which number is wrong, and what it may be.
        """
        if self.lines < 1 or not 1 <= self.customers <= _MOST_CUSTOMERS:
            raise ConfigError(
                f"{self.lines:,} lines for {self.customers:,} customers: give at least one line, "
                f"and 1 to {_MOST_CUSTOMERS:,} customers"
            )
        ratio = self.lines / self.customers
        if not _LEAST_LINES_PER_CUSTOMER <= ratio <= _MOST_LINES_PER_CUSTOMER:
            raise ConfigError(
                f"{self.lines:,} lines for {self.customers:,} customers are {ratio:,.1f} lines for "
                f"each: give {_LEAST_LINES_PER_CUSTOMER} to {_MOST_LINES_PER_CUSTOMER:,}"
            )
        if not 1 <= self.days <= _MOST_DAYS:
            raise ConfigError(f"--days {self.days}: give 1 to {_MOST_DAYS:,} days")
        if self.first_day < _EARLIEST_DAY or self.first_day + timedelta(self.days) > _LATEST_DAY:
            raise ConfigError(
                f"--first-day {self.first_day}: the history must lie from {_EARLIEST_DAY} to "
                f"{_LATEST_DAY}"
            )
        if not 0 <= self.dirty_share <= 1:
            raise ConfigError(f"--dirty-share {self.dirty_share:g}: give 0 to 1")
        most = min(self.lines, _MOST_INCREMENT_LINES)
        if not 0 <= self.increment_lines <= most:
            raise ConfigError(f"--increment-lines {self.increment_lines}: give 0 to {most:,}")
        if self.seed < 0:
            raise ConfigError(f"--seed {self.seed}: give 0 or more")
