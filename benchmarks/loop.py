"""Ratios of the loop in one run on one machine; started by benchmarks/loop, which sets the environment.

What matters is a ratio to what the database itself can do and to the naive way, not a time.
"""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import odoorpc
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from rich.console import Console
from rich.table import Table

from benchmarks.database import DATABASE, STATE, URL, median_time, psql, timed
from benchmarks.previews import preview
from benchmarks.screens import partner_form, partner_list, working_lists
from sync_worker import publication
from sync_worker.config import Settings
from sync_worker.history.odoo import read_dataset
from sync_worker.transport import Transport, connect

NAIVE_ROWS = 20_000
NAIVE_WRITES = 300
console = Console()


def main(parts: list[str]) -> None:
    """Runs the parts named, or all, and prints a table for each."""
    steps = {"read": read, "write": write, "list": partner_list, "form": partner_form}
    steps |= {"work": working_lists, "run": whole_run, "preview": preview}
    for part in parts or steps:
        console.print(steps[part]())


def report(title: str, unit: str, reference: str, rows: dict[str, float]) -> Table:
    """A table of figures with their ratio to one of them."""
    table = Table(title=title)
    for name in ("what", unit, f"x {reference}"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for name, figure in rows.items():
        table.add_row(
            name, f"{figure:,.3g}" if figure < 1000 else f"{figure:,.0f}", f"{figure / rows[reference]:.2f}"
        )
    return table


# ------------------------------------------------------------------ connections


settings = Settings(url=URL, database=DATABASE, api_key_file=STATE / "sync.key")


def worker_transport() -> Transport:
    return connect(settings)


def legacy() -> odoorpc.ODOO:
    address = httpx.URL(URL)
    odoo = odoorpc.ODOO(address.host, port=address.port, timeout=600)
    odoo.login(DATABASE, "admin", (STATE / "admin.key").read_text())
    return odoo


# ------------------------------------------------------------------------- read


def read() -> Table:
    """Orders per second: naive paging, the contract, and COPY of the same columns."""
    count = int(psql("SELECT count(*) FROM sale_order"))
    transports = [worker_transport(), worker_transport()]
    odoo = legacy()
    fields = ["partner_id", "date_order", "amount_untaxed"]

    def naive() -> None:
        for offset in range(0, NAIVE_ROWS, 1000):
            odoo.execute("sale.order", "search_read", [("state", "=", "sale")], fields, offset, 1000)

    def copy() -> None:
        psql("\\copy (SELECT id, partner_id, date_order, amount_untaxed FROM sale_order) TO /dev/null CSV")

    def contract() -> None:
        frame = read_dataset(transports, "orders", 1, page_rows=settings.page_rows, on_page=lambda *_: None)
        assert len(frame) == count

    contract()
    return report(
        f"Reading {count:,} orders",
        "rows/s",
        "PostgreSQL COPY",
        {
            "PostgreSQL COPY": count / median_time(copy),
            "export_history, parsed": count / median_time(contract),
            "odoorpc search_read by 1000": NAIVE_ROWS / timed(naive),
        },
    )


# ------------------------------------------------------------------------ write


def write() -> Table:
    """Customers per second: naive writes, the contract, and COPY with a merge of the same rows."""
    transport, beside = worker_transport(), worker_transport()
    described = transport.call("describe", {})
    ids = [
        int(line)
        for line in psql("SELECT id FROM res_partner WHERE name LIKE 'Bench customer %' ORDER BY id").split()
    ]
    psql(
        "TRUNCATE crm_value_profile, crm_value_history, crm_value_snapshot, crm_value_staging",
        "VACUUM ANALYZE crm_value_profile",
    )
    types = described["publish_columns"]
    first = invented_scores(ids, seed=1)
    few = first.copy()
    few.loc[few.index % 20 == 0, "churn_probability"] += 0.001
    values = [
        invented_scores(ids, seed=seed).assign(**{name: first[name] for name in LABELS}) for seed in (2, 3, 4)
    ]
    # In real shops a label changes for one customer in six in a week at most, in a day for one in 28.
    same = {name: first[name] for name in LABELS}
    week = invented_scores(ids, seed=5).assign(**same)
    week.loc[week.index % 6 == 0, "value_class"] = another_class(first)
    every = invented_scores(ids, seed=6).assign(**same | {"value_class": another_class(week)})

    def publish(scores: pd.DataFrame) -> float:
        table = publication.to_table(scores, types)
        # What autovacuum does in the day between two runs.
        psql("VACUUM ANALYZE crm_value_profile", "VACUUM ANALYZE crm_value_staging")
        run = transport.call("claim_run", {"worker": "benchmark", "company_id": 1, "request": True})["run"]
        start = time.perf_counter()
        sent = publication.publish(
            [transport, beside], run, table, batch_rows=settings.batch_rows, on_batch=lambda _rows: None
        )
        transport.call(
            "close_run", {"run_id": run["id"], "token": run["token"], "state": "done", "rows": sent.rows}
        )
        return len(scores) / (time.perf_counter() - start)

    figures = {
        "publish: first insert, history of all": publish(first),
        "publish: nothing changed": publish(first),
        "publish: 5 % changed": publish(few),
    }
    # The bar: both at their best of three, close to each other in time.
    figures["COPY + merge in PostgreSQL"] = copy_and_merge(publication.to_table(values[0], types))
    figures["publish: every value changed, no label"] = max(map(publish, values))
    figures["publish: every value changed, history of one in six"] = publish(week)
    figures["publish: every value and label changed, history of all"] = publish(every)
    odoo = legacy()

    def naive() -> None:
        for partner in ids[:NAIVE_WRITES]:
            odoo.execute("res.partner", "write", [partner], {"ref": f"B{partner}", "color": partner % 11})

    figures["odoorpc write per partner, 2 fields"] = NAIVE_WRITES / timed(naive)
    return report(
        f"Writing scores of {len(ids):,} customers", "rows/s", "COPY + merge in PostgreSQL", figures
    )


def another_class(scores: pd.DataFrame) -> pd.Series:
    """A value class for each customer that is not the one it has."""
    return scores["value_class"].map({"key": "growth"}).fillna("key")


LABELS = ("value_class", "value_segment", "loyalty_stage", "lifecycle_stage", "churn_risk")


def invented_scores(ids: list[int], seed: int) -> pd.DataFrame:
    """Scores of the right shape for every customer; what they say does not matter here."""
    rng = np.random.default_rng(seed)
    size = len(ids)
    money = {
        name: rng.gamma(2, 500, size).round(2)
        for name in (
            "historical_value",
            "current_value",
            "potential_value",
            "lifetime_value",
            "expected_value",
        )
    }
    day = pd.Timestamp("2026-01-01")
    return pd.DataFrame(
        {
            "partner_id": ids,
            "value_class": rng.choice(["key", "growth", "standard"], size),
            "value_segment": rng.choice(["key_stable", "promising", "standard"], size),
            "loyalty_stage": rng.choice(["awareness", "approval", "preference"], size),
            "lifecycle_stage": rng.choice(["acquisition", "retention", "lost"], size),
            "churn_risk": rng.choice(["low", "medium", "high"], size),
            "confidence": "enough",
            "value_basis": "revenue",
            "burden": False,
            "churn_probability": rng.random(size),
            "p_alive": rng.random(size),
            "expected_orders": rng.gamma(1, 2, size),
            **money,
            "expected_next_order": day + pd.to_timedelta(rng.integers(0, 200, size), unit="D"),
            "last_order_date": day - pd.to_timedelta(rng.integers(0, 200, size), unit="D"),
            "order_days": rng.integers(1, 40, size),
            "reasons": '[{"code":"recent_order","direction":"down","contribution":-0.1,"params":{"days_since":3}}]',
            "cause": "behaviour",
        }
    )


def copy_and_merge(table: pa.Table) -> float:
    """Rows per second of PostgreSQL alone: COPY into a staging table, then an upsert of every row.

    The upsert writes what a merge writes, into a table of the same shape: columns, indexes and options.
    """
    table = table.drop_columns(["cause"])
    columns = ", ".join(f"computed_{name}" if name in LABELS else name for name in table.column_names)
    path = STATE / "scores.csv"
    options = psql(
        "SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = 'crm_value_profile'::regclass"
    )
    pyarrow.csv.write_csv(table, path, pyarrow.csv.WriteOptions(include_header=False))
    psql(
        "DROP TABLE IF EXISTS bench_profile, bench_staging",
        "CREATE TABLE bench_profile (LIKE crm_value_profile INCLUDING ALL)",
        f"ALTER TABLE bench_profile SET ({options})",
        "CREATE TABLE bench_staging (LIKE crm_value_profile)",
        "ALTER TABLE bench_staging ALTER id DROP NOT NULL, ALTER company_id DROP NOT NULL",
    )
    written = {name: name for name in columns.split(", ")}
    written |= {f"effective_{name}": f"computed_{name}" for name in LABELS}
    written |= {
        "currency_id": "1",
        "policy_version_id": "1",
        "changed_at": "now() AT TIME ZONE 'UTC'",
        "changed_run_id": "1",
    }
    merge = (
        f"INSERT INTO bench_profile (company_id, {', '.join(written)})"
        f" SELECT 1, {', '.join(written.values())} FROM bench_staging"
        " ON CONFLICT (partner_id, company_id) DO UPDATE SET "
        + ", ".join(
            f"{name} = EXCLUDED.{name}" for name in written if name not in ("partner_id", "currency_id")
        )
    )
    load = ("TRUNCATE bench_staging", f"\\copy bench_staging ({columns}) FROM '{path}' CSV", merge)
    psql(*load)
    seconds = min(timed(lambda: psql(*load)) for _ in range(3))
    psql("DROP TABLE bench_profile, bench_staging")
    return len(table) / seconds


# -------------------------------------------------------------------- whole run


def odoo_memory() -> float:
    """Resident memory of the Odoo server in MB."""
    pid = int((STATE / "odoo.pid").read_text().split()[0])
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def whole_run() -> Table:
    """Seconds and memory of ``sync-worker run`` on everything."""
    environment = os.environ | {
        "SYNC_WORKER_URL": URL,
        "SYNC_WORKER_DATABASE": DATABASE,
        "SYNC_WORKER_API_KEY_FILE": str(STATE / "sync.key"),
        "SYNC_WORKER_STATE_DIRECTORY": str(STATE / "worker"),
    }
    before = odoo_memory()
    seconds = timed(
        lambda: subprocess.run([sys.executable, "-m", "sync_worker", "run"], env=environment, check=True)
    )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    table = Table(title="Whole run: 100,000 customers, 600,000 orders, 2,000,000 lines")
    for name in ("what", "measured", "bar"):
        table.add_column(name, justify="left" if name == "what" else "right")
    table.add_row("seconds", f"{seconds:.1f}", "60")
    table.add_row("worker, peak MB", f"{peak:.0f}", "1000")
    table.add_row("Odoo, growth MB", f"{odoo_memory() - before:.0f}", "150")
    return table


if __name__ == "__main__":
    main(sys.argv[1:])
