"""What a salesperson reads on the page of a customer, and opens from it."""

import base64
import csv
import io
import json
import re
import zlib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from odoo_site import OdooSite
from playwright.sync_api import Page, expect

LABELS = ("value_class", "value_segment", "loyalty_stage", "lifecycle_stage", "churn_risk")


def day(ahead: int) -> str:
    return (date.today() + timedelta(days=ahead)).isoformat()


def reason(code: str, direction: str, orders: list[int], **params: int) -> dict[str, Any]:
    return {
        "code": code,
        "direction": direction,
        "params": params,
        "model": "sale.order",
        "record_ids": orders,
    }


def publish(site: OdooSite, rows: list[dict[str, Any]], result: dict[str, Any]) -> None:
    """A whole scoring run of a worker."""
    key, names = site.seed["key"], list(rows[0])
    run = site.call(
        "crm.value.sync", "claim_run", key, worker="browser", company_id=site.seed["main"], request=True
    )["run"]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[row[name] for name in names] for row in rows])
    lease = {"run_id": run["id"], "token": run["token"]}
    data = base64.b64encode(zlib.compress(text.getvalue().encode())).decode()
    answer = site.call("crm.value.sync", "publish", key, **lease, batch=1, columns=names, data=data)
    assert answer["ok"] == len(rows), answer
    site.call("crm.value.sync", "close_run", key, **lease, state="done", rows=len(rows), result=result)
    assert not site.value("SELECT warnings FROM crm_value_run WHERE id = %s", [run["id"]])


@pytest.fixture(scope="module")
def known(site: OdooSite) -> Iterator[dict[str, Any]]:
    """A key customer of whom everything is known, and a lost one; the profiles come back."""
    key, lost, category = (
        site.value("SELECT id FROM res_partner WHERE ref = 'customer_001'"),
        site.value("SELECT id FROM res_partner WHERE ref = 'customer_002'"),
        site.value(
            "UPDATE product_template SET categ_id = (SELECT min(id) FROM product_category)"
            " WHERE name->>'en_US' = 'Product 1' RETURNING categ_id"
        ),
    )
    orders = [
        number
        for (number,) in site.sql(
            "SELECT id FROM sale_order WHERE partner_id = %s ORDER BY id DESC LIMIT 3", [key]
        )
    ]
    gone = site.value("SELECT max(id) + 1000 FROM sale_order")
    # Left behind by a run that was broken off.
    site.sql("DROP TABLE IF EXISTS kept_profiles")
    site.sql("CREATE TABLE kept_profiles AS SELECT * FROM crm_value_profile")
    told = {
        "value_class": "key",
        "value_segment": "key_at_risk",
        "loyalty_stage": "preference",
        "lifecycle_stage": "retention",
        "churn_risk": "high",
        "value_type": "value_for_money",
        "lost_type": None,
        "confidence": "enough",
        "value_basis": "margin",
        "churn_probability": 0.62,
        "historical_value": 81200,
        "current_value": 24300,
        "potential_value": 41800,
        "lifetime_value": 147300,
        "order_days": 31,
        "cost_to_serve": 3120,
        "net_value": 8420,
        "next_class_gap": None,
        "value_slope": None,
        "value_trend": None,
        "value_percentile": 0.94,
        "margin_level": "high",
        "composite_rating": 74,
        "rating_contribution": 0.91,
        "rating_compliance": 0.8,
        "rating_integrity": 0.63,
        "rating_influence": 0.4,
        "percentile_integrity": 0.08,
        "percentile_frequency": 0.97,
        "percentile_volume": 0.71,
        "percentile_margin": 0.31,
        "percentile_loyalty": 0.6,
        "recommendations": json.dumps(
            [{"category_id": category, "kind": "replacement", "strength": 0.8, "due": day(12)}]
        ),
        "share_of_customer": 0.42,
        "satisfaction": "unsatisfied",
        "attitude": "loyal_unsatisfied",
        "promise_kept": 0.71,
        "last_contact_date": day(-41),
        "initiator": "customer",
        "preferred_channel": "salesperson",
        "anomaly": "drop",
        "anomaly_percent": -61,
        "anomaly_since": "2026-05-11",
        "reasons": json.dumps(
            [
                reason("late_against_rhythm", "up", orders, days_since=64, typical_gap=21),
                reason("large_orders", "down", [gone], percent=180),
                reason("won_back", "value", orders[:1], silence_days=210),
                # Sent twice by mistake: both are shown.
                reason("top_share", "value", [], rank=3, peers=61),
                reason("top_share", "value", [], rank=3, peers=61),
            ]
        ),
    }
    away = {
        "value_segment": "lost_worth_winning_back",
        "lifecycle_stage": "lost",
        "lost_type": "unintentionally_dropped",
        "anomaly": None,
    }
    columns = ", ".join(f"computed_{label}" for label in LABELS)
    rows = []
    for partner, *labels in site.sql(
        f"SELECT partner_id, {columns} FROM crm_value_profile WHERE company_id = %s", [site.seed["main"]]
    ):
        own = {key: told, lost: told | away}.get(partner, dict(zip(LABELS, labels, strict=True)))
        rows.append({"partner_id": partner} | dict.fromkeys(told) | own)
    portrait = {"format": None, "customers": 9, "basket": 812.0, "rhythm_days": 21.0, "margin_rate": 0.21}
    portrait |= {"discount_share": 0.1, "breadth": None}
    apart = [{"code": "larger_basket", "value": 812.0, "format_value": 402.0}]
    try:
        publish(
            site,
            rows,
            {
                "portraits": [portrait | {"value_class": "key", "apart": apart}],
                "equity": {
                    **{"opening": 900.0, "acquired": 40.0, "won_back": 12.0, "growth": 95.0},
                    **{"decline": 60.0, "lost": 45.0, "closing": 942.0, "customers": {"opening": 58}},
                },
                "concentration": {
                    "basis": "margin",
                    "customers": {
                        **{"top_1": 0.3, "top_5": 0.7, "top_10": 0.9, "hhi": 0.1, "gini": 0.6, "losses": []},
                        **{
                            "customers_for_80_percent": 8,
                            "lorenz": [[0, 0], [0.5, 0.1], [0.8, 0.35], [1, 1]],
                        },
                    },
                },
            },
        )
        yield {"key": key, "lost": lost, "orders": orders}
    finally:
        site.sql("DELETE FROM crm_value_profile; INSERT INTO crm_value_profile SELECT * FROM kept_profiles")
        site.sql("DROP TABLE kept_profiles")


