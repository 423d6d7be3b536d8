import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from segspark.pipeline import booking
from segspark.pipeline import train as training
from segspark.pipeline.run import run_pipeline
from segspark.tables import publishing, views
from segspark.tables.contract import TableContract
from segspark.tables.lake import Lake
from segspark.tables.slices import Slice
from segspark.tracking.tracker import Tracker
from tests.jobs.conftest import Published, workspace_of
from tests.jobs.planted import AS_OF, settings
from tests.jobs.reading import all_tables

PUBLISHING = "segspark.pipeline.publish"
INGEST = (
    "transactions",
    "rejected_transactions",
    "ingest_quality",
    "ingest_batches",
    "ingest is done",
    "ingest_files",
)
FEATURES = (
    "ledger_batches",
    "return_matches",
    "customer_days",
    "ledger is done",
    "feature_catalogue",
    "customer_features",
    "customer_seasons",
    "features is done",
)
LIFETIME = (
    "lifetime_models",
    "lifetime_scores",
    "lifetime_calibration",
    "churn_scores",
    "churn_reliability",
    "customer_cohorts",
    "customer_lifetime_values",
    "lifetime is done",
)
TRAIN = ("segment_candidates", "segment_models", "MLflow's runs", "train is done")
ASSIGN = (
    "segment_identities",
    "customer_segments",
    "customer_funnel",
    "segment_profiles",
    "segment_rules",
    "segment_drivers",
    "segment_differences",
    "assign is done",
)
PUBLISH = ("publications", "view files", "MLflow's alias", "publish is done")
ALL_POINTS = (*INGEST, *FEATURES, *LIFETIME, *TRAIN, *ASSIGN, *PUBLISH)


class Killed(BaseException):
    """Nobody handles it, as nobody handles a kill."""


@dataclass
class Killer:
    """Ends the process after every thing that is kept, but only the first time it is."""

    survived: list[str] = field(default_factory=list)

    def strike(self, point: str) -> None:
        if point not in self.survived:
            self.survived.append(point)
            raise Killed(point)

    def after(self, point: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def killed(*args: object, **options: object) -> object:
            result = function(*args, **options)
            self.strike(point)
            return result

        return killed

    def after_replacing(self, replace: Callable[..., None]) -> Callable[..., None]:
        def killed(lake: Lake, contract: TableContract, df: DataFrame, rows: Slice) -> None:
            replace(lake, contract, df, rows)
            is_manifest = contract.name == "stage_runs"
            self.strike(f"{rows['stage']} is done" if is_manifest else contract.name)

        return killed


@pytest.fixture
def killer(monkeypatch: pytest.MonkeyPatch) -> Killer:
    """Armed at every point at which a stage leaves something behind."""
    found = Killer()
    monkeypatch.setattr(Lake, "replace", found.after_replacing(Lake.replace))
    monkeypatch.setattr(
        f"{PUBLISHING}.commit_publication",
        found.after("publications", publishing.commit_publication),
    )
    monkeypatch.setattr(
        f"{PUBLISHING}.write_view_files", found.after("view files", views.write_view_files)
    )
    monkeypatch.setattr(
        Tracker, "record_training", found.after("MLflow's runs", Tracker.record_training)
    )
    monkeypatch.setattr(
        Tracker, "mark_published", found.after("MLflow's alias", Tracker.mark_published)
    )
    return found


@pytest.fixture
def _one_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train once for all restarts: what a sweep finds is not what is tested here."""
    found: list[Any] = []
    sweep = training._sweep  # noqa: SLF001 - so that all kills cost one sweep

    def once(*args: Any) -> object:  # noqa: ANN401 - passes them on
        if not found:
            found.append(sweep(*args))
        return found[0]

    monkeypatch.setattr(training, "_sweep", once)


@pytest.fixture
def _one_table_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch's tables are written side by side; one by one, a kill comes between any two."""

    def one_by_one(writes: Sequence[Callable[[], None]]) -> None:
        for write in writes:
            write()

    monkeypatch.setattr(booking, "_write_side_by_side", one_by_one)


@pytest.fixture
def fresh_lake(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "lake"
    shutil.rmtree(tmp_path / "lake", ignore_errors=True)


def leave_rubbish(lake: Path) -> None:
    """What a kill in the middle of a write leaves: data without a commit, unpacked files."""
    (lake / "_staging").mkdir(exist_ok=True)
    for folder in (path.parent for path in lake.glob("*/_delta_log")):
        (folder / "part-00000-killed.snappy.parquet").write_bytes(b"torn")
    (lake / "_staging" / "unpacked.csv").write_text("half a li")


@pytest.mark.usefixtures("_one_sweep", "_one_table_at_a_time")
def test_a_run_killed_after_every_write_ends_in_the_tables_of_an_undisturbed_one(
    spark: SparkSession, published: Published, killer: Killer, fresh_lake: Path
) -> None:
    these = settings(fresh_lake, published.purchases)

    for point in ALL_POINTS:
        with pytest.raises(Killed, match=f"^{point}$"):
            run_pipeline(workspace_of(spark, these), as_of=AS_OF)
        is_published = bool(publishing.publication_history(Lake.open(spark, these.lake), "default"))
        assert is_published == (point in PUBLISH), f"killed after {point}"
        leave_rubbish(fresh_lake)
    last = workspace_of(spark, these)
    results = run_pipeline(last, as_of=AS_OF)

    assert tuple(killer.survived) == ALL_POINTS
    assert all(result.was_done for result in results)
    assert all_tables(last.lake) == all_tables(published.workspace.lake)
    assert not (fresh_lake / "_staging").exists()
    assert_same_views(last.lake, published.workspace.lake)


def assert_same_views(one: Lake, other: Lake) -> None:
    texts: Sequence[str] = [
        (Path(lake.root) / "views" / "duckdb.sql").read_text().replace(root, "LAKE")
        for lake, root in ((one, one.root), (other, other.root.replace("'", "''")))
    ]
    assert texts[0] == texts[1]
