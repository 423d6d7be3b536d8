"""Job: `segspark train`; `--help` explains its options."""

import sys

from segspark.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
