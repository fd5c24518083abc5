"""Makes the pictures of the documentation from the running demo.

Run after script/demo:  PYTHONPATH=. $CV_PYTHON docs/screenshots.py http://127.0.0.1:8069
with the variables of script/lib/env.sh.
"""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).parent / "screenshots"
DESCRIPTION = Path(__file__).parents[1] / "crm_value_addon" / "static" / "description"
LOGIN = ("mia", "demo")
# By name: an address, or what to click on the page before.
PAGES = {
    "dashboard": "/odoo/customer-value",
    "first_steps": "/odoo/customer-value-first-steps",
    "how_computed": "/odoo/customer-value-rules",
    "partner_list_at_risk": "/odoo/demo-at-risk",
    "partner_form": ".o_data_row >> nth=0",  # of that list
    "customer_page": "a.nav-link[name=crm_value]",
    "customers": "/odoo/action-crm_value_addon.crm_value_profile_action",
    "customers_by_loyalty": "/odoo/action-crm_value_addon.crm_value_profile_action_loyalty",
    "overdue_to_order": "/odoo/customers-overdue",
    "key_customers_at_risk": "/odoo/customers-key-at-risk",
    "sales_by_value_class": "/odoo/demo-sales-by-value",
    "runs": "/odoo/action-crm_value_addon.crm_value_run_action",
    "portraits": "/odoo/action-crm_value_addon.crm_value_portrait_action",
    "forecast_quality_list": "/odoo/action-crm_value_addon.crm_value_grade_action",
    "forecast_quality": ".o_data_row >> nth=0",
}


def main(url: str) -> None:
    """Writes one picture per page; the store page of the addon gets a copy of the first form."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["CV_CHROMIUM"])
        page = browser.new_page(viewport={"width": 1400, "height": 860}, base_url=url)
        page.goto("/web/login")
        page.fill("input[name=login]", LOGIN[0])
        page.fill("input[name=password]", LOGIN[1])
        page.click("button[type=submit]")
        page.wait_for_selector(".o_main_navbar")
        for name, path in PAGES.items():
            if path.startswith("/"):
                page.goto(path)
            else:
                page.click(path)
            page.wait_for_selector(".o_action_manager .o_content")
            page.wait_for_timeout(2500)
            if path.startswith("a.nav-link"):  # a tab is below what the page shows first
                page.locator(path).evaluate("tab => tab.scrollIntoView()")
            page.screenshot(path=DOCS / f"{name}.png")
        browser.close()
    shutil.copy(DOCS / "partner_form.png", DESCRIPTION)


if __name__ == "__main__":
    main(sys.argv[1])
