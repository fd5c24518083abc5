"""A whole history in a folder of Parquet files, one per table: what a single file has no room for.

docs/history.md lists the files and their columns.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from sync_worker.history import currencies
from sync_worker.history.columns import HistoryError, amounts, as_days, numbers
from sync_worker.history.facts import FACTS, PREVIOUS, PRODUCTS, STANDING
from sync_worker.history.parquet import read_parquet
from sync_worker.history.schema import LINE_COLUMNS, History, counted, require_sale

#: Tables that are there in every company's books, with the kinds of their columns (`history.facts`); an `amount` is a
#: number of an order or a line.
BOOKS: dict[str, dict[str, str]] = {
    "orders": {"order_id": "id", "customer_id": "id", "date": "day", "amount": "amount", "margin": "amount"},
    "lines": {name: "id" if name in LINE_COLUMNS[:3] else "amount" for name in LINE_COLUMNS},
    "customers": {
        "customer_id": "id",
        "business_format": "label",
        "format_id": "id",
        "first_seen": "day",
        "archived": "flag",
        **STANDING,
    },
    "products": PRODUCTS,
    "previous": PREVIOUS,
}
#: Columns that a table of `BOOKS` has to have; a fact has to have all of its own.
REQUIRED = {
    "orders": ("order_id", "customer_id", "date", "amount"),
    "lines": ("order_id",),
    "customers": ("customer_id",),
    "products": tuple(PRODUCTS),
}


def read_folder(path: str | Path) -> History:
    """The history in a folder: `orders.parquet`, and of the other tables those that are there.

    Columns that are none of ours are left out in silence, whole files with a warning.

    Raises:
        HistoryError: there is no `orders.parquet`, it holds no sale, or a file cannot be read, lacks a column, or
            holds a date, a number or a flag that is none.
    """
    folder = Path(path)
    files = {file.stem: file for file in sorted(folder.glob("*.parquet"))}
    if "orders" not in files:
        found = ", ".join(file.name for file in files.values()) or "no Parquet file"
        raise HistoryError(
            f"The folder {folder} has no orders.parquet, it has {found}; write its orders to that name."
        )
    kinds = BOOKS | FACTS
    tables = {name: read_parquet(file) for name, file in files.items() if name in kinds}
    several = currencies.warnings(tables["orders"])
    for name, table in tables.items():
        tables[name] = _checked(table, name, kinds[name])
    customers = tables.get("customers")
    if customers is not None:
        customers = customers.rename(columns={"business_format": "format"})
    strange = [file.name for name, file in files.items() if name not in kinds]
    which = f"of no table ({', '.join(strange)})"
    history = History(
        orders=tables["orders"],
        lines=tables.get("lines"),
        customers=customers,
        products=tables.get("products"),
        previous=tables.get("previous"),
        facts={name: tables[name] for name in FACTS if name in tables},
        warnings=[f"{counted(len(strange), 'file', which)} left out."] if strange else [],
    )
    require_sale(history, f"{folder.name}/orders.parquet")
    history.warnings += several
    return history


def write_folder(history: History, path: str | Path) -> None:
    """Writes a history so that `read_folder` gives it again; files of these names are replaced.

    Raises:
        OSError: the folder cannot be made or written to.
    """
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    numbered = pd.api.types.is_integer_dtype(history.customers["format"])
    named = history.customers.rename(columns={"format": "format_id" if numbered else "business_format"})
    tables = {
        "orders": history.orders,
        "lines": history.lines,
        "customers": named,
        "products": history.products,
        "previous": history.previous,
        **history.facts,
    }
    for name, table in tables.items():
        if table is not None:
            table.to_parquet(folder / f"{name}.parquet", index=False)


def _checked(table: pd.DataFrame, name: str, kinds: dict[str, str]) -> pd.DataFrame:
    """Our columns of a table, each of its kind; the message names the file."""
    missing = [column for column in REQUIRED.get(name, kinds) if column not in table]
    if missing:
        have = ", ".join(map(str, table.columns)) or "none"
        raise HistoryError(f"{name}.parquet lacks the column {', '.join(missing)}; it has {have}.")
    table = table[[column for column in kinds if column in table]]
    try:
        return table.assign(**{column: _of_kind(table[column], column, kinds[column]) for column in table})
    except HistoryError as error:
        message = str(error)
        raise HistoryError(f"{name}.parquet: {message[0].lower()}{message[1:]}") from None


def _of_kind(values: pd.Series, column: str, kind: str) -> pd.Series:
    if kind == "day":
        return as_days(values, required=False)
    if kind == "number":
        return numbers(values, column)
    if kind == "amount":
        return amounts(values, column)
    if kind in {"flag", "answer"}:
        try:
            return values.astype("boolean")
        except (TypeError, ValueError):
            raise HistoryError(
                f"The column {column} holds values that are neither true nor false; write it as booleans."
            ) from None
    return values
