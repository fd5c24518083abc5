"""Who a customer is compared with: its business format (by policy in its territory) where large enough, else the whole
company."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import pandas as pd

from sync_worker.policy import Policy
from sync_worker.scoring import grouped


class Peers:
    """The peer group of each buyer.

    Args:
        formats: (n,) business format of each buyer, missing where it has none.
        policy: `peers_minimum` is the size from which a format is a group of its own, and by `peers_by_territory` a
            territory of it.
        territories: (n,) territory of each buyer, missing where it has none; None where nobody's is known.

    Attributes:
        group: (n,) int64, a group per large format or territory of one; -1 = compared with the whole company.
        size: (n,) int64, how many peers the customer has, itself included.
    """

    def __init__(self, formats: pd.Series, policy: Policy, territories: pd.Series | None = None) -> None:
        codes, names = pd.factorize(formats, sort=True)
        counts = np.bincount(codes[codes >= 0], minlength=len(names))
        minimum = policy.column("peers_minimum", pd.Series(names))
        large = counts >= minimum
        self.group = np.where((codes >= 0) & np.append(large, False)[codes], codes, -1).astype("int64")
        self._format = codes
        self._names: list = list(names)
        self._formats = len(names)  # groups from here on are territories
        self.size = np.where(self.group >= 0, np.append(counts, 0)[self.group], len(codes))
        if territories is not None and len(names):
            wanted = policy.column("peers_by_territory", pd.Series(names)) > 0
            self._divide(territories, np.where(wanted, minimum, np.inf))

    def _divide(self, territories: pd.Series, minimum: np.ndarray) -> None:
        """Makes groups of the territories of formats that are large enough.

        Args:
            minimum: by format, customers from which a territory of it is a group of its own.
        """
        places, known = pd.factorize(territories, sort=True)
        inside = (self._format >= 0) & (places >= 0)
        pairs = self._format * max(len(known), 1) + places
        distinct, number, counts = np.unique(pairs[inside], return_inverse=True, return_counts=True)
        of = distinct // max(len(known), 1)
        at = np.flatnonzero(inside)[(counts >= minimum[of])[number]]
        number = number[(counts >= minimum[of])[number]]
        self.group[at] = len(self._names) + number
        self.size[at] = counts[number]
        self._names += [self._names[format_code] for format_code in of]

    @cached_property
    def _codes(self) -> np.ndarray:
        return np.unique(self.group)

    @cached_property
    def _territories(self) -> dict[int, np.ndarray]:
        """The rows of each group that is a territory: there may be thousands of them."""
        at = np.flatnonzero(self.group >= self._formats)
        at = at[grouped.argsort(self.group[at])]
        codes, start = np.unique(self.group[at], return_index=True)
        return dict(zip(codes.tolist(), np.split(at, start[1:]), strict=True)) if len(at) else {}

    def groups(self) -> Iterator[tuple[object | None, np.ndarray, np.ndarray]]:
        """Each comparison once: (format or None, rows compared, mask of those rows that it decides).

        The company's comparison has every row and decides those whose own format is small; that of a format has all
        of it and decides those whose own territory is small.
        """
        for code in self._codes:
            if code < 0:
                yield None, np.arange(len(self.group)), self.group < 0
            else:
                territory = code >= self._formats
                rows = self._territories[code] if territory else np.flatnonzero(self._format == code)
                yield self._names[code], rows, self.group[rows] == code

    def median(self, values: np.ndarray) -> np.ndarray:
        """The peers' median of `values` for each customer, shape (n,); missing values are not counted."""
        return self._spread(lambda part: np.full(len(part), _median(part)), values)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """The peers' mean of `values` for each customer, shape (n,); missing values are not counted."""
        return self._spread(lambda part: np.full(len(part), _mean(part)), values)

    def percentile(self, values: np.ndarray) -> np.ndarray:
        """The share of peers at or below each customer, ties at their mean, shape (n,), NaN where missing."""
        return self._spread(_percentile, values)

    def _spread(self, function, values: np.ndarray) -> np.ndarray:
        values = np.asarray(values, dtype=float)
        if len(self._codes) == 1 and self._codes[0] < 0:  # nobody's own format is large
            return function(values)
        result = np.empty(len(values))
        for _, rows, decided in self.groups():
            result[rows[decided]] = function(values[rows])[decided]
        return result


def falling(values: np.ndarray) -> np.ndarray:
    """The rows by falling value, ties in the order of the rows, (n,)."""
    return np.argsort(-values, kind="stable")


def smallest_set(values: np.ndarray, share: float, order: np.ndarray | None = None) -> np.ndarray:
    """The fewest customers whose values, taken from the largest, carry `share` of the positive total.

    Ties keep the given order, so the result is the same for the same table. Returns an (n,) mask; nobody
    with a value of zero or less is in it.

    Args:
        order: `falling(values)`, where it is known already.
    """
    order = falling(values) if order is None else order
    positive = np.clip(values[order], 0, None)
    # in units of the largest, so that no amount is too small to be multiplied
    positive = np.divide(positive, positive[:1], out=positive, where=positive[:1] > 0)
    before = np.cumsum(positive) - positive
    chosen = np.zeros(len(values), dtype=bool)
    chosen[order] = (before < carried(share) * positive.sum()) & (positive > 0)
    return chosen


def entry_to_smallest_set(values: np.ndarray, share: float, order: np.ndarray | None = None) -> np.ndarray:
    """The value at which each customer enters `smallest_set`, all others staying as they are, (n,), 0 or more.

    It does not depend on the customer's own value, so that whoever rises comes nearer to it. With k others above it, a
    customer of value w among others worth c together is in the set when those k carry less than `share` of c + w: when
    w > a(k) = (their sum) / share - c. It has k others above it from the next one's value v(k) on. So it enters at the
    least max(a(k), v(k)); as a rises with k and v falls, that is where they cross.

    Args:
        order: `falling(values)`, where it is known already.
    """
    n = len(values)
    order = falling(values) if order is None else order
    place = np.empty(n, dtype="int64")
    place[order] = np.arange(n)
    positive = np.clip(values[order], 0, None)
    above = np.append(0.0, np.cumsum(positive))  # the sum of the k largest
    inside, share = smallest_set(values, share, order), carried(share)
    own = np.clip(values, 0, None)
    others = above[-1] - own
    # Who is not in the set stands behind the crossing, so that those before it are others. Who is in it stands before
    # it, so that of the others there one has to be taken away: itself.
    taken = np.where(inside, own, 0.0)
    crossing = np.searchsorted(above[:-1] / share - positive, others + taken / share)
    crossing = np.where(inside, np.maximum(crossing, place + 1), np.minimum(crossing, n - 1))
    last = crossing - 1
    last = np.where(inside & (last == place), last - 1, last)  # the last other before the crossing
    by_rank = np.where(last >= 0, positive[last], np.inf)
    return np.maximum(np.minimum((above[crossing] - taken) / share - others, by_rank), 0.0)


def peers_of(table: pd.DataFrame, policy: Policy) -> Peers:
    """The peer groups of buyers with their `format` and, where it is known, `territory_id`."""
    return Peers(table["format"], policy, table.get("territory_id"))


def carried(share: float) -> float:
    """The share from which a set carries `share`: a tolerance, so that it does not depend on the rounding of a sum,
    and so on the currency."""
    return share * (1 - 1e-9)


def _percentile(values: np.ndarray) -> np.ndarray:
    if np.isnan(values).all():
        return np.full(len(values), np.nan)
    return pd.Series(values).rank(pct=True).to_numpy()


def _median(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else np.nan


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(np.mean(known)) if len(known) else np.nan
