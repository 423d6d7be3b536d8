from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segspark.segments.names import SegmentFigures, carry_names, character, segment_names

HIGH, MIDDLE, LOW = 4.5, 3.0, 1.5

scores = st.floats(min_value=1, max_value=5)
medians = st.fixed_dictionaries(
    {
        feature: st.one_of(st.just(0.0), st.floats(min_value=0, max_value=1e6))
        for feature in (
            "recency_days",
            "frequency_count",
            "monetary_amount",
            "average_order_amount",
            "tenure_days",
        )
    }
)
segment_sets = st.lists(st.tuples(scores, scores, scores, medians), min_size=1, max_size=9).map(
    lambda rows: [SegmentFigures(f"S{n}", *row) for n, row in enumerate(rows, start=1)]
)


def figures(
    segment_id: str, scores: tuple[float, float, float], **medians: float
) -> SegmentFigures:
    return SegmentFigures(segment_id, *scores, medians)


def test_every_level_of_recency_and_value_has_a_character_of_its_own() -> None:
    names = {
        character(figures("S1", (recency, value, value))).name
        for recency, value in product((HIGH, MIDDLE, LOW), repeat=2)
    }

    assert len(names) == 9


@given(scores, scores, scores)
def test_every_combination_of_scores_has_exactly_one_character(
    recency: float, frequency: float, monetary: float
) -> None:
    found = character(figures("S1", (recency, frequency, monetary)))

    assert found.name
    assert found.suggested_action
    assert found == character(figures("S9", (recency, frequency, monetary)))


@pytest.mark.parametrize(
    ("scores", "name"),
    [
        ((5, 5, 5), "Champions"),
        ((3.5, 3.5, 3.5), "Champions"),
        ((3.49, 5, 5), "Loyal customers"),
        ((2.5, 2.5, 2.5), "Need attention"),
        ((2.49, 5, 5), "At risk"),
        ((1, 1, 1), "Lost"),
        ((1, 3, 3), "Hibernating"),
        ((3, 1, 1), "About to sleep"),
        ((5, 3, 3), "Potential loyalists"),
    ],
)
def test_names_follow_the_numbers(scores: tuple[float, float, float], name: str) -> None:
    assert character(figures("S1", scores)).name == name


def test_value_is_the_mean_of_frequency_and_money() -> None:
    assert character(figures("S1", (HIGH, 5, 1))).name == "Potential loyalists"
    assert character(figures("S1", (HIGH, 1, 5))).name == "Potential loyalists"


@pytest.mark.parametrize(("tenure", "name"), [(90.0, "New customers"), (91.0, "Recent customers")])
def test_who_came_within_ninety_days_is_new(tenure: float, name: str) -> None:
    assert character(figures("S1", (HIGH, LOW, LOW), tenure_days=tenure)).name == name


@given(segment_sets)
def test_names_are_unique_for_any_set_of_segments(segments: list[SegmentFigures]) -> None:
    names = segment_names(segments)

    assert set(names) == {each.segment_id for each in segments}
    assert len(set(names.values())) == len(segments)


@given(segment_sets, st.randoms(use_true_random=False))
def test_names_do_not_depend_on_the_order_of_the_segments(
    segments: list[SegmentFigures], luck: object
) -> None:
    shuffled = list(segments)
    luck.shuffle(shuffled)  # type: ignore[attr-defined]

    assert segment_names(shuffled) == segment_names(segments)


@given(segment_sets)
def test_a_segment_without_a_twin_keeps_the_plain_name(segments: list[SegmentFigures]) -> None:
    names = segment_names(segments)
    kinds = [character(each).name for each in segments]

    for each, kind in zip(segments, kinds, strict=True):
        assert (names[each.segment_id] == kind) == (kinds.count(kind) == 1)


def test_twins_are_told_apart_by_what_differs_most_in_proportion() -> None:
    spenders = [
        figures("S1", (HIGH, HIGH, HIGH), monetary_amount=5000, frequency_count=11),
        figures("S2", (HIGH, HIGH, HIGH), monetary_amount=500, frequency_count=10),
    ]

    assert segment_names(spenders) == {
        "S1": "Champions, higher spend",
        "S2": "Champions, lower spend",
    }


def test_three_of_a_kind_carry_their_number() -> None:
    lost = [
        figures(f"S{n}", (LOW, LOW, LOW), recency_days=days)
        for n, days in ((1, 300), (2, 200), (3, 100))
    ]

    assert segment_names(lost) == {
        "S1": "Lost, last bought 300 days ago",
        "S2": "Lost, last bought 200 days ago",
        "S3": "Lost, last bought 100 days ago",
    }


def test_twins_that_no_number_tells_apart_carry_their_ids() -> None:
    same = [figures(segment_id, (LOW, LOW, LOW), recency_days=7) for segment_id in ("S4", "S9")]

    assert segment_names(same) == {"S4": "Lost, S4", "S9": "Lost, S9"}


def test_a_name_is_kept_across_trainings_while_the_character_stays() -> None:
    names = {"S1": "Champions, more orders", "S2": "At risk", "S3": "Champions, fewer orders"}
    before = {"S1": "Champions, higher spend", "S2": "Lost", "S9": "Hibernating"}

    assert carry_names(names, before) == {
        "S1": "Champions, higher spend",
        "S2": "At risk",
        "S3": "Champions, fewer orders",
    }


def test_a_name_that_another_segment_took_is_not_given_twice() -> None:
    names = {"S1": "Lost, more orders", "S2": "Lost, fewer orders"}
    assert carry_names(names, {"S1": "Lost, fewer orders"}) == names
