"""Purchase histories as the likelihoods want them: checked, grouped, sorted by x, in blocks."""

# ruff: noqa: N803, N806 - T is the name in the literature, and t would be another thing
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike


class Rows:
    """Rows of a likelihood, ascending in x, with what does not change between its evaluations.

    Identical customers are one row with the sum of their weights, where times are whole (days).

    Args:
        x, t_x, T: (n,) float64, checked.
        weight: (n,) customers that a row stands for; None for one each.
        unit: what to divide times by.

    Attributes:
        t_x, T, weight: (m,) float64, m <= n; times in `unit`.
        distinct: (d,) the x that occur. Special functions are evaluated on these few only, the dominating
            saving in time.
        where: (m,) index of each row's x in `distinct`.
        count: (d,) sum of weights by distinct x.
    """

    def __init__(
        self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, weight: np.ndarray | None, unit: float
    ) -> None:
        x, t_x, T, self.weight = _sorted(x, t_x, T, weight)
        self.t_x, self.T = t_x / unit, T / unit
        starts = _starts(x)
        self.distinct = x[starts]
        self.where = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(x)))
        self.count = np.add.reduceat(self.weight, starts)

    def __len__(self) -> int:
        return len(self.where)

    def blocks(self, size: int) -> Iterator[tuple[np.ndarray, ...]]:
        """(where, t_x, T, weight) of up to `size` rows at a time."""
        for part in blocks(len(self), size):
            yield self.where[part], self.t_x[part], self.T[part], self.weight[part]


class Customers:
    """The customers to fit a model on.

    Args:
        x, t_x, T: (n,) see `TransactionModel`.
        sample_weight: (n,) customers that a row stands for; None for one each.
        sample: rows of the sample that finds where to start.

    Attributes:
        n: sum of weights.
        purchases: repeat purchases of all.
        unit: mean tenure. Fits are made in this unit of time, well scaled whatever the caller's unit.
        rows: all rows.
        sample: a random part of them; None if there are too few for it to save time.

    Raises:
        ValueError: no customer, or arrays that are negative, not finite or of different lengths.
    """

    def __init__(
        self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, sample_weight: ArrayLike | None, sample: int
    ) -> None:
        x, t_x, T = _checked(x, t_x, T)
        weight = None if sample_weight is None else _checked_weight(sample_weight, len(x))
        self.n = float(len(x) if weight is None else weight.sum())
        self.unit = max(float(np.average(T, weights=weight)), 1e-9)
        self.rows = Rows(x, t_x, T, weight, self.unit)
        self.purchases = float(self.rows.count @ self.rows.distinct)
        self.sample: Rows | None = None
        if len(self.rows) > 2 * sample:
            some = np.random.default_rng(0).choice(len(x), sample, replace=False)
            some_weight = None if weight is None else weight[some]
            self.sample = Rows(x[some], t_x[some], T[some], some_weight, self.unit)


def blocks(n: int, size: int) -> Iterator[slice]:
    """Slices of n rows, up to `size` at a time: intermediate results then stay in the processor's cache, which
    is about twice as fast on a million rows, and memory does not grow.
    """
    return (slice(begin, begin + size) for begin in range(0, n, size))


def combinations(*columns: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The distinct rows of columns of whole numbers, where there are few of them.

    Rows are found in a table of all combinations, in one pass without sorting.

    Args:
        columns: (n,) float64 each, finite and not negative.

    Returns:
        (m,) the index of one row of each combination that occurs, and (n,) which of these each row is; None where
        a number is not whole, or the table would be several times longer than the columns.
    """
    n = len(columns[0])
    key, size = np.zeros(n, dtype="int64"), 1
    for values in columns:
        above = values - values.min(initial=np.inf)  # one value for all, whole or not, is one combination
        size *= above.max(initial=0) + 1
        if not size <= 4 * n or (above != np.floor(above)).any():
            return None
        key = key * (int(above.max()) + 1) + above.astype("int64")
    row = np.full(int(size), -1, dtype="int32")
    row[key] = np.arange(n, dtype="int32")
    found = row >= 0
    number = np.cumsum(found, dtype="int32") - np.int32(1)
    return row[found], number[key]


def _sorted(
    x: np.ndarray, t_x: np.ndarray, T: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, ...]:
    """Rows ascending in x, and grouped where they can be packed into one integer each."""
    size = int(min(T.max(), 2.0**31)) + 1
    if (x.max() + 1) * size**2 >= 2**62 or any((values != np.floor(values)).any() for values in (x, t_x, T)):
        small = x.max() < 2**16 and not (x != np.floor(x)).any()
        order = np.argsort(x.astype("uint16") if small else x, kind="stable")  # 16 bits: a radix sort
        return x[order], t_x[order], T[order], np.ones(len(x)) if weight is None else weight[order]
    key = (x.astype("int64") * size + T.astype("int64")) * size + t_x.astype("int64")
    if weight is None:  # sorting values is faster than sorting an index
        key.sort()
        starts = _starts(key)
        weight = np.diff(starts, append=len(key)).astype(float)
    else:
        order = np.argsort(key, kind="stable")
        key = key[order]
        starts = _starts(key)
        weight = np.add.reduceat(weight[order], starts)
    key, t_x = np.divmod(key[starts], size)
    x, T = np.divmod(key, size)
    return x.astype(float), t_x.astype(float), T.astype(float), weight


def _starts(values: np.ndarray) -> np.ndarray:
    """Where runs of equal values begin, of ascending values >= 0."""
    return np.flatnonzero(np.diff(values, prepend=-1))


def _checked(x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> list[np.ndarray]:
    arrays = [np.atleast_1d(np.asarray(array, dtype=float)) for array in (x, t_x, T)]
    if len({array.shape for array in arrays}) != 1 or arrays[0].ndim != 1:
        raise ValueError("x, t_x and T must have the same length.")
    if not arrays[0].size:
        raise ValueError("There is no customer to fit the model on.")
    if not all(np.isfinite(array).all() and (array >= 0).all() for array in arrays):
        raise ValueError("x, t_x and T must be finite and not negative.")
    if (arrays[1] > arrays[2] * (1 + 1e-9)).any():
        raise ValueError("t_x must not be greater than T.")
    return arrays


def _checked_weight(sample_weight: ArrayLike, n: int) -> np.ndarray:
    weight = np.asarray(sample_weight, dtype=float)
    if weight.shape != (n,):
        raise ValueError("sample_weight must have the length of x.")
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
        raise ValueError("sample_weight must be finite and not negative, and not 0 for all.")
    return weight
