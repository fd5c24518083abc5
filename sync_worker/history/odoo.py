"""From the pages of `export_history` to the purchase history of one company.

Memory is bounded by the result plus one page: a page is decompressed, parsed and dropped, its columns stay.
"""

import base64
import binascii
import itertools
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from sync_worker.errors import ContractError
from sync_worker.history.schema import History
from sync_worker.transport import Transport
from sync_worker.transport.beside import side_by_side

# {"id": ..., "until": ...}: the rows with identifiers above the one and up to the other.
Cursor = dict[str, int]

_MEND = "Bring addon and worker to the same release."
_ID, _NUMBER, _DAY, _FLAG, _LABEL = pa.int64(), pa.float64(), pa.date32(), pa.bool_(), pa.string()

# The datasets of docs/contract.md: the columns read and their types. Columns an addon adds are not read.
DATASETS: dict[str, dict[str, pa.DataType]] = {
    "orders": {"order_id": _ID, "customer_id": _ID, "date": _DAY, "amount": _NUMBER, "margin": _NUMBER},
    "lines": {
        "line_id": _ID,
        "order_id": _ID,
        "product_id": _ID,
        "quantity": _NUMBER,
        "amount": _NUMBER,
        "discount": _NUMBER,
    },
    "partners": {"customer_id": _ID, "format_id": _ID, "first_seen": _DAY, "archived": _FLAG},
    "products": {"product_id": _ID, "category_id": _ID},
    "profiles": {
        "customer_id": _ID,
        "since": _DAY,
        "value_class": _LABEL,
        "value_segment": _LABEL,
        "loyalty_stage": _LABEL,
        "lifecycle_stage": _LABEL,
        "churn_risk": _LABEL,
    },
}
# Part of the reading each dataset takes, roughly: its rows times its columns.
_WEIGHTS = {"orders": 0.3, "partners": 0.05, "lines": 0.6, "products": 0.05}
# Read in parts: those whose page costs Odoo what it holds. For each page of partners it looks through all orders.
_SPLIT = frozenset({"orders", "lines"})
_FIRST_ROWS = 10_000
_MOST_TURNS = 500
# Empty in many rows, so integers with gaps; every other identifier is in every row.
_OPTIONAL_IDS = frozenset({"format_id", "category_id", "product_id"})


def read_history(
    transports: Sequence[Transport], company_id: int, *, page_rows: int, show: Callable[[float, str], None]
) -> History:
    """Orders, lines and customers of one company. `show` gets the part read (0 to 1) and a word on it.

    Raises `ContractError` when a page is not as the contract says, `HistoryError` when rows make no history.
    """
    frames: dict[str, pd.DataFrame] = {}
    done = 0.0
    for dataset, weight in _WEIGHTS.items():

        def on_page(
            rows: int, part: float, dataset: str = dataset, weight: float = weight, done: float = done
        ) -> None:
            show(done + weight * part, f"reading {dataset}: {rows:,}")

        frames[dataset] = read_dataset(transports, dataset, company_id, page_rows=page_rows, on_page=on_page)
        done += weight
    # The pages are gone; what they took would otherwise stay with the process.
    pa.default_memory_pool().release_unused()
    lines, products = frames.pop("lines"), frames.pop("products")
    category = products.drop_duplicates("product_id").set_index("product_id")["category_id"]
    lines["category"] = category.reindex(lines["product_id"]).array
    return History(
        orders=frames.pop("orders"), lines=lines.drop(columns="line_id"), customers=frames.pop("partners")
    )


def read_dataset(
    transports: Sequence[Transport],
    dataset: str,
    company_id: int,
    *,
    page_rows: int,
    on_page: Callable[[int, float], None],
) -> pd.DataFrame:
    """All rows of a dataset of one company, days as datetime64, labels as categories.

    Over several transports large datasets are read in parts side by side; the rows come in the same order.
    `on_page` gets the rows read so far and the part of the way behind them. Raises `ContractError` when
    a page is not as the contract says.
    """
    pages: list[pa.Table] = []
    rows = 0

    def keep(page: pa.Table, part: float) -> None:
        nonlocal rows
        rows += page.num_rows
        pages.append(page)
        on_page(rows, part)

    splits = len(transports) > 1 and dataset in _SPLIT
    # The first page tells how far the identifiers reach, and is all there is in a small company.
    first_rows = min(page_rows, _FIRST_ROWS) if splits else page_rows
    page, after = _fetch(transports[0], dataset, company_id, None, first_rows)
    keep(page, _part(after))
    if after and splits:
        parts = _split(after, page_rows, len(transports))

        def read_part(cursor: Cursor, transport: Transport) -> pa.Table:
            walk = _walk(transport, dataset, company_id, cursor, page_rows)
            return pa.concat_tables([page for page, _after in walk])

        side_by_side(
            transports,
            [partial(read_part, cursor) for cursor in parts],
            lambda page: keep(page, len(pages) / len(parts)),
        )
    elif after:
        for page, following in _walk(transports[0], dataset, company_id, after, page_rows):
            keep(page, _part(following))
    return _to_pandas(pa.concat_tables(pages), DATASETS[dataset])


