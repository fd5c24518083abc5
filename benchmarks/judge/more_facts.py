"""Facts of customers beyond recency, frequency and spend, as further columns for the regressions of the forecast.

Each is known at the end of a day, without a unit of money, and 0 where there is nothing to tell it from: no lines,
no discount, no second order-day. Products and prices are those of the lines, margins those of the orders.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.history.schema import History
from sync_worker.scoring.features import OrderDays, Sales, order_days
from sync_worker.scoring.situation import Snapshot

#: The columns by what they are about, in the order in which `columns` gives them.
GROUPS: dict[str, tuple[str, ...]] = {
    "breadth, basket size": ("categories", "lines"),
    "products": ("products", "new_share", "new_share_change", "categories_kept"),
    "discount": ("discount", "discount_change", "discounted_share"),
    "price": ("price_level", "price_change"),
    "margin": ("margin_rate", "margin_change"),
    "basket trend": ("breadth_change", "lines_change", "units_change", "amount_change"),
    "cadence": ("silence_z", "silence_rank", "silence_to_longest", "gap_change", "regularity"),
    "counts": ("last_30", "last_90", "last_180"),
    "nth recency": ("since_2nd", "since_3rd", "since_5th"),
    "cohort age": ("history_age", "share_of_history"),
}
NAMES = tuple(name for names in GROUPS.values() for name in names)
#: Order-days that are compared with the ones before them.
LAST = 3
#: Gaps by which a customer's own spread is drawn to what the rhythm says of it, as `rhythm.SPREAD_WEIGHT`.
WEIGHT = 3.0
#: Sales of a product that its usual price is known from.
PRICES = 5
#: No change, and no robust score, counts beyond these.
CHANGE, SCORE = 2.0, 6.0


@dataclass
class Purchases:
    """What was bought, by customer and day; rows ascend by customer and day.

    Attributes:
        row, day: (m,) int64 of order-days with lines, as in `Sales`.
        facts: (m,) float64 each, NaN where not known. `lines`, `units`, `categories`, `products` are counts;
            `fresh`, products the customer had not bought on an earlier day; `discount`, the mean share taken off;
            `price`, the mean log of the price over what the product usually cost before; `margin`, margin over
            amount.
        item_row, item_day, item_next: (k,) int64, a category (a product where none is known) bought by a customer on
            a day, and the day it was bought again, far away if never.
        new_row, new_day: (j,) int64, a product bought for the first time by a customer.
    """

    row: np.ndarray
    day: np.ndarray
    facts: dict[str, np.ndarray]
    item_row: np.ndarray
    item_day: np.ndarray
    item_next: np.ndarray
    new_row: np.ndarray
    new_day: np.ndarray

    @classmethod
    def of(cls, history: History, customer_ids: pd.Series) -> Purchases | None:
        """From the lines of orders of a positive amount; None without lines.

        Args:
            customer_ids: of each row of the sales.
        """
        if history.lines is None:
            return None
        bought = history.orders[history.orders["amount"] > 0]
        orders = bought.drop_duplicates("order_id")
        place = pd.Index(orders["order_id"]).get_indexer(history.lines["order_id"])
        lines, orders = history.lines[place >= 0], orders.iloc[place[place >= 0]]
        table = pd.DataFrame(
            {
                "row": pd.Index(customer_ids).get_indexer(orders["customer_id"]),
                "day": _days(orders["date"]),
                "product": pd.factorize(lines["product_id"])[0],
                "amount": lines["amount"].to_numpy(),
                "units": lines["quantity"].to_numpy(),
                "discount": np.clip(lines["discount"].to_numpy() / 100, 0, 1),
            }
        )
        categorised = lines["category"].notna().any()
        table["category"] = pd.factorize(lines["category"])[0] if categorised else table["product"]
        table = table[table["row"] >= 0].sort_values(["row", "day"], kind="stable", ignore_index=True)
        if not len(table):
            return None
        table["price"] = _price_over_usual(table)
        products, categories = _distinct(table, "product"), _distinct(table, "category")
        first = ~products.duplicated(["row", "product"])
        grouped = table.groupby(["row", "day"])
        facts = pd.DataFrame(
            {
                "lines": grouped.size().astype(float),
                "units": grouped["units"].sum(min_count=1),
                "discount": grouped["discount"].mean(),
                "price": grouped["price"].mean(),
                "products": products.groupby(["row", "day"]).size().astype(float),
                "categories": categories.groupby(["row", "day"]).size().astype(float),
                "fresh": first.groupby([products["row"], products["day"]]).sum().astype(float),
            }
        )
        by_day = [pd.Index(customer_ids).get_indexer(bought["customer_id"]), _days(bought["date"])]
        sums = bought[["amount", "margin"]].groupby(by_day).sum(min_count=1).reindex(facts.index)
        facts["margin"] = np.clip(sums["margin"] / sums["amount"], -1, 1)
        following = categories.groupby(["row", "category"])["day"].shift(-1).fillna(2**40).astype("int64")
        return cls(
            *(facts.index.get_level_values(at).to_numpy("int64") for at in (0, 1)),
            {name: facts[name].to_numpy(float) for name in facts},
            categories["row"].to_numpy("int64"),
            categories["day"].to_numpy("int64"),
            following.to_numpy(),
            products.loc[first, "row"].to_numpy("int64"),
            products.loc[first, "day"].to_numpy("int64"),
        )


def columns(sales: Sales, purchases: Purchases | None, snapshot: Snapshot) -> np.ndarray:
    """`NAMES` of the customers of a snapshot, (n, columns) float64; nothing later than its day is looked at."""
    day, n = snapshot.day, len(snapshot.rows)
    bought = (sales.amount > 0) & (sales.day <= day)
    owner, when, amount = (
        np.searchsorted(snapshot.rows, sales.row[bought]),
        sales.day[bought],
        sales.amount[bought],
    )
    days = order_days(owner, when)
    found = dict.fromkeys(NAMES, np.zeros(n))
    for name in GROUPS["breadth, basket size"]:
        found[name] = np.log1p(getattr(snapshot.situation, name))
    found |= _cadence(days, snapshot) | _counts(days, snapshot)
    start = int(sales.day.min())
    tenure = snapshot.situation.T
    found["history_age"] = np.full(n, np.log1p(day - start))
    found["share_of_history"] = tenure / max(day - start, 1)
    spent = np.bincount(np.searchsorted(_key(days.row, days.day), _key(owner, when)), amount)
    found["amount_change"] = _change(days.row, np.log(np.maximum(spent, 1e-9)), n)[1]
    if purchases is not None:
        found |= _bought(purchases, snapshot)
    return np.column_stack([np.nan_to_num(found[name]) for name in NAMES])


def _cadence(days: OrderDays, snapshot: Snapshot) -> dict[str, np.ndarray]:
    """The present silence against the customer's own gaps, and how these changed and vary."""
    situation, n = snapshot.situation, len(snapshot.rows)
    again = days.position > 0
    row, gap = days.row[again], np.log(np.diff(days.day)[again[1:]])
    count = np.bincount(row, minlength=n)
    middle = _median(row, gap, n)
    deviation = 1.4826 * _median(row, np.abs(gap - middle[row]), n)
    trust = count / (count + WEIGHT)
    centre = np.where(count > 0, trust * middle + (1 - trust) * situation.mu, situation.mu)
    spread = np.sqrt(trust * deviation**2 + (1 - trust) * situation.sigma**2)
    silence = np.log(np.maximum(situation.silence, 1))
    longer = np.bincount(row[gap >= silence[row]], minlength=n)
    longest = np.full(n, -np.inf)
    np.maximum.at(longest, row, gap)
    _level, change = _change(row, gap, n)
    return {
        "silence_z": np.clip((silence - centre) / np.maximum(spread, 0.2), -SCORE, SCORE),
        "silence_rank": (longer + 1) / (count + 2),
        "silence_to_longest": np.where(count > 0, np.clip(silence - longest, -SCORE, SCORE), 0),
        "gap_change": change,
        "regularity": np.where(
            count > 1, trust * (np.log(np.maximum(deviation, 0.05)) - np.log(situation.sigma)), 0
        ),
    }


