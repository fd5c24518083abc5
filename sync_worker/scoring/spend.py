"""What a customer spends on an order-day: the Gamma-Gamma model of monetary value.

Reference:
    Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value"; Fader, Hardie & Lee (2005), "RFM and
    CLV: Using Iso-Value Curves for Customer Base Analysis", Journal of Marketing Research 42.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import digamma, gammaln
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sync_worker.sentences import sentence

LOG_BOUND = 12.0
SHRINKAGE = 2.0
Q_MAXIMUM = 1000.0


class GammaGamma(BaseEstimator):
    """Spend per order-day varies around a customer's own mean as a gamma, the means over customers as an
    inverse gamma, so that few order-days are drawn towards the mean of all.

    Everywhere `n` is the number of order-days that were averaged and `mean` their mean amount, both (m,) and
    positive; results are float64 arrays in the currency of `mean`.

    Args:
        minimum: fewest customers with two order-days or more to fit on; with fewer the fallback is used.

    Attributes:
        p_, q_, gamma_: parameters as in the papers (gamma in currency); NaN in the fallback.
        population_mean_: mean spend that customers are drawn towards.
        spread_: standard deviation of single order-days over their mean, pooled.
        fallback_: the reason in words why the shrunken mean (n mean + 2 mu) / (n + 2) is used instead; ""
            if not.
    """

    def __init__(self, minimum: int = 30) -> None:
        self.minimum = minimum

    def fit(self, n: ArrayLike, mean: ArrayLike) -> GammaGamma:
        """Maximum likelihood on customers with positive mean spend.

        Raises:
            ValueError: no customer with a positive mean.
        """
        n, mean = _positive(n, mean)
        if not len(n):
            raise ValueError("There is no customer with a positive spend.")
        self.p_ = self.q_ = self.gamma_ = self.spread_ = np.nan
        self.population_mean_ = float(mean.mean())
        self.fallback_ = ""
        if len(n) < self.minimum:
            words = f"only {len(n)} customers to learn spend from"
            self.fallback_ = sentence("spend_few_customers", words, customers=len(n))
            return self
        unit = self.population_mean_  # the result must not depend on the currency
        scaled = mean / unit
        start = np.log([1.0, 3.0, 2.0])
        found = minimize(
            _negative_loglik,
            start,
            args=(_statistics(n, scaled),),
            jac=True,
            method="L-BFGS-B",
            bounds=[(-LOG_BOUND, LOG_BOUND)] * 3,
            options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-8},
        )
        p, q, gamma = (float(v) for v in np.exp(found.x))
        # A huge q says that all customers spend the same, which single heavy-tailed amounts can feign:
        # everybody would be expected to spend the mean, large customers too.
        if not 1 < q < Q_MAXIMUM or not np.isfinite(found.fun) or (np.abs(found.x) > LOG_BOUND - 1e-3).any():
            words = "amounts are too uneven or too equal for the spend model"
            self.fallback_ = sentence("spend_uneven", words)
            return self
        self.p_, self.q_, self.gamma_ = p, q, gamma * unit
        self.population_mean_ = p * self.gamma_ / (q - 1)
        self.spread_ = 1 / np.sqrt(p)
        return self

    def expected_spend(self, n: ArrayLike, mean: ArrayLike) -> np.ndarray:
        """Expected spend on a future order-day: p (gamma + n mean) / (p n + q - 1)."""
        check_is_fitted(self, "population_mean_")
        n, mean = np.broadcast_arrays(np.asarray(n, dtype=float), np.asarray(mean, dtype=float))
        if self.fallback_:
            return (n * mean + SHRINKAGE * self.population_mean_) / (n + SHRINKAGE)
        return self.p_ * (self.gamma_ + n * mean) / (self.p_ * n + self.q_ - 1)

    def relative_variances(self, n: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Squared coefficients of variation: (of one order-day around the customer's mean, of that mean).

        Given the data a customer's mean is p / nu with nu gamma of shape s = p n + q: its squared
        coefficient of variation is 1 / (s - 2), and a single order-day adds 1 / p. In the fallback one
        quarter and 1 / (n + 1).
        """
        n = np.asarray(n, dtype=float)
        if self.fallback_:
            return np.full(n.shape, 0.25), 1 / (n + 1)
        shape = self.p_ * n + self.q_
        return np.full(n.shape, 1 / self.p_), 1 / np.maximum(shape - 2, 0.5)


def _positive(n: ArrayLike, mean: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    n, mean = np.asarray(n, dtype=float), np.asarray(mean, dtype=float)
    usable = (n > 0) & (mean > 0) & np.isfinite(mean)
    return n[usable], mean[usable]


def _statistics(n, mean):
    """What the likelihood needs: log(mean) only enters by its sum within the distinct n."""
    distinct, where = np.unique(n, return_inverse=True)
    log_mean = np.bincount(where, np.log(mean))
    return distinct, where, np.bincount(where), log_mean, n, n * mean


def _negative_loglik(log_parameters, statistics):
    """Mean negative log-likelihood and its gradient by the log-parameters.

    lnG(p n + q) - lnG(p n) - lnG(q) + q ln gamma + (p n - 1) ln mean + p n ln n
    - (p n + q) ln(gamma + n mean)
    """
    distinct, where, count, log_mean, n, total = statistics
    p, q, gamma = np.exp(log_parameters)
    log_posterior = np.log(gamma + total)
    by_n = np.bincount(where, log_posterior)
    pn = p * distinct
    value = (
        count @ (gammaln(pn + q) - gammaln(pn) - gammaln(q) + q * np.log(gamma) + pn * np.log(distinct))
        + (pn - 1) @ log_mean
        - (pn + q) @ by_n
    )
    by_p = (
        count @ (distinct * (digamma(pn + q) - digamma(pn) + np.log(distinct)))
        + distinct @ log_mean
        - distinct @ by_n
    )
    by_q = count @ (digamma(pn + q) - digamma(q) + np.log(gamma)) - by_n.sum()
    by_gamma = len(n) * q / gamma - ((p * n + q) / (gamma + total)).sum()
    return -value / len(n), -np.array([p * by_p, q * by_q, gamma * by_gamma]) / len(n)
