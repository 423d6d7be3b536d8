"""What customers did beside buying: e-mails sent and opened, pages looked at, calls for support."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scripts.synthetic.catalogue import PRODUCT_CODES
from scripts.synthetic.clock import seconds_at
from scripts.synthetic.columns import coded, numbered, stamps
from scripts.synthetic.customers import Customers
from scripts.synthetic.plan import Plan
from scripts.synthetic.transaction_table import customer_ids

_TYPES = ("email_sent", "email_opened", "browse", "support")
_SENT, _OPENED, _BROWSE, _SUPPORT = range(4)
_SHARES = (0.55, 0.0, 0.38, 0.07)
_OPENED_RATIO = 0.35
_MOST_SECONDS_TO_OPEN = 172_800
_CHANNELS = ("email", "web", "phone")
_CHANNEL_OF_TYPE = np.array([0, 0, 1, 2])
_QUANTITY_MEANS = np.array([0.0, 0.0, 4.0, 9.0])
"""Pages of a visit and minutes of a call beyond the first; e-mails have no quantity."""
_EVENTS_A_CELL = 1_000_000
_DIGITS = 12
Ints = NDArray[np.int64]


def event_table(
    random: np.random.Generator, plan: Plan, customers: Customers, *, cell: int
) -> pa.Table:
    """One row per event, in the order of time; a customer has them while it is alive.

    Columns: `event_id`, `customer_id`, `event_at` (clock time in UTC), `event_type`, `campaign_id`
    (the month, of e-mails only), `product_id` (of `browse` only), `channel`, `quantity` (pages or
    minutes; of e-mails NULL).
    """
    buyers, kinds, seconds = _drawn(random, plan, customers)
    is_email = kinds <= _OPENED
    quantities = 1 + random.poisson(_QUANTITY_MEANS[kinds])
    products = plan.catalogue.popular[
        random.integers(0, len(plan.catalogue.popular), len(kinds)),
        random.integers(0, plan.catalogue.popular.shape[1], len(kinds)),
    ]
    months = seconds.astype("datetime64[s]").astype("datetime64[M]")
    campaigns = pa.array(np.datetime_as_string(months).astype(object), pa.string(), mask=~is_email)
    numbers = cell * _EVENTS_A_CELL + np.arange(len(kinds))
    nowhere = np.zeros(len(kinds), dtype=np.bool_)
    return pa.table(
        {
            "event_id": numbered(b"E", numbers, digits=_DIGITS, missing=nowhere),
            "customer_id": customer_ids(customers.numbers[buyers]),
            "event_at": stamps(seconds),
            "event_type": coded(_TYPES, kinds),
            "campaign_id": campaigns,
            "product_id": coded(PRODUCT_CODES, products, missing=kinds != _BROWSE),
            "channel": coded(_CHANNELS, _CHANNEL_OF_TYPE[kinds]),
            "quantity": pa.array(quantities.astype(np.int32), mask=is_email),
        }
    )


def _drawn(
    random: np.random.Generator, plan: Plan, customers: Customers
) -> tuple[Ints, Ints, Ints]:
    """Customers by position, types and seconds of all events."""
    counts = random.poisson(_first_events(plan), customers.count)
    buyers = np.repeat(np.arange(customers.count), counts)
    kinds = random.choice(len(_TYPES), len(buyers), p=_SHARES)
    active = np.minimum(customers.dropped_out, plan.clock.starts[-1]) - customers.joined
    times = customers.joined[buyers] + random.random(len(buyers)) * active[buyers]
    seconds = seconds_at(plan.clock, times)
    is_opened = (kinds == _SENT) & (random.random(len(kinds)) < _OPENED_RATIO)
    opened_at = seconds[is_opened] + random.integers(60, _MOST_SECONDS_TO_OPEN, is_opened.sum())
    buyers = np.concatenate([buyers, buyers[is_opened]])
    kinds = np.concatenate([kinds, np.full(len(opened_at), _OPENED)])
    seconds = np.concatenate([seconds, opened_at])
    in_time = np.argsort(seconds, kind="stable")
    in_time = in_time[seconds[in_time] < plan.clock.end_second]
    return buyers[in_time], kinds[in_time], seconds[in_time]


def _first_events(plan: Plan) -> float:
    """Mean number of a customer's events without opened e-mails, which follow from others."""
    return plan.process.events_per_customer / (1 + _SHARES[_SENT] * _OPENED_RATIO)
