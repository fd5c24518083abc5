"""What came back, in money."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.history.facts import rows_of
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring.evidence import newest
from sync_worker.scoring.features import Features
from sync_worker.scoring.receivables import days_of


@dataclass
class Returns:
    """Returns in the current window; arrays are (n,), a row per buyer.

    Attributes:
        value: at the price it was sold for; NaN where the data know of no returns at all.
        share: of what was bought in the window, 0 to 1; NaN where nothing was, or `value` is.
        orders: (n, 5) ids of orders that came back, -1 = none; None where ids are no integers.
    """

    value: np.ndarray
    share: np.ndarray
    orders: np.ndarray | None


def take(features: Features, history: History, policy: Policy, today: int) -> Returns:
    """What each buyer sent back within its current window, as of `today` (days since 1970-01-01).

    Returned goods may be seen twice, as a negative sale and as goods received: the larger of the two counts, and
    never their sum. Goods received are worth their part of the order's amount.
    """
    customers, n = features.table["customer_id"], len(features.table)
    window = policy.column("current_window_days", features.table["format"])
    orders = history.orders
    sale = pd.DataFrame(
        {
            "row": rows_of(orders["customer_id"], customers),
            "id": orders["order_id"],
            "day": days_of(orders["date"]),
            "back": np.clip(-orders["amount"], 0, None),
        }
    )
    sale = sale[(sale["row"] >= 0) & (sale["back"] > 0)]
    received = _received(history, customers)
    seen = [_within(part, window, today) for part in (sale, received) if part is not None]
    values = [_sum(part["row"], part["back"], n) for part in seen]
    known = received is not None or (orders["amount"] < 0).any()
    value = np.maximum.reduce(values) if known else np.full(n, np.nan)

    sales = features.sales
    recent = (sales.amount > 0) & (today - sales.day < window[sales.row])
    bought = _sum(sales.row[recent], sales.amount[recent], n)
    share = np.divide(np.minimum(value, bought), bought, out=np.full(n, np.nan), where=bought > 0)
    return Returns(value, share, _records(pd.concat(seen), n))


def _received(history: History, customers: pd.Series) -> pd.DataFrame | None:
    """Goods that came back (`row`, `id` of the order, `day`, `back`); None where no deliveries are known."""
    deliveries = history.facts.get("deliveries")
    if deliveries is None or deliveries.empty:
        return None
    amounts = history.orders.groupby("order_id")["amount"].sum()
    order = amounts.index.get_indexer(deliveries["order_id"])
    order = np.where(order >= 0, order, len(amounts))  # goods of no order are worth nobody knows what
    quantity = np.nan_to_num(deliveries["delivered"].to_numpy())
    back = deliveries["is_return"].to_numpy()
    sent = _sum(order[~back], quantity[~back], len(amounts) + 1)
    share = np.divide(quantity, sent[order], out=np.zeros(len(order)), where=sent[order] > 0)
    worth = np.clip(np.append(amounts.to_numpy(), 0.0), 0, None)[order] * np.minimum(share, 1)
    row = rows_of(deliveries["customer_id"], customers)
    came = back & (worth > 0) & (row >= 0)
    columns = {"row": row, "day": days_of(deliveries["known"]), "back": worth}
    table = pd.DataFrame({name: values[came] for name, values in columns.items()})
    return table.assign(id=amounts.index.to_numpy()[order[came]])


def _within(part: pd.DataFrame, window: np.ndarray, today: int) -> pd.DataFrame:
    part = part[today - part["day"] < window[part["row"]]]
    # sums must not depend on the order of the rows
    return part.iloc[np.lexsort((part["back"], part["day"], part["row"]))]


def _sum(row, values, n: int) -> np.ndarray:
    return np.bincount(row, values, minlength=n)


def _records(part: pd.DataFrame, n: int) -> np.ndarray | None:
    if not pd.api.types.is_integer_dtype(part["id"]):
        return None
    part = part[part["id"] >= 0].drop_duplicates("id")  # a sale at the counter opens no sales order
    return newest(part["row"].to_numpy(), part["id"].to_numpy("int64"), part["day"].to_numpy(), n)
