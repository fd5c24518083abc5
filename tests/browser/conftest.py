"""A scored Odoo for the session, and pages of a real browser that fail on any error in its console."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from odoo_site import ROOT, OdooSite, Worker
from playwright.sync_api import Browser, Page, expect, sync_playwright

# Debian's package of Odoo lacks this file of a feature nobody uses here.
KNOWN_ERRORS = ("selfie_segmentation",)
DATABASE = "worker"
# How long to wait for what has to come; other suites keep the cores busy meanwhile.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def screenshots() -> Path:
    folder = ROOT / ".state" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OdooSite]:
    """Odoo with a history that the worker has scored."""
    given = os.environ.get("CV_STATE")
    state = Path(given) if given else ROOT / ".state" / "test-browser"
    site = OdooSite(state, "invoicing", "fresh", "story", first_port=8300)
    try:
        site.prepare()
        site.start()
        finished = Worker(site, tmp_path_factory.mktemp("worker")).run("run")
        assert finished.code == 0, finished
        yield site
    finally:
        site.stop()
        if not given:
            site.script("stop")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ["CV_CHROMIUM"], args=["--disable-background-networking"]
        )
        yield browser
        browser.close()


@contextmanager
def logged_in(
    browser: Browser, site: OdooSite, login: str, password: str, database: str = DATABASE
) -> Iterator[Page]:
    """A page of a user; the test fails when its console shows an error."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, base_url=site.url)
    page = context.new_page()
    page.set_default_timeout(60_000)
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"/web/login?db={database}")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", password)
    page.click("button[type=submit]")
    page.wait_for_selector(".o_main_navbar")
    yield page
    context.close()
    assert [error for error in errors if not any(known in error for known in KNOWN_ERRORS)] == []


def choose_menu(page: Page, section: str, item: str) -> None:
    """Opens a screen of the app by its menu. The screen before has to be drawn: that closes an open menu."""
    page.click(f".o_menu_sections button:has-text('{section}')")
    page.click(f".o-dropdown--menu .o-dropdown-item:text-is('{item}')")


@contextmanager
def serving(site: OdooSite, folder: Path, **settings: Any) -> Iterator[None]:
    """A worker that waits for what people request."""
    worker = Worker(site, folder, poll_seconds=0.5, **settings)
    process = subprocess.Popen(
        [sys.executable, "-m", "sync_worker", "serve"],
        env=worker.environment(),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(15)


@pytest.fixture
def page(browser: Browser, site: OdooSite) -> Iterator[Page]:
    """A page of the administrator."""
    with logged_in(browser, site, "admin", "admin") as page:
        yield page


@pytest.fixture(scope="session")
def seller(site: OdooSite) -> int:
    """A salesperson with own documents only, login and password ``seller``."""
    group = site.value(
        "SELECT res_id FROM ir_model_data WHERE module = 'sales_team' AND name = 'group_sale_salesman'"
    )
    values = {"name": "Sandy Seller", "login": "seller", "password": "seller", "email": "sandy@shop.example"}
    values |= {"company_id": site.seed["main"], "company_ids": [[6, 0, [site.seed["main"]]]]}
    (user,) = site.call("res.users", "create", vals_list=[values | {"group_ids": [[4, group]]}])
    return user


@pytest.fixture
def seller_page(browser: Browser, site: OdooSite, seller: int) -> Iterator[Page]:
    """A page of that salesperson."""
    assert seller
    with logged_in(browser, site, "seller", "seller") as page:
        yield page
