"""How much may come out of a packed file."""

import zipfile
from pathlib import Path

from segspark.errors import IngestError

_MOST_UNPACKED_RATIO = 200
_HARMLESS_BYTES = 100 << 20


class Allowance:
    """How much may come out of so many packed bytes: sizes that an archive declares may lie."""

    def __init__(self, packed_bytes: int) -> None:
        self._bytes = max(packed_bytes * _MOST_UNPACKED_RATIO, _HARMLESS_BYTES)

    def take(self, count: int, *, name: str, advice: str = "send it unpacked") -> None:
        """Count some bytes of the file `name`.

        Raises:
            IngestError: It is too many of them.
        """
        self._bytes -= count
        if self._bytes < 0:
            raise IngestError(
                f"{name}: unpacks to more than {_MOST_UNPACKED_RATIO} times its size, as an "
                f"archive made to fill a disk does: {advice}"
            )


def check_workbook_size(path: Path, *, name: str) -> None:
    """Refuse a workbook whose parts would fill the memory, by the allowance of any archive.

    Raises:
        IngestError: They unpack to far more than the workbook's size, or one is not what is said.
        zipfile.BadZipFile: The workbook is no ZIP.
    """
    with zipfile.ZipFile(path) as book:
        whole = Allowance(path.stat().st_size)
        for info in book.infolist():
            for allowance in (whole, Allowance(info.compress_size)):
                allowance.take(info.file_size, name=name, advice="save it anew")
        # Only now is it safe to see whether the declared sizes hold.
        wrong = book.testzip()
    if wrong is not None:
        raise IngestError(f"{name}: is damaged (Bad CRC-32 of {wrong}): send the file again")
