"""Whether the past is what it was: Odoo lets people change, cancel and backdate orders, and merge customers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sync_worker.history.schema import History


def fingerprint(history: History, until: pd.Timestamp, decimals: int) -> pd.DataFrame:
    """What is known of each customer's sales up to the end of a day, in two numbers.

    Sales on equal days of equal amounts give equal numbers, in whatever order the rows come. Margins are not looked at:
    Odoo learns of costs later than of sales.

    Args:
        decimals: digits of the currency, to whose smallest unit amounts are rounded.

    Returns:
        A row per customer of the history: `customer_id`, `sales` (how many, int64) and `mark` (uint64).
    """
    known = history.orders[history.orders["date"] <= until]
    customers = history.customers["customer_id"]
    row = pd.Index(customers).get_indexer(known["customer_id"])
    days = known["date"].to_numpy("datetime64[D]").astype("int64")
    units = np.round(known["amount"].to_numpy() * 10.0**decimals).astype("int64")
    mark = np.zeros(len(customers), dtype="uint64")
    np.add.at(mark, row, _mixed(_mixed(days.astype("uint64")) ^ units.astype("uint64")))
    return pd.DataFrame(
        {"customer_id": customers, "sales": np.bincount(row, minlength=len(customers)), "mark": mark}
    )


def differing(before: pd.DataFrame, now: pd.DataFrame) -> pd.Series:
    """The customers of both whose past is not what it was, by two fingerprints up to the same day, (k,) ids."""
    both = before.merge(now, on="customer_id", suffixes=("_before", "_now"))
    other = (both["sales_before"] != both["sales_now"]) | (both["mark_before"] != both["mark_now"])
    return both.loc[other, "customer_id"].reset_index(drop=True)


def _mixed(values: np.ndarray) -> np.ndarray:
    """Scatters integers over all 64 bits, so that sums of different ones do not meet: the finaliser of SplitMix64
    (Steele, Lea & Flood 2014, OOPSLA), which no library's release changes."""
    with np.errstate(over="ignore"):
        values = values + np.uint64(0x9E3779B97F4A7C15)
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return values ^ (values >> np.uint64(31))
