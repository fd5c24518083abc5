"""Whether a customer's margin rate is high or low for its peers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.features import margin_rate
from sync_worker.scoring.peers import Peers

#: Sales with a known margin from which a rate is told: one sale is none.
ENOUGH = 2
#: Rates that differ by the rounding of a sum do not differ.
ROUNDING = 1e-9

LEVELS = ("high", "low")

SENTENCES = {
    "margin_above_peers": "Margin rate {percent} %, half of its peers are below {peers} %",
    "margin_below_peers": "Margin rate {percent} %, half of its peers are above {peers} %",
}


def classify(table: pd.DataFrame, peers: Peers) -> tuple[pd.Categorical, list[Evidence]]:
    """The margin level of each buyer, (n,), and its evidence.

    *High*: a margin rate of the current window not below the median of its peers' known ones; *low*: below;
    missing with fewer than two sales of known margin, or where no peer's rate differs.

    Args:
        table: the buyers with `known_margin`, `known_revenue`, `known_orders`.
    """
    rate = np.where(table["known_orders"].to_numpy() >= ENOUGH, margin_rate(table), np.nan)
    usual = np.full(len(table), np.nan)
    for _, rows, decided in peers.groups():
        known = rate[rows][~np.isnan(rate[rows])]
        if len(known) and np.ptp(known) > ROUNDING:
            usual[rows[decided]] = np.median(known)
    high, low = rate >= usual - ROUNDING, rate < usual - ROUNDING
    level = pd.Categorical.from_codes(np.where(high, 0, np.where(low, 1, -1)), LEVELS)
    figures = {"percent": np.rint(100 * rate), "peers": np.rint(100 * usual)}
    distance = np.nan_to_num(np.abs(rate - usual))
    return level, [
        Evidence("margin_above_peers", high, figures, strength=distance),
        Evidence("margin_below_peers", low, figures, strength=distance),
    ]
