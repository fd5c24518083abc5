"""By which way a customer prefers to order, and whether that changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.history.schema import History
from sync_worker.scoring.events import take
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.features import Features

#: Days after which an order tells half as much of how the next one comes.
HALF_LIFE = 180.0
#: Orders with a known channel that a preference needs, what they have to weigh together, and its share of them.
ORDERS, WEIGHT, SHARE = 3, 1.0, 0.5
#: Change of the share, from the first half of the orders to the second, from which there is a shift.
SHIFT = 0.4

SENTENCES = {
    "prefers_channel": "{percent} % of its orders came by this channel, later ones counting more",
    "shifts_channel": "{percent} % of its later orders came by this channel, of its earlier ones {before} %",
}


@dataclass
class Channels:
    """The preferred channel of each buyer.

    Attributes:
        table: a row per buyer: `preferred_channel` (a label of `order_details.channel`, or None).
        evidence: the shares, with the newest orders by that channel.
        lacks: `order_details` without that dataset.
    """

    table: pd.DataFrame
    evidence: list[Evidence]
    lacks: list[str]


def classify(features: Features, history: History, today: int) -> Channels:
    """The preferred channel of each buyer as of `today` (days since 1970-01-01): the one with more than half of its
    orders, weighted by recency."""
    n = len(features.table)
    lacks = [] if "order_details" in history.facts else ["order_details"]
    events = take(history, "order_details", features.table["customer_id"])
    if events is not None:
        events = events.of(events.table["channel"].notna().to_numpy())
    if events is None or not len(events.row):
        return Channels(pd.DataFrame({"preferred_channel": np.full(n, None, dtype=object)}), [], lacks)
    code, names = pd.factorize(events.table["channel"].astype(str), sort=True)
    row, k = events.row, len(names)
    weight = 0.5 ** ((today - events.day) / HALF_LIFE)
    by_channel = np.bincount(row * k + code, weight, minlength=n * k).reshape(n, k)
    total, count = by_channel.sum(axis=1), np.bincount(row, minlength=n)
    share = np.divide(by_channel, total[:, None], out=np.zeros((n, k)), where=total[:, None] > 0)
    best = share.argmax(axis=1)
    its = share.max(axis=1)
    prefers = (count >= ORDERS) & (total >= WEIGHT) & (its > SHARE)

    place = np.arange(len(row)) - (np.cumsum(count) - count)[row]
    late = 2 * place >= count[row]
    own = code == best[row]

    def part(which: np.ndarray) -> np.ndarray:
        all_of_it = np.bincount(row[which], minlength=n)
        return np.divide(
            np.bincount(row[which & own], minlength=n), all_of_it, out=np.zeros(n), where=all_of_it > 0
        )

    before, after = part(~late), part(late)
    label = np.where(prefers, np.asarray(names, dtype=object)[best], None)
    records = events.records(own, n, "order_id")
    shifts = prefers & (after - before >= SHIFT) & (count >= 2 * ORDERS)
    return Channels(
        pd.DataFrame({"preferred_channel": label}),
        [
            Evidence("prefers_channel", prefers & ~shifts, {"percent": 100 * its}, records, 0.2),
            Evidence(
                "shifts_channel", shifts, {"percent": 100 * after, "before": 100 * before}, records, 0.5
            ),
        ],
        lacks,
    )
