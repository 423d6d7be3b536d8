"""Every query on the page docs/behaviour.md works as printed, under the page's settings."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyspark.sql import SparkSession

from segspark.pipeline.features import build_features
from segspark.pipeline.ingest import ingest
from segspark.pipeline.stage import Workspace
from segspark.tables.features import feature_groups
from segspark.tables.publishing import PublishedRun, commit_publication
from segspark.tables.segments import CUSTOMER_SEGMENTS
from segspark.tables.views import register_views
from tests.builders import table
from tests.jobs.behaviour_page import AS_OF, ROWS, SEGMENTS, shop

DOCS = Path(__file__).parents[2] / "docs"
RUN = "run-1"


def sections(language: str) -> dict[str, str]:
    """Heading → the block of this language below it; those without one are left out."""
    page = (DOCS / "behaviour.md").read_text(encoding="utf-8")
    fence = re.compile(rf"^```{language}\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
    found: dict[str, str] = {}
    for part in page.split("\n## ")[1:]:
        blocks = fence.findall(part)
        assert len(blocks) <= 1
        found |= {part.split("\n")[0]: block for block in blocks}
    return found


@pytest.fixture(scope="module")
def published(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The page's shop with its features published, and segments beside them."""
    features: dict[str, Any] = {}
    for block in sections("yaml").values():
        features |= yaml.safe_load(block)["features"]
    work = shop(spark, tmp_path_factory.mktemp("behaviour"), features)
    ingest(work)
    snapshot_id = build_features(work, as_of=AS_OF)[-1].stage_id
    segments = [
        (RUN, who, segment, 0, 0.0, None, 1.0, None, False, None, False, None, False)
        for who, segment in SEGMENTS.items()
    ]
    rows = table(spark, CUSTOMER_SEGMENTS.schema, *segments)
    work.lake.replace(CUSTOMER_SEGMENTS, rows, {"run_id": RUN})
    run = PublishedRun(RUN, snapshot_id, "model-1", AS_OF)
    commit_publication(work.lake, work.settings.segmentation, run)
    register_views(work.lake)
    return work


def test_every_query_of_the_page_is_tried() -> None:
    assert set(sections("sql")) == set(ROWS)


@pytest.mark.parametrize("section", ROWS)
def test_a_query_of_the_page_gives_what_the_shop_did(published: Workspace, section: str) -> None:
    found = published.lake.spark.sql(sections("sql")[section]).collect()
    assert len(found) == len(ROWS[section])
    for row, expected in zip(found, ROWS[section], strict=True):
        assert tuple(row) == pytest.approx(expected)


def test_the_query_of_the_page_of_features_lists_those_of_every_table(
    published: Workspace,
) -> None:
    (query,) = re.findall(r'segspark sql "(.*)"', (DOCS / "features.md").read_text("utf-8"))
    found = published.lake.spark.sql(query).collect()

    groups = feature_groups(published.settings.features)
    assert len(groups) == 7
    assert [(row["feature_table"], row["feature_name"]) for row in found] == [
        (group.table, feature.name) for group in groups for feature in group.features
    ]
