"""What similar customers buy and this one does not: the cross-sell gap by product category.

Each category is regressed, with a ridge, on all the others over the customers of a peer group, with nothing
explained by itself; in closed form from how often two categories have the same buyers. So a category counts for
what it adds to the others, and a rare coincidence for little. benchmarks/cross_sell.py tries it on what was
bought later. Reference: Steck (2019), "Embarrassingly shallow autoencoders for sparse data", WWW '19.
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

MOST = 5
#: Ridge over the number of customers: what a category needs in buyers to speak for itself by half. Found on
#: grocery, gifts and bicycles; between a quarter and one it makes little difference.
RIDGE = 0.5
#: What is less likely than this to be one of the customer's is no recommendation.
LEAST = 0.05
#: Categories looked at, those with the most buyers; regressions on more of them take seconds.
CATEGORIES = 1000
#: Customers at a time: their scores are dense.
CHUNK = 10_000
#: Most classes of size within a peer group, each of about the smallest peer group or more.
SIZES = 4
COLUMNS = {"row": "int64", "category": "int64", "share": "float64", "similar": "int64", "strength": "float64"}

SENTENCES = {
    "cross_sell_gap": "{percent} % of {peers} similar customers buy in category {category}, it does not",
}


def gaps(purchases: Purchases, features: Features, peers: Peers, policy: Policy) -> pd.DataFrame:
    """The categories that similar customers buy and this one never did, at most `MOST` for each.

    Similar customers: peers of the same class of size by revenue, a quarter where they are many. A category is named
    if at least `cross_sell_share` of them buy it; the likeliest for this customer come first, those below `LEAST` are
    left out.

    Returns:
        `row` (of the customer), `category` (number in `purchases.categories`), `share` of the `similar`
        customers who buy it and how many these are, `strength` (0 to 1, how likely it is to be one of the customer's);
        by row and falling strength. Customers of whom no category is known have no gap that one could tell.
    """
    held, categories = _held(purchases)
    if not len(categories):
        return pd.DataFrame({name: np.zeros(0, kind) for name, kind in COLUMNS.items()})
    needed = policy.column("cross_sell_share", features.table["format"])
    similar, sizes, shares = _similar_customers(held, features, peers, policy)
    found = []
    for _, rows, decided in peers.groups():
        weights = _weights(held[rows])
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK][decided[start : start + CHUNK]]
            own = held[part].toarray() > 0
            share = shares[similar[part]]
            possible = ~own & (share >= needed[part, None]) & own.any(axis=1)[:, None]
            score = np.where(possible, held[part] @ weights, -np.inf)
            found.append(_best(part, score, share))
    row, column, strength, share = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((column, -strength, row))
    parts = {"row": row, "category": categories[column], "share": share, "similar": sizes[similar[row]]}
    table = pd.DataFrame(parts)
    return table.assign(strength=np.clip(strength, 0, 1)).iloc[order].reset_index(drop=True)


def _similar_customers(
    held: sparse.csr_array, features: Features, peers: Peers, policy: Policy
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who is similar: the number of each customer's class of size within its peers, (n,), how many are in each
    class, (classes,), and the share of them who hold each category, (classes, categories)."""
    revenue = features.table["revenue"].to_numpy()
    similar = np.zeros(len(revenue), dtype="int64")
    sizes: list[int] = []
    shares: list[np.ndarray] = []
    for format_id, rows, decided in peers.groups():
        classes = int(np.clip(len(rows) // policy.value("peers_minimum", format_id), 1, SIZES))
        rank = pd.Series(revenue[rows]).rank(method="average").to_numpy() - 0.5
        number = np.minimum((rank * classes / len(rows)).astype("int64"), classes - 1)
        similar[rows[decided]] = len(shares) + number[decided]
        for one in range(classes):
            members = rows[number == one]
            sizes.append(len(members))
            shares.append(held[members].sum(axis=0) / max(len(members), 1))
    return similar, np.array(sizes), np.array(shares)


def evidence(found: pd.DataFrame, purchases: Purchases) -> list[Evidence]:
    """The gap that is likeliest to be closed, the first of the recommendations, and how common it is among similar
    customers.

    Args:
        found: `gaps`.
    """
    n = purchases.customers
    share, similar = np.zeros(n), np.zeros(n, dtype="int64")
    first = found.drop_duplicates("row")
    row = first["row"].to_numpy()
    share[row] = first["share"]
    similar[row] = first["similar"]
    figures = {
        "percent": np.rint(100 * share).astype("int64"),
        "peers": similar,
        "category": purchases.category_ids(row, first["category"].to_numpy()),
    }
    return [Evidence("cross_sell_gap", share > 0, figures, strength=share)]


def _held(purchases: Purchases) -> tuple[sparse.csr_array, np.ndarray]:
    """Who bought which category ever, 1 or 0, (n, categories looked at), and their numbers."""
    chosen = purchases.bought & (purchases.category >= 0)
    where = (purchases.row[chosen], purchases.category[chosen])
    shape = (purchases.customers, len(purchases.categories))
    held = sparse.coo_array((np.ones(chosen.sum()), where), shape=shape).tocsr()
    held.data[:] = 1
    buyers = np.asarray(held.sum(axis=0)).ravel()
    kept = np.sort(np.argsort(-buyers, kind="stable")[:CATEGORIES])
    return held[:, kept], kept


def _weights(held: sparse.csr_array) -> np.ndarray:
    """What holding one category (row) says about holding another (column), (c, c), 0 on the diagonal."""
    together = (held.T @ held).toarray()
    together[np.diag_indices_from(together)] += RIDGE * held.shape[0]
    precision = np.linalg.inv(together)
    weights = -precision / np.diag(precision)
    np.fill_diagonal(weights, 0)
    return weights


def _best(rows: np.ndarray, score: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, ...]:
    most = min(MOST, score.shape[1])
    # rounding must not decide between equals, or a permutation of the input could
    rounded = np.round(score, 9)
    top = np.argsort(-rounded, axis=1, kind="stable")[:, :most]
    at = np.arange(len(rows))[:, None]
    best = score[at, top]
    kept = best >= LEAST
    return np.broadcast_to(rows[:, None], top.shape)[kept], top[kept], best[kept], share[at, top][kept]
