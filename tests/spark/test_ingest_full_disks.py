"""A disk without space ends in one sentence, and nothing counts that is not whole."""

import gzip
import os
import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.errors import SegsparkError
from segspark.pipeline import taking_in
from segspark.pipeline.booking import write_batches
from segspark.pipeline.holdings import current_batches
from segspark.pipeline.ingest import ingest
from segspark.pipeline.stage import Workspace
from segspark.session.gateway import running_gateway
from segspark.tables.ingested import INGEST_QUALITY
from segspark.tables.purchases import TRANSACTIONS
from tests.disks import full_disk
from tests.hostile import LINE, line, refusal, text, versions, with_sources
from tests.purchases import source_document, values


@contextmanager
def _full_for_spark(most_bytes: int) -> Iterator[None]:
    """No file of Spark's Java process can be longer, as on a disk without space."""
    gateway = running_gateway()
    assert gateway is not None
    process = int(gateway.jvm.java.lang.ProcessHandle.current().pid())
    limits = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (most_bytes, limits[1]))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, limits)


def test_a_disk_that_is_full_for_the_unpacked_file_is_named(
    one_good_batch: Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "in.gz"
    path.write_bytes(gzip.compress(text(*[LINE] * 3000)))
    with full_disk(1 << 16):
        told = refusal(one_good_batch, source_document(path))
    assert "_staging" in told
    assert told.endswith(": no space to unpack in.gz: make room or send it unpacked")


def test_a_disk_that_is_full_for_the_staged_rows_is_named(
    one_good_batch: Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(text(*[line(what=os.urandom(500).hex()) for _ in range(300)]))
    with _full_for_spark(1 << 17):
        told = refusal(one_good_batch, source_document(path))
    assert told == ("source new: no space to write (File too large): make room or raise the quota")


def test_a_disk_that_is_full_for_the_tables_lets_nothing_count_and_the_next_ingest_makes_up_for_it(
    one_good_batch: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(text(*[line(what=os.urandom(500).hex()) for _ in range(300)]))
    work = with_sources(one_good_batch, {"full": source_document(path)})
    before = versions(work)

    def write_to_full_disk(*arguments: object) -> None:
        with _full_for_spark(1 << 17):
            write_batches(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(taking_in, "write_batches", write_to_full_disk)
        with pytest.raises(SegsparkError) as refused:
            ingest(work)

    assert str(refused.value) == (
        f"writing {work.lake.address(TRANSACTIONS)}: no space to write (File too large): make room "
        "or raise the quota"
    )
    # The small table beside the large one got through; without the books it counts for nobody.
    after = versions(work)
    assert after["ingest_quality"] > before["ingest_quality"]
    assert after["ingest_batches"] == before["ingest_batches"]
    assert current_batches(work) == []

    ingest(work)

    (books,) = current_batches(work)
    assert (books["in_row_count"], books["kept_row_count"], books["kept_amount"]) == (300, 300, 900)
    is_mine = F.col("batch_id") == books["batch_id"]
    assert work.lake.read(TRANSACTIONS).filter(is_mine).count() == 300
    figures = values(work.lake.read(INGEST_QUALITY).filter(is_mine), *INGEST_QUALITY.grain)
    assert len(figures) == len(set(figures)) > 0


def test_no_space_left_is_one_sentence(
    one_good_batch: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(text(LINE))
    parse = taking_in.parse_intake
    failing = F.raise_error(F.lit("java.io.IOException: No space left on device")).cast("string")

    def parse_and_fail(*arguments: object) -> Sequence[DataFrame]:
        return [rows.withColumn("raw_row", failing) for rows in parse(*arguments)]  # type: ignore[arg-type]

    monkeypatch.setattr(taking_in, "parse_intake", parse_and_fail)
    told = refusal(one_good_batch, source_document(path))
    assert told == (
        "source new: no space to write (No space left on device): make room or raise the quota"
    )
