"""A lake with one good batch, and what hostile input must leave as it was."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from segspark.errors import IngestError
from segspark.pipeline.ingest import ingest
from segspark.pipeline.progress import Progress
from segspark.pipeline.stage import Workspace
from segspark.settings.root import Settings
from segspark.tables.catalogue import ALL_TABLES
from tests.purchases import HEADER, csv_file, source_document, workspace

LINE = "7,2026-03-01 10:00:00,A1,mug,2,1.50"


def good_lake(spark: SparkSession, folder: Path) -> Workspace:
    """A lake that has taken in one line of one file."""
    path = csv_file(folder / "good.csv", LINE)
    made = workspace(spark, folder / "lake", {"good": source_document(path)})
    ingest(made)
    return made


def with_sources(lake: Workspace, documents: Mapping[str, dict[str, Any]]) -> Workspace:
    """The same lake under other sources."""
    document = {"lake": {"location": lake.lake.root}, "sources": dict(documents)}
    return Workspace(Settings.model_validate(document), lake.lake, Progress())


def versions(lake: Workspace) -> dict[str, int]:
    """Table → how many versions its log holds; read from the disk, since Spark takes seconds."""
    root = Path(lake.lake.root)
    logs = {table.name: root / table.name / "_delta_log" for table in ALL_TABLES}
    return {name: len(list(log.glob("*.json"))) for name, log in logs.items()}


def refusal(
    lake: Workspace, document: dict[str, Any], *, others: Mapping[str, dict[str, Any]] | None = None
) -> str:
    """The one sentence with which the source `new`, behind others, is refused; no table changes."""
    before = versions(lake)
    assert before["ingest_batches"] > 0
    with pytest.raises(IngestError) as refused:
        ingest(with_sources(lake, {**(others or {}), "new": document}))
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert versions(lake) == before
    assert not (Path(lake.lake.root) / "_staging").exists()
    return sentence


def line(**changed: str) -> str:
    """`LINE` with other values in these columns."""
    plain = dict(zip(HEADER.split(","), LINE.split(","), strict=True))
    return ",".join((plain | changed).values())


def text(*lines: str, header: str = HEADER) -> bytes:
    """The bytes of a file with these lines."""
    return "\n".join([header, *lines, ""]).encode()
