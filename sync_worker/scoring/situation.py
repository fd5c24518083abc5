"""What is known of each customer at the end of a day: all that a churn or value model may look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from sync_worker.policy import Policy
from sync_worker.scoring import rhythm
from sync_worker.scoring.features import OrderDays, Sales, order_days
from sync_worker.scoring.peers import Peers


@dataclass(frozen=True)
class Situation:
    """Facts of n customers as of a day, all (n,) float64; times in days, money in the company's currency.

    `x`, `t_x`, `T` as in `ModifiedBetaGeoNBD`; `mu`, `sigma` of the own rhythm as in `Rhythm`. The others may be
    missing where only the transaction models are asked: `latest_orders`, `recent_orders`, `before_orders` and
    `earlier_orders` are order-days in the last third of a horizon, the last horizon, the one before, and the
    two before that; `recent_spend` and `before_spend` go with them; `mean_spend` and `last_spend` are amounts of
    an order-day; `revenue` is net of returns, and `worth` the same in the measure of value; `categories` is the
    breadth, the distinct categories (products where no category is known) ever bought, and `lines` the basket size,
    the geometric mean of the lines of an order-day: what the others have at the median where a customer's lines are
    not known, 0 where nobody's are.
    """

    x: np.ndarray
    t_x: np.ndarray
    T: np.ndarray
    mu: np.ndarray
    sigma: np.ndarray
    latest_orders: np.ndarray | None = None
    recent_orders: np.ndarray | None = None
    before_orders: np.ndarray | None = None
    earlier_orders: np.ndarray | None = None
    recent_spend: np.ndarray | None = None
    before_spend: np.ndarray | None = None
    mean_spend: np.ndarray | None = None
    last_spend: np.ndarray | None = None
    revenue: np.ndarray | None = None
    worth: np.ndarray | None = None
    categories: np.ndarray | None = None
    lines: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.x)

    @property
    def silence(self) -> np.ndarray:
        """(n,) days since the last order-day."""
        return self.T - self.t_x

    @property
    def gross(self) -> np.ndarray:
        """(n,) amount of all orders, returns not subtracted."""
        return self.mean_spend * (self.x + 1)

    def but(self, **changes: np.ndarray) -> Situation:
        """The same customers had some things been otherwise."""
        return replace(self, **changes)

    def part(self, rows: np.ndarray | slice) -> Situation:
        """The situation of some of the customers."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        return Situation(**{name: None if v is None else v[rows] for name, v in known.items()})


def in_blocks(
    function: Callable[..., np.ndarray], size: int, h: np.ndarray | float, *situations: Situation
) -> np.ndarray:
    """The function of a horizon and situations of the same customers, over so many customers at a time: what it needs
    in between stays in the processor's cache, and memory does not grow."""
    n = np.size(situations[0].x)  # 1 for a single customer of numbers
    h = np.broadcast_to(np.asarray(h, dtype=float), np.shape(situations[0].x))
    if n <= size:
        return function(h, *situations)
    blocks = [slice(begin, begin + size) for begin in range(0, n, size)]
    return np.concatenate([function(h[rows], *(one.part(rows) for one in situations)) for rows in blocks])


@dataclass(frozen=True)
class Snapshot:
    """The customers known at the end of a day.

    Attributes:
        day: days since 1970-01-01.
        rows: (n,) int64, their rows in the sales it was taken from.
        situation: their facts.
        usual_gap: the 90th percentile of all gaps between order-days until then, NaN without a gap.
        formats: (n,) business formats.
        horizon: length of the windows of recent behaviour, days.
    """

    day: int
    rows: np.ndarray
    situation: Situation
    usual_gap: float
    formats: pd.Series
    horizon: float

    @property
    def active(self) -> np.ndarray:
        """(n,) bool: at least two order-days, the last one within the larger of 30 days and `usual_gap`."""
        window = np.fmax(30.0, self.usual_gap)
        return (self.situation.x >= 1) & (self.situation.silence < window)


def take(
    sales: Sales,
    formats: pd.Series,
    day: int,
    horizon: float,
    policy: Policy,
    own: rhythm.Rhythm | None = None,
) -> Snapshot:
    """What was known at the end of `day`; later sales are not looked at.

    Args:
        sales: of all customers.
        formats: (customers,) business format of each row of `sales`.
        horizon: length of the windows of recent behaviour, days.
        own: rhythm of each customer as seen after its last order-day, where it is known already.
    """
    bought = (sales.amount > 0) & (sales.day <= day)
    row, when, amount = sales.row[bought], sales.day[bought], sales.amount[bought]
    new = np.append(True, row[1:] != row[:-1])[: len(row)]
    rows, row = row[new], np.cumsum(new) - 1
    n = len(rows)
    days = order_days(row, when)
    spent = _spent(row, day - when, amount, days, day, horizon)
    basket = _basket(sales, bought, row, days)
    del bought, new, row, when, amount  # many orders, few customers
    customers, formats = len(formats), formats.iloc[rows].reset_index(drop=True)
    last = days.last()
    if own is None:
        own = rhythm.learn(days, Peers(formats, policy), float(horizon)).at(last)

    def orders(newest: float, oldest: float) -> np.ndarray:
        age = day - days.day
        return np.bincount(days.row[(age >= newest) & (age < oldest)], minlength=n).astype(float)

    first = days.day[days.start]
    gaps = np.diff(days.day)[(days.position > 0)[1:]]
    revenue = _net(sales, sales.amount, rows, day, customers=customers)
    situation = Situation(
        x=days.position[last].astype(float),
        t_x=(days.day[last] - first).astype(float),
        T=(day - first).astype(float),
        mu=own.mu,
        sigma=own.sigma,
        latest_orders=orders(0, horizon / 3),
        recent_orders=orders(0, horizon),
        before_orders=orders(horizon, 2 * horizon),
        earlier_orders=orders(2 * horizon, 4 * horizon),
        revenue=revenue,
        worth=revenue if sales.worth is None else _net(sales, sales.worth, rows, day, customers=customers),
        **spent,
        **basket,
    )
    usual_gap = float(np.percentile(gaps, 90)) if len(gaps) else np.nan
    return Snapshot(day, rows, situation, usual_gap, formats, horizon)


