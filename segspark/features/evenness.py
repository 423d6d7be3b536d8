"""How far a customer's counts are from what the time they had would make of them.

All arrays have one row per customer and one column per level, such as a month. What is expected
of a level is its share of the customer's time: in a level without any, nothing can be bought.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, rel_entr

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

_SURE = 0.05


def concentration(counts: Counts, time: Counts) -> Floats:
    """Distance from an even spread, 0 to 1, shape (customers,).

    Relative entropy of the counts' shares to the shares of time, over the highest that it can be,
    that of all counts in the level with the least time. Where all levels have the same time, this
    is one less the normalised entropy, 1 - H / ln K (Shannon 1948). NaN without counts, or with
    time in fewer than two levels.
    """
    total = counts.sum(axis=1)
    return _over(_divergence(counts, time), total * _highest(time), is_known=_is_open(counts, time))


def strength(counts: Counts, time: Counts, p_values: Floats) -> Floats:
    """`concentration` less what chance makes of it, 0 to 1, shape (customers,).

    The likelihood ratio G = 2 sum(o ln(o / e)) is K - 1 on average where customers buy evenly
    (Wilks 1938; Sokal and Rohlf, Biometry), which is taken off it, down to 0; the rest is put over
    the highest G, the effect size of Johnston, Berry and Mielke 2006 (Perceptual and Motor Skills
    103). It is 0 where `p_values`, from `p_value`, are above 0.05, since that mean holds for many
    counts only. NaN as for `concentration`.
    """
    freedom = (time > 0).sum(axis=1) - 1
    is_sure = p_values <= _SURE
    excess = np.maximum(2.0 * _divergence(counts, time) - freedom, 0.0)
    highest = 2.0 * counts.sum(axis=1) * _highest(time)
    return _over(np.where(is_sure, excess, 0.0), highest, is_known=_is_open(counts, time))


def p_value(counts: Counts, time: Counts) -> Floats:
    """Probability that an even buyer shows a level as outstanding as this, shape (customers,).

    The most outstanding level by its exact binomial tail, upper or lower, times the number of tails
    (Bonferroni), after Fuchs and Kenett 1980 (JASA 75): never too small, with however few counts,
    where the chi-squared distribution of G does not hold. NaN as for `concentration`.
    """
    total = counts.sum(axis=1, keepdims=True)
    share = _shares(time)
    # P(X >= o) and P(X <= o) of the binomial distribution, as incomplete beta functions.
    is_some, is_part = counts > 0, (counts > 0) & (counts < total)
    upper = betainc(counts, total - counts + 1, share, out=np.ones_like(share), where=is_some)
    # Most counts are 0: no purchase falls into the level.
    lower = np.where(counts < total, (1.0 - share) ** total, 1.0)
    betainc(total - counts, counts + 1, 1.0 - share, out=lower, where=is_part)
    tails = np.where(time > 0, np.minimum(upper, lower), 1.0)
    levels = (time > 0).sum(axis=1)
    found = np.minimum(2.0 * levels * tails.min(axis=1, initial=1.0), 1.0)
    return np.where(_is_open(counts, time), found, np.nan)


def favourites(counts: Counts, time: Counts) -> NDArray[np.intp]:
    """Level with the most counts, shape (customers,); -1 without counts.

    Ties go to the level with less time, then to the first.
    """
    most = counts.max(axis=1, keepdims=True, initial=0)
    tied = np.where(counts == most, time, np.iinfo(np.int64).max)
    return np.where(most[:, 0] > 0, tied.argmin(axis=1), -1)


def _divergence(counts: Counts, time: Counts) -> Floats:
    """Sum of o ln(o / e): counts times the relative entropy of their shares to those of time."""
    expected = counts.sum(axis=1, keepdims=True) * _shares(time)
    found: Floats = rel_entr(counts.astype(np.float64), expected).sum(axis=1)
    return np.maximum(found, 0.0)


def _shares(time: Counts) -> Floats:
    shares: Floats = time / np.maximum(time.sum(axis=1, keepdims=True), 1)
    return shares


def _highest(time: Counts) -> Floats:
    """Relative entropy of all counts in the level with the least time that has any."""
    least: Floats = np.where(time > 0, _shares(time), 1.0).min(axis=1, initial=1.0)
    return -np.log(least)


def _is_open(counts: Counts, time: Counts) -> NDArray[np.bool_]:
    """Whether there is anything to compare."""
    is_open: NDArray[np.bool_] = (counts.sum(axis=1) > 0) & ((time > 0).sum(axis=1) > 1)
    return is_open


def _over(number: Floats, highest: Floats, *, is_known: NDArray[np.bool_]) -> Floats:
    found = number / np.where(is_known, highest, 1.0)
    return np.where(is_known, np.minimum(found, 1.0), np.nan)
