"""Where files are: what any store finds and does, and the sentences for what it cannot."""

import errno
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import BinaryIO

from segspark.errors import IngestError, first_names
from segspark.settings.base import without_credentials

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Numbers of the errors of a full disk, a used-up quota, and a file above its limit."""
NoteSkipped = Callable[[str], None]
"""Takes the label of a file or folder that is left out since its name marks no data."""


def unnoted(_: str) -> None:
    """Where nobody is to be told."""


_NEVER_DATA = re.compile(
    r"_SUCCESS|_committed_.*|_started_.*|_delta_log|_(common_)?metadata|.*\.crc|\.DS_Store|__MACOSX"
)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of a source, not opened yet.

    Attributes:
        address: An absolute path of this machine, or a URL such as s3a://bucket/in/a.csv.
        label: Its path below the source's folder, so that moving the folder changes nothing.
        fingerprint: What tells, without reading it, that it is the file seen before.
        modified_at: When it was last written, in UTC.
    """

    address: str
    label: str
    fingerprint: str
    modified_at: datetime


class Store(ABC):
    """Finds, reads and writes files by their addresses; every refusal is an IngestError.

    What fails later, while a stream is read or written, is an OSError, for `refusal` to tell.
    """

    @abstractmethod
    def find(self, location: str, *, note_skipped: NoteSkipped = unnoted) -> list[FoundFile]:
        """The files at a file's or folder's address, or that fit a glob, in order of their labels.

        Folders give all that is below them. Names that start with `_` or `.` mark no data, as Spark
        sees it too, and are noted, but for the location's fixed part and a file that it names.
        """

    @abstractmethod
    def open(self, address: str) -> BinaryIO:
        """The file's bytes, to be read from any place."""

    @abstractmethod
    def create(self, address: str) -> BinaryIO:
        """A new file to write, in place of one that is there; its folders are made."""

    @abstractmethod
    def fingerprint(self, address: str) -> str:
        """As in `FoundFile`, now."""

    @abstractmethod
    def delete(self, address: str) -> None:
        """Remove a file, or a folder and all below it; one that is not there does no harm."""


class AdvisedError(OSError):
    """What a storage answers, where it is known what to do: `strerror` says both."""


@contextmanager
def refusals(name: str) -> Iterator[None]:
    """Raise what a disk or a storage throws inside the block as a sentence about `name`."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise refusal(name, error) from error


def refusal(name: str, error: Exception) -> IngestError:
    """The sentence for what a disk or a storage threw: what to do depends on what it was."""
    number = getattr(error, "errno", None)
    reason = getattr(error, "strerror", None) or str(error)
    if isinstance(error, AdvisedError):
        text = reason
    elif isinstance(error, PermissionError):
        text = "access is denied: grant it to the user that runs segspark"
    elif isinstance(error, FileNotFoundError):
        text = "is not there any more: try again once its folder is complete"
    elif number == errno.ELOOP:
        text = "is a link that leads back to itself: remove the link"
    elif number in NO_SPACE:
        text = f"no space to write it ({reason}): make room or raise the quota"
    else:
        text = f"cannot be reached ({reason}): check the address and the storage, and try again"
    return IngestError(f"{without_credentials(name)}: {text}")


def first_magic(parts: Sequence[str], magic: frozenset[str]) -> int:
    """How many parts of a path come before the first with a wildcard."""
    return next((i for i, part in enumerate(parts) if magic & set(part)), len(parts))


def is_hidden(label: str) -> bool:
    """Markers such as _SUCCESS, .crc files and uploads under way are no data."""
    return _shown_parts(label) < len(PurePosixPath(label).parts)


def note_hidden(label: str, note_skipped: NoteSkipped) -> None:
    """Note a hidden file, or the folder that hides it, unless nobody would take it for data."""
    parts = PurePosixPath(label).parts
    if not any(_NEVER_DATA.fullmatch(part) for part in parts):
        note_skipped("/".join(parts[: _shown_parts(label) + 1]))


def but_for(skipped: Sequence[str]) -> str:
    """What a sentence adds that finds no file, where some were left out."""
    names = first_names(sorted(set(skipped)))
    return f" but {names}, as _ or . in front marks no data" if names else ""


def _shown_parts(label: str) -> int:
    parts = PurePosixPath(label).parts
    hidden = (part.startswith(("_", ".")) or part.endswith("._COPYING_") for part in parts)
    return next((number for number, is_one in enumerate(hidden) if is_one), len(parts))


def in_order(found: Iterable[FoundFile]) -> list[FoundFile]:
    """By their labels."""
    return sorted(found, key=lambda file: file.label)
