"""The hybrid tiers: regressions on recency, frequency, spend and basket and on what the transaction models say.

Trained on several earlier cut-offs of the company's own past, averaged with the transaction models they correct
(and with gradient boosting where that tier is chosen). Averages of differently wrong models rank and calibrate
better than each of them; the transaction models carry it where the past is short.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from sklearn.preprocessing import StandardScaler

from sync_worker.scoring.base_models import BaseModels, Told, log_odds
from sync_worker.scoring.situation import Outcome, Situation, in_blocks

#: Inverse weight of the ridge of the logistic regression, in training rows: a strong one.
INVERSE_RIDGE = 0.003
#: The ridge hardly holds back what the transaction models say themselves.
TRUST = 10.0
#: By how much the cut-offs learnt from are thought to differ in log-odds when all facts of a customer are alike.
PERIODS_DIFFER = 0.3
POISSON_RIDGE = 0.1
#: No customer is further from the mean than this many standard deviations: regressions run wild out there.
FAR = 5.0
#: Largest values above this quantile of a training period's are cut: one order must not make the model.
HIGH_QUANTILE = 0.999
#: Where that quantile is the largest value itself, it is cut to so many times the next one.
HIGH_FACTOR = 3.0
#: The mean amount counts as typical up to so many times the median: an outlier would make all others alike.
UNIT_FACTOR = 10.0
BOOSTING = {
    "learning_rate": 0.04,
    "max_iter": 100,
    "max_leaf_nodes": 6,
    "min_samples_leaf": 40,
    "l2_regularization": 20.0,
    "early_stopping": False,
    "random_state": 0,
}
#: For churn each split looks at a fifth of the columns, drawn by lot (random subspaces: Ho 1998): columns that say much
#: the same all get a say.
CHURN_BOOSTING = BOOSTING | {"learning_rate": 0.05, "max_features": 0.2}
#: Votes of the trees for churn, and how many once they have so many rows to grow on. For sales they have one: two would
#: rank customers a thousandth of Gini better, and meet the total of ageing ones worse.
TREES_VOTES, MANY_VOTES, MANY_ROWS = 1, 2, 1500
#: Rows predicted at once: they stay in the processor's cache, and memory is bounded.
BLOCK = 25_000
DIGITS = 6
_TINY = 1e-3
#: What `_design` gives, in order; amounts in `unit`, counts, times and amounts as logarithms.
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
#: What `_with_basket` adds, as logarithms. Not for sales: they rank no better by it, and their total is met worse.
BASKET_COLUMNS = ("categories", "lines")
#: What the two transaction models say themselves.
_BASE_COLUMNS = [COLUMNS.index(name) for name in ("transactions_churn", "rhythm_churn")]
#: What says most and changes least in meaning as a company grows.
_PLAIN_COLUMNS = [COLUMNS.index(name) for name in ("x", "silence", "recent_orders", "recent_spend")]


@dataclass(frozen=True)
class Lesson:
    """One earlier cut-off to learn from: what was known, what the models said then, and what came."""

    situation: Situation
    base: BaseModels
    outcome: Outcome
    horizon: float

    @property
    def told(self) -> Told:
        return self.base.tell(self.horizon, self.situation)


class Line(NamedTuple):
    """A logistic regression: what it makes of each column, (k,), and of all of them at nought."""

    slopes: np.ndarray
    level: float

    def log_odds(self, columns: np.ndarray) -> np.ndarray:
        """Log-odds of churn, (n,), of (n, k) columns."""
        return columns @ self.slopes + self.level


class HybridTier:
    """Churn probability from two logistic regressions, one on all columns and one on four, averaged in log-odds
    with the transaction models: a small model holds where the company's own past was another world.

    Args:
        base: the transaction models fitted on all orders.
        lessons: earlier cut-offs.
        boosted: average with gradient boosting on the same columns too.
    """

    def __init__(self, base: BaseModels, lessons: Sequence[Lesson], *, boosted: bool) -> None:
        self.base, self.boosted = base, boosted
        self.unit = _unit(lessons)
        columns = np.vstack([_with_basket(x.situation, x.told, self.unit) for x in lessons])
        churned = np.concatenate([lesson.outcome.churned for lesson in lessons])
        self.n_cutoffs = len(lessons)
        self._scaler = StandardScaler().fit(columns)
        period = np.repeat(np.arange(len(lessons)), [len(lesson.situation) for lesson in lessons])
        self._regression = _fitted(self._scaled(columns.copy()), churned, period, INVERSE_RIDGE)
        self._plain = _fitted(self._held(columns), churned, period)
        # where no lines are known, the draws of columns are not wasted on what is nought for all
        self._width = columns.shape[1] if columns[:, len(COLUMNS) :].any() else len(COLUMNS)
        trees = HistGradientBoostingClassifier(**CHURN_BOOSTING)
        self._trees = trees.fit(columns[:, : self._width], churned) if boosted else None
        self._trees_votes = _trees_votes(len(columns))

    @property
    def name(self) -> str:
        return "boosted" if self.boosted else "regression"

    @property
    def words(self) -> str:
        kind = "regression, gradient boosting" if self.boosted else "regression"
        cutoffs = f"{self.n_cutoffs} earlier cut-offs" if self.n_cutoffs > 1 else "an earlier cut-off"
        return f"{kind} and transaction models averaged, learnt from {cutoffs}"

    def p_alive(self, situation: Situation) -> np.ndarray:
        return self.base.p_alive(situation)

    def p_no_purchase(self, h: np.ndarray, situation: Situation) -> np.ndarray:
        return self.p_no_purchase_each(h, [situation])[0]

    def expected_orders(self, h: np.ndarray, situation: Situation) -> np.ndarray:
        return self.orders_given(self.p_no_purchase(h, situation), h, situation)

    def orders_given(self, p_no_purchase: np.ndarray, h: np.ndarray, situation: Situation) -> np.ndarray:
        """The transaction models' order-days given any, times the chance of any by this tier, (n,).

        Both are means of the two models, so that what is given any lies between those of the two, however sure one
        of them is that there will be none; and there is one order-day a day at most.
        """
        orders, any_at_all = self.base.expected_orders(h, situation), self.base.p_purchase(h, situation)
        return np.minimum(orders / np.maximum(any_at_all, 1e-9), h) * (1 - p_no_purchase)

    def parameters(self) -> dict[str, float]:
        return {**self.base.transactions.parameters(), **self.base.rhythm.parameters()}

    def _scaled(self, columns: np.ndarray) -> np.ndarray:
        """What the ridge looks at, in place of the columns."""
        scaled = _standard(columns, self._scaler)
        scaled[:, _BASE_COLUMNS] *= TRUST
        return scaled

    def _held(self, columns: np.ndarray) -> np.ndarray:
        mean, far = self._scaler.mean_[_PLAIN_COLUMNS], FAR * self._scaler.scale_[_PLAIN_COLUMNS]
        return np.clip(columns[:, _PLAIN_COLUMNS], mean - far, mean + far)

    def p_no_purchase_each(self, h: np.ndarray, situations: Sequence[Situation]) -> np.ndarray:
        """As `p_no_purchase` of several situations of the same customers that do not differ in what the transaction
        models look at (`Told`), so that these are asked once; (situations, n)."""

        def each(h: np.ndarray, *parts: Situation) -> np.ndarray:
            told = self.base.tell(h, parts[0])
            # one table for all: fresh memory takes as long as what is written to it
            room = np.empty((len(parts[0]), len(COLUMNS) + len(BASKET_COLUMNS)))
            return np.column_stack([self._p_no_purchase(part, told, room) for part in parts])

        return in_blocks(each, BLOCK, h, *situations).T

    def _p_no_purchase(self, situation: Situation, told: Told, room: np.ndarray) -> np.ndarray:
        columns = _with_basket(situation, told, self.unit, room)
        plain = self._plain.log_odds(self._held(columns))
        trees = []
        if self._trees is not None:
            grown = self._trees.predict_proba(columns[:, : self._width])[:, 1]
            trees = [log_odds(grown)] * self._trees_votes
        regression = self._regression.log_odds(self._scaled(columns))  # last: of the columns nothing is left
        return expit(np.mean([regression, plain, log_odds(told.p_no_purchase), *trees], axis=0))


class SalesRegression:
    """Sales expected in the horizon: Poisson regression, averaged with the transaction models' forecast.

    The geometric mean ranks customers best, the arithmetic mean meets the total best: the first is raised by the
    ratio of both totals on what was learnt from.

    Args:
        base, lessons, boosted: as for `HybridTier`.
    """

    def __init__(self, base: BaseModels, lessons: Sequence[Lesson], *, boosted: bool) -> None:
        self.base = base
        self.unit = _unit(lessons)
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
        told = np.hstack([self._forecasts(x.situation, x.base) for x in lessons])
        self.level = float(told.mean(axis=0).sum() / max(_geometric(told, self.unit).sum(), 1e-300))

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
        more += [np.log(in_units + 0.01), np.log(rhythm_orders + _TINY)]
        return _design(situation, told, self.unit, more=more), (told.orders + rhythm_orders) / 2 * spend

    def _scaled(self, columns: np.ndarray) -> np.ndarray:
        return _standard(columns, self._scaler)


def _fitted(columns: np.ndarray, churned: np.ndarray, period: np.ndarray, inverse_ridge: float = 1.0) -> Line:
    """The logistic regression of (n, k) columns, at the mean level of the periods.

    Each period has a level of its own, drawn to that of all (random intercepts: Laird & Ware 1982): customers grow
    older from one cut-off to the next, and what only tells a good season from a bad one must not pass for what tells
    its customers apart.

    Args:
        period: (n,) number of the cut-off that each row is of, from 0.
        inverse_ridge: variance that a slope is thought to have.
    """
    shares = np.bincount(period) / len(period)
    scale = PERIODS_DIFFER / np.sqrt(inverse_ridge)
    levels = scale * np.eye(len(shares))[period]
    found = LogisticRegression(C=inverse_ridge, solver="newton-cholesky")
    found.fit(np.hstack([columns, levels]), churned)
    slopes, own = np.split(found.coef_[0], [columns.shape[1]])
    return Line(slopes, float(found.intercept_[0] + scale * (shares @ own)))


def _trees_votes(rows: int) -> int:
    """How often trees grown on so many rows count in an average where each other model counts once."""
    return MANY_VOTES if rows >= MANY_ROWS else TREES_VOTES


def _standard(columns: np.ndarray, scaler: StandardScaler) -> np.ndarray:
    """The columns in standard deviations from their mean, none further than `FAR`, in place; without the checks and
    copies of the scaler's own transform, which take as long again."""
    columns -= scaler.mean_
    columns /= scaler.scale_
    return np.clip(columns, -FAR, FAR, out=columns)


