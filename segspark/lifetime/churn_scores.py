"""How good a probability to churn was: scores of a whole hold-out, and a reliability table."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats, checked_columns, refuse_rows, tenths
from segspark.lifetime.intervals import WITHIN_DEVIATIONS

_LEAST_PROBABILITY = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class ChurnScores:
    """Scores of one forecast.

    Attributes:
        predicted_mean: Mean probability.
        observed_share: Share that churned: the base rate.
        brier_score: Mean squared difference of probability and outcome; 0 is best.
        log_loss: Mean negative logarithm of the probability of what happened.
        auc: Probability that one who churned was given more than one who did not, ties by half;
            None where all did the same.
        brier_skill: 1 as the outcome itself, 0 as the base rate for everybody, below 0 worse; None
            as above.
    """

    predicted_mean: float
    observed_share: float
    brier_score: float
    log_loss: float
    auc: float | None
    brier_skill: float | None


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Customers of similar probabilities.

    Attributes:
        number: 1 for the lowest probabilities, at most 10.
        customer_count: How many.
        lowest: Smallest probability among them.
        highest: Largest probability among them.
        predicted_mean: Mean probability.
        observed_share: Share that churned.
        observed_lower: Lower end of its interval.
        observed_upper: Upper end of its interval.
    """

    number: int
    customer_count: int
    lowest: float
    highest: float
    predicted_mean: float
    observed_share: float
    observed_lower: float
    observed_upper: float


def score_probabilities(predicted: ArrayLike, has_churned: ArrayLike) -> ChurnScores:
    """Score one probability per customer against 1 for churned and 0 for not.

    Raises:
        LifetimeError: The lists differ in length or hold anything else, or there are no customers.
    """
    guess, truth = _checked(predicted, has_churned)
    base_rate = float(truth.mean())
    brier = float(np.square(guess - truth).mean())
    chance = base_rate * (1.0 - base_rate)
    inside = np.clip(guess, _LEAST_PROBABILITY, 1.0 - _LEAST_PROBABILITY)
    happened = np.where(truth == 1.0, inside, 1.0 - inside)
    return ChurnScores(
        predicted_mean=float(guess.mean()),
        observed_share=base_rate,
        brier_score=brier,
        log_loss=float(-np.log(happened).mean()),
        auc=_auc(guess, truth) if chance > 0.0 else None,
        brier_skill=1.0 - brier / chance if chance > 0.0 else None,
    )


def reliability(predicted: ArrayLike, has_churned: ArrayLike) -> list[ReliabilityBin]:
    """Forecast and outcome in bins of about equal count; equal probabilities share a bin.

    Raises:
        LifetimeError: As of `score_probabilities`.
    """
    guess, truth = _checked(predicted, has_churned)
    numbers = tenths(guess)
    return [
        _bin(int(number), guess[numbers == number], truth[numbers == number])
        for number in np.unique(numbers)
    ]


def share_interval(share: float, customer_count: int) -> tuple[float, float]:
    """Wilson's interval of a share at 90 %, within 0 and 1."""
    z = WITHIN_DEVIATIONS
    spread = z * np.sqrt(share * (1.0 - share) / customer_count + (z / customer_count / 2.0) ** 2)
    middle, scale = share + z * z / customer_count / 2.0, 1.0 + z * z / customer_count
    lower, upper = (middle - spread) / scale, (middle + spread) / scale
    return max(0.0, float(lower)), min(1.0, float(upper))


def _bin(number: int, guess: Floats, truth: Floats) -> ReliabilityBin:
    observed = float(truth.mean())
    lower, upper = share_interval(observed, len(truth))
    return ReliabilityBin(
        number=number,
        customer_count=len(truth),
        lowest=float(guess.min()),
        highest=float(guess.max()),
        predicted_mean=float(guess.mean()),
        observed_share=observed,
        observed_lower=lower,
        observed_upper=upper,
    )


def _auc(guess: Floats, truth: Floats) -> float:
    churned = float(truth.sum())
    places = float(rankdata(guess)[truth == 1.0].sum())
    return (places - churned * (churned + 1.0) / 2.0) / (churned * (len(truth) - churned))


def _checked(predicted: ArrayLike, has_churned: ArrayLike) -> tuple[Floats, Floats]:
    guess, truth = checked_columns({"probabilities": predicted, "outcomes": has_churned})
    if not len(truth):
        raise LifetimeError("a forecast of no customers cannot be scored")
    columns = {"probability": guess, "outcome": truth}
    refuse_rows((guess < 0.0) | (guess > 1.0), "a probability must be from 0 to 1", columns)
    refuse_rows((truth != 0.0) & (truth != 1.0), "an outcome must be 0 or 1", columns)
    return guess, truth
