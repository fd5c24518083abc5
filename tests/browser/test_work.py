"""What a salesperson does with the working lists, and sees on an order of a key customer at risk."""

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from odoo_site import OdooSite
from playwright.sync_api import Page, expect

AT_RISK = "/odoo/customers-key-at-risk"
OVERDUE = "/odoo/customers-overdue"
LISTS = {
    "work_overdue": OVERDUE,
    "work_key_at_risk": AT_RISK,
    "work_promising": "/odoo/customers-promising",
    "work_won_back": "/odoo/customers-won-back",
    "work_satisfied_not_loyal": "/odoo/customers-satisfied-not-loyal",
}
WHY = [
    {
        "code": "late_against_rhythm",
        "direction": "up",
        "params": {"days_since": 64, "typical_gap": 21},
        "model": "sale.order",
        "record_ids": [],
    }
]


def day(ahead: int) -> date:
    return date.today() + timedelta(days=ahead)


@pytest.fixture(scope="module")
def own(site: OdooSite, seller: int) -> Iterator[dict[str, Any]]:
    """Customers of the salesperson for every list, and one at risk of somebody else; the profiles come back."""
    customers = [
        partner
        for (partner,) in site.sql(
            "SELECT profile.partner_id FROM crm_value_profile profile JOIN res_partner partner"
            " ON partner.id = profile.partner_id WHERE profile.company_id = %s AND partner.ref LIKE 'customer%%'"
            " AND profile.order_days > 4 ORDER BY partner.ref LIMIT 9",
            [site.seed["main"]],
        )
    ]
    others, mine = customers[0], customers[1:]
    site.sql("DROP TABLE IF EXISTS kept_profiles")  # left behind by a run that was broken off
    site.sql("CREATE TABLE kept_profiles AS SELECT * FROM crm_value_profile")
    site.sql("UPDATE res_partner SET user_id = %s WHERE id = ANY(%s)", [seller, mine])
    site.sql("UPDATE sale_order SET user_id = %s WHERE partner_id = ANY(%s)", [seller, mine])
    site.sql("UPDATE sale_order_line SET salesman_id = %s WHERE order_partner_id = ANY(%s)", [seller, mine])
    # Nobody else is in a list, and these are in one each.
    site.sql(
        "UPDATE crm_value_profile SET expected_next_order = %s, expected_next_order_low = %s,"
        " expected_next_order_high = %s, attitude = NULL, anomaly = NULL, effective_value_segment = 'standard',"
        " effective_value_class = 'standard', effective_lifecycle_stage = 'retention'",
        [day(10), day(4), day(20)],
    )
    late = {"expected_next_order": day(-30), "expected_next_order_high": day(-12)}
    risk = {"effective_value_segment": "key_at_risk", "effective_value_class": "key"}
    risk |= {"effective_churn_risk": "high", "reasons": json.dumps(WHY), "value_percentile": 0.97}
    for partner, values in zip(
        (*mine, others),
        (
            late,
            late | {"expected_next_order_high": day(-150)},
            risk | late,
            risk,
            {"effective_value_class": "growth", "effective_value_segment": "promising"},
            {"effective_lifecycle_stage": "won_back", "effective_value_segment": "new"},
            {"attitude": "satisfied_not_loyal", "satisfaction": "satisfied"},
            {},
            risk | late,
        ),
        strict=True,
    ):
        if values:
            site.sql(
                f"UPDATE crm_value_profile SET {', '.join(f'{name} = %s' for name in values)} WHERE partner_id = %s",
                [*values.values(), partner],
            )
    try:
        yield {"mine": mine, "others": others}
    finally:
        site.sql("DELETE FROM crm_value_profile; INSERT INTO crm_value_profile SELECT * FROM kept_profiles")
        site.sql("DROP TABLE kept_profiles")


def visit(page: Page, address: str, view: str = ".o_list_view") -> None:
    """Opens an address, and waits for its view as long as a busy machine takes to draw it."""
    page.goto(address)
    page.wait_for_selector(view)


def rows(page: Page) -> Any:
    return page.locator(".o_list_view .o_data_row")


