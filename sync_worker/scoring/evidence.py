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
    """The newest records of each customer, (n, most) int32 where the ids fit, newest first, -1 = none.

    Negative ids are sales at the counter (`history.odoo`): there is no sales order to open.

    Args:
        row: (k,) row of the customer of each record, -1 = nobody's.
        record_id: (k,) integers.
        day: (k,) what to sort by.
        n: number of customers.
    """
    kept = (row >= 0) & (record_id >= 0)
    if not kept.all():  # of many orders nothing is copied needlessly
        row, record_id, day = row[kept], record_id[kept], day[kept]
    del kept
    result = np.full((n, most), -1, dtype="int32" if record_id.max(initial=0) < 2**31 else "int64")
    if not len(row):
        return result
    # what is by customer and day is in order backwards
    row, record_id, day = row[::-1], record_id[::-1], day[::-1]
    first, last = int(day.min()), int(day.max())
    backwards = (n - 1 - row.astype("int64")) * (last - first + 1)
    backwards += last - day
    order = grouped.argsort_by(backwards, -record_id)
    del backwards
    row, record_id = row[order], record_id[order]
    start = np.flatnonzero(np.append(True, row[1:] != row[:-1]))
    count = np.diff(start, append=len(row))
    for place in range(most):
        found = start[count > place] + place
        result[row[found], place] = record_id[found]
    return result
