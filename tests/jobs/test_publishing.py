import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from segspark import cli
from segspark.errors import StageError
from segspark.pipeline import publish as publishing
from segspark.pipeline.publish import publish, rollback
from segspark.pipeline.run import run_pipeline
from segspark.pipeline.stage import Workspace
from segspark.settings.loading import effective_yaml
from segspark.tables.operations import PUBLICATIONS, STAGE_RUNS
from segspark.tables.publishing import PublishedRun, commit_publication, current_publication
from segspark.tables.views import register_views
from tests.jobs.conftest import Published, Reopened, workspace_of
from tests.jobs.planted import AS_OF, settings
from tests.jobs.reading import rows_of, versions

CHANGED = {"assignment": {"borderline_confidence": 0.2}}
"""Makes another run of the same model."""


def current_run(here: Workspace) -> str:
    row = current_publication(here.lake, "default")
    assert row is not None
    return str(row["run_id"])


def shown_runs(here: Workspace) -> list[str]:
    """Runs that readers of the view see."""
    register_views(here.lake)
    shown = here.lake.spark.table("current_customer_segments").select("run_id").distinct()
    return [row["run_id"] for row in shown.collect()]


@pytest.fixture(scope="module")
def second_lake(
    spark: SparkSession, published: Published, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A lake in which a second run was published after the first."""
    lake = tmp_path_factory.mktemp("second") / "lake"
    shutil.copytree(published.workspace.lake.root, lake)
    here = workspace_of(spark, settings(lake, published.purchases, **CHANGED))
    run_pipeline(here, as_of=AS_OF)
    return lake


@pytest.fixture
def second(
    spark: SparkSession, published: Published, second_lake: Path, tmp_path: Path
) -> Iterator[Workspace]:
    """A copy of it."""
    shutil.copytree(second_lake, tmp_path / "second")
    yield workspace_of(spark, settings(tmp_path / "second", published.purchases, **CHANGED))
    shutil.rmtree(tmp_path / "second")


def test_a_new_run_becomes_current_and_the_old_one_stays_in_the_tables(
    published: Published, second: Workspace
) -> None:
    publications = rows_of(second.lake, PUBLICATIONS)

    assert [row["publication_number"] for row in publications] == [1, 2]
    assert [row["action"] for row in publications] == ["publish", "publish"]
    assert publications[0]["run_id"] == published.id_of("assign")
    assert publications[1]["run_id"] == current_run(second) != published.id_of("assign")
    assert publications[0]["model_id"] == publications[1]["model_id"]


def test_a_rollback_makes_the_run_before_current_in_the_views_too(
    published: Published, second: Workspace
) -> None:
    withdrawn = current_run(second)
    assert shown_runs(second) == [withdrawn]

    rollback(second)

    assert shown_runs(second) == [published.id_of("assign")]
    newest = rows_of(second.lake, PUBLICATIONS)[-1]
    assert (newest["action"], newest["withdrawn_run_id"]) == ("rollback", withdrawn)


def test_what_was_rolled_back_is_published_again_only_when_asked(
    published: Published, second: Workspace
) -> None:
    withdrawn = current_run(second)
    rollback(second)
    before = versions(second.lake)

    results = run_pipeline(second, as_of=AS_OF)

    assert current_run(second) == published.id_of("assign")
    assert "was rolled back and stays so; publish --again" in results[-1].summary
    assert versions(second.lake) == before

    publish(second, as_of=AS_OF, run_id=withdrawn, again=True)
    assert current_run(second) == withdrawn
    assert publish(second, as_of=AS_OF, run_id=withdrawn).was_done


def test_a_run_that_gave_way_to_a_later_one_does_not_come_back_by_a_retry(
    published: Published, second: Workspace
) -> None:
    before, current = versions(second.lake), current_run(second)

    result = publish(second, as_of=AS_OF, run_id=published.id_of("assign"))

    assert result.was_done
    assert "gave way and stays so; publish --again makes it current" in result.summary
    assert versions(second.lake) == before
    assert current_run(second) == current


def test_a_run_that_fails_the_audit_is_not_published_and_exits_with_1(
    copy: Reopened, published: Published, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = copy(audit={"most_excluded_ratio": 0.0}, **CHANGED)
    config = tmp_path / "strict.yml"
    config.write_text(effective_yaml(here.settings), encoding="utf-8")

    words = ["run-pipeline", "--config", str(config), "--as-of", AS_OF.isoformat()]
    assert cli.main(words) == 1

    (sentence,) = [line for line in capsys.readouterr().err.splitlines() if "segspark: " in line]
    assert "is not published, its audit failed: 1.3% of the customers are excluded, " in sentence
    assert len(rows_of(here.lake, PUBLICATIONS)) == 1
    assert current_run(here) == published.id_of("assign")
    assert len(rows_of(here.lake, STAGE_RUNS, stage="assign")) == 2
    assert len(rows_of(here.lake, STAGE_RUNS, stage="publish")) == 1


def test_an_audit_that_failed_passes_once_its_bounds_are_changed(copy: Reopened) -> None:
    strict = copy(audit={"most_excluded_ratio": 0.0}, **CHANGED)
    with pytest.raises(StageError, match="its audit failed"):
        run_pipeline(strict, as_of=AS_OF)

    results = run_pipeline(copy(**CHANGED), as_of=AS_OF)

    assert [result.was_done for result in results] == [True] * 6 + [False]
    assert len(rows_of(strict.lake, PUBLICATIONS)) == 2


def test_a_publication_keeps_the_date_of_its_run_whatever_date_is_asked(
    published: Published, second: Workspace
) -> None:
    run_id = published.id_of("assign")

    result = publish(second, as_of=AS_OF.replace(day=1), run_id=run_id, again=True)

    (recorded,) = rows_of(second.lake, STAGE_RUNS, stage_id=result.stage_id)
    assert recorded["as_of_date"] == AS_OF
    assert current_run(second) == run_id


@pytest.mark.parametrize(
    ("run_id", "sentence"),
    [
        (None, "there are no features as of 2024-02-01 .*: run build_features first"),
        ("run-unknown", "there is no finished run run-unknown .*: run assign first"),
    ],
)
def test_publishing_what_is_not_there_is_refused(
    published: Published, run_id: str | None, sentence: str
) -> None:
    with pytest.raises(StageError, match=sentence):
        publish(published.workspace, as_of=AS_OF.replace(day=1), run_id=run_id)


@pytest.fixture
def unfollowed(
    spark: SparkSession,
    lake_folder: Path,
    purchases: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Workspace:
    """An empty lake whose views and MLflow stay out of it."""
    monkeypatch.setattr(publishing, "_follow", lambda *_: None)
    return workspace_of(spark, settings(lake_folder, purchases))


def test_rollbacks_go_back_one_run_at_a_time_and_then_refuse(unfollowed: Workspace) -> None:
    for name in ("a", "b", "c"):
        commit_publication(unfollowed.lake, "default", PublishedRun(name, "s", "m", AS_OF))

    assert [rollback(unfollowed).run_id for _ in range(2)] == ["b", "a"]
    with pytest.raises(StageError, match="there is no earlier run to go back to"):
        rollback(unfollowed)


def test_a_run_that_was_published_again_can_be_gone_back_to(unfollowed: Workspace) -> None:
    def commit(run_id: str) -> None:
        commit_publication(unfollowed.lake, "default", PublishedRun(run_id, "s", "m", AS_OF))

    commit("a")
    commit("b")
    rollback(unfollowed)
    commit("b")
    commit("c")

    assert rollback(unfollowed).run_id == "b"


def test_a_rollback_without_a_publication_is_refused(unfollowed: Workspace) -> None:
    with pytest.raises(StageError, match="segmentation default: nothing is published yet"):
        rollback(unfollowed)


def test_a_rollback_to_a_run_that_never_was_is_refused(unfollowed: Workspace) -> None:
    commit_publication(unfollowed.lake, "default", PublishedRun("a", "s", "m", AS_OF))

    for run_id in ("a", "z"):
        with pytest.raises(StageError, match=f"run {run_id} is current or was never published"):
            rollback(unfollowed, run_id=run_id)
