"""Which customers carry the business, which may grow, which cost more than they bring: the value class."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sync_worker.policy import Policy
from sync_worker.scoring import labels
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.features import margin_rate
from sync_worker.scoring.loyalty import STAGES
from sync_worker.scoring.memory import held
from sync_worker.scoring.peers import Peers, carried, entry_to_smallest_set, smallest_set

CLASSES = ("key", "growth", "standard", "unprofitable")
BELOW_KEY = ("growth", "standard", "unprofitable")

SENTENCES = {
    "stays_key": "Stays a key customer: {percent} % below the border, within the {noise} % that count as noise",
    "not_yet_key": "Not a key customer yet: {percent} % above the border, within the {noise} % that count as noise",
    "class_near_border": "Close to the border of another value class, within the {noise} % that count as noise: what "
    "it was before decides",
}
#: A label that its own figures speak against is explained first.
STRENGTH = 3.0


def classify(
    table: pd.DataFrame,
    peers: Peers,
    policy: Policy,
    net_value: np.ndarray,
    before: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The value class among peers.

    *Key*: in `key_set`, and whoever would be in it by revenue but for a poor net value: it stays key, with the
    burden flag.
    *Growth*: else, all of `growth_conditions`.
    *Unprofitable*: else, known net value below `net_value_minimum` and a potential below the peers' median.
    *Standard*: the rest.

    A customer of whom the last run's class is known has to pass a border by a margin to change it: by
    `hysteresis_value` of what it has to reach; of a net value by so much of what customers of its revenue usually
    leave, if that is more.

    Args:
        table: the buyers with `format`, `order_days`, `current_order_days`, `current_revenue`,
            `current_value`, `potential_value`, `potential_revenue`, `next_value` (expected in the next
            current window), `known_margin`, `known_revenue`, `loyalty_stage`, `lifecycle_stage`.
        net_value: (n,) margin less cost to serve in the current window (`net_value`), NaN where not known:
            that is not held against a customer.
        before: of `memory.recall`; None: nothing is known.

    Returns:
        `value_class`, `burden`, `value_index` (0 to 1), `value_rank` (1 = most valuable of its peers),
        `net_rate` (net value over revenue, NaN where unknown); `class_by_rule` and `burden_by_rule`, which are what
        they would be without memory, and `key_border`, NaN where no memory asks for it.
    """
    formats, value = table["format"], worth(table)
    size, index = _worth_of_size(table, value, peers), value_index(table, peers, policy)
    revenue = table["known_revenue"].to_numpy()
    rate = np.divide(net_value, revenue, out=np.full(len(table), np.nan), where=revenue > 0)
    usual = np.nan_to_num(np.abs(peers.median(rate)) * np.clip(revenue, 0, None))
    minimum = policy.column("net_value_minimum", formats)
    net_margin = policy.column("hysteresis_value", formats) * np.maximum(np.abs(minimum), usual)

    def decide(labels_before: pd.DataFrame | None) -> tuple[pd.Categorical, np.ndarray]:
        was, bad = _held(labels_before, len(table))
        poor = net_value < minimum + bad * net_margin
        key = key_set(value, formats, peers, policy, was["key"])
        burden = poor & (key | key_set(size, formats, peers, policy, was["key"]))
        growth = np.logical_and.reduce(
            list(growth_conditions(table, peers, policy, index, was["growth"]).values())
        )
        loss = poor & ~_promising(table, peers, policy, was["promising"])
        named = ["key", "growth", "unprofitable"]
        return labels.first([key | burden, growth, loss], named, "standard"), burden

    by_rule = chosen = decide(None)
    border = np.full(len(table), np.nan)
    if before is not None and before["value_class"].notna().any():
        chosen, border = decide(before), key_border(value, formats, peers, policy)
    return pd.DataFrame(
        {
            "value_class": chosen[0],
            "burden": chosen[1],
            "value_index": index,
            "value_rank": _rank(value, peers),
            "net_rate": rate,
            "class_by_rule": by_rule[0],
            "burden_by_rule": by_rule[1],
            "key_border": border,
        }
    )