def open_page(page: Page, partner: int) -> None:
    page.goto(f"/odoo/contacts/{partner}")
    page.click(".o_notebook .nav-link:has-text('Customer Value')")
    expect(page.locator(".o_crm_value_page")).to_be_visible()


def test_what_is_known_stands_in_groups(page: Page, known: dict[str, Any], screenshots: Path) -> None:
    page.set_viewport_size({"width": 1400, "height": 1500})
    open_page(page, known["key"])
    box = page.locator("div[name=crm_value]")
    expect(box.locator(".o_crm_value_banner")).to_contain_text(
        "Down 61 % against its own pattern since May 2026"
    )
    expect(box.locator("[name=next_action]")).to_contain_text("Call today: find out why it suddenly")
    shown = page.locator(".o_crm_value_page")
    for group, fact, text in (
        ("who", "value_type", "Value for money"),
        ("who", "value_percentile", "above 94 % of them"),
        ("who", "rating_integrity", "63 %"),
        ("value", "net_value", "8,420"),
        ("relation", "loyalty_stage", "Preference"),
        ("relation", "satisfaction", "Unsatisfied"),
        ("relation", "promise_kept", "71 %"),
        ("life_cycle", "share_of_customer", "about 42 % (estimate)"),
        ("peers", "place_percentile_integrity", "among the lowest tenth"),
        ("peers", "place_percentile_frequency", "among the highest tenth"),
    ):
        expect(shown.locator(f"section[name={group}] [data-fact={fact}]")).to_contain_text(text)
    expect(shown.locator("section[name=relation]")).to_contain_text("Loyal but unsatisfied: captive")
    expect(shown.locator("[data-fact=next_class_gap]")).to_have_count(0)
    page.screenshot(path=screenshots / "customer_page.png")
    open_page(page, known["lost"])
    expect(shown.locator("section").first).to_contain_text("Unintentionally dropped")
    page.screenshot(path=screenshots / "customer_page_lost.png")


def test_a_reason_opens_the_very_records(page: Page, known: dict[str, Any], screenshots: Path) -> None:
    open_page(page, known["key"])
    link = page.locator(".o_crm_value_page [data-code=late_against_rhythm] button")
    expect(link).to_have_text("Orders (3)")
    # by keyboard
    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".o_list_view .o_data_row")).to_have_count(len(known["orders"]))
    expect(page.locator(".o_breadcrumb")).to_contain_text("Last order 64 days ago")
    page.screenshot(path=screenshots / "reason_records.png")
    page.go_back()
    expect(page.locator("div[name=crm_value]")).to_be_visible()


def test_records_that_are_gone_are_said_to_be(page: Page, known: dict[str, Any]) -> None:
    page.goto(f"/odoo/contacts/{known['key']}")
    page.click("div[name=crm_value] [data-code=large_orders] button")
    expect(page.locator(".o_notification")).to_contain_text("not yours to see")
    expect(page.locator("div[name=crm_value]")).to_be_visible()


