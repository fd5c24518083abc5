"""What this worker keeps of customers who objected to profiling, which is nothing."""

from typing import Any

from sync_worker import exports, kept, last_run
from sync_worker.config import Settings


def erase(settings: Settings, described: dict[str, Any]) -> None:
    """Takes them out of all that is kept of a database."""
    for keeper in (kept, exports, last_run):
        keeper.erase(settings, described)
