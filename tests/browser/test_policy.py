"""A manager drafts a policy, sees what it would change, and whom."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import serving
from odoo_site import OdooSite
from playwright.sync_api import Page, expect


@pytest.fixture
def served(site: OdooSite, tmp_path: Path) -> Iterator[None]:
    with serving(site, tmp_path):
        yield


@pytest.fixture
def draft(site: OdooSite) -> Iterator[int]:
    rules = {
        "key_share": "0.5",
        "lost_days": "100",
        "dormant_days": "60",
        "lost_factor": "1.5",
        "dormant_factor": "1",
    }
    (version,) = site.call(
        "crm.value.policy.version",
        "create",
        vals_list=[
            {
                "company_id": site.seed["main"],
                "note": "Fewer key customers, and lost sooner",
                "rule_ids": [[0, 0, {"key": key, "value": value}] for key, value in rules.items()],
            }
        ],
    )
    yield version
    site.call("crm.value.policy.version", "unlink", ids=[version])


def test_manager_previews_a_draft(
    page: Page, site: OdooSite, served: None, draft: int, screenshots: Path
) -> None:
    page.goto(f"/odoo/action-crm_value_addon.crm_value_policy_version_action/{draft}")
    differences = page.locator("div[name=differences] tbody tr")
    expect(differences).to_have_count(5)
    expect(page.locator("div[name=differences] tr[data-key=key_share]")).to_contain_text("0.8")
    page.click("button[name=action_preview]")
    preview = page.locator("div[name=preview]")
    expect(preview.locator("[data-state=done]")).to_be_visible(timeout=60_000)
    expect(preview).to_contain_text("customers would carry another label")
    moves = preview.locator("section[data-label=value_class] tbody tr")
    expect(moves.first).to_contain_text("Key (A)")
    page.screenshot(path=screenshots / "policy_preview.png", full_page=True)

    told = int(moves.first.locator("button").inner_text())
    moves.first.locator("button").click()
    expect(page.locator(".o_list_table .o_data_row")).to_have_count(told)
    page.go_back()
    preview.locator("button:has-text('By salesperson')").click()
    expect(page.locator(".o_pivot table")).to_contain_text("Count")
    page.screenshot(path=screenshots / "policy_preview_pivot.png")


def test_a_changed_draft_asks_for_another_preview(
    page: Page, site: OdooSite, served: None, draft: int
) -> None:
    page.goto(f"/odoo/action-crm_value_addon.crm_value_policy_version_action/{draft}")
    page.click("button[name=action_preview]")
    preview = page.locator("div[name=preview]")
    expect(preview.locator("[data-state=done]")).to_be_visible(timeout=60_000)
    page.click("div[name=rule_ids] .o_data_row:has-text('Key customers') td[name=value] >> nth=0")
    page.fill("div[name=rule_ids] .o_selected_row div[name=value] input", "0.6")
    page.click(".o_form_button_save")
    expect(preview).to_contain_text("preview again")
