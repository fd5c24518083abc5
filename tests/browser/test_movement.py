"""How customers moved between two days, what the month-ends were like, and the history of one customer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from odoo_site import OdooSite, Worker
from playwright.sync_api import Page, expect

ACTION = "/odoo/action-crm_value_addon"


@pytest.fixture(scope="module")
def moved(site: OdooSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The first run was two months ago and saw a third of the customers in another class; yields one of these."""
    main = site.seed["main"]
    site.sql("UPDATE crm_value_run SET as_of = as_of - 62 WHERE state = 'done'")
    site.sql("UPDATE crm_value_history SET valid_from = valid_from - 62, valid_to = valid_to - 62")
    others = "value_class = CASE value_class WHEN 'key' THEN 'growth' ELSE 'key' END"
    chosen = "company_id = %s AND partner_id %% 3 = 0 AND {} IS NOT NULL"
    site.sql(f"UPDATE crm_value_history SET {others} WHERE {chosen.format('value_class')}", [main])
    for kind in ("computed", "effective"):
        column = f"{kind}_value_class"
        site.sql(
            f"UPDATE crm_value_profile SET {others.replace('value_class', column)} WHERE {chosen.format(column)}",
            [main],
        )
    finished = Worker(site, tmp_path_factory.mktemp("moved")).run("run")
    assert finished.code == 0, finished
    yield site.value(
        "SELECT partner_id FROM crm_value_history WHERE company_id = %s AND valid_to IS NOT NULL"
        " AND value_class = 'key' ORDER BY partner_id LIMIT 1",
        [main],
    )


def test_matrix_between_two_days(page: Page, site: OdooSite, moved: int, screenshots: Path) -> None:
    page.goto(f"{ACTION}.crm_value_movement_wizard_action")
    dialog = page.locator(".modal")
    expect(dialog.locator("[name=history_start]")).not_to_be_empty()
    page.screenshot(path=screenshots / "movement_wizard.png")
    dialog.locator("button[name=action_open]").click()
    pivot = page.locator(".o_pivot table")
    expect(pivot).to_contain_text("Key (A)")
    expect(page.locator(".o_breadcrumb")).to_contain_text("Value Class: ")
    there = site.value("SELECT count(*) FROM crm_value_profile WHERE company_id = %s", [site.seed["main"]])
    expect(pivot.locator("tbody tr").first).to_contain_text(f"{there:,}")
    page.screenshot(path=screenshots / "movement.png")
    # A cell opens the very customers.
    pivot.locator("tbody tr", has_text="Key (A)").first.locator("td:not(.o_empty)").first.click()
    expect(page.locator(".o_list_view .o_data_row").first).to_contain_text("Key (A)")
    page.screenshot(path=screenshots / "movement_customers.png")
    page.locator(".o_data_row button[name=action_open_history]").first.click()
    expect(page.locator(".o_breadcrumb")).to_contain_text("History of ")
    expect(page.locator(".o_list_view .o_data_row").first).to_be_visible()
    page.screenshot(path=screenshots / "changes.png")


def test_history_on_the_page_of_a_customer(page: Page, moved: int, screenshots: Path) -> None:
    page.set_viewport_size({"width": 1400, "height": 1800})
    page.goto(f"/odoo/contacts/{moved}")
    page.click(".o_notebook .nav-link:has-text('Customer Value')")
    history = page.locator(".o_crm_value_history")
    expect(history.locator("ol")).to_be_hidden()
    history.locator("summary").click()
    expect(history.locator("li").first).to_contain_text("Value Class")
    history.scroll_into_view_if_needed()
    page.screenshot(path=screenshots / "customer_history.png")
    history.locator("button[name=values]").click()
    expect(page.locator(".o_breadcrumb")).to_contain_text("Values of ")
    expect(page.locator(".o_graph_canvas_container canvas")).to_be_visible()
    page.wait_for_timeout(800)
    page.screenshot(path=screenshots / "customer_values.png")
    page.go_back()
    page.click(".o_notebook .nav-link:has-text('Customer Value')")
    history.locator("summary").click()
    history.locator("button[name=all_changes]").click()
    expect(page.locator(".o_list_view .o_data_row").first).to_be_visible()


def test_month_ends_and_cohorts(page: Page, moved: int, screenshots: Path) -> None:
    page.goto(f"{ACTION}.crm_value_snapshot_action")
    expect(page.locator(".o_graph_canvas_container canvas")).to_be_visible()
    page.wait_for_timeout(800)
    page.screenshot(path=screenshots / "month_ends.png")
    page.goto(f"{ACTION}.crm_value_cohort_action")
    expect(page.locator(".o_pivot table")).to_contain_text("Share That Ordered")
    page.screenshot(path=screenshots / "cohorts.png")
    page.goto(f"{ACTION}.crm_value_cohort_action_stage")
    expect(page.locator(".o_pivot table")).to_contain_text("Lost")
    page.screenshot(path=screenshots / "cohorts_by_stage.png")
