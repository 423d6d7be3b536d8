"""Generate a synthetic shop with known parameters: purchases, customers, products and events.

    python -m scripts.generate_transactions /tmp/shop --lines 10000000 --increment-lines 10000
    segspark ingest --config /tmp/shop/source.yml

The folder gets `transactions/`, `customers/`, `events/` and `true_customers/` with a file for each
block of customers, `products`, `increment/` where asked for, `source.yml`, the configuration that
takes them in, and `truth.json`: parameters and exact counts. Equal arguments give equal files with
the same numpy and pyarrow; memory does not grow with the lines. `truth.json` is written last.
"""

import argparse
import sys
from datetime import date
from pathlib import Path

from scripts.synthetic.generating import generate
from scripts.synthetic.request import LINES_PER_CUSTOMER, Request
from segspark.errors import SegsparkError


def main() -> int:
    """Generate what the command line asks for."""
    args = _arguments()
    usual = max(1, round(args.lines / LINES_PER_CUSTOMER))
    request = Request(
        lines=args.lines,
        customers=usual if args.customers is None else args.customers,
        seed=args.seed,
        file_format=args.format,
        first_day=args.first_day,
        days=args.days,
        dirty_share=args.dirty_share,
        increment_lines=args.increment_lines,
    )
    try:
        counts = generate(request, args.folder)
    except SegsparkError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    lines, customers = counts["clean", "all", "lines"], counts["customers", "all"]
    sys.stdout.write(f"{args.folder}: {lines:,} clean lines of {customers:,} customers\n")
    sys.stdout.write(f"next: segspark ingest --config {args.folder / 'source.yml'}\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("folder", type=Path, help="where to write; must be empty or new")
    add("--lines", type=int, default=1_000_000, help="about so many; default 1000000")
    add("--customers", type=int, help=f"default: lines / {LINES_PER_CUSTOMER}")
    add("--seed", type=int, default=7, help="of all randomness; default 7")
    add("--format", choices=("parquet", "csv"), default="parquet", help="default parquet")
    add("--first-day", type=date.fromisoformat, default=date(2023, 1, 1), help="default 2023-01-01")
    add("--days", type=int, default=730, help="length of the history; default 730")
    add("--dirty-share", type=float, default=0.0, help="spoilt lines for a clean one; default 0")
    add("--increment-lines", type=int, default=0, help="of the day after; default 0: none")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
