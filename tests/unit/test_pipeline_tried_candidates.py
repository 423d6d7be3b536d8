"""What a training with a search writes down: a row for each trial, figures for what went on."""

import csv
import json
from dataclasses import replace
from datetime import date
from io import StringIO
from typing import Any, cast

import numpy as np
import pytest
from pyspark.sql import DataFrame

from segspark.clustering import sweep
from segspark.clustering.engine import candidates_of
from segspark.clustering.out_of_time import OutOfTime
from segspark.clustering.results import gain_of
from segspark.clustering.search import search_candidates
from segspark.clustering.sweep import run_sweep
from segspark.clustering.vector_fit import VectorFit
from segspark.lifetime.usefulness import Usefulness
from segspark.model.vector import FeatureVector, ValueRule, VectorColumn
from segspark.pipeline.training_plan import TrainingPlan
from segspark.pipeline.training_report import report_of
from segspark.pipeline.tried_candidates import Trained
from segspark.settings.training import TrainingSettings
from segspark.tables.segments import SEGMENT_CANDIDATES
from segspark.tables.usefulness import SEGMENT_USEFULNESS
from tests.point_blocks import held_in_memory
from tests.searching import SELECTION, SWEEP, blobs, noise

pytestmark = pytest.mark.usefixtures("one_thread", "points_in_memory")

SAMPLES = {"behaviour": noise(800), "rfm_log": blobs(800)}
VECTOR = FeatureVector((VectorColumn(ValueRule("recency_days"), 0.0, 6.0, 3.0, 1.5),))


@pytest.fixture(scope="module")
def points_in_memory() -> Any:  # noqa: ANN401 - an iterator without a name
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep, "point_blocks", held_in_memory)
        yield


def trained(*, is_searched: bool) -> Trained:
    search = {"recipes": ["behaviour", "rfm_log"], "trials": 25, "kept_candidates": 3}
    settings = TrainingSettings.model_validate(
        {"sweep": SWEEP, "selection": SELECTION, "search": search if is_searched else None}
    )
    found = None
    if settings.search is not None:
        found = search_candidates(SAMPLES, settings.search, settings, progress=lambda _: None)
    candidates = candidates_of(SWEEP) if found is None else found.candidates
    vector = settings.vectors[-1]
    assert vector.recipe == "rfm_log"
    points = cast("DataFrame", SAMPLES["rfm_log"])
    plan = TrainingPlan(vector, VECTOR.rules, VectorFit(VECTOR, ()), candidates, found)
    return Trained(plan, run_sweep(points, plan.sweep, settings, progress=lambda _: None))


@pytest.fixture(scope="module")
def searched(one_thread: None, points_in_memory: None) -> Trained:  # noqa: ARG001 - set up before
    return trained(is_searched=True)


def test_every_trial_is_a_row_with_an_id_of_its_own_and_a_reason(searched: Trained) -> None:
    search, tried = searched.plan.search, searched.tried
    assert search is not None

    assert len(tried) == len({each.candidate_id for each in tried}) == len(search.trials) == 25
    assert {(each.recipe, each.candidate) for each in tried} == {
        (each.proposal.recipe, each.proposal.candidate) for each in search.trials
    }
    assert all(each.row.reason for each in tried)
    assert any(each.row.reason.startswith("pruned after 500 customers") for each in tried)
    assert {each.candidate_id.split("-")[0] for each in tried if each.recipe == "behaviour"} == {
        "behaviour"
    }
    assert sum(each.row.is_chosen for each in tried) == 1
    gains = {each.proposal: gain_of(each.row) for each in search.trials}
    for trial in search.trials:
        name = trial.proposal.candidate.candidate_id
        name = name if trial.proposal.recipe == "rfm_log" else trial.proposal.name
        (row,) = (each for each in tried if each.candidate_id == name)
        assert row.search_gain == gains[trial.proposal]


def test_only_what_was_kept_is_fitted_to_all_customers_and_has_figures(searched: Trained) -> None:
    search = searched.plan.search
    assert search is not None

    fitted = [each for each in searched.tried if each.row.fitted.clusters is not None]

    assert [each.candidate for each in fitted] == search.candidates
    assert len(fitted) == 3
    assert [row.candidate for row in searched.sweep.selection.rows] == search.candidates
    for each in searched.tried[3:]:
        figures = {name for name, value in each.figures.items() if value is not None}
        assert figures == {"search_gain"}
        assert each.row.fitted.seconds > 0
        assert not each.row.is_chosen
        assert each.row.is_elbow is None
    assert {each.row.is_elbow for each in searched.tried[:3]} <= {False, True}
    assert searched.verdict == f"{searched.sweep.selection.verdict} {search.told}"


