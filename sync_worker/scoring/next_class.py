"""What is missing to the next value class: money to key, conditions to growth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.policy import Policy
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.peers import Peers, carried, entry_to_smallest_set, falling, smallest_set
from sync_worker.scoring.value_class import growth_borders, growth_conditions, key_border, worth

#: A gap of more than what the customer is worth already is no incentive.
REACHABLE = 1.0

SENTENCES = {
    "missing_to_key": "{amount} more of current and potential value would make it a key customer",
    "growth_lacks_index": "Not a growth customer: its value index is {percent} %, {needed} % are needed",
    "growth_lacks_potential": "Not a growth customer: its potential is {amount}, half of its peers have {needed} or "
    "more",
    "growth_lacks_expectation": "Not a growth customer: the value expected next is {percent} % of the current one, "
    "{needed} % are needed",
    "growth_lacks_activity": "Not a growth customer: no order for {days_since} days",
}


@dataclass
class NextClass:
    """What each buyer lacks.

    Attributes:
        gap: (n,) money of current + potential value missing to key, all others staying as they are; NaN for
            key customers. Giving it, rounded up to a whole unit, makes the customer key.
        lacks: a bool column per condition of growth that is not met, `index`, `potential`, `expectation` and
            `activity`; all False for key and growth customers.
        evidence: both in words.
    """

    gap: np.ndarray
    lacks: pd.DataFrame
    evidence: list[Evidence]


def classify(table: pd.DataFrame, peers: Peers, policy: Policy, *, remembered: bool = False) -> NextClass:
    """What is missing to key and to growth.

    Args:
        table: the buyers as for `value_class.classify`, with its `value_class` and `value_index`, and
            `silence`.
        remembered: whether the next run will know the class of this one, so that borders have to be passed by
            the margin of `hysteresis_value`.
    """
    formats, classes = table["format"], table["value_class"]
    value, index = worth(table), table["value_index"].to_numpy()
    missing = missing_to_key(value, formats, peers, policy, remembered=remembered)
    gap = np.where(classes == "key", np.nan, missing)
    was = np.full(len(table), -int(remembered))
    below = ~classes.isin(["key", "growth"]).to_numpy()
    met = growth_conditions(table, peers, policy, index, was)
    lacks = pd.DataFrame({name: below & ~fulfilled for name, fulfilled in met.items()})

    current, following = table["current_value"].to_numpy(), table["next_value"].to_numpy()
    ratio = np.divide(following, current, out=np.zeros(len(table)), where=current > 0)
    potential = table["potential_value"].to_numpy()
    lost = (table["lifecycle_stage"] == "lost").to_numpy()
    border = growth_borders(table, peers, policy, was)
    over_current = policy.column("growth_ratio_minimum", formats)
    over_current = over_current * (1 - was * policy.column("hysteresis_value", formats))
    figures = {
        "index": {"percent": np.floor(100 * index), "needed": np.ceil(100 * border["index"] - 1e-9)},
        "potential": {"amount": np.rint(potential), "needed": np.rint(border["potential"])},
        "expectation": {
            "percent": np.floor(100 * np.clip(ratio, -9.99, 9.99)),
            "needed": np.ceil(100 * over_current - 1e-9),
        },
        "activity": {"days_since": table["silence"].to_numpy()},
    }
    reachable = (gap <= REACHABLE * value) & ~lost
    # the nearer the stronger; before what is missing to growth
    near = 2 - np.divide(gap, value, out=np.ones(len(table)), where=reachable & (value > 0))
    evidence = [Evidence("missing_to_key", reachable, {"amount": np.ceil(np.nan_to_num(gap))}, strength=near)]
    # who lacks one condition only can be told what to mend
    nearly = (lacks.sum(axis=1) == 1).to_numpy() & ~lost
    evidence += [
        Evidence(f"growth_lacks_{name}", nearly & lacks[name].to_numpy(), params, strength=0.5)
        for name, params in figures.items()
    ]
    return NextClass(gap, lacks, evidence)


def missing_to_key(
    value: np.ndarray, formats: pd.Series, peers: Peers, policy: Policy, *, remembered: bool = False
) -> np.ndarray:
    """How much more value makes each customer key by the policy's rule, (n,), 0 or less where it is key by value.

    Args:
        remembered: whether it has to pass the border by the margin of `hysteresis_value`.
    """
    noise = policy.column("hysteresis_value", formats)
    missing = np.zeros(len(value))
    for format_id, rows, decided in peers.groups():
        share = float(policy.value("key_share", format_id))
        missing[rows[decided]] = missing_to_smallest_set(value[rows], share)[decided]
    absolute = policy.column("key_value_minimum", formats) - value
    missing = np.where(policy.column("key_rule", formats) == 1, absolute, missing)
    if not remembered:
        return missing
    passed = key_border(value, formats, peers, policy) * (1 + noise) - value
    # where nobody has any value the border is none, and passed by the least there is
    return np.where(noise > 0, np.maximum(passed, missing), missing)


def missing_to_smallest_set(values: np.ndarray, share: float) -> np.ndarray:
    """How much each value has to rise to enter `peers.smallest_set`, all others staying as they are, (n,).

    Where entering takes more than a figure, not just the figure, the next larger float is given.
    """
    order = falling(values)
    positive = np.clip(values[order], 0, None)
    above = np.append(0.0, np.cumsum(positive))  # the sum of the k largest
    others = above[-1] - np.clip(values, 0, None)
    entry = entry_to_smallest_set(values, share, order)
    missing, inside = entry - values, smallest_set(values, share, order)
    enters = (above[_place(entry, values, order)] < carried(share) * (others + entry)) & (entry > 0)
    return np.where(inside, 0.0, np.where(enters, missing, np.nextafter(missing, np.inf)))


def _place(wanted: np.ndarray, values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """How many would stand before each customer if it alone had the value wanted, more than its own, (n,): those with
    more, and of those with as much the earlier rows.

    Args:
        order: `peers.falling` of the values.
    """
    n, falling = len(values), -values[order]
    more = np.searchsorted(falling, -wanted, side="left")
    tied = np.searchsorted(falling, -wanted, side="right") > more
    by_row = np.searchsorted(falling, falling, side="left") * n + order
    return np.where(tied, np.searchsorted(by_row, more * n + np.arange(n)), more)
