"""The whole loop over both protocols: from orders in Odoo to profiles in Odoo."""

import json
from datetime import date

import pytest
from odoo_site import OdooSite, Worker


def profile(odoo: OdooSite, ref: str, *columns: str):
    rows = odoo.sql(
        f"SELECT {', '.join(columns)} FROM crm_value_profile profile JOIN res_partner partner"
        " ON partner.id = profile.partner_id WHERE partner.ref = %s AND profile.company_id = %s",
        [ref, odoo.seed["main"]],
    )
    return rows[0] if rows else None


def test_run_scores_every_company_and_says_so(either: Worker, odoo: OdooSite):
    done = either.run("run")
    assert done.code == 0, done
    assert "Main Company" in done.out
    assert "Empty Company: No customer is known by" in done.out
    assert (
        odoo.value("SELECT count(*) FROM crm_value_profile WHERE company_id = %s", [odoo.seed["main"]])
        == odoo.customers()
    )
    assert (
        odoo.value("SELECT count(*) FROM crm_value_profile WHERE company_id <> %s", [odoo.seed["main"]]) == 0
    )
    assert odoo.value("SELECT count(*) FROM crm_value_staging") == 0
    assert odoo.sql("SELECT DISTINCT state FROM crm_value_run") == [("done",)]
    assert odoo.value("SELECT count(*) FROM crm_value_profile WHERE computed_value_class = 'key'") > 0


def test_json_for_machines(either: Worker, odoo: OdooSite):
    done = either.run("run", "--json", "--company", str(odoo.seed["main"]))
    assert done.code == 0, done
    [run] = done.json["runs"]
    assert done.json["exit_code"] == 0
    count = odoo.customers()
    assert (run["state"], run["company_id"], run["customers"]) == ("done", odoo.seed["main"], count)
    assert run["counts"] == {"inserted": count, "updated": 0, "unchanged": 0, "retired": 0, "refused": 0}
    assert run["result"]["customers"] == count
    again = either.run("run", "--json", "--company", str(odoo.seed["main"])).json["runs"][0]
    assert again["counts"] == {"inserted": 0, "updated": 0, "unchanged": count, "retired": 0, "refused": 0}


def test_backtest_reads_a_company_and_writes_nothing(either: Worker, odoo: OdooSite, tmp_path):
    page = tmp_path / "report.html"
    done = either.run("backtest", "--company", str(odoo.seed["main"]), "--json", "--html", str(page))
    assert done.code == 0, done
    assert done.json["grades"][0]["format"] is None
    assert "Main Company" in page.read_text(encoding="utf-8")
    assert odoo.value("SELECT count(*) FROM crm_value_run") == 0
    assert odoo.value("SELECT count(*) FROM crm_value_staging") == 0


def test_both_protocols_publish_the_same(odoo: OdooSite, tmp_path):
    found = {}
    for transport in ("json2", "odoorpc"):
        odoo.reset()
        assert Worker(odoo, tmp_path, transport=transport, login="sync").run("run").code == 0
        found[transport] = odoo.sql(
            "SELECT partner_id, computed_value_class, computed_churn_risk, churn_probability, lifetime_value,"
            " expected_next_order, reasons FROM crm_value_profile ORDER BY partner_id"
        )
    assert found["json2"] == found["odoorpc"]
    assert len(found["json2"]) == odoo.customers()


@pytest.mark.parametrize(
    ("ref", "current", "order_days"),
    [
        ("currency", 50.0, 1),  # 100 at a rate of 2
        ("zero", 50.0, 1),  # nothing was bought on the other day
        ("negative", 60.0, 1),  # a return is subtracted and is no purchase
        ("cancelled", 10.0, 1),
        ("future", 10.0, 1),
    ],
)
def test_amounts_of_odd_orders(shared_run: OdooSite, ref: str, current: float, order_days: int):
    value, days, probability = profile(shared_run, ref, "current_value", "order_days", "churn_probability")
    assert (float(value), days) == (current, order_days)
    assert 0 <= probability <= 1


def test_days_are_those_of_the_company(shared_run: OdooSite):
    # Confirmed at 23:30 UTC on the 10th: the 11th in Paris.
    assert profile(shared_run, "midnight", "last_order_date") == (date(2026, 1, 11),)


def test_orders_of_contacts_belong_to_their_company(shared_run: OdooSite):
    contact = shared_run.seed["contact"]
    assert shared_run.value("SELECT count(*) FROM sale_order WHERE partner_id = %s", [contact]) > 0
    assert shared_run.sql("SELECT 1 FROM crm_value_profile WHERE partner_id = %s", [contact]) == []
    ordered = shared_run.value(
        "SELECT count(DISTINCT date_order::date) FROM sale_order"
        " WHERE partner_id IN (%s, %s) AND amount_untaxed > 0",
        [contact, shared_run.seed["customers"]["customer_000"]],
    )
    assert profile(shared_run, "customer_000", "order_days") == (ordered,)


def test_reasons_arrive_as_data(shared_run: OdooSite):
    [reasons] = profile(shared_run, "customer_001", "reasons")
    reasons = json.loads(reasons) if isinstance(reasons, str) else reasons
    assert reasons
    assert {"code", "direction", "contribution", "params"} <= set(reasons[0])


@pytest.fixture(scope="module")
def shared_run(site: OdooSite, tmp_path_factory: pytest.TempPathFactory) -> OdooSite:
    """One finished run for the tests that only look."""
    site.reset()
    done = Worker(site, tmp_path_factory.mktemp("worker")).run("run")
    assert done.code == 0, done
    return site


def test_policy_of_the_company_decides(worker: Worker, odoo: OdooSite):
    main = odoo.seed["main"]
    rules = [{"key": "risk_medium_from", "value": 0.01}, {"key": "risk_high_from", "value": 0.02}]
    versions = "crm.value.policy.version"
    [version] = odoo.call(
        versions, "create", vals_list=[{"company_id": main, "rule_ids": [[0, 0, rule] for rule in rules]}]
    )
    odoo.call(versions, "action_activate", ids=[version])
    try:
        assert worker.run("run", "--company", str(main)).code == 0
        risks = odoo.sql(
            "SELECT DISTINCT computed_churn_risk FROM crm_value_profile WHERE churn_probability > 0.02"
        )
        assert risks == [("high",)]
        assert odoo.value("SELECT policy_version_id FROM crm_value_run ORDER BY id DESC LIMIT 1") == version
    finally:
        odoo.reset()
        odoo.sql("DELETE FROM crm_value_policy_rule; DELETE FROM crm_value_policy_version")


def test_a_company_with_quotations_only_has_prospects(worker: Worker, odoo: OdooSite):
    main = odoo.seed["main"]
    assert worker.run("run", "--company", str(main)).code == 0
    odoo.sql("UPDATE sale_order SET state = 'draft' WHERE state = 'sale' AND company_id = %s", [main])
    try:
        done = worker.run("run", "--company", str(main))
        assert done.code == 0, done
        assert "all are prospects" in done.out
        labels = odoo.sql("SELECT DISTINCT computed_value_segment, churn_probability FROM crm_value_profile")
        assert labels == [("prospect", None)]
    finally:
        odoo.sql("UPDATE sale_order SET state = 'sale' WHERE state = 'draft' AND company_id = %s", [main])


def test_unknown_company_is_named(worker: Worker, odoo: OdooSite):
    done = worker.run("run", "--company", str(odoo.seed["foreign"]))
    assert done.code == 2, done
    assert f"may not score company {odoo.seed['foreign']}" in done.err
    assert "Main Company" in done.err
