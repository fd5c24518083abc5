"""What purchase histories of other companies teach about who leaves: it stands in where the own past is short.

One logistic regression of several public histories, at many cut-offs each (transfer of parameters: Pan & Yang 2010,
IEEE Transactions on Knowledge and Data Engineering 22, section 3). It looks at what means the same everywhere, each
column in standard deviations of the company's own customers, so that neither the currency nor the pace of a trade
matters, and it only tells their order: how high risks are and how far apart, the company's own orders say.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn.preprocessing import StandardScaler

from sync_worker.scoring import design
from sync_worker.scoring.averaged import AveragedTier
from sync_worker.scoring.base_models import BaseModels, log_odds
from sync_worker.scoring.situation import Situation

#: Change of the log-odds of churn by a standard deviation of a column of `design.with_basket`; what is not named says
#: nothing more. Learnt by benchmarks/transfer --write.
SLOPES = {
    "x": -0.09,
    "silence": 0.0,
    "revenue": -0.21,
    "transactions_churn": 0.23,
    "rhythm_churn": 0.18,
    "recent_orders": -0.22,
    "before_orders": -0.18,
    "earlier_orders": -0.14,
    "categories": -0.18,
}
#: Customers that it is fitted to, at most.
MOST = 20_000
#: Places between which it is matched.
PLACES = 201
#: A standard deviation that is not told from rounding.
ROUNDING = 1e-6
#: Digits of a score: rows that are alike must have the same one, and the last bits of a product depend on their place.
DIGITS = 9


def slopes(scaler: StandardScaler) -> np.ndarray:
    """`SLOPES` in the order of the columns that are scaled, (k,); nothing of a column in which no customer differed."""
    names = design.COLUMNS + design.BASKET_COLUMNS
    found = np.zeros(len(scaler.var_))
    found[[names.index(name) for name in SLOPES]] = list(SLOPES.values())
    found[scaler.var_ < ROUNDING**2] = 0
    return found


def sample(situation: Situation) -> Situation:
    """The customers whose other votes it is fitted to, at most `MOST`."""
    if len(situation) <= MOST:
        return situation
    return situation.part(np.sort(np.random.default_rng(0).choice(len(situation), MOST, replace=False)))


class Matched(NamedTuple):
    """A model of the order of customers that gives the log-odds which other models give to the customer of the same
    place.

    Attributes:
        slopes: (k,) of the columns that its scores are of.
        scores: (q,) ascending.
        log_odds_at: (q,) of the scores; between two of them, in proportion.
    """

    slopes: np.ndarray
    scores: np.ndarray
    log_odds_at: np.ndarray

    def log_odds(self, columns: np.ndarray) -> np.ndarray:
        """Log-odds of churn, (n,), of (n, k) columns."""
        return np.interp(_scores(columns, self.slopes), self.scores, self.log_odds_at)


def matched(own_slopes: np.ndarray, columns: np.ndarray, others: np.ndarray) -> Matched:
    """The model with these slopes, (k,), whose log-odds of the (n, k) columns are distributed as what other models
    tell of the same customers, (n,): level, width and shape."""
    told = _scores(columns, own_slopes)
    if told.std() <= ROUNDING:
        return Matched(own_slopes, np.zeros(1), others.mean(keepdims=True))
    at = np.linspace(0, 1, PLACES)
    scores, place = np.unique(np.quantile(told, at), return_inverse=True)
    levels = np.bincount(place, np.quantile(others, at)) / np.bincount(place)
    return Matched(own_slopes, scores, levels)


def _scores(columns: np.ndarray, own_slopes: np.ndarray) -> np.ndarray:
    return np.round(columns @ own_slopes, DIGITS)


class TransferTier(AveragedTier):
    """Churn probability of the transaction models, averaged with what other companies' histories teach.

    Args:
        base: the transaction models fitted on all orders.
        situation: of the customers to forecast.
        horizon: days that it is fitted to.
    """

    name = "transfer"
    words = "transaction models averaged with what other companies' purchase histories teach"

    def __init__(self, base: BaseModels, situation: Situation, horizon: float) -> None:
        situation = sample(situation)
        super().__init__(base, design.typical_amount([situation]), horizon)
        told = base.tell(horizon, situation)
        columns = design.with_basket(situation, told, self.unit)
        self._scaler = StandardScaler().fit(columns)
        columns = design.standard(columns, self._scaler)
        self._matched = matched(slopes(self._scaler), columns, log_odds(told.p_no_purchase))

    def _votes(self, columns: np.ndarray) -> tuple[np.ndarray, float]:
        return self._matched.log_odds(design.standard(columns, self._scaler)), 1