def test_key_customer_at_risk_gets_an_activity(
    seller_page: Page, site: OdooSite, own: dict[str, Any], screenshots: Path
) -> None:
    page = seller_page
    visit(page, "/odoo/action-crm_value_addon.crm_value_profile_action")
    page.click(".o_menu_sections button:has-text('Work')")
    page.click(".o-dropdown--menu .o-dropdown-item:has-text('Key Customers at Risk')")
    expect(page.locator(".o_facet_value")).to_have_text("My customers")
    expect(rows(page)).to_have_count(2)
    expect(rows(page).first).to_contain_text("Last order 64 days ago")
    expect(page.locator(".o_list_view th[data-name=current_value]")).to_have_count(0)
    page.screenshot(path=screenshots / "work_key_at_risk_seller.png")
    rows(page).first.locator("[name=complete_name]").click()
    page.wait_for_selector("div[name=crm_value]")
    expect(page.locator("div[name=crm_value] [name=value_segment]")).to_have_text("Key, at risk")
    partner = int(page.url.rsplit("/", 1)[1].split("?")[0])
    page.click(".o-mail-Chatter-activity")
    dialog = page.locator(".o_dialog:has(.o_mail_activity_schedule_wizard)")
    dialog.locator("[name=summary] input").fill("Ask what happened")
    dialog.locator("button[name=action_schedule_activities]").first.click()
    expect(page.locator(".o-mail-Activity").first).to_contain_text("Ask what happened")
    assert site.value(
        "SELECT count(*) FROM mail_activity WHERE res_model = 'res.partner' AND res_id = %s", [partner]
    )
    page.go_back()
    page.wait_for_selector(".o_list_view")
    expect(rows(page).first.locator("td[name=activity_ids]")).to_contain_text("Ask what happened")
    # Those of the others come when the filter is taken away.
    page.click(".o_facet_remove")
    expect(rows(page)).to_have_count(3)


def test_activity_for_all_that_are_chosen(seller_page: Page, site: OdooSite, own: dict[str, Any]) -> None:
    page = seller_page
    calls = "SELECT count(*) FROM mail_activity WHERE summary = 'Call about the next order'"
    before = site.value(calls)
    visit(page, OVERDUE)
    expect(rows(page)).to_have_count(3)
    page.click("thead .o_list_record_selector input")
    rows(page).first.locator("[name=activity_ids] button").click()
    page.click("button:has-text('Schedule an activity on selected records')")
    dialog = page.locator(".o_dialog:has(.o_mail_activity_schedule_wizard)")
    dialog.locator("[name=summary] input").fill("Call about the next order")
    dialog.locator("button[name=action_schedule_activities]").first.click()
    expect(dialog).to_have_count(0)
    assert site.value(calls) == before + 3


def test_quotation_from_the_last_order(
    seller_page: Page, site: OdooSite, own: dict[str, Any], screenshots: Path
) -> None:
    page = seller_page
    partner = own["mine"][0]
    number, order, name = site.sql(
        "SELECT sales.id, sales.name, partner.name FROM sale_order sales JOIN res_partner partner"
        " ON partner.id = sales.partner_id WHERE sales.partner_id = %s AND sales.state = 'sale'"
        " ORDER BY sales.date_order DESC, sales.id DESC LIMIT 1",
        [partner],
    )[0]
    visit(page, OVERDUE)
    row = page.locator(f".o_data_row:has-text('{name}')")
    # twelve when it was set up, which may have been before midnight
    days = site.value(
        "SELECT (now() AT TIME ZONE 'UTC')::date - expected_next_order_high FROM crm_value_profile"
        f" WHERE partner_id = {partner} AND company_id = {site.seed['main']}"
    )
    expect(row.locator("[name=order_lateness]")).to_have_text(f"{days} days late")
    button = row.locator("button[name=action_quote_last_order]")
    # by keyboard
    button.focus()
    page.keyboard.press("Space")
    page.wait_for_selector(".o_form_view [name=order_line]")
    expect(page.locator(".o_form_view [name=partner_id] input").first).to_have_value(name)
    ordered = site.sql(
        "SELECT product_id, product_uom_qty FROM sale_order_line WHERE order_id = %s ORDER BY id", [number]
    )
    expect(page.locator(".o_form_view [name=order_line] .o_data_row")).to_have_count(len(ordered))
    page.screenshot(path=screenshots / "work_quotation.png")
    quotation = site.value("SELECT max(id) FROM sale_order WHERE origin = %s AND state = 'draft'", [order])
    lines = "SELECT product_id, product_uom_qty FROM sale_order_line WHERE order_id = %s ORDER BY id"
    assert site.sql(lines, [quotation]) == ordered
    page.go_back()
    page.wait_for_selector(".o_list_view")
    expect(rows(page)).to_have_count(3)


