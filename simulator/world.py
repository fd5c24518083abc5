"""The parameters of a simulated wholesale company, with the reason for each.

Nothing here, or anywhere in this package, comes from the scoring code: what a customer is was decided before
anybody looked at it, so that the scores can be held against it. Figures are round numbers of the trade.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

OLD, CURRENT, NEW = range(3)
#: A product counts as new for its first so many days on offer, and its predecessor as current as long.
NEW_DAYS = 200
#: Promotions and the stock on offer change in steps of so many days.
STEP_DAYS = 14
SATISFACTION = ("satisfied", "neutral", "unsatisfied")
#: Why customers leave: the five types of the domain. The order is that of `Format.causes` below.
LOST_TYPES = (
    "deliberately_dropped",
    "unintentionally_dropped",
    "lured_by_competitor",
    "price_seeker",
    "circumstances_changed",
)
DROPPED, NEGLECTED, LURED, PRICE, CLOSED = range(5)


class Format(NamedTuple):
    """A business format.

    Attributes:
        share: of all customers.
        gap: median days between two orders; customers differ around it by a factor e^`gap_spread`.
        order_value: median of a customer's usual order, untaxed; `value_spread` as above. A spread of 1 lets
            the largest fifth carry about two thirds, as wholesalers know it.
        lines: mean products in an order.
        yearly_loss: share of customers who leave in a year. Restaurants and shops close more often than chains.
        price_factor: of the list price, by frame contract.
        terms: days until an invoice is due.
        december: turnover of December against an ordinary month.
    """

    name: str
    share: float
    gap: float
    gap_spread: float
    order_value: float
    value_spread: float
    lines: float
    yearly_loss: float
    price_factor: float
    terms: int
    december: float


FORMATS = (
    Format("chain", 0.12, 9, 0.4, 2400, 0.9, 6.0, 0.10, 0.94, 60, 1.3),
    Format("catering", 0.28, 11, 0.5, 420, 0.8, 4.5, 0.22, 1.00, 14, 1.2),
    Format("grocery", 0.30, 14, 0.5, 380, 0.8, 4.5, 0.20, 1.00, 30, 1.3),
    Format("wholesale", 0.10, 18, 0.5, 1900, 1.0, 4.0, 0.14, 0.96, 30, 1.1),
    Format("other", 0.20, 26, 0.6, 260, 0.9, 2.5, 0.24, 1.00, 30, 1.0),
)


class ValueType(NamedTuple):
    """What a cell of the nine-cell matrix (time orientation x benefit sought) does when it buys.

    Attributes:
        share: of all customers: most buy what works now, few are extreme.
        ages: shares of purchases among old, current and new products, where a line has all three.
        tier: price position it looks for, 0 (cheapest line of a category) to 4, and how strictly.
        habit: share of purchases that repeat its favourite line of a category.
        negotiates: share of purchases with a negotiated discount, and its percentage (from, to).
        promotion: how much likelier it takes a line on promotion.
        breadth: categories it buys from, against the format's usual number.
        ahead: quantity before an announced rise against the usual one.
        sensitivity: percent of quantity lost for each percent of a rise, for a quarter.
        complements: share of purchases that bring one of the matching category along.
    """

    name: str
    share: float
    ages: tuple[float, float, float]
    tier: float
    strictness: float
    habit: float
    negotiates: float
    discount: tuple[float, float]
    promotion: float
    breadth: float
    ahead: float
    sensitivity: float
    complements: float


# fmt: off
VALUE_TYPES = (
    ValueType("laggard",         .11, (.88, .11, .01), 2.0, 0.6, .80, .04, (2, 5), 1.0, 0.7, 1.0, 0.5, .02),
    ValueType("haggler",         .11, (.75, .22, .03), 1.2, 0.5, .50, .60, (7, 15), 3.0, 0.8, 1.0, 5.0, .02),
    ValueType("nostalgic",       .09, (.80, .18, .02), 3.4, 0.8, .70, .05, (2, 5), 1.0, 0.9, 1.0, 0.5, .05),
    ValueType("pragmatist",      .17, (.12, .83, .05), 2.0, 0.6, .45, .08, (2, 5), 1.2, 1.3, 1.0, 1.0, .05),
    ValueType("value_for_money", .14, (.15, .80, .05), 0.5, 0.9, .30, .20, (3, 8), 6.0, 1.0, 1.0, 2.5, .05),
    ValueType("achiever",        .10, (.05, .88, .07), 3.7, 0.9, .45, .03, (2, 4), 0.7, 0.9, 1.0, 0.3, .10),
    ValueType("pioneer",         .10, (.04, .26, .70), 2.0, 0.4, .05, .05, (2, 5), 1.0, 1.1, 1.0, 0.5, .05),
    ValueType("far_sighted",     .09, (.06, .64, .30), 1.2, 0.5, .35, .12, (3, 6), 1.5, 1.0, 3.5, 1.0, .05),
    ValueType("perfectionist",   .09, (.03, .42, .55), 3.6, 0.9, .30, .03, (2, 4), 0.7, 1.2, 1.0, 0.3, .60),
)
# fmt: on

#: Why customers leave, in the order of `LOST_TYPES`. Only who buys by the price leaves for the price.
CAUSES = (0.12, 0.34, 0.32, 0.0, 0.22)
CAUSES_OF_BARGAIN_HUNTERS = (0.12, 0.20, 0.18, 0.38, 0.12)
BARGAIN_HUNTERS = ("haggler", "value_for_money")


@dataclass(frozen=True)
class World:
    """What a run of the simulator is made from; the same world gives the same data to the bit.

    Attributes:
        seed: of every draw.
        customers: how many buy at some time.
        end: the last day.
        days: length of the history.
        tempo: orders against the usual number; 0.07 gives the sparse ledgers (about 20 lines a customer) that
            large bases have.
        newcomers: share of customers who come within the history; the others were there before it.
        prospects: companies that never bought, against customers.
        categories: an even number; each has a matching one.
        lines: product lines of a category, from the cheapest to the best, each renewed about every
            `renewal_days`.
        notice_days: days between the announcement of a price rise and its day.
        anomalies: share of customers with a sudden drop or surge in the last months.
    """

    seed: int = 1
    customers: int = 1000
    end: str = "2026-06-30"
    days: int = 1096
    tempo: float = 1.0
    newcomers: float = 0.45
    prospects: float = 0.12
    categories: int = 24
    lines: int = 5
    renewal_days: int = 480
    notice_days: int = 42
    anomalies: float = 0.12

    def __post_init__(self) -> None:
        if self.customers < 1 or self.days < 365 or not 0 < self.tempo <= 5 or self.categories % 2:
            raise ValueError(
                "A world needs a customer, 365 days, a tempo above 0 and up to 5, and an even number of "
                "categories."
            )

    def random(self, part: str) -> np.random.Generator:
        """A stream of its own for each part, so that a change of one leaves the others as they were."""
        return np.random.default_rng([self.seed, zlib.crc32(part.encode())])

    @property
    def first(self) -> int:
        """The first day, in days since 1970-01-01."""
        last = int(np.datetime64(self.end, "D").astype("int64"))
        return last - self.days + 1

    def dates(self, day: np.ndarray) -> np.ndarray:
        """Days of the history (0 = the first) as datetime64[s]; NaN and other non-days as NaT."""
        day = np.asarray(day, float)
        known = np.isfinite(day)
        dates = np.where(known, np.nan_to_num(day, nan=0, posinf=0, neginf=0) + self.first, 0)
        result = dates.astype("int64").astype("datetime64[D]").astype("datetime64[s]")
        result[~known] = np.datetime64("NaT")
        return result

    def weekday(self, day: np.ndarray) -> np.ndarray:
        """0 = Monday."""
        return (np.asarray(day).astype("int64") + self.first + 3) % 7

    def month(self, day: np.ndarray) -> np.ndarray:
        """0 = January."""
        days = (np.asarray(day).astype("int64") + self.first).astype("datetime64[D]")
        return days.astype("datetime64[M]").astype("int64") % 12


def working_days_later(world: World, day: np.ndarray, count: np.ndarray) -> np.ndarray:
    """The day so many working days after one, never on a weekend."""
    shifted = np.busday_offset(
        (np.asarray(day).astype("int64") + world.first).astype("datetime64[D]"), count, roll="forward"
    )
    return shifted.astype("int64") - world.first
