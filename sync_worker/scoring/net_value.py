"""What a customer leaves after what it costs to serve, in the current window.

Discounts are not counted: sales and margin are after them, and counting them again would charge them twice. The cost
of goods that came back is in the margin too where the return is a sale of a negative amount. Counted are

- handling of returns: what came back (`returns`) x `return_cost_share`;
- overdue money: each invoice's open balance x days after its due day, within the window x `financing_rate` a year;
- contact: activities done x `activity_cost`, messages of either direction x `message_cost`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.history.facts import rows_of
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring.events import days_of
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.features import Features
from sync_worker.scoring.reasons import Told
from sync_worker.scoring.receivables import Receivables
from sync_worker.scoring.returns import Returns

#: A cost of this part of the sales of the window is worth a sentence.
NOTICEABLE = 0.01
#: Facts behind the cost of contact and the policy key that prices each.
CONTACTS = {"activities": "activity_cost", "messages": "message_cost"}

#: Number of each of `CONTACTS` per buyer, (n,) float64, NaN where they are not known.
Contacts = dict[str, np.ndarray]

SENTENCES = {
    "returns_cost": "Handling what it returned cost {amount} in the current window",
    "overdue_cost": "Paid late or not at all: {invoices} invoices, financing them cost {amount}",
    "contact_cost": "{contacts} activities and messages cost {amount} in the current window",
}


@dataclass
class NetValue:
    """What each buyer costs and leaves.

    Attributes:
        table: a row per buyer: `returns_cost`, `overdue_cost`, `contact_cost` (each NaN where not known),
            `cost_to_serve` (their sum, as far as known; NaN where none is), `net_value` (known margin less
            cost to serve; NaN without a sale or return in the window, or where the margin of one is not known).
        evidence: what makes up a noticeable cost.
        lacks: what could not be counted for want of data: `returns`, `overdue`, `activities`, `messages`.
    """

    table: pd.DataFrame
    evidence: list[Evidence | Told]
    lacks: list[str]


def contacts(history: History, buyers: pd.DataFrame, policy: Policy, today: int) -> Contacts:
    """How many activities and messages each buyer has in the current window, as of `today` (days since 1970-01-01)."""
    window = policy.column("current_window_days", buyers["format"])
    return {name: _count(history.facts.get(name), buyers["customer_id"], window, today) for name in CONTACTS}


def classify(
    features: Features,
    policy: Policy,
    today: int,
    *,
    owed: Receivables | None,
    back: Returns,
    contacts: Contacts,
) -> NetValue:
    """Cost to serve and net value of the current window (`current_window_days`).

    Args:
        today: the as-of day, days since 1970-01-01.
        owed: of the buyers (`receivables.take`), None where not known.
        back: what they returned (`returns.take`).
        contacts: with them (`contacts`).
    """
    buyers, n = features.table, len(features.table)
    formats = buyers["format"]
    window = policy.column("current_window_days", formats)
    money_days = invoices = np.full(n, np.nan)
    records = None
    if owed is not None:
        overdue = owed.overdue_days(today - window[owed.row], today)
        money_days = np.bincount(owed.row, overdue, minlength=n)
        invoices = np.bincount(owed.row[overdue > 0], minlength=n)
        records = owed.newest(overdue > 0, n)
    prices = {name: policy.column(key, formats) for name, key in CONTACTS.items()}

    table = pd.DataFrame(index=range(n))
    table["returns_cost"] = back.value * policy.column("return_cost_share", formats)
    table["overdue_cost"] = money_days * policy.column("financing_rate", formats) / 365
    table["contact_cost"] = _sum(*(contacts[name] * prices[name] for name in CONTACTS))
    table["cost_to_serve"] = _sum(*(table[name].to_numpy() for name in table))
    known = (buyers["known_orders"] > 0) & (buyers["unknown_orders"] == 0)
    net = buyers["known_margin"] - table["cost_to_serve"].fillna(0)
    table["net_value"] = np.where(known, net, np.nan)

    lacks = [
        name for name, lacking in (("returns", back.value), ("overdue", money_days)) if _unknown(lacking)
    ]
    lacks += [name for name in CONTACTS if _unknown(contacts[name]) and prices[name].any()]
    priced = [
        np.where(prices[name] > 0, contacts[name], np.nan) for name in CONTACTS
    ]  # the others cost nothing
    figures = {
        "returns_cost": ({}, back.orders),
        "overdue_cost": ({"invoices": invoices}, records),
        "contact_cost": ({"contacts": _sum(*priced)}, None),
    }
    sold = np.maximum(buyers["current_revenue"].to_numpy(), 0)
    evidence = []
    for code, (params, ids) in figures.items():
        cost = table[code].to_numpy()
        share = np.divide(cost, sold, out=np.full(n, np.inf), where=sold > 0)
        holds = (cost > 0) & (share >= NOTICEABLE)
        strength = np.nan_to_num(cost / np.where(holds, table["cost_to_serve"], np.nan))
        evidence.append(Evidence(code, holds, {**params, "amount": np.rint(cost)}, ids, strength))
    return NetValue(table, evidence, lacks)


def _count(facts: pd.DataFrame | None, customers: pd.Series, window: np.ndarray, today: int) -> np.ndarray:
    """How many of the facts each customer has in the window, (n,); NaN where they are not known."""
    if facts is None:
        return np.broadcast_to(np.nan, len(customers))  # held once
    row = rows_of(facts["customer_id"], customers)
    row, day = row[row >= 0], days_of(facts["known"])[row >= 0]
    return np.bincount(row[today - day < window[row]], minlength=len(customers)).astype(float)


def _sum(*parts: np.ndarray) -> np.ndarray:
    """The sum of the parts that are known, NaN where none is."""
    stacked = np.stack(parts)
    return np.where(np.isnan(stacked).all(axis=0), np.nan, np.nansum(stacked, axis=0))


def _unknown(values: np.ndarray) -> bool:
    return bool(np.isnan(values).all())
