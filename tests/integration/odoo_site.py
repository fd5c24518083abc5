"""A real Odoo with PostgreSQL, made by script/server and run here, so that tests can stop and kill it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg2

ROOT = Path(__file__).resolve().parents[2]
SEED = Path(__file__).with_name("seed.py")
SEED_MODULES = Path(__file__).with_name("seed_modules.py")
SEED_INVOICING = Path(__file__).with_name("seed_invoicing.py")
PORTS_EACH = 100


class OdooSite:
    """One Odoo with database `worker` (with a history) and those named of: `bare` (no addon), `neutral`ised, all
    `modules`, `invoicing`: the first with a company that has invoices alone, `fresh`: just installed and empty, and
    `story`: the first, for tests that leave it changed. On a free one of a hundred ports from the first: sites that run
    side by side look for theirs at the same moment."""

    def __init__(self, state: Path, *databases: str, first_port: int):
        self.state = state
        self.databases = ("worker", *databases)
        self.first_port = first_port
        self.url = ""
        self.seeds: dict[str, dict[str, Any]] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._postgres: dict[str, str] = {}

    # ------------------------------------------------------------- databases

    def prepare(self) -> None:
        # Ended from outside is like Ctrl-C: Odoo, which has a session of its own, is stopped.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        for name in self.databases:
            self.script("drop-db", name)
        self.script("init-db", "worker", "crm_value_addon")
        self._postgres = dict(line.split("=", 1) for line in self.script("env").splitlines() if "=" in line)
        if "fresh" in self.databases:
            self.script("copy-db", "worker", "fresh")
        self.seeds["worker"] = self._seed("worker")
        for copy in {"neutral", "invoicing", "story"}.intersection(self.databases):
            self.script("copy-db", "worker", copy)
        if "bare" in self.databases:
            self.script("init-db", "bare")
            self.seeds["bare"] = self._seed("bare")
        if "modules" in self.databases:
            self.script("copy-db", self.script("template", "optional").strip(), "modules")
            self.script("odoo", "-d", "modules", "-i", "crm_value_addon", "--stop-after-init")
            self.seeds["modules"] = self._seed("modules", SEED_MODULES)
        if "invoicing" in self.databases:
            self.seeds["invoicing"] = self._seed("invoicing", SEED_INVOICING)
        if "neutral" in self.databases:
            self.sql(
                "INSERT INTO ir_config_parameter (key, value) VALUES ('database.is_neutralized', 'true')",
                database="neutral",
            )
        self.port = _free_port(self.first_port)
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def seed(self) -> dict[str, Any]:
        return self.seeds["worker"]

    def _seed(self, database: str, seed: Path = SEED) -> dict[str, Any]:
        printed = self.script("shell", "--db", database, stdin=seed.read_text(encoding="utf-8"))
        for line in printed.splitlines():
            if line.startswith("SEEDED "):
                return json.loads(line.removeprefix("SEEDED "))
        raise AssertionError(f"the seed failed:\n{printed[-3000:]}")

    def script(self, *arguments: str, stdin: str | None = None) -> str:
        command = [str(ROOT / "script" / "server"), arguments[0], "--state", str(self.state), *arguments[1:]]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=280, check=False)
        assert done.returncode == 0, (
            f"{command} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-3000:]}"
        )
        return done.stdout

    def connect(self, database: str = "worker") -> Any:
        return psycopg2.connect(
            dbname=database,
            host=self._postgres["PGHOST"],
            port=self._postgres["PGPORT"],
            user=self._postgres["PGUSER"],
            passfile=self._postgres["PGPASSFILE"],
        )

    def sql(self, query: str, params: Any = None, *, database: str = "worker") -> list[tuple[Any, ...]]:
        connection = self.connect(database)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(query, params)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def value(self, query: str, params: Any = None) -> Any:
        return self.sql(query, params)[0][0]

    def reset(self) -> None:
        """As if no run had ever been."""
        self.sql(
            "DELETE FROM crm_value_history; DELETE FROM crm_value_snapshot; DELETE FROM crm_value_profile;"
            "DELETE FROM crm_value_staging; DELETE FROM crm_value_objection; DELETE FROM crm_value_run"
        )

    def customers(self) -> int:
        """Customers of the main company: commercial partners with an order in whatever state."""
        return self.value(
            "SELECT count(DISTINCT commercial_partner_id) FROM sale_order JOIN res_partner"
            " ON res_partner.id = sale_order.partner_id WHERE sale_order.company_id = %s",
            [self.seed["main"]],
        )

    def run_row(self) -> dict[str, Any]:
        """The newest run."""
        columns = (
            "id",
            "state",
            "error",
            "worker",
            "attempt",
            "token",
            "company_id",
            "progress",
            "customer_count",
        )
        rows = self.sql(f"SELECT {', '.join(columns)} FROM crm_value_run ORDER BY id DESC LIMIT 1")
        return dict(zip(columns, rows[0], strict=True)) if rows else {}

    # ------------------------------------------------------------------ Odoo

    def start(self) -> None:
        log = self.state / "integration-odoo.log"
        command = [
            str(ROOT / "script" / "lib" / "odoo"),
            "-c", str(self.state / "odoo.conf"),
            "-d", ",".join(self.databases),
            f"--http-port={self.port}",
            f"--gevent-port={self.port + 1}",
            "--max-cron-threads=0",
            f"--logfile={log}",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        wait_until(self._answers, 120, f"Odoo does not answer; see {log}")

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, "Odoo ended"
        try:
            headers = {"X-Odoo-Database": "worker"}
            return (
                httpx.post(
                    f"{self.url}/json/2/res.users/read", json={}, headers=headers, timeout=20
                ).status_code
                == 401
            )
        except httpx.HTTPError:
            return False

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self._process:
            self._process.send_signal(how)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def call(
        self, model: str, method: str, key: str | None = None, database: str = "worker", **arguments: Any
    ) -> Any:
        """JSON-2 as the administrator (or whoever's key it is)."""
        answer = httpx.post(
            f"{self.url}/json/2/{model}/{method}",
            json=arguments,
            headers={"Authorization": f"bearer {key or self.seed['admin_key']}", "X-Odoo-Database": database},
            timeout=60,
        )
        assert answer.is_success, answer.text[:2000]
        return answer.json()


class Worker:
    """The `sync-worker` command with settings of its own."""

    def __init__(self, site: OdooSite, folder: Path, **settings: Any):
        self.site = site
        self.folder = folder
        self.settings = {
            "url": site.url,
            "database": "worker",
            "api_key": site.seed["key"],
            "attempts": 3,
            "state_directory": folder / "state",
            **settings,
        }

    def environment(self, **settings: Any) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("SYNC_WORKER_")}
        given = {**self.settings, **settings}
        env |= {
            f"SYNC_WORKER_{name.upper()}": str(value) for name, value in given.items() if value is not None
        }
        return env | {"PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(self.folder / "config")}

    def start(self, *arguments: str, **settings: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "sync_worker", *arguments],
            env=self.environment(**settings),
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # A suite in the background of a shell ignores Ctrl-C, and so would the worker it starts.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
        )

    def run(self, *arguments: str, patience: float = 120, **settings: Any) -> "Finished":
        process = self.start(*arguments, **settings)
        try:
            out, err = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return Finished(process.returncode, out, err)


class Finished:
    """What a command left behind."""

    def __init__(self, code: int, out: str, err: str):
        self.code, self.out, self.err = code, out, err

    def __repr__(self) -> str:
        return f"exit code {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def wait_until(condition: Any, seconds: float, complaint: str) -> Any:
    """Polls until the condition holds and answers it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(complaint)


def _free_port(first: int) -> int:
    last = first + PORTS_EACH - 2
    for port in range(first, last, 2):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError(f"no free port between {first} and {last}")