def test_without_a_search_the_sweep_is_all_that_was_tried() -> None:
    found = trained(is_searched=False)

    assert [each.row for each in found.tried] == list(found.sweep.selection.rows)
    assert {(each.recipe, each.search_gain) for each in found.tried} == {("rfm_log", None)}
    assert found.verdict == found.sweep.selection.verdict


def test_the_stability_of_each_segment_is_in_the_rows_in_the_order_of_the_clusters(
    searched: Trained,
) -> None:
    place = SEGMENT_CANDIDATES.schema.names.index("segment_stability_jaccards")

    found = [row[place] for row in searched.rows("training-1")]

    for jaccards, each in zip(found, searched.tried, strict=True):
        stability = each.row.stability
        assert jaccards == (list(stability.jaccards) if stability else None)
    assert any(jaccards is not None for jaccards in found)


def looked_back(searched: Trained) -> Trained:
    """The training with two of its three candidates fitted on a past day, and two baselines."""
    selection = searched.sweep.selection
    told = [Usefulness(4, 0.3, 0.5, 0.1), None, Usefulness(3, 0.2, None, None)]
    rows = tuple(
        replace(row, usefulness=each) for row, each in zip(selection.rows, told, strict=True)
    )
    sweep = replace(searched.sweep, selection=replace(selection, rows=rows))
    baselines = {"named RFM": Usefulness(10, 0.4, 0.6, 0.2), "deciles": Usefulness(9, 0.1, 0.1, 0)}
    past = OutOfTime(date(2017, 10, 2), 90, 77, np.ones((0, 1)), {}, {}, baselines)
    return replace(searched, sweep=sweep, past=past)


def test_what_divisions_of_a_past_day_told_is_a_table_and_a_file_of_the_report(
    searched: Trained,
) -> None:
    looked = looked_back(searched)
    first, _, last = looked.sweep.selection.rows

    rows = looked.tables("training-1")[SEGMENT_USEFULNESS]

    assert rows == [
        ("training-1", name, is_baseline, is_chosen, date(2017, 10, 2), 90, 77, count, *figures)
        for name, is_baseline, is_chosen, count, figures in (
            (first.candidate_id, False, first.is_chosen, 4, (0.3, 0.5, 0.1)),
            (last.candidate_id, False, last.is_chosen, 3, (0.2, None, None)),
            ("named RFM", True, False, 10, (0.4, 0.6, 0.2)),
            ("deciles", True, False, 9, (0.1, 0.1, 0)),
        )
    ]
    lines = list(csv.DictReader(StringIO(report_of(looked, "training-1")["usefulness.csv"])))
    assert [line["division"] for line in lines] == [row[1] for row in rows]
    assert [line["usefulness_gini_ratio"] for line in lines] == ["0.5", "", "0.6", "0.1"]
    assert SEGMENT_USEFULNESS not in searched.tables("training-1")
    assert "usefulness.csv" not in report_of(searched, "training-1")


def test_the_report_holds_the_verdict_and_a_line_with_the_figures_of_each_trial(
    searched: Trained,
) -> None:
    report = report_of(searched, "training-1")

    lines = list(csv.DictReader(StringIO(report["candidates.csv"])))
    assert report["verdict.txt"].strip() == searched.verdict
    assert {line["training_id"] for line in lines} == {"training-1"}
    assert sum(line["is_plain_maximum"] == "True" for line in lines) == 1
    for line, each in zip(lines, searched.tried, strict=True):
        assert line["candidate_id"] == each.candidate_id
        assert line["reason"] == each.row.reason
        for name, value in each.figures.items():
            assert (float(line[name]) if line[name] else None) == value


def test_a_segment_that_no_resample_drew_is_a_null_in_the_list_of_the_report(
    searched: Trained,
) -> None:
    selection = searched.sweep.selection
    stability = next(row.stability for row in selection.rows if row.stability)
    undrawn = replace(stability, jaccards=(None, 0.25))
    rows = tuple(replace(row, stability=undrawn) for row in selection.rows)
    sweep_of_these = replace(searched.sweep, selection=replace(selection, rows=rows))

    report = report_of(replace(searched, sweep=sweep_of_these), "training-1")

    line = next(csv.DictReader(StringIO(report["candidates.csv"])))
    assert json.loads(line["segment_stability_jaccards"]) == [None, 0.25]
