"""The one schema of a purchase history, whatever it comes from."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from sync_worker.history import stale
from sync_worker.history.columns import (
    EARLIEST,
    LARGEST_FIGURE,
    HistoryError,
    amounts,
    as_day,
    as_days,
    identifiers,
    numbers,
    possible_days,
)
from sync_worker.history.facts import FACTS, MAY_LACK, PREVIOUS, PRODUCTS, STANDING
from sync_worker.sentences import Sentence, sentence

LINE_COLUMNS = ("order_id", "product_id", "category", "quantity", "amount", "discount")


@dataclass
class History:
    """Orders, their lines and customers, validated and normalised once, here.

    Attributes:
        orders: one row per order: `order_id` (integer or text), `customer_id` (integer or text), `date`
            (datetime64, floored to days), `amount` (float64, untaxed, negative for a return), `margin`
            (float64, NaN = unknown).
        lines: None, or one row per order line: `order_id`, `product_id`, `category`, `quantity`, `amount`,
            `discount` (percent); columns that are not known hold missing values.
        customers: one row per customer, sorted by id: `customer_id`, `format` (integer, text or missing),
            `first_seen` (datetime64, may be missing), `archived` (bool), and `STANDING` where it is given
            (ids as Int64 or text). Customers known only from orders are added.
        products: None, or one row per product with `PRODUCTS`.
        previous: None, or what the last run made of each customer, with `PREVIOUS`.
        facts: tables by the names and with the columns of `FACTS`; what is not known is not in it. Rows
            of nobody's and without `known` are left out.
        warnings: sentences about rows that were left out or changed.

    Orders dated before `EARLIEST` are left out. Days before it and figures beyond `LARGEST_FIGURE` in the other tables
    are not known.

    Raises:
        HistoryError: a required column is missing, or a date or amount is not one, or an amount or quantity of an
            order or line is beyond `LARGEST_AMOUNT`.
    """

    orders: pd.DataFrame
    lines: pd.DataFrame | None = None
    customers: pd.DataFrame | None = None
    products: pd.DataFrame | None = None
    previous: pd.DataFrame | None = None
    facts: dict[str, pd.DataFrame] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.warnings = list(self.warnings)
        self.orders = self._normal_orders(self.orders)
        self.lines = self._normal_lines(self.lines)
        self._leave_out_early()
        self.customers = self._normal_customers(self.customers)
        if self.products is not None:
            self.products = _normal(self.products, PRODUCTS, "products").drop_duplicates("product_id")
        if self.previous is not None:
            self.previous = _normal(self.previous, PREVIOUS, "previous labels").reset_index(drop=True)
        unknown = set(self.facts) - set(FACTS)
        if unknown:
            raise HistoryError(
                f"There is no dataset {', '.join(sorted(unknown))}; there are {', '.join(FACTS)}."
            )
        self.facts = {name: self._normal_facts(table, name) for name, table in self.facts.items()}

    def until(self, as_of: date | str | pd.Timestamp) -> History:
        """What was known at the end of the day `as_of`: later orders are left out, with a counted warning, and leads
        closed later are pending. Where the orders end long before it, a warning says so.

        A customer stays if it has an order by then, or was first seen by then, or nothing says when it was
        first seen and it has no later order.

        Raises:
            HistoryError: `as_of` is not a date, or no customer was known by then.
        """
        day = as_day(as_of)
        known = self.orders["date"] <= day
        orders = self.orders if known.all() else self.orders[known]  # nothing is copied needlessly
        ids = self.customers["customer_id"]
        ordered = ids.isin(orders["customer_id"])
        later_only = ids.isin(self.orders.loc[~known, "customer_id"]) & ~ordered
        first_seen = self.customers["first_seen"]
        kept = ordered | (first_seen <= day) | (first_seen.isna() & ~later_only)
        if not kept.any():
            raise HistoryError(_none_by(f"{day:%Y-%m-%d}", self.orders["date"]))
        warnings = list(self.warnings)
        if not known.all():
            which = f"dated after {day:%Y-%m-%d}"
            later = int((~known).sum())
            words = f"{counted(later, 'order', which)} left out."
            warnings.append(sentence("orders_dated_after", words, count=later, day=f"{day:%Y-%m-%d}"))
        warnings += stale.warnings(self.orders["date"], day)
        lines = self.lines
        if lines is not None and not known.all():
            lines = lines[lines["order_id"].isin(orders["order_id"])]
        cut = copy(self)  # not constructed anew: it is normal already
        cut.orders, cut.lines, cut.warnings = orders, lines, warnings
        cut.customers = self.customers[kept].reset_index(drop=True)
        cut.facts = {name: _known_until(table, day) for name, table in self.facts.items()}
        if "leads" in cut.facts:
            cut.facts["leads"] = _open_until(cut.facts["leads"], day)
        if self.products is not None:
            introduced = self.products["introduced"]
            cut.products = self.products[introduced.isna() | (introduced <= day)]
        return cut

    def _normal_orders(self, orders: pd.DataFrame) -> pd.DataFrame:
        _require(orders, ("order_id", "customer_id", "date", "amount"), "orders")
        missing = orders["customer_id"].isna()
        if missing.any():
            words = f"{counted(missing.sum(), 'order', 'without a customer')} left out."
            self.warnings.append(sentence("orders_without_customer", words, count=missing.sum()))
            orders = orders[~missing]
        amount = amounts(orders["amount"], "amount")
        empty = amount.isna()
        if empty.any():
            words = f"{counted(empty.sum(), 'order', 'without an amount')} left out."
            self.warnings.append(sentence("orders_without_amount", words, count=empty.sum()))
            orders, amount = orders[~empty], amount[~empty]
        margin = amounts(orders["margin"], "margin") if "margin" in orders else np.nan
        return pd.DataFrame(
            {
                "order_id": orders["order_id"],
                "customer_id": identifiers(orders["customer_id"]),
                "date": as_days(orders["date"]),
                "amount": amount,
                "margin": margin,
            }
        ).reset_index(drop=True)

    def _leave_out_early(self) -> None:
        """Leaves out orders dated before `EARLIEST`, with their lines."""
        early = self.orders["date"] < EARLIEST
        if not early.any():
            return
        count, day = int(early.sum()), f"{EARLIEST:%Y-%m-%d}"
        one = count == 1
        words = f"{counted(count, 'order', f'dated before {day}')} left out: no system holds orders so old; "
        words += f"give {'it the day it was' if one else 'them the days they were'} placed on."
        self.warnings.append(sentence("orders_dated_before", words, count=count, day=day))
        self.orders = self.orders[~early].reset_index(drop=True)
        if self.lines is not None:
            kept = self.lines["order_id"].isin(self.orders["order_id"])
            self.lines = self.lines[kept].reset_index(drop=True)

    def _normal_lines(self, lines: pd.DataFrame | None) -> pd.DataFrame | None:
        if lines is None or not len(lines):
            return None
        if "category" not in lines and "category_id" in lines:
            lines = lines.rename(columns={"category_id": "category"})
        _require(lines, ("order_id",), "lines")
        normal = {"order_id": lines["order_id"]}
        for column in LINE_COLUMNS[1:]:
            given = lines[column] if column in lines else pd.Series(np.nan, index=lines.index)
            normal[column] = given if column in {"product_id", "category"} else amounts(given, column)
        return pd.DataFrame(normal).reset_index(drop=True)

    def _normal_customers(self, customers: pd.DataFrame | None) -> pd.DataFrame:
        if customers is None:
            customers = pd.DataFrame({"customer_id": self.orders["customer_id"].unique()})
        _require(customers, ("customer_id",), "customers")
        customers = customers[customers["customer_id"].notna()]
        customers = customers.assign(customer_id=identifiers(customers["customer_id"]))
        if not self.orders.empty and customers["customer_id"].dtype != self.orders["customer_id"].dtype:
            customers = customers.assign(customer_id=customers["customer_id"].astype(str))
            self.orders["customer_id"] = self.orders["customer_id"].astype(str)
        customers = customers.drop_duplicates("customer_id").reset_index(drop=True)
        ordered = pd.Series(self.orders["customer_id"].unique())
        unknown = ordered[~ordered.isin(customers["customer_id"])]
        formats = customers.get("format", customers.get("format_id"))
        if formats is None:
            formats = pd.Series(None, index=customers.index, dtype=object)
        if pd.api.types.is_numeric_dtype(formats):
            formats = formats.astype("Int64")
        seen = (
            customers["first_seen"] if "first_seen" in customers else pd.Series(pd.NaT, index=customers.index)
        )
        archived = (
            customers["archived"] if "archived" in customers else pd.Series(False, index=customers.index)
        )
        known = pd.DataFrame(
            {
                "customer_id": customers["customer_id"],
                "format": formats,
                "first_seen": possible_days(seen),
                "archived": archived.astype("boolean").fillna(False).astype(bool),
            }
        )
        standing = {name: kind for name, kind in STANDING.items() if name in customers}
        known = known.join(_normal(customers, standing, "customers"))
        text = not pd.api.types.is_integer_dtype(known["customer_id"])
        for name in (name for name, kind in standing.items() if kind == "id"):
            known[name] = _with_gaps(known[name], text)
        if len(unknown):
            added = pd.DataFrame({"customer_id": unknown.to_numpy()}).reindex(columns=known.columns)
            no = {name: False for name, kind in standing.items() if kind == "flag"}
            added = added.assign(archived=False, **no).astype(known.dtypes)
            known = pd.concat([known, added], ignore_index=True)
        return known.sort_values("customer_id", ignore_index=True)

    def _normal_facts(self, table: pd.DataFrame, name: str) -> pd.DataFrame:
        lacking = [column for column in MAY_LACK.get(name, ()) if column not in table]
        table = _normal(table.assign(**dict.fromkeys(lacking)), FACTS[name], name)
        table = table[table["customer_id"].notna() & table["known"].notna()]
        ids, customers = identifiers(table["customer_id"]), self.customers["customer_id"]
        if ids.dtype != customers.dtype:
            if pd.api.types.is_integer_dtype(customers):  # text that is no number is nobody known
                whole = ids.str.fullmatch(r"-?\d{1,18}")
                table, ids = table[whole], ids[whole]
            ids = ids.astype(customers.dtype)
        return table.assign(customer_id=ids).reset_index(drop=True)


def require_sale(history: History, name: str) -> None:
    """Refuses a history read from a file or folder of that name in which nothing was sold.

    Raises:
        HistoryError: no order has a positive amount.
    """
    if not (history.orders["amount"] > 0).any():
        raise HistoryError(
            f"{name} has no order of a positive amount dated {EARLIEST:%Y-%m-%d} or later; "
            "sales are positive, returns negative."
        )


def _none_by(day: str, dates: pd.Series) -> Sentence:
    """That no order is of a day or before."""
    words = f"The history has no order on or before {day}"
    if not len(dates):
        return sentence("no_order_by", f"{words}: choose a later date.", day=day)
    first = f"{dates.min():%Y-%m-%d}"
    words += f"; the first one is dated {first}: choose a later date."
    return sentence("no_order_by_but_later", words, day=day, first=first)


def counted(count: int, noun: str, which: str = "") -> str:
    """A number with its noun and verb, to be followed by a participle: `2 orders dated later were`."""
    many = int(count) != 1
    return f"{count:,} {noun}{'s' if many else ''}{which and ' ' + which} {'were' if many else 'was'}"


def _known_until(table: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """The facts known at the end of a day; nothing is copied needlessly."""
    known = table["known"] <= day
    return table if known.all() else table[known]


def _open_until(leads: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """The leads as they were at the end of a day: how one ended is known from `closed` on."""
    still = leads["closed"] > day
    if not still.any():
        return leads
    ended = ~still
    return leads.assign(
        closed=leads["closed"].where(ended),
        outcome=leads["outcome"].astype(object).where(ended, "pending"),
        lost_type=leads["lost_type"].astype(object).where(ended, None),
    )


def _with_gaps(values: pd.Series, text: bool) -> pd.Series:
    """Identifiers of which some are missing, as Int64, or as text where they are or have to be."""
    ids = identifiers(values.dropna().infer_objects())
    whole = pd.api.types.is_integer_dtype(ids) and not text
    return ids.astype("Int64" if whole else str).reindex(values.index)


def _normal(table: pd.DataFrame, columns: dict[str, str], name: str) -> pd.DataFrame:
    """The columns of a table by their kinds (`history.facts`)."""
    _require(table, tuple(columns), name)
    normal = {}
    for column, kind in columns.items():
        values = table[column]
        if kind == "day":
            values = possible_days(values)
        elif kind == "number":
            values = numbers(values, column)
            values = values.where(values.abs() <= LARGEST_FIGURE)
        elif kind == "flag":
            values = values.astype("boolean").fillna(False).astype(bool)
        elif kind == "answer":
            values = values.astype("boolean")
        normal[column] = values
    return pd.DataFrame(normal, index=table.index)


def _require(table: pd.DataFrame, columns: tuple[str, ...], name: str) -> None:
    missing = [column for column in columns if column not in table]
    if missing:
        have = ", ".join(map(str, table.columns))
        raise HistoryError(f"The {name} lack the column {', '.join(missing)}; they have {have}.")
