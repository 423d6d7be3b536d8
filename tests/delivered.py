"""Files of a source on this machine's disk."""

from pathlib import Path

from segspark.ingest.files.local_store import LocalStore
from segspark.ingest.files.source_files import (
    SourceFile,
    find_files,
    look_inside,
)
from segspark.ingest.files.stores import FoundFile, Store
from segspark.settings.formats import CsvFormat

CSV = CsvFormat(kind="csv")
STORE = LocalStore()


def written(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def found(location: object) -> list[FoundFile]:
    return find_files(STORE, "shop", str(location))


def only(path: Path, store: Store = STORE) -> SourceFile:
    (file,) = look_inside(store, found(path)[0], CSV)
    return file
