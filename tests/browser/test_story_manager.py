"""A manager drafts a policy, sees what it would do, activates it, and finds its effect told as such."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import choose_menu, logged_in, serving
from odoo_site import OdooSite, Worker, wait_until
from playwright.sync_api import Browser, Page, expect

DATABASE = "story"


@pytest.fixture
def manager_page(browser: Browser, site: OdooSite, tmp_path: Path) -> Iterator[Page]:
    """A page of a sales manager of a company that was scored yesterday, while a worker waits for requests."""
    group = "SELECT res_id FROM ir_model_data WHERE module = 'sales_team' AND name = 'group_sale_manager'"
    [[manager]] = site.sql(group, database=DATABASE)
    values = {"name": "Morgan Manager", "login": "morgan", "password": "morgan", "group_ids": [[4, manager]]}
    values |= {"company_id": site.seed["main"], "company_ids": [[6, 0, [site.seed["main"]]]]}
    site.call("res.users", "create", database=DATABASE, vals_list=[values])
    finished = Worker(site, tmp_path, database=DATABASE).run("run")
    assert finished.code == 0, finished
    site.sql("UPDATE crm_value_run SET as_of = as_of - 1", database=DATABASE)
    site.sql("UPDATE crm_value_history SET valid_from = valid_from - 1", database=DATABASE)
    with (
        serving(site, tmp_path, database=DATABASE),
        logged_in(browser, site, "morgan", "morgan", DATABASE) as page,
    ):
        yield page


def test_manager_previews_and_activates_a_policy(
    manager_page: Page, site: OdooSite, screenshots: Path
) -> None:
    page = manager_page
    page.goto("/odoo/action-crm_value_addon.crm_value_profile_action")
    page.wait_for_selector(".o_list_view")
    choose_menu(page, "Configuration", "Policy")

    # A threshold of a draft of their own.
    page.click(".o_list_button_add")
    page.fill("div[name=note] input", "Fewer key customers")
    page.click("div[name=rule_ids] .o_field_x2many_list_row_add a")
    rule = page.locator("div[name=rule_ids] .o_selected_row")
    key = rule.locator("div[name=key]")
    key.locator("input").click()
    page.click(".o_select_menu_item:has-text('Share carried by key customers')")
    rule.locator("div[name=value] input").fill("0.5")
    page.click(".o_form_button_save")
    expect(page.locator("div[name=differences] tr[data-key=key_share]")).to_contain_text("0.8")

    # What it would do, in customers and money.
    page.click("button[name=action_preview]")
    preview = page.locator("div[name=preview]")
    expect(preview.locator("[data-state=done]")).to_be_visible(timeout=60_000)
    moves = preview.locator("section[data-label=value_class] tbody tr", has_text="Key (A)")
    told = int(moves.first.locator("button").inner_text())
    assert told > 0
    page.screenshot(path=screenshots / "story_preview.png", full_page=True)
    moves.first.locator("button").click()
    expect(page.locator(".o_list_table .o_data_row")).to_have_count(told)
    page.go_back()

    # Nothing has changed until it is activated and a run follows.
    keys = "SELECT count(*) FROM crm_value_profile WHERE effective_value_class = 'key'"
    [[before]] = site.sql(keys, database=DATABASE)
    page.click("button[name=action_activate]")
    page.click(".modal .btn-primary")
    expect(page.locator(".o_statusbar_status [aria-checked=true]")).to_have_text("Active")
    assert site.sql(keys, database=DATABASE) == [(before,)]
    page.click(".o_menu_sections a:text-is('Runs')")
    done = "SELECT count(*) FROM crm_value_run WHERE kind = 'score' AND state = 'done'"
    [[runs]] = site.sql(done, database=DATABASE)
    page.click("button:has-text('Score Now')")
    expect(page.locator(".o_notification")).to_contain_text("is requested")
    wait_until(lambda: site.sql(done, database=DATABASE) == [(runs + 1,)], 60, "the run does not end")
    [[after]] = site.sql(keys, database=DATABASE)
    assert after < before

    # Who moved, and that nobody's behaviour did it.
    choose_menu(page, "Analysis", "Movement")
    page.locator(".modal button[name=action_open]").click()
    pivot = page.locator(".o_pivot table")
    # Where those went who were key: the last cell of the row is all of them.
    pivot.locator("tbody tr", has_text="Key (A)").first.locator("td:not(.o_empty)").last.click()
    moved = page.locator(".o_data_row", has=page.locator("[name=cause]", has_text="Policy"))
    expect(moved).to_have_count(before - after)
    page.screenshot(path=screenshots / "story_movement.png")
    moved.first.locator("button[name=action_open_history]").click()
    change = page.locator(".o_data_row", has_text="Value Class").first
    expect(change.locator("[name=cause]")).to_have_text("Policy")
    page.screenshot(path=screenshots / "story_history.png")
