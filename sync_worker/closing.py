"""The end of a run that fails."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from sync_worker.errors import LeaseLostError, RunError, WorkerError
from sync_worker.history.schema import HistoryError
from sync_worker.outcome import Outcome
from sync_worker.transport import Transport

logger = logging.getLogger(__name__)

STOP_TIMEOUT = 5.0


@contextlib.contextmanager
def closing_on_failure(transport: Transport, run: dict[str, Any], outcome: Outcome) -> Iterator[None]:
    """Whatever happens inside after the claim, Odoo learns that the run failed and why, in one sentence."""
    try:
        yield
    except KeyboardInterrupt:
        _close_failed(transport, run, "stopped by operator", timeout=STOP_TIMEOUT)
        raise
    except LeaseLostError as error:
        # The run has another holder: not even its failure is ours to write.
        outcome.fail(error)
    except WorkerError as error:
        _close_failed(transport, run, error.message)
        outcome.fail(error)
    except HistoryError as error:
        _close_failed(transport, run, str(error))
        outcome.fail(RunError(str(error), "Mend the data in Odoo and start the run again."))
    except Exception as error:  # the run is closed whatever a model or a library does
        logger.exception("run %s failed unexpectedly", run["id"])
        sentence = f"The worker failed unexpectedly ({type(error).__name__}); its log has the details."
        _close_failed(transport, run, sentence)
        outcome.fail(WorkerError(sentence, "Run again with -v and report what it prints."))


def _close_failed(
    transport: Transport, run: dict[str, Any], error: str, timeout: float | None = None
) -> None:
    params = {"run_id": run["id"], "token": run["token"], "state": "failed", "error": error}
    try:
        transport.call("close_run", params, timeout=timeout, once=timeout is not None)
    except WorkerError as failure:
        logger.warning(
            "run %s could not be closed (%s); it is free when its lease expires", run["id"], failure
        )
