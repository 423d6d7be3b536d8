"""An isolation forest gives scikit-learn's scores, from plain numbers."""

import json

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest as Estimator

from segspark.clustering.isolation import grow_forest, usual_path_length
from segspark.model.isolation_forest import IsolationForest
from segspark.model.scores import CACHED_ROWS, Floats

SEED = 5


def customers(rows: int, width: int) -> Floats:
    values = np.random.default_rng(rows).normal(size=(rows, width))
    # Equal values, so that some branches end early with several customers.
    values[: rows // 2] = np.round(values[: rows // 2], 1)
    return values


@pytest.mark.parametrize(("rows", "width"), [(2, 3), (3, 1), (40, 2), (3000, 4), (1000, 1)])
def test_scores_are_scikit_learns(rows: int, width: int) -> None:
    sample = customers(rows, width)
    theirs = Estimator(n_estimators=25, max_samples=min(256, rows), random_state=SEED).fit(sample)
    scored = np.concatenate([sample, customers(CACHED_ROWS + 7, width) * 3])

    found = grow_forest(sample, trees=25, seed=SEED).scores(scored)

    np.testing.assert_allclose(found, -theirs.score_samples(scored), rtol=1e-12)


def test_equal_customers_are_all_alike() -> None:
    found = grow_forest(np.ones((50, 2)), trees=10, seed=SEED).scores(np.ones((3, 2)))

    np.testing.assert_allclose(found, 0.5, rtol=1e-12)


def test_values_are_compared_in_32_bits_as_the_trees_were_grown() -> None:
    cut = np.array([[1.0]])
    forest = IsolationForest(np.array([[0]]), cut, np.array([[1.0, 3.0]]), usual_path_length=2.0)

    found = forest.scores(np.array([[1.0 + 1e-9], [1.0 + 1e-6]]))

    np.testing.assert_allclose(found, [2**-0.5, 2**-1.5], rtol=1e-12)


def test_no_points_have_no_scores() -> None:
    forest = grow_forest(customers(40, 2), trees=10, seed=SEED)

    assert forest.scores(np.empty((0, 2))).shape == (0,)


def test_a_forest_comes_back_from_json_bit_for_bit() -> None:
    forest, scored = grow_forest(customers(300, 3), trees=10, seed=SEED), customers(100, 3)

    again = IsolationForest.from_dict(json.loads(json.dumps(forest.to_dict(), allow_nan=False)))

    np.testing.assert_array_equal(again.scores(scored), forest.scores(scored))


def test_the_usual_path_is_the_one_of_a_random_search_tree() -> None:
    generator = np.random.default_rng(2)
    depths = [_mean_external_depth(generator.permutation(20)) for _ in range(2000)]

    # The formula takes the harmonic number by its approximation, which is 0.05 less here.
    assert usual_path_length(20) == pytest.approx(np.mean(depths), rel=0.02)
    assert [usual_path_length(few) for few in (1, 2)] == [0.0, 1.0]


def _mean_external_depth(keys: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float:
    """Mean depth of the ends of a search tree of all but one of the keys, by splitting them."""

    def total(own: list[int], depth: int) -> int:
        if not own:
            return depth
        first, rest = own[0], own[1:]
        below = [key for key in rest if key < first]
        return total(below, depth + 1) + total([k for k in rest if k > first], depth + 1)

    return total(keys[:-1].tolist(), 0) / len(keys)
