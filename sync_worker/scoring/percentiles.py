"""Where a customer stands among its peers, criterion by criterion: what it may be shown of itself."""

from __future__ import annotations

import pandas as pd

from sync_worker.scoring.peers import Peers
from sync_worker.scoring.value_class import indicators

#: Criteria of the rating; of the fourth, contribution, the place among peers is `value_percentile`.
OF_RATING = ("compliance", "integrity", "influence")
CRITERIA = (*OF_RATING, "frequency", "volume", "margin", "loyalty")


def among_peers(table: pd.DataFrame, rated: pd.DataFrame, peers: Peers) -> pd.DataFrame:
    """The place of each buyer among its peers by each criterion (`Peers.percentile`).

    In hundredths, as people read it: with more digits every row would be another after each run.

    Args:
        table: the buyers, as for `value_class.indicators`.
        rated: their `rating_…` columns (`rating.classify`).

    Returns:
        `percentile_…` of each of `CRITERIA`, 0 to 1; NaN where the customer is not known by it.
    """
    values = {name: rated[f"rating_{name}"].to_numpy(float) for name in OF_RATING} | indicators(table)
    return pd.DataFrame({f"percentile_{name}": peers.percentile(values[name]).round(2) for name in CRITERIA})
