"""Logging of the commands: one line a step, and no secret in any of them."""

import logging
import sys
import traceback

HIDDEN = "[api key]"


class RedactingFilter(logging.Filter):
    """Replaces secrets in everything a handler is about to write, tracebacks included.

    Attached to handlers, not to loggers: a logger's filter does not see the records of its children.
    """

    def __init__(self) -> None:
        super().__init__()
        self._secrets: set[str] = set()

    def hide(self, secret: str) -> None:
        # A key of a few letters would blot out words; Odoo's have forty.
        if len(secret) >= 8:
            self._secrets.add(secret)

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = str(record.msg)
        record.msg, record.args = self.clean(text), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip()
        if record.exc_text:
            record.exc_text = self.clean(record.exc_text)
        return True

    def clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text


redaction = RedactingFilter()


def configure(verbosity: int) -> None:
    """Sends the log to standard error: warnings and steps, with -v what is retried, with -vv everything."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(redaction)
    # journald stamps lines itself; a person at a terminal does not need the time.
    handler.setFormatter(
        logging.Formatter("%(levelname)s %(name)s: %(message)s" if verbosity else "%(message)s")
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbosity > 1 else logging.INFO if verbosity else logging.WARNING)
    if not verbosity:
        logging.getLogger("sync_worker.steps").setLevel(logging.INFO)
    for noisy in ("httpx", "httpcore", "matplotlib"):
        logging.getLogger(noisy).setLevel(logging.DEBUG if verbosity > 2 else logging.WARNING)
