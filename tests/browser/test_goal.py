"""How a manager sets a goal, and reads how it goes."""

import re
from pathlib import Path

from odoo_site import OdooSite
from playwright.sync_api import Page, expect

GOALS = "/odoo/customer-goals"


def test_a_goal_is_set_measured_and_drawn(site: OdooSite, page: Page, screenshots: Path) -> None:
    page.goto(GOALS)
    page.click(".o_list_button_add")
    definition = page.locator("[name=definition]")
    expect(definition).to_contain_text("share that is so now")
    page.click("[name=metric] input")
    page.locator(".o_select_menu_item", has_text="New Opportunities").click()
    expect(definition).to_contain_text("Opportunities created in the period")
    expect(page.locator("[name=attainable]")).to_contain_text("It was")
    page.click(".o_form_button_save")
    expect(page.locator(".modal-body")).to_contain_text("A number to reach is 1 at least.")
    page.click(".modal-footer button")
    page.locator("[name=target] input").fill("1000")
    page.click(".o_form_button_save")
    # None or some, but measured: with a pace there is a forecast.
    expect(page.locator("[name=state]")).to_have_text(re.compile("On track|Behind"))
    expect(page.locator("[name=actual_text]")).to_have_text(re.compile(r"^\d+$"))
    expect(page.locator("[name=goal_course] canvas")).to_be_visible()
    page.get_by_text("Figures as a table").click()
    expect(page.locator("[name=goal_course] tbody tr").last).to_contain_text("1,000")
    page.screenshot(path=screenshots / "goal.png")
    page.goto(GOALS)
    row = page.locator(".o_data_row", has_text="New Opportunities")
    expect(row.locator("td[name=target_text]")).to_have_text("1,000")
    expect(row.locator("td[name=state]")).to_have_text(re.compile("On track|Behind"))
    assert site.value("SELECT count(*) FROM crm_value_goal_measure") >= 1
