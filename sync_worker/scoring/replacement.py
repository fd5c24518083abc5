"""When a customer is due to buy a category again: the interval of the category plus the last purchase."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sync_worker.policy import Policy
from sync_worker.scoring import grouped
from sync_worker.scoring.evidence import Evidence, newest
from sync_worker.scoring.features import Features
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.purchases import Purchases

#: What the peers' usual interval counts against a customer's own gaps.
PEERS_GAPS = 2.0
#: A category not bought for more than so many of its intervals, while the customer still came, is given up.
GIVEN_UP = 2.0

SENTENCES = {
    "replacement_overdue": "Category {category}, bought about every {interval} days, has been due for {days} days",
    "replacement_soon": "Category {category}, bought about every {interval} days, is due in {days} days",
}


def due(purchases: Purchases, features: Features, peers: Peers, policy: Policy, today: int) -> pd.DataFrame:
    """The categories each customer would buy again, lost customers included, due up to the churn horizon.

    The interval is the median of the customer's own gaps in the category, shrunken in logs to the median of its
    peers' by count. Told only of a category that at least `replacement_repeat_share` of its buyers among the
    peers bought again, or this customer at least twice; and not of one it gave up before its last order.

    Returns:
        `row`, `category` (number), `last_day`, `interval` (days), `due` (days since 1970-01-01),
        `order_id` (last one; no such column where ids are no integers), `strength` (0 to 1);
        by row, falling strength and category.
    """
    row, category, last, of_gap, gap = _pairs(purchases)
    last_day = purchases.day[last].astype("int64")
    own = grouped.median(of_gap, gap, len(row))
    gaps = np.bincount(of_gap, minlength=len(row))
    width = max(len(purchases.categories), 1)
    usual, share = _peers_habits(row, category, width, of_gap, gap, gaps, peers, policy)
    known = np.where(np.isnan(usual), own, usual)
    log_interval = (gaps * np.nan_to_num(own) + PEERS_GAPS * known) / (gaps + PEERS_GAPS)
    with np.errstate(invalid="ignore"):
        interval = np.maximum(np.rint(np.exp(log_interval)), 1)
    formats = features.table["format"]
    horizon = policy.column("churn_horizon_days", formats)[row]
    needed = policy.column("replacement_repeat_share", formats)[row]
    seen = features.table["last_day"].to_numpy()[row]
    told = ((share >= needed) & ~np.isnan(usual)) | (gaps >= 2)
    told &= (seen - last_day <= GIVEN_UP * interval) & (last_day + interval - today <= horizon)
    overdue = np.maximum(today - last_day - interval, 0)
    with np.errstate(invalid="ignore"):
        strength = (gaps + PEERS_GAPS * share) / (gaps + PEERS_GAPS) * 0.5 ** (overdue / interval)
    table = pd.DataFrame({"row": row, "category": category, "last_day": last_day, "interval": interval})
    table = table.assign(due=last_day + interval, strength=strength)
    if purchases.order_id is not None:
        table["order_id"] = purchases.order_id[last]
    table = table[told]
    order = np.lexsort((table["category"], -table["strength"].round(9), table["row"]))
    return table.iloc[order].astype({"interval": "int64", "due": "int64"}).reset_index(drop=True)


def next_due(found: pd.DataFrame, customers: int, today: int) -> np.ndarray:
    """The next replacement of each customer, (n,) float64 days since 1970-01-01, NaN = none.

    The first one from today on; where all are overdue, the latest of them.
    """
    row, day = found["row"].to_numpy(), found["due"].to_numpy(float)
    ahead, behind = np.full(customers, np.inf), np.full(customers, -np.inf)
    coming = day >= today
    np.minimum.at(ahead, row[coming], day[coming])
    np.maximum.at(behind, row[~coming], day[~coming])
    return np.where(np.isfinite(ahead), ahead, np.where(np.isfinite(behind), behind, np.nan))


def evidence(found: pd.DataFrame, purchases: Purchases, today: int) -> list[Evidence]:
    """The next replacement of each customer in words, with its category and the last order of that."""
    customers = purchases.customers
    chosen = next_due(found, customers, today)
    table = found[found["due"].to_numpy() == chosen[found["row"].to_numpy()]].drop_duplicates("row")
    row = table["row"].to_numpy()
    interval = np.zeros(customers, "int64")
    interval[row] = table["interval"]
    category = purchases.category_ids(row, table["category"].to_numpy())
    known = None
    if "order_id" in table:
        ids, day = table["order_id"].to_numpy(), table["last_day"].to_numpy()
        known = newest(row, ids, day, customers, most=1)
    left = np.nan_to_num(chosen - today).astype("int64")
    strength = np.zeros(customers)
    strength[row] = table["strength"]
    return [
        Evidence(
            code,
            ~np.isnan(chosen) & holds,
            {"interval": interval, "days": np.abs(left), "category": category},
            known,
            strength,
        )
        for code, holds in (("replacement_overdue", left < 0), ("replacement_soon", left >= 0))
    ]


def _pairs(purchases: Purchases) -> tuple[np.ndarray, ...]:
    """Customers and the categories they bought, by customer and category: row, category, index of the last purchase,
    (p,) each; and the gaps between days: which pair they are of, and their logs, (g,) each."""
    width = max(len(purchases.categories), 1)
    chosen = np.flatnonzero(purchases.bought & (purchases.category >= 0))
    key = purchases.row[chosen].astype("int64") * width + purchases.category[chosen]
    order = np.argsort(key, kind="stable")  # purchases are by day already
    key, at = key[order], chosen[order]
    day = purchases.day[at].astype("int64")
    kept = np.append(np.diff(key) != 0, True) if len(key) else np.zeros(0, bool)
    kept[:-1] |= np.diff(day) != 0
    key, day, at = key[kept], day[kept], at[kept]
    pair, number = np.unique(key, return_inverse=True)
    repeat = np.diff(number) == 0
    last = np.append(np.flatnonzero(np.diff(number)), len(number) - 1)[: len(pair)]
    gap = np.log(np.diff(day)[repeat])
    return pair // width, pair % width, at[last], number[1:][repeat], gap


def _peers_habits(row, category, width, of_gap, gap, gaps, peers, policy) -> tuple[np.ndarray, np.ndarray]:
    """For each customer and category the median log-gap of its peers in it, NaN where they have too few, and
    the share of its buyers among them who bought it again."""
    usual, share = np.full(len(row), np.nan), np.zeros(len(row))
    of_customer = np.arange(len(peers.group) + 1)
    pairs, gaps_of = np.searchsorted(row, of_customer), np.searchsorted(row[of_gap], of_customer)
    gap_category = category[of_gap]
    for format_id, rows, decided in peers.groups():
        inside, among = grouped.entries(pairs, rows), grouped.entries(gaps_of, rows)
        median = grouped.median(gap_category[among], gap[among], width)
        count = np.bincount(gap_category[among], minlength=width)
        median[count < policy.value("peers_minimum", format_id)] = np.nan
        again, _ = grouped.mean(category[inside], gaps[inside] > 0, width)
        at = grouped.entries(pairs, rows[decided])
        usual[at], share[at] = median[category[at]], again[category[at]]
    return usual, share