def _counts(days: OrderDays, snapshot: Snapshot) -> dict[str, np.ndarray]:
    """Order-days of the last days, and the silence since order-days before the last one."""
    n, last = len(snapshot.rows), days.last()
    age = snapshot.day - days.day
    found = {
        f"last_{span}": np.log1p(np.bincount(days.row[age < span], minlength=n)) for span in (30, 90, 180)
    }
    for name, back in (("since_2nd", 1), ("since_3rd", 2), ("since_5th", 4)):
        # the first one stands in where there are fewer
        found[name] = np.log1p(age[np.maximum(last - back, days.start)])
    return found


def _bought(purchases: Purchases, snapshot: Snapshot) -> dict[str, np.ndarray]:
    n, day = len(snapshot.rows), snapshot.day

    def number(row: np.ndarray) -> np.ndarray:
        return np.searchsorted(snapshot.rows, row)

    known = purchases.day <= day
    row = number(purchases.row[known])
    facts = {name: values[known] for name, values in purchases.facts.items()}
    share = facts["fresh"] / facts["products"]
    share[np.append(True, np.diff(row) != 0)[: len(row)]] = np.nan  # all is new on the first day
    new = np.bincount(number(purchases.new_row[purchases.new_day <= day]), minlength=n)
    current = (purchases.item_day <= day) & (purchases.item_next > day)  # the last time each was bought
    ever = np.bincount(number(purchases.item_row[current]), minlength=n)
    kept = current & (purchases.item_day > day - snapshot.horizon)
    kept = np.bincount(number(purchases.item_row[kept]), minlength=n)
    found = {
        "products": np.log1p(new),
        "categories_kept": kept / np.maximum(ever, 1),
        "discounted_share": _level(
            row, np.where(np.isnan(facts["discount"]), np.nan, facts["discount"] > 0), n
        ),
    }
    for level, change, values in (
        ("new_share", "new_share_change", share),
        ("discount", "discount_change", facts["discount"]),
        ("price_level", "price_change", facts["price"]),
        ("margin_rate", "margin_change", facts["margin"]),
    ):
        found[level], found[change] = _change(row, values, n)
    for change, counted in (
        ("breadth_change", "categories"),
        ("lines_change", "lines"),
        ("units_change", "units"),
    ):
        found[change] = _change(row, np.log(np.maximum(facts[counted], 1)), n)[1]
    return found


