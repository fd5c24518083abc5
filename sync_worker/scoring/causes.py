"""Why the labels of a customer change from one run to the next, where it is not what the customer did."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from sync_worker.policy import Policy
from sync_worker.scoring import labels


def _nobody() -> pd.Series:
    return pd.Series(dtype="int64")


@dataclass(frozen=True)
class Before:
    """What is known of the run before; of customers, (k,) ids each.

    Attributes:
        policy: by which it labelled, where it was another.
        tier: the model it forecast by (`Forecast.name`), None where that is not known.
        known: customers it knew.
        corrected: customers whose sales of the days before it are not what it read.
        relabelled: customers whom this release of the worker would have called otherwise on what it read.
    """

    policy: Policy | None = None
    tier: str | None = None
    known: pd.Series = field(default_factory=_nobody)
    corrected: pd.Series = field(default_factory=_nobody)
    relabelled: pd.Series = field(default_factory=_nobody)


@dataclass(frozen=True)
class Otherwise:
    """Customers whose labels would be others on the same data by the policy, or by the model, of the run before; (k,)
    ids each."""

    by_policy: pd.Series = field(default_factory=_nobody)
    by_model: pd.Series = field(default_factory=_nobody)


def told(customers: pd.Series, before: Before, otherwise: Otherwise) -> pd.Categorical:
    """Why the labels of each customer are what they are, where they change, (n,): `policy`, `data`, `model` or
    `behaviour`, the first that applies.

    What another policy or model tells of the same data is its doing, and so is what another release tells of what the
    run before read. Of a past that is another than it read nobody can say how much it did; it comes after the policy,
    whose doing is certain.

    Args:
        customers: (n,) ids.
    """
    by_model = customers.isin(otherwise.by_model) & customers.isin(before.known)
    conditions = [
        customers.isin(otherwise.by_policy),
        customers.isin(before.corrected),
        by_model | customers.isin(before.relabelled),
    ]
    names = ["policy", "data", "model"]
    return labels.first([each.to_numpy() for each in conditions], names, "behaviour")
