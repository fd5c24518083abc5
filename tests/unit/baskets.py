"""Histories with products, written line by line."""

from dataclasses import replace

import numpy as np
import pandas as pd
from conftest import AS_OF

from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import features, purchases
from sync_worker.scoring.peers import Peers

TODAY = int(AS_OF.timestamp() // 86400)
POLICY = Policy()
LINE = ("customer_id", "days_ago", "product_id", "category", "quantity", "amount", "discount")


def lines_of(rows, columns=LINE):
    """A table of lines from tuples; columns left out get a usual value."""
    usual = {"product_id": 1, "category": 1, "quantity": 1.0, "amount": 10.0, "discount": 0.0}
    table = pd.DataFrame([dict(zip(columns, row, strict=False)) for row in rows])
    for name, value in usual.items():
        table[name] = table[name].where(table[name].notna(), value) if name in table else value
    return table


def history_of_lines(table, formats=None, products=None):
    """An order for each customer and day, numbered by day; `products`: product_id to days ago introduced."""
    table = table.assign(date=AS_OF - pd.to_timedelta(table["days_ago"], unit="D"))
    key = pd.MultiIndex.from_frame(table[["date", "customer_id"]])
    table["order_id"] = key.factorize(sort=True)[0] + 1
    orders = table.groupby("order_id").agg(
        customer_id=("customer_id", "first"), date=("date", "first"), amount=("amount", "sum")
    )
    customers = None
    if formats is not None:
        customers = pd.DataFrame({"customer_id": list(formats), "format": list(formats.values())})
    if products is not None:
        ids = list(products)
        products = pd.DataFrame(
            {
                "product_id": ids,
                "category": [None] * len(ids),
                "introduced": [AS_OF - pd.Timedelta(days=products[one]) for one in ids],
            }
        )
    return History(orders.reset_index(), table, customers, products)


def with_own_products(history, every=10, categories=2):
    """The same history where each so-many-th customer has a version of its own of what it buys in some categories."""
    owner = history.lines["order_id"].map(history.orders.set_index("order_id")["customer_id"])
    own = (owner % every == 0) & (history.lines["category"] <= categories)
    product = history.lines["product_id"].where(~own, 10_000 * owner + history.lines["category"])
    return replace(history, lines=history.lines.assign(product_id=product))


def renumbered(history, order_ids):
    """The same history with other ids of its orders, `order_ids` by the old ones."""
    orders, lines = (
        table.assign(order_id=table["order_id"].map(order_ids)) for table in (history.orders, history.lines)
    )
    return History(orders, lines, history.customers, history.products)


def known_of(history, policy=POLICY):
    """(purchases, features, peers) of a history."""
    facts = features.build(history, AS_OF, policy)
    return purchases.of(facts, history), facts, Peers(facts.table["format"], policy)


def steady(product, days, customers=(1, 2), category=1):
    """Rows for `lines_of`: each customer buys a product on each of the days (ago)."""
    return [(customer, day, product, category) for customer in customers for day in days]


def shop(customers=120, seed=0, categories=12, orders=12, span=720):
    """Lines of customers who buy at random, each in a few categories of its own, five products a category."""
    rng = np.random.default_rng(seed)
    parts = []
    for customer in range(1, customers + 1):
        days = np.unique(rng.integers(0, span, orders))
        own = rng.choice(categories, 5, replace=False)
        count = rng.integers(1, 5, len(days))
        category = rng.choice(own, count.sum())
        product = category * 5 + rng.integers(0, 5, count.sum())
        price = 5 + 3 * (product % 5)
        quantity = rng.integers(1, 6, count.sum()).astype(float)
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": customer,
                    "days_ago": np.repeat(days, count),
                    "product_id": product,
                    "category": category,
                    "quantity": quantity,
                    "amount": quantity * price,
                    "discount": rng.choice([0.0, 10.0], count.sum()),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
