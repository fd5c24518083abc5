"""Simulated shops as `Sales`, quickly: what the scoring of a company's own past is tried on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from conftest import AS_OF

from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring.features import Sales
from sync_worker.scoring.past import Past

TODAY = int(AS_OF.timestamp() // 86400)


def sales_of(row, day, amount) -> Sales:
    """Sales in the order in which they are kept; customers without a positive amount are left out."""
    row, day, amount = np.asarray(row), np.asarray(day, dtype="int64"), np.asarray(amount, dtype=float)
    buyers = np.unique(row[amount > 0])
    kept = np.isin(row, buyers)
    row, day, amount = np.searchsorted(buyers, row[kept]), day[kept], amount[kept]
    order = np.lexsort([amount, day, row])
    return Sales(row[order], day[order], amount[order])


def with_lines(sales: Sales) -> Sales:
    """The same sales with lines: an order of customer r has 1 + r % 5 of them, the first one of its day in a category
    that is new to it where the day is even."""
    bought = sales.amount > 0
    new_day = np.append(True, (np.diff(sales.row) != 0) | (np.diff(sales.day) != 0))
    return replace(
        sales,
        lines=np.where(bought, 1 + sales.row % 5, 0),
        new_categories=np.where(bought & new_day & (sales.day % 2 == 0), 1, 0),
    )


def without_formats(sales: Sales) -> pd.Series:
    return pd.Series([None] * (int(sales.row.max(initial=-1)) + 1), dtype=object)


def past_of(sales: Sales, today: int = TODAY, horizon: int = 60) -> Past:
    return Past(sales, without_formats(sales), Policy().replace(churn_horizon_days=horizon), today)


def history_from(sales: Sales) -> History:
    days = pd.to_datetime(sales.day, unit="D")
    orders = pd.DataFrame({"customer_id": sales.row + 1, "date": days, "amount": sales.amount})
    return History(orders.assign(order_id=np.arange(len(orders)) + 1))


def shop(n, seed=0, span=730, gap=25.0, leave=0.08, parting=1.0, busy=None, until=TODAY, spread=0.5) -> Sales:
    """Customers who come at any time of `span` days up to `until`, order at random at a rate of their own, and
    leave after an order with the probability `leave`.

    Args:
        parting: factor of the amount of the order after which a customer leaves.
        busy: function of days (since 1970) to the factor of every rate on them, at most `busy.most`.
        spread: standard deviation of the log of the customers' rates.
    """
    rng = np.random.default_rng(seed)
    most = getattr(busy, "most", 1.0)
    own = gap / most * np.exp(rng.normal(0, spread, n))
    longest = int(4 * span / own.min()) + 20
    first = until - span + rng.integers(0, span - 30, n)
    times = first[:, None] + np.cumsum(rng.exponential(1, (n, longest)) * own[:, None], axis=1)
    times = np.column_stack([first, times]).astype(int)
    taken = np.ones(times.shape, dtype=bool)
    if busy is not None:
        taken = rng.random(times.shape) < busy(times) / most
        taken[:, 0] = True
    number = np.cumsum(taken, axis=1)
    last = rng.geometric(leave, n) if leave else np.full(n, 10**6)
    kept = taken & (times <= until) & (number <= last[:, None])
    amount = np.round(np.exp(rng.normal(4, 0.4, times.shape)), 2)
    amount = np.where(number == last[:, None], amount * parting, amount)
    row = np.broadcast_to(np.arange(n)[:, None], times.shape)
    return sales_of(row[kept], times[kept], amount[kept])


def lottery(customers, orders, seed=0, span=1460) -> Sales:
    """Every order goes to a customer drawn by lot: who buys again cannot be known."""
    rng = np.random.default_rng(seed)
    day = TODAY - rng.integers(0, span, orders)
    return sales_of(rng.integers(0, customers, orders), day, np.exp(rng.normal(5, 1.2, orders)))
