"""Sales expected in the horizon, learnt from several earlier cut-offs of the company's own past."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import PoissonRegressor
from sklearn.preprocessing import StandardScaler

from sync_worker.scoring import design
from sync_worker.scoring.averaged import BLOCK
from sync_worker.scoring.base_models import BaseModels
from sync_worker.scoring.hybrid import BOOSTING, Lesson
from sync_worker.scoring.outliers import shared_total
from sync_worker.scoring.situation import Situation, in_blocks

POISSON_RIDGE = 0.1
#: Largest values above this quantile of a training period's are cut: one order must not make the model.
HIGH_QUANTILE = 0.999
#: Where that quantile is the largest value itself, it is cut to so many times the next one.
HIGH_FACTOR = 3.0


class SalesRegression:
    """Sales expected in the horizon: Poisson regression, averaged with the transaction models' forecast.

    The geometric mean ranks customers best, the arithmetic mean meets the total best: the first is raised by the
    ratio of both totals on what was learnt from, in which no customer has more than a share.

    Args:
        base, lessons, boosted: as for `HybridTier`.
    """

    def __init__(self, base: BaseModels, lessons: Sequence[Lesson], *, boosted: bool) -> None:
        self.base = base
        self.unit = design.typical_amount([lesson.situation for lesson in lessons])
        self.horizon = lessons[0].horizon
        columns = np.vstack([self._columns(x.situation, x.base, x.horizon)[0] for x in lessons])
        sales = np.concatenate([_cut(lesson.outcome.sales) for lesson in lessons]) / self.unit
        self.largest = float(sales.max())
        self.mean = max(float(sales.mean()), 1e-9)
        self._scaler = StandardScaler().fit(columns)
        self._regression = PoissonRegressor(alpha=POISSON_RIDGE, solver="newton-cholesky")
        self._regression.fit(self._scaled(columns.copy()), sales / self.mean)
        self._trees = (
            HistGradientBoostingRegressor(loss="poisson", **BOOSTING).fit(columns, sales / self.mean)
            if boosted
            else None
        )
        told = [self._forecasts(x.situation, x.base) for x in lessons]
        total, ranked = (
            sum(shared_total(mean(one)) for one in told)
            for mean in (lambda one: one.mean(axis=0), lambda one: _geometric(one, self.unit))
        )
        self.level = total / max(ranked, 1e-300)

    def expected_sales(self, h: np.ndarray, situation: Situation) -> np.ndarray:
        """Amount of the orders expected within h days, (n,), returns not subtracted.

        The regressions know the horizon they learnt from; another one is reached by the transaction models'
        ratio of the two.
        """
        learnt = np.full(len(situation), self.horizon)
        ratio = self.base.expected_orders(h, situation) / np.maximum(
            self.base.expected_orders(learnt, situation), 1e-9
        )
        return _geometric(self._forecasts(situation, self.base), self.unit) * self.level * ratio

    def _forecasts(self, situation: Situation, base: BaseModels) -> np.ndarray:
        """What each model expects within the horizon learnt from, (models, n)."""

        def votes(h: np.ndarray, situation: Situation) -> np.ndarray:
            columns, told = self._columns(situation, base, h)
            trees = [] if self._trees is None else [self._trees.predict(columns)]
            regressions = [self._regression.predict(self._scaled(columns)), *trees]
            return np.column_stack([*(one * self.mean * self.unit for one in regressions), told])

        found = in_blocks(votes, BLOCK, self.horizon, situation)
        return np.minimum(found, 3 * self.largest * self.unit).T

    def _columns(
        self, situation: Situation, base: BaseModels, h: np.ndarray | float
    ) -> tuple[np.ndarray, np.ndarray]:
        """What the regressions look at, (n, 28), and the sales that the transaction models expect, (n,)."""
        told = base.tell(h, situation)
        spend = base.expected_spend(situation)
        in_units, rhythm_orders = spend / self.unit, base.rhythm.expected_orders(h, situation)
        more = [np.log(one * in_units + 0.01) for one in (told.orders, rhythm_orders)]
        more += [np.log(in_units + 0.01), np.log(rhythm_orders + design.TINY)]
        return design.plain(situation, told, self.unit, more=more), (told.orders + rhythm_orders) / 2 * spend

    def _scaled(self, columns: np.ndarray) -> np.ndarray:
        return design.standard(columns, self._scaler)


def _geometric(forecasts: np.ndarray, unit: float) -> np.ndarray:
    """The geometric mean of the rows, (n,); the floor keeps one model's nothing from being the verdict."""
    return np.exp(np.log(forecasts + design.TINY * unit).mean(axis=0))


def _cut(sales: np.ndarray) -> np.ndarray:
    """The sales of a training period without what a single order towers over all others."""
    bought = sales[sales > 0]
    if not len(bought):
        return sales
    high, next_high = (np.quantile(bought, HIGH_QUANTILE, method=method) for method in ("linear", "lower"))
    return np.minimum(sales, min(high, HIGH_FACTOR * next_high))
