"""How the sales of a customer's orders in the horizon, and what they are worth, may turn out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammainc, gammaincinv

from sync_worker.scoring.forecast import Forecast
from sync_worker.scoring.rates import Rate
from sync_worker.scoring.situation import Situation

#: Probability outside of the interval.
OUTSIDE = 0.2
#: Share of the expectation by which sums of returns may miss nothing.
CENT = 1e-9
#: The smallest relative variance that is told from none.
LEAST = 1e-6


@dataclass(frozen=True)
class SalesDistribution:
    """How a customer's sales in the horizon may turn out; all (n,) float64.

    None at all with the probability of no purchase; else with the mean and variance of the sum of a negative binomial
    number of order-days' amounts.

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
        relative = np.maximum(square / np.maximum(orders / some, 1e-12) ** 2 - 1, LEAST)
        return cls(1 - some, forecast.expected_sales(horizon, situation) / some, relative, orders)

    @property
    def expected(self) -> np.ndarray:
        """(n,) expected sales."""
        return self.mean * (1 - self.zero)

    def worth(self, rate: Rate) -> ValueDistribution:
        """What the sales may be worth at the customers' rates."""
        size = self.mean * np.abs(rate.mean)
        sign = np.where(rate.mean < 0, -1.0, 1.0)
        if not rate.varies:
            return ValueDistribution(self.zero, size, size, self.relative, sign)
        noise = rate.variance(self.mean, self.relative)
        variance = self.relative * size**2 + noise
        # of a gamma the third cumulant is 2 variance^2 / mean
        least = np.maximum(size, LEAST * np.sqrt(noise))
        skewed = least * (1 + noise / (self.relative * least**2)) ** 2
        mean = np.minimum(skewed, np.sqrt(variance / LEAST))
        return ValueDistribution(self.zero, size, mean, variance / mean**2, sign)


@dataclass(frozen=True)
class ValueDistribution:
    """How what a customer's sales in the horizon are worth may turn out; all (n,) float64.

    Nothing with the probability of no purchase; else a gamma less a shift, in the direction of the customer's rate.
    Mean, variance and third cumulant are those of the sales at that rate with what the rates of single orders add to
    the variance: with nothing of that kind it is the gamma of the sales, with much of it about normal.

    Attributes:
        zero: probability of no sales.
        size: expected value given any sales, without its sign.
        mean: of the gamma; what it is larger than `size` is the shift.
        relative: its squared coefficient of variation.
        sign: -1 where sales cost money, else 1.
    """

    zero: np.ndarray
    size: np.ndarray
    mean: np.ndarray
    relative: np.ndarray
    sign: np.ndarray

    @property
    def expected(self) -> np.ndarray:
        """(n,) expected value."""
        return self.sign * self.size * (1 - self.zero) + 0.0  # no -0.0

    def interval(self, spread: float) -> tuple[np.ndarray, np.ndarray]:
        """The ends of the 80 % interval, (n,) each, widened to hold the expectation.

        Where nothing at all is likely enough (a tenth) and a loss is not, it starts at nothing and all of the fifth
        that is left out lies above, but for the chance of a loss; else a tenth lies on either side. By a negative rate
        it is the other way round.

        Args:
            spread: factor of the variance.
        """
        relative = spread * self.relative
        under = self._under(relative)
        start = self._start(under)

        def quantile(level: np.ndarray) -> np.ndarray:
            ends = np.zeros(len(level))
            beside = (level < under) | (level > under + self.zero)  # between the two it is nothing
            given = np.where(level < under, level, level - self.zero)[beside] / (1 - self.zero[beside])
            shape = 1 / relative[beside]
            gamma = self.mean[beside] / shape * gammaincinv(shape, np.clip(given, 0, 1 - 1e-12))
            ends[beside] = gamma - (self.mean - self.size)[beside]
            return ends

        expected = self.sign * self.expected
        low, high = np.minimum(quantile(start), expected), np.maximum(quantile(start + 1 - OUTSIDE), expected)
        # no -0.0
        return np.where(self.sign < 0, -high, low) + 0.0, np.where(self.sign < 0, -low, high) + 0.0

    def holds(self, value: np.ndarray, spread: float) -> np.ndarray:
        """(n,) bool: the interval of this spread has the value that came, (n,), in it. Far quicker than its ends."""
        relative = spread * self.relative
        value = self.sign * value
        under, expected = self._under(relative), self.sign * self.expected
        start = self._start(under)
        level = (1 - self.zero) * self._below(value, relative) + self.zero * (value >= 0)
        above = np.where(start == under, value >= -CENT * expected, level >= start)
        return (above | (value >= expected)) & ((level <= start + 1 - OUTSIDE) | (value <= expected))

    def _below(self, value: np.ndarray, relative: np.ndarray) -> np.ndarray:
        """Probability of at most that value given any sales, (n,)."""
        gamma = np.maximum(value + (self.mean - self.size), 0)
        return gammainc(1 / relative, gamma / np.maximum(self.mean * relative, 1e-100))

    def _under(self, relative: np.ndarray) -> np.ndarray:
        """Probability of less than nothing, (n,)."""
        if self.mean is self.size:  # no order has a rate of its own
            return np.zeros(len(relative))
        return (1 - self.zero) * self._below(np.zeros(len(relative)), relative)

    def _start(self, under: np.ndarray) -> np.ndarray:
        """Probability below the interval, (n,)."""
        either = (self.zero < OUTSIDE / 2) | (under >= OUTSIDE / 2)
        return np.where(either, OUTSIDE / 2, under)
