"""The second company's deliveries, invoices, payments and points as CSV files, each with the basket it is about."""

from pathlib import Path

import numpy as np
import pandas as pd

from demo.wholesale_files import APART, WORLD, moment
from simulator import Simulation


def write(out: Path, simulation: Simulation) -> None:
    """Writes `wholesale_documents.csv` (a row per basket), `wholesale_missing.csv` (what was ordered and did not come),
    `wholesale_payments.csv` and `wholesale_points.csv`.
    """
    tables = {
        "documents": _documents(simulation),
        "missing": _missing(simulation),
        "payments": _payments(simulation),
        "points": _points(simulation),
    }
    for name, table in tables.items():
        table.to_csv(out / f"wholesale_{name}.csv", index=False)


def _documents(simulation: Simulation) -> pd.DataFrame:
    """`origin` is the basket that came back, 0 for a sale; `promised` and `done` are in UTC; `markup` is the share
    by which the invoice exceeds the agreed prices."""
    table = simulation.documents
    rng = np.random.default_rng(WORLD.seed + 3)
    return pd.DataFrame(
        {
            "basket": -table["order_id"],
            "origin": -table["return_of"],
            "promised": table["promised"] + pd.Timedelta(hours=15),
            "done": moment(table["done"], 7, 14, rng),
            "invoiced": table["invoiced"],
            "due": table["due"],
            "markup": table["overbilled"],
        }
    )


def _missing(simulation: Simulation) -> pd.DataFrame:
    """The shortage of an order falls on its last lines, each of which is out of stock before the one above is."""
    short = simulation.documents.set_index("order_id")
    short = (short["demanded"] - short["delivered"])[short["done"].notna()]
    lines = simulation.history.lines[["order_id", "product_id", "quantity"]]
    lines = lines[lines["order_id"].isin(short.index[short > 0])]
    below = lines["quantity"].iloc[::-1].groupby(lines["order_id"]).cumsum() - lines["quantity"]
    missing = np.clip(lines["order_id"].map(short) - below, 0, lines["quantity"])
    table = pd.DataFrame(
        {"basket": -lines["order_id"], "product": APART + lines["product_id"], "missing": missing}
    )
    return table[table["missing"] > 0]


def _payments(simulation: Simulation) -> pd.DataFrame:
    """`before` and `upto`: the shares of the invoice that were paid without and with this payment."""
    facts = simulation.history.facts
    paid = facts["payments"].sort_values(["invoice_id", "known", "payment_id"])
    total = paid["invoice_id"].map(facts["invoices"].set_index("invoice_id")["total"])
    upto = paid["amount"].groupby(paid["invoice_id"]).cumsum() / total
    documents = simulation.documents.set_index("invoice_id")["order_id"]
    return pd.DataFrame(
        {
            "basket": -paid["invoice_id"].map(documents.drop(0, errors="ignore")),
            "paid": paid["known"],
            "before": (upto - paid["amount"] / total).round(6).abs(),
            "upto": upto.round(6),
        }
    )


def _points(simulation: Simulation) -> pd.DataFrame:
    """As simulated, but nobody spends more points than the card has."""
    points = simulation.history.facts["points"]
    orders = simulation.history.orders
    orders = orders[orders["amount"] > 0].rename(columns={"date": "known"})
    points = points.merge(orders[["customer_id", "known", "order_id"]], on=["customer_id", "known"])
    points = points.sort_values(["customer_id", "known"], ignore_index=True)
    change = (points["issued"] - points["used"]).groupby(points["customer_id"])
    # a balance that may not fall below zero is the free one less the lowest it has been
    free = change.cumsum()
    balance = free - free.groupby(points["customer_id"]).cummin().clip(upper=0)
    before = balance.groupby(points["customer_id"]).shift(fill_value=0)
    return pd.DataFrame(
        {
            "customer": APART + points["customer_id"],
            "basket": -points["order_id"],
            "issued": points["issued"],
            "used": before + points["issued"] - balance,
        }
    )
