"""What all transaction models share: their interface and their maximum likelihood fit."""

# ruff: noqa: N803 - T is the name in the literature, and t would be another thing
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from numbers import Integral, Real
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import OptimizeResult, minimize
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sync_worker.scoring.transaction_models.rows import Customers, Rows, blocks

#: Bound of the absolute log-parameters, times in mean tenures.
LOG_BOUND = 12.0
#: Below this mean dropout per purchase (or, with a lifetime, per mean tenure) the likelihood does not tell
#: dropout from none.
DROPOUT_MINIMUM = 1e-3


class TransactionModel(BaseEstimator, ABC):
    """A model of how often each customer buys, and when it leaves for good, unseen.

    Everywhere `x` is the number of repeat order-days, `t_x` the time from the first to the last order-day
    and `T` the time from the first order-day to the as-of date, in one unit of time of the caller's choice
    (0 <= t_x <= T; t_x = 0 where x = 0); `h` is the time ahead. Arguments are array-like, shape (n,), or
    scalars; results are float64 arrays.

    Args:
        penalty: weight of a ridge on the log-parameters; 0 for plain maximum likelihood.
        sample: fit first on this many customers to start the full fit close to its end; only for speed.

    Attributes:
        loglik_: log-likelihood of the first to last order-days of all customers, without the penalty.
        n_customers_: number of customers fitted.
        identified_: False where the data do not tell dropout from none, or a parameter ran into its bound
            (|log| = 12); probabilities of being alive then mean nothing.
    """

    #: rows to work on at a time, see `blocks`
    _block = 16_384

    def __init__(self, penalty: float = 0.0, sample: int = 30_000) -> None:
        self.penalty = penalty
        self.sample = sample

    def fit(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Maximum likelihood on the log-parameters with the analytic gradient.

        Args:
            sample_weight: (n,) number of customers that a row stands for; identical rows are grouped anyway.

        Raises:
            ValueError: no customer, or arrays that are negative, not finite or of different lengths, or a
                parameter of the constructor out of its range.
        """
        self._check_parameters()
        return self._fit(Customers(x, t_x, T, sample_weight, self.sample))

    def p_alive(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> np.ndarray:
        """P(still a customer at T | x, t_x, T), shape (n,), in [0, 1]."""
        return self._predict(self._alive, x, t_x, T)

    def p_no_purchase(self, h: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> np.ndarray:
        """P(no purchase in (T, T + h] | x, t_x, T), shape (n,): exact, dropped out or not.

        This, and not 1 - P(alive), is the probability of churn: who is alive need not buy in h.
        """
        return self._predict(self._no_purchase, h, x, t_x, T)

    def expected_orders(self, h: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> np.ndarray:
        """E[order-days in (T, T + h] | x, t_x, T], shape (n,), dropped out or not."""
        return self._predict(self._orders, h, x, t_x, T)

    @abstractmethod
    def _fit(self, customers: Customers) -> Self:
        """Sets the fitted attributes."""

    @abstractmethod
    def _loglik(self, rows: Rows, log_parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Log-likelihood of rows, without what only depends on the data, and its gradient by the
        log-parameters, shape (4,).
        """

    # The public methods of the same meaning, of one-dimensional float64 arrays.

    @abstractmethod
    def _alive(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray: ...

    @abstractmethod
    def _no_purchase(self, h: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray: ...

    @abstractmethod
    def _orders(self, h: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray: ...

    def _predict(self, function: Callable[..., np.ndarray], *arrays: ArrayLike) -> np.ndarray:
        check_is_fitted(self)
        arrays = np.broadcast_arrays(*arrays)
        columns = [np.asarray(array, dtype=float).ravel() for array in arrays]
        result = np.empty(arrays[0].size)
        for part in blocks(len(result), self._block):
            result[part] = function(*(column[part] for column in columns))
        return result.reshape(arrays[0].shape)

    def _check_parameters(self) -> None:
        if not (isinstance(self.penalty, Real) and 0 <= self.penalty < np.inf):
            raise ValueError(f"penalty must be a number that is not negative, not {self.penalty!r}.")
        if not (isinstance(self.sample, Integral) and self.sample >= 1):
            raise ValueError(f"sample must be a whole number of at least 1, not {self.sample!r}.")

    def _maximise(self, start: np.ndarray, customers: Customers) -> tuple[np.ndarray, float]:
        """The log-parameters of the greatest (penalised) likelihood, times in mean tenures, and the
        log-likelihood there.

        Small data: L-BFGS-B. Large data: the same on a sample, then BFGS on all rows from there with the
        sample's curvature, so that it needs 3 to 6 passes over the rows instead of 16.
        """
        objective = _Objective(self._loglik, customers.rows, self.penalty)
        if customers.sample is None:
            found = _bounded(objective, start)
            return found.x, self._loglik(customers.rows, found.x)[0]
        few = _Objective(self._loglik, customers.sample, self.penalty)
        start = _bounded(few, start).x
        curvature = few.curvature(start)
        found = None
        # at a bound BFGS would leave it
        if np.abs(start).max() < LOG_BOUND - 1 and np.linalg.eigvalsh(curvature)[0] > 0:
            inverse = np.linalg.inv(curvature)
            options = {"gtol": 1e-7, "maxiter": 50, "hess_inv0": (inverse + inverse.T) / 2}
            found = minimize(objective, start, jac=True, method="BFGS", options=options)
        if found is None or not found.success or np.abs(found.x).max() > LOG_BOUND:
            found = _bounded(objective, start)
        return found.x, self._loglik(customers.rows, found.x)[0]


class _Objective:
    """Mean negative log-likelihood of a customer plus the ridge, to be minimised; with gradient."""

    def __init__(self, loglik: Callable[..., tuple[float, np.ndarray]], rows: Rows, penalty: float) -> None:
        self.loglik, self.rows, self.penalty = loglik, rows, penalty
        self.total = rows.weight.sum()

    def __call__(self, log_parameters: np.ndarray) -> tuple[float, np.ndarray]:
        # a line search may look anywhere
        value, gradient = self.loglik(self.rows, np.clip(log_parameters, -2 * LOG_BOUND, 2 * LOG_BOUND))
        ridge = self.penalty * log_parameters
        return -value / self.total + ridge @ log_parameters / 2, -gradient / self.total + ridge

    def curvature(self, log_parameters: np.ndarray, step: float = 1e-4) -> np.ndarray:
        """Second derivatives, by differences of the gradient."""
        steps = step * np.eye(len(log_parameters))
        rows = [(self(log_parameters + d)[1] - self(log_parameters - d)[1]) / (2 * step) for d in steps]
        return (np.array(rows) + np.transpose(rows)) / 2


def _bounded(objective: _Objective, start: np.ndarray) -> OptimizeResult:
    bounds = [(-LOG_BOUND, LOG_BOUND)] * len(start)
    options = {"maxiter": 500, "ftol": 1e-11, "gtol": 1e-6}
    return minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
