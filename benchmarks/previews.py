"""What a manager waits for who previews a draft of the policy: from the click to the figures, part by part."""

import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.database import DATABASE, STATE, URL, psql, timed
from benchmarks.screens import call

VERSION = "crm.value.policy.version"
#: As the field on the form looks again (static/src/policy_preview).
LOOK_EVERY = 0.5
ROUNDS = 5
BAR = 5.0
#: What a draft changes in a round: a share that moves many, one that moves few, borders, weights, a horizon of value.
DRAFTS: tuple[dict[str, str], ...] = (
    {"key_share": "0.6"},
    {"risk_high_from": "0.75"},
    {"dormant_days": "60", "lost_days": "120"},
    {"weight_margin": "0", "weight_loyalty": "1"},
    {"discount_rate": "0.2"},
)


def preview() -> Table:
    """Seconds from the click on Preview to the figures, with a worker that waits for work in the usual way."""
    table = Table(title="Preview of a draft at 100,000 customers")
    for name in (
        "what",
        "changed",
        "claimed, s",
        "worker, s",
        "seen, s",
        "total, s",
        "bar, s",
    ):
        table.add_column(name, justify="left" if name == "what" else "right")
    with _serving() as log:
        _score()
        rounds = [(", ".join(draft), _round(draft, log)) for draft in DRAFTS]
    with _serving() as log:
        rounds.append(("the first after a start", _round(DRAFTS[0], log)))
    for what, told in rounds:
        table.add_row(what, told["changed"], *(f"{told[name]:.1f}" for name in PARTS), f"{BAR:.0f}")
    middle = {name: statistics.median(told[name] for _what, told in rounds) for name in PARTS}
    shares = [f"{middle[name]:.1f} ({middle[name] / middle['total']:.0%})" for name in PARTS]
    table.add_row("median, and of the total", "", *shares, f"{BAR:.0f}")
    return table


PARTS = ("claimed", "worker", "seen", "total")


def _round(draft: dict[str, str], log: Path) -> dict[str, Any]:
    """Previews a draft as the web client does, and tells what each part took."""
    rules = [[0, 0, {"key": key, "value": value}] for key, value in draft.items()]
    [version] = call("create", VERSION, vals_list=[{"company_id": 1, "rule_ids": rules}])
    written = log.stat().st_size
    start = time.perf_counter()
    call("action_preview", VERSION, ids=[version])
    claimed = None
    while True:
        [record] = call("read", VERSION, ids=[version], fields=["preview"])
        now, found = time.perf_counter() - start, record["preview"]
        if claimed is None and found["state"] != "requested":
            claimed = now
        if found["state"] not in ("requested", "running"):
            break
        time.sleep(LOOK_EVERY)
    assert found["state"] == "done", found
    # the worker says so once Odoo has answered that the run is closed
    worker = float(re.findall(r"customers change in ([\d.]+) s", _after(log, written))[-1])
    claimed = min(claimed, now - worker)
    call("unlink", VERSION, ids=[version])
    return {
        "changed": found["changed"],
        "claimed": claimed,
        "worker": worker,
        "seen": max(now - claimed - worker, 0.0),
        "total": now,
    }


def _after(log: Path, start: int) -> str:
    deadline = time.monotonic() + 10
    while "customers change in" not in (told := log.read_text()[start:]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return told


def _score() -> None:
    """A scoring run, which the worker takes up as in every night."""
    asked = psql("SELECT COALESCE(max(id), 0) FROM crm_value_run").strip()
    call("action_request", "crm.value.run", ids=[])
    waiting = f"SELECT count(*) FROM crm_value_run WHERE id > {asked} AND state = 'done'"

    def run() -> None:
        while psql(waiting).strip() == "0":
            time.sleep(0.5)

    print(f"scored in {timed(run):.0f} s", file=sys.stderr)


@contextmanager
def _serving() -> Iterator[Path]:
    """A worker that waits for work by its default settings; gives its log."""
    environment = os.environ | {
        "SYNC_WORKER_URL": URL,
        "SYNC_WORKER_DATABASE": DATABASE,
        "SYNC_WORKER_API_KEY_FILE": str(STATE / "sync.key"),
        "SYNC_WORKER_STATE_DIRECTORY": str(STATE / "worker"),
    }
    path = STATE / "serve.log"
    with path.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sync_worker", "serve"], env=environment, stderr=log, stdout=log
        )
        try:
            while "waiting for runs" not in path.read_text():
                assert process.poll() is None, path.read_text()
                time.sleep(0.1)
            yield path
        finally:
            process.terminate()
            process.wait(30)
