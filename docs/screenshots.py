"""Makes the pictures of the documentation from the running demo, in English and in Chinese.

Run after script/demo:  PYTHONPATH=. $CV_PYTHON docs/screenshots.py http://127.0.0.1:8069
with the variables of script/lib/env.sh. The Chinese ones need the language:
script/server odoo --state .state/demo -d demo --load-language=zh_CN --stop-after-init
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Playwright, sync_playwright

DOCS = Path(__file__).parent / "screenshots"
DESCRIPTION = Path(__file__).parents[1] / "crm_value_addon" / "static" / "description"
LOGIN = ("mia", "demo")
# By language of the reader, the folder of its pictures.
LANGUAGES = {"en_US": DOCS, "zh_CN": DOCS / "zh_CN"}
# The wholesaler has customers in danger, and books; the grocer thousands of small baskets.
GROCER, WHOLESALER = "Corner Market", "Harbour Wholesale"
# By name: the company, and an address, or what to click on the page before.
PAGES = {
    "dashboard": (WHOLESALER, "/odoo/customer-value"),
    "first_steps": (WHOLESALER, "/odoo/customer-value-first-steps"),
    "how_computed": (GROCER, "/odoo/customer-value-rules"),
    "key_customers_at_risk": (WHOLESALER, "/odoo/customers-key-at-risk"),
    "partner_form": (WHOLESALER, ".o_data_row [name=complete_name] >> nth=0"),  # of that list
    "customer_page": (WHOLESALER, "a.nav-link[name=crm_value]"),
    "partner_list_at_risk": (WHOLESALER, "/odoo/demo-at-risk"),
    "overdue_to_order": (GROCER, "/odoo/customers-overdue"),
    "customers": (GROCER, "/odoo/action-crm_value_addon.crm_value_profile_action"),
    "customers_by_loyalty": (GROCER, "/odoo/action-crm_value_addon.crm_value_profile_action_loyalty"),
    "sales_by_value_class": (GROCER, "/odoo/demo-sales-by-value"),
    "runs": (GROCER, "/odoo/action-crm_value_addon.crm_value_run_action"),
    "portraits": (WHOLESALER, "/odoo/action-crm_value_addon.crm_value_portrait_action"),
    "forecast_quality_list": (WHOLESALER, "/odoo/action-crm_value_addon.crm_value_grade_action"),
    "forecast_quality": (WHOLESALER, ".o_data_row >> nth=0"),
    "service_policies": (WHOLESALER, "/odoo/action-crm_value_addon.crm_value_service_policy_action"),
    "service_cases": (WHOLESALER, "/odoo/action-crm_value_addon.crm_value_case_action"),
    "safeguards": (WHOLESALER, "/odoo/action-crm_value_addon.crm_value_alert_action"),
    "winback_plans": (WHOLESALER, "/odoo/action-crm_value_addon.crm_value_winback_action"),
    "winback_plan": (WHOLESALER, ".o_data_row >> nth=0"),
    "goals": (WHOLESALER, "/odoo/action-crm_value_addon.crm_value_goal_action"),
    "goal": (WHOLESALER, ".o_data_row >> nth=0"),
}
# Chinese letters are as wide as high; the box that stands for a missing one is narrower.
CHINESE_WIDTH = """() => {
    const context = document.createElement("canvas").getContext("2d");
    context.font = "20px sans-serif";
    return Math.round(context.measureText("\u5ba2\u6237").width);
}"""


def main(url: str) -> None:
    """Writes one picture per page and language; the store page of the addon gets a copy of the first form."""
    with sync_playwright() as playwright:
        for language, folder in LANGUAGES.items():
            folder.mkdir(exist_ok=True)
            with signed_in(playwright, url) as page:
                before = speak(page, language)
            # A browser that has begun in another language may not look for fonts of this one any more: a new one.
            try:
                with signed_in(playwright, url) as page:
                    take(page, folder)
            finally:
                with signed_in(playwright, url) as page:
                    speak(page, before)
    shutil.copy(DOCS / "partner_form.png", DESCRIPTION)


@contextmanager
def signed_in(playwright: Playwright, url: str) -> Iterator[Page]:
    """A page of a browser of its own, of the reader."""
    browser = playwright.chromium.launch(executable_path=os.environ["CV_CHROMIUM"])
    page = browser.new_page(viewport={"width": 1400, "height": 860}, base_url=url)
    page.set_default_timeout(90_000)
    page.goto("/web/login")
    page.fill("input[name=login]", LOGIN[0])
    page.fill("input[name=password]", LOGIN[1])
    page.click("button[type=submit]")
    page.wait_for_selector(".o_main_navbar")
    yield page
    browser.close()


def speak(page: Page, language: str) -> str:
    """Sets the reader's language from the next page on; answers the one before."""
    [user] = call(page, "res.users", "search_read", [["login", "=", LOGIN[0]]], ["lang"])
    call(page, "res.users", "write", [user["id"]], {"lang": language})
    return user["lang"]


def take(page: Page, folder: Path) -> None:
    """The pictures of all pages."""
    companies = {each["name"]: each["id"] for each in call(page, "res.company", "search_read", [], ["name"])}
    for name, (company, path) in PAGES.items():
        draw(page, companies[company], path)
        if page.evaluate(CHINESE_WIDTH) != 40:
            raise RuntimeError(
                "This browser found no font with Chinese; begin again, on a less busy machine."
            )
        page.screenshot(path=folder / f"{name}.png")


def draw(page: Page, company: int, path: str) -> None:
    """Goes to an address, or on from the page before, and waits until it is drawn."""
    if path.startswith("/"):
        page.context.add_cookies([{"name": "cids", "value": str(company), "url": page.url}])
        page.goto(path)
    else:
        page.click(path)
    page.wait_for_selector(".o_action_manager .o_content")
    page.wait_for_timeout(8000)  # what is read after the page is there: cards, pictures, talk
    if path.startswith("a.nav-link"):  # a tab is below what the page shows first
        page.locator(path).evaluate("tab => tab.scrollIntoView()")


def call(page: Page, model: str, method: str, *arguments: Any) -> Any:
    """What a method answers to the one who is signed in."""
    params = {"model": model, "method": method, "args": arguments, "kwargs": {}}
    answer = page.request.post(
        f"/web/dataset/call_kw/{model}/{method}", data={"jsonrpc": "2.0", "method": "call", "params": params}
    ).json()
    if "error" in answer:
        raise RuntimeError(answer["error"]["data"]["message"])
    return answer["result"]


if __name__ == "__main__":
    main(sys.argv[1])
