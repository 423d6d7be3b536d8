from hypothesis import given
from hypothesis import strategies as st

from segspark.segments.identity import Identity, match_identities


def ids_of(identities: dict[int, Identity]) -> dict[int, str]:
    return {cluster: identity.segment_id for cluster, identity in identities.items()}


def test_the_first_segments_are_numbered_from_the_most_valuable() -> None:
    found = match_identities([2, 0, 1], shared={}, used=[])

    assert ids_of(found) == {2: "S1", 0: "S2", 1: "S3"}
    assert all(identity.shared_customer_ratio is None for identity in found.values())


def test_the_same_customers_keep_their_ids_whatever_the_cluster_is_numbered() -> None:
    shared = {(2, "S1"): 40, (0, "S2"): 30, (1, "S3"): 30}

    found = match_identities([0, 1, 2], shared=shared, used=["S1", "S2", "S3"])

    assert found == {2: Identity("S1", 1.0), 0: Identity("S2", 1.0), 1: Identity("S3", 1.0)}


def test_the_matching_that_keeps_most_customers_wins_over_the_best_single_pair() -> None:
    """Taking the largest overlap first would keep 50 customers in place, not 90."""
    shared = {(0, "S1"): 50, (0, "S2"): 45, (1, "S1"): 45}

    found = match_identities([0, 1], shared=shared, used=["S1", "S2"])

    assert ids_of(found) == {0: "S2", 1: "S1"}


def test_a_few_who_move_leave_the_ids_in_place_and_lower_the_ratio() -> None:
    shared = {(0, "S1"): 45, (0, "S2"): 5, (1, "S2"): 45, (1, "S1"): 5}

    found = match_identities([0, 1], shared=shared, used=["S1", "S2"])

    assert found == {0: Identity("S1", 45 / 55), 1: Identity("S2", 45 / 55)}


def test_of_a_split_segment_the_larger_part_keeps_the_id_and_the_other_gets_a_new_one() -> None:
    shared = {(0, "S1"): 60, (1, "S1"): 40, (2, "S2"): 50}

    found = match_identities([0, 1, 2], shared=shared, used=["S1", "S2"])

    assert found == {
        0: Identity("S1", 0.6),
        1: Identity("S3", None),
        2: Identity("S2", 1.0),
    }


def test_a_merged_segment_takes_the_id_of_its_larger_part() -> None:
    shared = {(0, "S1"): 60, (0, "S2"): 40, (1, "S3"): 50}

    found = match_identities([0, 1], shared=shared, used=["S1", "S2", "S3"])

    assert ids_of(found) == {0: "S1", 1: "S3"}
    assert found[0].shared_customer_ratio == 0.6


def test_customers_nobody_knew_make_a_new_segment() -> None:
    found = match_identities([0, 1], shared={(0, "S1"): 50}, used=["S1"])

    assert found == {0: Identity("S1", 1.0), 1: Identity("S2", None)}


def test_an_overlap_below_a_third_is_no_identity() -> None:
    quarters = {(0, "S1"): 25, (0, "S2"): 25, (0, "S3"): 25, (0, "S4"): 25}

    found = match_identities([0], shared=quarters, used=["S1", "S2", "S3", "S4"])

    assert found == {0: Identity("S5", None)}


def test_an_overlap_of_a_third_is_one() -> None:
    thirds = {(0, "S1"): 20, (0, "S2"): 20, (0, "S3"): 20}

    found = match_identities([0], shared=thirds, used=["S1", "S2", "S3"])

    assert found[0].shared_customer_ratio == 1 / 3


def test_the_id_of_a_retired_segment_is_never_given_again() -> None:
    """S3 was retired long ago; the published run knows S1 and S2 only."""
    shared = {(0, "S1"): 50, (1, "S2"): 50}

    found = match_identities([0, 1, 2], shared=shared, used=["S1", "S2", "S3"])

    assert ids_of(found) == {0: "S1", 1: "S2", 2: "S4"}


def test_ids_are_counted_as_numbers_not_as_words() -> None:
    found = match_identities([0], shared={}, used=["S9", "S10"])

    assert ids_of(found) == {0: "S11"}


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 5), st.sampled_from(["S1", "S2", "S3", "S7"])),
        st.integers(0, 100),
    ),
    st.permutations(range(6)),
)
def test_ids_are_unique_and_either_carried_over_or_never_used(
    shared: dict[tuple[int, str], int], order: list[int]
) -> None:
    used = ["S1", "S2", "S3", "S7", "S9"]

    found = match_identities(order, shared=shared, used=used)

    assert set(found) == set(order)
    assert len(set(ids_of(found).values())) == len(order)
    for identity in found.values():
        is_new = identity.shared_customer_ratio is None
        assert (identity.segment_id not in used) == is_new
