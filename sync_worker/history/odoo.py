"""From the pages of `export_history` to the purchase history of one company.

Memory is bounded by the result plus one page: a page is decompressed, parsed and dropped, its columns stay.
"""

import base64
import binascii
import itertools
import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from sync_worker.errors import ContractError
from sync_worker.history.columns import possible_days
from sync_worker.history.datasets import (
    COUNTER,
    DATASETS,
    DAY,
    FACT_DATASETS,
    ID,
    LABEL,
    MEND,
    Columns,
    has_gaps,
    to_read,
)
from sync_worker.history.schema import History
from sync_worker.sentences import sentence
from sync_worker.transport import Transport
from sync_worker.transport.beside import side_by_side

# {"id": ..., "until": ...}: the rows with identifiers above the one and up to the other.
Cursor = dict[str, int]

# Part of the reading each dataset takes, roughly: its rows times its columns.
_WEIGHTS = {"orders": 6, "lines": 12, "pos_orders": 3, "pos_lines": 6, "messages": 3}
_LEAST_WEIGHT = 1
# Read at one go: small, or for each page of partners Odoo looks through all orders. Of the others a page costs Odoo
# what it holds.
_WHOLE = frozenset({"partners", "products", "profiles"})
_FIRST_ROWS = 10_000
_MOST_TURNS = 500


def read_history(
    transports: Sequence[Transport],
    company_id: int,
    *,
    offered: Mapping[str, Sequence[str]],
    page_rows: int,
    show: Callable[[float, str], None],
    with_facts: bool = True,
    sales: str = "orders",
) -> History:
    """What Odoo knows of the customers of one company. `show` gets the part read (0 to 1) and a word on it.

    Args:
        offered: columns by dataset of this database, `describe()["datasets"]`; what is not offered is not known.
        with_facts: read what is known besides the sales too.
        sales: what they are counted from (`Policy.sales`); the orders of the history are then invoices, by their ids.

    Raises `ContractError` when a page is not as the contract says, `HistoryError` when rows make no history.
    """
    plan = to_read(offered, with_facts=with_facts)
    weights = {dataset: _WEIGHTS.get(dataset, _LEAST_WEIGHT) for dataset in plan}
    whole = sum(weights.values())
    frames: dict[str, pd.DataFrame] = {}
    done = 0.0
    for dataset, wanted in plan.items():
        weight = weights[dataset] / whole

        def on_page(
            rows: int, part: float, dataset: str = dataset, weight: float = weight, done: float = done
        ) -> None:
            words = f"reading {dataset.replace('_', ' ')}: {rows:,}"
            show(done + weight * part, sentence("reading", words, dataset=dataset, rows=rows))

        frames[dataset] = read_dataset(
            transports, dataset, company_id, wanted=wanted, page_rows=page_rows, on_page=on_page, sales=sales
        )
        done += weight
    return _history(frames)


def _history(frames: dict[str, pd.DataFrame]) -> History:
    """A history of the datasets read; takes them out of `frames`."""
    _add_counter_sales(frames)
    orders, lines, products = frames.pop("orders"), frames.pop("lines"), frames.pop("products")
    products = products.drop_duplicates("product_id").rename(columns={"category_id": "category"})
    lines["category"] = products.set_index("product_id")["category"].reindex(lines["product_id"]).array
    known = "introduced" in products
    if known:
        products["introduced"] = _introduced(products, lines, orders)
    return History(
        orders=orders,
        lines=lines.drop(columns="line_id"),
        customers=frames.pop("partners"),
        products=products if known else None,
        previous=frames.pop("profiles", None),
        facts=frames,
    )


def _add_counter_sales(frames: dict[str, pd.DataFrame]) -> None:
    """Appends the sales of the point of sale, with negative order ids: they are no sales orders to be opened."""
    for sales, counter in (("orders", "pos_orders"), ("lines", "pos_lines")):
        sold = frames.pop(counter, None)
        if sold is None or sold.empty:
            continue
        sold["order_id"] = -sold["order_id"]
        frames[sales] = pd.concat([frames[sales], sold], ignore_index=True)
        details = frames.get("order_details")
        if counter == "pos_orders" and details is not None:
            at_counter = sold[["order_id", "customer_id"]].assign(known=sold["date"], channel="point_of_sale")
            frames["order_details"] = pd.concat([details, at_counter], ignore_index=True)


def _introduced(products: pd.DataFrame, lines: pd.DataFrame, orders: pd.DataFrame) -> pd.Series:
    """The first day each product was known: a product entered after it was first sold is as old as that sale."""
    at = pd.Index(orders["order_id"]).get_indexer(lines["order_id"])
    sold = (at >= 0) & lines["product_id"].notna().to_numpy()
    days = possible_days(pd.Series(orders["date"].to_numpy()[at[sold]]))
    first = days.groupby(lines["product_id"].to_numpy("int64", na_value=-1)[sold]).min()
    first = first.reindex(products["product_id"]).to_numpy()
    return pd.Series(np.fmin(products["introduced"].to_numpy(), first), index=products.index)


