"""Which customers carry the business, which may grow, which cost more than they bring: the value class."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sync_worker.policy import Policy
from sync_worker.scoring import labels
from sync_worker.scoring.features import margin_rate
from sync_worker.scoring.loyalty import STAGES
from sync_worker.scoring.peers import Peers, smallest_set

CLASSES = ("key", "growth", "standard", "unprofitable")


def classify(table: pd.DataFrame, peers: Peers, policy: Policy, net_value: np.ndarray) -> pd.DataFrame:
    """The value class among peers.

    *Key*: in `key_set`, and whoever would be in it by revenue but for a poor net value: it stays key, with the
    burden flag.
    *Growth*: else, all of `growth_conditions`.
    *Unprofitable*: else, known net value below `net_value_minimum` and a potential below the peers' median.
    *Standard*: the rest.

    Args:
        table: the buyers with `format`, `order_days`, `current_order_days`, `current_revenue`,
            `current_value`, `potential_value`, `potential_revenue`, `next_value` (expected in the next
            current window), `known_margin`, `known_revenue`, `loyalty_stage`, `lifecycle_stage`.
        net_value: (n,) margin less cost to serve in the current window (`net_value`), NaN where not known:
            that is not held against a customer.

    Returns:
        `value_class`, `burden`, `value_index` (0 to 1), `value_rank` (1 = most valuable of its peers),
        `net_rate` (net value over revenue, NaN where unknown).
    """
    formats = table["format"]
    value = worth(table)
    key = key_set(value, formats, peers, policy)
    poor = net_value < policy.column("net_value_minimum", formats)
    burden = poor & (key | key_set(_worth_of_size(table, value, peers), formats, peers, policy))
    key |= burden

    index = value_index(table, peers, policy)
    growth = np.logical_and.reduce(list(growth_conditions(table, peers, policy, index).values()))
    loss = poor & ~_promising(table, peers)
    chosen = labels.first([key, growth, loss], ["key", "growth", "unprofitable"], "standard")
    revenue = table["known_revenue"].to_numpy()
    rate = np.divide(net_value, revenue, out=np.full(len(table), np.nan), where=revenue > 0)
    return pd.DataFrame(
        {
            "value_class": chosen,
            "burden": burden,
            "value_index": index,
            "value_rank": _rank(value, peers),
            "net_rate": rate,
        }
    )


def worth(table: pd.DataFrame) -> np.ndarray:
    """What customers are ranked by, (n,): current + potential value."""
    return (table["current_value"] + table["potential_value"]).to_numpy()


def key_set(value: np.ndarray, formats: pd.Series, peers: Peers, policy: Policy) -> np.ndarray:
    """Who is key by a value, (n,) bool.

    By `key_rule` 0 the smallest set of peers that carries `key_share` of the positive total, by rule 1
    whoever reaches `key_value_minimum`.
    """
    cumulative = np.zeros(len(value), dtype=bool)
    for format_id, rows, decided in peers.groups():
        share = float(policy.value("key_share", format_id))
        cumulative[rows[decided]] = smallest_set(value[rows], share)[decided]
    reached = value >= policy.column("key_value_minimum", formats)
    return np.where(policy.column("key_rule", formats) == 1, reached, cumulative)


def growth_conditions(
    table: pd.DataFrame, peers: Peers, policy: Policy, index: np.ndarray
) -> dict[str, np.ndarray]:
    """What a growth customer fulfils, masks by name, (n,) each.

    `index`: a value index of at least `growth_index_minimum`; `potential`: not below the peers' median;
    `expectation`: an expected value over the current one of at least `growth_ratio_minimum`; `activity`:
    neither dormant nor lost.
    """
    formats = table["format"]
    current, following = table["current_value"].to_numpy(), table["next_value"].to_numpy()
    grows = (following > 0) & (following >= policy.column("growth_ratio_minimum", formats) * current)
    return {
        "index": index >= policy.column("growth_index_minimum", formats),
        "potential": _promising(table, peers),
        "expectation": grows,
        "activity": ~table["lifecycle_stage"].isin(["dormant", "lost"]).to_numpy(),
    }


def value_index(table: pd.DataFrame, peers: Peers, policy: Policy) -> np.ndarray:
    """Weighted mean of four percentiles among peers, (n,) in [0, 1]: order-days and revenue in the current
    window, margin rate, loyalty stage. Weights are renormalised where the margin is not known."""
    formats = table["format"]
    stage = pd.Categorical(table["loyalty_stage"], categories=STAGES).codes.astype(float)
    indicators = {
        "weight_frequency": table["current_order_days"].to_numpy(float),
        "weight_volume": table["current_revenue"].to_numpy(),
        "weight_margin": margin_rate(table),
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


def _promising(table: pd.DataFrame, peers: Peers) -> np.ndarray:
    potential = table["potential_value"].to_numpy()
    return ~(potential < peers.median(potential))


def _worth_of_size(table: pd.DataFrame, value: np.ndarray, peers: Peers) -> np.ndarray:
    """What a customer would be worth by its revenue, at the rate that is usual among its peers."""
    revenue = (table["current_revenue"] + table["potential_revenue"]).to_numpy()
    rate = np.divide(value, revenue, out=np.full(len(value), np.nan), where=revenue > 0)
    usual = peers.median(rate)
    return revenue * np.where(usual > 0, usual, 1.0)  # among peers at a loss size is revenue itself


def _rank(value: np.ndarray, peers: Peers) -> np.ndarray:
    """Rank by value among peers, (n,) int64, 1 = most valuable."""
    rank = np.zeros(len(value), dtype="int64")
    for _, rows, decided in peers.groups():
        rank[rows[decided]] = pd.Series(-value[rows]).rank(method="min").to_numpy().astype("int64")[decided]
    return rank
