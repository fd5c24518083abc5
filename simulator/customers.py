"""Who the customers truly are, drawn before they buy anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulator.catalogue import Catalogue
from simulator.world import (
    BARGAIN_HUNTERS,
    CAUSES,
    CAUSES_OF_BARGAIN_HUNTERS,
    CLOSED,
    DROPPED,
    FORMATS,
    LURED,
    NEGLECTED,
    PRICE,
    VALUE_TYPES,
    World,
)

FIRST_ID = 1001
#: Customers a salesperson looks after.
PORTFOLIO = 60
_FORMAT_FIELDS = ("order_value", "value_spread", "gap", "gap_spread", "yearly_loss", "lines")
#: How often those who will leave order in their last months, against before. Price seekers go at once, as do half of
#: those who close.
SLOWING = {DROPPED: 0.7, NEGLECTED: 0.5, LURED: 0.65, CLOSED: 0.5}
#: An anomaly is put where the customer's own rhythm promises at least so many orders since.
ANOMALY_ORDERS = 5


@dataclass
class Customers:
    """n customers.

    Attributes:
        table: one row each. Days count from the first of the history: `start` (0 for those who were there
            before it), `leave` (inf = stays), `cause` (index in `LOST_TYPES`, -1 = stays), `anomaly_day` (inf =
            none), `slow_day` (inf = never);
            `format`, `value_type`, `satisfaction`, `salesperson` as codes; `gap` (mean days between
            orders), `shape` (of the Gamma distribution of gaps: 1 = at random, 10 = by the clock), `order_value`,
            `growth` (a year), `contact_gap`, `customer_initiates`, `delay` (mean days of payment after the
            due date), `delay_spread`, ...
        weight: (n, C) share of each category in its needs, 0 = never bought.
        moved: (n, C) day from which a category is bought elsewhere, inf = never.
    """

    table: pd.DataFrame
    weight: np.ndarray
    moved: np.ndarray


def make(world: World, catalogue: Catalogue) -> Customers:
    rng = world.random("customers")
    n = world.customers
    table = pd.DataFrame({"customer_id": FIRST_ID + np.arange(n)})
    table["format"] = rng.choice(len(FORMATS), n, p=[each.share for each in FORMATS])
    table["value_type"] = rng.choice(len(VALUE_TYPES), n, p=[each.share for each in VALUE_TYPES])
    # how far a customer lives up to its type; the rest of its purchases are anybody's
    table["type_strength"] = rng.beta(12, 2, n)
    of = {
        name: np.array([getattr(each, name) for each in FORMATS])[table["format"]] for name in _FORMAT_FIELDS
    }
    size = rng.normal(size=n)
    table["order_value"] = of["order_value"] * np.exp(of["value_spread"] * size)
    often = 0.3 * size + np.sqrt(1 - 0.3**2) * rng.normal(size=n)  # the large order a little oftener
    table["gap"] = np.clip(of["gap"] * np.exp(-of["gap_spread"] * often), 3, 120) / world.tempo
    table["shape"] = np.exp(rng.uniform(np.log(1.2), np.log(10), n))
    table["growth"] = rng.normal(0.02, 0.12, n)
    come = rng.random(n) < world.newcomers
    table["start"] = np.where(come, rng.integers(1, max(world.days - 30, 2), n), 0)
    _leave(table, world, catalogue, rng, of["yearly_loss"])
    _satisfaction(table, rng)
    _relations(table, rng)
    _anomalies(table, world, rng)
    _standing(table, rng)
    weight = _needs(table, catalogue, rng, of["lines"])
    moved = _moves(table, weight, rng)
    _slowing(table, rng)
    return Customers(table, weight, moved)


def _leave(table, world, catalogue, rng, yearly_loss) -> None:
    n = len(table)
    start = table["start"].to_numpy()
    # nobody leaves before it had time to become a customer
    leave = start + np.maximum(rng.exponential(365 / yearly_loss), 4 * table["gap"] + 30).round()
    hunter = np.isin([each.name for each in VALUE_TYPES], BARGAIN_HUNTERS)[table["value_type"]]
    cause = np.where(hunter, rng.choice(5, n, p=CAUSES_OF_BARGAIN_HUNTERS), rng.choice(5, n, p=CAUSES))
    leave, seeks = _after_a_rise(leave, cause == PRICE, table, catalogue, rng)
    cause = np.where((cause == PRICE) & ~seeks, CLOSED, cause)
    gone = leave < world.days
    table["leave"] = np.where(gone, leave, np.inf)
    table["cause"] = np.where(gone, cause, -1)


def _after_a_rise(leave, seeker, table, catalogue, rng):
    """Price seekers leave at their next look after a rise: within one and a half of their gaps."""
    rounds = np.unique(catalogue.rises["day"])
    if not len(rounds):
        return leave, np.zeros(len(leave), dtype=bool)
    at = np.searchsorted(rounds, leave)
    day = rounds[np.clip(at, 0, len(rounds) - 1)]
    earlier = rounds[np.clip(at - 1, 0, len(rounds) - 1)]
    day = np.where((at == len(rounds)) | (leave - earlier < day - leave), earlier, day)
    found = seeker & (day > table["start"] + 4 * table["gap"] + 30)
    look = np.ceil(rng.uniform(0.2, 1.5, len(leave)) * table["gap"])
    # those whose time is after the last round stay
    return np.where(found & (leave < rounds[-1] + 120), day + look, leave), found


def _satisfaction(table, rng) -> None:
    n = len(table)
    label = rng.choice(3, n, p=(0.62, 0.25, 0.13))
    driven_away = rng.choice(3, n, p=(0.0, 0.15, 0.85))
    table["satisfaction"] = np.where(table["cause"] == NEGLECTED, driven_away, label)
    table["failure_rate"] = np.array([0.04, 0.10, 0.24])[table["satisfaction"]]


def _relations(table, rng) -> None:
    """Salesperson, contact, payment, channel."""
    n = len(table)
    people = max(4, round(n / PORTFOLIO))
    table["salesperson"] = rng.integers(0, people, n)
    table["customer_initiates"] = rng.random(n) < 0.4
    asks = rng.uniform(90, 150, n)
    visited = rng.uniform(20, 50, n)
    table["contact_gap"] = np.where(table["customer_initiates"], asks, visited)
    pays = rng.choice(3, n, p=(0.75, 0.18, 0.07))
    pays = np.where(table["cause"] == DROPPED, rng.choice(3, n, p=(0.05, 0.25, 0.70)), pays)
    table["pays"] = pays
    table["delay"] = np.array([-3.0, 12.0, 45.0])[pays]
    table["delay_spread"] = np.array([4.0, 9.0, 20.0])[pays]
    table["channel"] = rng.choice(3, n, p=(0.6, 0.3, 0.1))
    # a fifth order on the website in the end
    table["website_from"] = np.where(rng.random(n) < 0.2, rng.integers(200, 1000, n), np.inf)
    # an account we drop for its concessions: discounts that leave no margin, much sent back
    given_away = np.where(table["cause"] == DROPPED, rng.uniform(22, 36, n).round(), 0)
    table["concession"] = given_away
    table["return_rate"] = np.where(table["cause"] == DROPPED, 0.12, rng.gamma(2, 0.01, n))


def _anomalies(table, world, rng) -> None:
    n = len(table)
    since = np.maximum(ANOMALY_ORDERS * table["gap"], 30)
    fit = (table["cause"] < 0) & (since <= 150) & (table["start"] < world.days - 330 - since)
    hit = fit & (rng.random(n) < world.anomalies)
    since = since + rng.uniform(0, 1, n) * np.clip(160 - since, 0, None)
    drop = rng.random(n) < 0.5
    factor = np.where(drop, rng.uniform(0.15, 0.45, n), rng.uniform(2.2, 4.0, n))
    table["anomaly_day"] = np.where(hit, (world.days - since).round(), np.inf)
    table["anomaly_factor"] = np.where(hit, factor, 1.0)


def _slowing(table, rng) -> None:
    """Most leave by ordering ever less often first: `slow_factor` of their orders from `slow_day` on."""
    cause = table["cause"].to_numpy()
    factor = np.select([cause == code for code in SLOWING], list(SLOWING.values()), 1.0)
    winding = (table["customer_id"] % 2 == 0).to_numpy()
    factor = np.where((cause == CLOSED) & ~winding, 1.0, factor)
    months = np.minimum(rng.uniform(70, 170, len(table)), (table["leave"] - table["start"]) / 2)
    table["slow_day"] = np.where(factor < 1, (table["leave"] - months).round(), np.inf)
    table["slow_factor"] = factor


def _standing(table, rng) -> None:
    n = len(table)
    cause = table["cause"].to_numpy()
    blocked = np.where(cause == DROPPED, 0.8, np.where(cause >= 0, 0.02, 0.0))
    archived = np.select([cause == CLOSED, cause == DROPPED, cause >= 0], [0.45, 0.3, 0.1], 0.0)
    table["blocked"] = rng.random(n) < blocked
    table["archived"] = rng.random(n) < archived
    table["has_tax_id"] = rng.random(n) < np.where(table["pays"] == 2, 0.7, 0.95)
    monthly = table["order_value"] * 30 / table["gap"]
    table["credit_limit"] = np.where(rng.random(n) < 0.6, np.ceil(monthly * 2 / 500) * 500, np.nan)
    # three fifths of the chain's customers are branches, in groups of five, of the first of them
    branch = np.flatnonzero((table["format"] == 0) & (rng.random(n) < 0.6))
    group = table["customer_id"].to_numpy().copy()
    group[branch] = group[branch[np.arange(len(branch)) // 5 * 5]]
    table["group_id"] = group
    table["member"] = np.isin(table["format"], (1, 2)) & (rng.random(n) < 0.3)


def _needs(table, catalogue, rng, lines) -> np.ndarray:
    c, n = len(catalogue.basics), len(table)
    of_format = rng.gamma(1.5, size=(len(FORMATS), c)) * np.where(catalogue.basics, 3.0, 1.0)
    attraction = of_format[table["format"]]
    # a random set of categories, likelier where the format's needs are, as large as the type is broad
    order = np.argsort(-(np.log(attraction) + rng.gumbel(size=(n, c))), axis=1)
    rank = np.empty((n, c), dtype="int16")
    np.put_along_axis(rank, order, np.arange(c, dtype="int16")[None, :], axis=1)
    breadth = np.array([each.breadth for each in VALUE_TYPES])[table["value_type"]]
    size = np.clip(np.round(2.2 * lines * breadth * np.exp(rng.normal(0, 0.15, n))), 2, c)
    weight = np.where(rank < size[:, None], attraction * rng.gamma(3, size=(n, c)), 0)
    return weight / weight.sum(axis=1, keepdims=True)


def _moves(table, weight, rng) -> np.ndarray:
    """A competitor takes most categories one by one in the last months; what is left follows on the last day."""
    moved = np.full(weight.shape, np.inf)
    lured = np.flatnonzero(table["cause"] == LURED)
    leave, start = table["leave"].to_numpy()[lured], table["start"].to_numpy()[lured]
    months = np.minimum(rng.uniform(120, 240, len(lured)), (leave - start) / 2)
    day = leave[:, None] - months[:, None] * rng.uniform(0.15, 1, (len(lured), weight.shape[1]))
    goes = rng.random(day.shape) < rng.uniform(0.5, 0.85, (len(lured), 1))
    bought = weight[lured] > 0
    kept = np.argmax(np.where(bought, rng.random(day.shape), -1), axis=1)  # one stays to the end
    goes[np.arange(len(lured)), kept] = False
    moved[lured] = np.where(goes & bought, day.round(), np.inf)
    return moved
