"""Several calls on their way at once, each over a connection of its own."""

import queue
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sync_worker.transport.base import Transport

T = TypeVar("T")


def side_by_side(
    transports: Sequence[Transport],
    tasks: Iterable[Callable[[Transport], T]],
    on_answer: Callable[[T], None],
) -> None:
    """Gives every task a transport, as many at a time as there are, and `on_answer` the answers in their order.

    `on_answer` is called by the caller's own thread. The first failure, of a task or of `on_answer`, ends the
    work and is raised: what has not begun by then does not begin.
    """
    free: queue.SimpleQueue[Transport] = queue.SimpleQueue()
    for transport in transports:
        free.put(transport)

    def work(task: Callable[[Transport], T]) -> T:
        transport = free.get()
        try:
            return task(transport)
        finally:
            free.put(transport)

    with ThreadPoolExecutor(len(transports), "beside") as pool:
        working = [pool.submit(work, task) for task in tasks]
        try:
            for one in working:
                on_answer(one.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
