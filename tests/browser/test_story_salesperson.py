"""A salesperson finds a key customer who may leave, reads why, and does something about it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import logged_in
from odoo_site import OdooSite, Worker
from playwright.sync_api import Browser, Page, expect

DATABASE = "story"
# Orders of the five best customers that buy every few weeks, moved so that their last one is over five of their usual
# gaps ago: late enough to worry, not yet gone. They are three times as large, so that there is no doubt who is key.
LATE = """
WITH rhythm AS (
    SELECT orders.partner_id, max(date_order) AS last, sum(amount_untaxed) AS sales,
           (max(date_order) - min(date_order)) / (count(*) - 1) AS gap
      FROM sale_order orders JOIN res_partner partner ON partner.id = orders.partner_id
     WHERE state = 'sale' AND partner.ref LIKE 'customer\\_%%' GROUP BY orders.partner_id HAVING count(*) > 15
), late AS (
    SELECT * FROM rhythm WHERE last > now() - interval '60 days' ORDER BY sales DESC LIMIT 5
), line AS (
    UPDATE sale_order_line SET price_unit = 3 * price_unit, price_subtotal = 3 * price_subtotal,
           price_total = 3 * price_total, price_tax = 3 * price_tax FROM late
     WHERE late.partner_id = order_partner_id
)
UPDATE sale_order SET date_order = date_order - (late.last - (now() - 5.5 * late.gap)), amount_total = 3 * amount_total,
       amount_untaxed = 3 * amount_untaxed, amount_tax = 3 * amount_tax FROM late
 WHERE late.partner_id = sale_order.partner_id
"""
AT_RISK = """
SELECT profile.partner_id, partner.name FROM crm_value_profile profile JOIN res_partner partner
    ON partner.id = profile.partner_id WHERE effective_value_segment = 'key_at_risk' ORDER BY profile.partner_id
"""


@pytest.fixture(scope="module")
def seller_page(
    browser: Browser, site: OdooSite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Page, list[Any]]]:
    """A page of a salesperson of whose key customers some have stopped ordering, as a worker has found out."""
    site.sql(LATE, database=DATABASE)
    # So few of them leave that a back-test may show no skill by chance; the risk is not withheld here for that.
    versions, rule = "crm.value.policy.version", {"key": "withheld_grades", "value": "0"}
    (version,) = site.call(
        versions,
        "create",
        database=DATABASE,
        vals_list=[{"company_id": site.seed["main"], "rule_ids": [[0, 0, rule]]}],
    )
    site.call(versions, "action_activate", database=DATABASE, ids=[version])
    finished = Worker(site, tmp_path_factory.mktemp("late"), database=DATABASE).run("run")
    assert finished.code == 0, finished
    found = site.sql(AT_RISK, database=DATABASE)
    [[group]] = site.sql(
        "SELECT res_id FROM ir_model_data WHERE module = 'sales_team' AND name = 'group_sale_salesman'",
        database=DATABASE,
    )
    values = {"name": "Sandy Seller", "login": "sandy", "password": "sandy", "group_ids": [[4, group]]}
    values |= {"company_id": site.seed["main"], "company_ids": [[6, 0, [site.seed["main"]]]]}
    (user,) = site.call("res.users", "create", database=DATABASE, vals_list=[values])
    customers = [partner for partner, _name in found]
    site.sql("UPDATE res_partner SET user_id = %s WHERE id = ANY(%s)", [user, customers], database=DATABASE)
    site.sql(
        "UPDATE sale_order SET user_id = %s WHERE partner_id = ANY(%s)", [user, customers], database=DATABASE
    )
    site.sql(
        "UPDATE sale_order_line SET salesman_id = %s WHERE order_partner_id = ANY(%s)",
        [user, customers],
        database=DATABASE,
    )
    with logged_in(browser, site, "sandy", "sandy", DATABASE) as page:
        yield page, found


def test_salesperson_finds_and_acts_on_a_key_customer_at_risk(
    seller_page: tuple[Page, list[Any]], site: OdooSite, screenshots: Path
) -> None:
    page, found = seller_page
    assert found, "the worker finds key customers at risk"

    # From the app to the list, which is about their own customers.
    page.goto("/odoo/customers-key-at-risk")
    rows = page.locator(".o_list_view .o_data_row")
    expect(page.locator(".o_facet_value")).to_have_text("My customers")
    expect(rows).to_have_count(len(found))
    expect(rows.first.locator("[name=value_reason]")).to_contain_text("Last order")
    page.screenshot(path=screenshots / "story_at_risk.png")

    # Three seconds on the customer: who, how risky, why.
    rows.first.locator("[name=complete_name]").click()
    panel = page.locator("div[name=crm_value]")
    expect(panel.locator("[name=value_segment]")).to_have_text("Key, at risk")
    expect(panel.locator("[name=churn_risk]")).to_contain_text("High")
    partner = int(page.url.rsplit("/", 1)[1].split("?")[0])
    assert partner in {each for each, _name in found}
    page.screenshot(path=screenshots / "story_customer.png", full_page=True)

    # The reason opens the very orders it speaks of.
    reason = panel.locator("[data-code=late_against_rhythm] button").first
    told = int("".join(filter(str.isdigit, reason.inner_text())))
    reason.click()
    expect(rows).to_have_count(told)
    named = site.sql(
        "SELECT name FROM sale_order WHERE partner_id = %s AND state = 'sale' ORDER BY date_order DESC LIMIT 1",
        [partner],
        database=DATABASE,
    )
    expect(page.locator(".o_list_view")).to_contain_text(named[0][0])
    page.go_back()

    # Call them: an activity on the customer.
    page.click(".o-mail-Chatter-activity")
    dialog = page.locator(".o_dialog:has(.o_mail_activity_schedule_wizard)")
    dialog.locator("[name=summary] input").fill("Ask what they need")
    dialog.locator("button[name=action_schedule_activities]").first.click()
    expect(page.locator(".o-mail-Activity").first).to_contain_text("Ask what they need")

    # And have an offer ready when they answer: their last order, as a quotation.
    page.goto("/odoo/customers-key-at-risk")
    row = page.locator(".o_data_row", has_text=dict(found)[partner])
    row.locator("button[name=action_quote_last_order]").click()
    expect(page.locator(".o_form_view [name=order_line] .o_data_row").first).to_be_visible()
    expect(page.locator("div[name=crm_value_at_risk]")).to_contain_text("Key customer at risk")
    page.screenshot(path=screenshots / "story_quotation.png")
    [[quotation]] = site.sql(
        "SELECT count(*) FROM sale_order WHERE partner_id = %s AND state = 'draft' AND origin IS NOT NULL",
        [partner],
        database=DATABASE,
    )
    assert quotation == 1
    page.goto("/odoo/customers-key-at-risk")
    expect(row.locator("td[name=activity_ids]")).to_contain_text("Ask what they need")
