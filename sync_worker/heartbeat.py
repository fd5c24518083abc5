"""Keeps the lease of a run, and shows its progress in Odoo, while the run works."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType

from sync_worker.errors import LeaseLostError, RefusedError, RunError, WorkerError
from sync_worker.sentences import Told
from sync_worker.transport import Transport

logger = logging.getLogger(__name__)

BEAT_TIMEOUT = 15.0
SENDERS = 2  # calls that may be on their way beside each other, but not beside a beat
AGAIN_AFTER = 5.0  # seconds after a beat that was not answered
SHOWN_EVERY = 2.0  # seconds between two beats that only carry new progress


class Heartbeat:
    """Beats in a thread over a transport of its own, every third of the lease and soon after a step begins.

    A beat that cannot be sent is repeated soon: only Odoo's word ends the lease.
    """

    def __init__(
        self,
        transport: Transport,
        run_id: int,
        token: str,
        lease_seconds: float,
        on_beat: Callable[[], None] | None = None,
        tell: Callable[[str], Told] = str,
    ):
        # Held by whoever sends something that reads the run in Odoo: a beat, which writes it, at the same moment
        # would be a conflict, which Odoo resolves by making one of the two wait for seconds.
        self.room = threading.Semaphore(SENDERS)
        self._transport = transport
        self._run = {"run_id": run_id, "token": token}
        self._interval = max(lease_seconds / 3, 0.2)
        self._on_beat = on_beat
        self._tell = tell
        self._progress = 0.0
        self._message = ""
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._failure: WorkerError | None = None
        self._thread = threading.Thread(target=self._beat, name=f"beat of run {run_id}", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the beats; waits briefly for one that is under way."""
        self._ended.set()
        self._wake.set()
        self._thread.join(timeout=2)

    def show(self, progress: float, message: str) -> None:
        """Progress (0 to 100) and step of the run from now on. Raises what the last beat was refused with."""
        self.check()
        self._progress, step = min(max(progress, 0.0), 100.0), message != self._message
        self._message = message
        if step:
            self._wake.set()

    def check(self) -> None:
        """Raises `LeaseLostError` (or another refusal) when Odoo refused a beat."""
        if self._failure:
            raise self._failure

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """All of the room, once those who are in it have left."""
        for _ in range(SENDERS):
            self.room.acquire()
        try:
            yield
        finally:
            self.room.release(SENDERS)

    def _beat(self) -> None:
        last, pause = time.monotonic(), self._interval
        while not self._ended.is_set():
            if self._wake.wait(pause):
                self._wake.clear()
                if self._ended.wait(max(0.0, last + SHOWN_EVERY - time.monotonic())):
                    return
            if self._ended.is_set():
                return
            last, pause = time.monotonic(), self._interval
            if self._on_beat:
                self._on_beat()
            try:
                with self._alone():
                    self._transport.call(
                        "beat",
                        {
                            **self._run,
                            "progress": round(self._progress, 1),
                            "message": self._tell(self._message),
                        },
                        timeout=BEAT_TIMEOUT,
                        once=True,
                    )
            except (LeaseLostError, RefusedError, RunError) as error:
                if not self._ended.is_set():
                    self._failure = error
                return
            except WorkerError as error:
                logger.info("a heartbeat was not answered: %s", error)
                pause = min(pause, AGAIN_AFTER)
