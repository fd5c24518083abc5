"""The MBG/CNBD-k model."""

# ruff: noqa: N803 - T is the name in the literature, and t would be another thing
from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from sync_worker.scoring.transaction_models.beta_geometric import START, BetaGeometric
from sync_worker.scoring.transaction_models.rows import Customers

K_LARGEST = 4


class ErlangModifiedBetaGeoNBD(BetaGeometric):
    """MBG/NBD whose purchases are every k-th event of a Poisson process: the gaps of a customer are Erlang-k,
    more regular the greater k. k = 1 is the MBG/NBD.

    See `TransactionModel` for arguments and `BetaGeometric` for the fitted parameters; `alpha_` is of the
    rate of events, which is k times that of purchases.

    x, t_x and T are all that r, alpha, a and b need, but not all that k needs: for k the single gaps matter,
    through the sum of their logarithms. `fit` takes it. Without it k is chosen by the likelihood of (x, t_x,
    T) alone, where t_x is Erlang-(k x): valid, but with less evidence, since only how evenly customers with
    the same rate fill their time tells of k, not how even the gaps of each are.

    Reference:
        Platzer & Reutterer (2016), "Ticking Away the Moments: Timing Regularity Helps to Better Predict
        Customer Activity", Marketing Science 35.

    Args:
        k: the k to use; None to choose among 1 to 4 by the (penalised) fits' likelihood.

    Attributes:
        k_: the k in use.
        logliks_: log-likelihood by each k tried; with the sum of log gaps of the gaps, without it of (x, t_x,
            T), up to the same constant as that of the other models: that of k = 1 is the MBG/NBD's.
    """

    def __init__(self, penalty: float = 0.0, sample: int = 30_000, k: int | None = None) -> None:
        super().__init__(penalty, sample)
        self.k = k

    @property
    def _k(self) -> int:
        return self.k_

    def fit(
        self,
        x: ArrayLike,
        t_x: ArrayLike,
        T: ArrayLike,
        sample_weight: ArrayLike | None = None,
        sum_log_gaps: ArrayLike | None = None,
    ) -> Self:
        """Maximum likelihood for each k on the log-parameters with the closed-form gradient.

        Args:
            sample_weight: (n,) number of customers that a row stands for; identical rows are grouped anyway.
            sum_log_gaps: (n,) sum of the logarithms of the customer's x gaps between order-days, in the unit
                of time; 0 where x = 0. Only k depends on it.

        Raises:
            ValueError: no customer, or arrays that are negative, not finite or of different lengths, or a
                parameter of the constructor out of its range.
        """
        self._check_parameters()
        customers = Customers(x, t_x, T, sample_weight, self.sample)
        gaps = _gap_terms(x, t_x, sample_weight, sum_log_gaps)
        candidates = range(1, K_LARGEST + 1) if self.k is None else [self.k]
        fits = {}
        self.logliks_ = {}
        for self.k_ in candidates:
            fits[self.k_] = self._maximise(START, customers)
            self._take(*fits[self.k_], customers)
            self.logliks_[self.k_] = self.loglik_ + gaps(self.k_)
        self.k_ = max(self.logliks_, key=self.logliks_.get)
        self._take(*fits[self.k_], customers)
        self.loglik_ = self.logliks_[self.k_]
        return self

    def expected_orders(self, h: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> np.ndarray:
        """E[order-days in (T, T + h] | x, t_x, T], shape (n,), dropped out or not.

        Exact, by a sum over the events of the Poisson process in h, where at most 1000 matter. For longer
        times ahead in the manner of Platzer & Reutterer, who approximate: every event is a k-th of a purchase,
        so that the closed form of the MBG/NBD holds with h / k. Their correction by a factor common to all
        customers asked for is left out: a forecast must not depend on who else is asked for.
        """
        return super().expected_orders(h, x, t_x, T)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.k is not None and not (isinstance(self.k, Integral) and 1 <= self.k <= K_LARGEST):
            raise ValueError(f"k must be None or a whole number from 1 to {K_LARGEST}, not {self.k!r}.")


def _gap_terms(
    x: ArrayLike, t_x: ArrayLike, sample_weight: ArrayLike | None, sum_log_gaps: ArrayLike | None
) -> Callable[[int], float]:
    """What the log-likelihood has by k beyond the part with parameters, a function of k; 0 for k = 1.

    Of gaps g: (k - 1) sum ln g - x lnG(k). Of t_x alone: (k - 1) x ln t_x - lnG(k x) + lnG(x), their integral
    over how x gaps can share t_x, relative to that for k = 1.
    """
    x, t_x = np.atleast_1d(np.asarray(x, dtype=float)), np.atleast_1d(np.asarray(t_x, dtype=float))
    weight = np.ones(x.shape) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    if sum_log_gaps is not None:
        logs = np.asarray(sum_log_gaps, dtype=float)
        if logs.shape != x.shape or not np.isfinite(logs).all():
            raise ValueError("sum_log_gaps must be finite and of the length of x.")
        logs, purchases = float(weight @ logs), float(weight @ x)
        return lambda k: (k - 1) * logs - purchases * float(gammaln(k))
    again = x > 0
    x, t_x, weight = x[again], t_x[again], weight[again]
    shortest = t_x.min(initial=1.0, where=t_x > 0)  # stands in for times too short to be told from 0
    logs = float((weight * x) @ np.log(np.maximum(t_x, shortest)))
    return lambda k: (k - 1) * logs - float(weight @ (gammaln(k * x) - gammaln(x)))
