"""A manager states a view of a customer, and sees how such views fared."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from odoo_site import OdooSite
from playwright.sync_api import Page, expect

OVERRIDES = "/odoo/action-crm_value_addon.crm_value_override_action"
FARED = "/odoo/action-crm_value_addon.crm_value_override_report_action"


def customer(site: OdooSite) -> tuple[int, str]:
    """A customer of the main company with a name of its own."""
    rows = site.sql(
        "SELECT partner.id, partner.name FROM crm_value_profile profile"
        " JOIN res_partner partner ON partner.id = profile.partner_id AND partner.active"
        " WHERE profile.company_id = %s AND profile.computed_value_class = 'standard'"
        " AND (SELECT count(*) FROM res_partner other WHERE other.name LIKE partner.name || '%%') = 1"
        " ORDER BY profile.last_order_date DESC, partner.id LIMIT 1",
        [site.seed["main"]],
    )
    return rows[0]


def choose(page: Page, field: str, option: str) -> None:
    page.locator(f".o_selected_row .o_field_widget[name={field}] input").click()
    page.locator(".o_select_menu_item", has=page.get_by_text(option, exact=True)).click()


def state(page: Page, name: str, label: str, value: str, until: str) -> None:
    """A new override, not saved yet."""
    page.locator(".o_list_button_add:visible").click()
    page.locator(".o_selected_row .o_field_widget[name=partner_id] input").fill(name)
    # What follows from the choice draws the row anew, and would close a menu that is opened before.
    with page.expect_response("**/onchange**"):
        page.locator(f".o-autocomplete--dropdown-item:has-text('{name}')").first.click()
    choose(page, "label", label)
    choose(page, "value", value)
    page.locator(".o_selected_row .o_field_widget[name=date_until] :is(input, button)").first.click()
    page.locator(".o_selected_row .o_field_widget[name=date_until] input").fill(until)
    # Not left by a key, which would save the row and begin another.
    page.locator(".o_selected_row .o_field_widget[name=reason] input").click()
    page.locator(".o_selected_row .o_field_widget[name=reason] input").fill("told by its owner")


@pytest.mark.parametrize(
    ("label", "column", "value", "code"),
    [
        ("Value Class", "value_class", "Growth (B)", "growth"),
        ("Value Segment", "value_segment", "Key, at risk", "key_at_risk"),
        ("Loyalty Stage", "loyalty_stage", "Loyalty", "loyalty"),
        ("Life-Cycle Stage", "lifecycle_stage", "Lost", "lost"),
        ("Lost Type", "lost_type", "Lured by a competitor", "lured_by_competitor"),
    ],
)
def test_a_label_is_overridden_and_given_back(
    page: Page, site: OdooSite, label: str, column: str, value: str, code: str
) -> None:
    partner, name = customer(site)
    effective = f"SELECT effective_{column} FROM crm_value_profile WHERE partner_id = %s AND company_id = %s"
    before = site.value(effective, [partner, site.seed["main"]])
    page.goto(OVERRIDES)
    state(page, name, label, value, f"{date.today() + timedelta(30):%m/%d/%Y}")
    page.locator(".o_list_button_save:visible").first.click()
    row = page.locator(f".o_data_row:has-text('{name}'):has-text('{value}')").first
    expect(row).to_contain_text(label)
    expect(page.locator(".o_selected_row")).to_have_count(0)
    assert site.value(effective, [partner, site.seed["main"]]) == code
    row.locator("button[name=action_end]").click()
    expect(row.locator("button[name=action_end]")).to_have_count(0)
    assert site.value(effective, [partner, site.seed["main"]]) == before


def test_values_are_those_of_the_label(page: Page, site: OdooSite, screenshots: Path) -> None:
    _partner, name = customer(site)
    page.goto(OVERRIDES)
    state(page, name, "Value Class", "Key (A)", f"{date.today() + timedelta(30):%m/%d/%Y}")
    choose(page, "label", "Churn Risk")
    expect(page.locator(".o_selected_row .o_field_widget[name=value] input")).to_have_value("")
    page.locator(".o_selected_row .o_field_widget[name=value] input").click()
    expect(page.locator(".o_select_menu_item")).to_have_text(["Low", "Medium", "High"])
    page.screenshot(path=screenshots / "override.png")
    page.locator(".o_list_button_discard:visible").first.click()


def test_a_day_that_is_over_is_refused_in_words(page: Page, site: OdooSite) -> None:
    _partner, name = customer(site)
    page.goto(OVERRIDES)
    state(page, name, "Value Class", "Key (A)", f"{date.today() - timedelta(3):%m/%d/%Y}")
    page.locator(".o_list_button_save:visible").first.click()
    expect(page.locator(".modal, .o_notification").first).to_contain_text("is over already")


def test_how_overrides_fared(page: Page, site: OdooSite, screenshots: Path) -> None:
    page.goto(FARED)
    expect(page.locator(".o_pivot table")).to_contain_text("Engine Came to Agree")
    expect(page.locator(".o_pivot table")).to_contain_text("Value Class")
    page.screenshot(path=screenshots / "overrides_fared.png")
    page.click(".o_switch_view.o_list")
    expect(page.locator(".o_data_row").first).to_contain_text("told by its owner")
    expect(page.locator(".o_data_row td[name=value]").first).not_to_contain_text("_")
