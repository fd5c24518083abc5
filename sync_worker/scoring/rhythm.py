"""How often this very customer buys, and when its next order would fit that rhythm.

Gaps between order-days are taken as lognormal with a mean of the customer's own (a random-effects model on
log-gaps), so that few gaps are drawn towards the peers' and many speak for themselves.
Reference: Efron & Morris (1975), "Data analysis using Stein's estimator", JASA 70 (shrinkage).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from sync_worker.scoring.features import OrderDays
from sync_worker.scoring.peers import Peers

#: The 90th percentile of the standard normal distribution: four in five lie within it on either side.
Z90 = 1.2815515655446004
#: Weight, in gaps, of the company's spread against a customer's own.
SPREAD_WEIGHT = 3.0
#: Standard deviation of log-gaps: week-ends and holidays shift even a standing order by a twentieth.
SPREAD_BOUNDS = (0.05, 1.5)
#: Least and greatest weight, in gaps, of the peers' mean against a customer's own.
PEERS_WEIGHT = (0.5, 5.0)


@dataclass
class Rhythm:
    """Mean and standard deviation of the log of a customer's next gap, in log-days.

    Attributes:
        mu, sigma: (m,) as seen right after each order-day, from the gaps before it.
        spread: (m,) `sigma` without the doubt about `mu`, which is large for a customer with one order.
    """

    mu: np.ndarray
    sigma: np.ndarray
    spread: np.ndarray

    def typical(self) -> np.ndarray:
        """Usual gap in days: half of the gaps are shorter."""
        return np.exp(self.mu)

    def long(self) -> np.ndarray:
        """Long gap in days: the 90th percentile of the customer's own gaps (its peers' with one order)."""
        return np.exp(self.mu + Z90 * self.spread)

    def late(self) -> np.ndarray:
        """Silence in days that about three in four of the gaps do not reach: half-way, in logs, to the
        long one.
        """
        return np.exp(self.mu + Z90 / 2 * self.spread)

    def at(self, index: np.ndarray) -> Rhythm:
        """The rhythm as seen after some order-days, e.g. each customer's last."""
        return Rhythm(self.mu[index], self.sigma[index], self.spread[index])


def learn(days: OrderDays, peers: Peers, default_gap: float) -> Rhythm:
    """The rhythm after each order-day.

    Args:
        days: the order-days of all buyers.
        default_gap: days, where no customer has two order-days.
    """
    gaps = days.position.astype(float)  # number of gaps behind each order-day
    total, within = _gaps_so_far(gaps, days)
    last = days.last()
    has_gap = gaps[last] > 0
    mean = total[last] / np.maximum(gaps[last], 1)
    if not has_gap.any():
        centre = np.full(len(last), np.log(default_gap))
        spread = own_spread = 0.7**2
    else:
        centre = peers.median(np.where(has_gap, mean, np.nan))
        centre = np.where(np.isnan(centre), np.median(mean[has_gap]), centre)
        spread, own_spread = _components(gaps[last], mean, within[last], has_gap)
    weight = np.clip(own_spread / spread, *PEERS_WEIGHT)  # the peers' mean counts as so many gaps
    # in place: a history has many more order-days than customers
    mu = total
    mu += (weight * centre)[days.row]
    mu /= gaps + weight
    variance = within
    variance += SPREAD_WEIGHT * own_spread
    variance /= np.maximum(gaps - 1, 0) + SPREAD_WEIGHT
    sigma = own_spread / (gaps + weight)  # the own mean is not known exactly either
    sigma += variance
    for squared in (sigma, variance):
        np.clip(np.sqrt(squared, out=squared), *SPREAD_BOUNDS, out=squared)
    return Rhythm(mu, sigma, variance)


def expected_next_order(
    last_day: np.ndarray, rhythm: Rhythm, silence: np.ndarray, known: np.ndarray
) -> pd.DataFrame:
    """When the next order is to be expected, given that it has not come yet.

    Once it is overdue, as the silence exceeds nine in ten of the gaps: when it had been due, in the past.

    Args:
        last_day: (n,) last order-day, days since 1970-01-01.
        rhythm: as seen after that day.
        silence: (n,) days since then.
        known: (n,) mask of customers with a rhythm of their own who are not lost; others get missing values.

    Returns:
        `expected_next_order`, `expected_next_order_low`, `expected_next_order_high` (median, 10th and 90th
        percentile of the own gaps longer than the silence; of all own gaps where it is overdue) as datetime64.
    """
    overdue = silence > _gap(rhythm, Z90)
    # of the gaps longer than the silence a share q is longer than where the share q of those of all gaps begins
    past = np.log(
        np.where(overdue, 0, silence), out=np.full(len(silence), -np.inf), where=~overdue & (silence > 0)
    )
    longer = ndtr((rhythm.mu - past) / rhythm.sigma)
    columns = {}
    for name, share in (("", 0.5), ("_low", 0.9), ("_high", 0.1)):
        gap = _gap(rhythm, -ndtri(share * longer))
        gap = np.where(overdue, gap, np.maximum(gap, silence + 1)).astype("int64")
        date = pd.Series((last_day + gap).astype("datetime64[D]").astype("datetime64[s]"))
        columns[f"expected_next_order{name}"] = date.where(known)
    return pd.DataFrame(columns)


def _gap(rhythm: Rhythm, z: np.ndarray | float) -> np.ndarray:
    """The gap so many standard deviations from the mean of the logs, whole days, (m,)."""
    return np.maximum(np.rint(np.exp(rhythm.mu + z * rhythm.sigma)), 1)


def _gaps_so_far(gaps: np.ndarray, days: OrderDays) -> tuple[np.ndarray, np.ndarray]:
    """Of the logs of a customer's gaps up to each order-day the sum, and the sum of squares around the mean; (m,)
    each."""
    log_gap = np.zeros(len(days.day))
    repeat = days.position > 0
    log_gap[repeat] = np.log(np.diff(days.day)[repeat[1:]])
    total, squares = _running(log_gap, days), _running(log_gap**2, days)
    squares -= gaps * (total / np.maximum(gaps, 1)) ** 2
    return total, np.maximum(squares, 0, out=squares)


def _running(values: np.ndarray, days: OrderDays) -> np.ndarray:
    """Sum within a customer up to and including each order-day."""
    total = np.cumsum(values)
    return total - (total - values)[days.start][days.row]


def _components(gaps, mean, within, has_gap) -> tuple[float, float]:
    """Variance of the customers' means and of gaps around a customer's own mean (method of moments)."""
    several = gaps > 1
    free = (gaps[several] - 1).sum()
    own = within[several].sum() / free if free > 0 else 0.5
    least = SPREAD_BOUNDS[0] ** 2
    own = float(np.clip(own, least, 2.0))
    between = np.var(mean[has_gap]) - own * np.mean(1 / gaps[has_gap])
    return float(np.clip(between, least, 2.0)), own
