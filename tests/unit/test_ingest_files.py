"""Every file of a source is found once, read as it is, and left out by nobody's silence."""

import errno
import gzip
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import pytest

from segspark.errors import IngestError
from segspark.ingest.files.choosing_store import store_for
from segspark.ingest.files.local_store import LocalStore
from segspark.ingest.files.source_files import (
    SourceFile,
    check_unchanged,
    find_files,
    local_copy,
    look_inside,
    open_content,
    unpack,
)
from segspark.ingest.files.stores import FoundFile, Store, refusal
from segspark.settings.formats import CsvFormat
from tests.disks import as_nobody, full_disk, open_to_everyone
from tests.unit.test_ingest_archives import zipped

CSV = CsvFormat(kind="csv")
STORE = LocalStore()
MIB = 1 << 20


def written(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def found(location: object) -> list[FoundFile]:
    return find_files(STORE, "shop", str(location))


def labels(location: object) -> list[str]:
    return [file.label for file in found(location)]


def only(path: Path, store: Store = STORE) -> SourceFile:
    (file,) = look_inside(store, found(path)[0], CSV)
    return file


def refused(location: object) -> str:
    with pytest.raises(IngestError) as caught:
        found(location)
    return str(caught.value)


@pytest.fixture
def open_path(tmp_path: Path) -> Path:
    """A folder that every user can get to; those above belong to the one who runs the tests."""
    open_to_everyone(tmp_path)
    return tmp_path


class AppendedStore(LocalStore):
    """A disk on which each file grows while it is read."""

    def open(self, address: str) -> BinaryIO:
        stream = super().open(address)
        with Path(address).open("ab") as late:
            late.write(b"3,4\n")
        return stream


def test_a_file_is_found_by_its_path(tmp_path: Path) -> None:
    path = written(tmp_path / "jan uary.csv", "a")
    assert labels(path) == ["jan uary.csv"]
    assert found(path)[0].address == str(path)


def test_a_found_file_tells_when_it_was_written(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "a")
    os.utime(path, (1_300_000_000, 1_300_000_000))
    assert found(path)[0].modified_at == datetime(2011, 3, 13, 7, 6, 40, tzinfo=UTC)


def test_a_folder_gives_all_its_files_in_order_of_their_labels(tmp_path: Path) -> None:
    for name in ("b.csv", "deep/a.csv", "c.csv"):
        written(tmp_path / name, name)
    assert labels(tmp_path) == labels(f"{tmp_path}/x/../") == ["b.csv", "c.csv", "deep/a.csv"]


def test_a_glob_gives_what_it_matches(tmp_path: Path) -> None:
    for name in ("2011/a.csv", "2011/b.txt", "2012/c.csv", "2012/q/d.csv", "note"):
        written(tmp_path / name, name)
    assert labels(tmp_path / "*" / "*.csv") == ["2011/a.csv", "2012/c.csv"]
    assert labels(tmp_path / "*" / "c.csv") == ["2012/c.csv"]
    assert labels(tmp_path / "**" / "*.csv") == ["2011/a.csv", "2012/c.csv", "2012/q/d.csv"]


def test_a_folder_that_fits_a_glob_gives_all_below_it(tmp_path: Path) -> None:
    for name in ("2011/a.csv", "2012/q/d.csv", "b/c.csv"):
        written(tmp_path / name, name)
    assert labels(tmp_path / "20*") == ["2011/a.csv", "2012/q/d.csv"]
    assert labels(tmp_path / "2012" / "**") == ["q/d.csv"]


def test_a_name_that_looks_like_a_glob_is_found_as_it_is(tmp_path: Path) -> None:
    written(tmp_path / "in[1]" / "a*.csv", "a")
    written(tmp_path / "in[1]" / "ab.csv", "a")
    assert labels(tmp_path / "in[1]" / "a*.csv") == ["a*.csv"]
    assert labels(tmp_path / "in[1]") == ["a*.csv", "ab.csv"]


def test_a_relative_location_is_taken_from_where_the_job_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "in" / "a.csv", "a")
    monkeypatch.chdir(tmp_path)
    assert labels("in") == labels("in/*.csv") == labels("in/a.csv") == ["a.csv"]


@pytest.mark.parametrize("location", ["", "/*", "/**/*"])
def test_markers_checksums_and_uploads_under_way_are_no_data(tmp_path: Path, location: str) -> None:
    for name in ("a.csv", "_SUCCESS", ".a.csv.crc", "b.csv._COPYING_", "_temporary/part.csv"):
        written(tmp_path / name, name)
    assert labels(f"{tmp_path}{location}") == ["a.csv"]


def test_a_hidden_folder_above_the_source_hides_nothing(tmp_path: Path) -> None:
    written(tmp_path / ".data" / "_in" / "a.csv", "a")
    assert labels(tmp_path / ".data" / "_in") == ["a.csv"]
    assert labels(tmp_path / ".data" / "_in" / "*.csv") == ["a.csv"]


