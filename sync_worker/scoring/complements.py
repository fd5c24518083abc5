"""Which categories are bought together, above chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

#: Categories are complements if orders hold both this many times as often as by chance, at least so often.
LIFT, TOGETHER = 2.0, 10
PARTNERS = 3


def beside(basket: np.ndarray, category: np.ndarray, categories: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether the order of each purchase holds a complement of it, (k,) bool, and of how many categories it is, (k,).

    Args:
        basket: (k,) number of the order of each purchase, one at least.
        category: (k,) int64, below `categories`.
    """
    _, number = np.unique(basket, return_inverse=True)
    shape = (int(number.max()) + 1, categories)
    held = sparse.coo_array((np.ones(len(number), "float32"), (number, category)), shape=shape).tocsr()
    held.data[:] = 1
    found = (held @ _partners(held)).tocsr().multiply(held).tocoo()
    has = _among(number * categories + category, found.row.astype("int64") * categories + found.col)
    return has, np.asarray(held.sum(axis=1)).ravel()[number]


def _among(keys: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Which keys (k,) are found; by a search, which takes less memory than sorting both together."""
    found = np.sort(found)
    if not len(found):
        return np.zeros(len(keys), dtype=bool)
    return found[np.minimum(np.searchsorted(found, keys), len(found) - 1)] == keys


def _partners(held: sparse.csr_array) -> sparse.csr_array:
    """For each category (column) the few it is bought with most above chance, (categories, categories)."""
    together = (held.T @ held).tocsr().astype(float)
    count = together.diagonal()
    table = pd.DataFrame(dict(zip(("a", "b"), together.nonzero(), strict=True)))
    table["both"] = together.data[together.data > 0]
    table = table[(table["a"] != table["b"]) & (table["both"] >= TOGETHER)]
    expected = count[table["a"]] * count[table["b"]] / held.shape[0]
    table = table.assign(lift=(table["both"] / expected).round(9))
    table = table[table["lift"] >= LIFT].sort_values(["b", "lift", "a"], ascending=[True, False, True])
    table = table[table.groupby("b").cumcount() < PARTNERS]
    shape = together.shape
    return sparse.coo_array((np.ones(len(table), "float32"), (table["a"], table["b"])), shape=shape).tocsr()
