"""Workers that are killed, stopped, doubled or overtaken, and customers that change under a run."""

import contextlib
import os
import signal
from collections.abc import Iterator
from unittest import mock

import pytest
from odoo_site import OdooSite, Worker, wait_until

from sync_worker import config, publication, run
from sync_worker.handshake import describe
from sync_worker.transport import connect

PROFILES = """SELECT partner_id, computed_value_class, lifetime_value, changed_run_id
                FROM crm_value_profile ORDER BY partner_id"""


@pytest.fixture
def slow(worker: Worker) -> Worker:
    """A worker that sends many small batches."""
    worker.settings["batch_rows"] = 1
    return worker


@pytest.fixture
def before(worker: Worker, odoo: OdooSite):
    """Profiles of an earlier run, each of which the next run would change."""
    assert worker.run("run", "--company", str(odoo.seed["main"])).code == 0
    odoo.sql("UPDATE crm_value_profile SET lifetime_value = lifetime_value + 1")
    return odoo.sql(PROFILES)


def staged(odoo: OdooSite) -> int:
    return odoo.value("SELECT count(*) FROM crm_value_staging")


@contextlib.contextmanager
def batch_held_up(odoo: OdooSite, number: int) -> Iterator[None]:
    """Lets no run end meanwhile, however fast: a row of that batch, which publishing replaces, is locked."""
    wait_until(lambda: odoo.run_row().get("state") == "running", 60, "no run was claimed")
    run_id = odoo.run_row()["id"]
    odoo.sql("INSERT INTO crm_value_staging (run_id, batch, partner_id) VALUES (%s, %s, 0)", [run_id, number])
    connection = odoo.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM crm_value_staging WHERE batch = %s FOR UPDATE", [number])
            yield
    finally:
        connection.close()


def expire_lease(odoo: OdooSite) -> None:
    past = "now() AT TIME ZONE 'UTC' - interval '1 minute'"
    odoo.sql(f"UPDATE crm_value_run SET lease_until = {past} WHERE state = 'running'")


def main_company(odoo: OdooSite) -> list[str]:
    return ["--company", str(odoo.seed["main"])]


def test_killed_between_batches(slow: Worker, odoo: OdooSite, before):
    process = slow.start("run", *main_company(odoo))
    wait_until(lambda: staged(odoo) >= 3, 60, "no batch arrived")
    process.kill()
    process.communicate()
    assert staged(odoo) < odoo.customers()
    assert odoo.sql(PROFILES) == before
    killed = odoo.run_row()
    assert killed["state"] == "running"
    # The lease protects the dead worker's run until it ends.
    busy = slow.run("run", *main_company(odoo))
    assert busy.code == 6, busy
    assert killed["worker"] in busy.err
    expire_lease(odoo)
    done = slow.run("run", "--json", *main_company(odoo), batch_rows=1000)
    assert done.code == 0, done
    assert done.json["runs"][0]["run_id"] == killed["id"]
    assert done.json["runs"][0]["counts"]["updated"] == odoo.customers()
    assert odoo.run_row()["attempt"] == 2
    assert staged(odoo) == 0


def test_killed_while_closing(worker: Worker, odoo: OdooSite, before):
    blocker = odoo.connect()
    try:
        with blocker.cursor() as cursor:
            cursor.execute("LOCK TABLE crm_value_profile IN SHARE ROW EXCLUSIVE MODE")
        process = worker.start("run", *main_company(odoo))
        waiting = "wait_event_type = 'Lock' AND query ILIKE '%%crm_value_profile%%'"
        wait_until(
            lambda: odoo.value(f"SELECT count(*) FROM pg_stat_activity WHERE {waiting}"),
            60,
            "the merge did not begin",
        )
        process.kill()
        process.communicate()
        assert odoo.sql(PROFILES) == before
    finally:
        blocker.rollback()
        blocker.close()
    # Odoo ends the merge it has begun, as a whole; the worker is not needed for it.
    wait_until(lambda: odoo.run_row()["state"] == "done", 30, "the merge did not end")
    assert all(row[3] == odoo.run_row()["id"] for row in odoo.sql(PROFILES))
    assert worker.run("run", *main_company(odoo)).code == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stopped_by_operator(slow: Worker, odoo: OdooSite, before, how: int):
    process = slow.start("run", *main_company(odoo))
    with batch_held_up(odoo, 40):
        wait_until(lambda: staged(odoo) >= 3, 60, "no batch arrived")
        process.send_signal(how)
    _, err = process.communicate(timeout=15)
    assert process.returncode == 130, err
    assert "Stopped by operator" in err
    assert "Traceback" not in err
    row = odoo.run_row()
    assert (row["state"], row["error"]) == ("failed", "stopped by operator")
    assert odoo.sql(PROFILES) == before
    assert staged(odoo) == 0


