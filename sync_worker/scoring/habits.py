"""What sort of products a customer buys and when: the signals that value types are told from.

Every signal is a mean over purchases of what was seen less what was usual in that category at that time, so that
neither the trade's novelties nor its promotions make a type of whoever buys in that category.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sync_worker.scoring import complements, grouped
from sync_worker.scoring.catalogue import introduced
from sync_worker.scoring.evidence import newest
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.purchases import Purchases, shelf_price
from sync_worker.scoring.signals import Signal, measure, usual

#: Days of a period in which what is usual is taken to be the same, and of one in which a price is.
PERIOD, MONTH = 91, 30
#: Change of a product's price from which it is one, and of the price a customer pays itself.
PRICE_CHANGE, PAID_CHANGE = 0.05, 0.01
#: Days before a rise in which larger orders buy ahead of it.
AHEAD = 45
#: Best sellers make up this share of the purchases in their category; basics are bought by this share of peers.
BEST, BASIC = 0.5, 0.5
#: Purchases that make a favourite, and of others that it is left for.
FAVOURITE = 3

NAMES = (
    *("new", "old", "settled", "returning", "best", "basic"),
    *("price", "discount", "lower", "reaction", "ahead", "upgrade", "complement"),
)


@dataclass
class Habits:
    """The signals by name (`NAMES`), and the purchases in which each was seen.

    Attributes:
        purchases: of known products, no returns.
        signals: by name; a signal that the history cannot tell has nothing seen.
        shown: by name, mask of the purchases that show it; `full_price`: those that do not show `discount`.
        lines: (n,) purchases of each customer.
    """

    purchases: Purchases
    signals: dict[str, Signal]
    shown: dict[str, np.ndarray]
    lines: np.ndarray

    def records(self, name: str, chosen: np.ndarray) -> np.ndarray | None:
        """The newest orders that show a signal, (n, 5), -1 = none; None where order ids are no integers.

        Args:
            chosen: (n,) mask of the customers to look at.
        """
        bought, at = self.purchases, np.flatnonzero(self.shown[name])
        at = at[chosen[bought.row[at]]]
        if bought.order_id is None:
            return None
        at = at[np.append(True, np.diff(bought.basket[at]) != 0)[: len(at)]]
        return newest(bought.row[at], bought.order_id[at], bought.day[at], len(chosen))


class _Board:
    """Collects the signals."""

    def __init__(self, purchases: Purchases, peers: Peers) -> None:
        self.purchases, self.peers = purchases, peers
        lines = np.bincount(purchases.row, minlength=purchases.customers)
        self.habits = Habits(purchases, {}, {}, lines)

    def add(
        self,
        name: str,
        at: np.ndarray,
        values: np.ndarray,
        excess: np.ndarray,
        shows: np.ndarray,
        unit: np.ndarray | None = None,
    ) -> None:
        """A signal seen in the purchases `at` (index); `shows` masks those that are records of it.

        Args:
            unit: what is independent of one another, instead of the orders.
        """
        bought = self.purchases
        unit = bought.basket[at] if unit is None else unit
        self.habits.signals[name] = measure(
            bought.row[at], unit, values, excess, customers=bought.customers, peers=self.peers
        )
        self.show(name, at[shows])

    def show(self, name: str, at: np.ndarray) -> None:
        """Purchases (index) to be shown as records of a signal."""
        self.habits.shown[name] = np.zeros(len(self.purchases.row), dtype=bool)
        self.habits.shown[name][at] = True


def observe(purchases: Purchases, peers: Peers, new_days: np.ndarray, today: int) -> Habits:
    """The habits of each customer.

    Args:
        purchases: of known products, no returns.
        new_days: (n,) days for which a product is new to each customer's trade (policy).
        today: the as-of day, days since 1970-01-01.
    """
    board = _Board(purchases, peers)
    period = (purchases.day - int(purchases.day.min(initial=today))) // PERIOD
    periods = int(period.max(initial=0)) + 1
    stratum = _pair(purchases.category + 1, period, periods)
    product = _Runs.of(_pair(purchases.row, purchases.product, max(len(purchases.products), 1)))
    category = _Runs.of(_pair(purchases.row, purchases.category + 1, len(purchases.categories) + 1))
    _novelty(board, stratum, period, product, category, new_days, today)
    _range(board, stratum, period)
    _prices(board, stratum, period, product, category)
    del product, category, stratum, period  # what takes most memory comes when they are gone
    _complements(board)
    return board.habits


def _pair(first: np.ndarray, second: np.ndarray, width: int) -> np.ndarray:
    """One number for two, of which the second is below `width`; (k,) int64."""
    key = first.astype("int64")
    key *= width
    key += second
    return key


@dataclass
class _Runs:
    """Purchases in groups, each in the order of time; arrays are (k,).

    Attributes:
        order: index of the purchases by group and time.
        group: number of the group of each purchase.
        place: how many of its group came before each.
        before: index of the one before it in its group, -1 = none.
    """

    order: np.ndarray
    group: np.ndarray
    place: np.ndarray
    before: np.ndarray

    @classmethod
    def of(cls, key: np.ndarray) -> _Runs:
        """The groups of equal keys."""
        order = grouped.argsort(key).astype("int32")  # there are many purchases
        new = np.append(True, np.diff(key[order]) != 0) if len(key) else np.zeros(0, bool)
        number = np.cumsum(new, dtype="int32") - np.int32(1)
        group, place, before = (np.empty(len(key), dtype="int32") for _ in range(3))
        group[order] = number
        place[order] = np.arange(len(key), dtype="int32") - np.flatnonzero(new).astype("int32")[number]
        before[order] = np.where(new, np.int32(-1), np.append(np.int32(-1), order[:-1])) if len(key) else 0
        return cls(order, group, place, before)


def _novelty(board: _Board, stratum, period, product, category, new_days, today) -> None:
    """New and old products, and being settled on the same ones."""
    bought = board.purchases
    since = introduced(bought, today)[bought.product]
    age = bought.day - since
    limit = new_days[bought.row]
    at = np.flatnonzero(~np.isnan(since))
    for name, hit in (("new", age <= limit), ("old", age > 2 * limit)):
        value = hit[at].astype(float)
        board.add(name, at, value, value - usual(stratum[at], period[at], value), hit[at])
    again, other = product.before, category.before
    # whoever buys in a category for the first time has nothing to settle on
    at = np.flatnonzero((other >= 0) & (bought.day > bought.day[other]))
    value = (again[at] >= 0).astype(float)
    # nor is it a habit that who bought much there before has less left to try
    tried = np.minimum(np.log2(category.place[at] + 1).astype("int64"), 15)
    expected = usual((bought.category[at].astype("int64") + 1) * 16 + tried, tried, value)
    board.add("settled", at, value, value - expected, value > 0)
    _returning(board, product, category, at, tried, limit)


def _returning(board: _Board, product: _Runs, category: _Runs, at, tried, limit) -> None:
    """How much of what it buys are old favourites that it had left for others and came back to.

    A favourite: half of its purchases in the category and at least `FAVOURITE` before the pause; left: for that long
    and that many purchases of others.

    Args:
        at, tried: as for being settled: purchases, and the class of how many went before in the category.
    """
    bought, before = board.purchases, product.before
    back = np.flatnonzero((before >= 0) & (product.place >= FAVOURITE))
    start = before[back]
    others = category.place[back] - category.place[start] - 1
    came = (bought.day[back] - bought.day[start] >= limit[back]) & (others >= FAVOURITE)
    came &= 2 * (product.place[start] + 1) >= category.place[start] + 1
    returned = np.zeros(len(bought.row), dtype="int64")
    returned[back[came]] = 1
    # it stays an old favourite after the return
    run = np.cumsum(returned[product.order])
    first = np.flatnonzero(product.place[product.order] == 0)
    run -= np.repeat(run[first] - returned[product.order][first], np.diff(np.append(first, len(run))))
    favourite = np.zeros(len(bought.row), dtype=bool)
    favourite[product.order] = run > 0
    value = favourite[at].astype(float)
    # one return makes a favourite of all that follows: so it is categories that are independent
    excess = value - usual(tried, tried, value)
    board.add("returning", at, value, excess, value > 0, unit=category.group[at])


def _range(board: _Board, stratum, period) -> None:
    """Best sellers and basics: what everyone buys."""
    bought = board.purchases
    everything = np.arange(len(bought.row))
    width = max(len(bought.products), 1)
    values, number, count = np.unique(
        stratum * width + bought.product, return_inverse=True, return_counts=True
    )
    group = values // width
    order = np.lexsort((values, -count, group))
    starts = np.flatnonzero(np.append(True, np.diff(group) != 0)) if len(group) else np.zeros(0, int)
    sizes = np.diff(np.append(starts, len(group)))
    running = np.cumsum(count[order]) - count[order]
    running -= np.repeat(running[starts], sizes)
    total = np.repeat(np.add.reduceat(count, starts) if len(starts) else count, sizes)
    best = np.zeros(len(values), dtype=bool)
    best[order] = running < BEST * total
    value = best[number].astype(float)
    board.add("best", everything, value, value - usual(stratum, period, value), value > 0)

    at = np.flatnonzero(bought.category >= 0)
    row, category, width = bought.row[at], bought.category[at], len(bought.categories)
    buyer, holds = np.divmod(np.unique(row.astype("int64") * width + category), max(width, 1))
    basic = np.zeros(len(at), dtype=bool)
    # by the customers' places in what is in their order: there may be thousands of groups
    held, lines = (np.searchsorted(of, np.arange(bought.customers + 1)) for of in (buyer, row))
    for _, rows, decided in board.peers.groups():
        common = np.bincount(holds[grouped.entries(held, rows)], minlength=width) >= BASIC * len(rows)
        judged = grouped.entries(lines, rows[decided])
        basic[judged] = common[category[judged]]
    value = basic.astype(float)
    board.add("basic", at, value, value - usual(period[at], period[at], value), value > 0)


def _prices(board: _Board, stratum, period, product, category) -> None:
    """Dear or cheap, at a discount, and what a change of price does."""
    bought, again = board.purchases, product.before
    shelf = shelf_price(bought.amount, bought.quantity, bought.discount)
    priced = ~np.isnan(shelf)
    at = at_priced = np.flatnonzero(priced)
    # equal prices are equal whatever they were computed from, in any currency
    place = grouped.dense_rank(np.round(np.log(shelf[at]), 6))
    rank = _percentile(stratum[at], place)
    board.add("price", at, rank, rank - 0.5, np.ones(len(at), dtype=bool))
    _upgrades(board, category, at, rank)
    del rank
    at = np.flatnonzero(priced & ~np.isnan(bought.discount))
    value = (bought.discount[at] > 0).astype(float)
    board.add("discount", at, value, value - usual(stratum[at], period[at], value), value > 0)
    board.show("full_price", at[value == 0])

    # what was paid is known whatever the discount was
    sold = (bought.quantity > 0) & (bought.amount > 0)
    at = np.flatnonzero((again >= 0) & sold & sold[again] & (bought.day > bought.day[again]))
    paid, earlier = (bought.amount[which] / bought.quantity[which] for which in (at, again[at]))
    change = np.log(paid / earlier)
    at, change = at[np.abs(change) >= PAID_CHANGE], change[np.abs(change) >= PAID_CHANGE]
    value = (change < 0).astype(float)
    board.add("lower", at, value, value - 0.5, value > 0)

    level, rise = _levels(bought, shelf, at_priced, place)
    at = np.flatnonzero((again >= 0) & priced & priced[again] & (bought.day > bought.day[again]))
    at = at[level[at] - level[again[at]] >= np.log1p(PRICE_CHANGE)]
    less = np.clip(-np.log(bought.quantity[at] / bought.quantity[again[at]]), -1, 1)
    board.add("reaction", at, less, less, less > 0)
    _ahead(board, product.group, at_priced, rise)


def _percentile(stratum: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The rank of each purchase in its stratum as a share, ties at their mean, 0.5 for a stratum of one price.

    Args:
        place: (k,) rank of its price among all, ties equal.
    """
    if not len(place):
        return np.zeros(0)
    order = grouped.order(stratum, place)
    new = np.append(True, np.diff(stratum[order]) != 0)
    tie = np.append(True, np.diff(place[order]) != 0) | new
    starts, first = np.flatnonzero(tie), np.flatnonzero(new)
    middle = (starts + np.append(starts[1:], len(order))) / 2
    which = (np.cumsum(new) - 1)[starts]
    size = np.diff(np.append(first, len(order)))
    rank = np.empty(len(place))
    rank[order] = ((middle - first[which]) / size[which])[np.cumsum(tie) - 1]
    return rank


