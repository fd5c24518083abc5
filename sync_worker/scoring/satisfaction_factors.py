"""What goes with good and with bad ratings: which failings matter to those who carry the company."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata

from sync_worker.history.facts import rows_of
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import interactions, purchases, satisfaction
from sync_worker.scoring.events import Events, days_of, take
from sync_worker.scoring.features import Features
from sync_worker.scoring.interactions import Talk
from sync_worker.scoring.promises import late_and_short

#: Days before a rating that it is thought to speak of.
DAYS = 60
#: Ratings of either kind, and customers who gave them, that a factor is judged from.
RATINGS, CUSTOMERS = 20, 5
#: Bad ratings that are named of a factor, the newest.
NAMED = 100
#: Probability of chance up to which a factor is said to matter, shared among all that are tried.
CHANCE = 0.05


def factors(
    features: Features,
    history: History,
    said: Talk | None,
    policy: Policy,
    chosen: np.ndarray,
) -> list[dict[str, Any]]:
    """The factors that separate bad from good ratings of the `chosen` (n,) buyers, the strongest first; ready for JSON.

    Looked at are the `DAYS` before each rating: share of `late` deliveries, of `short` ones, of `returns` among
    deliveries, hours until an `answer` or, without one yet, until the end of the rating's day, mean `discount` in
    percent.

    Args:
        said: what `interactions.talk` gives of the buyers.

    Returns:
        `{factor, effect, good, bad, good_mean, bad_mean, customers, matters, rating_ids}`. `effect` is Cliff's delta:
        how much likelier the factor was larger before a bad rating than before a good one, less the reverse, -1 to 1;
        null where there are fewer than `RATINGS` of either kind or `CUSTOMERS` who gave them, and then nothing is
        claimed. `rating_ids` are the newest bad ratings before which there was more of the factor than is usual
        before good ones. `matters`: more than chance (Mann-Whitney, with as many independent ratings as customers,
        since one customer's are alike).
    """
    customers = features.table["customer_id"]
    ratings = satisfaction.ratings(history, customers)
    if ratings is None:
        return []
    rating = ratings.numbers("rating")
    good, bad = _kinds(rating, features, policy, ratings.row)
    judged = chosen[ratings.row] & (good | bad)
    ratings, bad = ratings.of(judged), bad[judged]
    values = {
        **_deliveries(history, features, policy, ratings),
        **_others(history, features, said, ratings),
    }
    found = [
        _factor(name, each, bad, ratings.row, len(values)) | {"rating_ids": _named(each, bad, ratings)}
        for name, each in values.items()
    ]
    return sorted(found, key=lambda each: (-abs(each["effect"] or 0.0), each["factor"]))


def _named(values: np.ndarray, bad: np.ndarray, ratings: Events) -> list[int]:
    """The newest bad ratings with more of a factor before them than is usual before good ones; none where ids are not
    whole numbers."""
    ids = ratings.table["rating_id"]
    usual = values[~bad & ~np.isnan(values)]
    if not pd.api.types.is_integer_dtype(ids) or not len(usual):
        return []
    at = np.flatnonzero(bad & (values > usual.mean()))
    at = at[np.lexsort((-ids.to_numpy("int64")[at], -ratings.day[at]))]
    return ids.iloc[at[:NAMED]].tolist()


def _kinds(
    rating: np.ndarray, features: Features, policy: Policy, row: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    formats = features.table["format"]
    good = rating >= policy.column("satisfied_from", formats)[row]
    return good, rating < policy.column("unsatisfied_below", formats)[row]


def _mean(events: Events, values: np.ndarray, ratings: Events) -> np.ndarray:
    """The mean of the values in the days before each rating, NaN without any."""
    before = events.window(ratings.row, ratings.day - DAYS + 1, ratings.day)
    count = before.count
    return np.divide(before.total(values), count, out=np.full(len(count), np.nan), where=count > 0)


def _mean_known(events: Events, values: np.ndarray, ratings: Events) -> np.ndarray:
    """As `_mean`, of the values that are known."""
    known = ~np.isnan(values)
    return _mean(events.of(known), values[known], ratings)


def _deliveries(
    history: History, features: Features, policy: Policy, ratings: Events
) -> dict[str, np.ndarray]:
    deliveries = take(history, "deliveries", features.table["customer_id"])
    if deliveries is None:
        return {}
    back = deliveries.table["is_return"].to_numpy()
    grace = policy.column("late_grace_days", features.table["format"])
    sent, late, short = late_and_short(deliveries, grace)
    return {
        "late": _mean_known(sent, late, ratings),
        "short": _mean_known(sent, short, ratings),
        "returns": _mean(deliveries, back, ratings),
    }


def _others(
    history: History, features: Features, said: Talk | None, ratings: Events
) -> dict[str, np.ndarray]:
    found = {}
    if said is not None and said.is_message.any():
        found["answer"] = _waited(said, ratings)
    if history.lines is not None and not history.lines["discount"].isna().all():
        found["discount"] = _mean(*_discounts(history, features, np.unique(ratings.row)), ratings)
    return found


def _waited(said: Talk, ratings: Events) -> np.ndarray:
    """Mean hours that the questions of the days before each rating had waited by its end, NaN without any."""
    # so long after the last message every question counts, answered or not
    asked, hours = interactions.answers(said, int(said.day.max() + interactions.PATIENCE / 24))
    before = asked.window(ratings.row, ratings.day - DAYS + 1, ratings.day)
    count = before.count
    of = np.repeat(np.arange(len(count)), count)
    question = np.arange(len(of)) + np.repeat(before.begin - (np.cumsum(count) - count), count)
    so_far = (ratings.day[of] + 1) * 24.0 - asked.numbers("hours")[question]
    waited = np.minimum(np.minimum(hours[question], interactions.PATIENCE), so_far)
    total = np.bincount(of, waited, minlength=len(count))
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def _discounts(history: History, features: Features, rows: np.ndarray) -> tuple[Events, np.ndarray]:
    """Orders of some customers with the mean discount of their lines, by money, where it is known."""
    orders, at = purchases.joined(history.orders, history.lines)
    row = rows_of(orders["customer_id"], features.table["customer_id"])
    amount, discount = (history.lines[name].to_numpy(float) for name in ("amount", "discount"))
    chosen = np.flatnonzero((at >= 0) & np.isin(row, rows)[at] & (amount > 0) & ~np.isnan(discount))
    chosen = chosen[np.lexsort((discount[chosen], amount[chosen], at[chosen]))]
    at, amount, discount = at[chosen], amount[chosen], discount[chosen]
    total = np.bincount(at, amount, minlength=len(orders))
    reduced = np.bincount(at, amount * discount, minlength=len(orders))
    mean = np.divide(reduced, total, out=np.zeros(len(orders)), where=total > 0)
    day = days_of(orders["date"])
    kept = np.flatnonzero(total > 0)
    kept = kept[np.lexsort((mean[kept], day[kept], row[kept]))]
    return Events(row[kept].astype("int64"), day[kept], orders.iloc[kept]), mean[kept]


def _factor(name: str, values: np.ndarray, bad: np.ndarray, row: np.ndarray, tried: int) -> dict[str, Any]:
    known = ~np.isnan(values)
    values, bad, row = values[known], bad[known], row[known]
    count = {"good": int((~bad).sum()), "bad": int(bad.sum())}
    raters = min(len(np.unique(row[bad])), len(np.unique(row[~bad])))
    result: dict[str, Any] = {"factor": name, "effect": None, **count}
    result |= {
        f"{kind}_mean": round(float(values[mask].mean()), 3) if mask.any() else None
        for kind, mask in (("good", ~bad), ("bad", bad))
    }
    result |= {"customers": len(np.unique(row)), "matters": False}
    if min(count.values()) < RATINGS or raters < CUSTOMERS:
        return result
    rank = rankdata(values)
    wins = rank[bad].sum() - count["bad"] * (count["bad"] + 1) / 2
    delta = 2 * wins / (count["bad"] * count["good"]) - 1
    # ties take from the variance; one customer's ratings count as one
    total = len(values)
    ties = np.unique(values, return_counts=True)[1].astype(float)
    tied = 1 - ((ties**3 - ties).sum()) / (total**3 - total)
    clusters = {kind: len(np.unique(row[mask])) for kind, mask in (("good", ~bad), ("bad", bad))}
    spread = np.sqrt(
        max(tied, 0) * (clusters["good"] + clusters["bad"] + 1) / (3 * clusters["good"] * clusters["bad"])
    )
    result["effect"] = round(float(delta), 3)
    result["matters"] = bool(spread > 0 and 2 * norm.sf(abs(delta) / spread) < CHANCE / tried)
    return result
