"""Dated facts of the buyers, sorted, so that what fell into a window of days is found and summed at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.history.facts import rows_of
from sync_worker.history.schema import History
from sync_worker.scoring.evidence import newest

#: Days on either side of 1970 that a sort key has room for.
REACH = 1 << 20


@dataclass
class Events:
    """Facts of one kind.

    Attributes:
        row: (k,) int64, row of the customer in `Features.table`; ascending.
        day: (k,) int64, days since 1970-01-01; ascending within a customer.
        table: k rows, the columns of the dataset (`history.facts`).
    """

    row: np.ndarray
    day: np.ndarray
    table: pd.DataFrame

    def of(self, chosen: np.ndarray) -> Events:
        """Some of the events; `chosen` is (k,) bool."""
        return Events(self.row[chosen], self.day[chosen], self.table[chosen])

    def numbers(self, column: str) -> np.ndarray:
        """A column of numbers, (k,) float64."""
        return self.table[column].to_numpy(float)

    def window(self, row: np.ndarray, first: np.ndarray, last: np.ndarray) -> Window:
        """The events of some customers from a day up to and with another.

        Args:
            row: (q,) customers, each any number of times.
            first, last: (q,) days.
        """
        return window(keys(self.row, self.day), row, first, last)

    def records(self, chosen: np.ndarray, n: int, column: str) -> np.ndarray | None:
        """Ids of the newest of the `chosen` (k,) events of each of n customers, -1 = none; None where ids are not
        whole numbers."""
        ids = self.table[column]
        if not pd.api.types.is_integer_dtype(ids):
            return None
        return newest(self.row[chosen], ids.to_numpy("int64")[chosen], self.day[chosen], n)


@dataclass
class Window:
    """Events that follow each other, for q questions.

    Attributes:
        begin, end: (q,) int64, the first event of each question and the one after its last.
    """

    begin: np.ndarray
    end: np.ndarray

    @property
    def count(self) -> np.ndarray:
        """(q,) how many events."""
        return self.end - self.begin

    def total(self, values: np.ndarray) -> np.ndarray:
        """The sum of `values` (k,), none of them missing, over the events of each question, (q,)."""
        return self.difference(running(values))

    def difference(self, sums: np.ndarray) -> np.ndarray:
        """As `total`, of what `running` gives: made once where many windows are asked for."""
        return sums[self.end] - sums[self.begin]


def running(values: np.ndarray) -> np.ndarray:
    """The sum of the values before each event and of all, (k + 1,)."""
    return np.append(0.0, np.cumsum(values, dtype=float))


def keys(row: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Numbers that sort by customer and day, (k,) int64."""
    return np.asarray(row, dtype="int64") * 2 * REACH + np.clip(day, -REACH, REACH - 1).astype("int64")


def window(sorted_keys: np.ndarray, of: np.ndarray, first: np.ndarray, last: np.ndarray) -> Window:
    """The events, by their `keys`, of customers `of` (q,) with `first <= day <= last`."""
    begin = np.searchsorted(sorted_keys, keys(of, first))
    end = np.searchsorted(sorted_keys, keys(of, last), side="right")
    return Window(begin, np.maximum(end, begin))


def take(history: History, name: str, customers: pd.Series) -> Events | None:
    """The facts of `customers` (unique); None without the dataset, or where it is empty.

    Facts of the same day stand in the order of their ids, so that no sum depends on the order of the rows.
    """
    table = history.facts.get(name)
    if table is None or table.empty:
        return None
    row, day = rows_of(table["customer_id"], customers), days_of(table["known"])
    kept = np.flatnonzero(row >= 0)
    ids = pd.factorize(table.iloc[kept, 0], sort=True)[0]
    order = kept[np.lexsort((ids, keys(row[kept], day[kept])))]
    return Events(row[order].astype("int64"), day[order], table.iloc[order].reset_index(drop=True))


def days_of(dates: pd.Series) -> np.ndarray:
    """Dates as days since 1970-01-01, (k,) int64; missing ones as a day before all others."""
    days = dates.to_numpy().astype("datetime64[D]").astype("int64")
    return np.where(dates.isna().to_numpy(), -REACH, days)
