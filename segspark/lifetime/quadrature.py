"""Gauss-Legendre quadrature over many intervals at once."""

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=8)
def gauss_legendre(count: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Nodes and weights of `count` points on the interval from 0 to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return tuple((0.5 * (nodes + 1.0)).tolist()), tuple((0.5 * weights).tolist())
