"""Why a customer was lost: the five types, by points that signs give, the stronger the more.

A point multiplies the odds of a type by e, whatever the sign; a type without a sign has none. The confidence is the
share of e^points among the five, and a type is told from `lost_type_confidence`: three points against none (0.83), four
against two. Fewer, or as many for another type, leave it undetermined. A person's word wins.

docs/columns.md has the table of signs and points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sync_worker.history.facts import rows_of
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import interactions, leaving, leaving_goods, satisfaction
from sync_worker.scoring.events import days_of, keys, take, window
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.features import Features
from sync_worker.scoring.interactions import Talk
from sync_worker.scoring.leaving import EARLIER, End, Failures
from sync_worker.scoring.peers import Peers

TYPES = (
    "deliberately_dropped",
    "unintentionally_dropped",
    "lured_by_competitor",
    "price_seeker",
    "circumstances_changed",
)
DROPPED, NEGLECTED, LURED, PRICE, CHANGED = TYPES
UNDETERMINED = "undetermined"
#: Probabilities below which failures are no chance.
UNLIKELY, RARE = 0.05, 0.01
#: Silence of ours on its last order-day, in usual gaps between contacts and in days.
LET_ALONE, ALONE_DAYS = 3.0, 30
#: Order-days from which what a customer buys is a habit that can change.
HABIT = 3
#: Shares of its purchases that it bought no more, and categories that make it sharp.
MOVED, SHARP, CATEGORIES = 0.1, 0.2, 2
DISCOUNTED, OFTEN = 0.6, 1.5
RISE = 0.02
#: t statistic of the money per line that is winding down.
WINDING_DOWN = -3.0
#: Days after the last order-day within which a lost lead tells why.
LEAD_AFTER = 180
LEAD_POINTS = dict.fromkeys(TYPES, 3.0) | {PRICE: 2.0}
LEAD_CODES = {
    DROPPED: "lost_lead_dropped",
    NEGLECTED: "lost_lead_neglected",
    LURED: "lost_lead_competitor",
    PRICE: "lost_lead_price",
    CHANGED: "lost_lead_circumstances",
}

SENTENCES = {
    "lost_told": "A person said why it was lost",
    "lost_blocked": "We blocked it",
    "lost_poor_margin": "Left {percent} % of its sales as margin in its last year",
    "lost_archived": "Archived, which is weak evidence",
    "lost_let_alone": "We had not contacted it for {days} days when it left, before every {typical_gap} days",
    "lost_failures": "{failed} of its last {deliveries} deliveries came late or short",
    "lost_low_ratings": "{low} of its last {ratings} ratings were low",
    "lost_returns": "{returned} of its last {deliveries} deliveries were goods sent back",
    "lost_unanswered": "{badly} of its last {messages} messages were answered late or never",
    "lost_share": "Usual categories bought no more before it left: {categories}, {percent} % of its purchases",
    "lost_discounts": "{percent} % of its last year's purchases at a discount",
    "lost_price_rise": "Prices of what it bought had risen by {percent} % when it left",
    "lost_smaller": "Bought {percent} % less per line in the last two months before it left",
    "lost_lead_dropped": "A lead was lost {days_since} days ago because we dropped it",
    "lost_lead_neglected": "A lead was lost {days_since} days ago because we failed it",
    "lost_lead_competitor": "A lead was lost to a competitor {days_since} days ago",
    "lost_lead_price": "A lead was lost for the price {days_since} days ago",
    "lost_lead_circumstances": "A lead was lost {days_since} days ago because its circumstances changed",
}


@dataclass
class LostTypes:
    """Why each buyer was lost.

    Attributes:
        table: a row per buyer: `lost_type` (of `TYPES`, `undetermined`, or None unless lost),
            `lost_confidence` (0.2 to 1, NaN unless lost) and `points_<type>` (NaN unless lost).
        evidence: all signs, those for the type told first.
        lacks: datasets that would have told more.
    """

    table: pd.DataFrame
    evidence: list[Evidence]
    lacks: list[str]


@dataclass
class Sign:
    """What speaks for a type; (k,) each, a row per lost customer.

    Attributes:
        type: of `TYPES`.
        points: 0 where it does not.
        code, params, records: as in `Evidence`; no code where another sign tells it.
    """

    type: str
    points: np.ndarray
    code: str | None
    params: dict[str, np.ndarray] = field(default_factory=dict)
    records: np.ndarray | None = None


def classify(
    features: Features,
    history: History,
    peers: Peers,
    policy: Policy,
    today: int,
    lifecycle_stage: pd.Categorical,
    typical_gap: np.ndarray,
    said: Talk | None,
    told: Sequence[str | None] | None = None,
) -> LostTypes:
    """Why each lost buyer was lost, as of `today` (days since 1970-01-01).

    Args:
        lifecycle_stage: (n,) only those who are `lost` have a type.
        typical_gap: (n,) usual days between two order-days (`Rhythm.typical` after the last one).
        said: what `interactions.talk` gives of the buyers.
        told: (n,) what a person said, one of `TYPES`, or None.
    """
    n = len(features.table)
    lost = np.asarray(lifecycle_stage, dtype=object) == "lost"
    row = np.flatnonzero(lost)
    end = End.of(features, row, np.asarray(typical_gap, dtype=float)[row])
    signs = [
        *_standing(end, features, history),
        *_margin(end, features, history, peers, policy),
        *_leads(end, features, history, today),
        *_service(end, features, history, policy),
        *_contact(end, said, n, today),
        *_goods(end, features, history, peers),
    ]
    points = np.zeros((len(row), len(TYPES)))
    for sign in signs:
        points[:, TYPES.index(sign.type)] += sign.points
    odds = np.exp(points)
    share = odds / odds.sum(axis=1, keepdims=True)
    confidence = share.max(axis=1, initial=0.0)
    sure = confidence >= policy.column("lost_type_confidence", features.table["format"])[row]
    label = np.where(sure, np.array(TYPES, dtype=object)[share.argmax(axis=1)], UNDETERMINED)
    word = np.full(len(row), None, dtype=object) if told is None else np.asarray(told, dtype=object)[row]
    by_a_person = np.isin(word, TYPES)
    label, confidence = np.where(by_a_person, word, label), np.where(by_a_person, 1.0, confidence)

    names = [*TYPES, UNDETERMINED]
    codes = np.full(n, -1, dtype="int8")
    codes[row] = pd.Categorical(label, categories=names).codes
    found = pd.Categorical.from_codes(codes, names)
    table = pd.DataFrame({"lost_type": found, "lost_confidence": np.full(n, np.nan)})
    table.loc[lost, "lost_confidence"] = confidence
    for number, name in enumerate(TYPES):
        table.loc[lost, f"points_{name}"] = points[:, number]
    wanted = ("deliveries", "ratings", "messages", "activities", "leads")
    lacks = [name for name in wanted if name not in history.facts]
    lacks += ["lines"] if history.lines is None else []
    return LostTypes(table, [*_evidence(signs, label, by_a_person, row, n)], lacks)


def _standing(end: End, features: Features, history: History) -> Iterator[Sign]:
    customers = history.customers
    at = rows_of(features.table["customer_id"].iloc[end.row], customers["customer_id"])
    if "blocked" in customers:
        yield Sign(DROPPED, 3.0 * customers["blocked"].to_numpy(bool)[at], "lost_blocked")
    archived = 1.0 * customers["archived"].to_numpy(bool)[at]
    yield Sign(DROPPED, archived, "lost_archived")
    yield Sign(CHANGED, archived, None)


def _margin(end: End, features: Features, history: History, peers: Peers, policy: Policy) -> Iterator[Sign]:
    """Margin of the year up to the last order-day, where it is known of all sales in it."""
    table, orders = features.table, history.orders
    n, last = len(table), table["last_day"].to_numpy()
    if orders["margin"].isna().all():
        nobody = np.zeros(len(end.row))  # whom it is told of: its place among the signs stays
        yield Sign(DROPPED, nobody, "lost_poor_margin", {"percent": nobody})
        return
    at, day = rows_of(orders["customer_id"], table["customer_id"]), days_of(orders["date"])
    chosen = at >= 0
    ago = last[at[chosen]] - day[chosen]
    chosen[chosen] = (ago >= 0) & (ago < EARLIER)
    at, own = at[chosen], orders[chosen]
    order = np.lexsort((own["margin"].to_numpy(), own["amount"].to_numpy(), at))
    at, amount, margin = at[order], own["amount"].to_numpy()[order], own["margin"].to_numpy()[order]
    sold = np.bincount(at, amount, minlength=n)
    left = np.bincount(at, margin, minlength=n)  # NaN where one is not known
    rate = np.divide(left, sold, out=np.full(n, np.nan), where=sold > 0)
    usual = peers.median(rate)[end.row]
    below = left[end.row] < policy.column("net_value_minimum", table["format"])[end.row]
    thin = rate[end.row] < 0.5 * usual
    points = np.select([below, thin], [2.0, 1.0], 0.0)
    # a share of no sales cannot be told
    told = ~np.isnan(rate[end.row])
    yield Sign(DROPPED, points * told, "lost_poor_margin", {"percent": 100 * rate[end.row]})
    yield Sign(DROPPED, points * ~told, None)


def _leads(end: End, features: Features, history: History, today: int) -> Iterator[Sign]:
    """The newest lead lost about when the customer left."""
    leads = take(history, "leads", features.table["customer_id"])
    if leads is None:
        return
    closed = days_of(leads.table["closed"].fillna(leads.table["known"]))
    reason = leads.table["lost_type"].to_numpy(dtype=object)
    lost = (leads.table["outcome"] == "lost").to_numpy() & np.isin(reason, TYPES) & (closed <= today)
    order = np.lexsort((closed[lost], leads.row[lost]))
    row, closed, reason = leads.row[lost][order], closed[lost][order], reason[lost][order]
    found = window(keys(row, closed), end.row, end.first, end.last + LEAD_AFTER)
    has = found.count > 0
    at = np.where(has, found.end - 1, 0)
    records = None
    ids = leads.table["lead_id"]
    if pd.api.types.is_integer_dtype(ids) and len(row):
        newest = ids.to_numpy("int64")[lost][order][at]
        records = np.where(has, newest, -1)[:, None]
    for name in TYPES:
        if not len(row):
            return
        holds = has & (reason[at] == name)
        days = {"days_since": today - closed[at]}
        yield Sign(name, LEAD_POINTS[name] * holds, LEAD_CODES[name], days, records)


def _service(end: End, features: Features, history: History, policy: Policy) -> Iterator[Sign]:
    customers, formats = features.table["customer_id"], features.table["format"]
    found = []
    deliveries = take(history, "deliveries", customers)
    if deliveries is not None:
        late = leaving.late_or_short(end, deliveries, policy.column("late_grace_days", formats))
        back = leaving.returned(end, deliveries, len(customers))
        found.append((late, "lost_failures", "failed", "deliveries", 3.0))
        found.append((back, "lost_returns", "returned", "deliveries", 2.0))
    ratings = satisfaction.ratings(history, customers)
    if ratings is not None:
        low = leaving.low_ratings(end, ratings, policy.column("unsatisfied_below", formats))
        found.append((low, "lost_low_ratings", "low", "ratings", 3.0))
    for failures, code, wrong, of_all, most in found:
        figures = {wrong: failures.wrong, of_all: failures.all}
        yield Sign(NEGLECTED, _by_chance(failures, most), code, figures, failures.records)


def _contact(end: End, said: Talk | None, n: int, today: int) -> Iterator[Sign]:
    if said is None:
        return
    asked = leaving.badly_answered(end, *interactions.answers(said, today), n)
    if asked is not None:
        figures = {"badly": asked.wrong, "messages": asked.all}
        yield Sign(NEGLECTED, _by_chance(asked, 3.0), "lost_unanswered", figures)
    days, gap = leaving.let_alone(end, said.events(said.ours))
    alone = 1.0 * ((days > LET_ALONE * gap) & (days >= ALONE_DAYS))
    yield Sign(NEGLECTED, alone, "lost_let_alone", {"days": days, "typical_gap": gap})
    yield Sign(DROPPED, alone, None)


def _goods(end: End, features: Features, history: History, peers: Peers) -> Iterator[Sign]:
    bought = leaving_goods.read(features, history, end.row) if len(end.row) else None
    if bought is None:
        return
    lines, market = bought
    usual_buyer = features.table["order_days"].to_numpy()[end.row] >= HABIT
    share, categories = leaving_goods.moved_elsewhere(end, lines, market)
    sharp = share >= SHARP
    points = np.select([sharp & (categories >= CATEGORIES), sharp, share >= MOVED], [3.0, 2.0, 1.0], 0.0)
    yield Sign(LURED, points * usual_buyer, "lost_share", {"categories": categories, "percent": 100 * share})

    reduced = leaving_goods.discounted(end, lines)
    usual = np.nan_to_num(peers.median(features.table["discount_share"].to_numpy())[end.row])
    depends = usual_buyer & (reduced >= DISCOUNTED) & (reduced > OFTEN * np.minimum(usual, 0.5))
    yield Sign(PRICE, 2.0 * depends, "lost_discounts", {"percent": 100 * reduced})
    rise = leaving_goods.price_rise(end, lines, market)
    yield Sign(PRICE, 1.0 * (depends & (rise >= RISE)), "lost_price_rise", {"percent": 100 * rise})

    change, t = leaving_goods.smaller_lines(end, lines)
    winding = usual_buyer & (t <= WINDING_DOWN) & ~(share >= MOVED)
    yield Sign(CHANGED, 2.0 * winding, "lost_smaller", {"percent": -100 * change})


def _by_chance(found: Failures, most: float) -> np.ndarray:
    """Points for failures that are no chance; one alone is one."""
    several = found.wrong >= 2
    return np.select(
        [several & (found.chance < RARE), several & (found.chance < UNLIKELY)], [most, most - 1], 0.0
    )


def _evidence(
    signs: list[Sign], label: np.ndarray, by_a_person: np.ndarray, row: np.ndarray, n: int
) -> Iterator[Evidence]:
    def spread(values: np.ndarray, empty: float) -> np.ndarray:
        wide = np.full((n, *values.shape[1:]), empty, dtype=values.dtype)
        wide[row] = values
        return wide

    yield Evidence("lost_told", spread(by_a_person, False), {}, strength=9.0)
    for sign in signs:
        if sign.code is not None:
            yield Evidence(
                sign.code,
                spread(sign.points > 0, False),
                {name: spread(np.nan_to_num(values), 0) for name, values in sign.params.items()},
                None if sign.records is None else spread(sign.records, -1),
                spread(sign.points + 3.0 * (label == sign.type), 0.0),
            )
