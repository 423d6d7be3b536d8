import pickle
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from segspark.lifetime.arrays import Floats
from segspark.lifetime.bg_nbd import BgNbd
from segspark.lifetime.churn_methods import (
    OwnChurn,
    SeenCustomers,
    learn_recalibration,
    learn_recency_rate,
    learn_trees,
)
from segspark.lifetime.pareto_nbd import ParetoNbd
from tests.lifetimes import histories, simulated

TRUE = BgNbd(0.8, 30.0, 0.7, 2.0)
OWN = OwnChurn(TRUE, 60.0)


def customers(rows: int = 4_000, *, seed: int = 1) -> SeenCustomers:
    """As BG/NBD tells it, with a feature that says nothing and recency with gaps."""
    draw = np.random.default_rng(seed)
    seen = simulated(TRUE, np.round(draw.uniform(30.0, 300.0, rows)), seed=seed)
    recency = np.where(draw.random(rows) < 0.1, np.nan, seen.ages - seen.last_repeat_times)
    return SeenCustomers(seen, np.column_stack([draw.random(rows), recency, seen.repeat_counts]))


def churned(probabilities: Floats, *, seed: int = 2) -> Floats:
    draws = np.random.default_rng(seed).random(len(probabilities))
    return (draws < probabilities).astype(np.float64)


def test_a_models_own_churn_is_the_probability_to_buy_nothing() -> None:
    rows = SeenCustomers(histories((0, 0, 0), (0, 0, 5000), (9, 80, 90)), np.empty((3, 0)))
    found = OWN.probabilities(rows)
    np.testing.assert_allclose(found, 1.0 - TRUE.purchase_probabilities(rows.histories, 60.0))
    assert ((found >= 0.0) & (found <= 1.0)).all()


def test_recalibration_finds_how_far_off_a_model_is() -> None:
    seen = customers(40_000)
    truth = churned(expit(0.7 + 0.5 * logit(OWN.probabilities(seen))))
    found = learn_recalibration(OWN, [(OWN, seen, truth)])
    assert (found.intercept, found.slope) == pytest.approx((0.7, 0.5), abs=0.05)
    plain = LogisticRegression(C=1e9, tol=1e-10).fit(
        logit(OWN.probabilities(seen)).reshape(-1, 1), truth
    )
    assert found.slope == pytest.approx(plain.coef_[0, 0], abs=1e-3)
    assert found.probabilities(seen).mean() == pytest.approx(truth.mean(), abs=1e-3)


def test_each_past_day_is_forecast_by_the_model_of_that_day() -> None:
    seen = customers(20_000)
    other = OwnChurn(ParetoNbd(0.5, 10.0, 0.6, 12.0), 60.0)
    truth = churned(other.probabilities(seen))
    found = learn_recalibration(OWN, [(other, seen, truth)])
    assert (found.intercept, found.slope) == pytest.approx((0.0, 1.0), abs=0.1)
    assert found.own is OWN


def test_a_past_where_all_churned_recalibrates_to_less_than_certainty() -> None:
    seen = customers(50)
    found = learn_recalibration(OWN, [(OWN, seen, np.ones(50))])
    assert max(abs(found.intercept), abs(found.slope)) < 5.0
    assert (found.probabilities(seen) < 1.0).all()


def test_the_rate_by_recency_never_falls_and_knows_no_certainty() -> None:
    seen = customers()
    truth = churned(OWN.probabilities(seen))
    rate = learn_recency_rate(seen, truth)
    recency = seen.histories.ages - seen.histories.last_repeat_times
    found = rate.probabilities(seen)[np.argsort(recency)]
    assert (np.diff(found) >= 0.0).all()
    assert found.mean() == pytest.approx(truth.mean(), abs=0.01)
    assert found.max() <= 1.0 - 0.5 / 4_000
    assert found.min() >= 0.5 / 4_000
    far = SeenCustomers(histories((0, 0, 9e6)), np.empty((1, 0)))
    assert rate.probabilities(far)[0] == pytest.approx(found[-1])


def test_trees_find_what_features_say_where_some_are_missing() -> None:
    seen, later = customers(), customers(seed=5)
    truth = churned(OWN.probabilities(seen))
    trees = learn_trees(seen, truth, feature_names=["noise", "recency", "repeats"])
    outcome = churned(OWN.probabilities(later), seed=6)
    error = float(np.square(trees.probabilities(later) - outcome).mean())
    best = float(np.square(OWN.probabilities(later) - outcome).mean())
    base = float(outcome.mean() * (1.0 - outcome.mean()))
    assert best < error < best + 0.25 * (base - best)
    assert (
        trees.probabilities(replace(later, histories=histories(), features=np.empty((0, 3)))).size
        == 0
    )


def test_a_feature_that_nobody_has_is_not_learnt_from() -> None:
    seen = customers()
    truth = churned(OWN.probabilities(seen))
    names = ["noise", "recency", "repeats", "trend"]
    nobody = np.full((len(seen), 1), np.nan)
    wide = replace(seen, features=np.hstack([seen.features, nobody]))
    trees = learn_trees(wide, truth, feature_names=names)
    assert trees.described()["features"] == names[:3]
    somebody = replace(seen, features=np.hstack([seen.features, nobody + 1]))
    plain = learn_trees(seen, truth, feature_names=names[:3])
    assert (trees.probabilities(somebody) == plain.probabilities(seen)).all()


def test_trees_are_the_same_each_time_and_a_row_does_not_depend_on_the_others() -> None:
    seen = customers()
    truth = churned(OWN.probabilities(seen))
    first, again = (learn_trees(seen, truth, feature_names=["a", "b", "c"]) for _ in range(2))
    whole = first.probabilities(seen)
    assert (whole == again.probabilities(seen)).all()
    one = SeenCustomers(histories((0, 0, 1)), seen.features[7:8])
    assert first.probabilities(one)[0] == whole[7]
    sent = pickle.loads(pickle.dumps(first))  # noqa: S301 - our own
    assert (sent.probabilities(seen) == whole).all()
    assert sent.described()["features"] == ["a", "b", "c"]
