"""A synthetic shop in a lake of its own, as the benchmarks find it."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import yaml

from scripts.benchmarks.measuring import measure, say

INCREMENT_LINES = 10_000
_HISTORY, _INCREMENT = "transactions", "increment/increment.parquet"
_INGESTED = "history.ingested"


@dataclass(frozen=True, slots=True)
class Shop:
    """Generated lines and the lake that holds them.

    Attributes:
        folder: Where both are.
        million_lines: Size of the history.
    """

    folder: Path
    million_lines: int

    @property
    def config(self) -> Path:
        """Configuration of the lake."""
        return self.folder / "bench.yml"

    @property
    def last_day(self) -> date:
        """Last day of the history."""
        request = json.loads((self.folder / "shop" / "truth.json").read_text())["request"]
        return date.fromisoformat(request["first_day"]) + timedelta(days=request["days"] - 1)

    @property
    def next_day(self) -> date:
        """Day of the increment."""
        return self.last_day + timedelta(days=1)

    def line_files(self) -> list[str]:
        """Parquet files of `transactions` in the lake, before anything but the history came in."""
        return sorted(map(str, (self.folder / "lake" / "transactions").rglob("*.parquet")))


def prepared_shop(folder: Path, million_lines: int) -> Shop:
    """Generate a history and take it in, unless the folder holds both already."""
    shop = Shop(folder / f"{million_lines}m", million_lines)
    if (shop.folder / _INGESTED).exists():
        return shop
    shutil.rmtree(shop.folder, ignore_errors=True)
    shop.folder.mkdir(parents=True)
    say(f"{million_lines} million lines: generating")
    target = shop.folder / "shop"
    generate = [sys.executable, "-m", "scripts.generate_transactions", str(target)]
    sizes = ["--lines", str(million_lines * 1_000_000), "--increment-lines", str(INCREMENT_LINES)]
    subprocess.run([*generate, *sizes], check=True, stdout=subprocess.DEVNULL)
    document = yaml.safe_load((target / "source.yml").read_text(encoding="utf-8"))
    document["sources"] = {_HISTORY: document["sources"][_HISTORY]}
    document["lake"]["location"] = str(shop.folder / "lake")
    shop.config.write_text(yaml.safe_dump(document), encoding="utf-8")
    seconds, _ = _ingest(shop)
    say(f"{million_lines} million lines: ingested in {seconds:.0f} s")
    (shop.folder / _INGESTED).touch()
    return shop


def take_in_increment(shop: Shop) -> None:
    """Take in the day after the history."""
    generated = shop.folder / "shop"
    shutil.copy(generated / _INCREMENT, generated / _HISTORY / "increment.parquet")
    (shop.folder / _INGESTED).unlink()
    _ingest(shop)


def _ingest(shop: Shop) -> tuple[float, float]:
    return measure([sys.executable, "-m", "segspark.cli", "ingest", "--config", str(shop.config)])
