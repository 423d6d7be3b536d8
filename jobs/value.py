"""Job: `segspark value`; `--help` explains its options."""

import sys

from segspark.cli import main

if __name__ == "__main__":
    sys.exit(main(["value", *sys.argv[1:]]))
