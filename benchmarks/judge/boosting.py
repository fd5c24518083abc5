"""Histogram gradient boosting alone, trained on one earlier cut-off or on several."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from benchmarks.judge.cut import Cut, Ledger

WINDOWS = 6
#: Days between training cut-offs: half a horizon, but never closer than this.
STEP_MINIMUM = 15
#: Fewest customers of either outcome to train on.
OUTCOMES = 30
OPTIONS = {
    "learning_rate": 0.05,
    "max_iter": 150,
    "max_leaf_nodes": 15,
    "min_samples_leaf": 40,
    "l2_regularization": 1.0,
    "random_state": 0,
}


def forecast(ledger: Ledger, cut: Cut, windows: int) -> tuple[np.ndarray, np.ndarray] | None:
    """P(no order-day within the horizon) and expected value; None where the history is too short to train.

    Training cut-offs lie a horizon or more before the one judged, with a horizon of history before them.
    """
    step = max(cut.horizon // 2, STEP_MINIMUM)
    days = [cut.at - cut.horizon - step * back for back in range(windows)]
    past = [ledger.cut(day, cut.horizon) for day in days if day - ledger.day.min() >= cut.horizon]
    if not past:
        return None
    facts = np.concatenate([_facts(one) for one in past])
    churned = np.concatenate([one.churned for one in past])
    actual = np.maximum(np.concatenate([one.actual for one in past]), 0)
    if min(churned.sum(), (~churned).sum()) < OUTCOMES:
        return None
    now = _facts(cut)
    risk = HistGradientBoostingClassifier(**OPTIONS).fit(facts, churned).predict_proba(now)[:, 1]
    # in units of the mean, for the Poisson loss is no matter of the currency
    unit = actual.mean()
    value = HistGradientBoostingRegressor(loss="poisson", **OPTIONS).fit(facts, actual / unit).predict(now)
    return risk, value * unit


def _facts(cut: Cut) -> np.ndarray:
    """Logarithms of recency, frequency, tenure and spend, and the own gap; boosting copes with missing ones."""
    gap = np.maximum(cut.usual_gap, 1)
    columns = (
        np.log1p(cut.silence),
        np.log1p(cut.order_days),
        np.log1p(cut.tenure),
        np.log1p(np.maximum(cut.total, 0) / cut.order_days),
        np.log1p(np.maximum(cut.total, 0)),
        np.log1p(cut.recent_order_days),
        np.log1p(np.maximum(cut.recent_total, 0)),
        np.log(gap),
        np.log1p(cut.silence / gap),
    )
    return np.column_stack(columns)
