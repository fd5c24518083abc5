"""Write-back: from the scored customers to batches of CSV for `publish`, in the columns both sides know."""

import base64
import contextlib
import io
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from sync_worker.errors import ContractError
from sync_worker.transport import Transport
from sync_worker.transport.beside import side_by_side

KEY = "partner_id"
_CSV = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")


@dataclass
class Sent:
    """What `publish` answered over all batches: rows sent, and how many of them by status."""

    rows: int = 0
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def refused(self) -> dict[str, int]:
        return {status: count for status, count in self.statuses.items() if status != "ok" and count}


def publish(
    transports: Sequence[Transport],
    run: dict[str, Any],
    table: pa.Table,
    *,
    batch_rows: int,
    on_batch: Callable[[int], None],
    room: AbstractContextManager[Any] | None = None,
) -> Sent:
    """Sends the table in numbered batches, side by side over the transports, and counts the answers.

    `on_batch` gets the rows sent so far; `room` is held for each batch that is on its way. The first failure
    ends the sending and is raised.
    """
    sent = Sent()

    def send(number: int, batch: pa.Table, transport: Transport) -> tuple[int, dict[str, int]]:
        params = {
            "run_id": run["id"],
            "token": run["token"],
            "batch": number,
            "columns": table.column_names,
            "data": encode(batch),
        }
        with room or contextlib.nullcontext():
            return batch.num_rows, transport.call("publish", params)

    def count(answer: tuple[int, dict[str, int]]) -> None:
        rows, statuses = answer
        sent.rows += rows
        sent.statuses.update({status: int(number) for status, number in statuses.items()})
        on_batch(sent.rows)

    batches = enumerate(_slices(table, batch_rows), start=1)
    side_by_side(transports, [partial(send, number, batch) for number, batch in batches], count)
    return sent


def to_table(scores: pd.DataFrame, types: dict[str, str], decimals: int = 2) -> pa.Table:
    """The scores as typed columns in the order of `types` (the addon's `publish_columns`).

    Columns only one side knows are left out. Rows are by customer, so that equal scores make equal batches.
    Raises `ContractError` for a type this worker does not know, or when `partner_id` is not among them.
    """
    if KEY not in types:
        raise ContractError(
            f"The addon publishes no column {KEY}.", "Bring addon and worker to the same release."
        )
    if KEY not in scores and "customer_id" in scores:
        scores = scores.rename(columns={"customer_id": KEY})
    scores = scores.sort_values(KEY, kind="stable")
    columns = {
        name: _column(scores[name], kind, decimals, name)
        for name, kind in types.items()
        if name in scores.columns
    }
    return pa.table(columns)


def encode(table: pa.Table) -> str:
    """A batch as base64 of zlib of CSV without header: missing is empty, booleans `t`/`f`, dates ISO."""
    buffer = io.BytesIO()
    pyarrow.csv.write_csv(table, buffer, _CSV)
    # Level 1: the batch travels once, often on the same machine.
    return base64.b64encode(zlib.compress(buffer.getvalue(), 1)).decode("ascii")


def _slices(table: pa.Table, rows: int) -> Iterator[pa.Table]:
    for start in range(0, table.num_rows, rows):
        yield table.slice(start, rows)


def _column(values: pd.Series, kind: str, decimals: int, name: str) -> pa.Array:
    if kind == "integer":
        return pa.array(values.astype("Int64"), type=pa.int64())
    if kind in ("float", "money"):
        numbers = pd.to_numeric(values, errors="coerce").to_numpy("float64", na_value=np.nan)
        # Neither infinity nor "not a number" is a score: it is a missing one.
        numbers = np.where(np.isfinite(numbers), numbers, np.nan)
        # Noise below what anybody reads would make every row "changed" on every run.
        return pa.array(np.round(numbers, decimals if kind == "money" else 6), from_pandas=True)
    if kind == "date":
        return pa.array(pd.to_datetime(values, errors="coerce").dt.date, type=pa.date32(), from_pandas=True)
    if kind == "boolean":
        flags = pa.array(values.astype("boolean"), type=pa.bool_())
        return pc.if_else(flags, "t", "f")
    if kind == "json":
        return _json_texts(values)
    if kind == "text":
        text = pa.array(
            values.astype("object").where(values.notna(), None), type=pa.string(), from_pandas=True
        )
        return pc.if_else(pc.equal(text, ""), None, text)
    raise ContractError(
        f"The addon wants {name} as {kind}, a type this worker does not know.",
        "Bring addon and worker to the same release.",
    )


def _json_texts(values: pd.Series) -> pa.Array:
    if isinstance(values.dtype, pd.StringDtype):
        # Written already, and too long to be copied for nothing.
        texts = pa.array(values, type=pa.large_string())
        return pc.if_else(pc.equal(texts, ""), None, texts)
    given = values.astype("object").where(values.notna(), None)
    return pa.array([_json(value) for value in given], type=pa.string())


def _json(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value or None
    return (
        json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=_plain) if len(value) else None
    )


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return str(value)
