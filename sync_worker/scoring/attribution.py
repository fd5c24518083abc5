"""What each group of facts contributes to a customer's churn probability, and what an order would change.

A customer is compared with a typical one of its peers. Going from the typical customer to the real one, a group
of facts at a time, each step changes the probability by so much; steps are averaged over the given order of the
groups and the reverse. So for every model the contributions add up exactly to the difference of the two
probabilities (a Shapley value sampled over two orders: Strumbelj & Kononenko 2014, Knowledge and Information
Systems 41).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from sync_worker.scoring import rhythm
from sync_worker.scoring.forecast import Forecast
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.situation import Situation

#: Facts as they are exchanged; `silence` and `returned` stand for `t_x` and `revenue`.
GROUPS: dict[str, tuple[str, ...]] = {
    "frequency": ("x", "T", "mu", "sigma", "earlier_orders"),
    "pace": ("recent_orders", "before_orders"),
    "spend": ("mean_spend", "last_spend", "recent_spend", "before_spend"),
    "breadth": ("categories", "lines"),
    "returns": ("returned",),
    "timing": ("silence", "latest_orders"),
}
#: Days within which an order is imagined.
AHEAD = (7, 14, 21, 30, 45, 60, 90)
#: By how much the probability must come below a threshold to be promised: what is told of an order is too low by more
#: than this once in some hundred times.
SURELY = 0.03
#: Customers looked at at once, which bounds the memory.
BLOCK = 100_000


def contributions(
    forecast: Forecast, situation: Situation, horizon: np.ndarray, peers: Peers, actual: np.ndarray
) -> dict[str, np.ndarray]:
    """By group the change in churn probability, each (n,); their sum is what `actual` differs from the probability of
    a typical customer by.

    Args:
        actual: (n,) churn probability of the customers.
    """
    _groups, first, group = np.unique(peers.group, return_index=True, return_inverse=True)
    typical = {name: peers.median(values)[first] for name, values in _facts(situation).items()}
    # a half repeat purchase is none, and who never came back has no rhythm of its own to speak of
    typical["x"] = np.floor(typical["x"])
    start = _of_distinct(forecast, horizon, typical, group)
    total = {name: np.zeros(len(situation)) for name in GROUPS}
    for begin in range(0, len(situation), BLOCK):
        rows = slice(begin, begin + BLOCK)
        usual = {name: values[group[rows]] for name, values in typical.items()}
        ends = start[rows], actual[rows]
        for name, change in _changes(forecast, situation.part(rows), horizon[rows], usual, ends):
            total[name][rows] += change / 2
    return total


def _changes(
    forecast: Forecast,
    situation: Situation,
    horizon: np.ndarray,
    typical: Mapping[str, np.ndarray],
    ends: tuple[np.ndarray, np.ndarray],
) -> Iterator[tuple[str, np.ndarray]]:
    """Each group of facts with its change in churn probability, in both orders.

    Args:
        typical: facts of each customer's typical peer.
        ends: churn probability of the typical customers and of the real ones.
    """
    own = _facts(situation)
    # nobody's basket is known where there are no lines: that step would change nothing
    names = [name for name in GROUPS if name != "breadth" or own["lines"].any()]
    for order in (names, names[::-1]):
        facts, steps = dict(typical), []
        for name in order[:-1]:
            facts |= {fact: own[fact] for fact in GROUPS[name]}
            steps.append(_situation(facts))
        # what the transaction models look at changes in the first step and in the last
        found = [ends[0], *forecast.p_no_purchase_each(horizon, steps), ends[1]]
        yield from zip(order, np.diff(found, axis=0), strict=True)


def _of_distinct(
    forecast: Forecast, horizon: np.ndarray, typical: Mapping[str, np.ndarray], group: np.ndarray
) -> np.ndarray:
    """Churn probability of the typical customers, of whom each group of peers and horizon has one.

    Args:
        typical: facts of each group.
        group: (n,) group of each customer.
    """
    lengths, length = np.unique(horizon, return_inverse=True)
    kinds, each = np.unique(group * len(lengths) + length, return_inverse=True)
    of_group = {name: values[kinds // len(lengths)] for name, values in typical.items()}
    return forecast.p_no_purchase(lengths[kinds % len(lengths)], _situation(of_group))[each]


def after_an_order(
    forecast: Forecast, situation: Situation, horizon: np.ndarray, days: int, *, window: float
) -> np.ndarray:
    """Churn probability of each customer right after an order so many days from now, (n,).

    The silence it ends becomes part of the customer's rhythm, by the weight of the peers that leaves the rhythm slower,
    so that rather too little is promised; and until then the orders of late have grown older.

    Args:
        horizon: (n,) days, of each customer.
        window: days that the windows of recent behaviour are of.
    """
    off = np.log(np.maximum(situation.silence + days, 1)) - situation.mu
    aged = _aged(situation, window, days)
    peers = np.where(off > 0, *rhythm.PEERS_WEIGHT)
    gaps, known = situation.x, np.maximum(situation.x - 1, 0) + rhythm.SPREAD_WEIGHT
    variance = (known * situation.sigma**2 + gaps / (gaps + 1) * off**2) / (gaps + rhythm.SPREAD_WEIGHT)
    ordered = aged.but(
        mu=situation.mu + off / (gaps + 1 + peers),
        sigma=np.clip(np.sqrt(variance), *rhythm.SPREAD_BOUNDS),
        x=gaps + 1,
        t_x=situation.T + days,
        T=situation.T + days,
        latest_orders=aged.latest_orders + 1,
        recent_orders=aged.recent_orders + 1,
        recent_spend=aged.recent_spend + situation.mean_spend,
        last_spend=situation.mean_spend,
        revenue=situation.revenue + situation.mean_spend,
    )
    return forecast.p_no_purchase(horizon, ordered)


def _aged(s: Situation, window: float, days: int) -> Situation:
    """The windows of recent behaviour so many days later without an order.

    The newest order lies where the silence begins, the others of each window evenly behind it.
    """
    recent, before = (
        spend / np.maximum(count, 1)
        for spend, count in ((s.recent_spend, s.recent_orders), (s.before_spend, s.before_orders))
    )
    # of each window the order-days, where it begins and ends, days ago, and the amount of an order-day
    parts = (
        (s.latest_orders, 0.0, window / 3, recent),
        (s.recent_orders - s.latest_orders, window / 3, window, recent),
        (s.before_orders, window, 2 * window, before),
        (s.earlier_orders, 2 * window, 4 * window, 0.0),  # none of them grows younger than two windows
    )
    ages = (window / 3, window, 2 * window, 4 * window)
    # order-days that are then younger than each of the ages, and what was spent on them
    orders, spent = np.zeros((2, len(ages), len(s)))
    for count, begin, end, amount in parts:
        begins = np.clip(s.silence, begin, end)
        newest = np.minimum(count, (s.silence >= begin) & (s.silence < end))
        for place, age in enumerate(ages):
            share = np.clip((age - days - begins) / np.maximum(end - begins, 1), 0, 1)
            younger = newest * (s.silence + days < age) + (count - newest) * share
            orders[place] += younger
            spent[place] += younger * amount
    return s.but(
        latest_orders=orders[0],
        recent_orders=orders[1],
        before_orders=orders[2] - orders[1],
        earlier_orders=orders[3] - orders[2],
        recent_spend=spent[1],
        before_spend=spent[2] - spent[1],
    )


def days_left(
    forecast: Forecast, situation: Situation, horizon: np.ndarray, below: np.ndarray, *, window: float
) -> np.ndarray:
    """The most days (of `AHEAD`) within which an order surely brings the churn probability below a threshold, on each
    of `AHEAD` until then, (n,); 0 where none does. Arguments as of `after_an_order`."""
    result = np.zeros(len(situation), dtype="int64")
    for begin in range(0, len(situation), BLOCK):
        rows = np.arange(begin, min(begin + BLOCK, len(situation)))
        for days in AHEAD:
            rows = rows[days <= horizon[rows]]
            if not len(rows):
                break
            then = after_an_order(forecast, situation.part(rows), horizon[rows], days, window=window)
            rows = rows[then < below[rows] - SURELY]
            result[rows] = days
    return result


def _facts(situation: Situation) -> dict[str, np.ndarray]:
    gross = situation.gross
    derived = {
        "silence": situation.silence,
        "returned": np.clip(1 - situation.revenue / np.maximum(gross, 1e-300), 0, 1),
    }
    names = [name for group in GROUPS.values() for name in group]
    return {name: derived[name] if name in derived else getattr(situation, name) for name in names}


def _situation(facts: Mapping[str, np.ndarray]) -> Situation:
    """A customer with these facts: time with us reaches back at least to the last order, and began with it where
    there was no other."""
    repeat = facts["x"] > 0
    tenure = np.where(repeat, np.maximum(facts["T"], facts["silence"]), facts["silence"])
    kept = {name: values for name, values in facts.items() if name not in {"silence", "returned"}}
    gross = facts["mean_spend"] * (facts["x"] + 1)
    return Situation(
        **{
            **kept,
            "T": tenure,
            "t_x": np.where(repeat, tenure - facts["silence"], 0.0),
            "revenue": gross * (1 - facts["returned"]),
        }
    )
