"""What the last run called each customer, so that nobody goes to and fro at a border on noise.

A condition that held keeps holding until what it is about has passed its border by a margin, and one that did not
begins to hold from as far beyond it. So a label depends on the labels of the last run and on nothing before, and
noise within the margin changes it at most once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd

from sync_worker.history.facts import rows_of
from sync_worker.policy import WEIGHTS, Policy

#: Labels of the last run that have a say in this one.
LABELS = ("value_class", "burden", "churn_risk", "lifecycle_stage")

_FITTED_BY = frozenset({"churn_horizon_days", "current_window_days", "peers_minimum", "sales_basis"})
_GONE_BY = frozenset({"dormant_factor", "dormant_days", "lost_factor", "lost_days"})
_LOYAL_BY = frozenset(
    {
        "approval_order_days",
        "preference_order_days",
        "loyalty_order_days",
        "loyalty_p_alive",
        "breadth_kept",
        "cadence_broken_factor",
        "cadence_broken_days",
        "unsatisfied_below",
    }
)
_CLASSED_BY = frozenset(
    {
        *(_FITTED_BY | _GONE_BY | _LOYAL_BY),
        *WEIGHTS,
        "value_horizon_years",
        "discount_rate",
        "peers_by_territory",
        "key_share",
        "key_rule",
        "key_value_minimum",
        "growth_index_minimum",
        "growth_ratio_minimum",
        "hysteresis_value",
    }
)
_COSTS = frozenset(
    {"net_value_minimum", "return_cost_share", "financing_rate", "activity_cost", "message_cost"}
)
#: Keys of the policy that each label is told by: under a version in which one of them is another, what was remembered
#: would hold customers back from what a manager has asked for. `value_class` stands for whether a customer was key and
#: whether it was growth; whether its net value was poor, which costs decide too, is known where `burden` is.
TOLD_BY = {
    "value_class": _CLASSED_BY,
    "burden": _CLASSED_BY | _COSTS,
    "churn_risk": _FITTED_BY | {"risk_medium_from", "risk_high_from", "hysteresis_probability"},
    "lifecycle_stage": _FITTED_BY | _GONE_BY | {"approval_order_days", "extension_ratio", "hysteresis_value"},
}


def of(previous: pd.DataFrame | None, customers: pd.Series) -> pd.DataFrame | None:
    """The part of `History.previous` that is about some customers and that `recall` looks at."""
    if previous is None:
        return None
    names = ["customer_id", *LABELS, "policy_version_id", "as_of"]
    return previous.loc[previous["customer_id"].isin(customers), names]


def recall(
    previous: pd.DataFrame | None,
    customers: pd.Series,
    policy: Policy,
    today: int,
    known: Iterable[Policy | None] = (),
) -> pd.DataFrame:
    """The labels that the last run found of each customer, `LABELS`, a row per customer.

    They are missing where there are none; where they were found by a version of the policy that is not at hand, or in
    which a key that tells them (`TOLD_BY`) is another; and where they are of a later day.

    Args:
        previous: `History.previous`, or the part of it that `of` gives.
        customers: (n,) ids.
        today: the as-of day, days since 1970-01-01.
        known: policies at hand besides `policy`, by which they may have been found.
    """
    found = pd.DataFrame(None, index=range(len(customers)), columns=[*LABELS], dtype=object)
    if not kept(previous, policy) or previous.empty:
        return found
    at = rows_of(customers, previous["customer_id"])
    by_then = (previous["as_of"] <= pd.Timestamp(today, unit="D")).to_numpy()
    versions = {one.version: one for one in (*known, policy) if one is not None and one.version is not None}
    for version, by in versions.items():
        counts = previous["policy_version_id"].eq(version).to_numpy(bool, na_value=False) & by_then
        told, differing = (at >= 0) & counts[at], policy.differing(by)
        for name in LABELS:
            if not differing & TOLD_BY[name]:
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
