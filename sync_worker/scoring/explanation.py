"""Why: the strongest reasons behind a customer's labels, with figures, and their sentences in English.

A reason is `{code, direction, contribution, params, model, record_ids}` as listed in reason_schema.json. Odoo
renders it in the reader's language, `render` does so for the terminal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sync_worker.policy import Policy
from sync_worker.scoring import (
    anomaly,
    channel,
    cross_sell,
    interactions,
    lost_type,
    margin_level,
    net_value,
    next_class,
    promises,
    rating,
    replacement,
    satisfaction,
    share_of_customer,
    value_type,
)
from sync_worker.scoring.attribution import contributions, days_left
from sync_worker.scoring.base_models import Shortage
from sync_worker.scoring.churn import ORDER_DAYS_ENOUGH
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.features import Features
from sync_worker.scoring.forecast import Forecast
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.rhythm import Rhythm
from sync_worker.scoring.situation import Situation

#: Reasons told of a topic, at most.
MOST = {"churn": 5}
MOST_OF_OTHERS = 2
#: Customers whose reasons are written at once: the pieces of JSON take several times the memory of the result.
BLOCK = 20_000

#: What makes a figure worth a sentence; none of them moves a label.
NOTICEABLE_CHANGE = 0.2
FEWER, MORE = 0.67, 1.5
NARROW, BROAD = 0.5, 1.5
DISCOUNTED = 0.5
RETURNED = 0.1
TOP = 0.1
#: Contributions that would be rounded away are none.
NOTICEABLE = 0.005
#: What to do comes before weak reasons, after strong ones.
ADVICE = 0.1

_MODULES = (
    anomaly,
    channel,
    cross_sell,
    interactions,
    lost_type,
    margin_level,
    net_value,
    next_class,
    promises,
    rating,
    replacement,
    satisfaction,
    share_of_customer,
    value_type,
)
SENTENCES = {
    **{code: sentence for module in _MODULES for code, sentence in module.SENTENCES.items()},
    "late_against_rhythm": "Last order {days_since} days ago; usually orders every {typical_gap} days",
    "on_rhythm": "Orders in its rhythm: last {days_since} days ago, usually every {typical_gap} days",
    "long_silence": "No order for {days_since} days",
    "recent_order": "Ordered only {days_since} days ago",
    "frequent_buyer": "Frequent buyer: order-days {order_days} in {months} months",
    "rare_buyer": "Orders seldom: order-days {order_days} in {months} months",
    "one_order_only": "Ordered only once, {days_since} days ago",
    "spend_rising": "Spends {percent} % more than in the period before",
    "spend_falling": "Spends {percent} % less than in the period before",
    "small_orders": "Small orders: {percent} % of what its peers spend on one",
    "large_orders": "Large orders: {percent} % of what its peers spend on one",
    "fewer_orders": "Orders less: order-days {recent}, in the period before {before}",
    "more_orders": "Orders more: order-days {recent}, in the period before {before}",
    "broad_basket": "Broad basket: categories {categories}, peers {peers}",
    "narrow_basket": "Narrow basket: categories {categories}, peers {peers}",
    "discount_dependent": "{percent} % of purchases at a discount",
    "returns_share": "Returned {percent} % of what it bought",
    "top_share": "Number {rank} by value among {peers} peers",
    "won_back": "Came back after {silence_days} days without an order",
    "poor_net_value": "Poor net value: {percent} % of sales remain",
    "order_brings_low": "An order within {days} days would bring the risk to low",
    "order_brings_medium": "An order within {days} days would bring the risk to medium",
    "little_history": "Little history: order-days so far: {order_days}, {needed} are needed",
    "few_customers": "Judged by rules, not by a model: {have} customers have ordered, {needed} are needed",
    "few_days": "Judged by rules, not by a model: orders span {have} days, {needed} are needed",
    "few_repeat_buyers": "Judged by rules, not by a model: {have} customers ordered again, {needed} are needed",
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
        strength: place among the reasons where there is no contribution, one for all or (n,); those with
            one have theirs.
    """

    code: str
    holds: np.ndarray
    params: dict[str, np.ndarray]
    contribution: np.ndarray
    records: np.ndarray | None = None
    strength: float | np.ndarray = -1.0


