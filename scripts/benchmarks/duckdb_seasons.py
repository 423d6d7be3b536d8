"""The customers' seasons by DuckDB, from the table `known` that `duckdb_features` leaves.

Shares, favourites and concentrations of months, weekdays and parts of the day; strengths and
p-values need incomplete beta functions, which DuckDB does not have.
"""

from datetime import date
from pathlib import Path

import duckdb

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYPARTS = ("night", "morning", "afternoon", "evening")
_NUMBER_OF = {
    "month": (_MONTHS, "month({})"),
    "weekday": (_WEEKDAYS, "isodow({})"),
}
_CALENDAR = """
CREATE OR REPLACE TEMP TABLE calendar AS
WITH all_days AS (
  SELECT unnest(generate_series((SELECT min(purchase_date) FROM known), $as_of::DATE,
    INTERVAL 1 DAY))::DATE AS day
)
SELECT day AS first_day, {times} FROM all_days
WINDOW to_the_end AS (ORDER BY day DESC ROWS UNBOUNDED PRECEDING)
"""
_COUNTED = """
CREATE OR REPLACE TEMP TABLE counted AS
SELECT customer_id, sum(orders) AS order_count,
  min(purchase_date) FILTER (orders > 0) AS first_day, {counts}
FROM known GROUP BY customer_id
"""
_SEASONS = """
CREATE OR REPLACE TEMP TABLE seasons AS
SELECT customer_id, order_count, {columns}
FROM counted LEFT JOIN calendar USING (first_day)
"""


def write_seasons(connection: duckdb.DuckDBPyConnection, as_of: date, folder: Path) -> None:
    """Write `customer_seasons.parquet`.

    Args:
        connection: With the temporary table `known`.
        as_of: Last day counted.
        folder: Where to write.
    """
    times, counts = [], []
    for kind, (levels, number) in _NUMBER_OF.items():
        for at, level in enumerate(levels, start=1):
            is_level = number.format("{}") + f" = {at}"
            times.append(f"count_if({is_level.format('day')}) OVER to_the_end AS {level}_days")
            counts.append(
                f"coalesce(sum(orders) FILTER ({is_level.format('purchase_date')}), 0) "
                f"AS {kind}_{at}"
            )
    counts += [f"sum({name}_orders) AS daypart_{at}" for at, name in enumerate(_DAYPARTS, start=1)]
    connection.execute(_CALENDAR.format(times=", ".join(times)), {"as_of": as_of})
    connection.execute(_COUNTED.format(counts=", ".join(counts)))
    columns = [
        *(_of_a_kind(kind, levels, [f"{level}_days" for level in levels])
          for kind, (levels, _) in _NUMBER_OF.items()),
        _of_a_kind("daypart", _DAYPARTS, ["6"] * len(_DAYPARTS)),
    ]  # fmt: skip
    connection.execute(_SEASONS.format(columns=", ".join(columns)))
    connection.table("seasons").write_parquet(
        str(folder / "customer_seasons.parquet"), compression="snappy"
    )


def _of_a_kind(kind: str, levels: tuple[str, ...], days: list[str]) -> str:
    counts = [f"{kind}_{at}" for at in range(1, len(levels) + 1)]
    total, time = " + ".join(counts), " + ".join(days)
    pairs = list(zip(counts, days, strict=True))
    # Relative entropy of the orders to the days, over that of all orders on the rarest days.
    entropy = " + ".join(
        f"CASE WHEN {n} > 0 THEN {n} * ln({n} * ({time}) / ({d} * ({total}))) ELSE 0 END"
        for n, d in pairs
    )
    rarest = f"least({', '.join(f'nullif({d}, 0)' for d in days)})"
    names = ", ".join(f"'{level}'" for level in levels)
    entries = ", ".join(
        f"{{'key': '{level}', 'value': {n} / nullif({total}, 0)}}"
        for level, n in zip(levels, counts, strict=True)
    )
    order = ", ".join(
        f"{{'n': -{n}, 'd': {d}, 'at': {at}}}" for at, (n, d) in enumerate(pairs, start=1)
    )
    return f"""
  map_from_entries(list_filter([{entries}], lambda each: each.value > 0)) AS {kind}_shares,
  CASE WHEN {total} > 0 THEN [{names}][list_min([{order}]).at] END AS favourite_{kind},
  CASE WHEN {total} > 0 AND {rarest} < {time} THEN
    greatest(0, least(1, ({entropy}) / (({total}) * -ln({rarest} / ({time}))))) END
    AS {kind}_concentration_ratio"""