def test_lease_lost_to_another_worker(slow: Worker, odoo: OdooSite, before):
    first = slow.start("run", *main_company(odoo))
    wait_until(lambda: staged(odoo) >= 3, 60, "no batch arrived")
    first.send_signal(signal.SIGSTOP)  # a machine that sleeps longer than its lease
    expire_lease(odoo)
    done = slow.run("run", "--json", *main_company(odoo), batch_rows=1000)
    assert done.code == 0, done
    taken_over = odoo.sql(PROFILES)
    first.send_signal(signal.SIGCONT)
    out, err = first.communicate(timeout=60)
    assert first.returncode == 7, (out, err)
    assert "no longer yours" in err
    row = odoo.run_row()
    assert (row["state"], row["attempt"]) == ("done", 2)
    assert odoo.sql(PROFILES) == taken_over
    assert {changed for *_, changed in taken_over} == {row["id"]}
    assert staged(odoo) == 0


def test_run_cancelled_in_odoo(slow: Worker, odoo: OdooSite, before):
    process = slow.start("run", *main_company(odoo))
    wait_until(lambda: staged(odoo) >= 3, 60, "no batch arrived")
    process.send_signal(signal.SIGSTOP)
    odoo.call("crm.value.run", "action_cancel", ids=[odoo.run_row()["id"]])
    process.send_signal(signal.SIGCONT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 7, err
    assert odoo.run_row()["state"] == "cancelled"
    assert odoo.sql(PROFILES) == before


def test_two_workers_at_once(slow: Worker, odoo: OdooSite):
    first = slow.start("run", *main_company(odoo), worker="first:1")
    wait_until(lambda: staged(odoo) >= 1, 60, "no batch arrived")
    first.send_signal(signal.SIGSTOP)  # slow enough for the second to come
    second = slow.run("run", *main_company(odoo), worker="second:2")
    first.send_signal(signal.SIGCONT)
    assert second.code == 6, second
    assert "first:1" in second.err
    assert "until" in second.err
    out, err = first.communicate(timeout=60)
    assert first.returncode == 0, (out, err)
    assert odoo.value("SELECT count(*) FROM crm_value_run") == 1


def test_customer_deleted_between_export_and_publish(odoo: OdooSite, slow: Worker):
    gone = odoo.seed["customers"]["deleted"]

    def delete() -> None:
        odoo.sql(
            "DELETE FROM sale_order_line WHERE order_id IN (SELECT id FROM sale_order WHERE partner_id = %s)",
            [gone],
        )
        odoo.sql("DELETE FROM sale_order WHERE partner_id = %s", [gone])
        odoo.sql("DELETE FROM res_partner WHERE id = %s", [gone])

    run = _change_before_publish(slow, odoo, delete)
    assert run["refused"] == {"missing": 1}
    assert run["state"] == "done"
    assert odoo.sql("SELECT 1 FROM crm_value_profile WHERE partner_id = %s", [gone]) == []


def test_customer_merged_between_export_and_publish(odoo: OdooSite, slow: Worker):
    source, target = (odoo.seed["customers"][ref] for ref in ("merge_from", "merge_to"))

    def merge() -> None:
        [wizard] = odoo.call(
            "base.partner.merge.automatic.wizard",
            "create",
            vals_list=[
                {"state": "selection", "partner_ids": [[6, 0, [source, target]]], "dst_partner_id": target}
            ],
        )
        odoo.call("base.partner.merge.automatic.wizard", "action_merge", ids=[wizard])

    run = _change_before_publish(slow, odoo, merge)
    assert run["refused"] == {"missing": 1}
    assert odoo.sql("SELECT 1 FROM crm_value_profile WHERE partner_id = %s", [source]) == []
    # The next run scores the merged customer with the orders of both.
    assert slow.run("run", *main_company(odoo), batch_rows=1000).code == 0
    value = odoo.value("SELECT current_value FROM crm_value_profile WHERE partner_id = %s", [target])
    assert float(value) == 150.0


def test_customer_objects_between_export_and_publish(odoo: OdooSite, slow: Worker):
    objector = odoo.seed["customers"]["customer_005"]

    def objects() -> None:
        odoo.call("crm.value.objection", "create", vals_list=[{"partner_id": objector}])

    run = _change_before_publish(slow, odoo, objects)
    assert run["refused"] == {"objecting": 1}
    assert odoo.sql("SELECT 1 FROM crm_value_profile WHERE partner_id = %s", [objector]) == []


def _change_before_publish(worker: Worker, odoo: OdooSite, change) -> dict:
    """Runs the worker in this process, with a change in Odoo after the export and before the first batch."""
    to_table = publication.to_table

    def change_then(*arguments):
        change()
        return to_table(*arguments)

    with mock.patch.dict(os.environ, worker.environment(batch_rows=1000), clear=True):
        settings = config.load()
        transport = connect(settings)
        described = describe(settings, transport)
        company = next(each for each in described["companies"] if each["id"] == odoo.seed["main"])
        with mock.patch.object(publication, "to_table", change_then):
            outcome = run.run_company(settings, transport, described, company, lambda *_: None)
        transport.close()
    return outcome.as_dict()
