"""What happened before a customer left: how it was served and answered, what it bought elsewhere, what it paid.

*The end* of a customer is its last `GAPS` usual gaps up to the last order-day, at least `SHORTEST` and at most
`LONGEST` days; what comes up to `AFTER` days later (a delivery, a rating, a complaint) belongs to it. *Earlier* is the
year before. What went wrong in the end is held against the larger of two rates: the customer's own earlier one, drawn
towards the company's, and the company's. Told is the probability of so many failures by chance (binomial tail).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from sync_worker.scoring.events import REACH, Events
from sync_worker.scoring.features import Features
from sync_worker.scoring.promises import late_and_short

GAPS, SHORTEST, LONGEST = 8, 60, 365
AFTER = 45
EARLIER = 365
#: Events as the company's mean has them that are added to a customer's own earlier ones.
DOUBT = 5.0
#: Contacts of ours from which there is a usual gap between them.
CONTACTS = 4
#: Share of the company's answers that are quicker than an answer which comes too late.
QUICK = 0.9


@dataclass
class End:
    """The end of k customers; (k,) each.

    Attributes:
        row: in `Features.table`, ascending.
        first, last: days since 1970-01-01; `last` is the last order-day.
    """

    row: np.ndarray
    first: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, features: Features, row: np.ndarray, typical_gap: np.ndarray) -> End:
        """The end of some customers with their usual gap in days, (k,) each."""
        last = features.table["last_day"].to_numpy()[row]
        days = np.clip(GAPS * typical_gap, SHORTEST, LONGEST).astype("int64")
        return cls(row, last - days, last)


@dataclass
class Failures:
    """How often something went wrong in the end; (k,) each.

    Attributes:
        wrong, all: number of failures, and of what could have failed.
        chance: probability of at least so many failures at the usual rate; 1 where there was nothing.
        records: (k, 5) ids of the newest failures, -1 = none; None where there are none to show.
    """

    wrong: np.ndarray
    all: np.ndarray
    chance: np.ndarray
    records: np.ndarray | None = None


def late_or_short(end: End, deliveries: Events, grace: np.ndarray) -> Failures:
    """Deliveries that came after the promised day or brought less than was ordered.

    Args:
        grace: (n,) as for `promises.late_and_short`.
    """
    sent, late, short = late_and_short(deliveries, grace)
    return _failures(end, sent, (late > 0) | (short > 0), len(grace), "delivery_id")


def returned(end: End, deliveries: Events, n: int) -> Failures:
    """Deliveries back, against all; n customers in all."""
    return _failures(end, deliveries, deliveries.table["is_return"].to_numpy(), n, "delivery_id")


def low_ratings(end: End, ratings: Events, below: np.ndarray) -> Failures:
    """Ratings that are low.

    Args:
        below: (n,) rating below which each customer's are (`unsatisfied_below`).
    """
    low = ratings.numbers("rating") < below[ratings.row]
    return _failures(end, ratings, low, len(below), "rating_id")


def badly_answered(end: End, asked: Events, hours: np.ndarray, n: int) -> Failures | None:
    """Messages that got no answer, or a later one than nine in ten of the company's; None without any answer.

    Args:
        asked, hours: the customers' messages that wanted an answer, and hours until it came, inf = never
            (`interactions.answers`).
    """
    if not np.isfinite(hours).any():
        return None
    slow = hours > np.quantile(hours[np.isfinite(hours)], QUICK)
    return _failures(end, asked, slow, n, None)


def let_alone(end: End, contacts: Events) -> tuple[np.ndarray, np.ndarray]:
    """Days since our last contact on the last order-day, and mean days between two of them before; (k,) each, NaN with
    fewer than `CONTACTS`.

    Args:
        contacts: what came from us.
    """
    before = contacts.window(end.row, np.full(len(end.row), -REACH), end.last)
    known = before.count >= CONTACTS
    day = np.append(contacts.day, 0)  # so that no place lies outside
    first, last = day[before.begin], day[np.maximum(before.end - 1, 0)]
    gap = np.maximum((last - first) / np.maximum(before.count - 1, 1), 1)
    return np.where(known, end.last - last, np.nan), np.where(known, gap, np.nan)


def _failures(end: End, events: Events, wrong: np.ndarray, n: int, record: str | None) -> Failures:
    now = events.window(end.row, end.first, end.last + AFTER)
    past = events.window(end.row, end.first - EARLIER, end.first - 1)
    usual = wrong.mean() if len(wrong) else 0.0
    own = (past.total(wrong) + DOUBT * usual) / (past.count + DOUBT)
    count, found = now.count, now.total(wrong).astype("int64")
    rate = np.clip(np.maximum(own, usual), 1e-3, 1)
    chance = np.where(found > 0, binom.sf(found - 1, count, rate), 1.0)
    records = None
    if record is not None:
        since, until = np.full((2, n), -REACH)
        since[end.row], until[end.row] = end.first, end.last + AFTER
        inside = (events.day >= since[events.row]) & (events.day <= until[events.row])
        records = events.records(wrong & inside, n, record)
        records = None if records is None else records[end.row]
    return Failures(found, count, chance, records)