def test_banner_on_the_order_of_a_key_customer_at_risk(
    seller_page: Page, site: OdooSite, own: dict[str, Any], screenshots: Path
) -> None:
    page = seller_page
    last = "SELECT max(id) FROM sale_order WHERE partner_id = %s"
    visit(page, f"/odoo/action-sale.action_orders/{site.value(last, [own['mine'][0]])}", ".o_form_view")
    expect(page.locator(".o_form_view [name=value_segment]").first).to_have_text("Standard")
    banner = page.locator("div[name=crm_value_at_risk]")
    expect(banner).to_have_count(0)
    visit(page, f"/odoo/action-sale.action_orders/{site.value(last, [own['mine'][2]])}", ".o_form_view")
    expect(banner).to_contain_text("Key customer at risk")
    expect(banner).to_contain_text("Last order 64 days ago")
    page.screenshot(path=screenshots / "order_at_risk.png")
    page.set_viewport_size({"width": 400, "height": 850})
    page.screenshot(path=screenshots / "order_at_risk_narrow.png")
    banner.locator("button").click()
    page.wait_for_selector("div[name=crm_value]")
    expect(page.locator("div[name=crm_value] [name=value_segment]")).to_have_text("Key, at risk")


def test_banner_on_the_lead(page: Page, site: OdooSite, own: dict[str, Any], screenshots: Path) -> None:
    values = {"name": "Yearly plan", "type": "opportunity", "partner_id": own["mine"][2]}
    (lead,) = site.call("crm.lead", "create", vals_list=[values])
    visit(page, f"/odoo/action-crm.crm_lead_action_pipeline/{lead}", ".o_form_view")
    expect(page.locator("div[name=crm_value_at_risk]")).to_contain_text("Last order 64 days ago")
    page.screenshot(path=screenshots / "lead_at_risk.png")


@pytest.mark.parametrize("name", LISTS)
def test_lists_as_the_team_sees_them(page: Page, own: dict[str, Any], screenshots: Path, name: str) -> None:
    visit(page, LISTS[name])
    expect(page.locator(".o_facet_value")).to_have_count(0)
    expect(rows(page).first).to_be_visible()
    expect(rows(page).first.locator("[name=current_value]")).not_to_be_empty()
    page.screenshot(path=screenshots / f"{name}.png")
    page.set_viewport_size({"width": 400, "height": 850})
    visit(page, LISTS[name], ".o_kanban_view")
    expect(page.locator(".o_kanban_view .o_kanban_record").first).to_be_visible()
    page.screenshot(path=screenshots / f"{name}_narrow.png")


def test_empty_list_says_what_it_means(seller_page: Page, own: dict[str, Any], screenshots: Path) -> None:
    page = seller_page
    visit(page, "/odoo/customers-promising")
    expect(rows(page)).to_have_count(1)
    page.fill(".o_searchview_input", "nobody of this name")
    page.get_by_role("menuitem", name="Search Name for").click()
    expect(page.locator(".o_view_nocontent")).to_contain_text("Customers of the class Growth")
    page.screenshot(path=screenshots / "work_empty.png")


@pytest.mark.parametrize(
    ("stages", "first", "last"), [("loyalty", "Awareness", "Loyalty"), ("lifecycle", "Selection", "Lost")]
)
def test_kanban_by_stages(
    page: Page, own: dict[str, Any], screenshots: Path, stages: str, first: str, last: str
) -> None:
    page.set_viewport_size({"width": 1600, "height": 1000})
    visit(page, f"/odoo/action-crm_value_addon.crm_value_profile_action_{stages}", ".o_kanban_group")
    columns = page.locator(".o_kanban_group .o_kanban_header_title")
    expect(columns.first).to_contain_text(first)
    expect(columns.last).to_contain_text(last)
    expect(page.locator(".o_kanban_record:not(.o_kanban_ghost)").first).to_contain_text("Risk")
    expect(page.locator(".o_kanban_record.o_draggable")).to_have_count(0)
    page.screenshot(path=screenshots / f"customers_{stages}.png")
    page.set_viewport_size({"width": 400, "height": 850})
    page.reload()
    page.wait_for_selector(".o_kanban_record")
    page.screenshot(path=screenshots / f"customers_{stages}_narrow.png")


def test_panel_counts_and_narrows(page: Page, own: dict[str, Any], screenshots: Path) -> None:
    page.set_viewport_size({"width": 1600, "height": 1000})
    visit(page, "/odoo/action-crm_value_addon.crm_value_profile_action")
    entry = page.locator(".o_search_panel_filter_value:has-text('Key, at risk')")
    expect(entry).to_contain_text(re.compile(r"3\s*$"))
    entry.locator("input").check()
    expect(rows(page)).to_have_count(3)
    page.screenshot(path=screenshots / "customers_panel.png")
