"""`sync-worker backtest`: from a file or a company to a table, JSON and a page, and what it refuses."""

import base64
import json
import subprocess
import sys
import types
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import typer.testing
from backtest_sample import sample, too_short

from sync_worker import cli, handshake, terminal
from sync_worker.history.odoo import DATASETS

ORDERS = "Customer,date,amount\n1,2025-01-05,10\n1,2026-11-22,20\n2,2026-03-01,5\n"


class BackTest:
    """Stands for the back-test itself: answers a result and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer = sample()
        self.asked: dict[str, Any] = {}

    def __call__(self, history, as_of, policy, *, cutoffs=None, progress=None) -> dict[str, Any]:
        progress(50, "forecasting")
        self.asked = {
            "orders": len(history.orders),
            "as_of": as_of,
            "horizon": policy.value("churn_horizon_days"),
            "cutoffs": cutoffs,
        }
        return self.answer


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> BackTest:
    stand_in = BackTest()
    module = types.ModuleType("sync_worker.scoring.backtest")
    module.backtest = stand_in
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for console in (terminal.out, terminal.err):
        monkeypatch.setattr(console, "_width", 140)
    return stand_in


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS)
    return path


def command(*arguments: str) -> typer.testing.Result:
    return typer.testing.CliRunner().invoke(cli.app, ["backtest", *arguments])


def of_file(file: Path, *arguments: str) -> typer.testing.Result:
    return command(str(file), "--map", "customer_id=Customer", *arguments)


def test_other_commands_do_not_wait_for_the_libraries_of_the_report():
    heavy = "{'jinja2', 'matplotlib', 'pandas', 'sklearn'}"
    code = f"import sys, sync_worker.cli; print(*{heavy} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("", "")


# ----------------------------------------------------------------------- file
def test_a_file_is_judged_until_its_last_day(judge: BackTest, file: Path):
    done = of_file(file)
    assert done.exit_code == 0, done.output
    assert judge.asked == {"orders": 3, "as_of": "2026-11-22", "horizon": 90, "cutoffs": None}
    assert "2026-11-22 (the last day in orders.csv)" in done.stdout
    for words in ("called most at risk 23 did not come back", "A, clearly better", "0.781", "chosen"):
        assert words in done.stdout
    assert "No grade, too little data to tell. Of the customers looked at fewer than 30" in done.stdout
    assert "12 orders dated after" in done.stderr


def test_a_stray_date_in_the_future_is_not_the_day_that_is_judged(judge: BackTest, file: Path):
    rows = file.read_text(encoding="utf-8").splitlines()
    last = next(row for row in rows if "2026-11-22" in row)
    file.write_text("\n".join([*rows, last.replace("2026-11-22", "9999-12-31")]), encoding="utf-8")
    before = datetime.now()
    done = of_file(file)
    assert done.exit_code == 0, done.output
    judged = judge.asked["as_of"]
    assert judged in {f"{day:%Y-%m-%d}" for day in (before, datetime.now())}
    assert f"{judged} (today)" in " ".join(done.stdout.split())


def test_the_terminal_says_that_a_sample_was_looked_at(judge: BackTest, file: Path):
    assert "sample" not in of_file(file).stdout
    judge.answer["sample"] = {"customers": 20_000, "of": 41_440}
    assert "Of a sample of 20,000 of the 41,440 customers: on 2026-08-24, of the 50" in of_file(file).stdout


def test_options_reach_the_back_test(judge: BackTest, file: Path):
    assert of_file(file, "--as-of", "2026-06-30", "--horizon", "60", "--cutoffs", "5").exit_code == 0
    assert judge.asked == {"orders": 3, "as_of": "2026-06-30", "horizon": 60, "cutoffs": 5}


def test_json_is_the_result_and_nothing_else(judge: BackTest, file: Path):
    done = of_file(file, "--json")
    assert json.loads(done.stdout) == sample()
    assert done.stderr == ""


def test_a_page_beside_the_answer(judge: BackTest, file: Path, tmp_path: Path):
    target = tmp_path / "report.html"
    done = of_file(file, "--html", str(target))
    assert done.exit_code == 0, done.output
    assert "Report written to" in done.stdout
    assert target.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    done = of_file(file, "--html", str(target), "--json")
    assert json.loads(done.stdout) == sample()
    assert set(tmp_path.iterdir()) == {file, target}


def test_a_short_history_is_an_answer(judge: BackTest, file: Path):
    judge.answer = too_short()
    done = of_file(file)
    assert done.exit_code == 0, done.output
    assert "The history is too short" in done.stdout
    assert "AUC" not in done.stdout


def test_many_formats_are_laid_out_below_each_other(judge: BackTest, file: Path):
    judge.answer["grades"] += [{**judge.answer["grades"][1], "format": f"Format {n}"} for n in range(12)]
    done = of_file(file)
    assert done.exit_code == 0, done.output
    assert done.stdout.count("Calibration error") > 1
    assert "…" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Neither a file nor a company"),
        (["{file}", "--company", "1"], "Both a file and a company"),
        (["--company", "1", "--map", "date=Day"], "--map is for files"),
        (["{file}.absent"], "There is no file"),
        (["{empty}"], "no rows"),
        (["{file}"], "customer_id"),
        (["{file}", "--map", "nonsense"], "no column mapping"),
        (["{file}", "--map", "customer_id=Customer", "--as-of", "tomorrow"], "not a date"),
        (["{file}", "--map", "customer_id=Customer", "--horizon", "1"], "Churn horizon"),
        (["{file}", "--cutoffs", "0"], "--cutoffs"),
        (["{file}", "--html", "/nonexistent/report.html"], "no folder /nonexistent"),
        (["{file}", "--html", "report.txt"], "does not end in .html"),
        (["--company", "1"], "`url` is missing"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    judge: BackTest,
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    says: str,
):
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nonexistent")
    monkeypatch.chdir(tmp_path)
    empty = tmp_path / "empty.csv"
    empty.write_text("customer_id,date,amount\n")
    done = command(*(part.format(file=file, empty=empty) for part in arguments))
    assert done.exit_code == 2, done.output
    assert says in done.stderr
    assert "Traceback" not in done.output
    assert judge.asked == {}


# ----------------------------------------------------------------------- Odoo
class Odoo:
    """The addon's side of the contract for one company; any method that writes is unknown to it."""

    name = "json2"

    def __init__(self, orders: str) -> None:
        self.rows = {"orders": orders, "partners": "10,3,2026-01-31,f\n", "lines": "", "products": ""}
        self.rules: list[dict[str, Any]] = [{"key": "churn_horizon_days", "format_id": None, "value": 45}]
        self.called: list[str] = []

    def call(self, method: str, params: dict[str, Any], **_: Any) -> Any:
        self.called.append(method)
        return {"describe": self.describe, "export_history": self.export}[method](**params)

    def close(self) -> None:
        pass

    def describe(self) -> dict[str, Any]:
        company = {"id": 7, "name": "Main", "currency": "EUR", "decimals": 2, "timezone": "Pacific/Auckland"}
        return {
            "contract": handshake.CONTRACT,
            "addon_version": "1",
            "database_uuid": "u",
            "user": {},
            "companies": [{**company, "policy": {"version_id": 1, "number": 1, "rules": self.rules}}],
            "formats": [{"id": 1, "code": "wholesale"}],
            "datasets": {},
            "publish_columns": {},
            "preview_columns": {},
        }

    def export(self, dataset: str, company_id: int, after: Any, limit: int) -> dict[str, Any]:
        assert company_id == 7
        data = self.rows[dataset]
        return {
            "columns": list(DATASETS[dataset]),
            "rows": data.count("\n"),
            "data": base64.b64encode(zlib.compress(data.encode())).decode() if data else "",
            "after": None,
        }


