"""What each customer did: order-days, sums, breadth, discounts and returns, as of a date."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import grouped, history_start, value_trend
from sync_worker.scoring.events import days_of
from sync_worker.scoring.evidence import newest
from sync_worker.sentences import sentence

#: Margins count as the value basis when they are known for this share of the turnover.
MARGIN_COVERAGE = 0.9


@dataclass
class OrderDays:
    """Days with at least one order of positive net amount, by customer and day.

    Attributes:
        row: (m,) int64, row of the customer in `Features.table`; ascending.
        day: (m,) int32, days since 1970-01-01; ascending within a customer.
        start: (n,) int64, first index of each customer.
        position: (m,) int32, 0 for a customer's first order-day.
    """

    row: np.ndarray
    day: np.ndarray
    start: np.ndarray
    position: np.ndarray

    def last(self) -> np.ndarray:
        """(n,) index of each customer's last order-day."""
        return np.append(self.start, len(self.row))[1:] - 1

    def until(self, day: int) -> tuple[OrderDays, np.ndarray]:
        """The order-days up to and with a day, and the rows of the customers who have one, now numbered
        from 0.
        """
        known = self.day <= day
        rows, row = np.unique(self.row[known], return_inverse=True)
        return order_days(row, self.day[known]), rows


@dataclass
class Sales:
    """Net amounts of the buyers' orders and returns by customer and day.

    Attributes:
        row: (k,) int64, row of the customer in `Features.table`; ascending.
        day: (k,) int32, days since 1970-01-01; ascending within a customer.
        amount: (k,) float64, negative for a return.
        worth: (k,) float64, what each contributed in the measure of value (`Features.basis`); None where that is the
            amount.
        lines: (k,) int64, lines of each order, 0 of a return and where they are not known; None where no order's are.
        new_categories: (k,) int64, categories (products where no category is known) that the customer bought for the
            first time with this order; likewise.
    """

    row: np.ndarray
    day: np.ndarray
    amount: np.ndarray
    worth: np.ndarray | None = None
    lines: np.ndarray | None = None
    new_categories: np.ndarray | None = None

    def of(self, rows: np.ndarray) -> Sales:
        """The sales of some customers (ascending rows), numbered anew from 0."""
        number = np.full(int(self.row.max(initial=-1)) + 1, -1)
        number[rows] = np.arange(len(rows))
        kept = number[self.row] >= 0
        others = (None if one is None else one[kept] for one in (self.worth, self.lines, self.new_categories))
        return Sales(number[self.row[kept]], self.day[kept], self.amount[kept], *others)


@dataclass
class Features:
    """Facts of the buyers, the customers with at least one order-day.

    Attributes:
        table: one row per buyer, sorted by `customer_id`; days are numbers of days, money is float64:
            `customer_id`, `format`, and `territory_id` where it is known of anybody; `first_day`, `last_day`
            (since 1970), `order_days`, `x`, `t_x`, `T`, `silence`; `gross` (positive orders),
            `returns` (as a positive amount), `revenue` and `current_revenue` (net of returns), `historical_value`
            and `current_value` (margin or revenue, by `basis`), `value_slope` and `value_trend` (of
            `value_trend.classify`), `known_margin`, `known_revenue` and `known_orders` (current window, orders of
            known margin), `unknown_orders` (those without);
            `recent_orders`, `earlier_orders`, `recent_spend`, `earlier_spend` (last `comparison_days` days
            and as many before); `breadth`, `recent_breadth`, `earlier_breadth` (categories in the current
            window, in the two halves of the time with us), `discount_share`: NaN without lines.
        days: the order-days; None in facts `without` them.
        sales: what `days` was made from, returns included; likewise.
        basis: `margin` or `revenue`.
        last_orders, last_returns: (n, 5) order ids as of `evidence.newest`, -1 = none; None where ids are not
            integers.
        warnings: sentences.
    """

    table: pd.DataFrame
    days: OrderDays | None
    sales: Sales | None
    basis: str
    last_orders: np.ndarray | None
    last_returns: np.ndarray | None
    warnings: list[str]

    def without(self, *names: str) -> Features:
        """The facts without `days` or `sales` that nobody looks at any more: they take more memory than all else."""
        return replace(self, **dict.fromkeys(names))


