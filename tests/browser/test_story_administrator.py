"""An administrator goes from a database that was just installed to the first scores, by the first steps alone."""

from pathlib import Path

from conftest import choose_menu, logged_in, serving
from odoo_site import OdooSite
from playwright.sync_api import Browser, Page, expect

DATABASE = "fresh"
LOGIN, PASSWORD = "scoring", "a long password of a worker"

# What a shop brings along when it moves to Odoo: 40 customers of two industries who buy every few weeks; an order
# without an amount, two customers with one tax id.
BOOKS = """
from datetime import datetime, timedelta
env.company.crm_value_interval_hours = 0
product = env["product.product"].create({"name": "Bread", "list_price": 20, "type": "consu", "taxes_id": False})
bakers, cooks = env["res.partner.industry"].create([{"name": "Bakeries"}, {"name": "Kitchens"}])
partners = env["res.partner"].create([
    {"name": f"Customer {i:02d}", "industry_id": (bakers if i % 2 else cooks).id, "vat": "X77" if i < 2 else False}
    for i in range(40)
])
now = datetime.now()
orders = env["sale.order"].with_context(tracking_disable=True).create([
    {
        "partner_id": partner.id,
        "date_order": now - timedelta(days=ago),
        "order_line": [(0, 0, {"product_id": product.id, "product_uom_qty": 1 + i % 9, "tax_ids": [(5, 0, 0)],
                               "price_unit": 0 if (i, ago) == (6, 16) else 20})],
    }
    for i, partner in enumerate(partners)
    for ago in range(10 + i % 7 + (200 if i % 5 == 0 else 0), 700, 20 + i % 17)
])
env.flush_all()
env.cr.execute("UPDATE sale_order SET state = 'sale' WHERE id IN %s", [tuple(orders.ids)])
env.cr.execute("UPDATE sale_order_line SET state = 'sale' WHERE order_id IN %s", [tuple(orders.ids)])
env.cr.commit()
"""


def step(page: Page, key: str):
    return page.locator(f"[data-step={key}]")


def done(page: Page, key: str) -> None:
    expect(step(page, key)).to_have_attribute("data-done", "true")


def first_steps(page: Page) -> None:
    """By the menu, as somebody who has only just installed the app."""
    page.goto("/odoo")
    page.click(".o_navbar_apps_menu button")
    page.click(".o-dropdown--menu .o_app:has-text('Customer Value')")
    page.wait_for_selector(".o_crm_value_dashboard")
    choose_menu(page, "Configuration", "First Steps")
    page.wait_for_selector("[data-step=result]")


def make_account(page: Page) -> None:
    """The worker's user, with a password to sign in once and make a key."""
    step(page, "worker").locator("button:has-text('Accounts of workers')").click()
    page.click(".o_list_button_add")
    page.fill("div[name=name] input", "Scoring worker")
    page.fill("div[name=login] input", LOGIN)
    page.click(".o_form_button_save")
    page.wait_for_selector(".o_form_saved, .o_form_button_create")
    page.click(".o_cp_action_menus button.dropdown-toggle, .o_cp_action_menus button")
    page.click(".o-dropdown--menu .o-dropdown-item:has-text('Change Password')")
    page.click(".modal .o_data_row td[name=new_passwd]")
    page.fill(".modal .o_data_row [name=new_passwd] input", PASSWORD)
    page.click(".modal button[name=change_password_button]")
    expect(page.locator(".modal")).to_have_count(0)


def make_key(browser: Browser, site: OdooSite) -> str:
    """The key that the worker's user makes for itself."""
    with logged_in(browser, site, LOGIN, PASSWORD, DATABASE) as page:
        page.click(".o_user_menu button")
        page.click(".o-dropdown--menu [data-menu=preferences]")
        page.click(".nav-link:has-text('Security')")
        page.click("button[name=api_key_wizard]")
        page.fill(".modal input[type=password]", PASSWORD)
        page.click(".modal button[name=run_check]")
        page.fill(".modal div[name=name] input", "worker")
        page.click(".modal button[name=make_key]")
        return page.locator(".modal div[name=key]").inner_text().strip()


def test_first_steps_to_the_first_scores(
    browser: Browser, site: OdooSite, tmp_path: Path, screenshots: Path
) -> None:
    with logged_in(browser, site, "admin", "admin", DATABASE) as page:
        # Nothing is there yet, and each screen says what to do.
        first_steps(page)
        expect(step(page, "quality")).to_contain_text("There is no confirmed order yet")
        for key in ("policy", "worker", "run", "result"):
            expect(step(page, key)).to_have_attribute("data-done", "false")
        page.screenshot(path=screenshots / "story_first_steps_empty.png", full_page=True)
        site.script("shell", "--db", DATABASE, stdin=BOOKS)

        # What counts as value.
        page.reload()
        step(page, "policy").locator("button:text-is('It is fine as it is')").click()
        done(page, "policy")

        # Who is compared with whom: a business format for each of their industries.
        expect(step(page, "formats")).to_contain_text("Customers without a format: 40 of 40")
        step(page, "formats").locator("button:has-text('Business Formats')").click()
        for name, industry in (("Grocery and convenience", "Bakeries"), ("Catering and leisure", "Kitchens")):
            row = page.locator(f".o_data_row:has-text('{name}')")
            row.locator("td[name=industry_ids]").click()
            page.fill(".o_selected_row [name=industry_ids] input", industry)
            page.click(f".o-autocomplete--dropdown-item:has-text('{industry}')")
            page.click(".o_list_button_save")
            expect(page.locator(".o_selected_row")).to_have_count(0)  # a click before that is lost
        first_steps(page)
        done(page, "formats")

        # What is wrong with the data opens the very records.
        expect(step(page, "quality")).to_contain_text("share their tax ID with another: 1")
        step(page, "quality").locator("li:has-text('without an amount') button").click()
        expect(page.locator(".o_list_view .o_data_row")).to_have_count(1)
        page.go_back()
        step(page, "quality").locator("button:text-is('It is fine as it is')").click()
        done(page, "quality")

        # The worker's account, and a key that only the account itself can make.
        make_account(page)
        first_steps(page)
        expect(step(page, "worker")).to_contain_text("Scoring worker has no API key yet")
        key = make_key(browser, site)
        page.reload()
        expect(step(page, "worker")).to_contain_text("Scoring worker is ready")
        done(page, "worker")

        # A run waits for a worker, and a real one takes it up.
        expect(step(page, "run").locator("pre")).to_contain_text(f"SYNC_WORKER_DATABASE={DATABASE}")
        step(page, "run").locator("button:text-is('Score Now')").click()
        expect(step(page, "run")).to_contain_text("Waiting for a worker")
        page.screenshot(path=screenshots / "story_first_steps_waiting.png", full_page=True)
        with serving(site, tmp_path, database=DATABASE, api_key=key):
            expect(step(page, "run")).to_have_attribute("data-done", "true", timeout=60_000)
        page.screenshot(path=screenshots / "story_first_steps_done.png", full_page=True)

        # The scores are seen, and a figure opens its customers.
        step(page, "result").locator("button:text-is('Dashboard')").click()
        segments = page.locator("[data-card=segments] tbody tr")
        expect(segments.first).to_be_visible()
        counted = int(segments.first.locator("button").inner_text())
        page.screenshot(path=screenshots / "story_first_dashboard.png", full_page=True)
        segments.first.locator("button").click()
        expect(page.locator(".o_list_view .o_data_row, .o_kanban_record:not(.o_kanban_ghost)")).to_have_count(
            counted
        )
