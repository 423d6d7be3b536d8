"""Job: `segspark build-features`; `--help` explains its options."""

import sys

from segspark.cli import main

if __name__ == "__main__":
    sys.exit(main(["build-features", *sys.argv[1:]]))
