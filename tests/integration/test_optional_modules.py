"""Every dataset, from the modules it comes from to the worker's history."""

import numpy as np
import pandas as pd
import pytest
from odoo_site import OdooSite, Worker

from sync_worker.config import Settings
from sync_worker.handshake import describe
from sync_worker.history.facts import FACTS, STANDING
from sync_worker.history.odoo import read_history
from sync_worker.history.schema import History
from sync_worker.transport import connect


@pytest.fixture(scope="module", params=["json2", "odoorpc"])
def read(request, site: OdooSite, tmp_path_factory) -> tuple[History, dict[str, int]]:
    """The history of the database with all modules, and what the seed made there."""
    seed = site.seeds["modules"]
    settings = Settings(
        url=site.url,
        database="modules",
        api_key=seed["key"],
        login="sync",
        transport=request.param,
        state_directory=tmp_path_factory.mktemp("state"),
    )
    transport = connect(settings)
    try:
        offered = describe(settings, transport)["datasets"]
        history = read_history(
            [transport], seed["main"], offered=offered, page_rows=1000, show=lambda *_: None
        )
    finally:
        transport.close()
    return history, seed


def row(table: pd.DataFrame) -> dict:
    """The only row of a table; days as text, what is missing as None."""
    [values] = table.to_dict("records")
    return {
        name: f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else (None if pd.isna(value) else value)
        for name, value in values.items()
    }


def test_every_dataset_is_there(read):
    history, _seed = read
    assert set(history.facts) == set(FACTS)
    assert {name for name, table in history.facts.items() if table.empty} == set()
    assert set(STANDING) <= set(history.customers)


def test_invoices_and_payments(read):
    history, seed = read
    assert row(history.facts["invoices"]) == {
        "invoice_id": seed["invoice"],
        "customer_id": seed["customer"],
        "known": "2026-01-21",
        "date": "2026-01-21",
        "due": "2026-02-20",
        "amount": 100,
        "total": 100,
    }
    payment = row(history.facts["payments"])
    del payment["payment_id"]
    assert payment == {
        "invoice_id": seed["invoice"],
        "customer_id": seed["customer"],
        "known": "2026-03-01",
        "amount": 100,
    }


def test_deliveries_and_returns(read):
    history, seed = read
    deliveries = history.facts["deliveries"].set_index("delivery_id")
    shipped, returned = deliveries.loc[seed["delivery"]], deliveries.loc[seed["returned"]]
    assert (shipped["order_id"], shipped["customer_id"]) == (seed["sold"], seed["customer"])
    assert [f"{shipped[name]:%Y-%m-%d}" for name in ("promised", "known")] == ["2026-01-18", "2026-01-20"]
    assert (shipped["demanded"], shipped["delivered"], shipped["is_return"]) == (2, 2, False)
    assert (returned["delivered"], returned["is_return"]) == (1, True)
    assert pd.isna(returned["promised"])


def test_orders_of_all_counters_and_what_is_known_of_them(read):
    history, seed = read
    orders = history.orders.set_index("order_id")
    assert orders["amount"].to_dict() == {seed["sold"]: 100, -seed["counter"]: 75}
    assert orders["customer_id"].to_dict() == {
        seed["sold"]: seed["customer"],
        -seed["counter"]: seed["walk_in"],
    }
    assert orders.loc[seed["sold"], "margin"] == 40
    assert np.isnan(orders.loc[-seed["counter"], "margin"])
    assert set(history.lines["product_id"]) == {seed["product"]}
    details = history.facts["order_details"].set_index("order_id")
    assert details["channel"].to_dict() == {
        seed["sold"]: "salesperson",
        -seed["counter"]: "point_of_sale",
    }
    assert details.loc[seed["sold"], ["salesperson_id", "quoted", "invoiced"]].tolist() == [
        seed["seller"],
        100,
        100,
    ]
    assert row(history.facts["quotations"]) == {
        "quotation_id": seed["quotation"],
        "customer_id": seed["customer"],
        "known": "2026-01-15",
        "amount": 100,
        "outcome": "open",
    }


