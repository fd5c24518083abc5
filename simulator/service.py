"""How orders were served: deliveries and their failures, returns, ratings."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.customers import Customers
from simulator.world import NEGLECTED, World, working_days_later

#: Orders before leaving that go wrong where we drive a customer away.
LAST_ORDERS = 6
#: How likely each of those fails, in each of the ways a delivery can.
LAST_FAILURE = 0.45


def serve(world: World, customers: Customers, orders: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """One row per order: `promised`, `delivered_day` (inf = not yet), `demanded`, `delivered`, `late` (days),
    `short`, `overbilled` (share), `fails` (bool), `amount` and `cost` as ordered, with `order_id`, `customer`,
    `day`.
    """
    rng = world.random("service")
    table = customers.table
    sums = lines.groupby("order_id", sort=True)[["amount", "cost", "quantity"]].sum()
    served = orders.join(sums, on="order_id")
    served[["amount", "cost"]] = served[["amount", "cost"]].round(2)
    owner = served["customer"].to_numpy()
    n = len(served)
    rate = table["failure_rate"].to_numpy()[owner]
    behind = served.groupby("customer")["day"].rank(ascending=False, method="first").to_numpy()
    driven = (table["cause"].to_numpy()[owner] == NEGLECTED) & (behind <= LAST_ORDERS)
    rate = np.where(driven, LAST_FAILURE, rate)
    late = rng.random(n) < rate
    short = rng.random(n) < rate / 2
    served["promised"] = working_days_later(world, served["day"], rng.integers(1, 5, n))
    served["late"] = np.where(late, rng.integers(2, 11, n), 0)
    early = np.where(rng.random(n) < 0.2, 1, 0) * ~late
    served["delivered_day"] = np.maximum(
        working_days_later(world, served["promised"], served["late"] - early), served["day"]
    )
    served["late"] = np.maximum(served["delivered_day"] - served["promised"], 0)
    served["demanded"] = served["quantity"]
    part = np.where(short, rng.uniform(0.5, 0.92, n), 1)
    served["delivered"] = np.where(
        short, np.maximum(np.floor(served["quantity"] * part), 1), served["quantity"]
    )
    served["short"] = served["delivered"] < served["demanded"]
    served["overbilled"] = np.where(rng.random(n) < rate / 8, 0.05, 0.0)
    served["fails"] = (served["late"] > 0) | served["short"] | (served["overbilled"] > 0)
    open_yet = served["delivered_day"] >= world.days
    served["delivered_day"] = np.where(open_yet, np.inf, served["delivered_day"])
    return served.drop(columns="quantity")


def returns(world: World, customers: Customers, served: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Lines sent back, credited on the day they came: as `lines` with negative quantity, amount and cost,
    `return_of` (order) and an `order_id` of their own after all orders. A line per return.
    """
    rng = world.random("returns")
    rate = customers.table["return_rate"].to_numpy()[served["customer"]]
    rate = np.where(served["fails"], rate + 0.12, rate)
    sent = served[(rng.random(len(served)) < rate) & np.isfinite(served["delivered_day"])]
    first = np.searchsorted(lines["order_id"], sent["order_id"])
    count = np.searchsorted(lines["order_id"], sent["order_id"], side="right") - first
    back = lines.iloc[first + np.floor(rng.random(len(sent)) * count).astype("int64")].copy()
    back["return_of"] = back["order_id"]
    back["day"] = sent["delivered_day"].to_numpy().astype("int64") + rng.integers(2, 15, len(sent))
    back["day"] += np.choose(world.weekday(back["day"]), (0, 0, 0, 0, 0, 2, 1))
    part = np.ceil(
        back["quantity"] * np.where(rng.random(len(back)) < 0.5, 1, rng.uniform(0.2, 1, len(back)))
    )
    back["cost"] = -np.round(back["cost"] * part / back["quantity"], 2)
    back["amount"] = -np.round(part * back["price"] * (1 - back["discount"] / 100), 2)
    back["quantity"] = -part
    back = back[back["day"] < world.days].sort_values(["day", "customer", "return_of"], ignore_index=True)
    back["order_id"] = served["order_id"].max() + 1 + np.arange(len(back))
    return back


def deliveries(world: World, served: pd.DataFrame, back: pd.DataFrame, ids: np.ndarray) -> pd.DataFrame:
    """The fact of that name; `ids` are the customers' by row."""
    done = served[np.isfinite(served["delivered_day"])]
    out = pd.DataFrame(
        {
            "order_id": done["order_id"],
            "customer_id": ids[done["customer"]],
            "known": world.dates(done["delivered_day"]),
            "promised": world.dates(done["promised"]),
            "demanded": done["demanded"],
            "delivered": done["delivered"],
            "is_return": False,
        }
    )
    returned = pd.DataFrame(
        {
            "order_id": back["return_of"],
            "customer_id": ids[back["customer"]],
            "known": world.dates(back["day"]),
            "promised": world.dates(np.full(len(back), np.nan)),
            "demanded": -back["quantity"],
            "delivered": -back["quantity"],
            "is_return": True,
        }
    )
    both = pd.concat([out, returned], ignore_index=True).sort_values(["known", "order_id"], kind="stable")
    both.insert(0, "delivery_id", np.arange(len(both)) + 1)
    return both.reset_index(drop=True)


def ratings(world: World, customers: Customers, served: pd.DataFrame, ids: np.ndarray) -> pd.DataFrame:
    """The fact of that name. One in eight deliveries is rated, one that failed twice as often."""
    rng = world.random("ratings")
    done = served[np.isfinite(served["delivered_day"])]
    rated = done[rng.random(len(done)) < np.where(done["fails"], 0.25, 0.12)]
    level = customers.table["satisfaction"].to_numpy()[rated["customer"]]
    mood = np.array([4.6, 3.5, 2.3])[level] - 1.2 * rated["fails"].to_numpy()
    value = np.clip(np.round(mood + rng.normal(0, 0.6, len(rated))), 1, 5)
    day = rated["delivered_day"].to_numpy() + rng.integers(1, 6, len(rated))
    table = pd.DataFrame({"customer_id": ids[rated["customer"]], "known": world.dates(day), "rating": value})
    table = table[day < world.days].sort_values(["known", "customer_id"], kind="stable", ignore_index=True)
    table.insert(0, "rating_id", np.arange(len(table)) + 1)
    return table
