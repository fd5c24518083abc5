"""Whether the coming horizon is a season of more or fewer orders, by the same days a year before.

At earlier cut-offs the transaction models, which know no season, are compared with what came. The year-ago
cut-off's error less the usual error is the season, shrunk by how much the errors vary anyway (positive-part
James-Stein: James & Stein 1961), so that a history that shows no season gets none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sync_worker.scoring.outliers import shared_total
from sync_worker.scoring.past import Past, cutoffs, needed

YEAR = 365  # the same date: in business many orders fall on the first or last of a month
#: Cut-offs besides the year-ago one that tell how much errors vary anyway.
OTHERS_MINIMUM = 2
#: Errors are never taken to vary less than this, whatever a few of them say.
SPREAD_MINIMUM = 0.05
LARGEST = 1.0
#: Squared number of standard errors that a season has to exceed: a few cut-offs tell their spread badly.
DOUBT = 4.0


@dataclass(frozen=True)
class Season:
    """Correction of a horizon's forecast.

    Attributes:
        orders: added to the log of the rate at which customers who are alive order.
        sales: added to the log of what they spend.
        days: that it lasts; after them all is as usual.
    """

    orders: float = 0.0
    sales: float = 0.0
    days: float = np.inf

    def orders_factor(self, h: np.ndarray | float) -> np.ndarray:
        """By which the rate of orders is changed within h days, on the mean."""
        return self._mean(self.orders, h)

    def sales_factor(self, h: np.ndarray | float) -> np.ndarray:
        """By which sales are changed within h days, on the mean."""
        return self._mean(self.sales, h)

    def _mean(self, log_factor: float, h: np.ndarray | float) -> np.ndarray:
        return 1 + np.expm1(log_factor) * np.minimum(1, self.days / np.maximum(h, 1e-9))

    def probability(
        self, p_no_purchase: np.ndarray, p_alive: np.ndarray, h: np.ndarray | float
    ) -> np.ndarray:
        """The probability of no purchase within h days of this season: who is alive is silent with the usual
        probability to the power of the factor, as for Poisson purchases."""
        alive = np.maximum(p_alive, 1 - p_no_purchase)
        silent = np.clip(1 - (1 - p_no_purchase) / np.maximum(alive, 1e-12), 1e-12, 1)
        return 1 - alive * (1 - silent ** self.orders_factor(h))


NO_SEASON = Season()


def learn(past: Past, day: int) -> Season:
    """The season of the horizon after a day, by that of a year before, or of as many years as the horizon has begun: by
    the day its outcome is known. None where the history is shorter than that and half a horizon."""
    before = day - YEAR * -(-past.horizon // YEAR)
    if before - past.start < needed(past.horizon):
        return NO_SEASON
    errors = {earlier: _error(past, earlier) for earlier in {before, *cutoffs(past.start, day, past.horizon)}}
    own = errors.pop(before)
    # what overlaps with the year-ago horizon shares its season
    others = [
        error
        for earlier, error in errors.items()
        if error is not None and abs(earlier - before) >= past.horizon
    ]
    if own is None or len(others) < OTHERS_MINIMUM:
        return NO_SEASON
    return Season(*map(_shrunk, own, np.transpose(others)), days=past.horizon)


def _error(past: Past, day: int) -> tuple[float, float] | None:
    """What has to be added to the log of the orders, and of the sales, foretold on a day to meet what came."""
    moment = past.moment(day)
    if moment is None:
        return None
    snapshot, base = moment
    came = past.outcome(snapshot, past.horizon)
    orders = base.expected_orders(past.horizon, snapshot.situation)
    sales = orders * base.expected_spend(snapshot.situation)
    if not came.orders.any():
        return None
    return _missed(came.orders, orders), _missed(came.sales, sales)


def _missed(came: np.ndarray, told: np.ndarray) -> float:
    """A season is everybody's: no customer has more than a share in it."""
    return float(np.log(shared_total(came) / shared_total(told)))


def _shrunk(own: float, others: np.ndarray) -> float:
    difference = own - others.mean()
    spread = max(others.std(ddof=1), SPREAD_MINIMUM)
    noise = DOUBT * spread**2 * (1 + 1 / len(others))
    weight = max(0.0, 1 - noise / difference**2) if difference else 0.0
    return float(np.clip(weight * difference, -LARGEST, LARGEST))