def test_profile_shows_the_same_page(page: Page, site: OdooSite, known: dict[str, Any]) -> None:
    profile = site.value("SELECT id FROM crm_value_profile WHERE partner_id = %s", [known["key"]])
    page.goto(f"/odoo/action-crm_value_addon.crm_value_profile_action/{profile}")
    expect(page.locator(".o_crm_value_page .o_crm_value_banner")).to_contain_text("Down 61 %")
    page.click(".o_crm_value_page [data-code=won_back] button")
    expect(page.locator(".o_list_view .o_data_row")).to_have_count(1)


def test_product_opens_who_is_likely_to_want_it(
    page: Page, site: OdooSite, known: dict[str, Any], screenshots: Path
) -> None:
    product = site.value("SELECT id FROM product_template WHERE name->>'en_US' = 'Product 1'")
    page.goto(f"/odoo/action-sale.product_template_action/{product}")
    page.click("button[name=action_open_likely_customers]")
    expect(page.locator(".o_list_view .o_data_row")).to_have_count(2)
    page.screenshot(path=screenshots / "likely_customers.png")


def test_analysis(page: Page, known: dict[str, Any], screenshots: Path) -> None:
    page.goto("/odoo/action-crm_value_addon.crm_value_portrait_action")
    expect(page.locator(".o_data_row [name=apart_text]")).to_contain_text("Larger orders")
    page.screenshot(path=screenshots / "portraits.png")
    page.goto("/odoo/action-crm_value_addon.crm_value_equity_action")
    page.wait_for_selector(".o_graph_view canvas")
    steps = page.evaluate("() => Chart.getChart(document.querySelector('.o_graph_view canvas')).data.labels")
    assert [step[0] if isinstance(step, list) else step for step in steps] == [
        "Opening",
        "Acquired",
        "Won back",
        "Growth",
        "Decline",
        "Lost",
        "Closing",
    ]
    page.wait_for_timeout(1500)  # bars grow
    page.screenshot(path=screenshots / "customer_equity.png")
    page.goto("/odoo/action-crm_value_addon.crm_value_profile_action_attitude")
    expect(page.locator(".o_pivot table")).to_contain_text("Loyal, unsatisfied")
    expect(page.locator(".o_pivot table")).to_contain_text("Count")
    page.screenshot(path=screenshots / "attitude_pivot.png")


def test_equity_and_concentration_as_pictures(page: Page, known: dict[str, Any], screenshots: Path) -> None:
    """Drawn, told in a sentence, and there as a table with all figures."""
    page.goto("/odoo/action-crm_value_addon.crm_value_equity_action_latest")
    picture = page.locator("figure[name=equity_bridge]")
    expect(picture.locator("canvas")).to_have_attribute("aria-label", re.compile("went from .*900 to .*942"))
    bars = page.evaluate(
        "() => Chart.getChart(document.querySelector('figure[name=equity_bridge] canvas')).data.datasets[0].data"
    )
    assert bars == [[0, 900], [900, 940], [940, 952], [952, 1047], [1047, 987], [987, 942], [0, 942]]
    assert painted(page, "equity_bridge")
    rows = picture.locator("tbody tr")
    expect(rows).to_have_count(7)
    expect(rows.nth(0)).to_contain_text("Opening")
    expect(rows.nth(0)).to_contain_text("58")
    expect(rows.nth(5)).to_contain_text("\u2212")
    page.screenshot(path=screenshots / "customer_equity_bridge.png")

    page.goto("/odoo/action-crm_value_addon.crm_value_concentration_action_latest")
    picture = page.locator("figure[name=lorenz]")
    expect(picture.locator("p")).to_contain_text("The largest fifth carries 65%")
    assert painted(page, "lorenz")
    picture.locator("summary").click()
    rows = picture.locator("tbody tr")
    expect(rows).to_have_count(10)
    # by the straight line between the points that are known
    expect(rows.nth(0)).to_have_text(re.compile(r"10%\s*33%|10%\s*32%"))
    expect(rows.nth(4)).to_have_text(re.compile(r"50%\s*90%"))
    page.screenshot(path=screenshots / "concentration.png")


def painted(page: Page, name: str) -> bool:
    """Whether there is anything on the canvas of a picture."""
    return page.evaluate(
        """name => {
            const canvas = document.querySelector(`figure[name=${name}] canvas`);
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return data.some(Boolean);
        }""",
        name,
    )


def test_sheet_is_one_page(page: Page, known: dict[str, Any], screenshots: Path) -> None:
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))  # a report has none
    page.goto(f"/report/html/crm_value_addon.value_sheet/{known['key']}")
    sheet = page.locator(".o_crm_value_sheet")
    expect(sheet.locator(".o_next_action")).to_contain_text("Call today")
    expect(sheet.locator(".o_places")).to_contain_text("among the lowest tenth")
    page.set_viewport_size({"width": 900, "height": 1200})
    page.screenshot(path=screenshots / "value_sheet.png")
    printed = page.pdf(format="A4", path=screenshots / "value_sheet.pdf", print_background=True)
    assert len(re.findall(rb"/Type /Page\b", printed)) == 1
