"""The purchase process: its parameters, and what follows from them.

Purchases are Pareto/NBD (Schmittlein, Morrison and Colombo 1987, Management Science 33): while
alive, a customer orders at a Poisson rate of its own, gamma distributed over customers, and drops
out after an exponential time, its rate gamma distributed too. Time is the shop's own, see `clock`.
Spend is in the manner of Gamma-Gamma (Fader and Hardie 2013): a multiplier for each customer,
inverse gamma and independent of the rates, around which the single orders vary.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scripts.synthetic.clock import Clock


@dataclass(frozen=True, slots=True)
class Process:
    """Parameters that every generated shop has; times in days of the shop's clock.

    Attributes:
        rate_shape: r of Pareto/NBD; its scale alpha is solved for, see `rate_scale_days`.
        dropout_shape: s of Pareto/NBD.
        dropout_scale_days: beta of Pareto/NBD.
        guest_order_ratio: Orders without a customer id for each order with one.
        extra_lines_mean: Mean of the negative binomial number of lines beyond an order's first.
        extra_lines_shape: Its shape.
        extra_units_mean: Mean units beyond the first of a customer with multiplier 1.
        spend_shape: q of Gamma-Gamma: multipliers are (q - 1) / Gamma(q, 1), so their mean is 1.
        whale_share: Share of customers that buy whole boxes.
        least_whale_factor: By what a whale's units are multiplied at least; log-uniform.
        most_whale_factor: By what at most.
        online_postage_ratio: Share of online orders that pay postage.
        gift_wrap_ratio: Share of orders with a line for gift wrap, which is a fee.
        cancelled_order_ratio: Share of orders that are cancelled whole within ten hours.
        returned_line_ratio: Share of a known customer's lines of goods that come back.
        return_delay_mean_days: Calendar days until then, exponential, from 1 to 60.
        partial_return_ratio: Share of returns of several units that keep some.
        unmatched_return_ratio: Share of returns that undo no purchase of the history.
        known_customer_ratio: Share of customers of whom demographics are known.
        missing_field_ratio: Share of their fields that are empty all the same.
        moved_customer_ratio: Share of them that moved once, and have a second row.
        events_per_customer: Mean number of events.
    """

    rate_shape: float = 0.8
    dropout_shape: float = 0.6
    dropout_scale_days: float = 100.0
    guest_order_ratio: float = 0.06
    extra_lines_mean: float = 3.0
    extra_lines_shape: float = 1.2
    extra_units_mean: float = 0.8
    spend_shape: float = 4.0
    whale_share: float = 0.002
    least_whale_factor: float = 20.0
    most_whale_factor: float = 100.0
    online_postage_ratio: float = 0.4
    gift_wrap_ratio: float = 0.02
    cancelled_order_ratio: float = 0.01
    returned_line_ratio: float = 0.03
    return_delay_mean_days: float = 12.0
    partial_return_ratio: float = 0.25
    unmatched_return_ratio: float = 0.05
    known_customer_ratio: float = 0.7
    missing_field_ratio: float = 0.1
    moved_customer_ratio: float = 0.05
    events_per_customer: float = 3.0


def lines_per_order(process: Process, *, online_ratio: float) -> float:
    """Expected lines of all kinds that one order brings, where no return falls behind the end."""
    goods = 1 + process.extra_lines_mean
    fees = online_ratio * process.online_postage_ratio + process.gift_wrap_ratio
    return (goods + fees) * (1 + process.cancelled_order_ratio) + returned_lines_per_order(process)


def returned_lines_per_order(process: Process) -> float:
    """Expected returned lines of an order, guests' orders among them."""
    known = 1 / (1 + process.guest_order_ratio) * (1 - process.cancelled_order_ratio)
    return (1 + process.extra_lines_mean) * known * process.returned_line_ratio


def repeat_orders_at_unit_rate(process: Process, clock: Clock) -> float:
    """Expected repeat orders of a customer whose mean rate r / alpha is one a day.

    E[X(T)] = r beta / (alpha (s - 1)) [1 - (beta / (beta + T))^(s - 1)], here averaged over the
    days on which customers join (Fader and Hardie 2005, "A note on deriving the Pareto/NBD model").
    """
    left = clock.starts[-1] - (clock.starts[:-1] + clock.starts[1:]) / 2
    beta, power = process.dropout_scale_days, process.dropout_shape - 1
    active = beta / power * (1 - (beta / (beta + left)) ** power)
    return float(np.sum(active * joining_shares(clock)))


def expected_alive_ratio(process: Process, clock: Clock) -> float:
    """Expected share of customers that have not dropped out at the end: (beta / (beta + T))^s."""
    left = clock.starts[-1] - (clock.starts[:-1] + clock.starts[1:]) / 2
    beta = process.dropout_scale_days
    alive = (beta / (beta + left)) ** process.dropout_shape
    return float(np.sum(alive * joining_shares(clock)))


def rate_scale_days(process: Process, clock: Clock, *, repeat_orders: float) -> float:
    """The alpha of Pareto/NBD that gives a customer that many repeat orders on average."""
    return process.rate_shape * repeat_orders_at_unit_rate(process, clock) / repeat_orders


def joining_shares(clock: Clock) -> NDArray[np.float64]:
    """Share of the customers that join on each day."""
    return np.diff(clock.joined)
