"""A complaint is taken down on the page of a customer, resolved, and counted in Service Recovery."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from odoo_site import OdooSite
from playwright.sync_api import Page, expect

CASES = "/odoo/customer-cases"
RECOVERY = "/odoo/action-crm_value_addon.crm_value_case_report_action"


@pytest.fixture
def customer(site: OdooSite) -> Iterator[int]:
    """A scored customer of the main company; its cases are gone afterwards."""
    partner = site.value(
        "SELECT profile.partner_id FROM crm_value_profile profile JOIN res_partner partner"
        " ON partner.id = profile.partner_id AND partner.active"
        " WHERE profile.company_id = %s AND profile.effective_value_segment IS NOT NULL"
        " ORDER BY profile.partner_id LIMIT 1",
        [site.seed["main"]],
    )
    try:
        yield partner
    finally:
        site.sql("DELETE FROM crm_value_case WHERE partner_id = %s", [partner])


def test_a_complaint_from_the_page_to_the_report(
    page: Page, site: OdooSite, customer: int, screenshots: Path
) -> None:
    page.goto(f"/odoo/contacts/{customer}")
    page.wait_for_selector("div[name=crm_value]")
    page.click("button[name=action_new_value_complaint]")
    dialog = page.locator(".o_dialog")
    dialog.locator("[name=description] textarea").fill("Wrong colour, and nobody called back")
    dialog.locator(".o_form_button_save").click()
    expect(dialog).to_have_count(0)
    counter = page.locator("button[name=action_open_value_cases]")
    expect(counter).to_contain_text("1 of 1")
    page.screenshot(path=screenshots / "case_partner.png")
    counter.click()
    rows = page.locator(".o_list_view .o_data_row")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("Complaint")
    rows.first.locator("[name=kind]").click()
    page.wait_for_selector(".o_form_view .o-mail-Chatter")
    page.locator(".o_field_widget[name=outcome] textarea").fill("Sent the right one")
    page.locator(".o_statusbar_status button:has-text('Resolved')").first.click()
    expect(page.locator(".o_field_widget[name=resolved_at]")).to_be_visible()
    page.screenshot(path=screenshots / "case_form.png")
    told = "SELECT state, outcome, resolved_at IS NOT NULL FROM crm_value_case WHERE partner_id = %s"
    assert site.sql(told, [customer]) == [("resolved", "Sent the right one", True)]
    page.goto(CASES)
    page.wait_for_selector(".o_list_view")
    expect(page.locator(".o_facet_value")).to_have_text("Not over")
    page.goto(RECOVERY)
    expect(page.locator(".o_pivot tbody")).to_contain_text("Complaint")
    expect(page.locator(".o_pivot thead")).to_contain_text("Resolved in Time")
    page.screenshot(path=screenshots / "case_recovery.png")
