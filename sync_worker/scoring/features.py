"""What each customer did: order-days, sums, breadth, discounts and returns, as of a date."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import history_start

#: Margins count as the value basis when they are known for this share of the turnover.
MARGIN_COVERAGE = 0.9
EVIDENCE = 5


@dataclass
class OrderDays:
    """Days with at least one order of positive net amount, by customer and day.

    Attributes:
        row: (m,) int64, row of the customer in `Features.table`; ascending.
        day: (m,) int64, days since 1970-01-01; ascending within a customer.
        start: (n,) int64, first index of each customer.
        position: (m,) int64, 0 for a customer's first order-day.
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
        day: (k,) int64, days since 1970-01-01; ascending within a customer.
        amount: (k,) float64, negative for a return.
    """

    row: np.ndarray
    day: np.ndarray
    amount: np.ndarray

    def of(self, rows: np.ndarray) -> Sales:
        """The sales of some customers (ascending rows), numbered anew from 0."""
        number = np.full(int(self.row.max(initial=-1)) + 1, -1)
        number[rows] = np.arange(len(rows))
        kept = number[self.row] >= 0
        return Sales(number[self.row[kept]], self.day[kept], self.amount[kept])


@dataclass
class Features:
    """Facts of the buyers, the customers with at least one order-day.

    Attributes:
        table: one row per buyer, sorted by `customer_id`; days are numbers of days, money is float64:
            `customer_id`, `format`; `first_day`, `last_day` (since 1970), `order_days`, `x`, `t_x`, `T`,
            `silence`; `gross` (positive orders), `returns` (as a positive amount), `revenue` and
            `current_revenue` (net of returns), `historical_value` and `current_value` (margin or revenue,
            by `basis`), `known_margin` and `known_revenue` (current window, orders of known margin);
            `recent_orders`, `earlier_orders`, `recent_spend`, `earlier_spend` (last `comparison_days` days
            and as many before); `breadth`, `recent_breadth`, `earlier_breadth` (categories in the current
            window, in the two halves of the time with us), `discount_share`: NaN without lines.
        days: the order-days.
        sales: what `days` was made from, returns included.
        basis: `margin` or `revenue`.
        last_orders, last_returns: (n, 5) int64 order ids, newest first, -1 = none; None where ids are not
            integers.
        warnings: sentences.
    """

    table: pd.DataFrame
    days: OrderDays
    sales: Sales
    basis: str
    last_orders: np.ndarray | None
    last_returns: np.ndarray | None
    warnings: list[str]


def build(history: History, as_of: pd.Timestamp, policy: Policy) -> Features:
    """The facts known at the end of the day `as_of`; `history` holds nothing later (`History.until`)."""
    customers = history.customers
    orders, order_ids = _sorted_orders(history, customers)
    code, day, amount = orders["code"], orders["day"], orders["amount"]
    buyer = np.zeros(len(customers), dtype=bool)
    buyer[code[amount > 0]] = True
    row_of = np.where(buyer, np.cumsum(buyer) - 1, -1)
    kept = row_of[code] >= 0  # customers with returns only are prospects: they have not bought yet
    row, day, amount, margin = row_of[code][kept], day[kept], amount[kept], orders["margin"][kept]
    order_ids = order_ids[kept]
    today = as_of.to_datetime64().astype("datetime64[D]").astype("int64")
    contribution, basis, warnings = _contribution(amount, margin)

    days = order_days(row[amount > 0], day[amount > 0])
    table = customers.loc[buyer, ["customer_id", "format"]].reset_index(drop=True)
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
    known = current & ~np.isnan(margin)
    table["known_margin"], table["known_revenue"] = total(margin, known), total(amount, known)
    table["known_orders"] = np.bincount(row[known], minlength=n)
    # half of a short tenure, the first order included: a steady customer must not seem to grow
    table["comparison_days"] = span = np.minimum(window, table["T"] // 2 + 1).to_numpy()
    recent, earlier = age < span[row], (age >= span[row]) & (age < 2 * span[row])
    table["recent_spend"], table["earlier_spend"] = total(amount, recent), total(amount, earlier)
    silence = today - days.day
    newer, older = silence < span[days.row], (silence >= span[days.row]) & (silence < 2 * span[days.row])
    table["recent_orders"] = np.bincount(days.row[newer], minlength=n)
    table["earlier_orders"] = np.bincount(days.row[older], minlength=n)
    frequent = silence < window[days.row]
    table["current_order_days"] = np.bincount(days.row[frequent], minlength=n)

    _add_lines(table, history.lines, order_ids=order_ids, row=row, age=age, bought=amount > 0, window=window)
    integer = np.issubdtype(order_ids.dtype, np.integer)
    return Features(
        table=table,
        days=days,
        sales=Sales(row, day, amount),
        basis=basis,
        last_orders=_newest(row, order_ids, amount > 0, n) if integer else None,
        last_returns=_newest(row, order_ids, amount < 0, n) if integer else None,
        warnings=[*warnings, *history_start.warnings(table["first_day"].to_numpy(), int(today))],
    )


def _sorted_orders(history: History, customers: pd.DataFrame) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Orders by customer and day. The further keys make every sum independent of the order of the rows."""
    table = history.orders
    code = pd.Index(customers["customer_id"]).get_indexer(table["customer_id"])
    day = table["date"].to_numpy().astype("datetime64[D]").astype("int64")
    amount, margin = table["amount"].to_numpy(), table["margin"].to_numpy()
    order_ids = table["order_id"].to_numpy()
    keys = [margin, amount, code * 1_000_000 + day]
    if np.issubdtype(order_ids.dtype, np.integer):
        keys.insert(0, order_ids)
    order = np.lexsort(keys)
    columns = {"code": code, "day": day, "amount": amount, "margin": margin}
    return {name: values[order] for name, values in columns.items()}, order_ids[order]