def test_links_to_folders_and_files_are_followed(tmp_path: Path) -> None:
    written(tmp_path / "far" / "deep" / "a.csv", "a")
    written(tmp_path / "b.csv", "b")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "far")
    (tmp_path / "in" / "file.csv").symlink_to("../b.csv")
    assert labels(tmp_path / "in") == ["file.csv", "folder/deep/a.csv"]
    assert labels(tmp_path / "in" / "**" / "*.csv") == ["file.csv", "folder/deep/a.csv"]
    assert labels(tmp_path / "in" / "folder") == ["deep/a.csv"]


@pytest.mark.parametrize("location", ["in", "in/*", "in/**/*.csv"])
@pytest.mark.parametrize(
    ("target", "told"),
    [
        (".", "is a link to a folder that holds it: remove the link"),
        ("..", "is a link to a folder that holds it: remove the link"),
        ("deep", "is a link to a folder that holds it: remove the link"),
        ("gone", "is a link to gone, which is not there: bring it back or remove the link"),
        ("link", "is a link that leads back to itself: remove the link"),
    ],
)
def test_a_link_that_leads_nowhere_or_round_is_refused(
    tmp_path: Path, location: str, target: str, told: str
) -> None:
    written(tmp_path / "in" / "a.csv", "a")
    place = tmp_path / "in" / "deep" if target == "deep" else tmp_path / "in"
    place.mkdir(exist_ok=True)
    (place / "link").symlink_to(place if target == "deep" else target)
    assert refused(tmp_path / location) == f"{place / 'link'}: {told}"


def test_a_location_that_is_a_link_to_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to("gone")
    assert "is a link to gone, which is not there" in refused(tmp_path / "a.csv")
    assert "is a link to gone, which is not there" in refused(tmp_path / "*" / "b.csv")


def test_a_pipe_or_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path) == (
        f"{tmp_path}/pipe: is a pipe, socket or device and no file: take it away"
    )
    (tmp_path / "pipe").unlink()
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        assert "is a pipe, socket or device" in refused(tmp_path)


@pytest.mark.parametrize("location", ["", "/*", "/shut", "/shut/*.csv", "/shut/deep/a.csv"])
def test_a_folder_without_permission_is_refused(open_path: Path, location: str) -> None:
    written(open_path / "shut" / "deep" / "a.csv", "a")
    (open_path / "shut").chmod(0)
    try:
        with as_nobody():
            told = refused(f"{open_path}{location}")
    finally:
        (open_path / "shut").chmod(0o755)
    assert f"{open_path}/shut" in told
    assert told.endswith(": access is denied: grant it to the user that runs segspark")


def test_a_file_without_permission_is_refused(open_path: Path) -> None:
    path = written(open_path / "a.csv", "a")
    path.chmod(0)
    with as_nobody(), pytest.raises(IngestError, match=r"a\.csv: access is denied: grant it"):
        only(path)


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.csv")).write_text("a")
    assert refused(tmp_path) == "caf\ufffd.csv: its name is not UTF-8: rename it"


def test_a_place_without_files_is_refused_with_the_key_to_correct(tmp_path: Path) -> None:
    for location in (tmp_path, tmp_path / "*.csv", tmp_path / "gone" / "*.csv", tmp_path / "gone"):
        assert refused(location) == (
            f"source shop: no file at {location}: check sources.shop.location"
        )
    assert "its location is empty" in refused(" ")
    assert refused("s3a\0").startswith("s3a\0: cannot be reached (")


def test_an_address_needs_a_session() -> None:
    assert isinstance(store_for(None, "/in"), LocalStore)
    with pytest.raises(IngestError, match=r"s3a://\*\*\*@in: only a Spark session can read it"):
        store_for(None, "s3a://me:secret@in")


def test_a_plain_file_is_read_from_any_place(tmp_path: Path) -> None:
    file = only(written(tmp_path / "a.csv", "who,at\n1,2\n"))
    with open_content(STORE, file) as stream:
        assert stream.seek(-4, os.SEEK_END) == 7
        assert (stream.read(), stream.seek(0), stream.readline()) == (b"1,2\n", 0, b"who,at\n")


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
    check_unchanged(STORE, file)
    path.write_text("who,at\n1,3\n")
    os.utime(path, ns=(0, int(file.found.modified_at.timestamp()) * 10**9))
    with pytest.raises(IngestError, match=r"a\.csv: changed while it was read"):
        check_unchanged(STORE, file)
    path.unlink()
    with pytest.raises(IngestError, match=r"a\.csv: is not there any more"):
        check_unchanged(STORE, file)


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


def test_a_folder_that_may_not_be_written_is_not_the_files_fault(open_path: Path) -> None:
    (open_path / "a.gz").write_bytes(gzip.compress(b"1,2\n"))
    file = only(open_path / "a.gz")
    shut = open_path / "shut"
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