@pytest.fixture
def odoo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Odoo:
    stand_in = Odoo("1,10,2026-01-31,12.5,\n2,10,2026-03-31,10,\n")
    monkeypatch.setattr(cli, "connect", lambda settings: stand_in)
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nonexistent")
    monkeypatch.setenv("SYNC_WORKER_URL", "http://odoo.test")
    monkeypatch.setenv("SYNC_WORKER_API_KEY", "k" * 20)
    monkeypatch.setenv("SYNC_WORKER_STATE_DIRECTORY", str(tmp_path / "state"))
    return stand_in


def test_a_company_is_read_and_nothing_else(judge: BackTest, odoo: Odoo):
    done = command("--company", "7")
    assert done.exit_code == 0, done.output
    assert set(odoo.called) == {"describe", "export_history"}
    assert judge.asked["orders"] == 2
    assert judge.asked["horizon"] == 45, "that of the company's policy"
    assert judge.asked["as_of"] == datetime.now(ZoneInfo("Pacific/Auckland")).date().isoformat()
    assert "today in Pacific/Auckland" in done.stdout
    assert "wholesale: C" in done.stdout
    assert "81,235 EUR" in done.stdout.replace("\N{NO-BREAK SPACE}", " ")


def test_options_go_before_the_policy_of_the_company(judge: BackTest, odoo: Odoo):
    done = command("--company", "7", "--as-of", "2026-05-01", "--horizon", "120", "--json")
    assert json.loads(done.stdout) == sample()
    assert (judge.asked["as_of"], judge.asked["horizon"]) == ("2026-05-01", 120)


@pytest.mark.parametrize(
    ("arguments", "rules", "code", "says"),
    [
        (["8"], [], 2, "may not score company 8"),
        (["7", "--as-of", "soon"], [], 2, "not a date"),
        (["7", "--horizon", "1"], [], 2, "Churn horizon"),
        (["7"], [{"key": "of_tomorrow", "value": 1}], 7, "of_tomorrow"),
    ],
)
def test_what_is_wrong_with_a_company(
    judge: BackTest, odoo: Odoo, arguments: list[str], rules: list[dict], code: int, says: str
):
    odoo.rules = rules
    done = command("--company", *arguments)
    assert done.exit_code == code, done.output
    assert says in done.stderr
    assert judge.asked == {}
