"""What speaks for a label, with figures: the form in which every module hands over its reasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sync_worker.scoring import grouped


@dataclass
class Evidence:
    """A reason that may be given to some customers; arrays are (n,), a row per buyer.

    Attributes:
        code: a key of reason_schema.json, which names its params and the model of its records.
        holds: mask of the customers it is true for.
        params: whole numbers by name; where the schema says `category`, the history's own ids.
        records: (n, k) ids of the records behind it, -1 = none; None where there are none to show.
        strength: one for all or (n,); the stronger is told first within its topic.
        contribution: (n,) what it changes in the churn probability, NaN where no model tells; where one does, that is
            its strength. None where it changes nothing.
    """

    code: str
    holds: np.ndarray
    params: dict[str, np.ndarray]
    records: np.ndarray | None = None
    strength: np.ndarray | float = 0.0
    contribution: np.ndarray | None = None


def newest(row: np.ndarray, record_id: np.ndarray, day: np.ndarray, n: int, most: int = 5) -> np.ndarray:
    """The newest records of each customer, (n, most) int64, newest first, -1 = none.

    Negative ids are sales at the counter (`history.odoo`): there is no sales order to open.

    Args:
        row: (k,) row of the customer of each record, -1 = nobody's.
        record_id: (k,) integers.
        day: (k,) what to sort by.
        n: number of customers.
    """
    kept = np.flatnonzero((row >= 0) & (record_id >= 0))
    result = np.full((n, most), -1, dtype="int64")
    if not len(kept):
        return result
    if len(kept) < len(row):  # of many orders nothing is copied needlessly
        row, record_id, day = row[kept], record_id[kept], day[kept]
    del kept
    first, last = int(day.min()), int(day.max())
    by_day = row.astype("int64") * (last - first + 1)
    by_day += last - day
    order = grouped.argsort_by(by_day, -record_id)
    del by_day
    rows = row[order]
    start = np.searchsorted(rows, np.arange(n))
    place = np.arange(len(rows)) - start[rows]
    inside = place < most
    result[rows[inside], place[inside]] = record_id[order][inside]
    return result
