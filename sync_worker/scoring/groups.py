"""Companies that belong together: branches and the group they are of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.history.facts import rows_of
from sync_worker.history.schema import History


@dataclass
class Groups:
    """The group of each customer.

    Attributes:
        code: (n,) int64, 0 to g - 1.
        names: (g,) object, id of the topmost company of each group.
    """

    code: np.ndarray
    names: np.ndarray

    def total(self, values: np.ndarray) -> np.ndarray:
        """The sum over each group, (g,)."""
        return np.bincount(self.code, values, minlength=len(self.names))

    @property
    def size(self) -> np.ndarray:
        """(n,) how many customers each customer's group has, itself included."""
        return np.bincount(self.code, minlength=len(self.names))[self.code]


def of(history: History, customers: pd.Series) -> Groups | None:
    """The groups of `customers`; one without a group is its own. None where groups are not known."""
    if "group_id" not in history.customers:
        return None
    known = history.customers["group_id"].to_numpy(dtype=object)
    group = known[rows_of(customers, history.customers["customer_id"])]
    own = customers.to_numpy(dtype=object)
    code, names = pd.factorize(np.where(pd.isna(group), own, group))
    return Groups(code.astype("int64"), names)
