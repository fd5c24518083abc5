"""Why: the strongest reasons behind a customer's labels, with figures, and their sentences in English.

A reason is `{code, direction, contribution, params, model, record_ids}` as listed in reason_schema.json. Odoo
renders it in the reader's language, `render` does so for the terminal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from sync_worker.scoring.churn import ORDER_DAYS_ENOUGH, ChurnModel, RhythmModel, Situation
from sync_worker.scoring.features import Features
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.rhythm import Rhythm

MOST = 5

#: What makes a figure worth a sentence; none of them moves a label.
NOTICEABLE_CHANGE = 0.2
FEWER, MORE = 0.67, 1.5
NARROW, BROAD = 0.5, 1.5
DISCOUNTED = 0.5
RETURNED = 0.1
TOP = 0.1

SENTENCES = {
    "late_against_rhythm": "Last order {days_since} days ago; usually orders every {typical_gap} days",
    "on_rhythm": "Orders in its rhythm: last {days_since} days ago, usually every {typical_gap} days",
    "long_silence": "No order for {days_since} days",
    "recent_order": "Ordered only {days_since} days ago",
    "frequent_buyer": "Frequent buyer: order-days {order_days} in {months} months",
    "one_order_only": "Ordered only once, {days_since} days ago",
    "spend_rising": "Spends {percent} % more than in the period before",
    "spend_falling": "Spends {percent} % less than in the period before",
    "fewer_orders": "Orders less: order-days {recent}, in the period before {before}",
    "more_orders": "Orders more: order-days {recent}, in the period before {before}",
    "broad_basket": "Broad basket: categories {categories}, peers {peers}",
    "narrow_basket": "Narrow basket: categories {categories}, peers {peers}",
    "discount_dependent": "{percent} % of purchases at a discount",
    "returns_share": "Returned {percent} % of what it bought",
    "top_share": "Number {rank} by value among {peers} peers",
    "won_back": "Came back after {silence_days} days without an order",
    "poor_net_value": "Poor net value: {percent} % of sales remain",
    "little_history": "Little history: order-days so far: {order_days}",
    "rules_only": "Only {customers} customers: judged by rules, not by a model",
}


@cache
def schema() -> dict[str, dict[str, Any]]:
    """The reason codes: ``{code: {direction, params: {name: type}, model}}``."""
    return json.loads(files("sync_worker").joinpath("reason_schema.json").read_text(encoding="utf-8"))


def render(reason: Mapping[str, Any]) -> str:
    """A reason as an English sentence without a full stop; an unknown code as itself."""
    sentence = SENTENCES.get(reason["code"])
    return reason["code"] if sentence is None else sentence.format_map(reason["params"])


@dataclass
class Candidate:
    """A reason that may be given to some customers; arrays are (n,).

    Attributes:
        holds: mask of the customers it is true for.
        params: whole numbers by name.
        contribution: what it changes in the churn probability, NaN where no model tells.
        records: (n, k) record ids, -1 = none.
    """

    code: str
    holds: np.ndarray
    params: dict[str, np.ndarray]
    contribution: np.ndarray
    records: np.ndarray | None = None


def explain(
    features: Features,
    labels: pd.DataFrame,
    peers: Peers,
    *,
    model: ChurnModel,
    situation: Situation,
    rhythm: Rhythm,
    horizon: np.ndarray,
) -> pd.Series:
    """The strongest reasons of each buyer as JSON text, at most five, sorted by absolute contribution.

    The contribution is the churn probability less that of the same customer had the named fact been
    otherwise (the order within its usual gap, a second order, the peers' frequency, the earlier pace).
    Reasons that no model weighs (breadth, discounts, returns, value, confidence) follow without one.

    Args:
        labels: `value_class`, `burden`, `value_rank`, `net_rate`, `comeback_silence`, `confidence`.
        rhythm: as seen after the last order-day.
    """
    candidates = [
        *_timing(features, peers, model=model, situation=situation, rhythm=rhythm, horizon=horizon),
        *_behaviour(features, peers),
        *_standing(features, labels, peers),
    ]
    directions = schema()
    n = len(features.table)
    rows, numbers, strengths = [], [], []
    for number, candidate in enumerate(candidates):
        gain = candidate.contribution
        against = gain < 0 if directions[candidate.code]["direction"] == "up" else gain > 0
        if directions[candidate.code]["direction"] == "down":
            candidate.holds &= ~against  # reassuring in general, but not for this customer
        candidate.contribution = gain = np.where(against, np.nan, np.round(gain, 4))
        chosen = np.flatnonzero(candidate.holds)
        rows.append(chosen)
        numbers.append(np.full(len(chosen), number))
        strengths.append(np.where(np.isnan(gain), -1.0 - number, np.abs(gain))[chosen])
    row, number, strength = np.concatenate(rows), np.concatenate(numbers), np.concatenate(strengths)
    order = np.lexsort((-strength, row))
    row, number = row[order], number[order]
    count = np.bincount(row, minlength=n)
    start = np.cumsum(count) - count
    kept = np.arange(len(row)) - start[row] < MOST
    row, number = row[kept], number[kept]
    texts = np.empty(len(row), dtype=object)
    for index, candidate in enumerate(candidates):
        at = np.flatnonzero(number == index)
        texts[at] = _as_json(candidate, row[at], directions[candidate.code])
    end = np.cumsum(np.bincount(row, minlength=n))
    begin = np.concatenate(([0], end[:-1]))
    joined = ["[" + ",".join(texts[a:b]) + "]" for a, b in zip(begin, end, strict=True)]
    return pd.Series(joined, dtype=object)


def _timing(features, peers, *, model, situation, rhythm, horizon) -> Iterable[Candidate]:
    """Reasons the churn model weighs: the same customer is asked again with one thing otherwise."""
    table = features.table
    x, tenure, silence = situation.x, situation.T, table["silence"].to_numpy()
    actual = model.p_no_purchase(horizon, situation)
    orders = features.last_orders

    def less(other: Situation) -> np.ndarray:
        return actual - model.p_no_purchase(horizon, other)

    def silent_for(days: np.ndarray) -> Situation:
        # a one-time buyer's silence is its tenure, so that changes with it
        return situation.but(
            t_x=np.where(x > 0, np.maximum(tenure - days, 0), 0), T=np.where(x > 0, tenure, days)
        )

    typical, long = np.minimum(rhythm.typical(), tenure), np.maximum(rhythm.long(), silence)
    days_since = {"days_since": silence}
    timing = {"days_since": silence, "typical_gap": np.maximum(rhythm.typical(), 1)}
    repeat, late = x > 0, silence > rhythm.late()
    if_usual, if_long = (
        less(silent_for(typical)),
        less(silent_for(np.minimum(long, np.where(repeat, tenure, long)))),
    )
    yield Candidate("late_against_rhythm", repeat & late, timing, if_usual, orders)
    yield Candidate("on_rhythm", repeat & ~late, timing, if_long, orders)
    yield Candidate("long_silence", ~repeat & late, days_since, if_usual, orders)
    yield Candidate("recent_order", ~repeat & ~late, days_since, if_long, orders)

    uses_frequency = not isinstance(model, RhythmModel)
    unknown = np.full(len(table), np.nan)
    second = situation.but(x=np.maximum(x, 1), t_x=np.where(repeat, situation.t_x, tenure / 2))
    yield Candidate(
        "one_order_only", ~repeat, days_since, less(second) if uses_frequency else unknown, orders
    )
    pace = peers.median(np.where(repeat, x / np.maximum(tenure, 1), np.nan))
    usual = np.where(np.isnan(pace), x, pace * tenure)
    frequent = (table["order_days"].to_numpy() >= ORDER_DAYS_ENOUGH) & (x > BROAD * usual)
    months = np.maximum(tenure / 30.4375, 1)
    yield Candidate(
        "frequent_buyer",
        frequent,
        {"order_days": table["order_days"].to_numpy(), "months": months},
        less(situation.but(x=np.where(repeat, np.maximum(usual, 1), x))) if uses_frequency else unknown,
        orders,
    )
    recent, before = table["recent_orders"].to_numpy(), table["earlier_orders"].to_numpy()
    steady = less(situation.but(x=np.maximum(x + before - recent, 1))) if uses_frequency else unknown
    counts = {"recent": recent, "before": before}
    yield Candidate("fewer_orders", (before >= 2) & (recent <= FEWER * before), counts, steady, orders)
    more = (before >= 1) & (recent >= 2) & (recent >= MORE * before)
    yield Candidate("more_orders", more, counts, steady, orders)


def _behaviour(features: Features, peers: Peers) -> Iterable[Candidate]:
    """Facts the churn model does not weigh."""
    table = features.table
    unknown = np.full(len(table), np.nan)
    returned = table["returns"].to_numpy() / table["gross"].to_numpy()
    yield Candidate("returns_share", returned >= RETURNED, _percent(returned), unknown, features.last_returns)
    share = table["discount_share"].to_numpy()
    discounted = (share >= DISCOUNTED) & (share > BROAD * np.minimum(peers.median(share), 0.5))
    yield Candidate("discount_dependent", discounted, _percent(share), unknown)
    recent, earlier = table["recent_spend"].to_numpy(), table["earlier_spend"].to_numpy()
    change = np.divide(recent, earlier, out=np.ones(len(table)), where=earlier > 0) - 1
    seen = (earlier > 0) & (table["earlier_orders"].to_numpy() > 0)
    falling, rising = seen & (change <= -NOTICEABLE_CHANGE), seen & (change >= NOTICEABLE_CHANGE)
    yield Candidate("spend_falling", falling, _percent(np.minimum(-change, 1)), unknown, features.last_orders)
    yield Candidate("spend_rising", rising, _percent(change), unknown, features.last_orders)
    breadth = table["breadth"].to_numpy()
    usual = peers.median(np.where(breadth > 0, breadth, np.nan))
    counts = {"categories": breadth, "peers": usual}
    yield Candidate("narrow_basket", (breadth > 0) & (breadth <= NARROW * usual), counts, unknown)
    yield Candidate("broad_basket", (breadth > 1) & (breadth >= BROAD * usual), counts, unknown)


def _standing(features: Features, labels: pd.DataFrame, peers: Peers) -> Iterable[Candidate]:
    """Reasons for value and confidence."""
    table, n = features.table, len(features.table)
    unknown = np.full(n, np.nan)
    silence, rate = labels["comeback_silence"].to_numpy(), labels["net_rate"].to_numpy()
    yield Candidate("won_back", ~np.isnan(silence), {"silence_days": silence}, unknown, features.last_orders)
    poor = (labels["burden"] | (labels["value_class"] == "unprofitable")).to_numpy() & ~np.isnan(rate)
    yield Candidate("poor_net_value", poor, _percent(rate), unknown)
    order_days = table["order_days"].to_numpy()
    yield Candidate("little_history", order_days < ORDER_DAYS_ENOUGH, {"order_days": order_days}, unknown)
    no_model = (labels["confidence"] == "none").to_numpy()
    yield Candidate("rules_only", no_model, {"customers": np.full(n, n)}, unknown)
    rank = labels["value_rank"].to_numpy()
    top = (labels["value_class"] == "key").to_numpy() & (rank <= TOP * peers.size)
    yield Candidate("top_share", top, {"rank": rank, "peers": peers.size}, unknown)


def _percent(share: np.ndarray) -> dict[str, np.ndarray]:
    return {"percent": np.clip(100 * share, -999, 999)}


def _as_json(candidate: Candidate, row: np.ndarray, spec: dict[str, Any]) -> list[str]:
    names = list(spec["params"])
    values = [np.rint(np.nan_to_num(candidate.params[name][row])).astype("int64").tolist() for name in names]
    params = ",".join(f'"{name}":%d' for name in names)
    model = json.dumps(spec["model"] if candidate.records is not None else None)
    head = f'{{"code":"{candidate.code}","direction":"{spec["direction"]}","contribution":'
    contribution = ["null" if np.isnan(c) else repr(c) for c in candidate.contribution[row].tolist()]
    if candidate.records is None:
        records = ["[]"] * len(row)
    else:
        records = [
            str([i for i in ids if i >= 0]).replace(" ", "") for ids in candidate.records[row].tolist()
        ]
    filled = [params % numbers for numbers in zip(*values, strict=True)]
    return [
        f'{head}{c},"params":{{{p}}},"model":{model},"record_ids":{r}}}'
        for c, p, r in zip(contribution, filled, records, strict=True)
    ]