def _upgrades(board: _Board, category: _Runs, at: np.ndarray, rank: np.ndarray) -> None:
    """Whether the later half of what is bought in a category is dearer than the earlier one."""
    known = np.full(len(category.order), np.nan)
    known[at] = rank
    order = category.order[~np.isnan(known[category.order])]
    rank, group = known[order], category.group[order]
    number = np.cumsum(np.append(False, group[1:] != group[:-1])[: len(order)])
    del known, group
    count = np.bincount(number)
    mean = np.bincount(number, rank) / count
    side = 2 * (np.arange(len(order)) - (np.cumsum(count) - count)[number]) + 1 - count[number]
    kept = np.flatnonzero((count[number] >= 4) & (side != 0))
    side, number, chosen = np.sign(side[kept]), number[kept], order[kept]
    value = 2 * side * (rank[kept] - mean[number])
    del order, rank, number, kept
    back = grouped.argsort(chosen)  # by basket again
    chosen, value, late = chosen[back], value[back], side[back] > 0
    board.add("upgrade", chosen, value, value, late & (value > 0))


def _levels(
    bought: Purchases, shelf: np.ndarray, at: np.ndarray, place: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The log of the shelf price of each purchase's product in that month (median over all who bought it), and the
    day from which it is dearer next, NaN where it does not rise before it is sold again; (k,) each.

    Args:
        shelf: (k,) prices before discounts; those of `at` (index) are known.
        place: their ranks.
    """
    level, rise = np.full(len(shelf), np.nan), np.full(len(shelf), np.nan)
    if not len(at):
        return level, rise
    month = bought.day[at].astype("int64") // MONTH
    month -= (first := month.min())
    months = int(month.max()) + 1
    key = bought.product[at].astype("int64") * months + month
    order = grouped.order(key, place)
    starts = np.flatnonzero(np.append(True, np.diff(key[order]) != 0))
    count = np.diff(np.append(starts, len(order)))
    ordered = np.log(shelf[at][order])
    middle = (ordered[starts + (count - 1) // 2] + ordered[starts + count // 2]) / 2
    level[at[order]] = np.repeat(middle, count)
    product, when = np.divmod(key[order][starts], months)
    rises = np.append(np.diff(middle) >= np.log1p(PRICE_CHANGE), False)
    rises[:-1] &= (np.diff(product) == 0) & (np.diff(when) <= 2)
    begins = np.where(rises, (np.append(when[1:], 0) + first) * MONTH, np.nan)
    rise[at[order]] = np.repeat(begins, count)
    return level, rise


def _ahead(board: _Board, group: np.ndarray, at: np.ndarray, rise: np.ndarray) -> None:
    """Whether orders just before a price rises are larger than the customer's other ones of that product.

    Args:
        group: (k,) number of customer and product of each purchase; `at` (index) are those with a price.
        rise: (k,) day from which it is dearer.
    """
    bought = board.purchases
    number = group[at]
    size = np.log(bought.quantity[at])
    count, total = np.bincount(number), np.bincount(number, size)
    left = rise[at] - bought.day[at]  # NaN where it does not rise
    chosen = (left <= AHEAD) & (count[number] >= 3)
    others = (total[number] - size)[chosen] / (count[number][chosen] - 1)
    value = np.clip(size[chosen] - others, -1.5, 1.5)
    board.add("ahead", at[chosen], value, value, value > 0)


def _complements(board: _Board) -> None:
    """Whether what is bought has a complement in the same order, beside other orders as large."""
    bought = board.purchases
    at = np.flatnonzero(bought.category >= 0)
    if not len(at) or len(bought.categories) < 2:
        board.add("complement", at[:0], np.zeros(0), np.zeros(0), np.zeros(0, bool))
        return
    category = bought.category[at].astype("int64")
    has, width = complements.beside(bought.basket[at], category, len(bought.categories))
    size = np.minimum(np.log2(width).astype("int64"), 7)
    value = has.astype(float)
    excess = value - usual(category * 8 + size, size, value)
    chosen = width > 1
    board.add("complement", at[chosen], value[chosen], excess[chosen], has[chosen])
