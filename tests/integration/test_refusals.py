"""Everything that can be wrong before a run: one sentence, its mend, the right exit code."""

import json
import socket
import subprocess
import sys

import pytest
from odoo_site import Finished, OdooSite, Worker


def assert_one_sentence(done: Finished, code: int, *words: str) -> None:
    assert done.code == code, done
    assert done.err.count("error:") == 1, done
    sentence = done.err.split("error:", 1)[1]
    for word in words:
        assert word in sentence, done
    assert "Traceback" not in done.out + done.err, done
    # A mend follows the sentence.
    assert len(sentence.strip().splitlines()) == 2, done


@pytest.mark.parametrize("command", ["check", "run"])
def test_no_server(either: Worker, command: str):
    assert_one_sentence(
        either.run(command, url="http://127.0.0.1:8299", attempts=2), 3, "cannot be reached", "8299"
    )


def test_no_network(either: Worker):
    done = either.run("check", url="http://odoo.invalid", attempts=1)
    assert_one_sentence(done, 3, "odoo.invalid", "cannot be reached")


def test_no_answer_in_time(either: Worker):
    # A port that accepts and says nothing.
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        done = either.run("check", url=f"http://127.0.0.1:{silent.getsockname()[1]}", attempts=1, timeout=1)
    assert_one_sentence(done, 3, "did not answer in time")


def test_wrong_database(either: Worker):
    assert_one_sentence(either.run("check", database="nowhere"), 3, "nowhere")


def test_path_that_is_not_odoo(worker: Worker, odoo: OdooSite):
    assert_one_sentence(worker.run("check", url=f"{odoo.url}/shop"), 3, "text/html")


def test_wrong_key(either: Worker):
    assert_one_sentence(either.run("check", api_key="0123456789abcdef"), 4, "does not accept the API key")


def test_expired_key(worker: Worker, odoo: OdooSite):
    done = worker.run("check", api_key=odoo.seed["expired_key"])
    assert_one_sentence(done, 4, "does not accept the API key", "expired")


def test_key_without_the_group(either: Worker, odoo: OdooSite):
    done = either.run("run", api_key=odoo.seed["clerk_key"], login="clerk")
    assert_one_sentence(done, 4, "Sync worker")


def test_addon_missing(either: Worker, odoo: OdooSite):
    done = either.run("check", database="bare", api_key=odoo.seeds["bare"]["key"])
    assert_one_sentence(done, 5, "no addon Customer Value", "Install it")


def test_other_contract_version(worker: Worker, tmp_path):
    # The installed addon speaks version 1; a worker of another release is this one with another constant.
    (tmp_path / "other.py").write_text(
        "from sync_worker import handshake\nhandshake.CONTRACT = 2\n"
        "from sync_worker.cli import main\nmain()\n"
    )
    done = subprocess.run(
        [sys.executable, str(tmp_path / "other.py"), "check"],
        env=worker.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert_one_sentence(Finished(done.returncode, done.stdout, done.stderr), 5, "contract version 1", "has 2")


def test_another_database_answers(worker: Worker, odoo: OdooSite, tmp_path):
    assert worker.run("check").code == 0
    remembered = tmp_path / "state" / "databases.json"
    known = json.loads(remembered.read_text())
    known[next(iter(known))]["uuid"] = "00000000-0000-0000-0000-000000000000"
    remembered.write_text(json.dumps(known))
    assert_one_sentence(worker.run("run"), 5, "Another database answers", "check --confirm-database")
    assert odoo.run_row() == {}
    assert worker.run("check", "--confirm-database").code == 0
    assert worker.run("check").code == 0


def test_neutralised_copy(worker: Worker):
    assert_one_sentence(
        worker.run("run", database="neutral"), 5, "neutralised copy", "check --confirm-database"
    )
    assert worker.run("check", "--confirm-database", database="neutral").code == 0
    assert worker.run("check", database="neutral").code == 0


def test_check_is_well(either: Worker):
    done = either.run("check")
    assert done.code == 0, done
    for words in (
        "Odoo 19.0",
        "version 1",
        "names and e-mail addresses",
        "Main Company",
        "Europe/Paris",
        "valid until",
    ):
        assert words in done.out, done
    assert "warning" not in done.out, done


def test_check_for_machines(worker: Worker, odoo: OdooSite):
    done = worker.run("check", "--json")
    assert done.json["exit_code"] == 0
    assert {"connection", "contract", "database", "account", "key"} <= {
        each["subject"] for each in done.json["findings"]
    }
    failed = worker.run("check", "--json", database="nowhere")
    assert failed.code == failed.json["exit_code"] == 3
    assert failed.json["error"]


def test_check_warns_of_excess_groups_and_expiry(worker: Worker, odoo: OdooSite):
    [sync] = odoo.call("res.users", "search", domain=[["login", "=", "sync"]])
    group = odoo.value(
        "SELECT res_id FROM ir_model_data WHERE module = 'sales_team' AND name = 'group_sale_salesman'"
    )
    odoo.call("res.users", "write", ids=[sync], vals={"group_ids": [[4, group]]})
    odoo.sql(
        "UPDATE res_users_apikeys SET expiration_date = now() + interval '5 days' WHERE user_id = %s", [sync]
    )
    try:
        done = worker.run("check")
        assert done.code == 0, done
        assert "sales_team.group_sale_salesman" in done.out
        assert "it expires on" in done.out
    finally:
        odoo.call("res.users", "write", ids=[sync], vals={"group_ids": [[3, group]]})
        odoo.sql(
            "UPDATE res_users_apikeys SET expiration_date = now() + interval '80 days' WHERE user_id = %s",
            [sync],
        )


def test_the_key_is_nowhere_in_the_output(either: Worker, odoo: OdooSite):
    key = odoo.seed["key"]
    for done in (
        either.run("run", "-vvv"),
        either.run("check", "-vvv", url="http://127.0.0.1:8299", attempts=1),
    ):
        assert key not in done.out + done.err


def test_a_key_on_the_command_line_is_not_offered(worker: Worker):
    assert worker.run("run", "--api-key", "x").code == 2
