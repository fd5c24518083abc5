"""The end of a run that fails."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

from sync_worker.errors import LeaseLostError, RunError, WorkerError
from sync_worker.history.columns import HistoryError
from sync_worker.outcome import Outcome
from sync_worker.sentences import Told, sentence
from sync_worker.transport import Transport

logger = logging.getLogger(__name__)

STOP_TIMEOUT = 5.0


@contextlib.contextmanager
def closing_on_failure(
    transport: Transport, run: dict[str, Any], outcome: Outcome, tell: Callable[[str], Told] = str
) -> Iterator[None]:
    """Whatever happens inside after the claim, Odoo learns that the run failed and why, in one sentence.

    Args:
        tell: makes of a sentence what the addon is told (`sentences.teller`).
    """

    def failed(error: str, timeout: float | None = None) -> None:
        _close_failed(transport, run, tell(error), timeout)

    try:
        yield
    except KeyboardInterrupt:
        failed(sentence("stopped", "stopped by operator"), STOP_TIMEOUT)
        raise
    except LeaseLostError as error:
        # The run has another holder: not even its failure is ours to write.
        outcome.fail(error)
    except WorkerError as error:
        failed(error.message)
        outcome.fail(error)
    except HistoryError as error:
        failed(error.args[0])
        outcome.fail(RunError(error.args[0], "Mend the data in Odoo and start the run again."))
    except Exception as error:  # the run is closed whatever a model or a library does
        logger.exception("run %s failed unexpectedly", run["id"])
        kind = type(error).__name__
        told = f"The worker failed unexpectedly ({kind}); its log has the details."
        failed(sentence("failed_unexpectedly", told, kind=kind))
        outcome.fail(WorkerError(told, "Run again with -v and report what it prints."))


def _close_failed(transport: Transport, run: dict[str, Any], error: Told, timeout: float | None) -> None:
    params = {"run_id": run["id"], "token": run["token"], "state": "failed", "error": error}
    try:
        transport.call("close_run", params, timeout=timeout, once=timeout is not None)
    except WorkerError as failure:
        logger.warning(
            "run %s could not be closed (%s); it is free when its lease expires", run["id"], failure
        )
