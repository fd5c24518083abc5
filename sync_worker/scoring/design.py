"""The columns that regressions and trees look at: what is known of each customer, what the transaction models say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.preprocessing import StandardScaler

from sync_worker.scoring.base_models import Told
from sync_worker.scoring.situation import Situation

#: No customer is further from the mean than this many standard deviations: regressions run wild out there.
FAR = 5.0
#: The mean amount counts as typical up to so many times the median: an outlier would make all others alike.
UNIT_FACTOR = 10.0
DIGITS = 6
#: Keeps logarithms of what may be nothing finite.
TINY = 1e-3
#: What `plain` gives, in order; amounts in `unit`, counts, times and amounts as logarithms.
COLUMNS = (
    "x",
    "silence",
    "T",
    "mean_spend",
    "revenue",
    "transactions_churn",
    "transactions_orders",
    "transactions_alive",
    "rhythm_churn",
    "mu",
    "sigma",
    "lateness",
    "recent_orders",
    "before_orders",
    "earlier_orders",
    "latest_orders",
    "recent_spend",
    "before_spend",
    "last_spend",
    "returned",
    "one_order_only",
    "run_rate",
    "orders_change",
    "spend_change",
)
#: What `with_basket` adds, as logarithms. Not for sales: they rank no better by it, and their total is met worse.
BASKET_COLUMNS = ("categories", "lines")


def plain(
    situation: Situation,
    told: Told,
    unit: float,
    room: np.ndarray | None = None,
    more: Sequence[np.ndarray] = (),
) -> np.ndarray:
    """`COLUMNS`, which both kinds of regression and the trees look at, and `more` of them, (n, 24 + more) float64.

    Args:
        unit: money that amounts are counted in.
        room: (n, at least so many) that they are written to the first columns of, None for a new table.
    """
    s = situation
    log = np.log1p
    silence = log(s.silence)
    gross = s.gross
    recent, before = log(s.recent_orders), log(s.before_orders)
    recent_spend, before_spend = log(s.recent_spend / unit), log(s.before_spend / unit)
    columns = {
        "x": log(s.x),
        "silence": silence,
        "T": log(s.T),
        "mean_spend": np.log(s.mean_spend / unit + 0.01),
        "revenue": log(np.clip(s.revenue, 0, None) / unit),
        "transactions_churn": told.transactions,
        "transactions_orders": np.log(told.orders + TINY),
        "transactions_alive": told.alive,
        "rhythm_churn": told.rhythm,
        "mu": s.mu,
        "sigma": s.sigma,
        "lateness": np.clip((silence - s.mu) / s.sigma, -4, 6),
        "recent_orders": recent,
        "before_orders": before,
        "earlier_orders": log(s.earlier_orders),
        "latest_orders": log(s.latest_orders),
        "recent_spend": recent_spend,
        "before_spend": before_spend,
        "last_spend": np.log(s.last_spend / unit + 0.01),
        "returned": np.clip(1 - s.revenue / np.maximum(gross, 1e-300), 0, 1),
        "one_order_only": (s.x == 0).astype(float),
        "run_rate": np.log((s.x + 1) / (s.T + 30)),
        "orders_change": np.clip(recent - before, -2, 2),
        "spend_change": np.clip(recent_spend - before_spend, -4, 4),
    }
    # the last digits depend on the currency's unit, and trees split on any of them
    table = [*(columns[name] for name in COLUMNS), *more]
    made = np.stack(table, axis=1, out=None if room is None else room[:, : len(table)])
    return np.round(made, DIGITS, out=made)


def with_basket(situation: Situation, told: Told, unit: float, room: np.ndarray | None = None) -> np.ndarray:
    """`COLUMNS` and `BASKET_COLUMNS`, (n, 26) float64; arguments as in `plain`."""
    basket = [np.log1p(getattr(situation, name)) for name in BASKET_COLUMNS]
    return plain(situation, told, unit, room, basket)


def standard(columns: np.ndarray, scaler: StandardScaler) -> np.ndarray:
    """The columns in standard deviations from their mean, none further than `FAR`, in place; without the checks and
    copies of the scaler's own transform, which take as long again."""
    columns -= scaler.mean_
    columns /= scaler.scale_
    return np.clip(columns, -FAR, FAR, out=columns)


def typical_amount(situations: Sequence[Situation]) -> float:
    """The mean amount of an order-day, money: the models must not depend on the currency."""
    spend = np.concatenate([one.mean_spend for one in situations])
    return max(min(float(spend.mean()), UNIT_FACTOR * float(np.median(spend))), 1e-9)
