"""What the last run of a company left here, so that a preview need not read and fit everything again.

One file per company in the state folder, readable by the worker's account only: numbers by customer id, no names.
What a run leaves lies beside it until the run is done.
A pickle is trusted as far as the folder is: nobody but the worker may write there.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import sklearn

from sync_worker import __version__, whole_file
from sync_worker.config import Settings
from sync_worker.identity import database_directory
from sync_worker.scoring.preparation import Prepared

logger = logging.getLogger(__name__)

#: What wrote a file: another one may not understand it, and does the work anew.
WRITER = (__version__, np.__version__, pd.__version__, sklearn.__version__)


@dataclass
class Kept:
    """What a run left.

    Attributes:
        prepared: what the labels of the buyers rest on, without their sales.
        labels: those of the run, by the policy of `prepared` (`labelling.TOLD`).
        as_of: the day of the run, ISO.
    """

    prepared: Prepared
    labels: pd.DataFrame
    as_of: str


def keep(settings: Settings, database: str, run: dict[str, Any], left: Kept) -> None:
    """Keeps what a run leaves, aside until it is done (`settle`): previews are still of the run before.

    A folder that cannot be written is no reason to fail: previews take longer, which the log says.
    """
    path = _path(settings, database, run["company_id"], run["id"])
    _remove(_open(settings, database, run["company_id"]))
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The list of customers first: what `erase` does not know of would outlive an objection.
        _write(_customers(path), left.prepared.facts.table["customer_id"].to_numpy())
        _write(path, {"writer": WRITER, "run": run["id"], "left": left})
    except OSError as error:
        logger.warning("nothing is kept for previews: %s: %s", path, error.strerror or error)
        _remove([path])


def settle(settings: Settings, database: str, company_id: int, run_id: int) -> None:
    """Lets what a run left take the place of what an earlier one of the company left: it is done."""
    path, left = _path(settings, database, company_id), _path(settings, database, company_id, run_id)
    with contextlib.suppress(OSError):
        if left.exists() and _customers(left).exists():
            _customers(left).replace(_customers(path))
            left.replace(path)


def load(settings: Settings, database: str, company_id: int, run_id: int | None) -> Kept | None:
    """What the run left; None where the last file is of another run, or of another
    release of the worker or its libraries."""
    try:
        kept = joblib.load(_path(settings, database, company_id))
    except FileNotFoundError:
        return None
    except Exception:  # a damaged file raises whatever its bytes happen to say
        forget(settings, database, company_id)
        return None
    if kept["writer"] != WRITER or kept["run"] != run_id:
        return None
    return kept["left"]


def erase(settings: Settings, described: dict[str, Any]) -> None:
    """Forgets companies whose file holds a customer who objected to profiling since."""
    objecting = np.array(described.get("erasures", []), dtype="int64")
    folder = _path(settings, described["database_uuid"], 0).parent
    whole_file.sweep(folder)
    for path in folder.glob("*.customers") if len(objecting) else []:
        company_id = path.name.split(".", 1)[0]
        try:
            found = np.isin(joblib.load(path), objecting).any()
        except Exception:  # likewise
            found = True
        if found:
            forget(settings, described["database_uuid"], int(company_id))


def forget(settings: Settings, database: str, company_id: int) -> None:
    """Removes what is kept of a company."""
    _remove([_path(settings, database, company_id), *_open(settings, database, company_id)])


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        for each in (path, _customers(path)):
            with contextlib.suppress(OSError):
                each.unlink(missing_ok=True)


def _open(settings: Settings, database: str, company_id: int) -> list[Path]:
    """What runs of a company have left of which nobody knows that they are done."""
    path = _path(settings, database, company_id)
    names = {each.with_suffix(".joblib") for each in path.parent.glob(f"{company_id}.*.*")}
    return sorted(names)


def _path(settings: Settings, database: str, company_id: int, run_id: int | None = None) -> Path:
    """Of the last run that is done, or of one that is not yet known to be."""
    name = f"{company_id}" if run_id is None else f"{company_id}.{run_id}"
    return database_directory(settings, database, "kept") / f"{name}.joblib"


def _customers(path: Path) -> Path:
    return path.with_suffix(".customers")


def _write(path: Path, value: Any) -> None:
    whole_file.write(path, lambda file: joblib.dump(value, file))
