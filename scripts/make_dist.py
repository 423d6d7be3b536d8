"""Build what a cluster gets, in dist/: the wheel, and the zip for `spark-submit --py-files`.

Executors import from the zip, not from a wheel.
"""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The stamp of every entry, so that equal sources give equal zips."""


def write_zip(package: Path, target: Path) -> None:
    """Pack a package's folder, without compiled files, as it is to be imported."""
    files = sorted(
        path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(package.parent).as_posix(), EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())


def main() -> int:
    """Replace what an earlier build left in dist/."""
    dist = ROOT / "dist"
    dist.mkdir(exist_ok=True)
    for old in (*dist.glob("segspark-*.whl"), *dist.glob("segspark.zip")):
        old.unlink()
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(dist)]
    answer = subprocess.run(
        [*build, str(ROOT)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        sys.stderr.write(answer.stdout)
        return 1
    write_zip(ROOT / "segspark", dist / "segspark.zip")
    for path in sorted(dist.iterdir()):
        sys.stdout.write(f"dist/{path.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