def explain(
    features: Features,
    labels: pd.DataFrame,
    peers: Peers,
    *,
    forecast: Forecast,
    situation: Situation,
    rhythm: Rhythm,
    policy: Policy,
    lack: Shortage | None,
    evidence: Sequence[Evidence] = (),
) -> pd.Series:
    """The strongest reasons of each buyer as JSON text, topic by topic, of each at most `MOST`, sorted by absolute
    contribution.

    The contribution is the change in churn probability that a group of facts makes against a typical customer
    among its peers (`attribution`); all groups add up to the difference of the two. Where the probability is
    withheld, facts are told without one. Reasons that no model weighs (discounts, value, confidence; breadth
    where no regression is used) follow.

    Args:
        labels: `churn_probability`, `churn_risk`, `churn_withheld`, `value_class`, `burden`,
            `value_rank`, `lifecycle_stage`, `net_rate`, `comeback_silence`, `confidence`.
        rhythm: as seen after the last order-day.
        lack: why the data are too few for a model, None where they are not.
        evidence: what speaks for the other labels.
    """
    formats = features.table["format"]
    horizon = policy.column("churn_horizon_days", formats)
    # what takes most memory in between comes first
    advice = [*_advice(features, labels, policy, forecast=forecast, situation=situation, horizon=horizon)]
    parts, _typical = contributions(
        forecast, situation, horizon, peers, labels["churn_probability"].to_numpy()
    )
    withheld = labels["churn_withheld"].to_numpy(dtype=bool)
    for part in parts.values():
        part[withheld] = np.nan
    candidates = [
        *_timing(features, situation, rhythm, parts["timing"]),
        *_frequency(features, situation, peers, parts),
        *_spend(features, peers, parts),
        *advice,
        *_behaviour(features, peers, parts["breadth"]),
        *_standing(features, labels, peers, lack),
    ]
    unknown = np.full(len(labels), np.nan)
    candidates += [
        Candidate(one.code, one.holds, one.params, unknown, one.records, one.strength) for one in evidence
    ]
    blocks = [slice(begin, begin + BLOCK) for begin in range(0, len(labels), BLOCK)]
    return _series([_in_json(candidates, rows, *_strongest(candidates, rows)) for rows in blocks])


def among(reasons: pd.Series, at: np.ndarray) -> pd.Series:
    """The reasons of the buyers among all customers, of whom the others have none.

    They are placed a chunk at a time, since they are the greater part of the result.

    Args:
        at: (customers,) row of each in `reasons`, ascending but for -1: not a buyer.
    """
    if not len(reasons):
        return _series([pa.array(["[]"] * len(at), pa.large_string())])
    if not (at < 0).any():
        return reasons
    texts = pa.array(reasons)
    chunks = texts.chunks[::-1] if isinstance(texts, pa.ChunkedArray) else [texts]
    del reasons, texts
    ends = np.searchsorted(np.maximum.accumulate(at), np.cumsum([len(chunk) for chunk in reversed(chunks)]))
    placed, before = [], 0
    for begin, end in zip([0, *ends[:-1]], ends, strict=True):
        chunk, rows = chunks.pop(), at[begin:end]  # gone as soon as it is placed
        placed.append(chunk.take(pa.array(rows - before, mask=rows < 0)).fill_null("[]"))
        before += len(chunk)
    return _series(placed)


def _series(chunks: Sequence[pa.LargeStringArray]) -> pd.Series:
    return pd.Series(pd.arrays.ArrowStringArray(pa.chunked_array(chunks, pa.large_string())))


def _speaking(candidate: Candidate, rows: slice) -> np.ndarray:
    """The customers of a block whom a reason may be given to, bool: a fact that speaks the other way for a customer
    is none."""
    direction, gain = schema()[candidate.code]["direction"], candidate.contribution[rows]
    if direction == "up":
        return candidate.holds[rows] & ~(gain < NOTICEABLE)
    if direction == "down":
        return candidate.holds[rows] & ~(gain > -NOTICEABLE)
    return candidate.holds[rows]


