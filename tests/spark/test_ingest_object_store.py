"""What is in S3 is found, read, written and known again as in any other store."""

import gzip
from datetime import datetime

import pytest
from pyspark.sql import SparkSession

from segspark.ingest.files.hadoop_store import HadoopStore
from segspark.ingest.files.source_files import find_files, look_inside, unpack
from tests.delivered import CSV
from tests.object_store import ObjectStore

LINES = b"who,at,order,what,units,price\n7,2024-03-01 12:00:00,A1,mug,2,2.50\n"


@pytest.fixture
def store(spark: SparkSession) -> HadoopStore:
    return HadoopStore(spark)


@pytest.mark.parametrize(
    ("location", "labels"),
    [
        ("", ["exports/a b+c%20ü.csv", "exports/deep/b.csv.gz", "top.csv"]),
        ("/", ["exports/a b+c%20ü.csv", "exports/deep/b.csv.gz", "top.csv"]),
        ("/exports", ["a b+c%20ü.csv", "deep/b.csv.gz"]),
        ("/exports/", ["a b+c%20ü.csv", "deep/b.csv.gz"]),
        ("/exports/*.csv", ["a b+c%20ü.csv"]),
        ("/*/deep/{a,b}*", ["exports/deep/b.csv.gz"]),
        ("/exports/deep/b.csv.gz", ["b.csv.gz"]),
        ("/gone/", []),
    ],
)
def test_buckets_folders_and_globs_are_found(
    store: HadoopStore, s3: ObjectStore, bucket: str, location: str, labels: list[str]
) -> None:
    for key in ("top.csv", "exports/a b+c%20ü.csv", "exports/deep/b.csv.gz", "exports/_SUCCESS"):
        s3.put(bucket, key, key.encode())
    found = store.find(f"s3a://{bucket}{location}")
    assert [file.label for file in found] == labels
    for file in found:
        assert store.fingerprint(file.address) == file.fingerprint
        with store.open(file.address) as stream:
            assert stream.read().decode().endswith(file.label)


def test_an_object_with_another_content_of_the_same_length_has_another_fingerprint(
    store: HadoopStore, s3: ObjectStore, bucket: str
) -> None:
    address, seen = f"s3a://{bucket}/a.csv", set()
    for content in (b"1", b"2", b"1"):
        s3.put(bucket, "a.csv", content)
        seen.add(store.fingerprint(address))
    assert len(seen) == 2


def test_the_time_of_an_object_tells_no_change_as_lists_may_have_finer_ones_than_objects(
    store: HadoopStore, s3: ObjectStore, bucket: str
) -> None:
    s3.put(bucket, "a.csv", LINES)
    (file,) = store.find(f"s3a://{bucket}/")
    s3.touch(bucket, "a.csv", datetime.fromisoformat("2024-03-01 12:00"))
    assert store.fingerprint(file.address) == file.fingerprint


def test_what_is_packed_is_unpacked_within_a_bucket(
    store: HadoopStore, s3: ObjectStore, bucket: str
) -> None:
    s3.put(bucket, "exports/a.csv.gz", gzip.compress(LINES))
    (found,) = find_files(store, "shop", f"s3a://{bucket}/exports/")
    (file,) = look_inside(store, found, CSV)
    for _ in range(2):
        copy = unpack(store, file, store, f"s3a://{bucket}/new", ".csv")
        with store.open(copy) as stream:
            assert stream.read() == LINES
    store.delete(f"s3a://{bucket}/new")
    assert store.find(f"s3a://{bucket}/new") == []
