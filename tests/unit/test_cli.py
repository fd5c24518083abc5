"""The command line: exit codes, help, health, and documentation that knows every option and setting."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
import typer
import typer.testing

from sync_worker import __version__, cli, config, errors

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "worker.md").read_text(encoding="utf-8")


def worker(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("SYNC_WORKER_")}
    env |= {"PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": "/nonexistent", "COLUMNS": "200", **environment}
    return subprocess.run(
        [sys.executable, "-m", "sync_worker", *arguments],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def in_process(*arguments: str) -> typer.testing.Result:
    """As `worker`, without the seconds another process takes to load the numerical libraries."""
    return typer.testing.CliRunner().invoke(cli.app, arguments)


def commands() -> dict[str, typer.core.TyperCommand]:
    return typer.main.get_command(cli.app).commands


def test_version_is_that_of_the_package():
    assert worker("--version").stdout.strip() == __version__
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__


def test_every_command_is_documented():
    assert set(commands()) == set(re.findall(r"^\| `sync-worker (\w+)", DOCUMENT, re.MULTILINE))


def test_every_setting_is_documented():
    table = DOCUMENT.split("## Settings")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(config.Settings.model_fields)
    for name, default in re.findall(r"^\| `(\w+)` \| `?([\w]+)`? \|", table, re.MULTILINE):
        assert str(config.Settings.model_fields[name].default) == default


def test_every_exit_code_is_documented():
    classes = [each for each in vars(errors).values() if isinstance(each, type)]
    used = {each.exit_code for each in classes} | {0, 130}
    assert set(map(int, re.findall(r"^\| (\d+) \|", DOCUMENT, re.MULTILINE))) == used
    for code in used:
        assert re.search(rf"\b{code} ", cli.EXIT_CODES)


def test_no_command_takes_the_key():
    names = {option for command in commands().values() for each in command.params for option in each.opts}
    assert not [name for name in names if "key" in name]


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["serve", "-h"]])
def test_help(arguments: list[str]):
    done = worker(*arguments)
    assert done.returncode == 0
    assert "Usage" in done.stdout


@pytest.mark.parametrize("arguments", [["walk"], ["run", "--company", "one"], ["run", "--colour"], ["score"]])
def test_bad_usage(arguments: list[str]):
    assert in_process(*arguments).exit_code == 2


@pytest.mark.parametrize(
    "arguments", [["--month-ends", "0"], ["--as-of", "soon"], ["--as-of", "2026-01-31", "--month-ends", "2"]]
)
def test_days_that_cannot_be(arguments: list[str]):
    assert in_process("run", *arguments).exit_code == 2


def test_missing_settings():
    done = worker("run")
    assert done.returncode == 2
    assert "`url` is missing" in done.stderr
    assert "Traceback" not in done.stderr


def test_unreachable_for_machines():
    done = worker(
        "check",
        "--json",
        SYNC_WORKER_URL="http://127.0.0.1:9",
        SYNC_WORKER_API_KEY="k" * 20,
        SYNC_WORKER_ATTEMPTS="1",
    )
    assert done.returncode == 3
    answer = json.loads(done.stdout)
    assert answer["exit_code"] == 3
    assert "cannot be reached" in answer["error"]


@pytest.mark.parametrize(
    ("state", "age", "code"),
    [("idle", 5, 0), ("running", 5, 0), ("idle", 90, 1), ("unreachable", 1, 1), ("stopped", 1, 1)],
)
def test_health(tmp_path: Path, state: str, age: int, code: int):
    path = tmp_path / "health.json"
    updated = (datetime.now(UTC) - timedelta(seconds=age)).isoformat()
    path.write_text(json.dumps({"state": state, "updated": updated, "last_run": None, "last_error": None}))
    done = in_process("health", "--health-file", str(path))
    assert done.exit_code == code, done.output
    assert len(done.stdout.splitlines()) == 1


def test_health_without_a_file(tmp_path: Path):
    assert in_process("health", "--health-file", str(tmp_path / "absent")).exit_code == 1
    (tmp_path / "bad").write_text("{")
    assert in_process("health", "--health-file", str(tmp_path / "bad")).exit_code == 1
    assert worker("health").returncode == 2
    assert worker("health", SYNC_WORKER_HEALTH_FILE=str(tmp_path / "bad")).returncode == 1


def test_stopping_tells_systemd(tmp_path: Path):

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(30)
        env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "SYNC_WORKER_URL": "http://127.0.0.1:9",
            "SYNC_WORKER_API_KEY": "k" * 20,
            "SYNC_WORKER_ATTEMPTS": "1",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "sync_worker", "serve", "--poll-seconds", "60"],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        messages = [channel.recv(100) for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 130
        messages += [channel.recv(100) for _ in range(2)]
    assert messages[0] == b"READY=1"
    assert b"WATCHDOG=1" in messages
    assert messages[-1] == b"STOPPING=1"


def history(path: Path) -> Path:
    lines = ["CustomerID,date,amount"]
    start = datetime(2024, 1, 1)
    for customer in range(40):
        for order in range(1 + customer % 7):
            lines.append(
                f"{customer},{start + timedelta(days=30 * order + customer):%Y-%m-%d},{50 + customer}"
            )
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_score_a_file(tmp_path: Path, suffix: str):

    out = tmp_path / f"scores.{suffix}"
    file = history(tmp_path / "orders.csv")
    done = worker(
        "score", str(file), "--as-of", "2024-12-31", "--map", "customer_id=CustomerID", "--out", str(out)
    )
    assert done.returncode == 0, done
    assert "40 customers written" in done.stdout
    scores = pd.read_parquet(out) if suffix == "parquet" else pd.read_csv(out)
    assert len(scores) == 40
    assert scores["churn_probability"].between(0, 1).all()
    assert [path.name for path in tmp_path.iterdir() if path not in (file, out)] == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"file": "absent.csv"}, "absent.csv"),
        ({"--as-of": "yesterday"}, "not a date"),
        ({"--as-of": "2020-01-01"}, "no order"),
        ({"--out": "scores.xlsx"}, "neither in .parquet nor in .csv"),
        ({"--map": "nonsense"}, "no column mapping"),
        ({"--map": ""}, "customer_id"),
        ({"--horizon": "1"}, "Churn horizon"),
        ({"--out": "/nonexistent/scores.csv"}, "/nonexistent"),
    ],
)
def test_score_says_what_is_wrong(tmp_path: Path, change: dict[str, str], words: str):
    history(tmp_path / "orders.csv")
    options = {"--as-of": "2024-12-31", "--out": "scores.csv", "--map": "customer_id=CustomerID", **change}
    file = tmp_path / options.pop("file", "orders.csv")
    options["--out"] = str(tmp_path / options["--out"])
    done = in_process("score", str(file), *(part for option in options.items() for part in option))
    assert done.exit_code == 2, done.output
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "scores.csv").exists()
