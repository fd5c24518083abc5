"""Who a customer is compared with: its business format where large enough, else the whole company."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from sync_worker.policy import Policy


class Peers:
    """The peer group of each buyer.

    Args:
        formats: (n,) business format of each buyer, missing where it has none.
        policy: `peers_minimum` is the size from which a format is a group of its own.

    Attributes:
        group: (n,) int64, a group per large format; -1 = compared with the whole company.
        size: (n,) int64, how many peers the customer has, itself included.
    """

    def __init__(self, formats: pd.Series, policy: Policy) -> None:
        codes, names = pd.factorize(formats, sort=True)
        counts = np.bincount(codes[codes >= 0], minlength=len(names))
        minimum = policy.column("peers_minimum", pd.Series(names))
        large = counts >= minimum
        self.group = np.where((codes >= 0) & np.append(large, False)[codes], codes, -1).astype("int64")
        self.formats: list = list(names)
        self.size = np.where(self.group >= 0, np.append(counts, 0)[self.group], len(codes))

    def groups(self) -> Iterator[tuple[object | None, np.ndarray, np.ndarray]]:
        """Each comparison once: (format or None, rows compared, mask of those rows that it decides).

        The company's comparison has every row and decides those whose own format is small.
        """
        for code in np.unique(self.group):
            if code < 0:
                yield None, np.arange(len(self.group)), self.group < 0
            else:
                rows = np.flatnonzero(self.group == code)
                yield self.formats[code], rows, np.ones(len(rows), dtype=bool)

    def median(self, values: np.ndarray) -> np.ndarray:
        """The peers' median of `values` for each customer, shape (n,); missing values are not counted."""
        return self._spread(lambda part: np.full(len(part), _median(part)), values)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """The peers' mean of `values` for each customer, shape (n,); missing values are not counted."""
        return self._spread(lambda part: np.full(len(part), _mean(part)), values)

    def percentile(self, values: np.ndarray) -> np.ndarray:
        """The share of peers at or below each customer, ties at their mean, shape (n,), NaN where missing."""
        return self._spread(lambda part: pd.Series(part).rank(pct=True).to_numpy(), values)

    def _spread(self, function, values: np.ndarray) -> np.ndarray:
        values = np.asarray(values, dtype=float)
        result = np.empty(len(values))
        for _, rows, decided in self.groups():
            result[rows[decided]] = function(values[rows])[decided]
        return result


def smallest_set(values: np.ndarray, share: float) -> np.ndarray:
    """The fewest customers whose values, taken from the largest, carry `share` of the positive total.

    Ties keep the given order, so the result is the same for the same table. Returns an (n,) mask; nobody
    with a value of zero or less is in it.
    """
    order = np.argsort(-values, kind="stable")
    positive = np.clip(values[order], 0, None)
    before = np.cumsum(positive) - positive
    chosen = np.zeros(len(values), dtype=bool)
    chosen[order] = (before < carried(share) * positive.sum()) & (positive > 0)
    return chosen


def carried(share: float) -> float:
    """The share from which a set carries `share`: a tolerance, so that it does not depend on the rounding of a sum,
    and so on the currency."""
    return share * (1 - 1e-9)


def _median(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else np.nan


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(np.mean(known)) if len(known) else np.nan
