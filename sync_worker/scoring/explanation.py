"""Why: the strongest reasons behind a customer's labels, with figures, and their sentences in English.

Odoo renders a reason (`reasons`) in the reader's language, `render` does so for the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from sync_worker.policy import Policy
from sync_worker.scoring import (
    anomaly,
    channel,
    churn,
    complaints,
    cross_sell,
    interactions,
    lifecycle,
    lost_type,
    margin_level,
    net_value,
    next_class,
    points,
    promises,
    rating,
    replacement,
    satisfaction,
    service_strategy,
    share_of_customer,
    value_class,
    value_type,
)
from sync_worker.scoring.attribution import contributions, days_left
from sync_worker.scoring.base_models import Shortage
from sync_worker.scoring.churn import ORDER_DAYS_ENOUGH
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.features import Features
from sync_worker.scoring.forecast import Forecast
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.reasons import Told, told
from sync_worker.scoring.rhythm import Rhythm
from sync_worker.scoring.situation import Situation
from sync_worker.sentences import of_one

#: What makes a figure worth a sentence; none of them moves a label.
NOTICEABLE_CHANGE = 0.2
FEWER, MORE = 0.67, 1.5
NARROW, BROAD = 0.5, 1.5
DISCOUNTED = 0.5
RETURNED = 0.1
TOP = 0.1
#: What to do comes before weak reasons, after strong ones.
ADVICE = 0.1
#: Facts that no model weighs come last in their topic, in the order they are given in.
WEAKEST = -1.0

_MODULES = (
    anomaly,
    channel,
    churn,
    complaints,
    cross_sell,
    interactions,
    lifecycle,
    lost_type,
    margin_level,
    net_value,
    next_class,
    points,
    promises,
    rating,
    replacement,
    satisfaction,
    service_strategy,
    share_of_customer,
    value_class,
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


def render(reason: Mapping[str, Any]) -> str:
    """A reason as an English sentence without a full stop; an unknown code as itself."""
    sentence = SENTENCES.get(reason["code"])
    return reason["code"] if sentence is None else of_one(sentence.format_map(reason["params"]))


def candidates(
    features: Features,
    peers: Peers,
    *,
    forecast: Forecast,
    situation: Situation,
    rhythm: Rhythm,
    policy: Policy,
    lack: Shortage | None,
    evidence: Sequence[Told] = (),
    remembered: bool = False,
) -> list[Told]:
    """All reasons that each buyer may be given, of which `reasons.written` tells the strongest.

    The contribution is the change in churn probability that a group of facts makes against a typical customer
    among its peers (`attribution`); all groups add up to the difference of the two. Where the probability is
    withheld, facts are told without one. Reasons that no model weighs (discounts, value, confidence; breadth
    where no regression is used) follow.

    Args:
        features: its table has the labels, with `value_rank`, `net_rate` and `comeback_silence`.
        rhythm: as seen after the last order-day.
        lack: why the data are too few for a model, None where they are not.
        evidence: what speaks for the other labels.
        remembered: whether the next run will know the risk of this one.
    """
    table = features.table
    horizon = policy.column("churn_horizon_days", table["format"])
    # what takes most memory in between comes first
    below = churn.borders_left(policy, table["format"], remembered)
    window = float(policy.value("churn_horizon_days"))
    advice = [*_advice(table, below, forecast=forecast, situation=situation, horizon=horizon, window=window)]
    parts = contributions(forecast, situation, horizon, peers, table["churn_probability"].to_numpy())
    withheld = table["churn_withheld"].to_numpy(dtype=bool)
    for part in parts.values():
        part[withheld] = np.nan
    found = chain(
        _timing(features, situation, rhythm, parts["timing"]),
        _frequency(features, situation, peers, parts),
        _spend(features, peers, parts),
        advice,
        _behaviour(features, peers, parts["breadth"]),
        _standing(features, peers, lack),
    )
    # one at a time: of most codes those it is told of are few
    return [*map(told, found), *evidence]


def _timing(features, situation, rhythm, part) -> Iterable[Evidence]:
    """Silence, against the own rhythm where there is one."""
    silence, repeat = situation.silence, situation.x > 0
    orders, late = features.last_orders, silence > rhythm.late()
    timing = {"days_since": silence, "typical_gap": np.maximum(rhythm.typical(), 1)}
    days_since = {"days_since": silence}
    yield Evidence("late_against_rhythm", repeat & late, timing, orders, WEAKEST, part)
    yield Evidence("on_rhythm", repeat & ~late, timing, orders, WEAKEST, part)
    yield Evidence("long_silence", ~repeat & late, days_since, orders, WEAKEST, part)
    yield Evidence("recent_order", ~repeat & ~late, days_since, orders, WEAKEST, part)


def _frequency(features, situation, peers, parts) -> Iterable[Evidence]:
    """How often it orders, for long and of late."""
    table, orders, repeat = features.table, features.last_orders, situation.x > 0
    order_days = table["order_days"].to_numpy()
    counts = {"order_days": order_days, "months": np.maximum(situation.T / 30.4375, 1)}
    pace = peers.median(np.where(repeat, situation.x / np.maximum(situation.T, 1), np.nan))
    often = situation.x > np.nan_to_num(pace) * situation.T
    yield Evidence(
        "one_order_only", ~repeat, {"days_since": situation.silence}, orders, WEAKEST, parts["frequency"]
    )
    known = order_days >= ORDER_DAYS_ENOUGH
    yield Evidence("frequent_buyer", known & often, counts, orders, WEAKEST, parts["frequency"])
    yield Evidence("rare_buyer", known & ~often, counts, orders, WEAKEST, parts["frequency"])
    recent, before = table["recent_orders"].to_numpy(), table["earlier_orders"].to_numpy()
    changed = {"recent": recent, "before": before}
    fewer, more = recent <= FEWER * before, recent >= MORE * before
    yield Evidence("fewer_orders", (before >= 2) & fewer, changed, orders, WEAKEST, parts["pace"])
    yield Evidence(
        "more_orders", (before >= 1) & (recent >= 2) & more, changed, orders, WEAKEST, parts["pace"]
    )


def _spend(features, peers, parts) -> Iterable[Evidence]:
    """What it spends, of late and beside its peers, and what it returns."""
    table, orders = features.table, features.last_orders
    recent, earlier = table["recent_spend"].to_numpy(), table["earlier_spend"].to_numpy()
    change = np.divide(recent, earlier, out=np.ones(len(table)), where=earlier > 0) - 1
    seen = (earlier > 0) & (table["earlier_orders"].to_numpy() > 0)
    falling, rising = seen & (change <= -NOTICEABLE_CHANGE), seen & (change >= NOTICEABLE_CHANGE)
    yield Evidence(
        "spend_falling", falling, _percent(np.minimum(-change, 1)), orders, WEAKEST, parts["spend"]
    )
    yield Evidence("spend_rising", rising, _percent(change), orders, WEAKEST, parts["spend"])
    mean = table["gross"].to_numpy() / table["order_days"].to_numpy()
    share = mean / peers.median(mean)
    steady = ~falling & ~rising
    yield Evidence(
        "small_orders", steady & (share <= FEWER), _percent(share), orders, WEAKEST, parts["spend"]
    )
    yield Evidence("large_orders", steady & (share >= MORE), _percent(share), orders, WEAKEST, parts["spend"])
    returned = table["returns"].to_numpy() / table["gross"].to_numpy()
    yield Evidence(
        "returns_share",
        returned >= RETURNED,
        _percent(returned),
        features.last_returns,
        WEAKEST,
        parts["returns"],
    )


def _advice(table, below, *, forecast, situation, horizon, window) -> Iterable[Evidence]:
    """Within how many days an order would bring the risk down, `below` being `churn.borders_left`."""
    n = len(table)
    # who is lost is won back by a plan, not by an order that would come by itself
    risk = table["churn_risk"].where(table["lifecycle_stage"] != "lost")
    eligible = {"low": risk.isin(["medium", "high"]).to_numpy(), "medium": (risk == "high").to_numpy()}
    told = np.zeros(n, dtype=bool)
    for name, higher in eligible.items():
        days = np.zeros(n, dtype="int64")
        rows = np.flatnonzero(higher & ~told)
        if len(rows):
            days[rows] = days_left(
                forecast, situation.part(rows), horizon[rows], below[name][rows], window=window
            )
        told |= days > 0
        yield Evidence(f"order_brings_{name}", days > 0, {"days": days}, strength=ADVICE)


def _behaviour(features: Features, peers: Peers, part: np.ndarray) -> Iterable[Evidence]:
    """Discounts, which no churn model weighs, and breadth, which the regressions do."""
    table = features.table
    share = table["discount_share"].to_numpy()
    discounted = (share >= DISCOUNTED) & (share > BROAD * np.minimum(peers.median(share), 0.5))
    yield Evidence("discount_dependent", discounted, _percent(share), None, WEAKEST)
    breadth = table["breadth"].to_numpy()
    usual = peers.median(np.where(breadth > 0, breadth, np.nan))
    counts = {"categories": breadth, "peers": usual}
    weighed = np.where(part == 0, np.nan, part)
    yield Evidence(
        "narrow_basket", (breadth > 0) & (breadth <= NARROW * usual), counts, None, WEAKEST, weighed
    )
    yield Evidence("broad_basket", (breadth > 1) & (breadth >= BROAD * usual), counts, None, WEAKEST, weighed)


def _standing(features: Features, peers: Peers, lack: Shortage | None) -> Iterable[Evidence]:
    """Reasons for value and confidence."""
    table, n = features.table, len(features.table)
    silence, rate = table["comeback_silence"].to_numpy(), table["net_rate"].to_numpy()
    yield Evidence("won_back", ~np.isnan(silence), {"silence_days": silence}, features.last_orders, WEAKEST)
    poor = (table["burden"] | (table["value_class"] == "unprofitable")).to_numpy() & ~np.isnan(rate)
    yield Evidence("poor_net_value", poor, _percent(rate), None, WEAKEST)
    order_days = table["order_days"].to_numpy()
    few = {"order_days": order_days, "needed": np.full(n, ORDER_DAYS_ENOUGH)}
    yield Evidence("little_history", order_days < ORDER_DAYS_ENOUGH, few, None, WEAKEST)
    if lack is not None:
        figures = {"have": np.full(n, lack.have), "needed": np.full(n, lack.needed)}
        yield Evidence(lack.code, np.ones(n, dtype=bool), figures, None, WEAKEST)
    rank = table["value_rank"].to_numpy()
    top = (table["value_class"] == "key").to_numpy() & (rank <= TOP * peers.size)
    yield Evidence("top_share", top, {"rank": rank, "peers": peers.size}, None, WEAKEST)


def _percent(share: np.ndarray) -> dict[str, np.ndarray]:
    return {"percent": np.clip(100 * share, -999, 999)}
