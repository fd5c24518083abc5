"""What the buyers bought: the lines of their orders, joined once for every module that looks at products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from sync_worker.history.schema import History
from sync_worker.scoring import grouped
from sync_worker.scoring.events import days_of
from sync_worker.scoring.features import Features


@dataclass
class Purchases:
    """One row per order and product, by customer, day, order and product; arrays are (k,).

    Attributes:
        row: row of the customer in `Features.table`.
        day: days since 1970-01-01.
        basket: number of the order, ascending.
        order_id: integer, negative for sales at the counter (`history.odoo`); None where ids are no integers.
        product, category: numbers in `products` and `categories`, -1 = not known.
        quantity: NaN = not known.
        amount: net; 0 where it is not known, negative for a return.
        discount: percent, NaN = not known.
        bought: bool: no return and not free of charge.
        products, categories: the history's own ids, sorted.
        introduced: (products,) days since 1970-01-01, NaN = not known.
        customers: how many buyers there are.
    """

    row: np.ndarray
    day: np.ndarray
    basket: np.ndarray
    order_id: np.ndarray | None
    product: np.ndarray
    category: np.ndarray
    quantity: np.ndarray
    amount: np.ndarray
    discount: np.ndarray
    bought: np.ndarray
    products: np.ndarray
    categories: np.ndarray
    introduced: np.ndarray
    customers: int

    def part(self, chosen: np.ndarray) -> Purchases:
        """Some of the rows (mask or ascending index), the same where it is all of them; customers, products and
        categories keep their numbers."""
        if chosen.dtype == bool and chosen.all():
            return self
        names = ("row", "day", "basket", "product", "category", "quantity", "amount", "discount", "bought")
        return Purchases(
            **{name: getattr(self, name)[chosen] for name in names},
            order_id=None if self.order_id is None else self.order_id[chosen],
            products=self.products,
            categories=self.categories,
            introduced=self.introduced,
            customers=self.customers,
        )

    def category_ids(self, row: np.ndarray, number: np.ndarray) -> np.ndarray:
        """The history's own id of a category for each customer in `row` (k,), by its number (k,); of the others,
        (customers,) in all, whatever there is."""
        ids = np.zeros(self.customers, dtype=self.categories.dtype)
        ids[row] = self.categories[number]
        return ids

    def spend(self, chosen: np.ndarray) -> sparse.csr_array:
        """Net money by customer and category in some rows (mask), (customers, categories); 0 where negative."""
        chosen = chosen & (self.category >= 0)
        where = (self.row[chosen], self.category[chosen])
        shape = (self.customers, len(self.categories))
        table = sparse.coo_array((self.amount[chosen], where), shape=shape).tocsr()
        table.data = np.maximum(table.data, 0)
        table.eliminate_zeros()
        return table


def of(features: Features, history: History) -> Purchases:
    """The lines of the buyers' orders; none where the history has no lines.

    Lines of the same product in the same order are one purchase. A line without an amount counts as bought if
    its order does and its quantity is not negative.

    Args:
        history: holds nothing later than the as-of day (`History.until`), as `features` does.
    """
    orders, lines = history.orders, history.lines
    if lines is None:
        orders = orders.iloc[:0]
        lines = pd.DataFrame({"order_id": []}).reindex(
            columns=["order_id", "product_id", "category", "quantity", "amount", "discount"]
        )
    orders, at = joined(orders, lines)
    owner = pd.Index(features.table["customer_id"]).get_indexer(orders["customer_id"])
    when = days_of(orders["date"])
    ids = orders["order_id"].to_numpy()
    number = _in_order(owner, when, ids)
    known = (at >= 0) & (owner[at] >= 0 if len(owner) else False)
    if not known.all():  # many lines: nothing is copied needlessly, nor kept for longer than it is looked at
        at, lines = at[known], lines[known]
    del known

    product, products = pd.factorize(lines["product_id"], sort=True)
    category, categories = pd.factorize(lines["category"], sort=True)
    key = number[at] * (len(products) + len(categories) + 1)
    # what is no product is told apart by its category
    key += np.where(product >= 0, product, len(products) + 1 + category)
    amount = lines["amount"].to_numpy(float)
    sort = grouped.argsort_by(key, amount)
    key = key[sort]
    starts = np.flatnonzero(np.append(True, key[1:] != key[:-1])) if len(key) else np.zeros(0, "int64")
    del key
    product, first = product[sort[starts]].astype("int32"), at[sort[starts]]
    category = _reduced(np.maximum, category[sort], starts).astype("int32")

    amount, quantity = amount[sort], lines["quantity"].to_numpy(float)[sort]
    unpriced = np.isnan(amount)
    given = unpriced & ~(quantity < 0)
    given[given] = orders["amount"].to_numpy()[at[sort[given]]] > 0
    given = _reduced(np.add, given, starts) > 0
    pieces = _reduced(np.add, quantity, starts)
    del at, quantity
    priced = np.where(unpriced, 0, amount)
    value = _reduced(np.add, priced, starts)
    # lines that cancel each other leave nothing, whatever rounding leaves
    value[np.abs(value) <= 1e-9 * _reduced(np.add, np.abs(priced), starts)] = 0
    plain = _reduced(np.add, priced * lines["discount"].to_numpy(float)[sort], starts)
    del amount, unpriced, priced, sort
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_discount = np.where(value != 0, plain / value, np.nan)
    bought = ((value > 0) & ~(pieces <= 0)) | ((value == 0) & given)
    introduced = np.full(len(products), np.nan)
    if history.products is not None and len(products):
        place = pd.Index(history.products["product_id"]).get_indexer(products)
        dates = history.products["introduced"].to_numpy().astype("datetime64[D]")
        days = np.where(np.isnat(dates), np.nan, dates.astype("int64"))
        introduced = np.where(place >= 0, np.append(days, np.nan)[place], np.nan)
    return Purchases(
        row=owner[first].astype("int32"),
        day=when[first].astype("int32"),
        basket=number[first].astype("int32"),
        order_id=ids[first].astype("int64") if np.issubdtype(ids.dtype, np.integer) else None,
        product=product,
        category=category,
        quantity=pieces,
        amount=value,
        discount=mean_discount,
        bought=bought,
        products=np.asarray(products),
        categories=np.asarray(categories),
        introduced=introduced,
        customers=len(features.table),
    )


def _reduced(function: np.ufunc, values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The values of each group that begins at one of `starts`, reduced to one."""
    return function.reduceat(values, starts) if len(starts) else np.zeros(0, values.dtype)


def joined(orders: pd.DataFrame, lines: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """The orders, each once, and the position of each line's order among them, (lines,) int64, -1 = none of them."""
    orders = orders.drop_duplicates("order_id")
    return orders, pd.Index(orders["order_id"]).get_indexer(lines["order_id"])


def shelf_price(amount: np.ndarray, quantity: np.ndarray, discount: np.ndarray) -> np.ndarray:
    """The price of a piece before its discount, (k,), NaN = not known.

    Where no discount of any line is known, there is none to take off; where some are, a missing one is not 0 %.

    Args:
        amount: (k,) after the discount.
        discount: (k,) percent, NaN = not known.
    """
    off = np.zeros(len(discount)) if np.isnan(discount).all() else discount
    usable = (quantity > 0) & (amount > 0) & (off < 100)
    price = np.full(len(amount), np.nan)
    price[usable] = amount[usable] / quantity[usable] / (1 - off[usable] / 100)
    return price


def _in_order(owner: np.ndarray, when: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """The number of each order by customer, day and id."""
    sort = np.lexsort((pd.factorize(ids, sort=True)[0], when, owner))
    number = np.empty(len(ids), dtype="int64")
    number[sort] = np.arange(len(ids))
    return number
