"""What the last run called each customer, so that nobody goes to and fro at a border on noise.

A condition that held keeps holding until what it is about has passed its border by a margin, and one that did not
begins to hold from as far beyond it. So a label depends on the labels of the last run and on nothing before, and
noise within the margin changes it at most once.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from sync_worker.history.facts import rows_of
from sync_worker.policy import Policy

#: Labels of the last run that have a say in this one.
LABELS = ("value_class", "burden", "churn_risk", "lifecycle_stage")


def of(previous: pd.DataFrame | None, customers: pd.Series) -> pd.DataFrame | None:
    """The part of `History.previous` that is about some customers and that `recall` looks at."""
    if previous is None:
        return None
    names = ["customer_id", *LABELS, "policy_version_id", "as_of"]
    return previous.loc[previous["customer_id"].isin(customers), names]


def recall(previous: pd.DataFrame | None, customers: pd.Series, policy: Policy, today: int) -> pd.DataFrame:
    """The labels that the last run found of each customer, `LABELS`, a row per customer.

    They are missing where there are none, where they were found under another version of the policy: those would hold
    customers back from what a manager has asked for since; and where they are of a later day.

    Args:
        previous: `History.previous`, or the part of it that `of` gives.
        customers: (n,) ids.
        today: the as-of day, days since 1970-01-01.
    """
    found = pd.DataFrame(None, index=range(len(customers)), columns=[*LABELS], dtype=object)
    if not kept(previous, policy) or previous.empty:
        return found
    at = rows_of(customers, previous["customer_id"])
    counts = previous["policy_version_id"].eq(policy.version).to_numpy(bool, na_value=False)
    counts = counts & (previous["as_of"] <= pd.Timestamp(today, unit="D")).to_numpy()
    told = (at >= 0) & counts[at]
    for name in LABELS:
        found.loc[told, name] = previous[name].to_numpy(object)[at[told]]
    # who had no class was no buyer
    found["burden"] = found["burden"].where(found["value_class"].notna())
    return found


def kept(previous: pd.DataFrame | None, policy: Policy) -> bool:
    """Whether the next run will know the labels of this one."""
    return previous is not None and policy.version is not None


def held(label: pd.Series, met: Collection[str], unmet: Collection[str]) -> np.ndarray:
    """Whether a condition held by a label of the last run, (n,) int8: 1 = it did, -1 = it did not, 0 = nobody knows."""
    return label.isin(met).to_numpy("int8") - label.isin(unmet).to_numpy("int8")
