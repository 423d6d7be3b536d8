"""A request → a folder of files, one block of customers at a time."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from scripts.synthetic.cell import draw_cell
from scripts.synthetic.counts import Counts, cell_counts, line_counts
from scripts.synthetic.demographics import customer_table
from scripts.synthetic.events import event_table
from scripts.synthetic.increment import increment_lines
from scripts.synthetic.plan import Plan, Stream, make_plan, random_of
from scripts.synthetic.reference_tables import product_table, true_customer_table
from scripts.synthetic.request import Request
from scripts.synthetic.source_file import source_text
from scripts.synthetic.transaction_table import transaction_table
from scripts.synthetic.truth import truth_text
from scripts.synthetic.writing import Part, part_path, write_table
from segspark.errors import StorageError

CELLS_PER_FILE = 20
"""About half a million lines: some files for each executor, and little to hold in memory."""
_BYTES_A_LINE = {"parquet": 22, "csv": 100}
"""With what customers and events take beside the lines."""


def generate(request: Request, folder: Path, *, cells_per_file: int = CELLS_PER_FILE) -> Counts:
    """Write a shop into an empty folder; `truth.json` comes last.

    Args:
        request: What to generate.
        folder: Made where it is missing.
        cells_per_file: How many cells of customers are held in memory and share a file.

    Returns:
        What was written into the history.

    Raises:
        ConfigError: A number of the request is out of range.
        StorageError: The folder is not empty, or the disk has no room.
    """
    request.check()
    try:
        _prepare(folder, request)
        return _write(make_plan(request), folder, cells_per_file)
    except OSError as error:
        raise StorageError(
            f"{folder}: cannot be written ({error.strerror or error}): remove what is in it, and "
            "name a folder with room"
        ) from error


def _prepare(folder: Path, request: Request) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise StorageError(f"{folder}: is not empty: name a new folder, or remove what is in it")
    needed = (request.lines + request.increment_lines) * _BYTES_A_LINE[request.file_format]
    needed = int(needed * (1 + request.dirty_share))
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StorageError(
            f"{folder}: about {needed / 1e6:,.0f} MB are needed, and {free / 1e6:,.0f} MB free: "
            "make room, or ask for fewer lines"
        )


def _write(plan: Plan, folder: Path, cells_per_file: int) -> Counts:
    request, counts = plan.request, Counter[tuple[str, ...]]()
    suffix = request.file_format
    write_table(product_table(plan.catalogue), folder / f"products.{suffix}")
    for number, cells in enumerate(_blocks(plan.cell_count, cells_per_file)):
        for part, table in _block(plan, cells, counts).items():
            write_table(table, part_path(folder, part, number, suffix))
    later: Counts = Counter()
    if request.increment_lines:
        lines = increment_lines(plan)
        later = line_counts(lines)
        write_table(transaction_table(lines), folder / "increment" / f"increment.{suffix}")
    (folder / "source.yml").write_text(source_text(request, folder), encoding="utf-8")
    (folder / "truth.json").write_text(truth_text(plan, counts, later), encoding="utf-8")
    return counts


def _blocks(cell_count: int, size: int) -> Iterator[range]:
    for first in range(0, cell_count, size):
        yield range(first, min(first + size, cell_count))


def _block(plan: Plan, cells: range, counts: Counts) -> dict[Part, Any]:
    """The tables of some cells; adds to the counts what they hold."""
    tables: dict[Part, list[Any]] = {
        "transactions": [],
        "customers": [],
        "events": [],
        "true_customers": [],
    }
    for number in cells:
        cell = draw_cell(plan, number)
        counts.update(cell_counts(plan, cell))
        demographics = random_of(plan, number, Stream.DEMOGRAPHICS)
        events = random_of(plan, number, Stream.EVENTS)
        tables["transactions"].append(transaction_table(cell.lines))
        tables["customers"].append(customer_table(demographics, plan, cell.customers))
        tables["events"].append(event_table(events, plan, cell.customers, cell=number))
        tables["true_customers"].append(true_customer_table(plan.clock, cell.customers))
    return {part: pa.concat_tables(parts) for part, parts in tables.items()}
