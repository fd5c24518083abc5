"""What customers bought less of before they left, and what their usual products cost when they did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.history.schema import History
from sync_worker.scoring.events import REACH, days_of, keys, running, window
from sync_worker.scoring.features import Features
from sync_worker.scoring.leaving import EARLIER, End
from sync_worker.scoring.purchases import joined, shelf_price

#: Days before the last order-day in which usual categories are looked for.
LOOKED = 730
#: Order-days with a category from which it was a usual one, and order-days without it at the end.
USUAL, WITHOUT = 3, 2
#: Probability that a usual category is left out as long by chance, below which it was bought no more.
CHANCE = 0.01
#: Days after the last order-day within which prices are those it left at, and days before it from and to which they
#: are those it was used to.
AT_LEAVING = 60
USED_TO = (180, 60)
#: Bin of the price index, days.
MONTH = 30
#: Steps of a log price: the ten-millionth is none that anybody sees.
STEPS = 1e7
#: Share of what was bought that has to have a price then and now.
PRICED = 0.5
#: Days before the last order-day in which lines may have become smaller, and lines needed then and before.
SHRINKING, LINES = 60, 3


@dataclass
class Lines:
    """What k customers bought, sorted by customer and day; (m,) each.

    Attributes:
        at: which of the customers, 0 to k - 1.
        day: days since 1970-01-01.
        category, product: codes from 0, -1 = not known.
        amount: money above 0, after the discount.
        discount: percent, NaN = not known.
    """

    at: np.ndarray
    day: np.ndarray
    category: np.ndarray
    product: np.ndarray
    amount: np.ndarray
    discount: np.ndarray


@dataclass
class Market:
    """What the company sold to anybody.

    Attributes:
        last_sold: (c,) last day of each category.
        first: day on which the first bin of the prices begins.
        price, known: (p, b + 1) running sums over the bins of each product's mean log list price, and of
            whether it has one.
    """

    last_sold: np.ndarray
    first: int
    price: np.ndarray
    known: np.ndarray

    def log_price(self, product: np.ndarray, since: np.ndarray, until: np.ndarray) -> np.ndarray:
        """The log list price of products (q,) in the bins from one day to another, NaN where none is known."""
        bins = self.price.shape[1] - 1
        begin = np.clip((since - self.first) // MONTH, 0, bins)
        end = np.clip((until - self.first) // MONTH + 1, begin, bins)
        count = self.known[product, end] - self.known[product, begin]
        total = self.price[product, end] - self.price[product, begin]
        return np.divide(total, count, out=np.full(len(product), np.nan), where=count > 0)


def read(features: Features, history: History, row: np.ndarray) -> tuple[Lines, Market] | None:
    """The purchases of the customers `row` (k,), and the market they were made in; None without lines.

    Lines of zero or less are none; one without a category or product tells nothing of it.
    """
    lines = history.lines
    if lines is None:
        return None
    orders, where = joined(history.orders, lines)
    bought = np.flatnonzero((where >= 0) & (lines["amount"].to_numpy(float) > 0))
    where = where[bought]
    day = days_of(orders["date"])[where]
    customer = pd.Index(features.table["customer_id"].to_numpy()[row]).get_indexer(orders["customer_id"])
    at = customer[where]
    del where  # many lines
    category, product = (
        pd.factorize(lines[name].iloc[bought], sort=True)[0] for name in ("category", "product_id")
    )
    amount, quantity, discount = (
        lines[name].to_numpy(float)[bought] for name in ("amount", "quantity", "discount")
    )
    del bought
    price = np.log(shelf_price(amount, quantity, discount))
    del quantity
    market = _market(category, product, day, price)
    del price
    own = np.flatnonzero(at >= 0)
    order = own[np.lexsort((amount[own], product[own], category[own], day[own], at[own]))]
    return Lines(*(each[order] for each in (at, day, category, product, amount, discount))), market


def _market(category: np.ndarray, product: np.ndarray, day: np.ndarray, price: np.ndarray) -> Market:
    last_sold = np.full(int(category.max(initial=-1)) + 1, -REACH)
    named = category >= 0
    np.maximum.at(last_sold, category[named], day[named])
    first = int(day.min()) if len(day) else 0
    bins = (int(day.max()) - first) // MONTH + 1 if len(day) else 1
    products = int(product.max(initial=-1)) + 1
    priced = np.flatnonzero((product >= 0) & ~np.isnan(price))
    cell = product[priced] * bins + (day[priced] - first) // MONTH
    count = np.bincount(cell, minlength=products * bins).reshape(products, bins)
    # whole numbers add up to the same in any order of the rows
    steps = np.rint(price[priced] * STEPS)
    total = np.bincount(cell, steps, minlength=products * bins).reshape(products, bins) / STEPS
    mean = np.divide(total, count, out=np.zeros(total.shape), where=count > 0)
    sums = (np.pad(np.cumsum(each, axis=1), ((0, 0), (1, 0))) for each in (mean, count > 0))
    return Market(last_sold, first, *sums)


def moved_elsewhere(end: End, lines: Lines, market: Market) -> tuple[np.ndarray, np.ndarray]:
    """What was bought no more while the customer still came: share of its purchases, and categories; (k,) each.

    A category is bought no more if it was usual, others still buy it after the customer left, and it was left out of
    the last order-days as long as happens by chance once in a hundred, by how often it was bought until then. The
    share is of what each category was worth a visit while it was bought; NaN where no category is known.
    """
    k = len(end.row)
    chosen = (lines.category >= 0) & (lines.day > (end.last - LOOKED)[lines.at])
    at, day, category = lines.at[chosen], lines.day[chosen], lines.category[chosen]
    if not len(at):
        return np.full(k, np.nan), np.zeros(k, dtype="int64")
    visit, first_line, number = np.unique(keys(at, day), return_index=True, return_inverse=True)
    owner = at[first_line]
    visits = np.bincount(owner, minlength=k)
    place = number - (np.cumsum(visits) - visits)[at]  # of the order-day among the customer's
    most = int(category.max()) + 1
    pairs, pair = np.unique(at * most + category, return_inverse=True)
    of, which = pairs // most, pairs % most
    begin, last = np.full(len(pairs), len(visit)), np.full(len(pairs), -1)
    np.minimum.at(begin, pair, place)
    np.maximum.at(last, pair, place)
    times = np.bincount(np.unique(pair * len(visit) + place) // len(visit), minlength=len(pairs))
    # half a purchase and half a visit without one are added: three of three are no certainty
    often = (times - 0.5) / (last - begin + 1)
    without = visits[of] - 1 - last
    gone = (times >= USUAL) & (without >= WITHOUT) & ((1 - often) ** without < CHANCE)
    gone &= market.last_sold[which] > end.last[of]
    worth = np.bincount(pair, lines.amount[chosen], minlength=len(pairs)) / (last - begin + 1)
    total = np.bincount(of, worth, minlength=k)
    share = np.bincount(of, worth * gone, minlength=k)
    share = np.divide(share, total, out=np.full(k, np.nan), where=total > 0)
    return share, np.bincount(of[gone], minlength=k)


def price_rise(end: End, lines: Lines, market: Market) -> np.ndarray:
    """Change of the list prices of what a customer bought in its last year, as a share, (k,): those it left at
    against those it was used to; NaN where less than half of it has both."""
    k = len(end.row)
    usual = (lines.product >= 0) & (lines.day > (end.last - EARLIER)[lines.at])
    at, product, amount = lines.at[usual], lines.product[usual], lines.amount[usual]
    last = end.last[at]
    change = market.log_price(product, last, last + AT_LEAVING)
    change = change - market.log_price(product, last - USED_TO[0], last - USED_TO[1])
    priced = ~np.isnan(change)
    weight = np.bincount(at[priced], amount[priced], minlength=k)
    total = np.bincount(at[priced], (change * amount)[priced], minlength=k)
    enough = (weight > 0) & (weight >= PRICED * np.bincount(at, amount, minlength=k))
    return np.expm1(np.divide(total, weight, out=np.full(k, np.nan), where=enough))


def discounted(end: End, lines: Lines) -> np.ndarray:
    """Share of what a customer bought in its last year that was at a discount, (k,), NaN where not known."""
    k = len(end.row)
    known = ~np.isnan(lines.discount) & (lines.day > (end.last - EARLIER)[lines.at])
    at, amount = lines.at[known], lines.amount[known]
    reduced = np.bincount(at, amount * (lines.discount[known] > 0), minlength=k)
    bought = np.bincount(at, amount, minlength=k)
    return np.divide(reduced, bought, out=np.full(k, np.nan), where=bought > 0)


def smaller_lines(end: End, lines: Lines) -> tuple[np.ndarray, np.ndarray]:
    """Change of the money per line in the last two months against the year before them, as a share, and its t
    statistic (of logs); (k,) each, NaN where there are few lines."""
    every = np.arange(len(end.row))
    log = np.log(lines.amount)
    sorted_keys, sums, squares = keys(lines.at, lines.day), running(log), running(log**2)
    turn = end.last - SHRINKING
    parts = (
        window(sorted_keys, every, turn + 1, end.last),
        window(sorted_keys, every, turn - EARLIER, turn),
    )
    new, old = (np.maximum(part.count, 1) for part in parts)
    mean, usual = (part.difference(sums) / each for part, each in zip(parts, (new, old), strict=True))
    total = sum(part.difference(squares) for part in parts)
    spread = total - new * mean**2 - old * usual**2
    # two equal lines are no proof
    variance = np.maximum(spread / np.maximum(new + old - 2, 1), 0.01)
    t = (mean - usual) / np.sqrt(variance * (1 / new + 1 / old))
    enough = np.minimum(parts[0].count, parts[1].count) >= LINES
    return np.where(enough, np.expm1(mean - usual), np.nan), np.where(enough, t, np.nan)
