"""How satisfied customers say they are, by their ratings: not how loyal (`attitude`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring.events import Events, take
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.features import Features
from sync_worker.scoring.peers import Peers

LEVELS = ("satisfied", "neutral", "unsatisfied")
#: Ratings a customer needs, and what they have to weigh together: two as old as the half-life are just enough.
RATINGS, WEIGHT = 2, 1.0
#: Weight, in ratings, of the peers' mean against a customer's own: least and greatest.
PEERS_WEIGHT = (0.5, 5.0)
#: Least variance of a customer's ratings: they are whole numbers.
VARIANCE = 0.05

SENTENCES = {
    "satisfied_ratings": "{good} of {ratings} ratings good; a later one counts more",
    "mixed_ratings": "{good} of {ratings} ratings good, {bad} bad; a later one counts more",
    "unsatisfied_ratings": "{bad} of {ratings} ratings bad; a later one counts more",
}


@dataclass
class Satisfaction:
    """The satisfaction of each buyer.

    Attributes:
        table: a row per buyer: `satisfaction` (of `LEVELS`, None without enough ratings), `rating` (1 to 5,
            recency-weighted and shrunken; NaN likewise).
        evidence: what it rests on, with the newest ratings.
        lacks: `ratings` without that dataset.
    """

    table: pd.DataFrame
    evidence: list[Evidence]
    lacks: list[str]


def classify(features: Features, history: History, peers: Peers, policy: Policy, today: int) -> Satisfaction:
    """The satisfaction of each buyer as of `today` (days since 1970-01-01).

    A rating counts half after `rating_half_life_days`. The mean of a customer's own is drawn towards the peers' as far
    as customers' ratings vary anyway (Efron & Morris 1975). *Satisfied* from `satisfied_from`, *unsatisfied* below
    `unsatisfied_below`, else *neutral*.
    """
    buyers, n = features.table, len(features.table)
    lacks = [] if "ratings" in history.facts else ["ratings"]
    given = ratings(history, buyers["customer_id"])
    if given is None:
        empty = {"satisfaction": np.full(n, None, dtype=object), "rating": np.full(n, np.nan)}
        return Satisfaction(pd.DataFrame(empty), [], lacks)
    formats = buyers["format"]
    half_life = policy.column("rating_half_life_days", formats)
    mean, enough = _mean(given, half_life, peers, n, today)
    from_, below = (policy.column(key, formats) for key in ("satisfied_from", "unsatisfied_below"))
    level = np.select(
        [~enough, mean >= from_, mean < below],
        np.array([None, "satisfied", "unsatisfied"], dtype=object),
        "neutral",
    )
    rating, row = given.numbers("rating"), given.row
    good, bad = rating >= from_[row], rating < below[row]
    count = np.bincount(row, minlength=n)
    count_good, count_bad = (np.bincount(row[kind], minlength=n) for kind in (good, bad))
    of_all = {"ratings": count}
    told = (
        ("satisfied_ratings", {"good": count_good, **of_all}),
        ("mixed_ratings", {"good": count_good, "bad": count_bad, **of_all}),
        ("unsatisfied_ratings", {"bad": count_bad, **of_all}),
    )
    records = given.records(np.ones(len(row), dtype=bool), n, "rating_id")
    table = pd.DataFrame({"satisfaction": level, "rating": np.where(enough, mean, np.nan)})
    evidence = [
        Evidence(code, level == name, figures, records, 1.0)
        for (code, figures), name in zip(told, LEVELS, strict=True)
    ]
    return Satisfaction(table, evidence, lacks)


def ratings(history: History, customers: pd.Series) -> Events | None:
    """The ratings of the customers, None where there are none. A rating of 0 is none, as is a missing one."""
    given = take(history, "ratings", customers)
    given = None if given is None else given.of(given.numbers("rating") > 0)
    return given if given is not None and len(given.row) else None


def _mean(
    given: Events, half_life: np.ndarray, peers: Peers, n: int, today: int
) -> tuple[np.ndarray, np.ndarray]:
    """The shrunken mean rating of each customer, (n,), and where it rests on enough, (n,) bool."""
    row, rating = given.row, given.numbers("rating")
    weight = 0.5 ** ((today - given.day) / half_life[row])
    total = np.bincount(row, weight, minlength=n)
    count = np.bincount(row, minlength=n)
    own = np.divide(
        np.bincount(row, weight * rating, minlength=n), total, out=np.full(n, np.nan), where=total > 0
    )
    several = count >= RATINGS
    squares = np.bincount(row, (rating - own[row]) ** 2, minlength=n)[several]
    freedom = (count[several] - 1).sum()
    within = max(squares.sum() / freedom, VARIANCE) if freedom else 1.0
    between = np.var(own[several]) - within * np.mean(1 / count[several]) if several.any() else 0.0
    weight_of_peers = float(np.clip(within / max(between, 1e-9), *PEERS_WEIGHT))
    usual = peers.median(np.where(several, own, np.nan))
    usual = np.where(np.isnan(usual), rating.mean(), usual)
    mean = (np.nan_to_num(own) * total + usual * weight_of_peers) / (total + weight_of_peers)
    return mean, several & (total >= WEIGHT)
