"""The benchmark of samples tells how often they lead to the choice that all customers lead to."""

import json
import sys

import pytest
from scipy.stats import rankdata

from scripts.benchmarks.planted_customers import planted
from scripts.benchmarks.sample_choice import Choice, agreement, choose, main
from segspark.settings.training import (
    Algorithm,
    SelectionSettings,
    SweepSettings,
    TrainingSettings,
)

pytestmark = pytest.mark.usefixtures("one_thread")

QUICK = TrainingSettings(
    sweep=SweepSettings(algorithms=(Algorithm.KMEANS,), most_segments=6, kmeans_restarts=1),
    selection=SelectionSettings(
        structureless_draws=2, structureless_customers=300, stability_resamples=2
    ),
)
LARGEST = 500


@pytest.fixture(scope="module")
def of_four() -> Choice:
    points, _ = planted(LARGEST, 300, 200, 100, spread=0.7)
    return Choice(1.0, choose(points, QUICK))


@pytest.fixture(scope="module")
def of_three() -> Choice:
    points, _ = planted(LARGEST, 300, 200, spread=0.7)
    return Choice(0.5, choose(points, QUICK))


def test_planted_groups_are_chosen_by_all_their_customers(of_four: Choice) -> None:
    assert of_four.chosen.candidate_id == "kmeans-4"
    assert of_four.selection.has_natural_clusters
    stability = of_four.selection.chosen.stability
    assert stability is not None
    assert stability.mean == pytest.approx(1)


def test_a_choice_is_made_by_the_first_customers_alone() -> None:
    points, _ = planted(LARGEST, 300, 200, spread=0.7)

    found = Choice.of(points, QUICK, ratio=0.8)

    # The first 800 hold none of the third group.
    assert found.selection.chosen.evidence is not None
    assert sum(found.selection.chosen.evidence.cluster_sizes) == 800


def test_the_order_of_silhouettes_is_the_correlation_of_their_ranks(
    of_four: Choice, of_three: Choice
) -> None:
    ranks = [
        rankdata([row.silhouette for row in each.selection.rows]) for each in (of_four, of_three)
    ]
    differences = ranks[0] - ranks[1]
    count = len(differences)
    by_hand = 1 - 6 * (differences**2).sum() / (count * (count**2 - 1))

    assert of_three.silhouette_order(of_four) == pytest.approx(by_hand)
    assert of_three.silhouette_order(of_three) == pytest.approx(1)
    assert by_hand < 1


def test_draws_count_where_the_sample_leads_to_the_same_choice(
    of_four: Choice, of_three: Choice
) -> None:
    half_of_four = Choice(0.5, of_four.selection)

    found = agreement([(of_four, half_of_four), (of_four, of_three), (of_four, half_of_four)])

    assert found == {"50%": {"candidate": 2, "segment_count": 2, "natural_clusters": 3}}


def test_the_last_line_counts_each_kind_and_ratio(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--customers", "2000", "--ratios", "0.5", "--seeds", "1", "--kinds", "continuum"]
    monkeypatch.setattr(sys, "argv", ["sample_choice", *options])

    assert main() == 0

    *lines, last = capsys.readouterr().out.splitlines()
    told = json.loads(last)
    assert (told["customers"], told["seeds"]) == (2000, 1)
    assert set(told["continuum"]) == {"50%"}
    assert sum(line.startswith("| continuum | 1 |") for line in lines) == 2


@pytest.mark.parametrize(
    ("ratio", "sentence"),
    [
        ("5", "--ratios are above 0 and below 1"),
        ("0.001", "--ratios leave 20 of the customers or more"),
    ],
)
def test_a_ratio_that_is_no_share_or_leaves_too_few_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ratio: str, sentence: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["sample_choice", "--customers", "2000", "--ratios", ratio])

    with pytest.raises(SystemExit):
        main()

    assert sentence in capsys.readouterr().err


def test_candidates_with_more_segments_than_customers_are_left_out() -> None:
    points, _ = planted(3, 2, spread=0.7)

    found = choose(points, QUICK)

    assert [row.candidate_id for row in found.rows] == ["kmeans-3", "kmeans-4", "kmeans-5"]
