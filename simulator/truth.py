"""A whole run: the history as the worker reads one, and beside it what is true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulator import catalogue as catalogues
from simulator import contacts, invoices, leads, orders, service
from simulator import customers as people
from simulator.documents import documents
from simulator.world import FORMATS, LOST_TYPES, SATISFACTION, VALUE_TYPES, World
from sync_worker.history.facts import FACTS
from sync_worker.history.schema import History


@dataclass
class Simulation:
    """What `simulate` gives.

    Attributes:
        world: what it was made from.
        history: orders (returns as negative ones), lines, customers (with prospects), products, all facts.
        truth: one row per customer that bought, sorted by `customer_id`:
            `format`; `value_type`, `type_strength` (how far it lives up to it, 0 to 1);
            `satisfaction`; `start_date` (missing = before the history); `leave_date` (missing = stays; no
            order on it or later), `lost_type` (missing = stays);
            `anomaly_date`, `anomaly_factor` (of its turnover from that day on; below 1 a drop, 1 and missing
            = none); `gap_days` (mean between orders), `gap_shape` (Gamma; 1 = at random, 10 = by the
            clock); `order_value`, `growth` (a year); `pays` (`on_time`, `late`, `badly`); `initiator`;
            `salesperson_id`; and what came of it: `orders`, `returns`, `late`, `short` (deliveries),
            `last_order_date`.
        price_rises: `category`, `announced`, `date`, `percent`.
        catalogue: what was on offer, with every price.
        order_prices: the list price and unit cost of each line of `history.lines`, in their order: `price`,
            `cost` (untaxed; what the file format has no column for).
        documents: the delivery and the invoice of each order, as `simulator.documents` has them.
    """

    world: World
    history: History
    truth: pd.DataFrame
    price_rises: pd.DataFrame
    catalogue: catalogues.Catalogue
    order_prices: pd.DataFrame
    documents: pd.DataFrame


def simulate(world: World) -> Simulation:
    catalogue = catalogues.make(world)
    customers = people.make(world, catalogue)
    ids = customers.table["customer_id"].to_numpy()
    bought = orders.times(world, customers)
    lines = orders.lines(world, catalogue, customers, bought)
    served = service.serve(world, customers, bought, lines)
    back = service.returns(world, customers, served, lines)
    billed = invoices.invoices(world, customers, served, back, ids)
    lead_facts, prospects = leads.leads(world, customers, ids)
    facts = {
        "invoices": billed,
        "payments": invoices.payments(world, customers, billed),
        "deliveries": service.deliveries(world, served, back, ids),
        "order_details": invoices.order_details(world, customers, served, ids),
        "quotations": leads.quotations(world, customers, served, ids),
        "ratings": service.ratings(world, customers, served, ids),
        "leads": lead_facts,
        "messages": contacts.messages(world, customers, served, ids),
        "activities": contacts.activities(world, customers, ids),
        "points": invoices.points(world, customers, served, ids),
    }
    sold = pd.concat([served, back], ignore_index=True)
    all_lines = pd.concat([lines, back], ignore_index=True)
    history = History(
        orders=pd.DataFrame(
            {
                "order_id": sold["order_id"],
                "customer_id": ids[sold["customer"]],
                "date": world.dates(sold["day"]),
                "amount": sold["amount"],
                "margin": (sold["amount"] - sold["cost"]).round(2),
            }
        ),
        lines=all_lines.assign(category=all_lines["category"] + 1),
        customers=_known(world, customers, prospects, lead_facts, served),
        products=catalogue.products(world),
        facts={name: table[list(FACTS[name])] for name, table in facts.items()},
    )
    rises = catalogue.rises
    return Simulation(
        world=world,
        history=history,
        truth=_truth(world, customers, served, back),
        price_rises=pd.DataFrame(
            {
                "category": rises["category"],
                "announced": world.dates(rises["announced"]),
                "date": world.dates(rises["day"]),
                "percent": rises["percent"],
            }
        ),
        catalogue=catalogue,
        order_prices=pd.DataFrame(
            {"price": all_lines["price"], "cost": all_lines["cost"] / all_lines["quantity"]}
        ),
        documents=documents(world, served, back, billed),
    )


def _known(world, customers, prospects, lead_facts, served) -> pd.DataFrame:
    """Customers and prospects as the company's books have them."""
    table = customers.table
    names = np.array([each.name for each in FORMATS], dtype=object)
    known = table[["customer_id", "archived", "group_id", "has_tax_id", "credit_limit", "blocked"]]
    met = served.groupby("customer")["day"].min().reindex(range(len(table)))
    known = known.assign(format=names[table["format"]], first_seen=world.dates(met))
    strangers = pd.DataFrame(
        {
            "customer_id": prospects["customer_id"],
            "archived": False,
            "group_id": prospects["customer_id"],
            "has_tax_id": True,
            "credit_limit": np.nan,
            "blocked": False,
            "format": names[prospects["format"]],
            "first_seen": world.dates(prospects["first_seen"]),
        }
    )
    both = pd.concat([known, strangers], ignore_index=True)
    lead = lead_facts.groupby("customer_id")["known"].min().reindex(both["customer_id"]).to_numpy()
    both["first_seen"] = np.fmin(both["first_seen"].to_numpy(), lead)
    return both[both["first_seen"].notna()]


def _truth(world, customers, served, back) -> pd.DataFrame:
    of = customers.table
    n = len(of)
    cause = of["cause"].to_numpy()
    done = served[np.isfinite(served["delivered_day"])]

    def names(values, codes):
        return np.array([*values, None], dtype=object)[codes]

    def count(rows):
        return np.bincount(rows, minlength=n)

    last = served.groupby("customer")["day"].max().reindex(range(n))
    truth = pd.DataFrame(
        {
            "customer_id": of["customer_id"],
            "format": names([each.name for each in FORMATS], of["format"]),
            "value_type": names([each.name for each in VALUE_TYPES], of["value_type"]),
            "type_strength": of["type_strength"],
            "satisfaction": names(SATISFACTION, of["satisfaction"]),
            "start_date": world.dates(np.where(of["start"] > 0, of["start"], np.nan)),
            "leave_date": world.dates(of["leave"]),
            "lost_type": names(LOST_TYPES, cause),
            "anomaly_date": world.dates(of["anomaly_day"]),
            "anomaly_factor": of["anomaly_factor"],
            "gap_days": of["gap"],
            "gap_shape": of["shape"],
            "order_value": of["order_value"],
            "growth": of["growth"],
            "pays": names(("on_time", "late", "badly"), of["pays"]),
            "initiator": np.where(of["customer_initiates"], "customer", "us").astype(object),
            "salesperson_id": of["salesperson"] + 1,
            "orders": count(served["customer"]),
            "returns": count(back["customer"]),
            "late": count(done.loc[done["late"] > 0, "customer"]),
            "short": count(done.loc[done["short"], "customer"]),
            "last_order_date": world.dates(last),
        }
    )
    return truth[truth["orders"] > 0].reset_index(drop=True)
