"""Purchases until a beta-geometric customer drops out: one expectation, two ways to compute it."""

import numpy as np
from scipy.special import betaincinv, betaln, hyp2f1

from segspark.lifetime.arrays import CHUNK_ROWS, Floats

_LEAST_DIFFERENCE = 1e-4
"""A difference of 1 and the series below this has lost too many digits; at a = 1 it is 0."""
_STEPS = 200
_TAIL = 1e-22
_LEAST_SCALED = 1e-14
_BELOW_ONE = 1.0 - 1e-15


def expected_until_drop_out(shape: Floats, a: float, b: Floats, span: Floats) -> Floats:
    """E[(1 - (1 + p z)^-n) / p] with p ~ Beta(a, b).

    That is the expected number of purchases in a horizon t of a customer who buys at a rate
    ~ Gamma(n, alpha + T) and drops out after each purchase with probability p; z = t / (alpha + T).
    With c = a + b - 1 it equals c / (a - 1) (1 - (1 + z)^-n 2F1(n, b; c; z / (1 + z))): Fader,
    Hardie & Lee 2005, Marketing Science 24(2), eq. 10. The same function with the argument -z
    (Pfaff's transformation) is not used: SciPy has it wrong without a sign from z = 2 on.

    Args:
        shape: n, shape (k,), positive.
        a: Positive; may be 1, where the closed form has a removable singularity.
        b: Shape (k,), positive.
        span: z, shape (k,), at least 0.

    Returns:
        Shape (k,), within [0, n z]. Where the closed form fails, by integration.
    """
    ceiling = shape * span
    found = _closed_form(shape, a, b, span)
    # The closed form may be above the ceiling by rounding alone.
    fits = np.isfinite(found) & (found >= 0.0) & (found <= ceiling * (1.0 + 1e-9))
    failed = np.flatnonzero(~fits)
    for start in range(0, len(failed), CHUNK_ROWS):
        rows = failed[start : start + CHUNK_ROWS]
        found[rows] = _integral(shape[rows], a, b[rows], span[rows])
    return np.asarray(np.clip(found, 0.0, ceiling))


def _closed_form(shape: Floats, a: float, b: Floats, span: Floats) -> Floats:
    """NaN where digits cancel."""
    c = a + b - 1.0
    with np.errstate(all="ignore"):
        series = hyp2f1(shape, b, c, span / (1.0 + span))
        difference = 1.0 - np.exp(-shape * np.log1p(span)) * series
        found: Floats = c / (a - 1.0) * difference
    return np.where(np.abs(difference) < _LEAST_DIFFERENCE, np.nan, found)


def _integral(shape: Floats, a: float, b: Floats, span: Floats) -> Floats:
    """The expectation by the trapezoidal rule in the logit of p.

    Two terms with known expectations are taken out first, n z (1 - p)^m, which is the integrand
    at p = 0, and f(1) p^2, which is that at p = 1. What is left vanishes at both ends, so a and b
    may be as small as they like; and the rule converges geometrically on it (Trefethen &
    Weideman 2014, SIAM Review 56(3), section 5).
    """
    at_zero, at_one = shape * span, -np.expm1(-shape * np.log1p(span))
    power = np.maximum(1.0, 0.5 * (shape + 1.0) * span)
    known = at_zero * np.exp(betaln(a, b + power) - betaln(a, b))
    known += at_one * a * (a + 1.0) / ((a + b) * (a + b + 1.0))
    low, high = _logit_bounds(a, b, power)
    step = (high - low) / _STEPS
    total = np.zeros(len(shape))
    log_beta = betaln(a, b)
    for index in range(_STEPS + 1):
        logit = low + step * index
        log_p, log_q = -np.logaddexp(0.0, -logit), -np.logaddexp(0.0, logit)
        p = np.exp(log_p)
        left = -np.expm1(-shape * np.log1p(p * span)) / p
        left -= at_zero * np.exp(power * log_q) + at_one * p * p
        total += np.exp(a * log_p + b * log_q - log_beta) * left
    found: Floats = known + total * step
    return found


def _logit_bounds(a: float, b: Floats, power: Floats) -> tuple[Floats, Floats]:
    """Logits between which all of Beta(a, b) is but a trifle, or all of the integrand."""
    distinct, rows = np.unique(b, return_inverse=True)
    # SciPy has NaN where a quantile is too small for a number.
    least_p = np.nan_to_num(betaincinv(a, distinct, _TAIL), nan=0.0)[rows]
    least_q = np.nan_to_num(betaincinv(distinct, a, _TAIL), nan=0.0)[rows]
    low = np.clip(least_p, _LEAST_SCALED / power, _BELOW_ONE)
    high = np.clip(least_q, _LEAST_SCALED, _BELOW_ONE)
    low_logit = np.log(low) - np.log1p(-low)
    high_logit = np.log1p(-high) - np.log(high)
    return low_logit, high_logit
