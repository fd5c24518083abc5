"""A salesperson without rights in accounting and the invoices behind a reason."""

import json
from pathlib import Path
from typing import Any

import pytest
from odoo_site import OdooSite
from playwright.sync_api import Browser, expect

DATABASE = "invoicing"


@pytest.fixture(scope="module")
def books(site: OdooSite) -> dict[str, Any]:
    seed = (Path(__file__).parent / "seed_books.py").read_text(encoding="utf-8")
    printed = site.script("shell", "--db", DATABASE, stdin=seed)
    [line] = [line for line in printed.splitlines() if line.startswith("SEEDED ")]
    return json.loads(line.removeprefix("SEEDED "))


def test_invoices_are_listed_and_no_form_ends_in_an_error(
    browser: Browser, site: OdooSite, books: dict[str, Any], screenshots: Path
) -> None:
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, base_url=site.url)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"/web/login?db={DATABASE}")
    page.fill("input[name=login]", "seller")
    page.fill("input[name=password]", "seller")
    page.click("button[type=submit]")
    page.wait_for_selector(".o_main_navbar")
    page.goto(f"/odoo/contacts/{books['partner']}")
    page.click("div[name=crm_value] [data-code=pays_late] button")
    rows = page.locator(".o_list_view .o_data_row")
    expect(rows).to_have_count(books["invoices"], timeout=30_000)
    expect(page.locator(".o_notification")).to_contain_text("Only people with rights in accounting")
    page.screenshot(path=screenshots / "reason_invoices.png")
    rows.first.locator("td[name=name]").click()
    page.wait_for_timeout(1500)  # an error would take as long
    expect(page.locator(".modal")).to_have_count(0)
    expect(rows).to_have_count(books["invoices"])
    context.close()
