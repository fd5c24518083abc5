"""The hybrid tiers: regressions on recency, frequency, spend and basket and on what the transaction models say.

Trained on several earlier cut-offs of the company's own past, averaged with the transaction models they correct,
with what other companies teach, and with gradient boosting where that tier is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from sync_worker.scoring import design, transfer
from sync_worker.scoring.averaged import AveragedTier, Line, given_any
from sync_worker.scoring.base_models import BaseModels, Told, log_odds
from sync_worker.scoring.situation import Outcome, Situation

#: Inverse weight of the ridge of the logistic regression, in training rows: a strong one.
INVERSE_RIDGE = 0.003
#: The ridge hardly holds back what the transaction models say themselves.
TRUST = 10.0
#: By how much the cut-offs learnt from are thought to differ in log-odds when all facts of a customer are alike.
PERIODS_DIFFER = 0.3
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
#: Votes of what other companies teach, and how many from `MANY_ROWS` of the own past on.
ELSEWHERE_VOTES, ELSEWHERE_MANY = 1.0, 0.5
#: By how much order-days that came over those forecast are thought to differ, in logarithm, between companies.
FACTORS_DIFFER = 0.1
#: What the two transaction models say themselves.
_BASE_COLUMNS = [design.COLUMNS.index(name) for name in ("transactions_churn", "rhythm_churn")]
#: What says most and changes least in meaning as a company grows.
_PLAIN_COLUMNS = [design.COLUMNS.index(name) for name in ("x", "silence", "recent_orders", "recent_spend")]


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


class HybridTier(AveragedTier):
    """Churn probability from two logistic regressions, one on all columns and one on four, averaged in log-odds with
    the transaction models and with what other companies teach: a small model, or one learnt elsewhere, holds where the
    company's own past was another world.

    Args:
        base: the transaction models fitted on all orders.
        lessons: earlier cut-offs, of one horizon.
        situation: of the customers to forecast.
        boosted: average with gradient boosting on the same columns too.
    """

    def __init__(
        self,
        base: BaseModels,
        lessons: Sequence[Lesson],
        situation: Situation,
        *,
        boosted: bool,
    ) -> None:
        unit = design.typical_amount([lesson.situation for lesson in lessons])
        super().__init__(base, unit, lessons[0].horizon)
        self.boosted = boosted
        columns = np.vstack([design.with_basket(x.situation, x.told, self.unit) for x in lessons])
        churned = np.concatenate([lesson.outcome.churned for lesson in lessons])
        self.n_cutoffs = len(lessons)
        self._scaler = StandardScaler().fit(columns)
        period = np.repeat(np.arange(len(lessons)), [len(lesson.situation) for lesson in lessons])
        self._regression = _fitted(self._scaled(columns.copy()), churned, period, INVERSE_RIDGE)
        self._plain = _fitted(self._held(columns), churned, period)
        self._elsewhere = self._matched(transfer.sample(situation))
        self._elsewhere_votes = ELSEWHERE_MANY if len(columns) >= MANY_ROWS else ELSEWHERE_VOTES
        # where no lines are known, the draws of columns are not wasted on what is nought for all
        known = columns[:, len(design.COLUMNS) :].any()
        self._width = columns.shape[1] if known else len(design.COLUMNS)
        trees = HistGradientBoostingClassifier(**CHURN_BOOSTING)
        self._trees = trees.fit(columns[:, : self._width], churned) if boosted else None
        self._trees_votes = _trees_votes(len(columns)) if boosted else 0
        self.orders_factor = self._orders_factor(lessons)

    @property
    def name(self) -> str:
        return "boosted" if self.boosted else "regression"

    @property
    def words(self) -> str:
        kind = "regression, gradient boosting" if self.boosted else "regression"
        cutoffs = f"{self.n_cutoffs} earlier cut-offs" if self.n_cutoffs > 1 else "an earlier cut-off"
        return f"{kind} and transaction models averaged, learnt from {cutoffs} and other companies"

    def _orders_factor(self, lessons: Sequence[Lesson]) -> float:
        """Order-days that came over those forecast at the cut-offs learnt from, drawn to 1 by the standard error: a few
        customers who change their ways must not change what is expected of all others."""
        told = []
        for lesson in lessons:
            some = expit(-self._log_odds(lesson.situation, lesson.told))
            told.append(some * given_any(lesson.base, lesson.horizon, lesson.situation))
        forecast, came = np.concatenate(told), np.concatenate([lesson.outcome.orders for lesson in lessons])
        total = max(forecast.sum(), 1e-9)
        # the same customers come again at each cut-off, so that several tell little more than one
        variance = len(lessons) * ((came - forecast) ** 2).sum() / total**2
        weight = FACTORS_DIFFER**2 / (FACTORS_DIFFER**2 + variance)
        return float(max(came.sum() / total, 1e-9) ** weight)

    def _matched(self, situation: Situation) -> transfer.Matched:
        """What other companies teach, matched to the other votes but the trees' on the customers of today: at the
        cut-offs learnt from, customers were younger."""
        told = self.base.tell(self.horizon, situation)
        columns = design.with_basket(situation, told, self.unit)
        votes = [log_odds(told.p_no_purchase), self._plain.log_odds(self._held(columns))]
        scaled = self._scaled(columns)
        slopes = transfer.slopes(self._scaler)
        slopes[_BASE_COLUMNS] /= TRUST
        return transfer.matched(slopes, scaled, np.mean([self._regression.log_odds(scaled), *votes], axis=0))

    def _scaled(self, columns: np.ndarray) -> np.ndarray:
        """What the ridge looks at, in place of the columns."""
        scaled = design.standard(columns, self._scaler)
        scaled[:, _BASE_COLUMNS] *= TRUST
        return scaled

    def _held(self, columns: np.ndarray) -> np.ndarray:
        far = design.FAR * self._scaler.scale_[_PLAIN_COLUMNS]
        mean = self._scaler.mean_[_PLAIN_COLUMNS]
        return np.clip(columns[:, _PLAIN_COLUMNS], mean - far, mean + far)

    def _votes(self, columns: np.ndarray) -> tuple[np.ndarray, float]:
        total = self._plain.log_odds(self._held(columns))
        if self._trees is not None:
            total += self._trees_votes * log_odds(self._trees.predict_proba(columns[:, : self._width])[:, 1])
        scaled = self._scaled(columns)  # last: of the columns nothing is left
        total += self._regression.log_odds(scaled) + self._elsewhere_votes * self._elsewhere.log_odds(scaled)
        return total, 2 + self._elsewhere_votes + self._trees_votes


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
