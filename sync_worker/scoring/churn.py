"""Will the customer buy in the churn horizon? Probability, risk band, and how far it can be trusted."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import stdtr
from sklearn.base import BaseEstimator

from sync_worker.policy import Policy
from sync_worker.scoring import labels
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.memory import held
from sync_worker.scoring.situation import Situation, in_blocks
from sync_worker.scoring.transaction_models import ModifiedBetaGeoNBD

#: Degrees of freedom of log-gaps.
TAIL = 8.0
#: Beyond so many standard deviations a tail is smaller than the rounding of a sum near one half.
FAR_OUT = 20.0
#: Customers looked at at once.
BLOCK = 8_192
#: Fewer order-days than this say little about one customer.
ORDER_DAYS_ENOUGH = 3
RISKS = ("low", "medium", "high")

SENTENCES = {
    f"risk_counts_{name}": f"Counts as {name} risk: at {{percent}} % it has not passed the border of {{border}} % by "
    "{points} points"
    for name in RISKS
}
#: A label that its own figure speaks against is explained first.
STRENGTH = 1.0


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
        survived = in_blocks(lambda _, s: np.exp(_log_survival(_silence(s), s)), BLOCK, 0.0, situation)
        once = situation.x == 0
        self.dropout_first_ = _dropout((~once).sum(), survived[once])
        self.dropout_ = _dropout((situation.x[~once] - 1).sum(), survived[~once])
        return self

    def p_alive(self, situation: Situation) -> np.ndarray:
        def alive(_: np.ndarray, part: Situation) -> np.ndarray:
            return self._alive(_log_survival(_silence(part), part), part)

        return in_blocks(alive, BLOCK, 0.0, situation)

    def p_no_purchase(self, h: np.ndarray, situation: Situation) -> np.ndarray:
        return in_blocks(lambda *part: self._alive_and_silent(*part)[1], BLOCK, h, situation)

    def expected_orders(self, h: np.ndarray, situation: Situation) -> np.ndarray:
        return in_blocks(self._orders, BLOCK, h, situation)

    def _orders(self, h: np.ndarray, situation: Situation) -> np.ndarray:
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


def risk(
    probability: np.ndarray,
    medium_from: np.ndarray,
    high_from: np.ndarray,
    *,
    before: pd.Series | None = None,
    noise: np.ndarray | float = 0.0,
) -> pd.Categorical:
    """`low`, `medium` or `high` by the policy's thresholds, (n,).

    Args:
        before: the risk of the last run, missing where it is not known; None: of nobody. Who has one leaves it
            where the probability has passed a threshold by a margin.
        noise: the margin, in probability (`borders`).
    """
    if before is not None:
        medium_from, high_from = borders(
            medium_from,
            high_from,
            noise,
            medium_was=held(before, ["medium", "high"], ["low"]),
            high_was=held(before, ["high"], ["low", "medium"]),
        )
    bands = [probability >= high_from, probability >= medium_from]
    return labels.first(bands, ["high", "medium"], "low")


def borders(
    medium_from: np.ndarray,
    high_from: np.ndarray,
    noise: np.ndarray | float,
    *,
    medium_was: np.ndarray,
    high_was: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """From which probability the risk is medium and high for who was so before (`memory.held`), (n,) each.

    The margin is at most half way to the next border, 0 and 1 included: each band is to be reached, and none is
    passed over.
    """
    between = (high_from - medium_from) / 2
    medium_noise = np.minimum(noise, np.minimum(between, medium_from / 2))
    high_noise = np.minimum(noise, np.minimum(between, (1 - high_from) / 2))
    return medium_from - medium_was * medium_noise, high_from - high_was * high_noise


def borders_left(policy: Policy, formats: pd.Series, remembered: bool) -> dict[str, np.ndarray]:
    """Below which probability a customer of a higher risk comes to `low` and to `medium`, (n,) each: with the margin
    where the next run will remember the risk it has now."""
    was = np.full(len(formats), int(remembered))
    medium, high = (policy.column(key, formats) for key in ("risk_medium_from", "risk_high_from"))
    noise = policy.column("hysteresis_probability", formats)
    return dict(
        zip(("low", "medium"), borders(medium, high, noise, medium_was=was, high_was=was), strict=True)
    )


def evidence(table: pd.DataFrame, policy: Policy) -> list[Evidence]:
    """What says that the last run's risk decided.

    Args:
        table: `format`, `churn_probability`, `churn_risk` and `risk_by_rule`, which is what it would be without memory.
    """
    formats = table["format"]
    medium, high = (policy.column(key, formats) for key in ("risk_medium_from", "risk_high_from"))
    noise = policy.column("hysteresis_probability", formats)
    one = np.ones(len(table))
    lowered = borders(medium, high, noise, medium_was=one, high_was=one)
    now, by_rule = (table[name].astype(object) for name in ("churn_risk", "risk_by_rule"))
    moved = (now.notna() & (now != by_rule)).to_numpy()
    # the border between the two; at most one lies between them
    at_high = (now.eq("high") | by_rule.eq("high")).to_numpy()
    border, margin = (
        np.where(at_high, high, medium),
        np.where(at_high, high - lowered[1], medium - lowered[0]),
    )
    percent = 100 * table["churn_probability"].to_numpy()
    figures = {"percent": percent, "points": np.ceil(100 * margin - 1e-9), "border": 100 * border}
    return [
        Evidence(f"risk_counts_{name}", moved & now.eq(name).to_numpy(), figures, strength=STRENGTH)
        for name in RISKS
    ]


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
