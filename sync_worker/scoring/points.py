"""Points of loyalty programmes: who takes the trouble to collect and to spend them is tied to us by more than habit.

Evidence beside the stage of loyalty, which orders alone decide: every spending is an order, and that counts already.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring.events import Events, take
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.features import Features

SENTENCES = {
    "spends_points": "Spent its loyalty points on {days} days of late, the last time {days_since} days ago",
    "collects_points": "Collected loyalty points on {days} days of late and spent none",
    "leaves_points": "Has a loyalty card and showed it on none of {orders} order-days of late",
}


def evidence(features: Features, history: History, policy: Policy, today: int) -> list[Evidence]:
    """What the loyalty cards of the buyers tell of the current window, as of `today` (days since 1970-01-01).

    Args:
        features: its table has `current_order_days`.
    """
    table, n = features.table, len(features.table)
    events = take(history, "points", table["customer_id"])
    if events is None:
        return []
    recent = events.day > today - policy.column("current_window_days", table["format"])[events.row]
    spent, given = (np.nan_to_num(events.numbers(name)) > 0 for name in ("used", "issued"))
    used = recent & spent
    spends, collects, member = (_days(events, chosen, n) for chosen in (used, recent & given, spent | given))
    since = np.full(n, today)
    np.minimum.at(since, events.row[used], today - events.day[used])
    orders = table["current_order_days"].to_numpy()
    left = (member > 0) & (spends + collects == 0) & (orders > 0)
    return [
        Evidence(
            "spends_points",
            spends > 0,
            {"days": spends, "days_since": np.where(spends > 0, since, 0)},
            _cards(events, used, n),
            0.6,
        ),
        Evidence(
            "collects_points",
            (collects > 0) & (spends == 0),
            {"days": collects},
            _cards(events, recent & given, n),
            0.5,
        ),
        Evidence("leaves_points", left, {"orders": orders}, _cards(events, spent | given, n), 0.4),
    ]


def _cards(events: Events, chosen: np.ndarray, n: int) -> np.ndarray | None:
    """The cards of the chosen events of each buyer, the one used last first, each once."""
    some = events.of(chosen)
    last = ~pd.DataFrame({"row": some.row, "card": some.table["card_id"].to_numpy()}).duplicated(keep="last")
    return some.records(last.to_numpy(), n, "card_id")


def _days(events: Events, chosen: np.ndarray, n: int) -> np.ndarray:
    """Days with a chosen event of each buyer, (n,)."""
    row, day = events.row[chosen], events.day[chosen]
    new = np.append(True, (row[1:] != row[:-1]) | (day[1:] != day[:-1]))[: len(row)]
    return np.bincount(row[new], minlength=n)
