"""The models of single customers, fitted on all orders up to a day, and whether the orders are enough for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from sync_worker.scoring.churn import RhythmModel, TransactionTier
from sync_worker.scoring.situation import Situation
from sync_worker.scoring.spend import GammaGamma
from sync_worker.scoring.transaction_models import ModifiedBetaGeoNBD

#: Below these no model can be told from a rule of thumb.
CUSTOMERS_MINIMUM = 50
DAYS_MINIMUM = 90
REPEAT_BUYERS_MINIMUM = 30
#: Weight of the ridge on the MBG/NBD's log-parameters in customers: it only speaks where the data hardly do.
RIDGE_CUSTOMERS = 2.0
#: The largest mean amount of a customer counts as at most so many times the next one: one order must not make
#: the model of everybody's spend.
LARGEST_FACTOR = 3.0


@dataclass(frozen=True)
class Told:
    """What the transaction models say of customers and a horizon; each (n,) float64, log-odds where not said.

    They look at `x`, `t_x`, `T`, `mu` and `sigma` of a situation alone: customers who differ in other facts are told
    the same.

    Attributes:
        transactions: of no purchase, by the MBG/NBD.
        rhythm: of no purchase, by the rhythm.
        orders: order-days expected by the MBG/NBD.
        alive: of being alive, by the MBG/NBD.
    """

    transactions: np.ndarray
    rhythm: np.ndarray
    orders: np.ndarray
    alive: np.ndarray

    @property
    def p_no_purchase(self) -> np.ndarray:
        """The mean of both models' log-odds as a probability, (n,)."""
        return expit((self.transactions + self.rhythm) / 2)


@dataclass(frozen=True)
class BaseModels:
    """The models of single customers that the regressions start from, fitted on all orders up to a day.

    Attributes:
        transactions: MBG/NBD.
        rhythm: silence against the customer's own rhythm.
        spend: amount of an order-day.
    """

    transactions: TransactionTier
    rhythm: RhythmModel
    spend: GammaGamma

    def tell(self, h: np.ndarray, situation: Situation) -> Told:
        """All that the regressions ask of both transaction models."""
        return Told(
            log_odds(self.transactions.p_no_purchase(h, situation)),
            log_odds(self.rhythm.p_no_purchase(h, situation)),
            self.transactions.expected_orders(h, situation),
            log_odds(self.transactions.p_alive(situation)),
        )

    def p_no_purchase(self, h: np.ndarray, situation: Situation) -> np.ndarray:
        """The mean of both models' log-odds as a probability."""
        both = [log_odds(m.p_no_purchase(h, situation)) for m in (self.transactions, self.rhythm)]
        return expit((both[0] + both[1]) / 2)

    def p_purchase(self, h: np.ndarray, situation: Situation) -> np.ndarray:
        """The mean of both models' chances of an order-day within h days, (n,): what `expected_orders` goes with."""
        none = self.transactions.p_no_purchase(h, situation) + self.rhythm.p_no_purchase(h, situation)
        return 1 - none / 2

    def expected_orders(self, h: np.ndarray, situation: Situation) -> np.ndarray:
        """The mean of both models' order-days."""
        return (
            self.transactions.expected_orders(h, situation) + self.rhythm.expected_orders(h, situation)
        ) / 2

    def p_alive(self, situation: Situation) -> np.ndarray:
        """The transaction model's, or the rhythm's where orders do not show when customers leave."""
        model = self.transactions if self.transactions.model.identified_ else self.rhythm
        return model.p_alive(situation)

    def expected_spend(self, situation: Situation) -> np.ndarray:
        """Amount of a future order-day."""
        return self.spend.expected_spend(situation.x + 1, situation.mean_spend)


@dataclass(frozen=True)
class Shortage:
    """Why the data are too few for a model.

    Attributes:
        code: the reason code that tells it.
        have, needed: numbers.
        words: a sentence's part.
    """

    code: str
    have: int
    needed: int
    words: str


def shortage(situation: Situation, days_minimum: int = DAYS_MINIMUM) -> Shortage | None:
    """What the data lack for a model, None where they are enough."""
    customers, repeat = len(situation), int((situation.x > 0).sum())
    # from the first order of all to the last one, however long ago that is
    span = int(situation.T.max(initial=-1) - situation.silence.min(initial=np.inf)) + 1 if customers else 0
    checks = (
        ("few_customers", customers, CUSTOMERS_MINIMUM, "only {:,} customers have ordered"),
        ("few_days", span, days_minimum, "the orders span only {:,} days"),
        ("few_repeat_buyers", repeat, REPEAT_BUYERS_MINIMUM, "only {:,} customers ordered again"),
    )
    for code, have, needed, words in checks:
        if have < needed:
            return Shortage(code, have, needed, f"{words.format(have)}, {needed} are needed")
    return None


def fit(situation: Situation, most: int | None = None) -> BaseModels:
    """MBG/NBD (with a ridge that keeps its parameters finite where the data do not), rhythm and spend.

    Args:
        most: customers to learn from, a sample where there are more.
    """
    s = situation
    if most is not None and len(s) > most:
        s = s.part(np.random.default_rng(0).permutation(len(s))[:most])
    transactions = ModifiedBetaGeoNBD(penalty=RIDGE_CUSTOMERS / len(s)).fit(s.x, s.t_x, s.T)
    return BaseModels(TransactionTier(transactions), RhythmModel().fit(s), fit_spend(s))


def fit_spend(situation: Situation) -> GammaGamma:
    """The spend model of repeat buyers; where it cannot be fitted, drawn towards the mean of all buyers."""
    n, mean = situation.x + 1, situation.mean_spend
    if len(mean) > 1:
        mean = np.minimum(mean, LARGEST_FACTOR * np.partition(mean, -2)[-2])
    several = n > 1
    model = GammaGamma().fit(n[several], mean[several]) if several.any() else GammaGamma().fit(n, mean)
    if model.fallback_:
        model.population_mean_ = float(mean.mean())
    return model


def log_odds(probability: np.ndarray) -> np.ndarray:
    """Log-odds of a probability, kept finite."""
    return logit(np.clip(probability, 1e-5, 1 - 1e-5))
