"""Companies with facts besides their orders, days counted back from `AS_OF`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from conftest import AS_OF
from dealings import TODAY, ago

from sync_worker.history.facts import FACTS
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import features, receivables, returns
from sync_worker.scoring.peers import Peers


def facts(name, columns, *rows):
    """A dataset of rows in the order of `columns` (text, separated by blanks); days are given as days ago."""
    names = columns.split()
    table = pd.DataFrame({each: [row[i] for row in rows] for i, each in enumerate(names)})
    for column, kind in FACTS[name].items():
        if kind == "day" and column in table:
            table[column] = ago(table[column])
        elif column not in table:
            table[column] = pd.NaT if kind == "day" else np.nan
    for column, kind in FACTS[name].items():
        if kind == "flag":
            table[column] = table[column].astype("boolean").fillna(False).astype(bool)
    return table


def company(*parts, lines=None, customers=None, **datasets):
    """A history from `orders_of` parts; order ids count from 1."""
    orders = pd.concat(parts, ignore_index=True)
    if "order_id" not in orders:
        orders["order_id"] = np.arange(len(orders)) + 1
    return History(orders, lines=lines, customers=customers, facts=datasets)


def taken(history, policy=None):
    """Features and peers of a history as of `AS_OF`."""
    policy = policy or Policy()
    built = features.build(history, AS_OF, policy)
    return built, Peers(built.table["format"], policy)


def owing(built, history, policy=None):
    """What the buyers owe and returned, as arguments."""
    policy = policy or Policy()
    return {
        "owed": receivables.take(history, built.table["customer_id"]),
        "back": returns.take(built, history, policy, TODAY),
    }


def trade(customers=40, seed=0):
    """A company with every dataset the money modules read, at random; some customers have none of a kind."""
    rng = np.random.default_rng(seed)

    def some(name, count, **columns):
        table = {
            "customer_id": rng.integers(1, customers + 1, count),
            "known": ago(rng.integers(0, 500, count)),
        }
        table |= columns
        for column, kind in FACTS[name].items():
            if column not in table:
                table[column] = np.arange(count) + 1 if kind == "id" else pd.NaT if kind == "day" else np.nan
        return pd.DataFrame(table)

    count = customers * 12
    amount = np.round(rng.lognormal(5, 1, count) * np.where(rng.random(count) < 0.1, -0.3, 1), 2)
    orders = pd.DataFrame(
        {
            "order_id": np.arange(count) + 1,
            "customer_id": rng.integers(1, customers + 1, count),
            "date": ago(rng.integers(0, 800, count)),
            "amount": amount,
            "margin": np.where(rng.random(count) < 0.01, np.nan, amount * rng.uniform(-0.1, 0.5, count)),
        }
    )
    issued = rng.integers(20, 500, count)
    total = np.round(amount * 1.2, 2)
    invoices = some(
        "invoices",
        count,
        customer_id=orders["customer_id"].to_numpy(),
        known=ago(issued),
        date=ago(issued),
        due=ago(issued - 30),
        amount=amount,
        total=total,
    )
    paid = rng.permutation(count)[: count * 3 // 4]
    payments = some(
        "payments",
        len(paid),
        invoice_id=paid + 1,
        customer_id=orders["customer_id"].to_numpy()[paid],
        known=ago(np.maximum(issued[paid] - rng.integers(0, 70, len(paid)), 0)),
        amount=total[paid] * np.where(rng.random(len(paid)) < 0.2, 0.5, 1),
    )
    deliveries = some(
        "deliveries",
        count,
        order_id=np.arange(count) + 1,
        customer_id=orders["customer_id"].to_numpy(),
        demanded=10.0,
        delivered=np.where(rng.random(count) < 0.1, 4.0, 10.0),
        is_return=rng.random(count) < 0.1,
    )
    quotations = some("quotations", count // 2, outcome=rng.choice(["open", "cancelled"], count // 2))
    n = customers + 3  # three who only returned goods or never ordered
    known = pd.DataFrame(
        {
            "customer_id": np.arange(n) + 1,
            "format_id": rng.integers(1, 3, n),
            "group_id": np.where(rng.random(n) < 0.3, 1, np.arange(n) + 1),
            "has_tax_id": rng.random(n) < 0.8,
            "credit_limit": np.where(rng.random(n) < 0.5, 500.0, np.nan),
            "blocked": False,
        }
    )
    return History(
        orders,
        customers=known,
        facts={
            "invoices": invoices,
            "payments": payments,
            "deliveries": deliveries,
            "quotations": quotations,
            "activities": some("activities", count),
            "messages": some("messages", count),
        },
    )
