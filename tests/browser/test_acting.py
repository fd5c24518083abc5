"""A manager says what each class is promised; a salesperson works by it; a win-back plan runs to its end."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from odoo_site import OdooSite
from playwright.sync_api import Page, expect


@pytest.fixture(scope="module")
def lost(site: OdooSite) -> Iterator[list[int]]:
    """Customers that a plan may win back; profiles and what the tests made come back."""
    main = site.seed["main"]
    customers = [
        partner
        for (partner,) in site.sql(
            "SELECT partner_id FROM crm_value_profile WHERE company_id = %s AND order_days > 4"
            " AND effective_value_class <> 'unprofitable' ORDER BY partner_id LIMIT 12",
            [main],
        )
    ]
    site.sql("DROP TABLE IF EXISTS kept_profiles")
    site.sql("CREATE TABLE kept_profiles AS SELECT * FROM crm_value_profile")
    site.sql(
        "UPDATE crm_value_profile SET effective_lifecycle_stage = 'retention', effective_churn_risk = 'low',"
        " burden = FALSE, last_contact_date = %s WHERE company_id = %s",
        [date.today() - timedelta(days=3), main],
    )
    site.sql(
        "UPDATE crm_value_profile SET effective_lifecycle_stage = 'lost', effective_lost_type = 'price_seeker'"
        " WHERE partner_id = ANY(%s)",
        [customers],
    )
    try:
        yield customers
    finally:
        site.sql("DELETE FROM crm_value_profile; INSERT INTO crm_value_profile SELECT * FROM kept_profiles")
        site.sql("DROP TABLE kept_profiles; DELETE FROM crm_value_winback")
        # Not by SQL: Odoo keeps in mind which there are.
        policies = [policy for (policy,) in site.sql("SELECT id FROM crm_value_service_policy")]
        site.call("crm.value.service.policy", "unlink", ids=policies)


def visit(page: Page, address: str, view: str = ".o_list_view") -> None:
    page.goto(address)
    page.wait_for_selector(view)


def test_service_policy_is_suggested_and_seen_on_customers_and_orders(
    page: Page, site: OdooSite, lost: list[int], screenshots: Path
) -> None:
    customer = site.value(
        "SELECT partner_id FROM crm_value_profile WHERE company_id = %s AND effective_value_class = 'key'"
        " AND effective_lifecycle_stage = 'retention' ORDER BY partner_id LIMIT 1",
        [site.seed["main"]],
    )
    visit(page, "/odoo/service-policy")
    page.click("button:has-text('Suggest for All Classes')")
    expect(page.locator(".o_data_row")).to_have_count(4)
    page.screenshot(path=screenshots / "service_policy.png")
    page.locator(".o_data_row").first.locator("[name=value_class]").click()
    page.wait_for_selector(".o_form_view")
    page.locator("[name=contact_days] input").fill("2")
    page.locator("[name=limits_discount] input").check()
    page.locator("[name=discount_ceiling] input").fill("5")
    page.locator("[name=privileges] textarea").fill("A person of its own")
    page.click(".o_form_button_save")
    expect(page.locator(".o_form_status_indicator_buttons.invisible")).to_be_attached()

    visit(page, f"/odoo/contacts/{customer}", "div[name=crm_value]")
    expect(page.locator("div[name=crm_value] [name=contact_due]")).to_be_visible()
    page.click(".o_notebook a[name=crm_value]")
    terms = page.locator("[name=service_terms]")
    expect(terms).to_contain_text("A contact at least every 2 days")
    expect(terms).to_contain_text("Discounts up to 5 %")
    expect(terms).to_contain_text("A person of its own")
    page.screenshot(path=screenshots / "service_terms.png")

    visit(page, "/odoo/customers-contacts-due")
    expect(page.locator(".o_data_row").first).to_contain_text("Yesterday")
    page.screenshot(path=screenshots / "contacts_due.png")

    order = site.value(
        "SELECT orders.id FROM sale_order orders JOIN sale_order_line line ON line.order_id = orders.id"
        " WHERE orders.partner_id = %s AND line.price_subtotal > 0 ORDER BY orders.id LIMIT 1",
        [customer],
    )
    line = site.value(
        "SELECT id FROM sale_order_line WHERE order_id = %s AND price_subtotal > 0"
        " ORDER BY price_subtotal DESC LIMIT 1",
        [order],
    )
    site.call("sale.order.line", "write", ids=[line], vals={"discount": 60})
    visit(page, f"/odoo/sales/{order}", ".o_form_view")
    notice = page.locator("[name=crm_value_discount]")
    expect(notice).to_contain_text("more than the 5 % of the service policy for Key (A)")
    page.screenshot(path=screenshots / "discount_notice.png")
    site.call("sale.order.line", "write", ids=[line], vals={"discount": 0})
    page.reload()
    page.wait_for_selector(".o_form_view [name=value_segment]")
    expect(notice).not_to_be_visible()


def test_win_back_plan(page: Page, site: OdooSite, lost: list[int], screenshots: Path) -> None:
    visit(page, "/odoo/win-back-plans/new", ".o_form_view")
    page.locator("[name=name] input").fill("Spring")
    page.click("button[name=action_fill]")
    expect(page.locator(".modal-body")).to_contain_text("With a budget of nothing nobody can be contacted")
    page.click(".modal-footer .btn-primary")
    page.locator("[name=budget] input").fill("1000")
    page.locator("[name=contact_cost] input").fill("0.01")
    # So that among so few there are some of either lot.
    page.locator("[name=control_share] input").fill("50")
    page.click("button[name=action_fill]")
    rows = page.locator("[name=line_ids] .o_data_row")
    expect(rows.first).to_contain_text("Offer one fair price for a trial order")
    expect(rows).to_have_count(len(lost))
    page.screenshot(path=screenshots / "winback_draft.png")
    page.click("button[name=action_start]")
    page.click(".modal-footer .btn-primary")
    expect(page.locator(".o_arrow_button_current")).to_have_text("Running")
    plan = int(page.url.rsplit("/", 1)[1].split("?")[0])
    acted = site.value(
        "SELECT count(*) FROM crm_value_winback_line WHERE plan_id = %s AND arm = 'act'", [plan]
    )
    page.click("button[name=action_open_customers]")
    expect(page.locator(".o_list_view .o_data_row")).to_have_count(acted)
    expect(page.locator(".o_breadcrumb .active, .o_last_breadcrumb_item")).to_contain_text("Spring")
    page.locator(".o_breadcrumb a", has_text="Spring").first.click()
    page.click("button[name=action_stop]")
    page.click(".modal-footer .btn-primary")
    expect(page.locator("[name=result_text]")).to_contain_text("may be chance")
    expect(page.locator("[name=result_text]")).to_contain_text("small numbers")
    page.screenshot(path=screenshots / "winback_over.png")
