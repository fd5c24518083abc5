"""The simple rules anyone could use, which a forecast has to beat to be worth anything."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from sync_worker.scoring.situation import Situation

#: Steps of the scores of recency, frequency and spend.
STEPS = 5
#: Rules that look at the windows of recent behaviour of a snapshot, whose length they have to name.
WINDOWED = frozenset({"last_period", "low_spend"})


def _rfm(situation: Situation) -> np.ndarray:
    gross = situation.gross
    return sum(_fifth(values) for values in (-situation.silence, situation.x, gross))


def _fifth(values: np.ndarray) -> np.ndarray:
    return np.ceil(pd.Series(values).rank(pct=True).to_numpy() * STEPS)


def _yearly(situation: Situation) -> np.ndarray:
    # a month more for all, or who ordered yesterday for the first time would be the busiest of all
    return (situation.x + 1) / (situation.T + 30) * 365.25


#: By code: (what the rule looks at, 1 where more of it means more risk, else -1, name and factor of the
#: figure shown).
RULES: dict[str, tuple[Callable[[Situation], np.ndarray], int, str, float]] = {
    "recency": (lambda s: s.silence, 1, "days", 1),
    "lateness": (lambda s: s.silence / np.exp(s.mu), 1, "percent", 100),
    "rfm_score": (_rfm, -1, "score", 1),
    "last_period": (lambda s: s.recent_orders, -1, "order_days", 1),
    "low_spend": (lambda s: s.recent_spend, -1, "amount", 1),
    "run_rate": (_yearly, -1, "order_days", 1),
}


def scores(situation: Situation) -> dict[str, np.ndarray]:
    """How much at risk each rule calls each customer, (n,) float64 by code; only the order counts."""
    return {code: sign * look(situation) for code, (look, sign, _name, _factor) in RULES.items()}


def threshold(code: str, score: float, window_days: float) -> dict[str, int]:
    """The figures a rule names.

    Args:
        score: of the last customer it lists.
        window_days: length of the windows of recent behaviour it looked at (`Snapshot.horizon`).
    """
    _look, sign, name, factor = RULES[code]
    window = {"window_days": int(window_days)} if code in WINDOWED else {}
    return {name: round(sign * score * factor), **window}
