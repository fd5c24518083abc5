"""How often a customer buys and whether it is still a customer: the MBG/NBD model.

References:
    Batislam, Denizel & Filiztekin (2007), "Empirical validation and comparison of models for customer base
    analysis", International Journal of Research in Marketing 24 (MBG/NBD).
    Fader, Hardie & Lee (2005), "Counting your customers the easy way", Marketing Science 24 (BG/NBD, data).
"""

# ruff: noqa: N803, N806 - T is the name in the literature, and t would be another thing
from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import OptimizeResult, minimize
from scipy.special import digamma, expit, gammaln, hyp2f1
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

LOG_BOUND = 12.0
#: Below this mean dropout probability per purchase the likelihood does not tell dropout from none.
DROPOUT_MINIMUM = 1e-3


class ModifiedBetaGeoNBD(BaseEstimator):
    """Modified beta-geometric/NBD model: Poisson purchases at a gamma rate; after each purchase, the first
    included, the customer leaves for good with a beta-distributed probability.

    Everywhere `x` is the number of repeat order-days, `t_x` the time from the first to the last order-day
    and `T` the time from the first order-day to the as-of date, in one unit of time of the caller's choice
    (0 <= t_x <= T; t_x = 0 where x = 0). Arguments are array-like, shape (n,), or scalars; results are
    float64 arrays.

    Args:
        penalty: weight of a ridge on the log-parameters; 0 for plain maximum likelihood.
        sample: fit first on this many customers to start the full fit close to its end; only for speed.

    Attributes:
        r_, alpha_: shape and rate of the gamma distribution of purchase rates (alpha in the unit of time).
        a_, b_: parameters of the beta distribution of the dropout probability.
        loglik_: log-likelihood without the penalty.
        n_customers_: number of customers fitted.
        identified_: False where the data do not tell dropout from none, or a parameter ran into its bound
            (|log| = 12); probabilities of being alive then mean nothing.
    """

    def __init__(self, penalty: float = 0.0, sample: int = 30_000) -> None:
        self.penalty = penalty
        self.sample = sample

    def fit(
        self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> ModifiedBetaGeoNBD:
        """Maximum likelihood by L-BFGS-B on the log-parameters with the closed-form gradient.

        Args:
            sample_weight: (n,) number of customers that a row stands for; identical rows are grouped anyway.

        Raises:
            ValueError: no customer, or arrays that are negative, not finite or of different lengths.
        """
        x, t_x, T = _checked(x, t_x, T)
        if not len(x):
            raise ValueError("There is no customer to fit the model on.")
        weight = np.ones(len(x)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        self.n_customers_ = float(weight.sum())
        # time in mean tenures: well scaled whatever the unit
        unit = max(float(np.average(T, weights=weight)), 1e-9)
        x, t_x, T, weight = _grouped(x, t_x, T, weight)
        rows = _Rows(x, t_x / unit, T / unit, weight)
        start = np.log([1.0, 1.0, 1.0, 2.0])
        if len(rows.x) > 2 * self.sample:
            chosen = np.random.default_rng(0).choice(len(rows.x), self.sample, replace=False)
            start = self._minimise(start, rows.part(np.sort(chosen))).x
        found = self._minimise(start, rows)
        self.r_, alpha, self.a_, self.b_ = (float(v) for v in np.exp(found.x))
        self.alpha_ = alpha * unit
        # the density of the observed times scales with the unit, once per repeat purchase
        self.loglik_ = rows.loglik(found.x)[0] - float(np.log(unit) * (rows.weight @ rows.x))
        at_bound = np.abs(found.x) > LOG_BOUND - 1e-3
        self.identified_ = bool(not at_bound.any() and self.a_ / (self.a_ + self.b_) >= DROPOUT_MINIMUM)
        return self

    def p_alive(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> np.ndarray:
        """P(still a customer at T | x, t_x, T), shape (n,), in [0, 1]."""
        check_is_fitted(self)
        x, t_x, T = _broadcast(x, t_x, T)
        return expit(
            (self.r_ + x) * (np.log(self.alpha_ + t_x) - np.log(self.alpha_ + T))
            - np.log(self.a_)
            + np.log(self.b_ + x)
        )

    def p_no_purchase(self, h: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> np.ndarray:
        """P(no purchase in (T, T + h] | x, t_x, T), shape (n,): exact, dropped out or not.

        One-time buyers are always alive under the BG/NBD, so 1 - P(alive) is no churn probability; this is.
        """
        h, x, t_x, T = _broadcast(h, x, t_x, T)
        rate = (self.r_ + x) * np.log1p(h / (self.alpha_ + T))
        return 1 + self.p_alive(x, t_x, T) * np.expm1(-rate)

    def expected_orders(self, h: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> np.ndarray:
        """E[order-days in (T, T + h] | x, t_x, T], shape (n,).

        Given alive, p is Beta(a, b + x + 1) and the rate Gamma(r + x, alpha + T), so the mean of
        (1 - exp(-rate p h)) / p is (a + b + x) / (a - 1) * (1 - z'^(r + x) 2F1(r + x, b + x + 1; a + b +
        x; z)) with z = h / (alpha + T + h), z' = 1 - z. Euler's identity gives the same with the exponent
        a - 1, whose parameters do not grow with x; the form with the smaller exponents is taken row by row.
        """
        h, x, t_x, T = _broadcast(h, x, t_x, T)
        a = self.a_ if abs(self.a_ - 1) > 1e-6 else 1 + 1e-6
        r, b = self.r_, self.b_
        now = self.alpha_ + T
        z, log_rest = h / (now + h), -np.log1p(h / now)
        plain = np.abs(r + x) + np.abs(b + x + 1) <= np.abs(a + b - r) + abs(a - 1)
        first = np.where(plain, r + x, a + b - r)
        second = np.where(plain, b + x + 1, a - 1)
        exponent = np.where(plain, r + x, a - 1)
        with np.errstate(invalid="ignore", over="ignore"):  # checked below
            series = np.exp(exponent * log_rest) * hyp2f1(first, second, a + b + x, z)
        alive = (a + b + x) / (a - 1) * (1 - series)
        # Without dropout the mean is (r + x) h / (alpha + T); no mean with dropout can pass it. It also
        # stands in where the series loses all digits.
        ceiling = (r + x) * h / now
        alive = np.where(np.isfinite(alive), np.clip(alive, 0, ceiling), ceiling)
        return self.p_alive(x, t_x, T) * alive

    def _minimise(self, start: np.ndarray, rows: _Rows) -> OptimizeResult:
        total = rows.weight.sum()

        def objective(log_parameters: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = rows.loglik(log_parameters)
            penalty = self.penalty * log_parameters
            return -value / total + penalty @ log_parameters / 2, -gradient / total + penalty

        bounds = [(-LOG_BOUND, LOG_BOUND)] * 4
        options = {"maxiter": 500, "ftol": 1e-11, "gtol": 1e-6}
        return minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)


class _Rows:
    """Rows of the likelihood with what does not change between its evaluations."""

    def __init__(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, weight: np.ndarray) -> None:
        self.x, self.t_x, self.T, self.weight = x, t_x, T, weight
        # the special functions on the few distinct x only: the dominating saving
        self.distinct, self.where = np.unique(x, return_inverse=True)
        self.count = np.bincount(self.where, weight)

    def part(self, rows: np.ndarray) -> _Rows:
        return _Rows(self.x[rows], self.t_x[rows], self.T[rows], self.weight[rows])

    def loglik(self, log_parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Log-likelihood of all rows and its gradient by the log-parameters, shape (4,).

        Batislam et al. (2007): lnG(r+x) - lnG(r) + r ln alpha + lnBeta(a, b+x+1) - lnBeta(a, b)
        + ln(A^-(r+x) + a / (b+x) B^-(r+x)) with A = alpha + T, B = alpha + t_x.
        """
        r, alpha, a, b = np.exp(log_parameters)
        weight, distinct, count = self.weight, self.distinct, self.count
        now, last = alpha + self.T, alpha + self.t_x
        log_now, rx = np.log(now), r + self.x
        longer = log_now - np.log(last)
        # log-odds of having left; the likelihood is that of staying times (1 + odds)
        odds = (np.log(a) - np.log(b + distinct))[self.where] + rx * longer
        gone = expit(odds)
        weighted_gone = weight * gone
        gone_by_x = np.bincount(self.where, weighted_gone)
        common = digamma(a + b) - digamma(a + b + distinct + 1)
        by_x = (
            gammaln(r + distinct)
            - gammaln(r)
            + gammaln(b + distinct + 1)
            - gammaln(a + b + distinct + 1)
            + gammaln(a + b)
            - gammaln(b)
            + r * np.log(alpha)
        )
        value = count @ by_x - weight @ (rx * log_now) + weight @ np.logaddexp(0, odds)
        by_r = count @ (digamma(r + distinct) - digamma(r) + np.log(alpha))
        by_r += weighted_gone @ longer - weight @ log_now
        by_alpha = (
            weight.sum() * r / alpha - weight @ (rx / now) - weighted_gone @ (rx * (1 / last - 1 / now))
        )
        by_a = count @ common + gone_by_x.sum() / a
        by_b = count @ (common + digamma(b + distinct + 1) - digamma(b)) - gone_by_x @ (1 / (b + distinct))
        return float(value), np.array([r * by_r, alpha * by_alpha, a * by_a, b * by_b])


def _grouped(x: np.ndarray, t_x: np.ndarray, T: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, ...]:
    """Identical rows as one row with the sum of their weights, where times are whole (days); others as
    they are.
    """
    size = T.max() + 1
    if (x.max() + 1) * size**2 >= 2**62 or any((values % 1).any() for values in (x, t_x, T)):
        return x, t_x, T, weight
    key = (x.astype("int64") * int(size) + T.astype("int64")) * int(size) + t_x.astype("int64")
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(key[order]) != 0))
    first = order[starts]
    return x[first], t_x[first], T[first], np.add.reduceat(weight[order], starts)


def _broadcast(*arrays: ArrayLike) -> list[np.ndarray]:
    return [np.asarray(array, dtype=float) for array in np.broadcast_arrays(*arrays)]


def _checked(x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> list[np.ndarray]:
    arrays = [np.atleast_1d(np.asarray(array, dtype=float)) for array in (x, t_x, T)]
    if len({array.shape for array in arrays}) != 1:
        raise ValueError("x, t_x and T must have the same length.")
    if not all(np.isfinite(array).all() and (array >= 0).all() for array in arrays):
        raise ValueError("x, t_x and T must be finite and not negative.")
    if (arrays[1] > arrays[2] * (1 + 1e-9)).any():
        raise ValueError("t_x must not be greater than T.")
    return arrays
