"""What is missing to the next value class: money to key, conditions to growth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.policy import Policy
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.peers import Peers, carried
from sync_worker.scoring.value_class import growth_conditions, worth

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


def classify(table: pd.DataFrame, peers: Peers, policy: Policy) -> NextClass:
    """What is missing to key and to growth.

    Args:
        table: the buyers as for `value_class.classify`, with its `value_class` and `value_index`, and
            `silence`.
    """
    formats, classes = table["format"], table["value_class"]
    value, index = worth(table), table["value_index"].to_numpy()
    gap = np.where(classes == "key", np.nan, missing_to_key(value, formats, peers, policy))
    below = ~classes.isin(["key", "growth"]).to_numpy()
    met = growth_conditions(table, peers, policy, index)
    lacks = pd.DataFrame({name: below & ~fulfilled for name, fulfilled in met.items()})

    current, following = table["current_value"].to_numpy(), table["next_value"].to_numpy()
    ratio = np.divide(following, current, out=np.zeros(len(table)), where=current > 0)
    potential = table["potential_value"].to_numpy()
    lost = (table["lifecycle_stage"] == "lost").to_numpy()
    needed = {
        key: np.ceil(100 * policy.column(key, formats) - 1e-9)
        for key in ("growth_index_minimum", "growth_ratio_minimum")
    }
    figures = {
        "index": {"percent": np.floor(100 * index), "needed": needed["growth_index_minimum"]},
        "potential": {"amount": np.rint(potential), "needed": np.rint(peers.median(potential))},
        "expectation": {
            "percent": np.floor(100 * np.clip(ratio, -9.99, 9.99)),
            "needed": needed["growth_ratio_minimum"],
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


def missing_to_key(value: np.ndarray, formats: pd.Series, peers: Peers, policy: Policy) -> np.ndarray:
    """How much more value makes each customer key by the policy's rule, (n,), 0 or less where it is key by value."""
    missing = np.zeros(len(value))
    for format_id, rows, decided in peers.groups():
        share = float(policy.value("key_share", format_id))
        missing[rows[decided]] = missing_to_smallest_set(value[rows], share)[decided]
    absolute = policy.column("key_value_minimum", formats) - value
    return np.where(policy.column("key_rule", formats) == 1, absolute, missing)


def missing_to_smallest_set(values: np.ndarray, share: float) -> np.ndarray:
    """How much each value has to rise to enter `peers.smallest_set`, all others staying as they are, (n,).

    With k others above it, a customer of value w among others worth c together is in the set when those k carry less
    than `share` of c + w: when w > a(k) = (their sum) / share - c. It has k others above it from the next one's
    value v(k) on. So it enters at the least max(a(k), v(k)); as a rises with k and v falls, that is where they cross.
    Where entering takes more than a figure, not just the figure, the next larger float is given.
    """
    order = np.argsort(-values, kind="stable")
    positive = np.clip(values[order], 0, None)
    above = np.append(0.0, np.cumsum(positive))  # the sum of the k largest
    total, share = above[-1], carried(share)
    others = total - np.clip(values, 0, None)
    inside = np.zeros(len(values), dtype=bool)
    inside[order] = (above[:-1] < share * total) & (positive > 0)

    # who is not in the set stands behind the crossing, so that those before it are others
    crossing = np.searchsorted(above[:-1] / share - positive, others)
    crossing = np.minimum(crossing, len(values) - 1)
    by_rank = np.where(crossing > 0, positive[crossing - 1], np.inf)
    entry = np.maximum(np.minimum(above[crossing] / share - others, by_rank), 0.0)
    missing = entry - values
    enters = (above[_place(entry, values, order)] < share * (others + entry)) & (entry > 0)
    return np.where(inside, 0.0, np.where(enters, missing, np.nextafter(missing, np.inf)))


def _place(wanted: np.ndarray, values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """How many would stand before each customer if it alone had the value wanted, more than its own, (n,): those with
    more, and of those with as much the earlier rows.

    Args:
        order: the rows by falling value, ties in the order of the rows.
    """
    n, falling = len(values), -values[order]
    more = np.searchsorted(falling, -wanted, side="left")
    tied = np.searchsorted(falling, -wanted, side="right") > more
    by_row = np.searchsorted(falling, falling, side="left") * n + order
    return np.where(tied, np.searchsorted(by_row, more * n + np.arange(n)), more)