def _strongest(candidates: Sequence[Candidate], rows: slice) -> tuple[np.ndarray, np.ndarray]:
    """The reasons of each customer of a block, by customer and topic, the strongest first, at most `MOST` of each
    topic.

    Returns:
        Which customer, counted from the block's first, and which candidate; (k,) each.
    """
    found, numbers, strengths = [], [], []
    for index, candidate in enumerate(candidates):
        chosen = np.flatnonzero(_speaking(candidate, rows))
        gain, own = candidate.contribution[rows][chosen], candidate.strength
        if isinstance(own, np.ndarray):
            own = own[rows][chosen]
        found.append(chosen)
        numbers.append(np.full(len(chosen), index))
        strengths.append(np.where(np.isnan(gain), own - index / 1000, np.abs(gain)))
    row, number, strength = np.concatenate(found), np.concatenate(numbers), np.concatenate(strengths)
    topics = [schema()[candidate.code]["topic"] for candidate in candidates]
    names = list(dict.fromkeys(topics))
    group = row * len(names) + np.array([names.index(topic) for topic in topics])[number]
    most = np.array([MOST.get(name, MOST_OF_OTHERS) for name in names])
    order = np.lexsort((-strength, group))
    row, number, group = row[order], number[order], group[order]
    count = np.bincount(group)
    kept = np.arange(len(row)) - (np.cumsum(count) - count)[group] < most[group % len(names)]
    return row[kept], number[kept]


def _in_json(
    candidates: Sequence[Candidate], rows: slice, row: np.ndarray, number: np.ndarray
) -> pa.LargeStringArray:
    """The reasons of each customer of a block as a JSON list, from what `_strongest` returns."""
    ids: dict[int, pa.Array] = {}  # most candidates show the same records
    texts, places = [], []
    for index, candidate in enumerate(candidates):
        at = np.flatnonzero(number == index)
        records = candidate.records
        if records is not None and id(records) not in ids:
            ids[id(records)] = _id_lists(records[rows])
        texts.append(_as_json(candidate, rows, row[at], None if records is None else ids[id(records)]))
        places.append(at)
    order = np.empty(len(row), dtype="int64")
    order[np.concatenate(places)] = np.arange(len(row))
    customers = len(candidates[0].holds[rows])
    ends = np.cumsum(np.bincount(row, minlength=customers))
    return _lists(pa.concat_arrays(texts).take(pa.array(order)), ends)


def _timing(features, situation, rhythm, part) -> Iterable[Candidate]:
    """Silence, against the own rhythm where there is one."""
    silence, repeat = situation.silence, situation.x > 0
    orders, late = features.last_orders, silence > rhythm.late()
    timing = {"days_since": silence, "typical_gap": np.maximum(rhythm.typical(), 1)}
    days_since = {"days_since": silence}
    yield Candidate("late_against_rhythm", repeat & late, timing, part, orders)
    yield Candidate("on_rhythm", repeat & ~late, timing, part, orders)
    yield Candidate("long_silence", ~repeat & late, days_since, part, orders)
    yield Candidate("recent_order", ~repeat & ~late, days_since, part, orders)


def _frequency(features, situation, peers, parts) -> Iterable[Candidate]:
    """How often it orders, for long and of late."""
    table, orders, repeat = features.table, features.last_orders, situation.x > 0
    order_days = table["order_days"].to_numpy()
    counts = {"order_days": order_days, "months": np.maximum(situation.T / 30.4375, 1)}
    pace = peers.median(np.where(repeat, situation.x / np.maximum(situation.T, 1), np.nan))
    often = situation.x > np.nan_to_num(pace) * situation.T
    yield Candidate("one_order_only", ~repeat, {"days_since": situation.silence}, parts["frequency"], orders)
    known = order_days >= ORDER_DAYS_ENOUGH
    yield Candidate("frequent_buyer", known & often, counts, parts["frequency"], orders)
    yield Candidate("rare_buyer", known & ~often, counts, parts["frequency"], orders)
    recent, before = table["recent_orders"].to_numpy(), table["earlier_orders"].to_numpy()
    changed = {"recent": recent, "before": before}
    fewer, more = recent <= FEWER * before, recent >= MORE * before
    yield Candidate("fewer_orders", (before >= 2) & fewer, changed, parts["pace"], orders)
    yield Candidate("more_orders", (before >= 1) & (recent >= 2) & more, changed, parts["pace"], orders)


