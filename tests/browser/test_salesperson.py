"""What a salesperson and a manager see and do, in the real web client."""

import re
from pathlib import Path

from odoo_site import OdooSite
from playwright.sync_api import Page, expect

CONTACTS = "/odoo/action-contacts.action_contacts?view_type=list"


def profile_count(site: OdooSite, condition: str) -> int:
    return site.value(
        "SELECT count(*) FROM crm_value_profile profile JOIN res_partner partner"
        " ON partner.commercial_partner_id = profile.partner_id AND partner.active"
        f" WHERE profile.company_id = %s AND {condition}",
        [site.seed["main"]],
    )


def choose_filter(page: Page, name: str) -> None:
    page.click(".o_searchview_dropdown_toggler")
    page.click(f".o_search_bar_menu .o-dropdown-item:text-is('{name}')")
    page.keyboard.press("Escape")
    expect(page.locator(".o_facet_value")).to_contain_text([name])


def test_partner_form_says_who_this_is_and_why(page: Page, site: OdooSite, screenshots: Path) -> None:
    partner = site.value(
        "SELECT partner_id FROM crm_value_profile WHERE company_id = %s AND effective_value_class = 'key'"
        " AND effective_churn_risk IS NOT NULL ORDER BY lifetime_value DESC LIMIT 1",
        [site.seed["main"]],
    )
    page.goto(f"/odoo/contacts/{partner}")
    panel = page.locator("div[name=crm_value]")
    expect(panel).to_be_visible()
    expect(panel.locator("[name=value_class]")).to_have_text("Key (A)")
    expect(panel.locator("[name=churn_probability]")).to_have_text(re.compile(r"^\d+%$"))
    for name in (
        "value_segment",
        "loyalty_stage",
        "lifecycle_stage",
        "lifetime_value",
        "value_page",
        "scored_at",
    ):
        expect(panel.locator(f"[name={name}]").first).not_to_be_empty()
    page.screenshot(path=screenshots / "partner_form.png")


def test_contact_of_a_customer_shows_the_customers_value(page: Page, site: OdooSite) -> None:
    page.goto(f"/odoo/contacts/{site.seed['contact']}")
    expect(page.locator("div[name=crm_value] [name=value_segment]")).not_to_be_empty()


def test_list_filters_by_class(page: Page, site: OdooSite, screenshots: Path) -> None:
    page.goto(CONTACTS)
    page.wait_for_selector(".o_list_table")
    choose_filter(page, "Key customers")
    keys = profile_count(site, "profile.effective_value_class = 'key'")
    expect(page.locator(".o_pager_limit")).to_have_text(str(keys))
    page.screenshot(path=screenshots / "partner_list_key.png")


def test_list_groups_by_risk_in_the_order_people_read(page: Page, site: OdooSite, screenshots: Path) -> None:
    page.goto(CONTACTS)
    page.wait_for_selector(".o_list_table")
    choose_filter(page, "Churn Risk")
    groups = page.locator(".o_group_header .o_group_name")
    expect(groups.first).to_be_visible()
    counts = dict(re.findall(r"(Low|Medium|High|Not scored)\s*\((\d+)\)", " ".join(groups.all_inner_texts())))
    for risk in ("low", "medium", "high"):
        expected = profile_count(site, f"profile.effective_churn_risk = '{risk}'")
        assert int(counts.get(risk.capitalize(), 0)) == expected
    page.screenshot(path=screenshots / "partner_list_by_risk.png")


def test_list_sorts_by_segment_on_a_click(page: Page) -> None:
    page.goto(CONTACTS)
    page.click("th[data-name=value_segment]")
    first = page.locator(".o_data_row [name=value_segment]").first
    expect(first).to_have_text(re.compile("Key"))


def test_sales_order_shows_class_and_risk(page: Page, site: OdooSite, screenshots: Path) -> None:
    order = site.value(
        "SELECT o.id FROM sale_order o JOIN crm_value_profile p ON p.partner_id = o.partner_id"
        " AND p.company_id = o.company_id WHERE p.effective_churn_risk IS NOT NULL AND o.state = 'sale' LIMIT 1"
    )
    page.goto(f"/odoo/action-sale.action_orders/{order}")
    expect(page.locator(".o_form_view [name=value_class]").first).not_to_be_empty()
    expect(page.locator(".o_form_view [name=churn_risk]").first).to_have_text(re.compile("Low|Medium|High"))
    page.screenshot(path=screenshots / "sale_order.png")


def test_sales_analysis_by_value_class(page: Page, screenshots: Path) -> None:
    page.goto("/odoo/action-sale.action_order_report_all")
    page.wait_for_selector(".o_graph_view, .o_pivot_view")
    page.click(".o_switch_view.o_pivot")
    page.wait_for_selector(".o_pivot table")
    choose_filter(page, "Value Class")
    expect(page.locator(".o_pivot table")).to_contain_text("Key (A)")
    page.screenshot(path=screenshots / "sales_analysis.png")


def test_manager_requests_a_run(page: Page, site: OdooSite, screenshots: Path) -> None:
    page.goto("/odoo/action-crm_value_addon.crm_value_run_action")
    page.wait_for_selector(".o_list_table")
    page.click("button:has-text('Score Now')")
    expect(page.locator(".o_notification")).to_contain_text("is requested")
    assert site.run_row()["state"] == "requested"
    page.screenshot(path=screenshots / "runs.png")


def test_app_is_in_the_apps_list_with_a_description(page: Page, screenshots: Path) -> None:
    page.goto("/odoo/apps")
    page.wait_for_selector(".o_kanban_view, .o_modules_kanban")
    page.fill(".o_searchview_input", "Customer Value")
    page.keyboard.press("Enter")
    expect(
        page.locator(
            ".o_kanban_record:has-text('crm_value_addon'), .o_kanban_record:has-text('Customer Value')"
        ).first
    ).to_be_visible()
    page.screenshot(path=screenshots / "apps.png")


def test_customers_in_a_pivot(page: Page, screenshots: Path) -> None:
    page.goto("/odoo/action-crm_value_addon.crm_value_profile_action")
    page.wait_for_selector(".o_list_table")
    page.screenshot(path=screenshots / "customers.png")
    page.click(".o_switch_view.o_pivot")
    expect(page.locator(".o_pivot table")).to_contain_text("Lifetime Value")
    page.screenshot(path=screenshots / "customers_pivot.png")
