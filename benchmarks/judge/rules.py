"""Simple rules that anyone could use, as docs/backtest.md lists them. Higher: more at risk."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import rankdata

from benchmarks.judge.cut import Cut

STEPS = 5
DAYS_A_YEAR = 365.25


def recency(cut: Cut) -> np.ndarray:
    """The longer silent."""
    return cut.silence.astype(float)


def lateness(cut: Cut) -> np.ndarray:
    """The longer silent by the own usual gap; by that of the others for one who has none."""
    known = np.isfinite(cut.usual_gap)
    everyone = float(np.median(cut.usual_gap[known])) if known.any() else 1.0
    return cut.silence / np.where(known, cut.usual_gap, everyone)


def rfm_score(cut: Cut) -> np.ndarray:
    """The lower the sum of five-step scores of recency, frequency and spend."""
    return -(five_steps(-cut.silence) + five_steps(cut.order_days) + five_steps(cut.total)).astype(float)


def last_period(cut: Cut) -> np.ndarray:
    """The fewer order-days in the last horizon."""
    return -cut.recent_order_days.astype(float)


def low_spend(cut: Cut) -> np.ndarray:
    """The less spent in the last horizon."""
    return -cut.recent_total


def run_rate(cut: Cut) -> np.ndarray:
    """The fewer order-days a year since the first one."""
    return -cut.order_days * DAYS_A_YEAR / (cut.tenure + 1)


RULES: dict[str, Callable[[Cut], np.ndarray]] = {
    rule.__name__: rule for rule in (recency, lateness, rfm_score, last_period, low_spend, run_rate)
}


def five_steps(values: np.ndarray) -> np.ndarray:
    """1 for the lowest fifth of customers to 5 for the highest; equal values get the same step."""
    return np.ceil(STEPS * rankdata(values) / len(values)).astype(int)
