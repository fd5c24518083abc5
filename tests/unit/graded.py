"""Trials whose customers, probabilities and outcomes are given, to grade."""

import numpy as np
import pandas as pd
from shops import TODAY

from sync_worker.scoring.distribution import SalesDistribution
from sync_worker.scoring.rates import Rate
from sync_worker.scoring.situation import Outcome, Situation, Snapshot
from sync_worker.scoring.trials import Trial


def trial_of(
    churned, probability, *, silence=None, active=None, formats=None, spent=None, day=TODAY, horizon=60
):
    """A trial of customers with a recency that tells nothing unless it is given."""
    n = len(churned)
    full = np.ones(n)
    if silence is None:
        silence = np.random.default_rng(n).uniform(0, 29, n)
    active = full.astype(bool) if active is None else active
    facts = {"mean_spend": 10 * full, "recent_orders": full, "recent_spend": 10 * full}
    x = np.where(active, 3.0, 0.0)
    situation = Situation(x, 200 * full, 200 + silence, 3 * full, full, **facts, revenue=40 * full)
    formats = pd.Series([None] * n if formats is None else formats)
    snapshot = Snapshot(day, np.arange(n), situation, np.nan, formats, 60.0)
    churned = np.asarray(churned, dtype=bool)
    sales = np.where(churned, 0.0, 100.0)
    came = Outcome(churned, 1.0 - churned, sales, sales)
    probabilities = {"mbg_nbd": np.asarray(probability, dtype=float)}
    trial = Trial(
        None,
        snapshot,
        came,
        horizon * full,
        {"mbg_nbd": None},
        probabilities,
        Rate(full, 0.0, full, full),
        "mbg_nbd",
        "recency",
    )
    trial.spent = np.arange(n) + 1.0 if spent is None else np.asarray(spent, dtype=float)
    trial.expected_value = 100 * (1 - probabilities["mbg_nbd"])
    trial._told["mbg_nbd"] = SalesDistribution(0.05 * full, 100 * full, 0.1 * full, full)
    return trial


def chances(n=4000, seed=1):
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.05, 0.75, n)
    return p, rng.random(n) < p


def half(n, gone):
    return np.arange(n) < gone
