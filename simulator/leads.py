"""Offers and leads: those that became orders, those that did not and why, and companies that never bought."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.customers import FIRST_ID, Customers
from simulator.world import CLOSED, DROPPED, FORMATS, LOST_TYPES, LURED, PRICE, World

SOURCES = 4
NAMES = np.array([*LOST_TYPES, None], dtype=object)
#: How often the loss of a customer was written down as a lost lead, and then with the right reason.
TOLD = {LURED: 0.6, PRICE: 0.45, CLOSED: 0.3}
RIGHT = 0.92


def quotations(world: World, customers: Customers, served: pd.DataFrame, ids: np.ndarray) -> pd.DataFrame:
    """The fact of that name. Who compares us with a competitor lets a third of its offers lapse in the end."""
    rng = world.random("quotations")
    of = customers.table
    owner = served["customer"].to_numpy()
    left = of["leave"].to_numpy()[owner] - served["day"].to_numpy()
    cause = of["cause"].to_numpy()[owner]
    share = np.select([(cause == LURED) & (left < 200), (cause == PRICE) & (left < 90)], [0.35, 0.25], 0.04)
    offer = served[rng.random(len(served)) < share]
    day = offer["day"].to_numpy() + rng.integers(0, 8, len(offer))
    day = np.minimum(day, np.minimum(of["leave"].to_numpy()[offer["customer"]] + 20, world.days - 1))
    # those of the last three weeks are still open
    waiting = (day > world.days - 21) & (rng.random(len(offer)) < 0.7)
    table = pd.DataFrame(
        {
            "customer_id": ids[offer["customer"]],
            "known": world.dates(day),
            "amount": (offer["amount"] * rng.uniform(0.5, 2, len(offer))).round(2),
            "outcome": np.where(waiting, "open", "cancelled"),
        }
    ).sort_values(["known", "customer_id"], kind="stable", ignore_index=True)
    table.insert(0, "quotation_id", np.arange(len(table)) + 1)
    return table


def leads(world: World, customers: Customers, ids: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The fact of that name, and the prospects: `customer_id`, `format` (code), `first_seen` (day)."""
    rng = world.random("leads")
    prospects = _prospects(world, customers, rng)
    parts = [_won(world, customers, rng), _gone(world, customers, rng), _passing(world, customers, rng)]
    parts = [part.assign(customer_id=ids[part.pop("row")]) for part in parts]
    table = pd.concat([*parts, _of_prospects(world, prospects, rng)], ignore_index=True)
    table["closed_day"] = np.where(table["closed_day"] < world.days, table["closed_day"], np.inf)
    table["known_day"] = np.clip(table["known_day"], 0, world.days - 1)
    still = ~np.isfinite(table["closed_day"])
    table["outcome"] = table["outcome"].where(~still, "pending")
    reason = np.where(still | (table["outcome"] != "lost"), len(LOST_TYPES), table["reason"]).astype(int)
    table = table.assign(lost_type=NAMES[reason]).sort_values(["known_day", "customer_id"], kind="stable")
    facts = pd.DataFrame(
        {
            "lead_id": np.arange(len(table)) + 1,
            "customer_id": table["customer_id"].to_numpy(),
            "known": world.dates(table["known_day"]),
            "closed": world.dates(table["closed_day"]),
            "outcome": table["outcome"].to_numpy(),
            "lost_type": table["lost_type"].to_numpy(),
            "source_id": rng.integers(1, SOURCES + 1, len(table)),
            "expected_revenue": table["revenue"].to_numpy().round(-1),
        }
    )
    return facts, prospects


def _rows(row, known, closed, outcome, reason, revenue) -> pd.DataFrame:
    names = ("row", "known_day", "closed_day", "outcome", "reason", "revenue")
    return pd.DataFrame(dict(zip(names, (row, known, closed, outcome, reason, revenue), strict=True)))


def _yearly(of: pd.DataFrame) -> np.ndarray:
    return (of["order_value"] * 365 / of["gap"]).to_numpy()


def _won(world, customers, rng) -> pd.DataFrame:
    """Newcomers were leads before their first order."""
    of = customers.table
    row = np.flatnonzero((of["start"] > 0) & (rng.random(len(of)) < 0.7))
    start = of["start"].to_numpy()[row]
    guess = _yearly(of)[row] * np.exp(rng.normal(0, 0.4, len(row)))
    return _rows(row, start - rng.integers(5, 90, len(row)), start, "won", -1, guess)


def _gone(world, customers, rng) -> pd.DataFrame:
    """The next business with a customer that left, lost with a reason about when it left."""
    of = customers.table
    cause = of["cause"].to_numpy()
    told = np.select([cause == code for code in TOLD], list(TOLD.values()), 0)
    row = np.flatnonzero(rng.random(len(of)) < told)
    close = of["leave"].to_numpy()[row] + rng.integers(-20, 60, len(row))
    wrong = rng.choice(list(TOLD), len(row))
    reason = np.where(rng.random(len(row)) < RIGHT, cause[row], wrong)
    return _rows(row, close - rng.integers(10, 60, len(row)), close, "lost", reason, _yearly(of)[row] / 4)


def _passing(world, customers, rng) -> pd.DataFrame:
    """Single projects of customers, half of them lost to a price or a competitor though the customer stays."""
    of = customers.table
    row = np.flatnonzero(rng.random(len(of)) < 0.25)
    stop = np.minimum(of["leave"].to_numpy()[row], world.days)
    known = of["start"].to_numpy()[row] + rng.random(len(row)) * (stop - of["start"].to_numpy()[row])
    close = known.astype(int) + rng.integers(7, 80, len(row))
    outcome = np.where(rng.random(len(row)) < 0.5, "won", "lost")
    reason = rng.choice([PRICE, LURED, len(LOST_TYPES)], len(row), p=(0.35, 0.3, 0.35))
    return _rows(row, known.astype(int), close, outcome, reason, of["order_value"].to_numpy()[row] * 3)


def _prospects(world, customers, rng) -> pd.DataFrame:
    count = round(len(customers.table) * world.prospects)
    return pd.DataFrame(
        {
            "customer_id": FIRST_ID + len(customers.table) + np.arange(count),
            "format": rng.choice(len(FORMATS), count, p=[each.share for each in FORMATS]),
            "first_seen": rng.integers(0, world.days, count),
        }
    )


def _of_prospects(world, prospects, rng) -> pd.DataFrame:
    """A lead of each prospect: lost after a while, or still open."""
    n = len(prospects)
    known = prospects["first_seen"].to_numpy()
    close = np.where(rng.random(n) < 0.8, known + rng.integers(10, 200, n), np.inf)
    form = prospects["format"].to_numpy()
    of = [np.array([getattr(each, name) for each in FORMATS])[form] for name in ("order_value", "gap")]
    revenue = of[0] * 365 / of[1] * np.exp(rng.normal(0, 0.6, n))
    reason = rng.choice([LURED, PRICE, CLOSED, DROPPED, len(LOST_TYPES)], n, p=(0.3, 0.3, 0.1, 0.05, 0.25))
    table = _rows(np.zeros(n, int), known, close, "lost", reason, revenue)
    return table.assign(customer_id=prospects["customer_id"].to_numpy()).drop(columns="row")