def _unit(lessons: Sequence[Lesson]) -> float:
    """The mean amount of an order-day: the models must not depend on the currency."""
    spend = np.concatenate([x.situation.mean_spend for x in lessons])
    return max(min(float(spend.mean()), UNIT_FACTOR * float(np.median(spend))), 1e-9)


def _geometric(forecasts: np.ndarray, unit: float) -> np.ndarray:
    """The geometric mean of the rows, (n,); the floor keeps one model's nothing from being the verdict."""
    return np.exp(np.log(forecasts + _TINY * unit).mean(axis=0))


def _cut(sales: np.ndarray) -> np.ndarray:
    """The sales of a training period without what a single order towers over all others."""
    bought = sales[sales > 0]
    if not len(bought):
        return sales
    high, next_high = (np.quantile(bought, HIGH_QUANTILE, method=method) for method in ("linear", "lower"))
    return np.minimum(sales, min(high, HIGH_FACTOR * next_high))


def _design(
    situation: Situation,
    told: Told,
    unit: float,
    room: np.ndarray | None = None,
    more: Sequence[np.ndarray] = (),
) -> np.ndarray:
    """`COLUMNS`, which both kinds of regression and the trees look at, and `more` of them, (n, 24 + more) float64.

    Args:
        room: (n, at least so many) that they are written to the first columns of, None for a new table.
    """
    s = situation
    log = np.log1p
    silence = log(s.silence)
    gross = s.mean_spend * (s.x + 1)
    recent, before = log(s.recent_orders), log(s.before_orders)
    recent_spend, before_spend = log(s.recent_spend / unit), log(s.before_spend / unit)
    columns = {
        "x": log(s.x),
        "silence": silence,
        "T": log(s.T),
        "mean_spend": np.log(s.mean_spend / unit + 0.01),
        "revenue": log(np.clip(s.revenue, 0, None) / unit),
        "transactions_churn": told.transactions,
        "transactions_orders": np.log(told.orders + _TINY),
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
    design = np.stack(table, axis=1, out=None if room is None else room[:, : len(table)])
    return np.round(design, DIGITS, out=design)


def _with_basket(situation: Situation, told: Told, unit: float, room: np.ndarray | None = None) -> np.ndarray:
    """`COLUMNS` and `BASKET_COLUMNS`, (n, 26) float64; `room` as in `_design`."""
    basket = [np.log1p(getattr(situation, name)) for name in BASKET_COLUMNS]
    return _design(situation, told, unit, room, basket)