def read_dataset(
    transports: Sequence[Transport],
    dataset: str,
    company_id: int,
    *,
    page_rows: int,
    on_page: Callable[[int, float], None],
    wanted: Columns | None = None,
    sales: str = "orders",
) -> pd.DataFrame:
    """All rows of a dataset of one company, days as datetime64, labels as categories.

    `wanted` are the columns to read, all that every addon offers unless named; `sales` as in `read_history`.

    Over several transports large datasets are read in parts side by side; the rows come in the same order.
    `on_page` gets the rows read so far and the part of the way behind them. Raises `ContractError` when
    a page is not as the contract says.
    """
    columns = wanted or (DATASETS | COUNTER | FACT_DATASETS)[dataset]
    asked = {"dataset": dataset, "company_id": company_id}
    if sales != "orders":
        asked["sales"] = sales
    pages: list[pa.Table] = []
    rows = 0

    def keep(page: pa.Table, part: float) -> None:
        nonlocal rows
        rows += page.num_rows
        pages.append(page)
        on_page(rows, part)

    splits = len(transports) > 1 and dataset not in _WHOLE
    # The first page tells how far the identifiers reach, and is all there is in a small company.
    first_rows = min(page_rows, _FIRST_ROWS) if splits else page_rows
    page, after = _fetch(transports[0], asked, columns, None, first_rows)
    keep(page, _part(after))
    if after and splits:
        parts = _split(after, page_rows, len(transports))

        def read_part(cursor: Cursor, transport: Transport) -> pa.Table:
            walk = _walk(transport, asked, columns, cursor, page_rows)
            return pa.concat_tables([page for page, _after in walk])

        side_by_side(
            transports,
            [partial(read_part, cursor) for cursor in parts],
            lambda page: keep(page, len(pages) / len(parts)),
        )
    elif after:
        for page, following in _walk(transports[0], asked, columns, after, page_rows):
            keep(page, _part(following))
    return _to_pandas(pa.concat_tables(pages), dataset, columns)


def _split(after: Cursor, page_rows: int, ways: int) -> list[Cursor]:
    """The way of a cursor in parts of a page or less, as many as `ways` share evenly."""
    low, until = after["id"], after["until"]
    count = min(math.ceil((until - low) / (page_rows * ways)), _MOST_TURNS) * ways
    bounds = np.linspace(low, until, count + 1).astype(int).tolist()
    return [{"id": start, "until": end} for start, end in itertools.pairwise(bounds) if start < end]


def _walk(
    transport: Transport, asked: dict[str, Any], columns: Columns, after: Cursor | None, limit: int
) -> Iterator[tuple[pa.Table, Cursor | None]]:
    """The pages behind a cursor, each with the cursor that follows it. `asked` are the other arguments of the call."""
    while after:
        page, after = _fetch(transport, asked, columns, after, limit)
        yield page, after


def _fetch(
    transport: Transport, asked: dict[str, Any], columns: Columns, after: Cursor | None, limit: int
) -> tuple[pa.Table, Cursor | None]:
    dataset = asked["dataset"]
    answer = transport.call("export_history", {**asked, "after": after, "limit": limit})
    page = decode_page(answer, dataset, columns)
    following = answer.get("after")
    if following:
        try:
            following = {"id": int(following["id"]), "until": int(following["until"])}
        except (KeyError, TypeError, ValueError) as error:
            raise _unusable(dataset, f"The export of {dataset} goes on from {following}.") from error
    if following and following == after:
        raise _unusable(dataset, f"The export of {dataset} does not move on from {after}.")
    return page, following or None


def _unusable(dataset: str, words: str) -> ContractError:
    return ContractError(sentence("page_unusable", words, dataset=dataset), MEND)


def _part(after: Cursor | None) -> float:
    """How far the cursor is: identifiers grow evenly enough to show progress by them."""
    return min(after["id"] / max(after["until"], 1), 1.0) if after else 1.0


def decode_page(answer: dict[str, Any], dataset: str, wanted: Columns) -> pa.Table:
    """One page as typed columns. Raises `ContractError` when columns, types or count do not fit."""
    try:
        names, count = list(answer["columns"]), int(answer["rows"])
        raw = zlib.decompress(base64.b64decode(answer["data"])) if answer["data"] else b""
    except (KeyError, TypeError, ValueError, binascii.Error, zlib.error) as error:
        raise _unusable(dataset, f"A page of {dataset} cannot be read ({type(error).__name__}).") from error
    missing = [name for name in wanted if name not in names]
    if missing:
        raise _unusable(dataset, f"The export of {dataset} lacks the columns {', '.join(missing)}.")
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
            raise _unusable(dataset, f"A page of {dataset} cannot be read: {error}.") from error
    if page.num_rows != count:
        raise _unusable(
            dataset, f"A page of {dataset} has {page.num_rows} rows where Odoo announced {count}."
        )
    return page


def _to_pandas(table: pa.Table, dataset: str, wanted: Columns) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for name, kind in wanted.items():
        column = table.column(name)
        if kind == LABEL:
            columns[name] = column.dictionary_encode().combine_chunks().to_pandas()
        elif kind == DAY:
            columns[name] = column.cast(pa.timestamp("s")).to_numpy().astype("datetime64[s]")
        elif kind == ID and has_gaps(dataset, name):
            columns[name] = column.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
        elif kind == ID and column.null_count:
            raise _unusable(
                dataset, f"The export of {dataset} leaves {name} empty in {column.null_count} rows."
            )
        else:
            columns[name] = column.to_numpy()
    return pd.DataFrame(columns, copy=False)
