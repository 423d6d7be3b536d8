import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from segspark.pipeline.assign import assign
from segspark.pipeline.features import build_features
from segspark.pipeline.publish import publish
from segspark.pipeline.run import run_pipeline
from segspark.pipeline.stage import Workspace
from segspark.settings.loading import effective_yaml
from segspark.tables.features import CUSTOMER_FEATURES
from segspark.tables.publishing import current_publication
from segspark.tables.segments import CUSTOMER_SEGMENTS, SEGMENT_IDENTITIES, SEGMENT_MODELS
from tests.jobs.conftest import Published, Reopened
from tests.jobs.planted import AS_OF, KINDS, LATER, kind_of, trained
from tests.jobs.reading import rows_of, versions

ROOT = Path(__file__).parents[2]


def segments_of(here: Workspace, run_id: str) -> dict[str, str]:
    """Customer → segment id in one run."""
    rows = rows_of(here.lake, CUSTOMER_SEGMENTS, run_id=run_id)
    return {row["customer_id"]: row["segment_id"] for row in rows}


def common_ids(segments: dict[str, str]) -> dict[str, str]:
    """Planted group → the id that most of its customers have."""
    return {
        kind: Counter(s for c, s in segments.items() if kind_of(c) == kind).most_common(1)[0][0]
        for kind in KINDS
    }


def test_the_published_model_assigns_a_later_day_under_the_same_ids(
    copy: Reopened, published: Published
) -> None:
    here = copy()

    snapshot = build_features(here, as_of=LATER)[-1]
    run = assign(here, as_of=LATER)
    publish(here, as_of=LATER)

    assert segments_of(here, run.stage_id) == segments_of(here, published.id_of("assign"))
    later = rows_of(here.lake, CUSTOMER_FEATURES, snapshot_id=snapshot.stage_id)
    recency = {row["customer_id"]: row["recency_days"] for row in later}
    assert recency["l00"] > 50
    assert recency["r00"] < 7
    current = current_publication(here.lake, "default")
    assert current is not None
    assert (current["run_id"], current["as_of_date"]) == (run.stage_id, LATER)
    assert len(rows_of(here.lake, SEGMENT_MODELS)) == 1


def test_retraining_keeps_the_ids_where_customers_are_the_same(
    copy: Reopened, published: Published
) -> None:
    before = segments_of(published.workspace, published.id_of("assign"))
    retrained = copy(training=trained(seed=4, most_segments=3, kmeans_restarts=5))

    results = run_pipeline(retrained, as_of=AS_OF)

    assert not results[4].was_done
    assert segments_of(retrained, results[-2].stage_id) == before
    model_id = rows_of(retrained.lake, SEGMENT_MODELS, training_id=results[4].stage_id)[0][
        "model_id"
    ]
    for identity in rows_of(retrained.lake, SEGMENT_IDENTITIES, model_id=model_id):
        assert identity["shared_customer_ratio"] == 1.0
        assert identity["predecessor_run_id"] == published.id_of("assign")

    split = copy(training=trained(seed=4, fewest_segments=4, kmeans_restarts=5))
    results = run_pipeline(split, as_of=AS_OF)

    after = segments_of(split, results[-2].stage_id)
    assert common_ids(after) == common_ids(before)
    assert set(after.values()) == {"S1", "S2", "S3", "S4"}

    newest = assign(split, as_of=AS_OF, model="newest")
    assert newest.was_done
    assert newest.stage_id == results[-2].stage_id


def test_a_job_of_another_process_finds_everything_done(copy: Reopened, tmp_path: Path) -> None:
    here = copy()
    before = versions(here.lake)
    config = tmp_path / "shop.yml"
    config.write_text(effective_yaml(here.settings), encoding="utf-8")
    words = ["--config", str(config), "--as-of", AS_OF.isoformat()]

    done = subprocess.run(
        [sys.executable, str(ROOT / "jobs" / "run_pipeline.py"), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stderr
    assert "inputs are unchanged: no table was changed" in done.stderr
    assert "Traceback" not in done.stderr
    assert versions(here.lake) == before
