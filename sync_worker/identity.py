"""Which databases this worker was confirmed for.

A restored or neutralised copy answers at the same address with other, or stale, customers. The first contact
with a database is remembered; when another answers, nothing is read or written until a person confirms it.
"""

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sync_worker.config import Settings
from sync_worker.errors import IdentityError, InputError
from sync_worker.whole_file import write_text

FILE = "databases.json"
_CONFIRM = "If that is meant, run: sync-worker check --confirm-database"


def state_directory(settings: Settings) -> Path:
    """Where state is kept: the setting, systemd's STATE_DIRECTORY, or the user's state folder."""
    if settings.state_directory:
        return settings.state_directory
    if os.environ.get("STATE_DIRECTORY"):
        return Path(os.environ["STATE_DIRECTORY"].split(":")[0])
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "sync-worker"


def database_directory(settings: Settings, database: str, purpose: str) -> Path:
    """Where something of one database is kept; whatever a server calls itself, it is a folder there."""
    return state_directory(settings) / purpose / re.sub(r"[^\w-]", "_", database)


def verify(settings: Settings, described: dict[str, Any], *, confirm: bool = False) -> bool:
    """Checks the database against what was confirmed; answers whether it was recorded just now.

    Raises `IdentityError` when another database, or a neutralised copy, answers and `confirm` is not set.
    """
    path = state_directory(settings) / FILE
    known = _read(path)
    key = f"{settings.url} {settings.database or ''}".strip()
    seen = {"uuid": described["database_uuid"], "neutralized": bool(described.get("neutralized"))}
    before = known.get(key)
    if before and all(before.get(name) == value for name, value in seen.items()):
        return False
    if not confirm:
        if before and before.get("uuid") != seen["uuid"]:
            raise IdentityError(
                f"Another database answers at {key}: it was {before.get('uuid')}, it is {seen['uuid']} now.",
                _CONFIRM,
            )
        if seen["neutralized"]:
            raise IdentityError(
                f"The database at {key} is a neutralised copy, made for trying things out.", _CONFIRM
            )
    known[key] = {**seen, "confirmed": datetime.now(UTC).isoformat(timespec="seconds")}
    write_json(path, known)
    return True


def write_json(path: Path, value: Any) -> None:
    """Writes JSON so that a reader sees the old file or the new one, never a half. Raises `InputError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(value, indent=1) + "\n")
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}.", "Give the worker a folder it may write to."
        ) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read ({error}).",
            "Mend or delete it; then run: sync-worker check --confirm-database",
        ) from None
    return value if isinstance(value, dict) else {}
