"""What of a unit of sales remains as value, after returns or after returns and the cost of goods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sync_worker.scoring.features import Sales
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.rhythm import Z90
from sync_worker.scoring.situation import Situation
from sync_worker.scoring.spend import GammaGamma

#: Order-days by which a customer's own rate is drawn towards its peers'.
WEIGHT = 2.0
#: A variance of rates; less is none.
NEGLIGIBLE = 1e-12


@dataclass(frozen=True)
class Rate:
    """The rate of each customer's sales.

    Attributes:
        mean: (n,) expected rate; may be negative.
        noise: variance of an order's rate around its customer's (`noise_of`); 0 where value is revenue.
        order: (n,) money, the expected square of the amount of an order-day over the expected amount.
        learnt: (n,) money, sales that the rate was learnt from, the peers' share of them included.
    """

    mean: np.ndarray
    noise: float
    order: np.ndarray
    learnt: np.ndarray

    @property
    def varies(self) -> bool:
        """Whether single orders have rates of their own."""
        return self.noise > NEGLIGIBLE

    def variance(self, sales: np.ndarray, relative: np.ndarray) -> np.ndarray:
        """The variance that the rates of single orders, and not knowing the customer's, give to the value, (n,).

        Args:
            sales, relative: (n,) expected sales and their squared coefficient of variation.
        """
        of_customer = self.noise * self.order / self.learnt
        return self.noise * self.order * sales + of_customer * sales**2 * (1 + relative)


def learn(situation: Situation, peers: Peers, spend_model: GammaGamma, noise: float) -> Rate:
    """The rate of each customer, drawn towards its peers'.

    Args:
        noise: as of `noise_of`.
    """
    gross = situation.gross
    prior = WEIGHT * spend_model.population_mean_
    typical = peers.median(situation.worth / gross)
    mean = (situation.worth + prior * typical) / (gross + prior)
    if not noise:
        return Rate(mean, 0.0, gross, gross)
    single, _own = spend_model.relative_variances(situation.x + 1)
    spend = spend_model.expected_spend(situation.x + 1, situation.mean_spend)
    return Rate(mean, noise, spend * (1 + single), gross + prior)


def noise_of(sales: Sales, day: int) -> float:
    """The variance of an order's rate around its customer's, of orders until a day: that of the normal distribution
    which has four fifths of the sales as near: a few wild rates must not make it.

    Around the company's rate where nobody ordered twice; 0 where value is the amount.
    """
    if sales.worth is None:
        return 0.0
    bought = (sales.amount > 0) & (sales.day <= day)
    row, amount, worth = sales.row[bought], sales.amount[bought], sales.worth[bought]
    orders, gross, earned = (np.bincount(row, each) for each in (None, amount, worth))
    if orders.max(initial=0) < 2:
        row, orders = np.zeros(len(row), dtype=int), np.array([len(row)])
        gross, earned = np.array([amount.sum()]), np.array([worth.sum()])
    several = orders[row] > 1
    row, amount, worth = row[several], amount[several], worth[several]
    if not len(row):
        return 0.0
    # rates of n orders lie nearer to their own mean than to the true one
    off = np.abs(worth / amount - earned[row] / gross[row]) / np.sqrt(1 - 1 / orders[row])
    order = np.argsort(off)
    within = np.searchsorted(np.cumsum(amount[order]), 0.8 * amount.sum())
    return float(off[order][within] / Z90) ** 2