def _held(before: pd.DataFrame | None, n: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Which conditions the last run's class says to have held (`memory.held`), by name, and whether its net value was
    poor, (n,) each."""
    if before is None:
        nobody = np.zeros(n, dtype="int8")
        return {"key": nobody, "growth": nobody, "promising": nobody}, nobody
    label = before["value_class"]
    costed = label.where(before["burden"].notna())  # by costs that count as they did
    was = {
        "key": held(label, ["key"], BELOW_KEY),
        "growth": held(label, ["growth"], ["standard", "unprofitable"]),
        # which of its two conditions an unprofitable customer met, and a standard one did not, both ways
        "promising": held(costed, ["standard"], ["unprofitable"]),
    }
    poor = (costed == "unprofitable") | before["burden"].eq(True)
    return was, np.where(poor, 1, -costed.notna().to_numpy("int8"))


def evidence(table: pd.DataFrame, policy: Policy) -> list[Evidence]:
    """What says that the last run's class decided.

    Args:
        table: with what `classify` returns.
    """
    share = policy.column("hysteresis_value", table["format"])
    noise = np.ceil(100 * share - 1e-9)
    border = table["key_border"].to_numpy()
    off = np.divide(worth(table), border, out=np.full(len(table), np.nan), where=border > 0) - 1
    key, by_rule = ((table[name] == "key").to_numpy() for name in ("value_class", "class_by_rule"))
    burden = (table["burden"] != table["burden_by_rule"]).to_numpy()
    stays = key & ~by_rule & ~burden & (off >= -share - 1e-6)
    not_yet = by_rule & ~key & ~burden & (off >= -1e-6)
    moved = burden | (table["value_class"].astype(object) != table["class_by_rule"].astype(object)).to_numpy()
    percent = np.clip(np.ceil(np.abs(100 * np.nan_to_num(off)) - 1e-4), 1, np.maximum(noise, 1))
    figures = {"percent": percent, "noise": noise}
    return [
        Evidence("stays_key", stays, figures, strength=STRENGTH),
        Evidence("not_yet_key", not_yet, figures, strength=STRENGTH),
        Evidence("class_near_border", moved & ~stays & ~not_yet, {"noise": noise}, strength=STRENGTH),
    ]


def worth(table: pd.DataFrame) -> np.ndarray:
    """What customers are ranked by, (n,): current + potential value."""
    return (table["current_value"] + table["potential_value"]).to_numpy()


def key_set(
    value: np.ndarray, formats: pd.Series, peers: Peers, policy: Policy, was: np.ndarray | None = None
) -> np.ndarray:
    """Who is key by a value, (n,) bool.

    By `key_rule` 0 the smallest set of peers that carries `key_share` of the positive total, by rule 1
    whoever reaches `key_value_minimum`.

    Args:
        was: whether it was key before (`memory.held`): such a customer is key from `hysteresis_value` below
            `key_border`, and one that was not from as much above it.
    """
    cumulative = np.zeros(len(value), dtype=bool)
    for format_id, rows, decided in peers.groups():
        share = float(policy.value("key_share", format_id))
        cumulative[rows[decided]] = smallest_set(value[rows], share)[decided]
    reached = value >= policy.column("key_value_minimum", formats)
    key = np.where(policy.column("key_rule", formats) == 1, reached, cumulative)
    if was is None or not was.any():
        return key
    border = key_border(value, formats, peers, policy)
    noise = policy.column("hysteresis_value", formats)
    passed = (value > 0) & (value >= carried(border - was * noise * border))
    passed = np.where(was > 0, key | passed, key & passed)
    return np.where((was == 0) | (noise == 0), key, passed)


def key_border(value: np.ndarray, formats: pd.Series, peers: Peers, policy: Policy) -> np.ndarray:
    """The value from which each customer is key by the policy's rule, all others staying as they are, (n,)."""
    border = np.zeros(len(value))
    for format_id, rows, decided in peers.groups():
        share = float(policy.value("key_share", format_id))
        border[rows[decided]] = entry_to_smallest_set(value[rows], share)[decided]
    by_value = policy.column("key_rule", formats) == 1
    return np.where(by_value, policy.column("key_value_minimum", formats), border)


def growth_conditions(
    table: pd.DataFrame, peers: Peers, policy: Policy, index: np.ndarray, was: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """What a growth customer fulfils, masks by name, (n,) each.

    `index`: a value index of at least `growth_index_minimum`; `potential`: not below the peers' median;
    `expectation`: an expected value over the current one of at least `growth_ratio_minimum`; `activity`:
    neither dormant nor lost.

    Args:
        was: whether it was growth before (`memory.held`).
    """
    following, border = table["next_value"].to_numpy(), growth_borders(table, peers, policy, was)
    return {
        "index": index >= border["index"],
        "potential": ~(table["potential_value"].to_numpy() < border["potential"]),
        "expectation": (following > 0) & (following >= border["expectation"]),
        "activity": ~table["lifecycle_stage"].isin(["dormant", "lost"]).to_numpy(),
    }


def growth_borders(
    table: pd.DataFrame, peers: Peers, policy: Policy, was: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """From where the first three of `growth_conditions` hold, by name, (n,) each; NaN: they hold anyway."""
    formats = table["format"]
    was = np.zeros(len(table), dtype="int8") if was is None else was
    noise = policy.column("hysteresis_value", formats)
    index = policy.column("growth_index_minimum", formats)
    expected = policy.column("growth_ratio_minimum", formats) * table["current_value"].to_numpy()
    return {
        # at most half way to the end of the scale, where nobody would come
        "index": index - was * np.minimum(noise * index, (1 - index) / 2),
        "potential": _usual_potential(table, peers, noise, was),
        "expectation": expected - was * noise * np.abs(expected),
    }


def indicators(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """What the value index looks at, (n,) each, NaN where it is not known: order-days and revenue in the current
    window, margin rate, loyalty stage."""
    return {
        "frequency": table["current_order_days"].to_numpy(float),
        "volume": table["current_revenue"].to_numpy(),
        "margin": margin_rate(table),
        "loyalty": pd.Categorical(table["loyalty_stage"], categories=STAGES).codes.astype(float),
    }


def value_index(table: pd.DataFrame, peers: Peers, policy: Policy) -> np.ndarray:
    """Weighted mean of the percentiles of four `indicators` among peers, (n,) in [0, 1]. Weights are renormalised
    where the margin is not known."""
    formats = table["format"]
    known = indicators(table)
    total, weights = np.zeros(len(table)), np.zeros(len(table))
    for name, values in known.items():
        percentile = peers.percentile(values)
        weight = np.where(np.isnan(percentile), 0.0, policy.column(f"weight_{name}", formats))
        total += weight * np.nan_to_num(percentile)
        weights += weight
    if (weights > 0).all():
        return total / weights
    # all the weight on a margin that is not known leaves the volume to judge by
    fallback = peers.percentile(known["volume"])
    return np.where(weights > 0, total / np.where(weights > 0, weights, 1), fallback)


def _promising(table: pd.DataFrame, peers: Peers, policy: Policy, was: np.ndarray) -> np.ndarray:
    noise = policy.column("hysteresis_value", table["format"])
    return ~(table["potential_value"].to_numpy() < _usual_potential(table, peers, noise, was))


def _usual_potential(table: pd.DataFrame, peers: Peers, noise: np.ndarray, was: np.ndarray) -> np.ndarray:
    usual = peers.median(table["potential_value"].to_numpy())
    return usual - was * noise * np.abs(usual)


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
