"""How much of what a customer seems to need it buys from us: an estimate from its peers.

Nobody tells what a customer buys elsewhere. Taken is that a customer's size shows in the categories it does buy:
where it ranks among its peers there, weighted by its money, it would rank in every category if it bought all it
needs from us. What a peer of that rank spends in a category is what it might need; a category that few peers buy
is needed by few. No basket is as even as that: so the balance of a customer is held against the most even tenth of
the peers that made about as many purchases, who are taken to buy all from us. Reference for the idea: Du, Kamakura
& Mela (2007), "Size and share of customer wallet", Journal of Marketing 71.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

from sync_worker.policy import Policy
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.features import Features
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.purchases import Purchases

#: Fewer categories say nothing of the balance between them.
CATEGORIES = 3
#: Share of peers with as many purchases who are taken to buy all they need from us, and how many classes of them.
COMPLETE, CLASSES = 0.1, 10
#: Categories looked at, those with the most money.
MOST = 1000

SENTENCES = {
    "share_of_customer": "Buys an estimated {percent} % of what it needs from us, about {amount} a year elsewhere "
    "(judged by {peers} peers)",
}


def estimate(
    purchases: Purchases, features: Features, peers: Peers, policy: Policy, today: int
) -> pd.DataFrame:
    """The share of each customer in the current window.

    Empty where there are too few peers (for a format of its own that is too small, too: other trades need other
    things), fewer than `CATEGORIES` categories among them, or the customer ordered on fewer than
    `approval_order_days` days in the window.

    Returns:
        `share_of_customer` (0 to 1, NaN = not told), `expected_spend` (money a window, all categories).
    """
    formats = features.table["format"]
    window = policy.column("current_window_days", formats)
    recent = today - purchases.day < window[purchases.row]
    spend = purchases.spend(recent & (purchases.bought | (purchases.amount < 0)))
    bought = np.asarray(spend.sum(axis=1)).ravel()
    lines = np.bincount(purchases.row[recent & purchases.bought], minlength=len(formats))
    few = features.table["current_order_days"] < policy.column("approval_order_days", formats)
    told = (bought > 0) & ~few.to_numpy()
    share = np.full(len(formats), np.nan)
    for format_id, rows, decided in peers.groups():
        minimum = int(policy.value("peers_minimum", format_id))
        among = told[rows]
        if among.sum() >= minimum:
            balance = np.full(len(rows), np.nan)
            balance[among] = bought[rows[among]] / _needed(spend[rows[among]])
            share[rows[decided]] = _against_complete(balance, lines[rows], minimum)[decided]
    foreign = (peers.group < 0) & formats.notna().to_numpy() & (peers.group >= 0).any()
    share[foreign] = np.nan
    return pd.DataFrame({"share_of_customer": share, "expected_spend": bought / share})


def evidence(found: pd.DataFrame, features: Features, peers: Peers, policy: Policy) -> list[Evidence]:
    """The estimate in words."""
    share = found["share_of_customer"].to_numpy()
    window = policy.column("current_window_days", features.table["format"])
    gap = np.nan_to_num(found["expected_spend"].to_numpy() * (1 - share) * 365 / window)
    figures = {
        "percent": np.rint(100 * np.nan_to_num(share)).astype("int64"),
        "peers": peers.size,
        "amount": np.rint(gap).astype("int64"),
    }
    return [Evidence("share_of_customer", ~np.isnan(share), figures, strength=1 - np.nan_to_num(share))]


def _against_complete(balance: np.ndarray, lines: np.ndarray, minimum: int) -> np.ndarray:
    """The balance of each customer over that of the complete ones of those with about as many lines, at most 1."""
    known = np.flatnonzero(~np.isnan(balance))
    classes = int(np.clip(len(known) // minimum, 1, CLASSES))
    place = pd.Series(lines[known]).rank(method="average").to_numpy() - 0.5
    number = np.minimum((place * classes / max(len(known), 1)).astype("int64"), classes - 1)
    share = np.full(len(balance), np.nan)
    for one in range(classes):
        members = known[number == one]
        if len(members):
            share[members] = np.minimum(balance[members] / np.quantile(balance[members], 1 - COMPLETE), 1)
    return share


def _needed(spend: sparse.csr_array) -> np.ndarray:
    """What each of some peers might need in all categories together, (n,), NaN = cannot be told.

    Never less than it does spend: what it buys beyond its rank it needs, too.
    """
    count = spend.shape[0]
    columns = spend.tocsc()
    money = np.asarray(columns.sum(axis=0)).ravel()
    kept = np.sort(np.argsort(-money, kind="stable")[:MOST])
    kept = kept[money[kept] > 0]
    if len(kept) < CATEGORIES:
        return np.full(count, np.nan)
    parts = []
    weighted, weight = np.zeros(count), np.zeros(count)
    for column in kept:
        at = columns.indices[columns.indptr[column] : columns.indptr[column + 1]]
        value = columns.data[columns.indptr[column] : columns.indptr[column + 1]]
        zeros = count - len(at)
        # the middle of the place among all peers, those who buy nothing first
        place = (zeros + pd.Series(value).rank().to_numpy() - 0.5) / count
        weighted[at] += value * place
        weight[at] += value
        parts.append((at, value, zeros))
    level = weighted / np.where(weight > 0, weight, 1)
    expected = np.zeros(count)
    for at, value, zeros in parts:
        place = np.floor(level * count).astype("int64") - zeros
        need = np.where(place >= 0, np.sort(value)[np.clip(place, 0, len(value) - 1)], 0.0)
        expected += need
        expected[at] += np.maximum(value - need[at], 0)
    return expected
