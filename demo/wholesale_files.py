"""The second company's CSV files: a simulated wholesaler, whose truth is known (docs/history.md)."""

from pathlib import Path

import numpy as np
import pandas as pd

from simulator import Simulation, World
from simulator.world import FORMATS

#: Ends a day after the households' year, so that moving both by the same weeks keeps both fresh.
WORLD = World(seed=2017, customers=500, days=913, end="2018-01-01")
COMPANY = 2
#: Numbers of the simulation are moved by so much, away from those of the households and their products.
APART = 10_000
IN_DOLLARS = 0.08
#: Customers who are also customers of the first company.
SHARED = 8
# fmt: off
CATEGORIES = (
    "Coffee", "Tea", "Milk and Cream", "Flour and Grain", "Oil and Vinegar", "Sugar and Syrup", "Rice", "Pasta",
    "Cleaning", "Paper Goods", "Tableware", "Kitchen Tools", "Chocolate", "Biscuits", "Juice", "Water",
    "Wine", "Beer", "Cheese", "Ham and Sausage", "Spices", "Preserves", "Frozen Bakery", "Ice Cream",
)
# fmt: on
LINES = ("Value", "Basic", "Classic", "Select", "Reserve")
# fmt: off
TOWNS = [
    "Amiens", "Angers", "Arles", "Arras", "Bastia", "Bayonne", "Beaune", "Blois", "Bourges", "Brest", "Caen",
    "Calais", "Cannes", "Colmar", "Dieppe", "Dijon", "Dinan", "Evreux", "Gap", "Laon", "Laval", "Lens",
    "Lille", "Lorient", "Lyon", "Macon", "Metz", "Nancy", "Nantes", "Nevers", "Nice", "Nimes", "Niort",
    "Orange", "Pau", "Poitiers", "Quimper", "Redon", "Reims", "Rennes", "Rodez", "Rouen", "Sens", "Sete",
    "Toul", "Toulon", "Tours", "Troyes", "Valence", "Vannes", "Vichy",
]
# fmt: on
KINDS = {
    "chain": ("Market Hall", "City Stores", "Family Centre"),
    "catering": ("Bistro", "Café", "Hotel", "Canteen", "Brasserie", "Theatre Bar"),
    "grocery": ("Corner Shop", "Delicatessen", "Farm Shop", "Village Store", "Fruit and More"),
    "wholesale": ("Trade Depot", "Cash and Carry", "Food Service"),
    "other": ("Offices", "Clinic", "School", "Workshop", "Printers", "Sports Club"),
}


def write(out: Path, households: pd.DataFrame, simulation: Simulation) -> dict[str, pd.DataFrame]:
    """Writes `wholesale_*.csv` and `truth.csv`. Answers baskets and items to join those of the households, as
    `{"orders": ..., "lines": ...}`.

    `households` are the rows of customers.csv.
    """
    customers = _customers(simulation, households)
    customers.to_csv(out / "wholesale_customers.csv", index=False)
    truth = simulation.truth
    refs = customers.set_index("customer")["ref"]
    truth.insert(1, "ref", (APART + truth["customer_id"]).map(refs))
    truth.to_csv(out / "truth.csv", index=False)
    orders = _orders(simulation)
    _facts(simulation, orders, out)
    _products(simulation).to_csv(out / "wholesale_products.csv", index=False)
    return {
        "orders": orders[["basket", "customer", "company", "transaction_timestamp"]],
        "lines": _lines(simulation),
    }


def moment(days: pd.Series, first: int, last: int, rng: np.random.Generator) -> pd.Series:
    """A second of each day between two hours, UTC."""
    return days + pd.to_timedelta(rng.integers(first * 3600, last * 3600, len(days)), unit="s")