def _spend(features, peers, parts) -> Iterable[Candidate]:
    """What it spends, of late and beside its peers, and what it returns."""
    table, orders = features.table, features.last_orders
    recent, earlier = table["recent_spend"].to_numpy(), table["earlier_spend"].to_numpy()
    change = np.divide(recent, earlier, out=np.ones(len(table)), where=earlier > 0) - 1
    seen = (earlier > 0) & (table["earlier_orders"].to_numpy() > 0)
    falling, rising = seen & (change <= -NOTICEABLE_CHANGE), seen & (change >= NOTICEABLE_CHANGE)
    yield Candidate("spend_falling", falling, _percent(np.minimum(-change, 1)), parts["spend"], orders)
    yield Candidate("spend_rising", rising, _percent(change), parts["spend"], orders)
    mean = table["gross"].to_numpy() / table["order_days"].to_numpy()
    share = mean / peers.median(mean)
    steady = ~falling & ~rising
    yield Candidate("small_orders", steady & (share <= FEWER), _percent(share), parts["spend"], orders)
    yield Candidate("large_orders", steady & (share >= MORE), _percent(share), parts["spend"], orders)
    returned = table["returns"].to_numpy() / table["gross"].to_numpy()
    yield Candidate(
        "returns_share", returned >= RETURNED, _percent(returned), parts["returns"], features.last_returns
    )


def _advice(features, labels, policy, *, forecast, situation, horizon) -> Iterable[Candidate]:
    """Within how many days an order would bring the risk down."""
    formats, n = features.table["format"], len(features.table)
    # who is lost is won back by a plan, not by an order that would come by itself
    risk = labels["churn_risk"].where(labels["lifecycle_stage"] != "lost")
    thresholds = {
        "order_brings_low": (risk.isin(["medium", "high"]).to_numpy(), "risk_medium_from"),
        "order_brings_medium": ((risk == "high").to_numpy(), "risk_high_from"),
    }
    told = np.zeros(n, dtype=bool)
    for code, (eligible, key) in thresholds.items():
        days = np.zeros(n, dtype="int64")
        rows = np.flatnonzero(eligible & ~told)
        if len(rows):
            below = policy.column(key, formats)[rows]
            days[rows] = days_left(forecast, situation.part(rows), horizon[rows], below)
        told |= days > 0
        yield Candidate(code, days > 0, {"days": days}, np.full(n, np.nan), strength=ADVICE)


def _behaviour(features: Features, peers: Peers, part: np.ndarray) -> Iterable[Candidate]:
    """Discounts, which no churn model weighs, and breadth, which the regressions do."""
    table = features.table
    unknown = np.full(len(table), np.nan)
    share = table["discount_share"].to_numpy()
    discounted = (share >= DISCOUNTED) & (share > BROAD * np.minimum(peers.median(share), 0.5))
    yield Candidate("discount_dependent", discounted, _percent(share), unknown)
    breadth = table["breadth"].to_numpy()
    usual = peers.median(np.where(breadth > 0, breadth, np.nan))
    counts = {"categories": breadth, "peers": usual}
    weighed = np.where(part == 0, np.nan, part)
    yield Candidate("narrow_basket", (breadth > 0) & (breadth <= NARROW * usual), counts, weighed)
    yield Candidate("broad_basket", (breadth > 1) & (breadth >= BROAD * usual), counts, weighed)


