"""What an object store refuses or lacks is one sentence without a secret, and no table changes."""

import re

import pytest
from pyspark.sql import SparkSession

from segspark.errors import StorageError
from segspark.pipeline.stage import Workspace
from segspark.settings.lake import LakeSettings
from segspark.tables.ingested import INGEST_BATCHES
from segspark.tables.lake import Lake
from tests.hostile import refusal
from tests.object_store import LOGIN, ObjectStore
from tests.purchases import source_document


def test_a_bucket_that_is_not_there_is_one_sentence(
    s3: ObjectStore, one_good_batch: Workspace
) -> None:
    location = f"s3a://not-{s3.make_bucket()}/exports/"
    assert refusal(one_good_batch, source_document(location)) == (
        f"{location}: there is no such bucket: correct the address"
    )


def test_a_table_in_a_bucket_that_is_not_there_is_one_sentence(
    s3: ObjectStore, one_good_batch: Workspace
) -> None:
    location = f"s3a://not-{s3.make_bucket()}/sales"
    assert refusal(one_good_batch, source_document(location, format={"kind": "delta"})) == (
        f"source new: table {location}: there is no such bucket: correct the address"
    )


def test_a_login_that_the_server_does_not_know_is_one_sentence_without_it(
    s3: ObjectStore, bucket: str, one_good_batch: Workspace
) -> None:
    s3.put(bucket, "exports/a.csv", b"who,at\n")
    with s3.strict():
        told = refusal(one_good_batch, source_document(f"s3a://{bucket}/exports/"))
    assert told.startswith(f"s3a://{bucket}/exports/: access is denied")
    assert told.endswith(": check the credentials that Spark has, and what they may do")
    assert not any(secret in told for secret in LOGIN.values())


def test_a_bucket_without_any_login_is_one_sentence(
    spark: SparkSession, bucket: str, one_good_batch: Workspace
) -> None:
    only_keys = "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider"
    spark.conf.set(f"fs.s3a.bucket.{bucket}.aws.credentials.provider", only_keys)
    for key in ("access", "secret"):
        spark.conf.set(f"fs.s3a.bucket.{bucket}.{key}.key", "")
    told = refusal(one_good_batch, source_document(f"s3a://{bucket}/exports/"))
    assert told.startswith(f"s3a://{bucket}/exports/: there are no credentials for it: set AWS_")


def test_addresses_whose_jar_is_missing_are_one_sentence(one_good_batch: Workspace) -> None:
    location = "abfss://in@shop.dfs.core.windows.net/exports/"
    told = refusal(one_good_batch, source_document(location))
    assert re.fullmatch(
        r"abfss://\S+: Spark has no jar with org\.apache\.hadoop\.fs\.azurebfs\.\w+: add what "
        r"docs/ingest\.md names for such addresses to spark\.packages, or submit with --packages",
        told,
    )


def test_a_lake_in_a_bucket_that_is_not_there_is_one_sentence(
    spark: SparkSession, s3: ObjectStore
) -> None:
    root = f"s3a://not-{s3.make_bucket()}/lake"
    lake = Lake.open(spark, LakeSettings(location=root))
    with pytest.raises(StorageError) as refused:
        lake.replace(INGEST_BATCHES, spark.createDataFrame([], INGEST_BATCHES.schema), {})
    assert str(refused.value) == (
        f"looking for {root}/ingest_batches: there is no such bucket: correct the address"
    )
