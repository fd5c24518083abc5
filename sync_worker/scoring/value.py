"""What a customer has been worth, is worth now, and can be expected to be worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.policy import Policy
from sync_worker.scoring import rates
from sync_worker.scoring.distribution import SalesDistribution
from sync_worker.scoring.forecast import Forecast
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.rates import Rate
from sync_worker.scoring.situation import Situation
from sync_worker.scoring.spend import GammaGamma


@dataclass
class Prospects:
    """What the forecasts of money rest on.

    Attributes:
        spend: (n,) float64, expected amount of a future order-day.
        rate: what of a unit of sales remains after returns (value in revenue) or after returns and cost of
            goods (value in margin).
    """

    spend: np.ndarray
    rate: Rate

    def worth(self, order_days: np.ndarray) -> np.ndarray:
        """The value of a number of expected order-days."""
        return order_days * self.spend * self.rate.mean


def prospects(situation: Situation, peers: Peers, spend_model: GammaGamma, noise: float) -> Prospects:
    """Expected spend and rate of each buyer, shrunken.

    Args:
        noise: of the rates of single orders (`rates.noise_of`).
    """
    spend = spend_model.expected_spend(situation.x + 1, situation.mean_spend)
    return Prospects(spend, rates.learn(situation, peers, spend_model, noise))


def kept_share(situation: Situation) -> float:
    """What remains of a unit of sales after returns, of all customers together."""
    return float(np.clip(situation.revenue, 0, None).sum() / situation.gross.sum())


def expected_value(
    horizon: np.ndarray, forecast: Forecast, situation: Situation, money: Prospects
) -> pd.DataFrame:
    """What is expected in the churn horizon, the value with an 80 % interval.

    Returns:
        `churn_probability`, `expected_orders`, `expected_sales` (returns not subtracted), `expected_value`,
        `expected_value_low`, `expected_value_high`.
    """
    sales = SalesDistribution.of(forecast, horizon, situation)
    worth = sales.worth(money.rate)
    low, high = worth.interval(forecast.spread)
    return pd.DataFrame(
        {
            "churn_probability": sales.zero,
            "expected_orders": sales.orders,
            "expected_sales": sales.expected,
            "expected_value": worth.expected,
            "expected_value_low": low,
            "expected_value_high": high,
        }
    )


def discounted_orders(
    policy: Policy, formats: pd.Series, forecast: Forecast, situation: Situation
) -> np.ndarray:
    """Order-days expected within the value horizon, each year's discounted from its middle, (n,).

    Their worth is the potential value.
    """
    years = policy.column("value_horizon_years", formats)
    rate = policy.column("discount_rate", formats)
    discounted, before = np.zeros(len(formats)), np.zeros(len(formats))
    for year in range(1, int(years.max(initial=0)) + 1):
        orders = forecast.orders_ahead(365.25 * year, situation)
        discounted += np.where(year <= years, (orders - before) / (1 + rate) ** (year - 0.5), 0)
        before = orders
    return discounted
