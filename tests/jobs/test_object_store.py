"""The job takes in from a bucket into a lake in that bucket, as docs/ingest.md prints it."""

import gzip
import io
import os
import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from segspark.session.drivers import S3
from segspark.session.ivy import spark_home
from segspark.settings.lake import LakeSettings
from segspark.settings.loading import load_settings
from segspark.tables.ingested import INGEST_BATCHES
from segspark.tables.lake import Lake
from segspark.tables.purchases import TRANSACTIONS
from tests.jobs.test_ingest_page import PAGE, blocks
from tests.object_store import LOGIN, ObjectStore
from tests.purchases import values
from tests.spark.conftest import bucket, s3

__all__ = ["bucket", "s3"]

ROOT = Path(__file__).parents[2]
HEADER = "who,receipt,at,amount"


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """The page's configuration of buckets, as a reader copies it."""
    (block,) = [block for block in blocks(PAGE.read_text("utf-8")) if "s3a://" in block]
    path = tmp_path / "bucket.yml"
    path.write_text(block, encoding="utf-8")
    return path


def ingest(
    server: ObjectStore, bucket: str, configuration: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    """Run the job in a process of its own, which knows the server by its environment alone."""
    small = ("--set", "spark.driver_memory=1g", "--set", "spark.shuffle_partitions=2")
    job = str(ROOT / "jobs" / "ingest.py")
    return subprocess.run(
        [sys.executable, job, "--config", str(configuration), *small, *options],
        cwd=configuration.parent,
        env=os.environ | server.environment | {"SHOP_BUCKET": bucket, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def complaints(answer: subprocess.CompletedProcess[str]) -> list[str]:
    """What the job says beside what it is doing."""
    return [line for line in answer.stderr.splitlines() if " INFO " not in line]


def csv(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines, ""]).encode()


def parquet(*rows: tuple[str, str, datetime, float]) -> bytes:
    made, names = io.BytesIO(), HEADER.split(",")
    pq.write_table(pa.table([list(c) for c in zip(*rows, strict=True)], names=names), made)
    return made.getvalue()


def test_the_job_takes_each_file_of_a_bucket_once_into_a_lake_in_it(
    spark: SparkSession, s3: ObjectStore, bucket: str, configuration: Path
) -> None:
    noon = datetime.fromisoformat("2024-03-01 12:00")
    s3.put(bucket, "exports/a b+c%20ü.csv", csv("7,A1,2024-03-01 12:00:00,2.50"))
    s3.put(bucket, "exports/day=1/b.csv.gz", gzip.compress(csv("8,A2,2024-03-01 12:00:00,4")))
    s3.put(bucket, "exports/_SUCCESS", b"")
    s3.put(bucket, "history/2024-03.parquet", parquet(("9", "A3", noon, 8.25)))
    s3.put(bucket, "history/2023-03.parquet", b"no Parquet, and in no glob")

    first = ingest(s3, bucket, configuration)

    assert (first.returncode, complaints(first)) == (0, [])
    s3.put(bucket, "exports/c.csv", csv("7,A4,2024-03-01 12:00:00,1"))
    second = ingest(s3, bucket, configuration)
    assert (second.returncode, complaints(second)) == (0, [])
    assert "reading 1 new batch(es) of bucket\n" in second.stderr
    assert "new batch(es) of bucket_history" not in second.stderr

    lake = Lake.open(spark, LakeSettings(location=f"s3a://{bucket}/lake"))
    names = ("customer_id", "order_id", "transaction_at", "line_amount")
    assert values(lake.read(TRANSACTIONS), *names) == [
        ("7", "A1", noon, Decimal("2.5")), ("7", "A4", noon, Decimal(1)),
        ("8", "A2", noon, Decimal(4)), ("9", "A3", noon, Decimal("8.25")),
    ]  # fmt: skip
    assert values(lake.read(INGEST_BATCHES), "source", "file_name", "in_row_count") == [
        ("bucket", "a b+c%20ü.csv", 1), ("bucket", "c.csv", 1), ("bucket", "day=1/b.csv.gz", 1),
        ("bucket_history", "2024-03.parquet", 1),
    ]  # fmt: skip


def test_a_job_without_the_jars_is_told_so_in_one_sentence(
    s3: ObjectStore, bucket: str, configuration: Path
) -> None:
    answer = ingest(s3, bucket, configuration, "--set", "spark.packages=[]")
    assert answer.returncode == 1
    (sentence,) = complaints(answer)
    assert sentence.endswith(
        ": Spark has no jar with org.apache.hadoop.fs.s3a.S3AFileSystem: add what docs/ingest.md "
        "names for such addresses to spark.packages, or submit with --packages"
    )
    assert not any(secret in sentence for secret in LOGIN.values())


def test_the_packages_of_the_page_are_those_that_are_tested(configuration: Path) -> None:
    assert load_settings(configuration).spark.packages == S3


def test_the_part_of_hadoop_that_is_added_is_of_the_version_that_spark_brings() -> None:
    home = spark_home()
    assert home is not None
    (jar,) = (home / "jars").glob("hadoop-client-api-*.jar")
    assert S3[0].rpartition(":")[2] == jar.stem.rpartition("-")[2]