def test_sales_counted_from_invoices(site: OdooSite, tmp_path):
    """The sales order gives way to its invoice, and keeps its margin; the counter stays."""
    seed = site.seeds["modules"]
    settings = Settings(
        url=site.url, database="modules", api_key=seed["key"], login="sync", state_directory=tmp_path
    )
    transport = connect(settings)
    try:
        offered = describe(settings, transport)["datasets"]
        history = read_history(
            [transport], seed["main"], offered=offered, page_rows=1000, show=lambda *_: None, sales="invoices"
        )
    finally:
        transport.close()
    orders = history.orders.set_index("order_id")
    assert orders["amount"].to_dict() == {seed["invoice"]: 100, -seed["counter"]: 75}
    assert f"{orders.loc[seed['invoice'], 'date']:%Y-%m-%d}" == "2026-01-21"
    assert orders.loc[seed["invoice"], "margin"] == 40
    assert set(history.lines["order_id"]) == {seed["invoice"], -seed["counter"]}
    assert history.lines.set_index("order_id").loc[seed["invoice"], "quantity"] == 2
    assert set(history.facts["deliveries"]["order_id"]) == {seed["sold"]}


def test_contacts(read):
    history, seed = read
    assert row(history.facts["leads"]) == {
        "lead_id": seed["lead"],
        "customer_id": seed["customer"],
        "known": "2026-02-01",
        "closed": "2026-02-10",
        "outcome": "lost",
        "lost_type": "price_seeker",
        "source_id": None,
        "expected_revenue": 500,
    }
    assert row(history.facts["messages"]) == {
        "message_id": seed["message"],
        "customer_id": seed["customer"],
        "known": "2026-01-27",
        "hours": (pd.Timestamp("2026-01-27 06:30") - pd.Timestamp(0)).total_seconds() / 3600,
        "direction": "in",
    }
    assert row(history.facts["activities"]) == {
        "activity_id": seed["activity"],
        "customer_id": seed["customer"],
        "known": "2026-01-29",
        "due": "2026-01-28",
        "kind": "phonecall",
    }


def test_ratings_and_points(read):
    history, seed = read
    assert row(history.facts["ratings"]) == {
        "rating_id": seed["rating"],
        "customer_id": seed["customer"],
        "known": "2026-01-26",
        "rating": 2,
    }
    assert row(history.facts["points"]) == {
        "points_id": seed["points"],
        "customer_id": seed["customer"],
        "known": "2026-01-16",
        "card_id": seed["card"],
        "issued": 10,
        "used": 4,
    }


def test_standing_and_products(read):
    history, seed = read
    customers = history.customers.set_index("customer_id")
    assert customers["group_id"].to_dict() == {
        seed["customer"]: seed["group"],
        seed["walk_in"]: seed["walk_in"],
    }
    assert customers["has_tax_id"].to_dict() == {seed["customer"]: True, seed["walk_in"]: False}
    assert f"{customers.loc[seed['walk_in'], 'first_seen']:%Y-%m-%d}" == "2026-01-17"
    product = history.products.set_index("product_id").loc[seed["product"]]
    assert (product["category"], f"{product['introduced']:%Y-%m-%d}") == (seed["category"], "2025-12-24")


@pytest.mark.parametrize("transport", ["json2", "odoorpc"])
def test_a_run_scores_customers_of_the_counter_too(site: OdooSite, tmp_path, transport: str):
    seed = site.seeds["modules"]
    worker = Worker(
        site, tmp_path, database="modules", api_key=seed["key"], transport=transport, login="sync"
    )
    done = worker.run("run", "--json")
    assert done.code == 0, done
    scored = site.sql(
        "SELECT partner_id, order_days FROM crm_value_profile ORDER BY partner_id", database="modules"
    )
    assert scored == sorted([(seed["customer"], 1), (seed["walk_in"], 1)])
    reasons = site.sql(
        "SELECT jsonb_array_elements(reasons) -> 'record_ids' FROM crm_value_profile", database="modules"
    )
    numbers = [number for [ids] in reasons for number in ids or []]
    assert numbers
    assert min(numbers) > 0


def test_check_tells_what_is_offered(site: OdooSite, tmp_path):
    done = Worker(site, tmp_path, database="modules", api_key=site.seeds["modules"]["key"]).run("check")
    assert done.code == 0, done
    assert "pos_orders" in done.out
    assert "deliveries" in done.out
