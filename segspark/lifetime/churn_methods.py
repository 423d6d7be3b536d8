"""Ways to forecast churn: a purchase model's own, recency, boosted trees, and recalibrated ones."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar, Protocol

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.isotonic import IsotonicRegression
from threadpoolctl import threadpool_limits

from segspark.lifetime.arrays import Floats, Indices
from segspark.lifetime.fitted import AnyPurchaseModel
from segspark.lifetime.histories import PurchaseHistories

_LEAST_PROBABILITY = 1e-6
_PULL = 1.0
"""Of a recalibration towards none, so that a few customers cannot drive it to 0 or 1."""
_TREE_SETTINGS = {
    "max_iter": 150,
    "learning_rate": 0.05,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 20,
    "l2_regularization": 1.0,
}


@dataclass(frozen=True, eq=False)
class SeenCustomers:
    """Customers as of a day.

    Attributes:
        histories: x, t_x and T in days of one customer each, shape (n,).
        features: Feature columns as of the same day, shape (n, k); NaN where there is none.
    """

    histories: PurchaseHistories
    features: Floats

    def __len__(self) -> int:
        return len(self.histories)

    def at(self, rows: Indices) -> "SeenCustomers":
        """The customers of these rows."""
        seen = self.histories
        columns = (seen.repeat_counts, seen.last_repeat_times, seen.ages, seen.customer_counts)
        kept = PurchaseHistories(*(column[rows] for column in columns))
        return SeenCustomers(kept, self.features[rows])


class ChurnForecaster(Protocol):
    """Says how probable it is that customers buy nothing; small, and free of customers."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Columns of `SeenCustomers.features` that it asks for, in order; most ask for none."""
        ...

    def probabilities(self, customers: SeenCustomers) -> Floats:
        """Probability to churn, from 0 to 1, shape (n,); a row does not depend on other rows."""
        ...

    def described(self) -> dict[str, object]:
        """What it has learnt, for people: names and plain values."""
        ...


@dataclass(frozen=True, slots=True)
class OwnChurn:
    """The probability that a purchase model itself gives.

    Attributes:
        model: Fitted in days.
        days: Who buys nothing for so long has churned.
    """

    feature_names: ClassVar[tuple[str, ...]] = ()
    model: AnyPurchaseModel
    days: float

    def probabilities(self, customers: SeenCustomers) -> Floats:
        bought = self.model.purchase_probabilities(customers.histories, self.days)
        return np.clip(1.0 - bought, 0.0, 1.0)

    def described(self) -> dict[str, object]:
        return asdict(self.model)


@dataclass(frozen=True, slots=True)
class RecalibratedChurn:
    """A forecast put right on the logistic scale: intercept + slope * logit of the probability.

    Platt 1999, "Probabilistic outputs for support vector machines"; the order of customers stays.

    Attributes:
        own: What is recalibrated.
        intercept: 0 where nothing is to be mended.
        slope: 1 where nothing is to be mended.
    """

    own: ChurnForecaster
    intercept: float
    slope: float

    @property
    def feature_names(self) -> tuple[str, ...]:
        return self.own.feature_names

    def probabilities(self, customers: SeenCustomers) -> Floats:
        found: Floats = expit(self.intercept + self.slope * _log_odds(self.own, customers))
        return found

    def described(self) -> dict[str, object]:
        return {**self.own.described(), "intercept": self.intercept, "slope": self.slope}


@dataclass(frozen=True, slots=True, eq=False)
class RecencyRate:
    """The share that churned, by days since the last purchase alone; it never falls with them.

    Attributes:
        recency_days: Where the share is known, ascending; between them it is a straight line.
        shares: The share there.
    """

    feature_names: ClassVar[tuple[str, ...]] = ()
    recency_days: Floats
    shares: Floats

    def probabilities(self, customers: SeenCustomers) -> Floats:
        return np.interp(_recency(customers), self.recency_days, self.shares)

    def described(self) -> dict[str, object]:
        return {"recency_days": self.recency_days.tolist(), "shares": self.shares.tolist()}