def _change(row: np.ndarray, values: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean of each customer's values, and that of the last `LAST` less that of the ones before, drawn to 0.

    Args:
        row: (m,) ascending, oldest value first; values that are not known do not count.
    """
    told = ~np.isnan(values)
    row, values = row[told], values[told]
    count = np.bincount(row, minlength=n)
    late = np.cumsum(count)[row] - 1 - np.arange(len(row)) < LAST
    newer, older = (np.bincount(row[which], minlength=n) for which in (late, ~late))
    mean_newer, mean_older = _level(row[late], values[late], n), _level(row[~late], values[~late], n)
    weight = np.where(
        older > 0, 1 / (1 + WEIGHT * (1 / np.maximum(newer, 1) + 1 / np.maximum(older, 1)) / 2), 0
    )
    change = weight * np.clip(np.nan_to_num(mean_newer) - np.nan_to_num(mean_older), -CHANGE, CHANGE)
    return _level(row, values, n), change


def _level(row: np.ndarray, values: np.ndarray, n: int) -> np.ndarray:
    """The mean of each customer's values; the mean of all customers where none is known."""
    told = ~np.isnan(values)
    count = np.bincount(row[told], minlength=n)
    mean = np.bincount(row[told], values[told], minlength=n) / np.maximum(count, 1)
    return np.where(count > 0, mean, mean[count > 0].mean()) if count.any() else np.zeros(n)


def _median(row: np.ndarray, values: np.ndarray, n: int) -> np.ndarray:
    """The median of each customer's values, 0 without any."""
    values = values[np.lexsort((values, row))]
    count = np.bincount(row, minlength=n)
    start = np.cumsum(count) - count
    low, high = start + np.maximum(count - 1, 0) // 2, start + count // 2
    safe = max(len(values) - 1, 0)
    values = values if len(values) else np.zeros(1)
    return np.where(count > 0, (values[np.minimum(low, safe)] + values[np.minimum(high, safe)]) / 2, 0)


def _price_over_usual(table: pd.DataFrame) -> np.ndarray:
    """Log of each line's unit price over the mean of what its product cost before, NaN with too few sales."""
    with np.errstate(divide="ignore", invalid="ignore"):
        price = np.log(table["amount"].to_numpy() / table["units"].to_numpy())
    told = np.isfinite(price) & (table["product"].to_numpy() >= 0)
    lines = pd.DataFrame({"product": table["product"], "day": table["day"], "price": price})[told]
    by_day = lines.groupby(["product", "day"])["price"].agg(["sum", "size"])
    earlier = by_day.groupby(level=0).cumsum() - by_day
    usual = (earlier["sum"] / earlier["size"]).where(earlier["size"] >= PRICES)
    result = np.full(len(table), np.nan)
    at = pd.MultiIndex.from_frame(lines[["product", "day"]])
    result[told] = np.clip(lines["price"].to_numpy() - usual.reindex(at).to_numpy(), -1, 1)
    return result


def _distinct(table: pd.DataFrame, what: str) -> pd.DataFrame:
    """Each customer's days with each product or category, by customer and day."""
    return table.loc[table[what] >= 0, ["row", "day", what]].drop_duplicates()


def _days(dates: pd.Series) -> np.ndarray:
    return dates.to_numpy().astype("datetime64[D]").astype("int64")


def _key(row: np.ndarray, day: np.ndarray) -> np.ndarray:
    return row * 1_000_000 + day
