import re

import duckdb
import pytest

from segspark.tables.views import CURRENT_VIEWS, view_statements


def one_of(statements: list[str], name: str) -> str:
    """The statement that makes the view `name`."""
    (found,) = [text for text in statements if f" VIEW {name} AS " in text]
    return found


def test_a_current_view_follows_the_newest_publication_of_each_segmentation() -> None:
    statements = view_statements("/lake", dialect="duckdb")

    assert one_of(statements, "current_customer_segments") == (
        "CREATE OR REPLACE VIEW current_customer_segments AS SELECT c.segmentation, t.* "
        "FROM delta_scan('/lake/customer_segments') t "
        "JOIN current_publications c ON t.run_id = c.run_id"
    )


def test_a_table_that_has_its_segmentation_does_not_get_another() -> None:
    statement = one_of(view_statements("/lake", dialect="duckdb"), "current_segment_model")

    assert "SELECT t.* FROM" in statement


@pytest.mark.parametrize(
    "table",
    [
        "customer_lifetime_values",
        "lifetime_models",
        "lifetime_scores",
        "lifetime_calibration",
        "churn_scores",
        "churn_reliability",
    ],
)
def test_lifetime_tables_follow_the_newest_stage_of_the_published_features(table: str) -> None:
    lake = duckdb.connect()
    lake.execute("""
        CREATE TABLE publications AS SELECT 's' AS segmentation, 2 AS publication_number,
          'new' AS snapshot_id;
        CREATE TABLE stage_runs AS SELECT * FROM (VALUES
          ('lifetime', 'old id', 's', ['new'], 1), ('lifetime', 'newest id', 's', ['new'], 3),
          ('lifetime', 'earlier features', 's', ['old'], 4), ('train', 'other', 's', ['new'], 5),
          ('lifetime', 'another', 't', ['new'], 6)
        ) AS t(stage, stage_id, segmentation, input_ids, completed_at);
        CREATE TABLE lifetime_ids AS SELECT unnest(
          ['old id', 'newest id', 'earlier features', 'other', 'another']) AS lifetime_id;
    """)
    lake.table("lifetime_ids").create(table)
    statements = view_statements("/lake", dialect="duckdb")
    for name in ("current_publications", f"current_{table}"):
        lake.execute(re.sub(r"delta_scan\('/lake/(\w+)'\)", r"\1", one_of(statements, name)))

    found = lake.table(f"current_{table}").fetchall()

    assert found == [("s", "newest id")]


@pytest.mark.parametrize("dialect", ["spark", "duckdb"])
def test_views_that_others_read_from_come_before_them(dialect: str) -> None:
    statements = view_statements("/lake", dialect=dialect)
    pointer = statements.index(one_of(statements, "current_publications"))

    assert all(statements.index(one_of(statements, view.name)) > pointer for view in CURRENT_VIEWS)


@pytest.mark.parametrize(
    ("root", "source"),
    [
        ("/my lake", "delta_scan('/my lake/segment_models')"),
        ("/o'lake", "delta_scan('/o''lake/segment_models')"),
        ("/a`b", "delta_scan('/a`b/segment_models')"),
        ('/a"b', "delta_scan('/a\"b/segment_models')"),
        ("s3://b/lake", "delta_scan('s3://b/lake/segment_models')"),
    ],
)
def test_duckdb_reads_a_lake_wherever_it_is(root: str, source: str) -> None:
    statement = one_of(view_statements(root, dialect="duckdb"), "segment_models")

    assert statement.endswith(f" FROM {source}")
    assert len(duckdb.extract_statements(statement)) == 1


@pytest.mark.parametrize(
    ("root", "source"),
    [
        ("/my lake", "delta.`/my lake/segment_models`"),
        ("/o'lake", "delta.`/o'lake/segment_models`"),
        ("/a`b", "delta.`/a``b/segment_models`"),
        ('/a"b', 'delta.`/a"b/segment_models`'),
    ],
)
def test_spark_reads_a_lake_wherever_it_is(root: str, source: str) -> None:
    statement = one_of(view_statements(root, dialect="spark"), "segment_models")

    assert statement.endswith(f" FROM {source}")


def test_a_path_cannot_smuggle_in_a_statement() -> None:
    root = "/lake'); DROP VIEW transactions; --"

    for statement in view_statements(root, dialect="duckdb"):
        assert len(duckdb.extract_statements(statement)) == 1
