"""Every failure the worker knows, each with an exit code and a mend.

A message is one sentence for the person at the terminal; `mend` says what to do about it. Neither ever
carries an API key or a server traceback.
"""


class WorkerError(Exception):
    """Base of all expected failures.

    `exit_code` is what the command ends with, `mend` what the reader can do. `transient` failures may pass by
    themselves, `retry_after` is the number of seconds the server asked to wait.
    """

    exit_code = 1
    mend = ""
    transient = False
    retry_after: float | None = None

    def __init__(self, message: str, mend: str | None = None):
        super().__init__(message)
        if mend is not None:
            self.mend = mend

    @property
    def message(self) -> str:
        text = self.args[0]
        return text if isinstance(text, str) else str(text)  # a sentence keeps its code


class ServerError(WorkerError):
    """Odoo failed inside; its own log says why."""

    mend = "Look at the log of Odoo at this moment; the worker never shows server tracebacks."


class InputError(WorkerError):
    """Bad usage, configuration or input file."""

    exit_code = 2


class UnreachableError(WorkerError):
    """No answer from Odoo: network, name, port, certificate, wrong address, or Odoo is down."""

    exit_code = 3
    mend = "See that Odoo runs and that `url` is right; the worker can be started again at any time."
    transient = True


class NotOdooError(UnreachableError):
    """Something answered, but not as Odoo, or not for this database. Asking again does not help."""

    mend = "Set `url` to the address people open Odoo with, and `database` to the name of its database."
    transient = False


class RefusedError(WorkerError):
    """The key or the rights of the account are not accepted."""

    exit_code = 4


class ContractError(WorkerError):
    """The addon is missing or speaks another version than this worker."""

    exit_code = 5


class IdentityError(WorkerError):
    """The database is not the one this worker was confirmed for."""

    exit_code = 5


class BusyError(WorkerError):
    """Another worker holds the lease of the company."""

    exit_code = 6
    mend = "Wait until it ends or until its lease expires; a run is never worked on twice."


class RunError(WorkerError):
    """Odoo refused a step of the run."""

    exit_code = 7


class LeaseLostError(RunError):
    """The run belongs to another worker now; nothing more may be written."""

    mend = (
        "Nothing half-done is shown in Odoo. The worker that took over completes the run; or start another."
    )