def _standing(
    features: Features, labels: pd.DataFrame, peers: Peers, lack: Shortage | None
) -> Iterable[Candidate]:
    """Reasons for value and confidence."""
    table, n = features.table, len(features.table)
    unknown = np.full(n, np.nan)
    silence, rate = labels["comeback_silence"].to_numpy(), labels["net_rate"].to_numpy()
    yield Candidate("won_back", ~np.isnan(silence), {"silence_days": silence}, unknown, features.last_orders)
    poor = (labels["burden"] | (labels["value_class"] == "unprofitable")).to_numpy() & ~np.isnan(rate)
    yield Candidate("poor_net_value", poor, _percent(rate), unknown)
    order_days = table["order_days"].to_numpy()
    few = {"order_days": order_days, "needed": np.full(n, ORDER_DAYS_ENOUGH)}
    yield Candidate("little_history", order_days < ORDER_DAYS_ENOUGH, few, unknown)
    if lack is not None:
        figures = {"have": np.full(n, lack.have), "needed": np.full(n, lack.needed)}
        yield Candidate(lack.code, np.ones(n, dtype=bool), figures, unknown)
    rank = labels["value_rank"].to_numpy()
    top = (labels["value_class"] == "key").to_numpy() & (rank <= TOP * peers.size)
    yield Candidate("top_share", top, {"rank": rank, "peers": peers.size}, unknown)


def _percent(share: np.ndarray) -> dict[str, np.ndarray]:
    return {"percent": np.clip(100 * share, -999, 999)}


def _as_json(candidate: Candidate, rows: slice, row: np.ndarray, ids: pa.Array | None) -> pa.LargeStringArray:
    """A reason as JSON for some customers of a block.

    Args:
        row: (k,) which customers, counted from the block's first.
        ids: lists of the record ids of all customers of the block, as JSON; None where there are none.
    """
    spec = schema()[candidate.code]
    model = json.dumps(None if ids is None else spec["model"])
    pieces = [f'{{"code":"{candidate.code}","direction":"{spec["direction"]}","contribution":']
    pieces.append(_contributions(candidate.contribution[rows][row]))
    pieces.append(',"params":{')
    for place, name in enumerate(spec["params"]):
        figures = np.rint(np.nan_to_num(candidate.params[name][rows][row])).astype("int64")
        pieces += [f'{"," if place else ""}"{name}":', pa.array(figures).cast(pa.large_string())]
    pieces += [f'}},"model":{model},"record_ids":', "[]" if ids is None else ids.take(pa.array(row)), "}"]
    return _joined(*pieces)


def _contributions(values: np.ndarray) -> pa.LargeStringArray:
    """Contributions as JSON numbers of four digits: few enough of them to write each once."""
    steps = np.rint(values * 10_000)
    distinct, which = np.unique(steps, return_inverse=True)  # all that are not a number become one
    written = ["null" if np.isnan(step) else repr(step / 10_000) for step in distinct.tolist()]
    return pa.array(written, pa.large_string()).take(pa.array(which))


def _id_lists(records: np.ndarray) -> pa.LargeStringArray:
    """The record ids of each customer as a JSON list, (n, k) with -1 for none."""
    known = records >= 0
    texts = pa.array(records[known]).cast(pa.large_string())
    return _lists(texts, np.cumsum(known.sum(axis=1)))


def _lists(texts: pa.LargeStringArray, ends: np.ndarray) -> pa.LargeStringArray:
    """JSON lists of the texts up to each end, (n,)."""
    listed = pa.LargeListArray.from_arrays(np.append(0, ends), texts)
    return _joined("[", pc.binary_join(listed, pa.scalar(",", pa.large_string())), "]")


def _joined(*pieces: str | pa.LargeStringArray) -> pa.LargeStringArray:
    """Texts end to end, row by row; those that are one text are the same in each row."""
    columns = [pa.scalar(one, pa.large_string()) if isinstance(one, str) else one for one in pieces]
    return pc.binary_join_element_wise(*columns, pa.scalar("", pa.large_string()))
