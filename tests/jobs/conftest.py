"""One lake that went through the whole pipeline once, and copies of it to change."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from segspark.pipeline.progress import Progress
from segspark.pipeline.run import run_pipeline
from segspark.pipeline.stage import StageResult, Workspace
from segspark.settings.root import Settings
from segspark.tables.lake import Lake
from tests.jobs.planted import AS_OF, settings, write_purchases


def workspace_of(spark: SparkSession, these: Settings) -> Workspace:
    """A new process's view of a lake."""
    return Workspace(these, Lake.open(spark, these.lake), Progress())


@dataclass(frozen=True)
class Published:
    """A lake whose first run is published.

    Attributes:
        workspace: Its surroundings.
        results: What each stage came to.
        purchases: The CSV that it was made from.
    """

    workspace: Workspace
    results: list[StageResult]
    purchases: Path

    def id_of(self, stage: str) -> str:
        return next(result.stage_id for result in self.results if result.stage == stage)


Reopened = Callable[..., Workspace]


@pytest.fixture(scope="session")
def purchases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_purchases(tmp_path_factory.mktemp("shop") / "purchases.csv")


@pytest.fixture(scope="session")
def published(
    spark: SparkSession, purchases: Path, tmp_path_factory: pytest.TempPathFactory
) -> Published:
    """Not to be written to: take a `copy`. The folder's name needs quoting."""
    lake = tmp_path_factory.mktemp("published") / "o'lake one"
    workspace = workspace_of(spark, settings(lake, purchases))
    return Published(workspace, run_pipeline(workspace, as_of=AS_OF), purchases)


@pytest.fixture
def copy(spark: SparkSession, published: Published, tmp_path: Path) -> Iterator[Reopened]:
    """Opens a copy of the published lake, with changed settings if asked."""
    source = published.workspace.lake.local_folder
    assert source is not None
    target = tmp_path / "lake"
    shutil.copytree(source, target)

    def reopened(**changes: object) -> Workspace:
        return workspace_of(spark, settings(target, published.purchases, **changes))

    yield reopened
    shutil.rmtree(target)
