"""The benchmark's database and server, and how to time what they do."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

STATE = Path(os.environ["STATE"])
URL = os.environ["URL"]
DATABASE = os.environ["DB"]
ROUNDS = 5


def timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def median_time(action: Callable[[], object]) -> float:
    return statistics.median(timed(action) for _ in range(ROUNDS))


def psql(*commands: str) -> str:
    arguments = [f"{os.environ['PG_BIN']}/psql", "-qAt", "-v", "ON_ERROR_STOP=1", "-d", DATABASE]
    for command in commands:
        arguments += ["-c", command]
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout
