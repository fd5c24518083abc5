"""A purchase history from a CSV or Parquet file (or a folder of them), and scores back to one."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from sync_worker.history import currencies
from sync_worker.history.columns import (
    EARLIEST,
    LARGEST_AMOUNT,
    TOO_LARGE,
    HistoryError,
    amounts,
    as_days,
    identifiers,
    possible_days,
)
from sync_worker.history.folder import read_folder
from sync_worker.history.parquet import read_parquet
from sync_worker.history.schema import History, counted, require_sale

REQUIRED = ("customer_id", "date", "amount")
OPTIONAL = (
    "order_id",
    "product_id",
    "category",
    "quantity",
    "unit_price",
    "discount",
    "margin",
    "business_format",
    "first_seen",
)
COLUMNS = (*REQUIRED, *OPTIONAL)
#: Share of rows that may be copies of others by chance: two purchases of a day for the same amount.
COPIES = 0.01


def read_history(path: str | Path, mapping: Mapping[str, str] | None = None) -> History:
    """The history in a file with one row per order or per order line.

    Args:
        path: `.csv` (or `.tsv`, `.txt`, compressed or not; comma, semicolon or tab) or `.parquet`; or a folder
            of a file per table, see `history.folder`.
        mapping: `{our column: the file's column}` where the names differ; none for a folder.

    Raises:
        HistoryError: the file cannot be read, lacks a column, has no rows, or holds a date or a number
            that is not one.
    """
    if Path(path).is_dir():
        if mapping:
            raise HistoryError("Columns of a folder cannot be mapped; rename them in its files.")
        return read_folder(path)
    table = read_table(path)
    history = history_from_table(rename(table, mapping or {}), Path(path).name)
    history.warnings += currencies.warnings(table)
    return history


def parse_mapping(text: str) -> dict[str, str]:
    """The dictionary in `customer_id=CustomerID,date=InvoiceDate`.

    Raises:
        HistoryError: a part is not `name=column`, or names none of our columns.
    """
    mapping = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        ours, equals, theirs = (piece.strip() for piece in part.partition("="))
        if not (ours and equals and theirs):
            raise HistoryError(f"“{part}” is no column mapping; write it as name=column.")
        if ours not in COLUMNS:
            raise HistoryError(f"“{ours}” is none of our columns; map one of {', '.join(COLUMNS)}.")
        mapping[ours] = theirs
    return mapping


def read_table(path: str | Path) -> pd.DataFrame:
    """The rows of a CSV or Parquet file as they are; CSV values as text, empty cells missing."""
    path = Path(path)
    if not path.is_file():
        raise HistoryError(f"There is no file {path}.")
    suffixes = [suffix.lower() for suffix in path.suffixes]
    try:
        if ".parquet" in suffixes:
            return read_parquet(path)
        if not {".csv", ".tsv", ".txt"} & set(suffixes):
            raise HistoryError(
                f"{path.name} is neither a .csv nor a .parquet file; convert it to one of them."
            )
        return pd.read_csv(
            path, sep=_separator(path), dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8-sig"
        )
    except UnicodeDecodeError:
        raise HistoryError(f"{path.name} is not UTF-8 text; save it again as CSV UTF-8.") from None
    except pd.errors.EmptyDataError:
        raise HistoryError(
            f"{path.name} is empty; it needs a header with {', '.join(REQUIRED)} and rows."
        ) from None
    except HistoryError:
        raise
    except (OSError, ValueError, csv.Error) as error:  # pandas' parser errors are ValueErrors
        reason = str(error).strip().splitlines()[0]
        raise HistoryError(
            f"{path.name} cannot be read ({reason}); check that it is a sound file."
        ) from error


def rename(table: pd.DataFrame, mapping: Mapping[str, str]) -> pd.DataFrame:
    """The table under our column names; columns that are neither ours nor mapped are left out."""
    table = table.rename(columns=lambda name: str(name).strip())
    for ours, theirs in mapping.items():
        if theirs not in table:
            raise HistoryError(
                f"The mapping {ours}={theirs} names a column the file does not have; "
                f"it has {', '.join(table.columns)}."
            )
    picked = {ours: mapping.get(ours, ours) for ours in COLUMNS}
    chosen = {ours: table[theirs] for ours, theirs in picked.items() if theirs in table}
    return pd.DataFrame(chosen) if chosen else table.iloc[:, :0]


def history_from_table(rows: pd.DataFrame, name: str = "The file") -> History:
    """The history in a table with our column names, one row per order or per order line.

    Rows are lines when they name a product: an order is then an `order_id`, or without one a customer's day.
    Without products each row is an order, unless `order_id` joins several. `amount` may be left out where
    `quantity` and `unit_price` (and `discount`, in percent) give it.
    """
    rows, warnings = _with_amount(rows, name)
    missing = [column for column in REQUIRED if column not in rows]
    if missing:
        raise HistoryError(
            f"{name} lacks the column {', '.join(missing)}; "
            f"rename or map it, e.g. --map {missing[0]}=YourName."
        )
    if rows.empty:
        raise HistoryError(f"{name} has no rows; export it again with orders in it.")
    rows = rows.assign(
        date=as_days(rows["date"])
    )  # before rows are left out, so that row numbers are the file's
    for column in ("amount", "margin", "quantity", "unit_price", "discount"):
        if column in rows:
            rows[column] = amounts(rows[column], column)
    rows = _left_out(rows, warnings)
    if rows.empty:
        raise HistoryError(f"{name} has no row with both a customer and an amount; check these columns.")
    rows = rows.assign(customer_id=_unpadded(rows["customer_id"]))
    if "order_id" in rows:
        rows["order_id"] = _unpadded(rows["order_id"])
    # whose orders are all left out is no prospect
    customers = _customers(rows[rows["date"] >= EARLIEST], warnings)
    orders, lines = _orders_and_lines(rows)
    history = History(orders=orders, lines=lines, customers=customers, warnings=warnings)
    require_sale(history, name)
    zero = int((history.orders["amount"] == 0).sum())
    if zero:
        history.warnings.append(f"{counted(zero, 'order', 'of no amount')} not counted as a purchase.")
    return history


def write_scores(scores: pd.DataFrame, path: str | Path) -> None:
    """Writes the result's customers to `.parquet` or `.csv`.

    Raises:
        HistoryError: the name ends in neither.
    """
    path = Path(path)
    if path.suffix.lower() == ".parquet":
        scores.to_parquet(path, index=False)
    elif path.suffix.lower() == ".csv":
        scores.to_csv(path, index=False, date_format="%Y-%m-%d")
    else:
        raise HistoryError(f"{path.name} must end in .parquet or .csv.")


def _separator(path: Path) -> str:
    head = pd.read_csv(
        path, sep="\x00", header=None, nrows=1, dtype=str, encoding="utf-8-sig", engine="python"
    )
    header = str(head.iloc[0, 0])
    return max(",;\t", key=header.count)


def _with_amount(rows: pd.DataFrame, name: str) -> tuple[pd.DataFrame, list[str]]:
    if "amount" in rows or not {"quantity", "unit_price"} <= set(rows):
        return rows, []
    amount = amounts(rows["quantity"], "quantity") * amounts(rows["unit_price"], "unit_price")
    if "discount" in rows:
        amount *= 1 - amounts(rows["discount"], "discount").fillna(0) / 100
    return rows.assign(amount=amount), [f"{name} has no amount: quantity times unit price was taken."]


def _left_out(rows: pd.DataFrame, warnings: list[str]) -> pd.DataFrame:
    nobody = rows["customer_id"].isna() | (rows["customer_id"].astype(str).str.strip() == "")
    if nobody.any():
        warnings.append(f"{counted(nobody.sum(), 'row', 'without a customer')} left out.")
    empty = rows["amount"].isna() & ~nobody
    if empty.any():
        warnings.append(f"{counted(empty.sum(), 'row', 'without an amount')} left out.")
    rows = rows[~nobody & ~empty]
    if {"order_id", "product_id"} <= set(rows):
        repeated = rows.duplicated() & rows["order_id"].notna()
        if repeated.any():
            warnings.append(f"{counted(repeated.sum(), 'exact duplicate line')} dropped.")
            rows = rows[~repeated]
    elif _doubled(rows):
        copies = int(rows.duplicated().sum())
        which = (
            "1 exact copy of another row was"
            if copies == 1
            else f"{copies:,} exact copies of other rows were"
        )
        it = "it" if copies == 1 else "them"
        warnings.append(f"{which} counted: remove {it} if the same order is in the file twice.")
    return rows.copy()


def _doubled(rows: pd.DataFrame) -> bool:
    """Whether rows seem to be in the file twice: of lines, of which one order may have several that are alike, all."""
    if "order_id" in rows:
        return len(rows) > 0 and bool(rows.duplicated(keep=False).all())
    return rows.duplicated().mean() > COPIES


def _unpadded(values: pd.Series) -> pd.Series:
    """Identifiers as integers where nothing is lost by it (no leading zeros, letters, gaps), else as text."""
    if values.isna().any():
        return values.where(values.isna(), values.astype(str).str.strip()).astype(object)
    if pd.api.types.is_numeric_dtype(values):
        return identifiers(values)
    text = values.astype(str).str.strip()
    return text.astype("int64") if text.str.fullmatch(r"0|[1-9]\d{0,17}").all() else text


def _customers(rows: pd.DataFrame, warnings: list[str]) -> pd.DataFrame:
    customers = pd.DataFrame({"customer_id": np.sort(rows["customer_id"].unique())}).set_index("customer_id")
    if "first_seen" in rows:
        seen = possible_days(rows["first_seen"])
        customers["first_seen"] = seen.groupby(rows["customer_id"]).min()
    if "business_format" in rows:
        named = rows[rows["business_format"].notna()]
        named = named.assign(business_format=named["business_format"].astype(str).str.strip())
        newest = named.sort_values(["date", "business_format"]).groupby("customer_id")["business_format"]
        customers["format"] = newest.last()
        several = int((newest.nunique() > 1).sum())
        if several:
            warnings.append(
                f"{counted(several, 'customer', 'of several business formats')} taken in the latest."
            )
    return customers.reset_index()


def _orders_and_lines(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    rows = rows.reset_index(drop=True)
    are_lines = "product_id" in rows
    if "order_id" in rows:
        given = rows["order_id"]
        if given.isna().any():  # a row without a number is an order of its own
            rows["order_id"] = given.where(
                given.notna(), "row " + rows.index.astype(str).to_series(rows.index)
            )
    elif are_lines:
        rows["order_id"] = rows["date"].dt.strftime("%Y-%m-%d ") + rows["customer_id"].astype(str)
    else:
        rows["order_id"] = "row " + rows.index.astype(str).to_series(rows.index)
        return rows.reindex(columns=["order_id", "customer_id", "date", "amount", "margin"]), None
    # an order number met with two customers or on two days is two orders: each keeps its customer and day
    orders = rows[["order_id", "customer_id", "date"]].drop_duplicates()
    twice = rows["order_id"].isin(orders.loc[orders["order_id"].duplicated(), "order_id"])
    if twice.any():
        day = rows["date"].dt.strftime("%Y-%m-%d")
        own = rows["order_id"].astype(str) + " (" + rows["customer_id"].astype(str) + ", " + day + ")"
        rows["order_id"] = rows["order_id"].astype(str).where(~twice, own)
    # summed in an order of their own, so that a sum does not depend on the order of the rows
    rows = rows.sort_values(["order_id", "customer_id", "date", "amount"], kind="stable", ignore_index=True)
    if "margin" not in rows:
        rows["margin"] = np.nan
    group = rows.groupby(["order_id", "customer_id", "date"], sort=False)
    orders = group.agg(
        amount=("amount", "sum"), margin=("margin", "sum"), known=("margin", "count"), rows=("amount", "size")
    ).reset_index()
    # the margin of an order is known only where that of all its lines is
    orders["margin"] = orders["margin"].where(orders["known"] == orders["rows"])
    _check_sums(orders)
    return orders.drop(columns=["known", "rows"]), rows if are_lines else None


def _check_sums(orders: pd.DataFrame) -> None:
    """Refuses an order that is too large only as a whole: it is named, as none of its rows is wrong by itself."""
    for column in ("amount", "margin"):
        beyond = orders[orders[column].abs() > LARGEST_AMOUNT]
        if len(beyond):
            order_id, total = beyond[["order_id", column]].iloc[0]
            raise HistoryError(
                f"The rows of order {order_id} have together the {column} {total:g}, {TOO_LARGE} correct them."
            )
