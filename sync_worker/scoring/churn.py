"""Will the customer buy in the churn horizon? Probability, risk band, and how far it can be trusted."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import stdtr
from sklearn.base import BaseEstimator

from sync_worker.scoring import labels
from sync_worker.scoring.situation import Situation
from sync_worker.scoring.transaction_models import ModifiedBetaGeoNBD

#: Degrees of freedom of log-gaps.
TAIL = 8.0
#: Beyond so many standard deviations a tail is smaller than the rounding of a sum near one half.
FAR_OUT = 20.0
#: Fewer order-days than this say little about one customer.
ORDER_DAYS_ENOUGH = 3


class ChurnModel(Protocol):
    """What every tier answers; `h` is a horizon in days, scalar or (n,); results are (n,) float64."""

    name: str
    words: str

    def p_alive(self, situation: Situation) -> np.ndarray: ...
    def p_no_purchase(self, h: np.ndarray, situation: Situation) -> np.ndarray: ...
    def expected_orders(self, h: np.ndarray, situation: Situation) -> np.ndarray: ...
    def parameters(self) -> dict[str, float]: ...


class TransactionTier:
    """The MBG/NBD model of all customers."""

    name = "mbg_nbd"
    words = "MBG/NBD transaction model fitted on the company's own orders"

    def __init__(self, model: ModifiedBetaGeoNBD) -> None:
        self.model = model

    def p_alive(self, situation: Situation) -> np.ndarray:
        return self.model.p_alive(situation.x, situation.t_x, situation.T)

    def p_no_purchase(self, h: np.ndarray, situation: Situation) -> np.ndarray:
        return self.model.p_no_purchase(h, situation.x, situation.t_x, situation.T)

    def expected_orders(self, h: np.ndarray, situation: Situation) -> np.ndarray:
        return self.model.expected_orders(h, situation.x, situation.t_x, situation.T)

    def parameters(self) -> dict[str, float]:
        m = self.model
        return {"r": m.r_, "alpha": m.alpha_, "a": m.a_, "b": m.b_, "loglik": m.loglik_}


class RhythmModel(BaseEstimator):
    """Silence against the customer's own rhythm.

    Gaps are lognormal with the customer's own (shrunken) mean, see `Rhythm`; after an order-day the
    customer leaves with a probability that is the same for all, but another one after the first order-day.
    Only these two are fitted, so the model also serves as the rule of thumb where there are few customers.
    It knows regular buyers, whom the Poisson purchases of the MBG/NBD do not.

    Args:
        small: whether it stands in because there are too few data for a model to be judged.

    Attributes:
        dropout_first_, dropout_: probability of leaving after the first and after a later order-day.
    """

    def __init__(self, small: bool = False) -> None:
        self.small = small

    @property
    def name(self) -> str:
        return "rules" if self.small else "rhythm"

    @property
    def words(self) -> str:
        kind = "rule of thumb" if self.small else "rhythm model fitted on the company's own orders"
        return f"{kind}: silence against the customer's own rhythm"

    def fit(self, situation: Situation) -> RhythmModel:
        """Maximum likelihood of the two probabilities, each with a prior worth ten order-days."""
        survived = np.exp(_log_survival(_silence(situation), situation))
        once = situation.x == 0
        self.dropout_first_ = _dropout((~once).sum(), survived[once])
        self.dropout_ = _dropout((situation.x[~once] - 1).sum(), survived[~once])
        return self

    def p_alive(self, situation: Situation) -> np.ndarray:
        return self._alive(_log_survival(_silence(situation), situation), situation)

    def p_no_purchase(self, h: np.ndarray, situation: Situation) -> np.ndarray:
        return self._alive_and_silent(h, situation)[1]

    def expected_orders(self, h: np.ndarray, situation: Situation) -> np.ndarray:
        # As many order-days as gaps fit into the horizon, each with its chance of being the last; at least
        # the chance of one.
        gaps = h / np.exp(situation.mu + situation.sigma**2 / 2)
        alive, none = self._alive_and_silent(h, situation)
        expected = alive * -np.expm1(gaps * np.log1p(-self.dropout_)) / self.dropout_
        return np.maximum(expected, 1 - none)

    def _alive_and_silent(self, h: np.ndarray, situation: Situation) -> tuple[np.ndarray, np.ndarray]:
        silence = _silence(situation)
        so_far = _log_survival(silence, situation)
        alive = self._alive(so_far, situation)
        waiting = _log_survival(silence + h, situation) - so_far
        return alive, 1 + alive * np.expm1(np.minimum(waiting, 0))

    def _alive(self, log_survival: np.ndarray, situation: Situation) -> np.ndarray:
        dropout = np.where(situation.x > 0, self.dropout_, self.dropout_first_)
        stay = (1 - dropout) * np.exp(log_survival)
        return stay / (stay + dropout)

    def parameters(self) -> dict[str, float]:
        return {"dropout_first": self.dropout_first_, "dropout": self.dropout_}


def risk(probability: np.ndarray, medium_from: np.ndarray, high_from: np.ndarray) -> pd.Categorical:
    """`low`, `medium` or `high` by the policy's thresholds, (n,)."""
    bands = [probability >= high_from, probability >= medium_from]
    return labels.first(bands, ["high", "medium"], "low")


def confidence(order_days: np.ndarray, model: ChurnModel) -> pd.Categorical:
    """`none` where the company has too little data for a model, `thin` where the customer has, else
    `enough`.
    """
    if model.name == "rules":
        return labels.same("none", len(order_days))
    return labels.first([order_days >= ORDER_DAYS_ENOUGH], ["enough"], "thin")


def _dropout(returned: float, survived: np.ndarray) -> float:
    """P(leaving) from the number of returns seen and P(silence | stayed) of those still silent."""

    def loss(dropout: float) -> float:
        stay = 1 - dropout
        prior = np.log(dropout) + 9 * np.log(stay)
        return -(returned * np.log(stay) + np.log(dropout + stay * survived).sum() + prior)

    return float(minimize_scalar(loss, bounds=(1e-4, 0.95), method="bounded").x)


def _silence(situation: Situation) -> np.ndarray:
    return situation.T - situation.t_x


def _log_survival(days: np.ndarray, situation: Situation) -> np.ndarray:
    """log P(gap > days), 0 for no days.

    Student's t on log-gaps, not the normal: the spread is an estimate, and a normal tail would be sure that a
    customer has gone after a silence a little longer than usual.
    """
    with np.errstate(divide="ignore"):
        z = np.atleast_1d((np.log(days) - situation.mu) / situation.sigma)
    return np.log(_upper_tail(z)).reshape(np.shape(situation.mu))


def _upper_tail(z: np.ndarray) -> np.ndarray:
    """P(t > z) of Student's t with `TAIL`, an even number of degrees of freedom.

    Then it is a finite sum (Abramowitz & Stegun 1964, 26.7.4), ten times as quick as the incomplete beta function,
    which stands in where the sum would lose its digits.
    """
    cosine = TAIL / (TAIL + np.square(np.clip(z, -FAR_OUT, FAR_OUT)))
    total, term = np.ones_like(cosine), np.ones_like(cosine)
    for step in range(1, int(TAIL) // 2):
        term = term * cosine * ((2 * step - 1) / (2 * step))
        total += term
    upper = 0.5 - 0.5 * np.sign(z) * np.sqrt(1 - cosine) * total
    out = np.abs(z) >= FAR_OUT
    upper[out] = stdtr(TAIL, -z[out])
    return upper
