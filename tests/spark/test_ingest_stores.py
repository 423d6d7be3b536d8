"""What Spark's Hadoop reaches is found, read and written as a local folder is."""

import gzip
import io
import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from segspark.errors import IngestError
from segspark.ingest.files.choosing_store import store_for
from segspark.ingest.files.hadoop_store import HadoopStore
from segspark.ingest.files.local_store import LocalStore
from segspark.ingest.files.source_files import (
    find_files,
    local_copy,
    look_inside,
    open_content,
    unpack,
)
from tests.delivered import CSV, written

MIB = 1 << 20


@pytest.fixture
def store(spark: SparkSession) -> HadoopStore:
    return HadoopStore(spark)


def told(call: Callable[[], object]) -> str:
    with pytest.raises(IngestError) as caught:
        call()
    return str(caught.value)


def test_an_address_goes_to_hadoop_and_a_path_does_not(spark: SparkSession) -> None:
    assert isinstance(store_for(spark, "file:///in"), HadoopStore)
    assert isinstance(store_for(spark, "/in"), LocalStore)


@pytest.mark.parametrize(
    ("location", "labels"),
    [
        ("", ["2011/a b+c%20d.csv", "2011/q/e.csv", "f.csv"]),
        ("/f.csv", ["f.csv"]),
        ("/*/*.csv", ["2011/a b+c%20d.csv"]),
        ("/20*", ["2011/a b+c%20d.csv", "2011/q/e.csv"]),
        ("/2011/{q,r}/*", ["q/e.csv"]),
        ("/*.txt", []),
        ("/gone", []),
    ],
)
def test_files_folders_and_globs_are_found(
    store: HadoopStore, tmp_path: Path, location: str, labels: list[str]
) -> None:
    for name in ("2011/a b+c%20d.csv", "2011/q/e.csv", "f.csv", "_SUCCESS", "2011/.f.csv.crc"):
        written(tmp_path / name, name)
    found = store.find(f"file://{tmp_path}{location}")
    assert [file.label for file in found] == labels
    for file in found:
        assert file.address.startswith(f"file://{tmp_path}/")
        with store.open(file.address) as stream:
            assert stream.read().decode().endswith(file.label)


def test_what_is_left_out_for_its_name_is_noted_unless_it_is_named_itself(
    store: HadoopStore, tmp_path: Path
) -> None:
    for name in ("a.csv", "_2024.csv", "_old/b.csv", "_old/c.csv", "_SUCCESS", ".a.csv.crc"):
        written(tmp_path / name, name)
    noted: list[str] = []
    assert [f.label for f in store.find(f"file://{tmp_path}", note_skipped=noted.append)] == [
        "a.csv"
    ]
    assert sorted(set(noted)) == ["_2024.csv", "_old"]
    assert [f.label for f in store.find(f"file://{tmp_path}/_2024.csv")] == ["_2024.csv"]


def test_a_found_file_has_its_time_and_fingerprint(store: HadoopStore, tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "who,at\n")
    os.utime(path, (1_300_000_000, 1_300_000_000))
    (file,) = store.find(f"file://{tmp_path}")
    assert file.modified_at == datetime(2011, 3, 13, 7, 6, 40, tzinfo=UTC)
    assert store.fingerprint(file.address) == file.fingerprint
    os.utime(path, (1_300_000_000, 1_300_000_001))
    assert store.fingerprint(file.address) != file.fingerprint


def test_a_stream_is_read_from_any_place(store: HadoopStore, tmp_path: Path) -> None:
    content = os.urandom(9 * MIB + 1)
    (tmp_path / "a.bin").write_bytes(content)
    with store.open(f"file://{tmp_path}/a.bin") as stream:
        assert stream.read() == content
        assert stream.seek(-5, io.SEEK_END) == len(content) - 5
        assert (stream.read(9), stream.tell()) == (content[-5:], len(content))
        assert stream.seek(5 * MIB) == 5 * MIB
        assert (stream.read(3), stream.tell()) == (content[5 * MIB :][:3], 5 * MIB + 3)
        assert stream.seek(99, io.SEEK_END)
        assert stream.read() == b""


def test_files_are_made_and_deleted(store: HadoopStore, tmp_path: Path) -> None:
    address, content = f"file://{tmp_path}/new/deep/a.bin", os.urandom(5 * MIB)
    for size in (5 * MIB, 3):
        with store.create(address) as stream:
            stream.write(content[:size])
        assert (tmp_path / "new" / "deep" / "a.bin").read_bytes() == content[:size]
    for name in ("new", "gone"):
        store.delete(f"file://{tmp_path}/{name}")
    assert not (tmp_path / "new").exists()


def test_files_are_looked_into_and_unpacked_across_stores(
    store: HadoopStore, tmp_path: Path
) -> None:
    content = b"who,at\n" + b"1,2\n" * 999
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.gz").write_bytes(gzip.compress(content))
    (found,) = find_files(store, "shop", f"file://{tmp_path}/in")
    (file,) = look_inside(store, found, CSV)
    with open_content(store, file) as stream:
        assert stream.readline() == b"who,at\n"
    copy = unpack(store, file, store, f"file://{tmp_path}/new", ".csv")
    assert copy == f"file://{tmp_path}/new/{file.content_hash[:32]}.csv"
    with store.open(copy) as stream:
        assert stream.read() == content
    assert local_copy(store, file, tmp_path / "local", ".csv").read_bytes() == content


def test_a_plain_file_of_a_store_is_copied_to_have_a_path(
    store: HadoopStore, tmp_path: Path
) -> None:
    written(tmp_path / "in" / "a.csv", "who,at\n")
    (found,) = find_files(store, "shop", f"file://{tmp_path}/in")
    (file,) = look_inside(store, found, CSV)
    assert local_copy(store, file, tmp_path / "local", ".csv").parent == tmp_path / "local"


def test_a_storage_that_hadoop_does_not_know_is_refused(store: HadoopStore) -> None:
    for call in (store.find, store.open, store.create, store.fingerprint, store.delete):
        sentence = told(partial(call, "gopher://me:secret@in/a.csv"))
        assert sentence.startswith("gopher://***@in/a.csv: cannot be reached (")
        assert 'No FileSystem for scheme "gopher"' in sentence


def test_a_place_that_is_not_there_is_refused(store: HadoopStore, tmp_path: Path) -> None:
    gone = f"file://{tmp_path}/gone"
    assert told(lambda: find_files(store, "shop", gone)) == (
        f"source shop: no file at {gone}: check sources.shop.location"
    )
    for call in (store.open, store.fingerprint):
        assert told(partial(call, gone)).startswith(f"{gone}: is not there any more")


def test_stars_for_any_folders_are_refused(store: HadoopStore, tmp_path: Path) -> None:
    assert "`**` is for local paths: name the folder" in told(
        lambda: store.find(f"file://{tmp_path}/**/*.csv")
    )


def test_what_java_throws_when_a_file_is_sent_is_an_os_error(
    store: HadoopStore, tmp_path: Path
) -> None:
    written(tmp_path / "a.csv", "a")
    stream = store.create(f"file://{tmp_path}/a.csv/b.csv")
    stream.write(b"text")
    with pytest.raises(OSError, match=r"a\.csv") as caught:
        stream.close()
    assert isinstance(caught.value.__cause__, Py4JJavaError)
