"""What a manager reads about the quality of the forecasts, and what people see where it is poor."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from odoo_site import OdooSite
from playwright.sync_api import Page, expect

GRADES = "/odoo/action-crm_value_addon.crm_value_grade_action"
POINTS = [0.05, 0.15, 0.25, 0.35, 0.45, 0.5, 0.6, 0.7, 0.85, 0.95]


def grade(business_format: int | None, letter: str | None, **values: Any) -> dict[str, Any]:
    """A grade as the worker sends it."""
    return {
        "format": business_format,
        "grade": letter,
        "missing": None,
        "cutoff": "2026-08-24",
        "customers": 412,
        "churned": 61,
        "listed": 50,
        "found": 23,
        "found_value": 81234.0,
        "rule": {"code": "recency", "params": {"days": 60}},
        "rule_found": 15,
        "rule_found_value": 52100.0,
        "chance_found": 7.4,
        **{"auc": 0.781, "auc_low": 0.75, "auc_high": 0.81},
        **{"rule_auc": 0.741, "gain": 0.04, "gain_low": 0.012, "gain_high": 0.068},
        **{"brier": 0.101, "base_brier": 0.126, "ece": 0.021, "value_log_bias": 0.04, "coverage": 0.81},
        "calibration": [
            {"predicted": 0.02 + part * 0.8, "actual": part * part + 0.02, "customers": 41} for part in POINTS
        ],
        "lift": [
            {
                "share": (number + 1) / 10,
                "found": 1 - (1 - part) ** 2,
                "found_value": 1 - (1 - part) ** 1.7,
                "rule_found": 1 - (1 - part) ** 1.4,
                "rule_found_value": 1 - (1 - part) ** 1.2,
            }
            for number, part in enumerate([*POINTS[1:], 1.0])
        ],
        "deciles": [],
        **values,
    }


@pytest.fixture(scope="module")
def judged(site: OdooSite) -> Iterator[int]:
    """A back-test that a worker has answered; the business format with a poor grade."""
    poor = site.value("SELECT id FROM crm_value_format WHERE code = 'wholesale'")
    thin = site.value("SELECT id FROM crm_value_format WHERE code = 'grocery'")
    key = site.seed["key"]
    answer = site.call(
        "crm.value.sync",
        "claim_run",
        key,
        worker="browser",
        company_id=site.seed["main"],
        kind="backtest",
        request=True,
    )
    missing = dict.fromkeys(grade(None, None)) | {"calibration": [], "lift": [], "deciles": []}
    site.call(
        "crm.value.sync",
        "close_run",
        key,
        run_id=answer["run"]["id"],
        token=answer["run"]["token"],
        state="done",
        result={
            "backtest": {
                "horizon_days": 90,
                "grades": [
                    grade(None, "A"),
                    grade(poor, "D", auc_low=0.46, gain=-0.02, value_log_bias=0.4),
                    {**missing, "format": thin, "missing": "customers", "customers": 12},
                ],
            }
        },
    )
    yield poor
    site.sql("DELETE FROM crm_value_run WHERE kind = 'backtest'")


def drawn(page: Page, name: str) -> list[Any]:
    """Label and values of each line of a chart."""
    return page.evaluate(
        """name => Chart.getChart(document.querySelector(`figure[name=${name}] canvas`))
            .data.datasets.map(line => [line.label, line.data.map(point => point.y)])""",
        name,
    )


def test_manager_reads_how_good_the_forecast_is(page: Page, judged: int, screenshots: Path) -> None:
    page.goto(GRADES)
    rows = page.locator(".o_data_row")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("of the 50 customers we would have called most at risk 23 did not")
    expect(rows.nth(1)).to_contain_text("No skill")
    expect(rows.nth(2)).to_contain_text("Too little data to tell")
    page.screenshot(path=screenshots / "forecast_quality_list.png")
    rows.nth(0).locator("td[name=story]").click()
    expect(page.locator(".o_form_view [name=story]")).to_contain_text("(silent for 60 days or more) finds 15")
    expect(page.locator("h1 [name=grade]")).to_have_text("A")
    assert [label for label, _values in drawn(page, "calibration")] == [
        "What came",
        "Had it all come as forecast",
    ]
    customers = drawn(page, "lift")
    assert [label for label, _values in customers] == ["Forecast", "Best simple rule", "Drawn by lot"]
    assert customers[0][1][1] == pytest.approx(1 - 0.85**2)
    page.screenshot(path=screenshots / "forecast_quality.png")

    page.click("figure[name=lift] button[name=value]")
    expect(page.locator("figure[name=lift] button[name=value]")).to_have_attribute("aria-pressed", "true")
    money = drawn(page, "lift")
    assert money[0][1][1] == pytest.approx(1 - 0.85**1.7)
    assert money[1][1][1] == pytest.approx(1 - 0.85**1.2)
    for name in ("calibration", "lift"):
        expect(page.locator(f"figure[name={name}] canvas")).to_have_attribute(
            "aria-label", re.compile(r"\w+")
        )
        page.click(f"figure[name={name}] summary")
        expect(page.locator(f"figure[name={name}] tbody tr")).to_have_count(10)
    expect(page.locator("figure[name=lift] tbody tr").first).to_contain_text("28%")

    page.click("button:has-text('Over Time')")
    expect(page.locator(".o_graph_view canvas")).to_be_visible()
    expect(page.locator(".o_facet_value")).to_have_text("Whole company")


def test_poor_grade_warns(page: Page, judged: int, screenshots: Path) -> None:
    page.goto(GRADES)
    page.locator(".o_data_row").nth(1).locator("td[name=story]").click()
    alerts = page.locator(".o_form_view .alert:visible")
    expect(alerts.nth(0)).to_contain_text("No skill")
    expect(alerts.nth(1)).to_contain_text("49 % too high")
    page.screenshot(path=screenshots / "forecast_quality_poor.png")
    page.goto(GRADES)
    page.locator(".o_data_row").nth(2).locator("td[name=verdict]").click()
    expect(page.locator(".o_form_view .alert:visible")).to_contain_text("Too little data to tell")
    expect(page.locator("figure canvas")).to_have_count(0)


def test_manager_asks_for_a_backtest(page: Page, site: OdooSite, judged: int) -> None:
    page.goto(GRADES)
    page.click("button:has-text('Back-test Now')")
    expect(page.locator(".o_notification")).to_contain_text("is requested")
    assert site.sql("SELECT kind FROM crm_value_run WHERE state = 'requested'") == [("backtest",)]


def test_what_is_not_reliable_is_not_shown(
    page: Page, site: OdooSite, judged: int, screenshots: Path
) -> None:
    profile, partner = site.sql(
        "SELECT id, partner_id FROM crm_value_profile WHERE company_id = %s AND effective_value_class = 'key'"
        " AND effective_churn_risk IS NOT NULL ORDER BY lifetime_value DESC LIMIT 1",
        [site.seed["main"]],
    )[0]
    kept = site.sql(
        "SELECT churn_probability, effective_churn_risk FROM crm_value_profile WHERE id = %s", [profile]
    )
    change = (
        "UPDATE crm_value_profile SET churn_withheld = %s, churn_probability = %s, effective_churn_risk = %s"
        " WHERE id = %s"
    )
    site.sql(change, [True, None, None, profile])
    try:
        page.goto(f"/odoo/contacts/{partner}")
        panel = page.locator("div[name=crm_value]")
        expect(panel).to_contain_text("Not reliable here")
        expect(panel.locator("[name=churn_probability]")).to_have_count(0)
        expect(panel.locator("[name=value_class]")).to_have_text("Key (A)")
        page.screenshot(path=screenshots / "partner_form_withheld.png")
        panel.locator("text=Not reliable here").click()
        expect(page.locator(".o_data_row")).to_have_count(3)
    finally:
        site.sql(change, [False, *kept[0], profile])