def _contribution(amount: np.ndarray, margin: np.ndarray) -> tuple[np.ndarray, str, list[str]]:
    """What each order contributed, in one measure for all customers, since they are ranked together."""
    known = ~np.isnan(margin)
    turnover = np.abs(amount)
    coverage = turnover[known].sum() / max(turnover.sum(), 1e-300)
    if coverage < MARGIN_COVERAGE:
        if not known.any():
            return amount, "revenue", []
        words = f"Margins are known for {coverage:.0%} of the turnover only: value is measured in revenue."
        return amount, "revenue", [words]
    sold = amount[known].sum()
    rate = margin[known].sum() / sold if sold > 0 else 0.0
    unknown = int((~known).sum())
    words = f"{unknown:,} of {len(amount):,} orders have no margin: the mean rate of {rate:.1%} stands in."
    return np.where(known, margin, amount * rate), "margin", [words] if unknown else []


def order_days(row: np.ndarray, day: np.ndarray) -> OrderDays:
    """Distinct days of each customer from rows sorted by customer and day; rows are 0 to n - 1 without
    gaps.
    """
    new = np.ones(len(row), dtype=bool)
    new[1:] = (np.diff(row) != 0) | (np.diff(day) != 0)
    row, day = row[new], day[new]
    first = np.ones(len(row), dtype=bool)
    first[1:] = np.diff(row) != 0
    start = np.flatnonzero(first)
    return OrderDays(row, day, start, np.arange(len(row)) - start[row])


def _add_lines(table, lines, *, order_ids, row, age, bought, window) -> None:
    """Breadth by categories (by products where no category is known) and the share bought at a discount."""
    names = ["breadth", "recent_breadth", "earlier_breadth", "discount_share"]
    table[names] = np.nan
    if lines is None:
        return
    position = pd.Series(np.arange(len(order_ids)), index=order_ids)
    position = position[~position.index.duplicated()]
    at = position.index.get_indexer(lines["order_id"])
    at = np.where(at >= 0, position.to_numpy()[at], -1)
    item = lines["category"] if lines["category"].notna().any() else lines["product_id"]
    code = pd.factorize(item)[0].astype("int64")
    usable = (at >= 0) & (code >= 0)
    usable[usable] = bought[at[usable]]
    at, code, n = at[usable], code[usable], len(table)
    if not len(at):
        return
    owner, old = row[at], age[at]
    late = old < table["T"].to_numpy()[owner] / 2
    flags = (old < window[owner]) * 1 + late * 2 + ~late * 4
    key = owner * (code.max() + 1) + code
    order = np.argsort(key, kind="stable")
    key, flags, owner = key[order], flags[order], owner[order]
    starts = np.flatnonzero(np.append(True, np.diff(key) != 0))
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


def _newest(row: np.ndarray, order_ids: np.ndarray, chosen: np.ndarray, n: int) -> np.ndarray:
    """The last `EVIDENCE` order ids of each customer, newest first, -1 where there are fewer."""
    row, order_ids = row[chosen], order_ids[chosen]
    rank = np.cumsum(np.bincount(row, minlength=n))[row] - 1 - np.arange(len(row))
    newest = np.full((n, EVIDENCE), -1, dtype="int64")
    near = rank < EVIDENCE
    newest[row[near], rank[near]] = order_ids[near]
    return newest
