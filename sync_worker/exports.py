"""What the last runs of a company read, so that any of them can be made again, to the bit: Odoo rewrites its past.

A folder per run in the state folder, for the worker's account only: identifiers, dates and amounts, no names, with
the policy of the run in `policy.json`. `sync-worker score FOLDER --policy FOLDER/policy.json --as-of DAY` scores it.
"""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sync_worker import whole_file
from sync_worker.config import Settings
from sync_worker.history.folder import write_folder
from sync_worker.history.schema import History
from sync_worker.identity import database_directory

logger = logging.getLogger(__name__)

POLICY = "policy.json"
#: Ends the name of an export whose run Odoo has not closed as done.
OPEN = ".open"


def keep(settings: Settings, database: str, run: dict[str, Any], history: History) -> None:
    """Keeps what a run read, aside until it is done (`settle`): one that fails takes nobody's place.

    A folder that cannot be written is no reason to fail: the log says that nothing is kept.
    """
    folder = _folder(settings, database, run["company_id"])
    try:
        _remove(_open(folder))
        if settings.kept_exports:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(folder / (_name(run["id"], run["as_of"]) + OPEN), run, history)
    except OSError as error:
        logger.warning("the export of run %s is not kept: %s: %s", run["id"], folder, error.strerror or error)


def settle(settings: Settings, database: str, company_id: int, run_id: int) -> None:
    """Lets the export of a run count that is done, and of the company the last `kept_exports` only."""
    folder = _folder(settings, database, company_id)
    try:
        for path in _open(folder):
            whole = path.with_name(path.name.removesuffix(OPEN))
            if whole.name.endswith(f"-run-{run_id}"):
                shutil.rmtree(whole, ignore_errors=True)
                path.rename(whole)
        _remove(_kept(folder)[settings.kept_exports :])
    except OSError as error:
        logger.warning("the export of run %s is not kept: %s: %s", run_id, folder, error.strerror or error)


def find(settings: Settings, database: str, company_id: int, run_id: int, as_of: str) -> Path | None:
    """The folder of a run that is done, None where it is not kept."""
    folder = _folder(settings, database, company_id) / _name(run_id, as_of)
    return folder if folder.is_dir() else None


def erase(settings: Settings, described: dict[str, Any]) -> None:
    """Takes customers who objected to profiling out of all that is kept of a database."""
    objecting = pa.array(described.get("erasures", []), type=pa.int64())
    root = database_directory(settings, described["database_uuid"], "exports")
    for company in root.glob("*"):
        whole_file.sweep(company)
    for folder in root.glob("*/*-run-*") if len(objecting) else []:
        try:
            _take_out(folder, objecting)
        except (OSError, pa.ArrowException):  # what cannot be read cannot be cleared either
            shutil.rmtree(folder, ignore_errors=True)


def _take_out(folder: Path, objecting: pa.Array) -> None:
    """Takes customers out of each table of an export, also as the group of others."""
    customers = pq.read_table(folder / "customers.parquet")
    named = pc.is_in(customers["customer_id"], objecting)
    if "group_id" in customers.column_names:
        of_group = pc.is_in(customers["group_id"].cast(pa.int64()), objecting)
        place = customers.column_names.index("group_id")
        told = pc.if_else(of_group, None, customers["group_id"])
        customers = customers.set_column(place, "group_id", told)
        named = pc.or_(named, of_group)
    if not pc.any(named).as_py():
        return
    tables = {path: pq.read_table(path) for path in sorted(folder.glob("*.parquet"))}
    tables[folder / "customers.parquet"] = customers
    orders = tables[folder / "orders.parquet"]
    theirs = orders.filter(pc.is_in(orders["customer_id"], objecting))["order_id"].combine_chunks()
    left_of = {}
    for path, table in tables.items():
        # facts name sales orders, and `theirs` may be invoices: by its order goes only what names no customer
        column, ids = (
            ("customer_id", objecting) if "customer_id" in table.column_names else ("order_id", theirs)
        )
        left = table
        if column in table.column_names:
            left = table.filter(pc.invert(pc.is_in(table[column].cast(pa.int64()), ids.cast(pa.int64()))))
        left_of[path] = left
    # The customers last: until they are written the next erasure begins anew.
    for path in sorted(left_of, key=lambda path: path.name == "customers.parquet"):
        whole_file.write(path, partial(pq.write_table, left_of[path]))


def _write(folder: Path, run: dict[str, Any], history: History) -> None:
    """The whole folder or none of it."""
    temporary = Path(tempfile.mkdtemp(prefix=".", dir=folder.parent))
    try:
        write_folder(history, temporary)
        policy = run["policy"] | {"before": run["compared_policy"]}
        (temporary / POLICY).write_text(json.dumps(policy, indent=1) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _kept(folder: Path) -> list[Path]:
    """The exports of runs of a company that are done, the last first."""
    done = [path for path in folder.glob("*-run-*") if path.name.rsplit("-", 1)[1].isdecimal()]
    return sorted(done, key=_number, reverse=True)


def _open(folder: Path) -> list[Path]:
    return [*folder.glob(f"*-run-*{OPEN}")]


def _number(path: Path) -> int:
    return int(path.name.rsplit("-", 1)[1])


def _remove(folders: list[Path]) -> None:
    for each in folders:
        shutil.rmtree(each)


def _name(run_id: int, as_of: str) -> str:
    return f"{as_of}-run-{run_id}"


def _folder(settings: Settings, database: str, company_id: int) -> Path:
    return database_directory(settings, database, "exports") / str(company_id)
