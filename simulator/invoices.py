"""What was invoiced, credited and paid, and the points of the loyalty programme."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.customers import Customers
from simulator.world import CLOSED, FORMATS, World

TAX = 0.20
CHANNELS = np.array(["salesperson", "website", "point_of_sale"], dtype=object)


def invoiced_amount(served: pd.DataFrame) -> np.ndarray:
    """Untaxed, for what was delivered; 0 where nothing was yet."""
    share = served["delivered"] / served["demanded"] * (1 + served["overbilled"])
    return np.where(np.isfinite(served["delivered_day"]), (served["amount"] * share).round(2), 0.0)


def invoices(
    world: World, customers: Customers, served: pd.DataFrame, back: pd.DataFrame, ids: np.ndarray
) -> pd.DataFrame:
    """The fact of that name, with `customer` (row) and `order_id` besides."""
    done = np.isfinite(served["delivered_day"].to_numpy())
    sold = pd.DataFrame(
        {
            "order_id": served["order_id"][done],
            "customer": served["customer"][done],
            "day": served["delivered_day"][done].astype("int64"),
            "amount": invoiced_amount(served)[done],
        }
    )
    credit = back[["order_id", "customer", "day", "amount"]]
    table = pd.concat([sold, credit], ignore_index=True)
    table = table.sort_values(["day", "order_id"], ignore_index=True)
    terms = np.array([each.terms for each in FORMATS])[
        customers.table["format"].to_numpy()[table["customer"]]
    ]
    table["due_day"] = table["day"] + np.where(table["amount"] > 0, terms, 0)
    table.insert(0, "invoice_id", np.arange(len(table)) + 1)
    table["customer_id"] = ids[table["customer"]]
    table["known"] = table["date"] = world.dates(table["day"])
    table["due"] = world.dates(table["due_day"])
    table["total"] = (table["amount"] * (1 + TAX)).round(2)
    return table


def payments(world: World, customers: Customers, invoices: pd.DataFrame) -> pd.DataFrame:
    """The fact of that name. Credit notes are paid out at once; a tenth of the invoices in two parts."""
    rng = world.random("payments")
    owner = invoices["customer"].to_numpy()
    of = customers.table
    n = len(invoices)
    delay = rng.normal(of["delay"].to_numpy()[owner], of["delay_spread"].to_numpy()[owner])
    day = np.maximum(invoices["due_day"] + np.round(delay), invoices["day"])
    day = np.where(invoices["amount"] > 0, day, invoices["day"])
    # who gives up the trade leaves a part of the last bills open, as do bad payers now and then
    closing = (of["cause"].to_numpy()[owner] == CLOSED) & (
        of["leave"].to_numpy()[owner] - invoices["day"] < 45
    )
    never = rng.random(n) < np.where(closing, 0.3, np.array([0, 0.002, 0.04])[of["pays"].to_numpy()[owner]])
    day = np.where(never & (invoices["amount"] > 0), np.inf, day)
    parts = (rng.random(n) < 0.1) & (invoices["amount"] > 0)
    first = np.where(parts, (invoices["total"] * 0.5).round(2), invoices["total"])
    rest = (invoices["total"] - first).round(2)
    both = pd.DataFrame(
        {
            "invoice_id": np.tile(invoices["invoice_id"], 2),
            "customer_id": np.tile(invoices["customer_id"], 2),
            "day": np.append(day, day + rng.integers(7, 31, n)),
            "amount": np.append(first, rest),
        }
    )
    both = both[(both["day"] < world.days) & (both["amount"] != 0)]
    both = both.sort_values(["day", "invoice_id"], kind="stable", ignore_index=True)
    both.insert(0, "payment_id", np.arange(len(both)) + 1)
    both["known"] = world.dates(both.pop("day"))
    return both


def order_details(world: World, customers: Customers, served: pd.DataFrame, ids: np.ndarray) -> pd.DataFrame:
    """The fact of that name. A tenth of the orders comes over another channel than the customer's own."""
    rng = world.random("details")
    of = customers.table
    owner = served["customer"].to_numpy()
    own = np.where(served["day"] >= of["website_from"].to_numpy()[owner], 1, of["channel"].to_numpy()[owner])
    channel = np.where(rng.random(len(served)) < 0.1, rng.integers(0, 3, len(served)), own)
    return pd.DataFrame(
        {
            "order_id": served["order_id"],
            "customer_id": ids[owner],
            "known": world.dates(served["day"]),
            "salesperson_id": of["salesperson"].to_numpy()[owner] + 1,
            "channel": CHANNELS[channel],
            "quoted": served["amount"],
            "invoiced": invoiced_amount(served),
        }
    )


def points(world: World, customers: Customers, served: pd.DataFrame, ids: np.ndarray) -> pd.DataFrame:
    """The fact of that name: a point for each ten of money; one member order in eight spends some."""
    rng = world.random("points")
    mine = served[customers.table["member"].to_numpy()[served["customer"]]]
    issued = np.floor(mine["amount"] / 10).to_numpy()
    spends = rng.random(len(mine)) < 0.12
    table = pd.DataFrame(
        {
            "points_id": np.arange(len(mine)) + 1,
            "customer_id": ids[mine["customer"]],
            "known": world.dates(mine["day"]),
            "card_id": ids[mine["customer"]],
            "issued": issued,
            "used": np.where(spends, np.floor(issued * rng.uniform(1, 4, len(mine))), 0.0),
        }
    )
    return table
