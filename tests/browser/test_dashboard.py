"""The dashboard, whose figures open their customers, and the first steps of a manager."""

from pathlib import Path

from odoo_site import OdooSite
from playwright.sync_api import Page, expect


def test_every_figure_opens_its_customers(page: Page, site: OdooSite, screenshots: Path) -> None:
    page.goto("/odoo/customer-value")
    segments = page.locator("[data-card=segments] tbody tr")
    expect(segments.first).to_be_visible()
    expect(page.locator("[data-card=cohorts] table")).to_be_visible()
    page.screenshot(path=screenshots / "dashboard.png", full_page=True)
    counted = dict(
        site.sql(
            "SELECT effective_value_segment, count(*) FROM crm_value_profile WHERE company_id = %s"
            " AND effective_value_segment IS NOT NULL GROUP BY 1",
            [site.seed["main"]],
        )
    )
    shown = {
        row.get_attribute("data-value"): int(row.locator("button").inner_text()) for row in segments.all()
    }
    assert shown == counted
    segment = max(counted, key=counted.get)
    page.click(f"[data-card=segments] tr[data-value={segment}] button")
    expect(page.locator(".o_pager_limit, .o_pager_counter .o_pager_limit").first).to_have_text(
        str(counted[segment])
    )
    page.locator(".o_breadcrumb a", has_text="Dashboard").first.click()
    expect(segments.first).to_be_visible()


def test_on_a_narrow_screen(page: Page, screenshots: Path) -> None:
    page.set_viewport_size({"width": 400, "height": 900})
    page.goto("/odoo/customer-value")
    expect(page.locator("[data-card=segments] tbody tr").first).to_be_visible()
    page.screenshot(path=screenshots / "dashboard_narrow.png")
    card = page.locator("[data-card=segments]").bounding_box()
    assert card and card["width"] <= 400


def test_first_steps(page: Page, site: OdooSite, screenshots: Path) -> None:
    page.goto("/odoo/customer-value-first-steps")
    expect(page.locator("[data-step=run]")).to_have_attribute("data-done", "true")
    expect(page.locator("[data-step=policy]")).to_have_attribute("data-done", "false")
    page.screenshot(path=screenshots / "first_steps.png", full_page=True)
    page.click("[data-step=policy] .btn-link")
    expect(page.locator("[data-step=policy]")).to_have_attribute("data-done", "true")
    page.check("[data-item=training] input")
    expect(page.locator("[data-item=training]")).to_contain_text("Administrator")
    page.click("[data-step=run] .btn-primary")
    expect(page.locator("[data-step=run]")).to_contain_text("Waiting for a worker")
    site.sql("UPDATE crm_value_run SET state = 'cancelled' WHERE state = 'requested'")
    expect(page.locator("[data-step=run] .btn-primary")).to_be_visible()
