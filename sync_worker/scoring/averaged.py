"""Tiers that average differently wrong models in log-odds: averages rank and calibrate better than each of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from sync_worker.scoring import design
from sync_worker.scoring.base_models import BaseModels, Told, log_odds
from sync_worker.scoring.situation import Situation, in_blocks

#: Rows predicted at once: they stay in the processor's cache, and memory is bounded.
BLOCK = 25_000


class Line(NamedTuple):
    """A linear model of log-odds: what it makes of each column, (k,), and of all of them at nought."""

    slopes: np.ndarray
    level: float

    def log_odds(self, columns: np.ndarray) -> np.ndarray:
        """Log-odds of churn, (n,), of (n, k) columns."""
        return columns @ self.slopes + self.level


class AveragedTier(ABC):
    """A churn model that averages the transaction models with others that look at `design.with_basket`.

    Args:
        base: the transaction models fitted on all orders.
        unit: money that amounts are counted in.
        horizon: days; the one that the other models know. Probabilities of another one are `carried` to it.
    """

    name: str
    words: str
    #: Factor of the order-days that the transaction models give if there is any.
    orders_factor = 1.0

    def __init__(self, base: BaseModels, unit: float, horizon: float) -> None:
        self.base, self.unit, self.horizon = base, unit, horizon

    @abstractmethod
    def _votes(self, columns: np.ndarray) -> tuple[np.ndarray, float]:
        """The sum of the other models' log-odds of churn, (n,), and how many votes it is of; of the columns nothing
        may be left."""

    def p_alive(self, situation: Situation) -> np.ndarray:
        return self.base.p_alive(situation)

    def p_no_purchase(self, h: np.ndarray, situation: Situation) -> np.ndarray:
        return self.p_no_purchase_each(h, [situation])[0]

    def expected_orders(self, h: np.ndarray, situation: Situation) -> np.ndarray:
        return self.orders_given(self.p_no_purchase(h, situation), h, situation)

    def orders_given(self, p_no_purchase: np.ndarray, h: np.ndarray, situation: Situation) -> np.ndarray:
        """The transaction models' order-days given any, times the chance of any by this tier and `orders_factor`,
        (n,); if any, one at least and one a day at most."""
        orders = self.orders_factor * given_any(self.base, h, situation)
        return (1 - p_no_purchase) * np.clip(orders, 1.0, np.maximum(h, 1.0))

    def parameters(self) -> dict[str, float]:
        return {**self.base.transactions.parameters(), **self.base.rhythm.parameters()}

    def p_no_purchase_each(self, h: np.ndarray, situations: Sequence[Situation]) -> np.ndarray:
        """As `p_no_purchase` of several situations of the same customers that do not differ in what the transaction
        models look at (`Told`), so that these are asked once; (situations, n)."""

        def each(h: np.ndarray, *parts: Situation) -> np.ndarray:
            told = self.base.tell(self.horizon, parts[0])
            asked = self.base.p_no_purchase(h, parts[0]) if (h != self.horizon).any() else None
            # one table for all: fresh memory takes as long as what is written to it
            room = np.empty((len(parts[0]), len(design.COLUMNS) + len(design.BASKET_COLUMNS)))
            found = [expit(self._log_odds(part, told, room)) for part in parts]
            if asked is not None:
                found = [carried(p, h - self.horizon, told.p_no_purchase, asked) for p in found]
            return np.column_stack(found)

        return in_blocks(each, BLOCK, h, *situations).T

    def _log_odds(self, situation: Situation, told: Told, room: np.ndarray | None = None) -> np.ndarray:
        """Of no purchase within `horizon`, which the transaction models told of, (n,)."""
        total, votes = self._votes(design.with_basket(situation, told, self.unit, room))
        return (total + log_odds(told.p_no_purchase)) / (votes + 1)


def carried(p: np.ndarray, longer_by: np.ndarray, usual: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The probability of no purchase within another horizon than the one that p is of, (n,), by the transaction models,
    which know any.

    Of a shorter one: who orders within the longer one has ordered by then with their chance. Of a longer one: the
    log-odds change as theirs do, so that what corrects them goes on doing so.

    Args:
        longer_by: (n,) days, by which the other horizon is longer.
        usual, asked: (n,) by the transaction models, of the horizon of p and of the other one.
    """
    sooner = np.clip((1 - asked) / np.maximum(1 - usual, 1e-9), 0, 1)
    later = expit(log_odds(p) + log_odds(asked) - log_odds(usual))
    return np.select([longer_by < 0, longer_by > 0], [1 - (1 - p) * sooner, later], p)


def given_any(base: BaseModels, h: np.ndarray | float, situation: Situation) -> np.ndarray:
    """Order-days within h days if there is any, by the transaction models, (n,).

    Both are means of the two models, so that it lies between those of the two, however sure one of them is that there
    will be none; and there is one order-day a day at most.
    """
    orders, any_at_all = base.expected_orders(h, situation), base.p_purchase(h, situation)
    return np.minimum(orders / np.maximum(any_at_all, 1e-9), h)
