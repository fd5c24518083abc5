"""A history judged must not have taught what it is judged by: the slopes learnt from all others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from sync_worker.scoring import transfer

#: Slopes by the history that took no part in learning them, written by benchmarks/transfer.
FILE = Path(__file__).with_name("transfer_slopes.json")
ALL = "all"
#: Histories that teach: real ones.
TEACHERS = ("cdnow", "retail", "cj")
#: What is made of a history that teaches, and what took no part.
OTHERS = {"lot": "cdnow", "reseller": ALL, "superstore": ALL}


@contextmanager
def unseen(data_set: str) -> Iterator[None]:
    """The product with slopes that a history did not teach.

    Raises:
        KeyError: it is not known whether it did.
    """
    known = {name: name for name in TEACHERS} | OTHERS
    with patch.object(transfer, "SLOPES", json.loads(FILE.read_text())[known[data_set]]):
        yield
