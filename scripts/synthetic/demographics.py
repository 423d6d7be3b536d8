"""What is known of some customers: where they live, age, income, household, consent."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scripts.synthetic.clock import SECONDS_A_DAY, seconds_at
from scripts.synthetic.columns import coded
from scripts.synthetic.customers import Customers
from scripts.synthetic.places import COUNTRY_CODES, REGION_CODES, REGIONS_PER_COUNTRY
from scripts.synthetic.plan import Plan
from scripts.synthetic.transaction_table import customer_ids

_AGE_MEANS, _AGE_SPREAD = (42, 31, 68, 47), 7.0
"""Years at the beginning of the history, by type; normal, cut off below 18 and above 95."""
_AGE_BORDERS = (25, 35, 45, 55, 65)
_AGE_BANDS = ("18-24", "25-34", "35-44", "45-54", "55-64", "65+")
_INCOME_BANDS = ("under 20K", "20-40K", "40-60K", "60-100K", "over 100K")
_INCOME_MEANS = (2.2, 1.6, 1.4, 3.0)
"""Mean position in the bands, by type."""
_HOUSEHOLD_MEANS = (2.6, 0.3, 0.6, 1.2)
"""Mean number of people beside the customer, by type; Poisson."""
_CONSENT_RATIOS = {"email_consent": 0.6, "phone_consent": 0.2}
_YEAR_DAYS = 365.25
Ints = NDArray[np.int64]


def customer_table(random: np.random.Generator, plan: Plan, customers: Customers) -> pa.Table:
    """One row per known customer and address.

    Columns: `customer_id`, `valid_from` (day of joining, or of the move), `country`, `region`,
    `birth_date`, `age_band` (at the beginning of the history), `income_band`, `household_size`,
    `email_consent`, `phone_consent` (yes or no). Those behind `region` may be NULL.
    """
    process = plan.process
    known = np.flatnonzero(random.random(customers.count) < process.known_customer_ratio)
    first_day = plan.clock.first_second // SECONDS_A_DAY
    joined = seconds_at(plan.clock, customers.joined[known]) // SECONDS_A_DAY
    left = first_day + len(plan.clock.weights) - joined
    moved = joined + 1 + (random.random(len(known)) * left).astype(np.int64)
    has_moved = random.random(len(known)) < process.moved_customer_ratio
    has_moved &= moved < first_day + len(plan.clock.weights)
    fields = _fields(random, plan, customers, known)
    regions = _regions(customers.countries[known], random.integers(0, 12, (2, len(known))))
    addresses = np.concatenate([np.arange(len(known)), np.flatnonzero(has_moved)])
    by_customer = np.argsort(addresses, kind="stable")
    rows = addresses[by_customer]
    valid_from = np.concatenate([joined, moved[has_moved]])[by_customer]
    region = np.concatenate([regions[0], regions[1][has_moved]])[by_customer]
    return pa.table(
        {
            "customer_id": customer_ids(customers.numbers[known][rows]),
            "valid_from": pa.array(valid_from.astype("datetime64[D]")),
            "country": coded(COUNTRY_CODES, customers.countries[known][rows]),
            "region": coded(REGION_CODES, region),
            **{name: column.take(pa.array(rows)) for name, column in fields.items()},
        }
    )


def _regions(countries: Ints, drawn: Ints) -> Ints:
    """A region for the first address, and another one of the same country for the second."""
    count = REGIONS_PER_COUNTRY
    first = drawn[0] % count
    second = (first + 1 + drawn[1] % (count - 1)) % count
    return np.stack([countries * count + first, countries * count + second])


def _fields(
    random: np.random.Generator, plan: Plan, customers: Customers, known: Ints
) -> dict[str, Any]:
    """What is known of a customer wherever it lives, with gaps."""
    types, count = customers.types[known], len(known)
    ages = np.array(_AGE_MEANS)[types] + _AGE_SPREAD * random.standard_normal(count)
    ages = np.clip(ages, 18, 95)
    born = plan.clock.first_second // SECONDS_A_DAY - (ages * _YEAR_DAYS).astype(np.int64) - 1
    incomes = random.poisson(np.array(_INCOME_MEANS)[types])
    households = 1 + random.poisson(np.array(_HOUSEHOLD_MEANS)[types])
    consents = {name: random.random(count) < ratio for name, ratio in _CONSENT_RATIOS.items()}
    missing = random.random((4 + len(consents), count)) < plan.process.missing_field_ratio
    return {
        "birth_date": pa.array(born.astype("datetime64[D]"), mask=missing[0]),
        "age_band": coded(_AGE_BANDS, np.digitize(ages, _AGE_BORDERS), missing=missing[1]),
        "income_band": coded(
            _INCOME_BANDS, np.minimum(incomes, len(_INCOME_BANDS) - 1), missing=missing[2]
        ),
        "household_size": pa.array(households.astype(np.int32), mask=missing[3]),
        **{
            name: coded(("no", "yes"), given, missing=gap)
            for (name, given), gap in zip(consents.items(), missing[4:], strict=True)
        },
    }
