"""A whole run of a company that has no sales orders: its policy counts sales from invoices."""

import json
from datetime import date

import pytest
from odoo_site import OdooSite, Worker


@pytest.fixture(scope="module")
def seed(site: OdooSite) -> dict:
    return site.seeds["invoicing"]


@pytest.fixture
def worker(site: OdooSite, tmp_path) -> Worker:
    return Worker(site, tmp_path, database="invoicing")


def test_check_says_what_sales_are_counted_from(worker: Worker):
    done = worker.run("check")
    assert done.code == 0, done
    [line] = [line for line in done.out.splitlines() if "Invoicing Company" in line and "sales: " in line]
    assert "sales: posted invoices" in line
    assert "sales: confirmed orders" in done.out


def test_a_company_that_only_invoices_is_scored(worker: Worker, site: OdooSite, seed: dict):
    done = worker.run("run", "--json", "--company", str(seed["company"]))
    assert done.code == 0, done
    [run] = done.json["runs"]
    assert (run["state"], run["customers"], run["refused"]) == ("done", seed["customers"], {})
    assert site.sql(
        "SELECT count(*) FROM sale_order WHERE company_id = %s", [seed["company"]], database="invoicing"
    ) == [(0,)]
    profiles = site.sql(
        "SELECT partner_id, current_value, order_days, last_order_date, reasons FROM crm_value_profile"
        " WHERE company_id = %s",
        [seed["company"]],
        database="invoicing",
    )
    [(value, days, last)] = [row[1:4] for row in profiles if row[0] == seed["by_hand"]]
    # 100 less 30 given back, and 100 at a rate of 2; the draft is none
    assert (float(value), days, last) == (120, 2, date.fromisoformat(seed["last"]))
    owners = dict(
        site.sql(
            "SELECT id, partner_id FROM account_move WHERE company_id = %s",
            [seed["company"]],
            database="invoicing",
        )
    )
    shown = [
        (partner, each["code"], each["model"], number)
        for partner, *_, reasons in profiles
        for each in (json.loads(reasons) if isinstance(reasons, str) else reasons)
        for number in each["record_ids"]
    ]
    assert {model for _, _, model, _ in shown} == {"account.move"}
    assert all(owners[number] == partner for partner, _, _, number in shown)
    assert (seed["by_hand"], "returns_cost", "account.move", seed["credit_note"]) in shown


def test_a_back_test_reads_the_invoices_too(worker: Worker, seed: dict):
    done = worker.run("backtest", "--company", str(seed["company"]), "--json")
    assert done.code == 0, done
    assert done.json["grades"][0]["customers"] is None or done.json["grades"][0]["customers"] > 0
    assert "no order" not in done.err