def build(history: History, as_of: pd.Timestamp, policy: Policy) -> Features:
    """The facts known at the end of the day `as_of`; `history` holds nothing later (`History.until`)."""
    customers = history.customers
    buyer, orders = _sorted_orders(history)
    row, day, amount, margin, order_ids = orders
    today = as_of.to_datetime64().astype("datetime64[D]").astype("int64")
    contribution, basis, warnings = _contribution(amount, margin)

    days = order_days(row[amount > 0], day[amount > 0])
    known = [name for name in ("customer_id", "format", "territory_id") if name in customers]
    table = customers.loc[buyer, known].reset_index(drop=True)
    n = len(table)
    table["first_day"], table["last_day"] = days.day[days.start], days.day[days.last()]
    table["order_days"] = np.bincount(days.row, minlength=n)
    table["x"] = table["order_days"] - 1.0
    table["t_x"] = (table["last_day"] - table["first_day"]).astype(float)
    table["T"] = (today - table["first_day"]).astype(float)
    table["silence"] = (today - table["last_day"]).astype(float)

    def total(values: np.ndarray, where: np.ndarray | None = None) -> np.ndarray:
        chosen = slice(None) if where is None else where
        return np.bincount(row[chosen], values[chosen], minlength=n)

    window = policy.column("current_window_days", table["format"])
    age = today - day
    current = age < window[row]
    table["gross"] = total(np.clip(amount, 0, None))
    table["returns"] = total(np.clip(-amount, 0, None))
    table["revenue"], table["current_revenue"] = total(amount), total(amount, current)
    table["historical_value"] = total(contribution, ~current)
    table["current_value"] = total(contribution, current)
    table[["value_slope", "value_trend"]] = value_trend.classify(
        row, age, contribution, table["T"].to_numpy()
    )
    known = current & ~np.isnan(margin)
    table["known_margin"], table["known_revenue"] = total(margin, known), total(amount, known)
    table["known_orders"] = np.bincount(row[known], minlength=n)
    table["unknown_orders"] = np.bincount(row[current & np.isnan(margin)], minlength=n)
    # half of a short tenure, the first order included: a steady customer must not seem to grow
    table["comparison_days"] = span = np.minimum(window, table["T"] // 2 + 1).to_numpy()
    compared = span[row]
    recent, earlier = age < compared, (age >= compared) & (age < 2 * compared)
    table["recent_spend"], table["earlier_spend"] = total(amount, recent), total(amount, earlier)
    silence = today - days.day
    compared = span[days.row]
    newer, older = silence < compared, (silence >= compared) & (silence < 2 * compared)
    table["recent_orders"] = np.bincount(days.row[newer], minlength=n)
    table["earlier_orders"] = np.bincount(days.row[older], minlength=n)
    frequent = silence < window[days.row]
    table["current_order_days"] = np.bincount(days.row[frequent], minlength=n)

    counts = _add_lines(
        table, history.lines, order_ids=order_ids, row=row, age=age, bought=amount > 0, window=window
    )
    return Features(
        table=table,
        days=days,
        sales=Sales(row, day, amount, None if contribution is amount else contribution, *counts),
        basis=basis,
        last_orders=_newest(row, order_ids, day, amount > 0, n),
        last_returns=_newest(row, order_ids, day, amount < 0, n),
        warnings=[*warnings, *history_start.warnings(table["first_day"].to_numpy(), int(today))],
    )


def _sorted_orders(history: History) -> tuple[np.ndarray, list[np.ndarray]]:
    """The orders of the buyers, by customer and day.

    Customers with returns only are prospects: they have not bought yet.

    Returns:
        (customers,) bool, who is a buyer; and of each order the row among the buyers, the day, amount, margin and id.
    """
    table = history.orders
    code = pd.Index(history.customers["customer_id"]).get_indexer(table["customer_id"])
    amount, order_ids = table["amount"].to_numpy(), table["order_id"].to_numpy()
    buyer = np.zeros(len(history.customers), dtype=bool)
    buyer[code[amount > 0]] = True
    row = np.where(buyer, np.cumsum(buyer) - 1, -1)[code]
    day = days_of(table["date"])
    first, last = int(day.min()), int(day.max())
    order = _order_of(table, (row + 1) * (last - first + 1) + (day - first))[np.count_nonzero(row < 0) :]
    day = day.astype("int32")
    return buyer, [values[order] for values in (row, day, amount, table["margin"].to_numpy(), order_ids)]


def _order_of(table: pd.DataFrame, key: np.ndarray) -> np.ndarray:
    """The order of the rows by the key, and of the few that share it by amount, margin and id: these make every sum
    independent of the order of the rows."""
    order = grouped.argsort(key)
    ascending = key[order]
    same = np.append(ascending[1:] == ascending[:-1], False)
    shared = np.flatnonzero(same | np.append(False, same[:-1]))
    rows = np.sort(order[shared])
    keys = [table[name].to_numpy()[rows] for name in ("margin", "amount")] + [key[rows]]
    order_ids = table["order_id"].to_numpy()[rows]
    if np.issubdtype(order_ids.dtype, np.integer):
        keys.insert(0, order_ids)
    order[shared] = rows[np.lexsort(keys)]
    return order


def _contribution(amount: np.ndarray, margin: np.ndarray) -> tuple[np.ndarray, str, list[str]]:
    """What each order contributed, in one measure for all customers, since they are ranked together."""
    known = ~np.isnan(margin)
    turnover = np.abs(amount)
    coverage = turnover[known].sum() / max(turnover.sum(), 1e-300)
    if coverage < MARGIN_COVERAGE:
        if not known.any():
            return amount, "revenue", []
        words = f"Margins are known for {coverage:.0%} of the turnover only: value is measured in revenue."
        return amount, "revenue", [sentence("revenue_for_want_of_margins", words, share=coverage)]
    if known.all():
        return margin, "margin", []
    rate = usual_rate(amount, margin)
    unknown, orders = int((~known).sum()), len(amount)
    words = f"{unknown:,} of {orders:,} orders have no margin: the mean rate of {rate:.1%} stands in."
    told = sentence("orders_without_margin", words, count=unknown, orders=orders, rate=rate)
    return np.where(known, margin, amount * rate), "margin", [told]


def usual_rate(amount: np.ndarray, margin: np.ndarray) -> float:
    """The margin of all orders whose is known over their amount, whatever the order they are in; 0 where they sold
    nothing."""
    known = ~np.isnan(margin)
    sold, left = math.fsum(amount[known].tolist()), math.fsum(margin[known].tolist())
    return left / sold if sold > 0 else 0.0


def margin_rate(table: pd.DataFrame) -> np.ndarray:
    """The margin of each buyer's sales of the current window whose margin is known over their amount, (n,); NaN where
    they come to nothing."""
    revenue = table["known_revenue"].to_numpy()
    return np.divide(table["known_margin"], revenue, out=np.full(len(table), np.nan), where=revenue > 0)


def order_days(row: np.ndarray, day: np.ndarray) -> OrderDays:
    """Distinct days of each customer from rows sorted by customer and day; rows are 0 to n - 1 without
    gaps.
    """
    new = np.ones(len(row), dtype=bool)
    new[1:] = (row[1:] != row[:-1]) | (day[1:] != day[:-1])
    row, day = row[new], day[new]
    first = np.ones(len(row), dtype=bool)
    first[1:] = row[1:] != row[:-1]
    start = np.flatnonzero(first)
    position = np.arange(len(row), dtype="int32")
    position -= start.astype("int32")[row]
    return OrderDays(row, day, start, position)


def _add_lines(
    table, lines, *, order_ids, row, age, bought, window
) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
    """Adds breadth by categories (by products where no category is known) and the share bought at a discount.

    Returns:
        `lines` and `new_categories` of each order, as in `Sales`.
    """
    names = ["breadth", "recent_breadth", "earlier_breadth", "discount_share"]
    table[names] = np.nan
    if lines is None:
        return None, None
    position = pd.Series(np.arange(len(order_ids)), index=order_ids)
    position = position[~position.index.duplicated()]
    at = position.index.get_indexer(lines["order_id"])
    at = np.where(at >= 0, position.to_numpy()[at], -1)
    item = lines["category"] if lines["category"].notna().any() else lines["product_id"]
    code = pd.factorize(item)[0].astype("int64")
    usable = at >= 0
    usable[usable] = bought[at[usable]]
    count = np.bincount(at[usable], minlength=len(row))
    usable &= code >= 0
    at, code, n = at[usable], code[usable], len(table)
    if not len(at):
        return None, None
    owner, old = row[at], age[at]
    late = old < table["T"].to_numpy()[owner] / 2
    flags = (old < window[owner]) * 1 + late * 2 + ~late * 4
    key = owner * (code.max() + 1) + code
    order = np.argsort(key, kind="stable")
    key, flags, owner = key[order], flags[order], owner[order]
    starts = np.flatnonzero(np.append(True, np.diff(key) != 0))
    first = np.minimum.reduceat(at[order], starts)  # orders ascend by day
    flags, owner = np.bitwise_or.reduceat(flags, starts), owner[starts]
    for bit, name in ((1, "breadth"), (2, "recent_breadth"), (4, "earlier_breadth")):
        table[name] = np.bincount(owner[flags & bit > 0], minlength=n).astype(float)
    amount = np.clip(lines["amount"].to_numpy()[usable], 0, None)
    discount = lines["discount"].to_numpy()[usable]
    if not np.isnan(discount).all():
        amount = np.where(np.isnan(amount), 0, amount)
        bought_for = np.bincount(row[at], amount, minlength=n)
        reduced = np.bincount(row[at], amount * (discount > 0), minlength=n)
        with np.errstate(invalid="ignore"):
            table["discount_share"] = reduced / bought_for
    return count, np.bincount(first, minlength=len(row))


def _newest(
    row: np.ndarray, order_ids: np.ndarray, day: np.ndarray, chosen: np.ndarray, n: int
) -> np.ndarray | None:
    """The last of the chosen orders of each customer as `evidence.newest`; None where ids are no integers."""
    if not np.issubdtype(order_ids.dtype, np.integer):
        return None
    return newest(row[chosen], order_ids[chosen], day[chosen], n)
