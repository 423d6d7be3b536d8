"""Draw docs/segments.png, the picture in the README, from the published tables of a lake.

`python scripts/draw_readme_picture.py lakes/demo`, after `make demo`.
"""

import sys
from importlib import resources
from pathlib import Path

import duckdb
import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "segments.png"
_CUSTOMERS, _SPEND, _INK = "#9db4c8", "#1f5f8b", "#222222"
_BAR = 0.38
_PROFILES = """
    SELECT segment_name, customer_count, customer_ratio, monetary_ratio, recency_days_median,
           frequency_count_median, monetary_amount_median
    FROM current_segment_profiles WHERE segmentation = 'default' ORDER BY monetary_ratio
"""


def main() -> int:
    """Draw the picture of the lake that the command line names."""
    lake = Path(sys.argv[1] if len(sys.argv) > 1 else "lakes/demo")
    draw(published_profiles(lake), currency=_currency(lake)).savefig(PICTURE, dpi=150)
    return 0


def published_profiles(lake: Path) -> pd.DataFrame:
    """The published segments, the one with the least spend first."""
    return _connect(lake).execute(_PROFILES).df()


def _currency(lake: Path) -> str:
    row = _connect(lake).execute("SELECT any_value(currency) FROM ingest_batches").fetchone()
    return str(row[0]) if row else ""


def _connect(lake: Path) -> duckdb.DuckDBPyConnection:
    package = resources.files("duckdb_extension_delta")
    extension = package / "extensions" / f"v{duckdb.__version__}" / "delta.duckdb_extension"
    connection = duckdb.connect()
    connection.load_extension(str(extension))
    connection.execute((lake / "views" / "duckdb.sql").read_text(encoding="utf-8"))
    return connection


def draw(profiles: pd.DataFrame, *, currency: str) -> Figure:
    """Each segment's share of customers beside its share of spend, with its typical customer."""
    figure = Figure(figsize=(9.6, 0.8 * len(profiles) + 0.6), layout="constrained")
    axes = figure.subplots()
    _bars(
        axes,
        profiles["customer_ratio"],
        shift=_BAR / 2,
        colour=_CUSTOMERS,
        label="share of customers",
    )
    _bars(axes, profiles["monetary_ratio"], shift=-_BAR / 2, colour=_SPEND, label="share of spend")
    right = 100 * float(profiles[["customer_ratio", "monetary_ratio"]].max().max()) * 1.12
    for place, row in enumerate(profiles.itertuples(index=False)):
        days = f"{row.recency_days_median:,.0f}"
        typical = (
            f"{row.frequency_count_median:,.0f} orders, {row.monetary_amount_median:,.0f} "
            f"{currency},\nlast bought {'that day' if days == '0' else f'{days} days ago'}"
        )
        axes.annotate(
            typical, (right, place), color=_INK, fontsize=9.5, va="center", annotation_clip=False
        )
    axes.annotate(
        "typical customer (medians)",
        (right, len(profiles) - 0.42),
        color=_INK,
        fontsize=9.5,
        va="bottom",
        annotation_clip=False,
    )
    names = [
        f"{row.segment_name}\n{row.customer_count:,} customers"
        for row in profiles.itertuples(index=False)
    ]
    axes.set_yticks(range(len(profiles)), names, fontsize=10, color=_INK)
    axes.set_xlim(0, right * 1.4)
    axes.set_ylim(-0.5, len(profiles) - 0.4)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 0.96), ncols=2, frameon=False, fontsize=10)
    return figure


def _bars(axes: Axes, ratios: pd.Series, *, shift: float, colour: str, label: str) -> None:
    places = [place + shift for place in range(len(ratios))]
    bars = axes.barh(places, 100 * ratios, height=_BAR, color=colour, label=label)
    axes.bar_label(bars, fmt="%.0f %%", padding=4, fontsize=10, color=_INK)


if __name__ == "__main__":
    mpl.use("agg")
    sys.exit(main())
