"""What a customer has been worth, is worth now, and can be expected to be worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import gammaincinv

from sync_worker.policy import Policy
from sync_worker.scoring.churn import ChurnModel, Situation
from sync_worker.scoring.features import Features
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.spend import GammaGamma

#: Order-days by which a customer's own net rate is drawn towards its peers'.
RATE_WEIGHT = 2.0


@dataclass
class Prospects:
    """What the forecasts of money rest on; each (n,) float64.

    Attributes:
        spend: expected amount of a future order-day.
        rate: what of a unit of sales remains after returns (value in revenue) or after returns and cost of
            goods (value in margin); may be negative.
        variances: squared coefficients of variation of one order-day's amount and of the customer's mean.
    """

    spend: np.ndarray
    rate: np.ndarray
    variances: tuple[np.ndarray, np.ndarray]

    def worth(self, order_days: np.ndarray) -> np.ndarray:
        """The value of a number of expected order-days."""
        return order_days * self.spend * self.rate


def prospects(features: Features, peers: Peers) -> tuple[Prospects, GammaGamma]:
    """Expected spend and net rate of each buyer, shrunken, and the fitted spend model."""
    table = features.table
    n = table["order_days"].to_numpy(float)
    mean = table["gross"].to_numpy() / n
    several = n > 1
    model = GammaGamma().fit(n[several], mean[several]) if several.any() else GammaGamma().fit(n, mean)
    if model.fallback_:
        model.population_mean_ = float(mean.mean())  # of all buyers, not of the repeat buyers alone
    spend = model.expected_spend(n, mean)
    earned = (table["historical_value"] + table["current_value"]).to_numpy()
    gross = table["gross"].to_numpy()
    typical = peers.median(earned / gross)
    prior = RATE_WEIGHT * model.population_mean_
    rate = (earned + prior * typical) / (gross + prior)
    return Prospects(spend, rate, model.relative_variances(n)), model


def expected_value(
    horizon: np.ndarray, model: ChurnModel, situation: Situation, money: Prospects
) -> pd.DataFrame:
    """Expected value in the churn horizon with an 80 % interval.

    The number of order-days is zero with the probability of no purchase, else follows a negative binomial's
    variance; the sum of their amounts given at least one is taken as a gamma of the same mean and variance.

    Returns:
        `expected_orders`, `expected_value`, `expected_value_low`, `expected_value_high`; the interval is
        widened to the expectation where most of the probability lies at zero.
    """
    orders = model.expected_orders(horizon, situation)
    alive = np.maximum(model.p_alive(situation), 1e-12)
    some = np.clip(1 - model.p_no_purchase(horizon, situation), 1e-12, 1)
    given_alive = orders / alive
    second = alive * (given_alive + given_alive**2 * (1 + 1 / (1 + situation.x)))  # E[orders^2]
    single, own = money.variances
    # E[S | some] and Var[S | some] in units of expected spend
    mean = orders / some
    square = (orders * single * (1 + own) + second * (1 + own)) / some
    variance = np.maximum(square - mean**2, 1e-6 * mean**2)
    shape = np.where(mean > 0, mean**2 / variance, 1.0)
    scale = np.where(mean > 0, variance / np.where(mean > 0, mean, 1.0), 0.0)

    def quantile(level: float) -> np.ndarray:
        beyond_zero = np.clip((level - (1 - some)) / some, 0, 1 - 1e-12)
        return scale * gammaincinv(shape, beyond_zero)

    expected = money.worth(orders)
    ends = np.stack([quantile(0.1), quantile(0.9)]) * money.spend * money.rate + 0.0  # no -0.0
    return pd.DataFrame(
        {
            "expected_orders": orders,
            "expected_value": expected,
            "expected_value_low": np.minimum(ends.min(axis=0), expected),
            "expected_value_high": np.maximum(ends.max(axis=0), expected),
        }
    )


def discounted_orders(
    policy: Policy, formats: pd.Series, model: ChurnModel, situation: Situation
) -> np.ndarray:
    """Order-days expected within the value horizon, each year's discounted from its middle, (n,).

    Their worth is the potential value.
    """
    years = policy.column("value_horizon_years", formats)
    rate = policy.column("discount_rate", formats)
    discounted, before = np.zeros(len(formats)), np.zeros(len(formats))
    for year in range(1, int(years.max(initial=0)) + 1):
        orders = model.expected_orders(365.25 * year, situation)
        discounted += np.where(year <= years, (orders - before) / (1 + rate) ** (year - 0.5), 0)
        before = orders
    return discounted