def _customers(simulation: Simulation, households: pd.DataFrame) -> pd.DataFrame:
    """Customers and prospects with what Odoo is to know of them. `household`: the customer of the first company that
    it is too.
    """
    rng = np.random.default_rng(WORLD.seed)
    known = simulation.history.customers
    truth = simulation.truth.set_index("customer_id").reindex(known["customer_id"])
    names, used = [], set()
    for form in known["format"]:
        free = [f"{kind} {town}" for kind in KINDS[form] for town in TOWNS if f"{kind} {town}" not in used]
        names.append(free[rng.integers(len(free))])
        used.add(names[-1])
    table = pd.DataFrame(
        {
            "customer": APART + known["customer_id"],
            "name": names,
            "format": known["format"],
            "group": APART + known["group_id"],
            "salesperson": truth["salesperson_id"].fillna(1).astype(int).to_numpy(),
            "has_tax_id": known["has_tax_id"],
            "credit_limit": known["credit_limit"].astype(float),
            "blocked": known["blocked"],
            "archived": known["archived"],
            "in_dollars": rng.random(len(known)) < IN_DOLLARS,
            "terms": known["format"].map({each.name: each.terms for each in FORMATS}),
            "household": 0,
        }
    )
    table["ref"] = "W" + known["customer_id"].astype(str)
    # Sam does not work for the second company.
    firms = households[(households["kind"] == "company") & (households["seller"] != "sam")]
    firms = firms["customer"].head(SHARED)
    active = table.index[(table["group"] == table["customer"]) & ~table["archived"]][: len(firms)]
    table.loc[active, "household"] = firms.to_numpy()[: len(active)]
    table.loc[active, "in_dollars"] = False
    table.loc[active, "ref"] = [f"CJ{number:04d}" for number in firms[: len(active)]]
    return table


def _products(simulation: Simulation) -> pd.DataFrame:
    catalogue, history = simulation.catalogue, simulation.history
    category, line, generation = np.nonzero(catalogue.product_id)
    index, cost_index = catalogue.index[category, -1], catalogue.cost_index[category, -1]
    return pd.DataFrame(
        {
            "product": APART + catalogue.product_id[category, line, generation],
            "product_category": np.array(CATEGORIES, dtype=object)[category],
            "name": [
                f"{CATEGORIES[c]} {LINES[tier]} {chr(65 + number)}"
                for c, tier, number in zip(category, line, generation, strict=True)
            ],
            "list_price": (catalogue.price[category, line, generation] * index).round(2),
            "cost": (catalogue.cost[category, line, generation] * cost_index).round(2),
            "introduced": history.products["introduced"].to_numpy(),
            "taxed": True,
        }
    )


def _orders(simulation: Simulation) -> pd.DataFrame:
    """Baskets, returns among them, with negative numbers so that they are nobody else's."""
    orders = simulation.history.orders
    rng = np.random.default_rng(WORLD.seed + 1)
    return pd.DataFrame(
        {
            "basket": -orders["order_id"],
            "customer": APART + orders["customer_id"],
            "company": COMPANY,
            # eight to five in the zone of the first shop, which `orders.py` makes that of this one
            "transaction_timestamp": moment(orders["date"], 13, 21, rng),
        }
    )


def _lines(simulation: Simulation) -> pd.DataFrame:
    lines = simulation.history.lines
    return pd.DataFrame(
        {
            "basket": -lines["order_id"],
            "product": APART + lines["product_id"],
            "quantity": lines["quantity"],
            "price_unit": simulation.order_prices["price"],
            "discount": lines["discount"],
            "cost": simulation.order_prices["cost"].round(2),
        }
    )


def _facts(simulation: Simulation, orders: pd.DataFrame, out: Path) -> None:
    facts = {
        name: table.assign(customer=APART + table["customer_id"])
        for name, table in simulation.history.facts.items()
    }
    rng = np.random.default_rng(WORLD.seed + 2)
    leads, messages, quotations = facts["leads"], facts["messages"], facts["quotations"]
    tables = {
        "leads": leads.assign(
            known=moment(leads["known"], 8, 11, rng), closed=moment(leads["closed"], 12, 16, rng)
        )[["customer", "known", "closed", "outcome", "lost_type", "source_id", "expected_revenue"]],
        "messages": messages.assign(moment=pd.to_datetime(messages["hours"] * 3600, unit="s").dt.floor("s"))[
            ["customer", "direction", "moment"]
        ],
        "activities": facts["activities"][["customer", "known", "due", "kind"]],
        "quotations": quotations.assign(known=moment(quotations["known"], 8, 16, rng))[
            ["customer", "known", "amount", "outcome"]
        ],
        "ratings": _ratings(
            facts["ratings"], orders[simulation.history.orders["amount"].to_numpy() > 0], rng
        ),
    }
    for name, table in tables.items():
        table.to_csv(out / f"wholesale_{name}.csv", index=False)


def _ratings(ratings: pd.DataFrame, sold: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Each with the customer's last order before it."""
    sold = sold.rename(columns={"transaction_timestamp": "known"})[["known", "customer", "basket"]]
    ratings = ratings.assign(known=ratings["known"].astype(sold["known"].dtype))
    rated = pd.merge_asof(ratings.sort_values("known"), sold.sort_values("known"), on="known", by="customer")
    return rated.assign(known=moment(rated["known"], 8, 16, rng))[["customer", "basket", "known", "rating"]]
