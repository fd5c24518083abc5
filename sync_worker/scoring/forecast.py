"""The forecast of a company: churn tier, sales, season and spread in one, as chosen by its own past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sync_worker.scoring.averaged import AveragedTier
from sync_worker.scoring.base_models import BaseModels
from sync_worker.scoring.churn import ChurnModel
from sync_worker.scoring.sales_regression import SalesRegression
from sync_worker.scoring.seasonality import NO_SEASON, Season
from sync_worker.scoring.situation import Situation
from sync_worker.scoring.spend import GammaGamma

#: What is learnt in one horizon is not carried over to years beyond this factor.
CORRECTION_LARGEST = 3.0


@dataclass(frozen=True)
class Forecast:
    """A churn model with the sales that go with it.

    Attributes:
        tier: of churn and order-days.
        spend: of an order-day.
        sales: where regressions forecast sales too; else orders times spend.
        season: of the horizon ahead.
        spread: by how much the relative variance of sales was larger than the models say.
    """

    tier: ChurnModel
    spend: GammaGamma
    sales: SalesRegression | None = None
    season: Season = NO_SEASON
    spread: float = 1.0

    @property
    def name(self) -> str:
        return self.tier.name

    @property
    def words(self) -> str:
        return self.tier.words

    def p_alive(self, situation: Situation) -> np.ndarray:
        """P(still a customer), (n,)."""
        return self.tier.p_alive(situation)

    def p_no_purchase(self, h: np.ndarray, situation: Situation) -> np.ndarray:
        """P(no order-day within h days), (n,)."""
        return self._in_season(self.tier.p_no_purchase(h, situation), h, situation)

    def p_no_purchase_each(self, h: np.ndarray, situations: Sequence[Situation]) -> Sequence[np.ndarray]:
        """As `p_no_purchase` of several situations of the same customers that differ in nothing that the
        transaction models look at (`Told`)."""
        if not isinstance(self.tier, AveragedTier):
            return [self.p_no_purchase(h, situations[0])] * len(situations)
        usual = self.tier.p_no_purchase_each(h, situations)
        return [self._in_season(one, h, situations[0]) for one in usual]

    def outlook(self, h: np.ndarray, situation: Situation) -> tuple[np.ndarray, np.ndarray]:
        """P(no order-day within h days) and the order-days expected, never fewer than the chance of one; (n,)
        each."""
        usual = self.tier.p_no_purchase(h, situation)
        orders = (
            self.tier.orders_given(usual, h, situation)
            if isinstance(self.tier, AveragedTier)
            else self.tier.expected_orders(h, situation)
        )
        none = self._in_season(usual, h, situation)
        return none, np.maximum(self.season.orders_factor(h) * orders, 1 - none)

    def _in_season(self, p_no_purchase: np.ndarray, h: np.ndarray, situation: Situation) -> np.ndarray:
        if not self.season.orders:
            return p_no_purchase
        return self.season.probability(p_no_purchase, self.p_alive(situation), h)

    def expected_sales(self, h: np.ndarray, situation: Situation) -> np.ndarray:
        """Amount of the orders expected within h days, (n,), returns not subtracted."""
        if self.sales is None:
            spend = self.spend.expected_spend(situation.x + 1, situation.mean_spend)
            told = self.tier.expected_orders(h, situation) * spend
        else:
            told = self.sales.expected_sales(h, situation)
        return self.season.sales_factor(h) * told

    def orders_ahead(self, h: np.ndarray | float, situation: Situation) -> np.ndarray:
        """Order-days expected within h days, (n,), for periods far longer than the churn horizon.

        Regressions know the horizon they learnt from only, so the transaction models tell.
        """
        return getattr(self.tier, "base", self.tier).expected_orders(h, situation)

    def correction(self, h: np.ndarray, situation: Situation, sales: np.ndarray) -> np.ndarray:
        """What the regressions make of the transaction models' sales, (n,), as a factor.

        Args:
            sales: (n,) expected within the churn horizon h by this forecast.
        """
        spend = self.spend.expected_spend(situation.x + 1, situation.mean_spend)
        told = self.orders_ahead(h, situation) * spend * self.season.sales_factor(h)
        factor = sales / np.maximum(told, 1e-300)
        return np.clip(factor, 1 / CORRECTION_LARGEST, CORRECTION_LARGEST)

    def parameters(self) -> dict[str, float]:
        return self.tier.parameters()


def of_base(base: BaseModels, name: str, season: Season = NO_SEASON) -> Forecast:
    """The forecast of one of the transaction models alone, `mbg_nbd` or `rhythm`."""
    tier = {"mbg_nbd": base.transactions, "rhythm": base.rhythm}[name]
    return Forecast(tier, base.spend, season=season)
