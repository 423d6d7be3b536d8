"""Job: `segspark run-pipeline`; `--help` explains its options."""

import sys

from segspark.cli import main

if __name__ == "__main__":
    sys.exit(main(["run-pipeline", *sys.argv[1:]]))