def _split(after: Cursor, page_rows: int, ways: int) -> list[Cursor]:
    """The way of a cursor in parts of a page or less, as many as `ways` share evenly."""
    low, until = after["id"], after["until"]
    count = min(math.ceil((until - low) / (page_rows * ways)), _MOST_TURNS) * ways
    bounds = np.linspace(low, until, count + 1).astype(int).tolist()
    return [{"id": start, "until": end} for start, end in itertools.pairwise(bounds) if start < end]


def _walk(
    transport: Transport, dataset: str, company_id: int, after: Cursor | None, limit: int
) -> Iterator[tuple[pa.Table, Cursor | None]]:
    """The pages behind a cursor, each with the cursor that follows it."""
    while after:
        page, after = _fetch(transport, dataset, company_id, after, limit)
        yield page, after


def _fetch(
    transport: Transport, dataset: str, company_id: int, after: Cursor | None, limit: int
) -> tuple[pa.Table, Cursor | None]:
    answer = transport.call(
        "export_history", {"dataset": dataset, "company_id": company_id, "after": after, "limit": limit}
    )
    page = decode_page(answer, dataset)
    following = answer.get("after")
    if following:
        try:
            following = {"id": int(following["id"]), "until": int(following["until"])}
        except (KeyError, TypeError, ValueError) as error:
            raise ContractError(f"The export of {dataset} goes on from {following}.", _MEND) from error
    if following and following == after:
        raise ContractError(f"The export of {dataset} does not move on from {after}.", _MEND)
    return page, following or None


def _part(after: Cursor | None) -> float:
    """How far the cursor is: identifiers grow evenly enough to show progress by them."""
    return min(after["id"] / max(after["until"], 1), 1.0) if after else 1.0


def decode_page(answer: dict[str, Any], dataset: str) -> pa.Table:
    """One page as typed columns. Raises `ContractError` when columns, types or count do not fit."""
    wanted = DATASETS[dataset]
    try:
        names, count = list(answer["columns"]), int(answer["rows"])
        raw = zlib.decompress(base64.b64decode(answer["data"])) if answer["data"] else b""
    except (KeyError, TypeError, ValueError, binascii.Error, zlib.error) as error:
        raise ContractError(f"A page of {dataset} cannot be read ({type(error).__name__}).", _MEND) from error
    missing = [name for name in wanted if name not in names]
    if missing:
        raise ContractError(f"The export of {dataset} lacks the columns {', '.join(missing)}.", _MEND)
    if not raw.strip():
        page = pa.schema(list(wanted.items())).empty_table()
    else:
        try:
            page = pyarrow.csv.read_csv(
                pa.BufferReader(raw),
                read_options=pyarrow.csv.ReadOptions(
                    column_names=names, use_threads=False, block_size=len(raw) + 1
                ),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=wanted,
                    include_columns=list(wanted),
                    null_values=[""],
                    strings_can_be_null=True,
                    true_values=["t"],
                    false_values=["f"],
                ),
            )
        except pa.ArrowInvalid as error:
            raise ContractError(f"A page of {dataset} cannot be read: {error}.", _MEND) from error
    if page.num_rows != count:
        raise ContractError(
            f"A page of {dataset} has {page.num_rows} rows where Odoo announced {count}.", _MEND
        )
    return page


def _to_pandas(table: pa.Table, wanted: dict[str, pa.DataType]) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for name, kind in wanted.items():
        column = table.column(name)
        if kind == _LABEL:
            columns[name] = column.dictionary_encode().combine_chunks().to_pandas()
        elif kind == _DAY:
            columns[name] = column.cast(pa.timestamp("s")).to_numpy().astype("datetime64[s]")
        elif kind == _ID and name in _OPTIONAL_IDS:
            columns[name] = column.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
        elif kind == _ID and column.null_count:
            raise ContractError(f"The export leaves {name} empty in {column.null_count} rows.", _MEND)
        else:
            columns[name] = column.to_numpy()
    return pd.DataFrame(columns, copy=False)