def _spent(
    row: np.ndarray, age: np.ndarray, amount: np.ndarray, days: OrderDays, day: int, horizon: float
) -> dict[str, np.ndarray]:
    """The spends of a situation from orders: the customer, days until `day` and amount of each, (k,)."""
    last = days.last()

    def spend(which: np.ndarray | slice) -> np.ndarray:
        return np.bincount(row[which], amount[which], minlength=len(last)).astype(float)  # int where empty

    return {
        "recent_spend": spend((age >= 0) & (age < horizon)),
        "before_spend": spend((age >= horizon) & (age < 2 * horizon)),
        "mean_spend": spend(slice(None)) / (days.position[last] + 1),
        "last_spend": spend(age == (day - days.day[last])[row]),
    }


def _basket(sales: Sales, bought: np.ndarray, row: np.ndarray, days: OrderDays) -> dict[str, np.ndarray]:
    """`categories` and `lines` of a situation from the orders `bought`, (k,) bool, of the customers `row`, whose
    order-days are `days`."""
    n = len(days.start)
    lines = np.zeros(0) if sales.lines is None else sales.lines[bought]
    if not lines.any():
        return {"categories": np.zeros(n), "lines": np.zeros(n)}
    when = sales.day[bought]
    new_day = np.append(True, (row[1:] != row[:-1]) | (when[1:] != when[:-1]))
    of_day = np.bincount(np.cumsum(new_day) - 1, lines)
    told = of_day > 0
    count = np.bincount(days.row[told], minlength=n)
    logs = np.bincount(days.row[told], np.log(of_day[told]), minlength=n)
    found = {
        "categories": np.bincount(row, sales.new_categories[bought], minlength=n),
        "lines": np.exp(logs / np.maximum(count, 1)),
    }
    known = count > 0
    return {name: np.where(known, values, np.median(values[known])) for name, values in found.items()}


def _net(sales: Sales, money: np.ndarray, rows: np.ndarray, day: int, customers: int) -> np.ndarray:
    """Money, (k,) as the sales, less that of returns until the end of a day of the customers of some rows, (n,)."""
    known = sales.day <= day
    return np.bincount(sales.row[known], money[known], minlength=customers)[rows]


@dataclass(frozen=True)
class Outcome:
    """What the customers of a snapshot did within a horizon after its day.

    Attributes:
        churned: (n,) bool, no order-day.
        orders: (n,) order-days.
        sales: (n,) amount of the orders, returns not subtracted.
        value: (n,) what they contributed, less returns, in the measure of value.
    """

    churned: np.ndarray
    orders: np.ndarray
    sales: np.ndarray
    value: np.ndarray

    def part(self, rows: np.ndarray) -> Outcome:
        return Outcome(self.churned[rows], self.orders[rows], self.sales[rows], self.value[rows])


def outcome(sales: Sales, snapshot: Snapshot, horizon: np.ndarray | float) -> Outcome:
    """What came in (day, day + horizon], a number or one of each customer of the snapshot."""
    n = len(snapshot.rows)
    number = np.full(int(sales.row.max(initial=-1)) + 1, -1)
    number[snapshot.rows] = np.arange(n)
    ahead = np.broadcast_to(np.asarray(horizon, dtype=float), (n,))
    owner = number[sales.row]
    late = (owner >= 0) & (sales.day > snapshot.day)
    late[late] = sales.day[late] <= snapshot.day + ahead[owner[late]]
    owner, day, amount = owner[late], sales.day[late], sales.amount[late]
    worth = amount if sales.worth is None else sales.worth[late]
    bought = amount > 0
    new_day = np.append(True, (np.diff(owner[bought]) != 0) | (np.diff(day[bought]) != 0))[: bought.sum()]
    orders = np.bincount(owner[bought][new_day], minlength=n)
    return Outcome(
        churned=orders == 0,
        orders=orders.astype(float),
        sales=np.bincount(owner[bought], amount[bought], minlength=n).astype(float),
        value=np.bincount(owner, worth, minlength=n).astype(float),
    )
