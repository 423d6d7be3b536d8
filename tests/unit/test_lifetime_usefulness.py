"""Out-of-time usefulness against scipy and loops that nobody would run on many customers."""

import numpy as np
import pytest
from scipy import stats

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import tenths
from segspark.lifetime.usefulness import DECILES, Usefulness, compare_usefulness
from tests.naive_usefulness import naive_area

RANDOM = np.random.default_rng(5)
COUNT = 400
PAST = np.round(RANDOM.lognormal(4, 1, COUNT), 2)
SEGMENTS = np.array(["few", "some", "many"])[np.digitize(PAST, (40, 90))]
CHANCE = np.array(["x", "y", "z"])[RANDOM.integers(0, 3, COUNT)]
KEPT = RANDOM.random(COUNT) < 1 / (1 + 60 / PAST)
LATER = np.where(KEPT, np.round(PAST * RANDOM.lognormal(0, 0.5, COUNT), 2), 0)


def judged(groups: np.ndarray, later: np.ndarray = LATER, past: np.ndarray = PAST) -> Usefulness:
    return compare_usefulness(
        {"segments": groups},
        past_amounts=past,
        later_amounts=later,
        later_counts=(later > 0).astype(int),
    )["segments"]


def beyond_chance(share: float, *, groups: int) -> float:
    """What is left of a share of variance that has nothing to do with chance."""
    return 1 - (1 - share) * (COUNT - 1) / (COUNT - groups)


def test_the_spend_ratio_is_the_adjusted_eta_squared_of_the_ranks_of_later_spend() -> None:
    ranks = stats.rankdata(LATER)
    groups = [ranks[name == SEGMENTS] for name in ("few", "some", "many")]
    between = sum(len(group) * (group.mean() - ranks.mean()) ** 2 for group in groups)

    found = judged(SEGMENTS).spend_ratio

    share = between / ((ranks - ranks.mean()) ** 2).sum()
    assert found == pytest.approx(beyond_chance(share, groups=3), abs=1e-12)


def test_gini_orders_customers_by_the_mean_past_spend_of_their_segment() -> None:
    means = {name: float(PAST[name == SEGMENTS].mean()) for name in np.unique(SEGMENTS)}
    scores = [means[name] for name in SEGMENTS]

    found = judged(SEGMENTS).gini

    expected = naive_area(scores, LATER.tolist()) / naive_area(LATER.tolist(), LATER.tolist())
    assert found == pytest.approx(expected, abs=1e-12)


def test_segments_whose_order_turns_round_have_a_gini_below_zero() -> None:
    found = judged(SEGMENTS, later=1 / PAST).gini

    assert found is not None
    assert found < -0.3


def test_retention_is_told_by_the_shares_of_customers_with_a_later_purchase() -> None:
    shares = [KEPT[name == SEGMENTS].mean() for name in ("few", "some", "many")]
    sizes = [len(KEPT[name == SEGMENTS]) for name in ("few", "some", "many")]
    between = sum(
        size * (share - KEPT.mean()) ** 2 for size, share in zip(sizes, shares, strict=True)
    )

    found = judged(SEGMENTS).retention_ratio

    share = between / COUNT / KEPT.var()
    assert found == pytest.approx(beyond_chance(share, groups=3), abs=1e-12)


def test_more_groups_of_chance_tell_no_more() -> None:
    random = np.random.default_rng(8)
    for groups in (3, 40):
        drawn = [judged(random.integers(0, groups, COUNT)).spend_ratio for _ in range(60)]
        assert np.mean([each for each in drawn if each is not None]) == pytest.approx(0, abs=0.005)


def test_segments_of_chance_are_of_little_use() -> None:
    by_chance, planted = judged(CHANCE), judged(SEGMENTS)

    assert by_chance.spend_ratio is not None
    assert planted.spend_ratio is not None
    assert by_chance.gini is not None
    assert by_chance.spend_ratio < 0.02
    assert planted.spend_ratio > 0.2
    assert abs(by_chance.gini) < 0.15


def test_all_divisions_are_of_the_same_customers_and_deciles_come_last() -> None:
    found = compare_usefulness(
        {"segments": SEGMENTS, "rfm": CHANCE.tolist()},
        past_amounts=PAST,
        later_amounts=LATER,
        later_counts=KEPT.astype(int),
    )

    assert list(found) == ["segments", "rfm", DECILES]
    assert [each.group_count for each in found.values()] == [3, 3, 10]
    assert found[DECILES] == judged(tenths(PAST))


def test_tenths_hold_as_many_each_and_equal_values_share_one() -> None:
    assert np.bincount(tenths(np.arange(100.0)))[1:].tolist() == [10] * 10
    assert set(tenths(np.array([5.0] * 95 + [9.0] * 5)).tolist()) == {1, 10}


def test_a_purchase_without_spend_keeps_a_customer() -> None:
    found = compare_usefulness(
        {"one": ["a", "b", "b"]},
        past_amounts=[1, 2, 2],
        later_amounts=[0, 0, 0],
        later_counts=[1, 0, 0],
    )["one"]

    assert found.retention_ratio == pytest.approx(1)
    assert (found.spend_ratio, found.gini) == (None, None)


def test_one_group_tells_nothing() -> None:
    found = judged(np.full(COUNT, "all"))

    assert (found.spend_ratio, found.retention_ratio) == (None, None)
    assert found.gini == pytest.approx(0)


def test_a_division_that_leaves_customers_out_is_refused() -> None:
    with pytest.raises(LifetimeError, match="segments divides 3 customers, and there are 400"):
        judged(SEGMENTS[:3])


def test_no_customers_cannot_be_judged() -> None:
    with pytest.raises(LifetimeError, match="no customers"):
        judged(np.array([], dtype=str), later=np.array([]), past=np.array([]))
