"""A preview foretells what activating the draft then does, customer by customer."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from odoo_site import OdooSite, Worker, wait_until

LABELS = ("value_class", "value_segment", "loyalty_stage", "lifecycle_stage", "churn_risk")


@pytest.fixture
def serving(worker: Worker) -> Iterator[Worker]:
    """A worker that scored the companies and waits for more."""
    assert worker.run("run").code == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "sync_worker", "serve"],
        env=worker.environment(poll_seconds=0.5),
        cwd=worker.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield worker
    process.terminate()
    process.wait(15)


@pytest.fixture
def draft(odoo: OdooSite) -> Iterator[int]:
    """A draft of another policy; the policy that was active is again in force afterwards."""
    main = odoo.seed["main"]
    active = odoo.value(
        "SELECT id FROM crm_value_policy_version WHERE company_id = %s AND state = 'active'", [main]
    )
    rules = {
        "key_share": "0.5",
        "dormant_days": "30",
        "dormant_factor": "1",
        "lost_days": "40",
        "lost_factor": "1.01",
    }
    (version,) = odoo.call(
        "crm.value.policy.version",
        "create",
        vals_list=[
            {
                "company_id": main,
                "rule_ids": [[0, 0, {"key": key, "value": value}] for key, value in rules.items()],
            }
        ],
    )
    yield version
    if active:
        odoo.sql("UPDATE crm_value_policy_version SET state = 'superseded' WHERE id = %s", [version])
        odoo.sql("UPDATE crm_value_policy_version SET state = 'active' WHERE id = %s", [active])


def previewed(odoo: OdooSite, version: int) -> dict[str, Any]:
    """What the preview of a draft found, as the run keeps it."""
    odoo.call("crm.value.policy.version", "action_preview", ids=[version])

    def found() -> dict[str, Any] | None:
        state, result, error = odoo.sql(
            "SELECT state, result, error FROM crm_value_run WHERE kind = 'preview' ORDER BY id DESC LIMIT 1"
        )[0]
        assert state != "failed", error
        return result["preview"] if state == "done" else None

    return wait_until(found, 30, "the preview was not done")


def labels(odoo: OdooSite) -> dict[int, tuple[str, ...]]:
    columns = ", ".join(f"computed_{label}" for label in LABELS)
    rows = odoo.sql(
        f"SELECT partner_id, {columns} FROM crm_value_profile WHERE company_id = %s", [odoo.seed["main"]]
    )
    return {partner: tuple(values) for partner, *values in rows}


def test_a_preview_foretells_the_next_run(serving: Worker, odoo: OdooSite, draft: int) -> None:
    before = labels(odoo)
    found = previewed(odoo, draft)
    columns = ", ".join([f"before_{label}" for label in LABELS] + [*LABELS])
    rows = odoo.sql(f"SELECT partner_id, {columns} FROM crm_value_preview WHERE version_id = %s", [draft])
    told = {partner: (tuple(values[:5]), tuple(values[5:])) for partner, *values in rows}
    assert found["changed"] == len(told) > 0
    assert labels(odoo) == before, "a preview publishes nothing"
    assert {partner: before[partner] for partner in told} == {
        partner: pair[0] for partner, pair in told.items()
    }

    odoo.call("crm.value.policy.version", "action_activate", ids=[draft])
    assert serving.run("run").code == 0
    after = labels(odoo)
    changed = {
        partner: (before[partner], after[partner]) for partner in before if before[partner] != after[partner]
    }
    assert changed == told
    causes = odoo.sql(
        "SELECT partner_id, cause FROM crm_value_history WHERE company_id = %s AND valid_to IS NULL",
        [odoo.seed["main"]],
    )
    assert {cause for partner, cause in causes if partner in changed} == {"policy"}


def test_a_preview_without_anything_kept_is_the_same(serving: Worker, odoo: OdooSite, draft: int) -> None:
    quick = previewed(odoo, draft)
    kept = list((serving.folder / "state").rglob("*.joblib"))
    assert kept
    for path in kept:
        path.unlink()
    assert previewed(odoo, draft) == quick
