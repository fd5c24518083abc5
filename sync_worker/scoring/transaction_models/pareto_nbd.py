"""The Pareto/NBD model."""

# ruff: noqa: N803, N806 - T is the name in the literature, and t would be another thing
from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from scipy.special import digamma, expit, exprel, gammaln

from sync_worker.scoring.transaction_models.base import DROPOUT_MINIMUM, LOG_BOUND, TransactionModel
from sync_worker.scoring.transaction_models.rows import Customers, Rows

#: Gauss-Legendre nodes and weights on (0, 1).
NODES, WEIGHTS = (np.polynomial.legendre.leggauss(20) + np.array([[1.0], [0.0]])) / 2
#: The integral over the time of leaving ends where its integrand has fallen by exp(-25), 1e-11.
FALL = 25.0


class ParetoNBD(TransactionModel):
    """Pareto/NBD model: Poisson purchases at a gamma rate during an exponential lifetime with a gamma rate.

    Customers leave at any time, not only after a purchase. See `TransactionModel` for arguments.

    References:
        Schmittlein, Morrison & Colombo (1987), "Counting Your Customers: Who Are They and What Will They Do
        Next?", Management Science 33.
        Fader & Hardie (2005), "A Note on Deriving the Pareto/NBD Model and Related Expressions".

    Attributes:
        r_, alpha_: shape and rate of the gamma distribution of purchase rates (alpha in the unit of time).
        s_, beta_: shape and rate of the gamma distribution of the rates of leaving (beta in the unit of
            time).
    """

    _block = 2048  # each row has twenty nodes

    def _alive(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        return expit(self._log_stayed(x, T) - self._log_left(x, t_x, T))

    def _no_purchase(self, h: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """1 - P(alive) (1 - Q): an alive customer's silence goes on (Q) if it leaves in h before a purchase, or
        neither leaves nor purchases.
        """
        goes_on = np.logaddexp(self._log_left(x, T, T + h), self._log_stayed(x, T + h))
        return 1 + self._alive(x, t_x, T) * np.expm1(np.minimum(goes_on - self._log_stayed(x, T), 0))

    def _orders(self, h: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """P(alive) (r + x) (beta + T) / ((alpha + T) (s - 1)) (1 - ((beta + T) / (beta + T + h))^(s - 1)).

        Fader & Hardie (2005), in a form that has no singularity at s = 1.
        """
        log_ratio = np.log1p(h / (self.beta_ + T))
        lifetime = (self.beta_ + T) * log_ratio * exprel((1 - self.s_) * log_ratio)
        # nobody lives longer than h in h; only rounding can say so
        return self._alive(x, t_x, T) * (self.r_ + x) / (self.alpha_ + T) * np.minimum(lifetime, h)

    def _log_stayed(self, x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """Log-likelihood of having stayed up to T, up to the constant that `_log_left` leaves out too."""
        return -(self.r_ + x) * np.log(self.alpha_ + T) - self.s_ * np.log(self.beta_ + T)

    def _log_left(self, x: np.ndarray, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Log-likelihood of having left between the two times."""
        return _left(self.r_ + x, self.alpha_, self.s_, self.beta_, begin, end).log

    def _fit(self, customers: Customers) -> Self:
        found, loglik = self._maximise(np.zeros(4), customers)
        self.n_customers_ = customers.n
        self.r_, alpha, self.s_, beta = (float(v) for v in np.exp(found))
        self.alpha_, self.beta_ = alpha * customers.unit, beta * customers.unit
        # the density of times scales with the unit, once per purchase
        self.loglik_ = loglik - customers.purchases * float(np.log(customers.unit))
        at_bound = np.abs(found).max() > LOG_BOUND - 1e-3
        self.identified_ = bool(not at_bound and self.s_ / beta >= DROPOUT_MINIMUM)
        return self

    def _loglik(self, rows: Rows, log_parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Log-likelihood of all rows and its gradient by the log-parameters, shape (4,).

        lnG(r + x) - lnG(r) + r ln alpha + s ln beta + ln((alpha + T)^-(r + x) (beta + T)^-s + s I) with the
        integral I of `_left`.
        """
        r, alpha, s, beta = np.exp(log_parameters)
        count, shapes = rows.count, r + rows.distinct
        total = count.sum()
        value = count @ (gammaln(shapes) - gammaln(r)) + total * (r * np.log(alpha) + s * np.log(beta))
        by_r = count @ (digamma(shapes) - digamma(r)) + total * np.log(alpha)
        by_alpha, by_s, by_beta = total * r / alpha, total * np.log(beta), total * s / beta
        for where, t_x, T, weight in rows.blocks(self._block):
            shape = shapes[where]
            to_alpha, to_beta = alpha + T, beta + T
            log_alpha, log_beta = np.log(to_alpha), np.log(to_beta)
            left = _left(shape, alpha, s, beta, t_x, T)
            stay = -shape * log_alpha - s * log_beta
            both = np.logaddexp(stay, left.log)
            stayed, gone = weight * np.exp(stay - both), weight * np.exp(left.log - both)
            value += weight @ both
            by_r -= stayed @ log_alpha + gone @ left.log_alpha
            by_alpha -= stayed @ (shape / to_alpha) + gone @ (shape * left.per_alpha)
            by_s += gone.sum() / s - stayed @ log_beta - gone @ left.log_beta
            by_beta -= stayed @ (s / to_beta) + gone @ ((s + 1) * left.per_beta)
        return float(value), np.array([r * by_r, alpha * by_alpha, s * by_s, beta * by_beta])


class Left(NamedTuple):
    """See `_left`."""

    log: np.ndarray
    log_alpha: np.ndarray
    per_alpha: np.ndarray
    log_beta: np.ndarray
    per_beta: np.ndarray


def _left(shape: np.ndarray, alpha: float, s: float, beta: float, t_x: np.ndarray, T: np.ndarray) -> Left:
    """ln of s times the integral from t_x to T of (alpha + y)^-shape (beta + y)^-(s + 1) dy: the customer
    left at y.

    Fader & Hardie (2005) express it by two 2F1, whose derivatives by their parameters have no closed form,
    whose difference loses digits, and which overflow for large x. Quadrature has none of this, gives the
    gradient from the same nodes, and is exact to about ten digits: in the logarithm of m + y, m the smaller
    of alpha and beta, the integrand is smooth, and it is cut off where it no longer counts.

    Returns:
        The logarithm (-inf where T = t_x), and the means of ln(alpha + y), 1 / (alpha + y), ln(beta + y), 1 /
        (beta + y) over the time of leaving.
    """
    begin, from_alpha, from_beta = min(alpha, beta) + t_x, alpha + t_x, beta + t_x
    width = np.log1p((T - t_x) / begin)
    # The logarithm of the integrand falls ever faster, so its first slope says where it is sure to be low.
    slope = begin * (shape / from_alpha + (s + 1) / from_beta) - 1
    width = np.minimum(width, FALL / np.maximum(slope, 1e-9))
    u = width * NODES[:, None]
    passed = begin * np.expm1(u)
    grow_alpha, grow_beta = np.log1p(passed / from_alpha), np.log1p(passed / from_beta)
    density = WEIGHTS[:, None] * np.exp(u - shape * grow_alpha - (s + 1) * grow_beta)
    total = density.sum(axis=0)
    density /= total
    log_alpha, log_beta = np.log(from_alpha), np.log(from_beta)
    with np.errstate(divide="ignore"):  # a customer who bought at T did not leave in between
        log = np.log(s * begin * width * total) - shape * log_alpha - (s + 1) * log_beta
    return Left(
        log,
        log_alpha + (density * grow_alpha).sum(axis=0),
        (density / (from_alpha + passed)).sum(axis=0),
        log_beta + (density * grow_beta).sum(axis=0),
        (density / (from_beta + passed)).sum(axis=0),
    )
