"""Which customers carry the business, which may grow, which cost more than they bring: the value class."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sync_worker.policy import Policy
from sync_worker.scoring import labels
from sync_worker.scoring.loyalty import STAGES
from sync_worker.scoring.peers import Peers, smallest_set

CLASSES = ("key", "growth", "standard", "unprofitable")


def classify(table: pd.DataFrame, peers: Peers, policy: Policy) -> pd.DataFrame:
    """The value class by the 80/20 rule among peers.

    *Key*: the smallest set of peers that carries `key_share` of the positive total of current + potential
    value, and whoever would be in it by revenue but for a poor net value: it stays key, with the burden
    flag.
    *Growth*: else, a value index of at least `growth_index_minimum`, a potential not below the peers'
    median and an expected value over the current one of at least `growth_ratio_minimum`.
    *Unprofitable*: else, known net value below `net_value_minimum` and a potential below the peers' median.
    *Standard*: the rest.

    Args:
        table: the buyers with `format`, `order_days`, `current_order_days`, `current_revenue`,
            `current_value`, `potential_value`, `potential_revenue`, `next_value` (expected in the next
            current window), `known_margin`, `known_revenue`, `loyalty_stage`, `lifecycle_stage`.

    Returns:
        `value_class`, `burden`, `value_index` (0 to 1), `value_rank` (1 = most valuable of its peers),
        `net_rate` (known margin over its revenue, NaN where unknown).
    """
    formats = table["format"]
    value = (table["current_value"] + table["potential_value"]).to_numpy()
    key, rank = _key(value, peers, policy)
    poor = _known_net_value(table) < policy.column("net_value_minimum", formats)
    burden = poor & (
        key | _key((table["current_revenue"] + table["potential_revenue"]).to_numpy(), peers, policy)[0]
    )
    key |= burden

    index = value_index(table, peers, policy)
    potential = table["potential_value"].to_numpy()
    low = potential < peers.median(potential)
    current, following = table["current_value"].to_numpy(), table["next_value"].to_numpy()
    grows = (following > 0) & (following >= policy.column("growth_ratio_minimum", formats) * current)
    growth = grows & ~low & (index >= policy.column("growth_index_minimum", formats))
    growth &= ~table["lifecycle_stage"].isin(["dormant", "lost"]).to_numpy()
    chosen = labels.first([key, growth, poor & low], ["key", "growth", "unprofitable"], "standard")
    revenue = table["known_revenue"].to_numpy()
    rate = np.divide(table["known_margin"], revenue, out=np.full(len(table), np.nan), where=revenue > 0)
    return pd.DataFrame(
        {
            "value_class": chosen,
            "burden": burden,
            "value_index": index,
            "value_rank": rank,
            "net_rate": rate,
        }
    )


def value_index(table: pd.DataFrame, peers: Peers, policy: Policy) -> np.ndarray:
    """Weighted mean of four percentiles among peers, (n,) in [0, 1]: order-days and revenue in the current
    window, margin rate, loyalty stage. Weights are renormalised where the margin is not known."""
    formats = table["format"]
    stage = pd.Categorical(table["loyalty_stage"], categories=STAGES).codes.astype(float)
    revenue = table["known_revenue"].to_numpy()
    margin = np.divide(table["known_margin"], revenue, out=np.full(len(table), np.nan), where=revenue > 0)
    indicators = {
        "weight_frequency": table["current_order_days"].to_numpy(float),
        "weight_volume": table["current_revenue"].to_numpy(),
        "weight_margin": margin,
        "weight_loyalty": stage,
    }
    total, weights = np.zeros(len(table)), np.zeros(len(table))
    for key, values in indicators.items():
        percentile = peers.percentile(values)
        weight = np.where(np.isnan(percentile), 0.0, policy.column(key, formats))
        total += weight * np.nan_to_num(percentile)
        weights += weight
    # all the weight on a margin that is not known leaves the volume to judge by
    fallback = peers.percentile(indicators["weight_volume"])
    return np.where(weights > 0, total / np.where(weights > 0, weights, 1), fallback)


def _key(value: np.ndarray, peers: Peers, policy: Policy) -> tuple[np.ndarray, np.ndarray]:
    """Mask of the set that carries the key share, and the rank by value among peers."""
    key, rank = np.zeros(len(value), dtype=bool), np.zeros(len(value), dtype="int64")
    for format_id, rows, decided in peers.groups():
        share = float(policy.value("key_share", format_id))
        key[rows[decided]] = smallest_set(value[rows], share)[decided]
        rank[rows[decided]] = pd.Series(-value[rows]).rank(method="min").to_numpy().astype("int64")[decided]
    return key, rank


def _known_net_value(table: pd.DataFrame) -> np.ndarray:
    """Margin in the current window net of returns, +inf where it is not known for all of the revenue."""
    sold = table["known_revenue"].to_numpy()
    complete = np.isclose(sold, table["current_revenue"].to_numpy()) & (table["known_orders"].to_numpy() > 0)
    return np.where(complete, table["known_margin"].to_numpy(), np.inf)
