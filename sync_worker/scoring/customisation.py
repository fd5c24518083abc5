"""How much of what a customer buys is in products made or kept for it.

Nobody says which products these are. One that a customer (with its group) buys again and again, and hardly anybody else
does, is as good as made for it: without the customer nobody would need it.
"""

from __future__ import annotations

import numpy as np

from sync_worker.policy import Policy
from sync_worker.scoring import grouped
from sync_worker.scoring.features import Features
from sync_worker.scoring.groups import Groups
from sync_worker.scoring.purchases import Purchases

#: Part of the sales of a product that its customer has to make, and days it has to be bought on: in a long tail many a
#: product is bought by one customer alone, but once or twice.
SHARE, DAYS = 0.8, 3
#: Part of a customer's sales of which the product has to be known.
KNOWN = 0.5
#: Shares that differ by the rounding of a sum do not differ.
ROUNDING = 1e-9


def measure(
    purchases: Purchases, features: Features, groups: Groups | None, policy: Policy, today: int
) -> np.ndarray:
    """The share of each customer's sales in its current window that is in products kept for it, (n,), 0 to 1.

    A product is kept for a customer that with its group makes at least `SHARE` of its net sales in that window, and
    bought it on at least `DAYS` days. NaN = not told: fewer order-days than that in the window, the products of half
    of the sales or more not known, or fewer than `peers_minimum` buyers in the window, among whom a product of one
    alone is nothing special.

    Args:
        groups: None where they are not known: each customer is its own.
        today: the as-of day, days since 1970-01-01.
    """
    formats = features.table["format"]
    window = policy.column("current_window_days", formats)
    group = np.arange(purchases.customers) if groups is None else groups.code
    share = np.full(purchases.customers, np.nan)
    for days in np.unique(window):
        recent = (today - purchases.day < days) & (purchases.bought | (purchases.amount < 0))
        found = _within(purchases, np.flatnonzero(recent), group, int(policy.value("peers_minimum")))
        share = np.where(window == days, found, share)
    share[features.table["current_order_days"].to_numpy() < DAYS] = np.nan
    return share


def _within(purchases: Purchases, at: np.ndarray, group: np.ndarray, minimum: int) -> np.ndarray:
    """The share of each customer by the purchases at some places, ascending, that is in products kept for it."""
    customers = purchases.customers
    row, amount = purchases.row[at], purchases.amount[at]
    if np.count_nonzero(np.bincount(row)) < minimum:
        return np.full(customers, np.nan)
    known = purchases.product[at] >= 0
    unknown = np.maximum(np.bincount(row[~known], amount[~known], minlength=customers), 0)
    at, row, amount = at[known], row[known], amount[known]

    # what each customer bought of each product, all days together
    key = row.astype("int64") * len(purchases.products) + purchases.product[at]
    order = grouped.argsort(key)
    starts, number = grouped.runs(key[order])
    net = np.bincount(number, amount[order])
    first = order[starts]
    owner, product = row[first], purchases.product[at[first]]
    spent = np.maximum(net, 0)

    # and the same of its group, which the product is kept for or not
    key = group[owner] * len(purchases.products) + product
    by_group = grouped.argsort(key)
    starts, place = grouped.runs(key[by_group])
    pair = np.empty(len(owner), dtype="int64")
    pair[by_group] = place
    net = np.bincount(pair, net)
    total = np.bincount(product[by_group[starts]], np.maximum(net, 0), minlength=len(purchases.products))
    kept = (net > 0) & (net >= SHARE * (1 - ROUNDING) * total[product[by_group[starts]]])

    inner = np.empty(len(at), dtype="int64")
    inner[order] = pair[number]
    near = np.flatnonzero(kept[inner] & purchases.bought[at])
    day = purchases.day[at[near]].astype("int64")
    span = int(day.max(initial=0)) + 1
    seen = np.unique(inner[near] * span + day) // span
    kept &= np.bincount(seen, minlength=len(net)) >= DAYS

    money = np.bincount(owner, spent, minlength=customers)
    inside = np.bincount(owner, spent * kept[pair], minlength=customers)
    told = (money > 0) & (money > KNOWN * (money + unknown))
    return np.divide(inside, money, out=np.full(customers, np.nan), where=told)
