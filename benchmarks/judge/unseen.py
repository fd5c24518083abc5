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
#: Histories made of another one.
PARTS_OF = {"lot": "cdnow"}


@contextmanager
def unseen(data_set: str) -> Iterator[None]:
    """The product had it never seen a history."""
    slopes = json.loads(FILE.read_text())
    with patch.object(transfer, "SLOPES", slopes.get(PARTS_OF.get(data_set, data_set), slopes[ALL])):
        yield
