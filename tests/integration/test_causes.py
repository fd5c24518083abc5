"""Why a label changed, from what happened in Odoo to the history of the customer."""

from collections.abc import Iterator

import pytest
from odoo_site import OdooSite, Worker


@pytest.fixture
def customer(odoo: OdooSite) -> Iterator[int]:
    """A customer with a year of orders, all as they were again afterwards."""
    customer = odoo.seed["customers"]["customer_003"]
    yield customer
    for table, column in (("sale_order", "partner_id"), ("sale_order_line", "order_partner_id")):
        odoo.sql(f"UPDATE {table} SET state = 'sale' WHERE {column} = %s", [customer])


def changes(odoo: OdooSite) -> dict[str, set[int]]:
    """The customers that the newest run relabelled, by cause."""
    rows = odoo.sql(
        "SELECT cause, array_agg(partner_id) FROM crm_value_history WHERE run_id = (SELECT max(id)"
        " FROM crm_value_run) AND company_id = %s GROUP BY cause",
        [odoo.seed["main"]],
    )
    return {cause: set(partners) for cause, partners in rows}


def test_old_orders_cancelled_in_odoo_are_a_correction_of_the_data(
    worker: Worker, odoo: OdooSite, customer: int
):
    main = str(odoo.seed["main"])
    first = worker.run("run", "--company", main, "--json")
    assert first.code == 0, first
    assert set(changes(odoo)) == {"behaviour"}
    orders = [
        order
        for (order,) in odoo.sql(
            "SELECT id FROM sale_order WHERE partner_id = %s AND state = 'sale' ORDER BY date_order",
            [customer],
        )
    ]
    assert len(orders) > 3
    odoo.call("sale.order", "action_cancel", ids=orders[:-1])
    again = worker.run("run", "--company", main, "--json")
    assert again.code == 0, again
    found = changes(odoo)
    assert found["data"] == {customer}
    ended = odoo.value(
        "SELECT count(*) FROM crm_value_history WHERE partner_id = %s AND valid_to IS NOT NULL", [customer]
    )
    assert ended == 1
    # which the next run knows
    third = worker.run("run", "--company", main, "--json")
    assert third.json["runs"][0]["counts"]["updated"] == 0, third


def test_a_worker_that_keeps_nothing_of_the_last_run_says_so(worker: Worker, odoo: OdooSite, tmp_path):
    main = str(odoo.seed["main"])
    assert worker.run("run", "--company", main).code == 0
    other = worker.run("run", "--company", main, "--json", state_directory=tmp_path / "elsewhere")
    assert other.code == 0, other
    (warning,) = [w for w in other.json["runs"][0]["warnings"] if "not kept" in w]
    assert "counts as behaviour" in warning
    assert warning in odoo.value("SELECT warnings FROM crm_value_run ORDER BY id DESC LIMIT 1")
