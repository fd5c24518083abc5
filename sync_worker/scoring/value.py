"""What a customer has been worth, is worth now, and can be expected to be worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import gammainc, gammaincinv

from sync_worker.policy import Policy
from sync_worker.scoring.features import Features
from sync_worker.scoring.forecast import Forecast
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.situation import Situation
from sync_worker.scoring.spend import GammaGamma

#: Order-days by which a customer's own net rate is drawn towards its peers'.
RATE_WEIGHT = 2.0
#: Probability outside of the interval.
OUTSIDE = 0.2


@dataclass
class Prospects:
    """What the forecasts of money rest on; each (n,) float64.

    Attributes:
        spend: expected amount of a future order-day.
        rate: what of a unit of sales remains after returns (value in revenue) or after returns and cost of
            goods (value in margin); may be negative.
    """

    spend: np.ndarray
    rate: np.ndarray

    def worth(self, order_days: np.ndarray) -> np.ndarray:
        """The value of a number of expected order-days."""
        return order_days * self.spend * self.rate


def prospects(features: Features, peers: Peers, spend_model: GammaGamma) -> Prospects:
    """Expected spend and net rate of each buyer, shrunken."""
    table = features.table
    n = table["order_days"].to_numpy(float)
    spend = spend_model.expected_spend(n, table["gross"].to_numpy() / n)
    earned = (table["historical_value"] + table["current_value"]).to_numpy()
    gross = table["gross"].to_numpy()
    typical = peers.median(earned / gross)
    prior = RATE_WEIGHT * spend_model.population_mean_
    return Prospects(spend, (earned + prior * typical) / (gross + prior))


def expected_value(
    horizon: np.ndarray, forecast: Forecast, situation: Situation, money: Prospects
) -> pd.DataFrame:
    """What is expected in the churn horizon, the value with an 80 % interval.

    Returns:
        `churn_probability`, `expected_orders`, `expected_sales` (returns not subtracted), `expected_value`,
        `expected_value_low`, `expected_value_high`.
    """
    distribution = SalesDistribution.of(forecast, horizon, situation)
    ends = np.stack(distribution.interval(forecast.spread)) * money.rate + 0.0  # no -0.0
    sales = distribution.mean * (1 - distribution.zero)
    expected = sales * money.rate + 0.0
    return pd.DataFrame(
        {
            "churn_probability": distribution.zero,
            "expected_orders": distribution.orders,
            "expected_sales": sales,
            "expected_value": expected,
            "expected_value_low": np.minimum(ends.min(axis=0), expected),
            "expected_value_high": np.maximum(ends.max(axis=0), expected),
        }
    )


@dataclass(frozen=True)
class SalesDistribution:
    """How a customer's sales in the horizon may turn out; all (n,) float64.

    None at all with the probability of no purchase; else a gamma of the mean and variance of the sum of a
    negative binomial number of order-days' amounts.

    Attributes:
        zero: probability of no sales.
        mean: expected sales given any.
        relative: their squared coefficient of variation.
        orders: expected order-days.
    """

    zero: np.ndarray
    mean: np.ndarray
    relative: np.ndarray
    orders: np.ndarray

    @classmethod
    def of(cls, forecast: Forecast, horizon: np.ndarray, situation: Situation) -> SalesDistribution:
        """The distribution that a forecast implies."""
        p_no_purchase, orders = forecast.outlook(horizon, situation)
        some = np.clip(1 - p_no_purchase, 1e-12, 1)
        alive = np.clip(forecast.p_alive(situation), some, 1)
        given_alive = orders / alive
        second = alive * (given_alive + given_alive**2 * (1 + 1 / (1 + situation.x)))  # E[orders^2]
        single, own = forecast.spend.relative_variances(situation.x + 1)
        square = (orders * single * (1 + own) + second * (1 + own)) / some  # in squared spends
        relative = np.maximum(square / np.maximum(orders / some, 1e-12) ** 2 - 1, 1e-6)
        return cls(1 - some, forecast.expected_sales(horizon, situation) / some, relative, orders)

    def interval(self, spread: float) -> tuple[np.ndarray, np.ndarray]:
        """The ends of the 80 % interval, (n,) each.

        Where no sales at all are likely enough (a tenth), it starts there and ends at the 80th percentile; else it
        runs from the 10th to the 90th.

        Args:
            spread: factor of the relative variance.
        """
        relative = spread * self.relative

        def quantile(level: np.ndarray) -> np.ndarray:
            ends = np.zeros(len(level))
            above = level > self.zero  # at or below it the quantile is no sales
            beyond = np.minimum((level - self.zero)[above] / (1 - self.zero[above]), 1 - 1e-12)
            ends[above] = (self.mean * relative)[above] * gammaincinv(1 / relative[above], beyond)
            return ends

        return quantile(np.full(len(relative), OUTSIDE / 2)), quantile(self._top)

    def holds(self, sales: np.ndarray, spread: float) -> np.ndarray:
        """(n,) bool: the interval of this spread has the sales in it. Far quicker than its ends."""
        relative = spread * self.relative
        below = gammainc(1 / relative, np.maximum(sales, 0) / np.maximum(self.mean * relative, 1e-300))
        level = self.zero + (1 - self.zero) * below
        return (level <= self._top) & ((level >= OUTSIDE / 2) | (self.zero >= OUTSIDE / 2)) | (
            (sales <= 0) & (self.zero >= OUTSIDE / 2)
        )

    @property
    def _top(self) -> np.ndarray:
        return np.where(self.zero >= OUTSIDE / 2, 1 - OUTSIDE, 1 - OUTSIDE / 2)


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