@dataclass(frozen=True, slots=True, eq=False)
class BoostedTrees:
    """Gradient-boosted trees on the feature columns, by scikit-learn.

    Attributes:
        classifier: Fitted to 0 and 1.
        feature_names: In the order of the columns.
        learnt_columns: Those that somebody had a value in when it was fitted; others say nothing.
    """

    classifier: HistGradientBoostingClassifier
    feature_names: tuple[str, ...]
    learnt_columns: Indices

    def probabilities(self, customers: SeenCustomers) -> Floats:
        if not len(customers):
            return np.zeros(0)
        # Spark has a process for each core already.
        with threadpool_limits(limits=1):
            both: Floats = self.classifier.predict_proba(customers.features[:, self.learnt_columns])
        return both[:, 1]

    def described(self) -> dict[str, object]:
        learnt = [self.feature_names[column] for column in self.learnt_columns]
        return {**_TREE_SETTINGS, "features": learnt}


def learn_recalibration(
    own: ChurnForecaster, past: Sequence[tuple[ChurnForecaster, SeenCustomers, Floats]]
) -> RecalibratedChurn:
    """Learn how far off the same forecast was on customers that it had not learnt from.

    Args:
        own: The forecast of now, to be recalibrated.
        past: The forecast of then, customers of then, and 1 for who churned.
    """
    scores = np.concatenate([_log_odds(then, customers) for then, customers, _ in past])
    truth = np.concatenate([has_churned for _, _, has_churned in past])
    rows = np.column_stack([np.ones(len(scores)), scores])
    none = np.array([0.0, 1.0])

    def loss(point: Floats) -> float:
        values = rows @ point
        likelihood = truth @ log_expit(values) + (1.0 - truth) @ log_expit(-values)
        return float(_PULL * np.square(point - none).sum() / 2.0 - likelihood)

    def gradient(point: Floats) -> Floats:
        found: Floats = rows.T @ (expit(rows @ point) - truth) + _PULL * (point - none)
        return found

    def curvature(point: Floats) -> Floats:
        share = expit(rows @ point)
        found: Floats = (rows.T * (share * (1.0 - share))) @ rows + _PULL * np.eye(2)
        return found

    top = minimize(loss, none, jac=gradient, hess=curvature, method="trust-exact")
    return RecalibratedChurn(own, float(top.x[0]), float(top.x[1]))


def learn_recency_rate(customers: SeenCustomers, has_churned: Floats) -> RecencyRate:
    """Isotonic regression of 1 for churned on recency; a share is never quite 0 or 1."""
    edge = 0.5 / len(has_churned)
    regression = IsotonicRegression(y_min=edge, y_max=1.0 - edge, out_of_bounds="clip")
    regression.fit(_recency(customers), has_churned)
    return RecencyRate(
        np.asarray(regression.X_thresholds_, dtype=np.float64),
        np.asarray(regression.y_thresholds_, dtype=np.float64),
    )


def learn_trees(
    customers: SeenCustomers, has_churned: Floats, *, feature_names: Sequence[str]
) -> BoostedTrees:
    """Fit boosted trees to 1 for churned; without chance and on one thread, so always the same."""
    classifier = HistGradientBoostingClassifier(
        **_TREE_SETTINGS, early_stopping=False, random_state=0
    )
    # scikit-learn fails on a column without any value.
    learnt = np.flatnonzero(~np.isnan(customers.features).all(axis=0))
    with threadpool_limits(limits=1):
        classifier.fit(customers.features[:, learnt], has_churned)
    return BoostedTrees(classifier, tuple(feature_names), learnt)


def _log_odds(own: ChurnForecaster, customers: SeenCustomers) -> Floats:
    inside = np.clip(own.probabilities(customers), _LEAST_PROBABILITY, 1.0 - _LEAST_PROBABILITY)
    found: Floats = logit(inside)
    return found


def _recency(customers: SeenCustomers) -> Floats:
    rows = customers.histories
    return rows.ages - rows.last_repeat_times
