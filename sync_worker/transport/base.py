"""What the two transports share: the interface, the retry policy, and the meaning of Odoo's errors."""

import logging
import re
from collections.abc import Callable
from typing import Any, Protocol

import tenacity

from sync_worker.errors import (
    ContractError,
    InputError,
    LeaseLostError,
    RefusedError,
    RunError,
    ServerError,
    UnreachableError,
    WorkerError,
)
from sync_worker.sentences import sentence

logger = logging.getLogger(__name__)

MODEL = "crm.value.sync"
GROUP = "Customer Value / Sync worker"
CONNECT_TIMEOUT = 10.0
RETRIED_STATUSES = frozenset({429, 502, 503, 504})

# Reads, and writes that may be repeated without effect (docs/contract.md). Not `claim_run`: an answer lost on
# the way would leave a second run claimed by nobody.
REPEATABLE = frozenset({"describe", "export_history", "beat", "publish", "close_run"})

_CONCURRENCY = re.compile(
    r"SerializationFailure|could not serialize|DeadlockDetected|deadlock detected|LockNotAvailable"
)
_CODE = re.compile(r"^\s*\[([a-z-]+)\]\s*(.*)", re.DOTALL)


class Transport(Protocol):
    """A connection to one Odoo database as one user."""

    name: str

    def server_version(self) -> str:
        """The series of Odoo, asked without a login. Raises `UnreachableError` or `NotOdooError`."""

    def call(
        self, method: str, params: dict[str, Any], *, timeout: float | None = None, once: bool = False
    ) -> Any:
        """Calls a method of the contract with keyword arguments and answers its JSON value.

        Repeatable methods are retried unless `once`. Raises a `WorkerError` whose class says what went wrong.
        """

    def close(self) -> None:
        """Frees the connection."""


def from_odoo(name: str, message: str, status: int | None = None) -> WorkerError:
    """The worker's error for an exception Odoo answered (`name` is its Python class, `message` its text)."""
    message = " ".join(str(message).split())[:500]
    kind = name.rsplit(".", 1)[-1]
    coded = _CODE.match(message)
    if coded:
        return _from_code(*coded.groups())
    error: WorkerError
    if _CONCURRENCY.search(name) or _CONCURRENCY.search(message):
        words = "Odoo could not get a lock it needed because other work was in its way."
        error = ServerError(sentence("odoo_busy", words))
        error.transient = True
    elif kind in ("AccessDenied", "Unauthorized") or status == 401:
        error = key_refused()
    elif kind in ("AccessError", "Forbidden") or status == 403:
        error = RefusedError(
            message or "Odoo denied the access.",
            f"Give the account of the key the group “{GROUP}” and the companies it shall score.",
        )
    elif _addon_missing(kind, message):
        error = addon_missing()
    elif kind in ("UserError", "ValidationError") or status == 422:
        error = RunError(
            message or "Odoo refused the request.", "Mend what the sentence names and start again."
        )
    else:
        kind = kind or "unknown error"
        error = ServerError(sentence("odoo_failed", f"Odoo failed inside ({kind}).", kind=kind))
    return error


def _addon_missing(kind: str, message: str) -> bool:
    """JSON-2 does not find the model, the legacy protocol refuses it in the user's language; both name it."""
    return MODEL in message and kind in ("NotFound", "KeyError", "UserError")


def _from_code(code: str, text: str) -> WorkerError:
    if code == "lease-lost":
        return LeaseLostError(text or "The run belongs to another worker now.")
    if code == "contract":
        return ContractError(text, "Bring addon and worker to the same release.")
    if code == "scored-later":
        return InputError(
            text,
            "Name a later day; scores of this one, not for Odoo, come from a kept export (docs/worker.md).",
        )
    return RunError(
        f"{text} [{code}]", "Start the run again; if it stays, report this sentence with both versions."
    )


def key_refused() -> WorkerError:
    return RefusedError(
        sentence(
            "key_refused",
            "Odoo does not accept the API key: it is mistyped, expired, revoked, or of another database.",
        ),
        "As the sync user, create a key in Odoo (My Profile, Account Security) and give it to the worker.",
    )


def addon_missing() -> WorkerError:
    return ContractError(
        "The database has no addon Customer Value (crm_value_addon).",
        "Install it in Odoo under Apps, or set `database` to the one where it is installed.",
    )


def retrying(send: Callable[[], Any], *, attempts: int) -> Any:
    """Calls `send` until it succeeds, up to `attempts` times while its failures are transient.

    Waits exponentially with jitter, at least as long as the server asked for.
    """
    jitter = tenacity.wait_exponential(multiplier=0.5, max=15) + tenacity.wait_random(0, 0.5)

    def wait(state: tenacity.RetryCallState) -> float:
        asked = getattr(state.outcome.exception(), "retry_after", None) if state.outcome else None
        return max(jitter(state), min(asked or 0.0, 60.0))

    def before_sleep(state: tenacity.RetryCallState) -> None:
        failure = state.outcome.exception() if state.outcome else None
        logger.info("attempt %s of %s failed: %s", state.attempt_number, attempts, failure)

    retry = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(attempts),
        wait=wait,
        retry=tenacity.retry_if_exception(lambda error: isinstance(error, WorkerError) and error.transient),
        before_sleep=before_sleep,
        reraise=True,
    )
    return retry(send)


def unavailable(status: int, retry_after: str | None) -> WorkerError:
    """The error for an answer that asks to come back later."""
    words = f"Odoo, or the proxy before it, is overloaded or restarting (HTTP {status})."
    error = UnreachableError(sentence("odoo_overloaded", words, status=status))
    if retry_after and retry_after.strip().isdigit():
        error.retry_after = float(retry_after)
    return error
