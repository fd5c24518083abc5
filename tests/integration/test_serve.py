"""`serve`: work within seconds of the request, through restarts of Odoo, and a quick end."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from odoo_site import OdooSite, Worker, wait_until


@pytest.fixture(params=["json2", "odoorpc"])
def serving(request, odoo: OdooSite, tmp_path: Path) -> Iterator["Serving"]:
    worker = Worker(odoo, tmp_path, transport=request.param, login="sync")
    serving = Serving(worker, odoo, tmp_path / "health.json")
    yield serving
    serving.end()


class Serving:
    """A serving worker whose log can be read."""

    def __init__(self, worker: Worker, odoo: OdooSite, health: Path):
        self.worker, self.odoo, self.health = worker, odoo, health
        self.log = worker.folder / "serve.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sync_worker", "serve", "--health-file", str(health)],
                env=worker.environment(poll_seconds=0.5, attempts=2),
                cwd=worker.folder,
                stdout=log,
                stderr=log,
            )
        wait_until(lambda: self.shown().get("state") == "idle", 30, "it does not serve")

    def shown(self) -> dict:
        try:
            return json.loads(self.health.read_text())
        except FileNotFoundError:
            return {}

    def request(self, company: int) -> None:
        self.odoo.sql(
            "INSERT INTO crm_value_run (company_id, kind, state, requested_at)"
            " VALUES (%s, 'score', 'requested', now() AT TIME ZONE 'UTC')",
            [company],
        )

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(15)


def test_requested_run_is_done_within_seconds(serving: Serving, odoo: OdooSite):
    serving.request(odoo.seed["main"])
    started = time.monotonic()
    wait_until(lambda: odoo.run_row()["state"] == "done", 15, "the run was not done")
    assert time.monotonic() - started < 10
    shown = wait_until(
        lambda: serving.shown() if serving.shown()["last_run"] else None, 5, "no run in the health file"
    )
    assert shown["last_run"]["state"] == "done"
    assert shown["last_run"]["customers"] > 60
    well = serving.worker.run("health", "--health-file", str(serving.health), "--max-age", "30")
    assert well.code == 0, well


def test_manager_requests_a_run_in_odoo(serving: Serving, odoo: OdooSite):
    odoo.call("crm.value.run", "action_request")
    wait_until(lambda: odoo.run_row().get("state") == "done", 15, "the run was not done")
    assert odoo.run_row()["company_id"] == odoo.seed["main"]


def test_manager_requests_a_backtest_in_odoo(serving: Serving, odoo: OdooSite):
    pytest.importorskip("sync_worker.scoring.backtest")
    odoo.call("crm.value.run", "action_request_backtest")
    wait_until(lambda: odoo.run_row().get("state") == "done", 60, "the back-test was not done")
    run, company = odoo.run_row()["id"], odoo.seed["main"]
    graded = odoo.sql(
        "SELECT count(*) FILTER (WHERE format_id IS NULL), min(company_id) FROM crm_value_grade WHERE run_id = %s",
        [run],
    )
    assert graded == [(1, company)]
    assert odoo.value("SELECT count(*) FROM crm_value_profile") == 0, "a back-test scores nobody"


def test_survives_a_restart_of_odoo(serving: Serving, odoo: OdooSite):
    odoo.stop()
    try:
        wait_until(lambda: serving.shown()["state"] == "unreachable", 30, "the loss was not noticed")
        time.sleep(3)
        unwell = serving.worker.run("health", "--health-file", str(serving.health))
        assert unwell.code == 1, unwell
    finally:
        odoo.start()
    wait_until(lambda: serving.shown()["state"] == "idle", 60, "it did not come back")
    serving.request(odoo.seed["main"])
    wait_until(lambda: odoo.run_row()["state"] == "done", 30, "the run was not done")
    log = serving.log.read_text()
    assert log.count("Waiting for it") == 1, log
    assert "Traceback" not in log


def test_odoo_dies_during_a_run(odoo: OdooSite, tmp_path: Path):
    serving = Serving(Worker(odoo, tmp_path, batch_rows=1), odoo, tmp_path / "health.json")
    try:
        serving.request(odoo.seed["main"])
        wait_until(lambda: odoo.value("SELECT count(*) FROM crm_value_staging") >= 3, 30, "no batch arrived")
        odoo.stop(signal.SIGKILL)
        odoo.start()
        assert odoo.value("SELECT count(*) FROM crm_value_profile") == 0
        wait_until(lambda: serving.shown()["state"] == "idle", 90, "it did not come back")
        # Whether the worker could close the run depends on how long the restart took; the next one completes.
        odoo.sql("UPDATE crm_value_run SET lease_until = now() AT TIME ZONE 'UTC' WHERE state = 'running'")
        if odoo.run_row()["state"] not in ("running", "done"):
            serving.request(odoo.seed["main"])
        wait_until(lambda: odoo.run_row()["state"] == "done", 60, "no run completed")
        assert odoo.value("SELECT count(*) FROM crm_value_profile") > 60
    finally:
        serving.end()


def test_ends_within_seconds(serving: Serving):
    started = time.monotonic()
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(10) == 130
    assert time.monotonic() - started < 5
    assert serving.shown()["state"] == "stopped"


def test_a_key_that_is_refused_ends_it(worker: Worker):
    done = worker.run("serve", api_key="0123456789abcdef")
    assert done.code == 4, done


def test_the_start_waits_for_odoo(worker: Worker, tmp_path: Path):
    health = tmp_path / "health.json"
    process = worker.start(
        "serve", "--health-file", str(health), url="http://127.0.0.1:8299", attempts=1, poll_seconds=0.5
    )
    wait_until(
        lambda: health.exists() and json.loads(health.read_text())["state"] == "unreachable", 20, "no state"
    )
    assert process.poll() is None
    process.terminate()
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert err.count("cannot be reached") == 1, err


def test_a_due_run_is_done_unasked(serving: Serving, odoo: OdooSite):
    main = odoo.seed["main"]
    odoo.sql("UPDATE res_company SET crm_value_interval_hours = 24 WHERE id = %s", [main])
    try:
        wait_until(lambda: odoo.run_row().get("state") == "done", 20, "the due run was not done")
        time.sleep(2)
        assert odoo.value("SELECT count(*) FROM crm_value_run") == 1
    finally:
        odoo.sql("UPDATE res_company SET crm_value_interval_hours = 0 WHERE id = %s", [main])
