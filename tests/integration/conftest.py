"""One Odoo for the session, and a clean slate of runs for every test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from odoo_site import ROOT, OdooSite, Worker


@pytest.fixture(scope="session")
def site() -> Iterator[OdooSite]:
    given = os.environ.get("CV_STATE")  # script/test starts and stops its own PostgreSQL
    state = Path(given) if given else ROOT / ".state" / "test-integration"
    site = OdooSite(state, "bare", "neutral", "modules", "invoicing", first_port=8200)
    try:
        site.prepare()
        site.start()
        yield site
    finally:
        site.stop()
        if not given:
            site.script("stop")


@pytest.fixture
def odoo(site: OdooSite) -> OdooSite:
    """The site without runs, profiles and objections."""
    site.reset()
    return site


@pytest.fixture
def worker(odoo: OdooSite, tmp_path: Path) -> Worker:
    return Worker(odoo, tmp_path)


@pytest.fixture(params=["json2", "odoorpc"])
def either(request: pytest.FixtureRequest, odoo: OdooSite, tmp_path: Path) -> Worker:
    """The worker over each of the two protocols."""
    return Worker(odoo, tmp_path, transport=request.param, login="sync")
