"""What was bought and what came back, in the current window and ever."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.history.facts import rows_of
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring.events import days_of
from sync_worker.scoring.evidence import newest
from sync_worker.scoring.features import Features


@dataclass
class Returns:
    """Purchases and returns in the current window; arrays are (n,), a row per buyer.

    Attributes:
        bought: number of orders of a positive amount.
        value: what came back, at the price it was sold for; NaN where the data know of no returns at all.
        share: of what was bought in the window, 0 to 1; NaN where nothing was, or `value` is.
        share_ever: the same of all that was ever bought.
        orders: (n, 5) ids of orders that came back, or of credit notes where sales are counted from invoices; -1 =
            none; None where ids are no integers.
    """

    bought: np.ndarray
    value: np.ndarray
    share: np.ndarray
    share_ever: np.ndarray
    orders: np.ndarray | None


def take(features: Features, history: History, policy: Policy, today: int) -> Returns:
    """What each buyer sent back within its current window and ever, as of `today` (days since 1970-01-01).

    Returned goods may be seen twice, as a negative sale and as goods received: the larger of the two counts, and
    never their sum. Goods received are worth their part of the order's amount.
    """
    customers, n = features.table["customer_id"], len(features.table)
    window = policy.column("current_window_days", features.table["format"])
    orders = history.orders[(history.orders["amount"] < 0).to_numpy()]
    row, day = rows_of(orders["customer_id"], customers), days_of(orders["date"])
    of_buyers = row >= 0
    amount, ids = orders["amount"].to_numpy()[of_buyers], orders["order_id"].to_numpy()[of_buyers]
    seen = [_part(row[of_buyers], day[of_buyers], -amount, ids)]
    received = _received(history, customers, policy.sales)
    if received is not None:
        seen.append(received)
    known = received is not None or len(orders) > 0
    ever = seen
    seen = [part[today - part["day"].to_numpy() < window[part["row"].to_numpy()]] for part in ever]
    # goods come back to an order, whatever its sales are counted from: only records of one kind can be shown
    shown = seen[:1] if policy.sales == "invoices" else seen
    value, value_ever = (_worth(parts, n) if known else np.full(n, np.nan) for parts in (seen, ever))

    sales = features.sales
    purchase = sales.amount > 0
    share_ever = _share(value_ever, sales.row[purchase], sales.amount[purchase])
    lately = purchase & (today - sales.day < window[sales.row])
    row = sales.row[lately]
    share = _share(value, row, sales.amount[lately])
    bought = np.bincount(row, minlength=n)
    return Returns(bought, value, share, share_ever, _records(pd.concat(shown), n))


def _worth(seen: list[pd.DataFrame], n: int) -> np.ndarray:
    """What came back from each buyer, (n,), by whichever view saw more of it."""
    return np.maximum.reduce([np.bincount(part["row"], part["back"], minlength=n) for part in seen])


def _share(value: np.ndarray, row: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Which part came back, (n,), of purchases by customer and amount, (k,) each; NaN where there are none."""
    n = len(value)
    spent = np.bincount(row, amount, minlength=n)
    # sums must not depend on the order of the rows; nothing is no part of any sum
    at = np.flatnonzero((value > 0)[row])
    at = at[np.lexsort((amount[at], row[at]))]
    spent = np.where(value > 0, np.bincount(row[at], amount[at], minlength=n), spent)
    return np.divide(np.minimum(value, spent), spent, out=np.full(n, np.nan), where=spent > 0)


def _received(history: History, customers: pd.Series, sales: str) -> pd.DataFrame | None:
    """Goods that came back; None where no deliveries are known."""
    deliveries = history.facts.get("deliveries")
    if deliveries is None or deliveries.empty:
        return None
    amounts = _delivered_orders(history, sales)
    order = amounts.index.get_indexer(deliveries["order_id"])
    order = np.where(order >= 0, order, len(amounts))  # goods of no order are worth nobody knows what
    quantity = np.nan_to_num(deliveries["delivered"].to_numpy())
    back = deliveries["is_return"].to_numpy()
    sent = np.bincount(order[~back], quantity[~back], minlength=len(amounts) + 1)
    share = np.divide(quantity, sent[order], out=np.zeros(len(order)), where=sent[order] > 0)
    worth = np.clip(np.append(amounts.to_numpy(), 0.0), 0, None)[order] * np.minimum(share, 1)
    row, day = rows_of(deliveries["customer_id"], customers), days_of(deliveries["known"])
    came = back & (worth > 0) & (row >= 0)
    return _part(row[came], day[came], worth[came], amounts.index.to_numpy()[order[came]])


def _delivered_orders(history: History, sales: str) -> pd.Series:
    """The amount of each order by the id that deliveries know it by: where sales are counted from invoices, the ids of
    `history.orders` are those of invoices."""
    if sales == "orders":
        return history.orders.groupby("order_id")["amount"].sum()
    details = history.facts.get("order_details")
    if details is None:
        return pd.Series(dtype=float)
    return details.groupby("order_id")["quoted"].sum()


def _part(row: np.ndarray, day: np.ndarray, back: np.ndarray, ids: np.ndarray) -> pd.DataFrame:
    """Returns with `row` of the customer, `day`, worth `back` and `id` of the order, sorted, so that their sums do not
    depend on the order of the rows."""
    order = np.lexsort((back, day, row))
    return pd.DataFrame({"row": row[order], "day": day[order], "back": back[order], "id": ids[order]})


def _records(part: pd.DataFrame, n: int) -> np.ndarray | None:
    if not pd.api.types.is_integer_dtype(part["id"]):
        return None
    part = part[part["id"] >= 0].drop_duplicates("id")  # a sale at the counter opens no sales order
    return newest(part["row"].to_numpy(), part["id"].to_numpy("int64"), part["day"].to_numpy(), n)
