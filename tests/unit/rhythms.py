"""Customers with a rhythm of their own that stays as it is, or changes on a known day."""

from __future__ import annotations

import numpy as np
import pandas as pd
from conftest import AS_OF

from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import features

TODAY = int(AS_OF.timestamp() // 86400)


def customers(n, *, gap, shape, spread, span, rng, since=None, often=1.0, much=1.0):
    """Order-days of n customers: (row, days ago, amount).

    Args:
        gap, shape: mean in days and Gamma shape of the time between orders (1 = at random, 20 = by the clock).
        spread: standard deviation of the log of an order's amount.
        span: days of history.
        since: days ago from which orders come `often` times as frequently and are `much` times as large.
    """
    turn = span if since is None else span - since
    count = int(span / gap * max(often, 1) * 1.3 + 8 * np.sqrt(span / gap) + 10)
    step = rng.gamma(shape, gap / shape, (n, count))
    step[:, 0] *= rng.random(n)
    time = np.cumsum(step, axis=1)
    time = np.where(time > turn, turn + (time - turn) / often, time)
    amount = 100 * np.exp(rng.normal(0, spread, time.shape)) * np.where(time > turn, much, 1.0)
    kept = time < span
    row = np.broadcast_to(np.arange(n)[:, None], time.shape)[kept]
    return row, np.ceil(span - time[kept]).astype(int) - 1, np.round(amount[kept], 2)


def history_of_rhythms(*parts):
    """A history of all customers of the parts, numbered on through them from 1, and how many each part has."""
    tables, sizes, before = [], [], 0
    for row, ago, amount in parts:
        sizes.append(int(row.max()) + 1)
        dates = AS_OF - pd.to_timedelta(ago, unit="D")
        tables.append(pd.DataFrame({"customer_id": before + 1 + row, "date": dates, "amount": amount}))
        before += sizes[-1]
    orders = pd.concat(tables, ignore_index=True)
    return History(orders.assign(order_id=np.arange(len(orders)) + 1)), sizes


def features_of(history):
    return features.build(history, AS_OF, Policy())
