"""What each run of a company read and told, as far as the next one needs it to say why labels change.

A Parquet file per run in the state folder, for the worker's account only: numbers and labels by customer id, no names.
Unlike what is kept for previews it is understood by every later release.
"""

from __future__ import annotations

import contextlib
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sync_worker import whole_file
from sync_worker.config import Settings
from sync_worker.identity import database_directory
from sync_worker.scoring.labelling import ALL, LABELS

logger = logging.getLogger(__name__)

COLUMNS = ("customer_id", "sales", "mark", *ALL)
#: Of these, what every release has written.
NEEDED = ("customer_id", "sales", "mark", *LABELS)
_ABOUT = b"run"


@dataclass(frozen=True)
class About:
    """What holds of a run as a whole.

    Attributes:
        writer: the releases of the worker and its libraries (`kept.WRITER`).
        as_of: the day of the run, ISO.
        until: the last day of the fingerprints, ISO: sales of later ones had not settled by then.
        tier: the model it forecast by, None where nobody had ordered.
        sales: what they were counted from (`Policy.sales`).
        decimals: digits of the currency.
    """

    writer: list[str]
    as_of: str
    until: str
    tier: str | None
    sales: str
    decimals: int


@dataclass(frozen=True)
class LastRun:
    """A run: `about` it, and `customers`, a row each with `COLUMNS`, of an earlier release `NEEDED` at
    least: `fingerprint`s of their sales, and the labels."""

    about: About
    customers: pd.DataFrame


def keep(settings: Settings, database: str, run: dict[str, Any], told: LastRun) -> None:
    """Keeps what a run read and told, and lets go of all but the run before it: this one may yet fail.

    A folder that cannot be written is no reason to fail: the next run says that nothing is kept.
    """
    path = _path(settings, database, run["company_id"], run["id"])
    table = pa.Table.from_pandas(told.customers[[*COLUMNS]], preserve_index=False)
    table = table.replace_schema_metadata({_ABOUT: json.dumps(asdict(told.about))})
    needed = {path, _path(settings, database, run["company_id"], run["last_run"] or 0)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(path, table)
        for old in set(path.parent.glob("*.parquet")) - needed:
            old.unlink()
    except OSError as error:
        logger.warning(
            "nothing is kept of run %s for the next one: %s: %s", run["id"], path, error.strerror or error
        )


def load(settings: Settings, database: str, company_id: int, run_id: int) -> LastRun | None:
    """What a run read and told; None where that is not kept, or cannot be understood."""
    try:
        table = pq.read_table(_path(settings, database, company_id, run_id))
        about = About(**json.loads(table.schema.metadata[_ABOUT]))
        told = [name for name in COLUMNS if name in NEEDED or name in table.column_names]
        return LastRun(about, table.select(told).to_pandas())
    except (OSError, ValueError, KeyError, TypeError):  # pyarrow's errors are ValueErrors and KeyErrors
        return None


def erase(settings: Settings, described: dict[str, Any]) -> None:
    """Takes customers who objected to profiling out of all that is kept of a database."""
    objecting = pa.array(described.get("erasures", []), type=pa.int64())
    root = database_directory(settings, described["database_uuid"], "runs")
    for path in root.glob("*/*.parquet") if len(objecting) else []:
        try:
            table = pq.read_table(path)
            named = pc.is_in(table["customer_id"], objecting)
            if pc.any(named).as_py():
                _write(path, table.filter(pc.invert(named)))
        except (OSError, ValueError, KeyError):  # what cannot be read cannot be cleared either
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _path(settings: Settings, database: str, company_id: int, run_id: int) -> Path:
    return database_directory(settings, database, "runs") / str(company_id) / f"{run_id}.parquet"


def _write(path: Path, table: pa.Table) -> None:
    whole_file.write(path, lambda file: pq.write_table(table, file))
