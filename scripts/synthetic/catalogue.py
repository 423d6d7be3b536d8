"""Products: categories, Zipf popularity, prices that change now and then, seasons."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scripts.synthetic.clock import Clock

DEPARTMENTS = (
    "GROCERY",
    "HOUSEHOLD",
    "BEAUTY",
    "CLOTHING",
    "HOME",
    "GARDEN",
    "TOYS",
    "ELECTRONICS",
)
_TYPICAL_PRICES = (2.5, 4.0, 9.0, 30.0, 20.0, 15.0, 18.0, 60.0)
"""In euros; products scatter around it log-normally."""
_PRODUCTS_PER_DEPARTMENT = 625
_DISCONTINUED_PER_DEPARTMENT = 15
"""The least popular ones were sold before the history only: their returns match no purchase."""
_CATEGORIES, _SUBCATEGORIES = 5, 4
_BRANDS = 80
_ZIPF_EXPONENT = 1.0
_TABLE = 1 << 16
_PRICE_SPREAD = 0.6
_PERIOD_DAYS = 91
_PRICE_CHANGE_RATIO = 0.2
"""Share of the products whose price changes from one quarter to the next."""
_PEAKS = {"GARDEN": (4, 2.0), "TOYS": (11, 1.8), "CLOTHING": (8, 1.3), "ELECTRONICS": (11, 1.4)}
"""Department → month of its peak, from 0, and its factor there; the others sell evenly."""

PRODUCT_COUNT = len(DEPARTMENTS) * _PRODUCTS_PER_DEPARTMENT
POSTAGE, GIFT_WRAP, UNKNOWN = PRODUCT_COUNT, PRODUCT_COUNT + 1, PRODUCT_COUNT + 2
FEE_CODES = ("POSTAGE", "GIFTWRAP")
FEE_CENTS = {POSTAGE: 495, GIFT_WRAP: 290}
PRODUCT_CODES = (
    *(f"P{number:05d}" for number in range(PRODUCT_COUNT)),
    *FEE_CODES,
    "X99999",
)
"""By number; the last one stands in no catalogue."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is sold, and how often.

    Attributes:
        popular: Department and 16 random bits → product.
        list_cents: Product and quarter of the history → list price.
        seasons: Month and department → factor of its sales.
        brands: Brand of each product.
        discontinued: Products that nobody buys any more.
    """

    popular: NDArray[np.int32]
    list_cents: NDArray[np.int64]
    seasons: NDArray[np.float64]
    brands: NDArray[np.int64]
    discontinued: NDArray[np.int32]


def make_catalogue(random: np.random.Generator, clock: Clock) -> Catalogue:
    """Draw the products of a shop; in a department, the first is the most popular."""
    firsts = np.arange(len(DEPARTMENTS)) * _PRODUCTS_PER_DEPARTMENT
    sold = _PRODUCTS_PER_DEPARTMENT - _DISCONTINUED_PER_DEPARTMENT
    gone = firsts[:, None] + np.arange(sold, _PRODUCTS_PER_DEPARTMENT)
    return Catalogue(
        popular=(firsts[:, None] + _zipf_table(sold)).astype(np.int32),
        list_cents=_prices(random, len(clock.weights) // _PERIOD_DAYS + 2),
        seasons=_seasons(),
        brands=random.integers(1, _BRANDS + 1, PRODUCT_COUNT),
        discontinued=gone.ravel().astype(np.int32),
    )


def price_period(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Day of the history → quarter within which prices hold."""
    return days // _PERIOD_DAYS


def category_codes() -> tuple[list[str], list[str], list[str]]:
    """Department, category and subcategory of each product."""
    departments, categories, subcategories = [], [], []
    for number in range(PRODUCT_COUNT):
        department = DEPARTMENTS[number // _PRODUCTS_PER_DEPARTMENT]
        category = f"{department} {number % _CATEGORIES + 1}"
        departments.append(department)
        categories.append(category)
        subcategories.append(f"{category}.{number // _CATEGORIES % _SUBCATEGORIES + 1}")
    return departments, categories, subcategories


def _zipf_table(count: int) -> NDArray[np.int64]:
    """16 random bits → rank, so that the share of rank k is 1 / k up to one in 65,536."""
    shares = 1 / np.arange(1, count + 1) ** _ZIPF_EXPONENT
    ends = np.round(np.cumsum(shares) / shares.sum() * _TABLE)
    return np.searchsorted(ends, np.arange(_TABLE), side="right")


def _prices(random: np.random.Generator, periods: int) -> NDArray[np.int64]:
    typical = np.repeat(_TYPICAL_PRICES, _PRODUCTS_PER_DEPARTMENT)
    first = typical * np.exp(_PRICE_SPREAD * random.standard_normal(PRODUCT_COUNT))
    size = (PRODUCT_COUNT, periods - 1)
    steps = np.where(
        random.random(size) < _PRICE_CHANGE_RATIO, random.uniform(-0.08, 0.12, size), 0
    )
    factors = np.cumprod(np.concatenate([np.ones((PRODUCT_COUNT, 1)), 1 + steps], axis=1), axis=1)
    return np.maximum(np.round(first[:, None] * factors * 100), 20).astype(np.int64)


def _seasons() -> NDArray[np.float64]:
    months = np.arange(12)
    factors = np.ones((12, len(DEPARTMENTS)))
    for department, (peak, factor) in _PEAKS.items():
        wave = (1 + np.cos(2 * np.pi * (months - peak) / 12)) / 2
        factors[:, DEPARTMENTS.index(department)] = 1 / factor + (factor - 1 / factor) * wave
    return factors
