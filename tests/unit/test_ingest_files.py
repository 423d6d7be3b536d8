"""A file is read as it is, and refused where it changes meanwhile."""

import errno
import gzip
import os
from pathlib import Path
from typing import BinaryIO

import pytest

from segspark.errors import IngestError
from segspark.ingest.files.local_store import LocalStore
from segspark.ingest.files.source_files import (
    SourceFile,
    local_copy,
    look_inside,
    open_content,
    unchanged,
    unpack,
)
from segspark.ingest.files.stores import refusal
from tests.delivered import CSV, STORE, found, only, written
from tests.disks import as_nobody, full_disk, open_to_everyone
from tests.packed import zipped

MIB = 1 << 20


class AppendedStore(LocalStore):
    """A disk on which each file grows while it is read."""

    def open(self, address: str) -> BinaryIO:
        stream = super().open(address)
        with Path(address).open("ab") as late:
            late.write(b"3,4\n")
        return stream


def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    open_to_everyone(tmp_path)
    path = written(tmp_path / "a.csv", "a")
    path.chmod(0)
    with as_nobody(), pytest.raises(IngestError, match=r"a\.csv: access is denied: grant it"):
        only(path)


def test_a_plain_file_is_read_from_any_place(tmp_path: Path) -> None:
    file = only(written(tmp_path / "a.csv", "who,at\n1,2\n"))
    with open_content(STORE, file) as stream:
        assert stream.seek(-4, os.SEEK_END) == 7
        assert (stream.read(), stream.seek(0), stream.readline()) == (b"1,2\n", 0, b"who,at\n")


def test_a_plain_file_without_a_last_line_end_may_be_cut_and_a_packed_one_tells(
    tmp_path: Path,
) -> None:
    assert only(written(tmp_path / "a.csv", "who,at\n1,2")).may_be_cut
    assert not only(written(tmp_path / "a.csv", "who,at\n1,2\n")).may_be_cut
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"who,at\n1,2"))
    assert not only(tmp_path / "a.gz").may_be_cut


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "who,at\n1,2\n")
    with pytest.raises(IngestError) as caught:
        only(path, AppendedStore())
    assert str(caught.value) == (
        "a.csv: changed while it was read: wait until it is complete and try again"
    )


def test_a_file_that_grows_is_not_blamed_for_what_it_holds_so_far(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "who,at\n1,\0")
    with pytest.raises(IngestError, match=r"a\.csv: line 2: holds a NUL byte"):
        only(path)
    with pytest.raises(IngestError, match=r"a\.csv: changed while it was read"):
        only(path, AppendedStore())


def test_a_file_that_changes_after_it_was_looked_at_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "who,at\n1,2\n")
    file = only(path)
    with unchanged(STORE, [file]):
        pass
    path.write_text("who,at\n1,3\n")
    os.utime(path, ns=(0, int(file.found.modified_at.timestamp()) * 10**9))
    with pytest.raises(IngestError, match=r"a\.csv: changed while it was read"):
        _fail_while_reading(file)
    path.unlink()
    with pytest.raises(IngestError, match=r"a\.csv: is not there any more"):
        _fail_while_reading(file)


def _fail_while_reading(file: SourceFile) -> None:
    with unchanged(STORE, [file]):
        raise IngestError("what it looks like by then")


def test_a_file_that_goes_before_it_is_opened_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "a")
    one = found(path)[0]
    path.unlink()
    with pytest.raises(IngestError, match=r"a\.csv: is not there any more"):
        look_inside(STORE, one, CSV)


def test_unpacking_keeps_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped(("x y.csv", b"who,at\n1,2\n")))
    file = only(tmp_path / "a.zip")
    copy = unpack(STORE, file, STORE, str(tmp_path / "new" / "folder"), ".csv")
    assert copy == f"{tmp_path}/new/folder/{file.content_hash[:32]}.csv"
    assert Path(copy).read_bytes() == b"who,at\n1,2\n"


def test_a_local_copy_is_the_file_itself_where_it_can_be(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "who,at\n1,2\n")
    assert local_copy(STORE, only(path), tmp_path / "new", ".csv") == path
    (tmp_path / "a.gz").write_bytes(gzip.compress(path.read_bytes()))
    copy = local_copy(STORE, only(tmp_path / "a.gz"), tmp_path / "new", ".csv")
    assert (copy.parent, copy.read_bytes()) == (tmp_path / "new", path.read_bytes())


def test_a_full_disk_is_not_the_files_fault(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"1,2\n" * MIB))
    file = only(tmp_path / "a.gz")
    with full_disk(2 * MIB), pytest.raises(IngestError) as caught:
        unpack(STORE, file, STORE, str(tmp_path / "new"), ".csv")
    assert str(caught.value) == (
        f"{tmp_path}/new: no space to unpack a.gz: make room or send it unpacked"
    )
    assert not list((tmp_path / "new").iterdir())


def test_a_folder_that_may_not_be_written_is_not_the_files_fault(tmp_path: Path) -> None:
    open_to_everyone(tmp_path)
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"1,2\n"))
    file = only(tmp_path / "a.gz")
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o555)
    with as_nobody(), pytest.raises(IngestError, match=r"shut/.*: access is denied: grant it"):
        unpack(STORE, file, STORE, str(shut), ".csv")


def test_a_file_that_changed_leaves_no_copy(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"1,2\n"))
    file = only(path)
    path.write_bytes(gzip.compress(b"1,3\n"))
    with pytest.raises(IngestError, match=r"a\.gz: changed while it was read"):
        unpack(STORE, file, STORE, str(tmp_path / "new"), ".csv")
    path.write_bytes(gzip.compress(b"1,2\n" * MIB)[:-9])
    with pytest.raises(IngestError, match=r"a\.gz: is damaged"):
        unpack(STORE, file, STORE, str(tmp_path / "new"), ".csv")
    assert not list((tmp_path / "new").iterdir())


def test_files_are_made_and_deleted(tmp_path: Path) -> None:
    address = str(tmp_path / "new" / "deep" / "a.csv")
    with STORE.create(address) as stream:
        stream.write(b"1,2\n")
    with STORE.open(address) as stream:
        assert (stream.seek(2), stream.read()) == (2, b"2\n")
    (tmp_path / "link").symlink_to(tmp_path / "new")
    for name in ("link", "new/deep/a.csv", "new", "gone"):
        STORE.delete(str(tmp_path / name))
        assert not (tmp_path / name).exists()
        assert (tmp_path / "new").exists() == (name in {"link", "new/deep/a.csv"})


def test_a_broken_disk_is_told_with_its_own_words() -> None:
    told = str(refusal("a.csv", OSError(errno.EIO, "Input/output error")))
    assert told == (
        "a.csv: cannot be reached (Input/output error): check the address and the storage, and try "
        "again"
    )
