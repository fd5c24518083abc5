"""What monitors are told about `serve`: a JSON file, and systemd's notification socket."""

import json
import logging
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sync_worker import __version__
from sync_worker.errors import InputError
from sync_worker.identity import write_json

logger = logging.getLogger(__name__)

HEALTHY = frozenset({"idle", "running"})


class Health:
    """The state of a serving worker. Every change is written as a whole file and pets systemd's watchdog."""

    def __init__(self, path: Path | None):
        self._path = path
        self._shown: dict[str, Any] = {
            "state": "starting",
            "version": __version__,
            "pid": os.getpid(),
            "started": now(),
            "updated": None,
            "last_poll": None,
            "last_run": None,
            "last_error": None,
        }

    @property
    def state(self) -> str:
        return self._shown["state"]

    def show(self, **changes: Any) -> None:
        """Notes what changed, with the time. A file that cannot be written is worth a warning, not an end."""
        self._shown.update(changes, updated=now())
        if self._path:
            try:
                write_json(self._path, self._shown)
            except InputError as error:
                logger.warning("%s", error)
        notify("WATCHDOG=1")


def judge(path: Path, max_age: float) -> tuple[bool, str]:
    """Whether the worker that writes `path` is well, and the sentence that says so."""
    try:
        shown = json.loads(path.read_text(encoding="utf-8"))
        age = (datetime.now(UTC) - datetime.fromisoformat(shown["updated"])).total_seconds()
        state = shown["state"]
    except FileNotFoundError:
        return False, f"{path} does not exist: the worker has not served yet, or writes elsewhere"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return False, f"{path} cannot be understood ({type(error).__name__})"
    if state not in HEALTHY:
        return False, f"{state} since {shown['updated']}" + (
            f": {shown['last_error']}" if shown.get("last_error") else ""
        )
    if age > max_age:
        return False, f"silent for {age:.0f} s (more than {max_age:.0f} s); last state: {state}"
    last = shown.get("last_run")
    return True, f"{state}, {age:.0f} s ago; " + (
        f"last run {last['run_id']} of {last['company']}: {last['state']}" if last else "no run yet"
    )


def notify(message: str) -> None:
    """Tells systemd, when it asked to be told (sd_notify without its library)."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        try:
            channel.sendto(message.encode(), address)
        except OSError as error:
            logger.debug("systemd's socket does not answer: %s", error)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
