"""Files in folders of this machine."""

import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from segspark.errors import IngestError
from segspark.ingest.files.stores import (
    FoundFile,
    NoteSkipped,
    Store,
    first_magic,
    in_order,
    is_hidden,
    note_hidden,
    refusals,
    unnoted,
)

_MAGIC = frozenset("*?[")
_Identity = tuple[int, int]


class LocalStore(Store):
    """Folders of this machine; links are followed, since what they lead to is data too."""

    def find(self, location: str, *, note_skipped: NoteSkipped = unnoted) -> list[FoundFile]:
        # Spark reports paths without `..`, so they are looked up without.
        path = Path(os.path.normpath(Path(location).absolute()))
        with refusals(location):
            root = path if path.is_dir() else path.parent
            fitting: Iterable[Path] = [path]
            if not _is_there(path):
                root = Path(*path.parts[: first_magic(path.parts, _MAGIC)])
                has_glob = root != path and _is_there(root)
                fitting = _fitting(root, path.relative_to(root).parts) if has_glob else ()
            files: dict[Path, os.stat_result] = {}
            for start in fitting:
                is_skipped = start != path and is_hidden(start.relative_to(root).as_posix())
                for place, status in [(start, None)] if is_skipped else _tree(start):
                    if status is None:
                        note_hidden(place.relative_to(root).as_posix(), note_skipped)
                    elif stat.S_ISREG(status.st_mode):
                        files[place] = status
            found = [_found(place, root, status) for place, status in files.items()]
        return in_order(found)

    def open(self, address: str) -> BinaryIO:
        with refusals(address):
            return Path(address).open("rb")

    def create(self, address: str) -> BinaryIO:
        with refusals(address):
            Path(address).parent.mkdir(parents=True, exist_ok=True)
            return Path(address).open("wb")

    def fingerprint(self, address: str) -> str:
        with refusals(address):
            return _fingerprint(Path(address).stat())

    def delete(self, address: str) -> None:
        path = Path(address)
        with refusals(address):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _fitting(folder: Path, parts: Sequence[str]) -> Iterator[Path]:
    """What below the folder fits the parts of a glob; `**` stands for any folders.

    What is hidden comes as it is, and nothing below it.
    """
    if not parts:
        yield folder
        return
    if not stat.S_ISDIR(_status(folder).st_mode):
        return
    first, *rest = parts
    if first == "**":
        # A folder that fits gives all below it, so that a last `**` adds nothing.
        for path, status in _tree(folder) if rest else [(folder, _status(folder))]:
            if status is None:
                yield from _hidden(path, rest)
            elif stat.S_ISDIR(status.st_mode):
                yield from _fitting(path, rest)
    elif not _MAGIC & set(first):
        if _is_there(folder / first):
            yield from _fitting(folder / first, rest)
    else:
        for path in (folder / name for name in _names(folder) if fnmatchcase(name, first)):
            yield from (_hidden if is_hidden(path.name) else _fitting)(path, rest)


def _hidden(path: Path, parts: Sequence[str]) -> Iterator[Path]:
    """What is hidden, where it fits the parts of a glob or holds what might."""
    if not parts or path.is_dir():
        yield path


def _is_there(path: Path) -> bool:
    """Whether there is anything of that name, be it a link to nothing."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _tree(start: Path) -> Iterator[tuple[Path, os.stat_result | None]]:
    """A file, or a folder and all below it; what is hidden there is not looked at.

    Raises:
        IngestError: There is something below that cannot be read, now or ever.
    """
    # The start may be a link: neither what holds it nor what holds its target may come again.
    folder = Path(os.path.realpath(start.parent))
    above = {folder, *folder.parents, *Path(os.path.realpath(start)).parents}
    statuses = [path.stat() for path in above]
    yield from _below(start, tuple((status.st_dev, status.st_ino) for status in statuses))


def _below(
    path: Path, above: tuple[_Identity, ...]
) -> Iterator[tuple[Path, os.stat_result | None]]:
    status = _status(path)
    identity = (status.st_dev, status.st_ino)
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise IngestError(f"{path}: is a pipe, socket or device and no file: take it away")
    if identity in above:
        raise IngestError(f"{path}: is a link to a folder that holds it: remove the link")
    yield path, status
    if stat.S_ISDIR(status.st_mode):
        for name in _names(path):
            if is_hidden(name):
                yield path / name, None
            else:
                yield from _below(path / name, (*above, identity))


def _status(path: Path) -> os.stat_result:
    with refusals(str(path)):
        try:
            return path.stat()
        except FileNotFoundError as error:
            if path.is_symlink():
                raise IngestError(
                    f"{path}: is a link to {path.readlink()}, which is not there: "
                    f"bring it back or remove the link"
                ) from error
            raise


def _names(folder: Path) -> list[str]:
    with refusals(str(folder)):
        return sorted(path.name for path in folder.iterdir())


def _found(path: Path, root: Path, status: os.stat_result) -> FoundFile:
    label = path.relative_to(root).as_posix()
    try:
        label.encode()
    except UnicodeEncodeError as error:
        shown = os.fsencode(label).decode("utf-8", "replace")
        raise IngestError(f"{shown}: its name is not UTF-8: rename it") from error
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    return FoundFile(str(path), label, _fingerprint(status), modified)


def _fingerprint(status: os.stat_result) -> str:
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"
