"""What a customer values and when: the nine types of time orientation x benefit sought.

| | functional | economic | psychological |
|---|---|---|---|
| past | laggard | haggler | nostalgic |
| present | pragmatist | value for money | achiever |
| future | pioneer | far-sighted | perfectionist |
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from sync_worker.policy import Policy
from sync_worker.scoring import labels
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.features import Features
from sync_worker.scoring.habits import Habits
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.signals import CLIP

UNDETERMINED = "undetermined"
#: Type: time orientation, and the habits that speak for it, with their weights (negative: that speak against it). They
#: are those of its time (old, new), those of its benefit (price, discount) and its own.
CELLS: dict[str, tuple[str, dict[str, float]]] = {
    "laggard": ("past", {"old": 1, "settled": 1}),
    "haggler": ("past", {"old": 1, "discount": 1, "reaction": 1, "lower": 1}),
    "nostalgic": ("past", {"old": 1, "price": 1, "returning": 1}),
    "pragmatist": ("present", {"best": 1, "basic": 1}),
    # the present range is told by what is not old, less surely than the past by what is
    "value_for_money": ("present", {"old": -0.5, "price": -1, "discount": 1}),
    "achiever": ("present", {"old": -0.5, "price": 1, "discount": -1}),
    "pioneer": ("future", {"new": 1}),
    "far_sighted": ("future", {"ahead": 1}),
    "perfectionist": ("future", {"new": 1, "price": 1, "upgrade": 1, "complement": 1}),
}
#: Of types that their time and benefit alone could make up: the habits of which one at least has to show.
OWN = {
    "haggler": ("reaction", "lower"),
    "nostalgic": ("returning",),
    "perfectionist": ("upgrade", "complement"),
}
TYPES = (*CELLS, UNDETERMINED)
#: The part of lifetime value that each time orientation is about.
PARTS = {"past": "historical_value", "present": "current_value", "future": "potential_value"}
#: What a standard deviation in that part counts against one in what is bought: it separates near equals.
PART_WEIGHT = 0.25
#: A habit is told as evidence from here on, in standard deviations.
TOLD = 0.5
#: Code of the evidence by habit and sign.
CODES = {
    ("old", 1): "buys_old_products",
    ("settled", 1): "settled_on_products",
    ("reaction", 1): "buys_less_after_rise",
    ("lower", 1): "buys_when_cheaper",
    ("returning", 1): "returns_to_favourites",
    ("best", 1): "buys_best_sellers",
    ("basic", 1): "buys_basics",
    ("price", -1): "buys_cheap_products",
    ("price", 1): "buys_dear_products",
    ("discount", 1): "buys_at_discount",
    ("discount", -1): "buys_at_full_price",
    ("new", 1): "buys_new_products",
    ("ahead", 1): "buys_ahead_of_rises",
    ("upgrade", 1): "moves_to_dearer_products",
    ("complement", 1): "buys_complements",
}

SENTENCES = {
    "buys_old_products": "{percent} % of what it buys are old products, usual is {usual} %",
    "settled_on_products": "{percent} % of its purchases repeat a product it knows, usual is {usual} %",
    "buys_less_after_rise": "Buys {percent} % less of a product after its price rose (price rises seen: {count})",
    "buys_when_cheaper": "{percent} % of its purchases at a changed price were cheaper than the last, "
    "usual is {usual} %",
    "returns_to_favourites": "{percent} % of what it buys are old favourites that it came back to, "
    "usual is {usual} %",
    "buys_best_sellers": "{percent} % of what it buys are best sellers, usual is {usual} %",
    "buys_basics": "{percent} % of what it buys are basics, usual is {usual} %",
    "buys_cheap_products": "Buys at {percent} % of the price range of a category (0 % = cheapest), "
    "usual is {usual} %",
    "buys_dear_products": "Buys at {percent} % of the price range of a category (100 % = dearest), "
    "usual is {usual} %",
    "buys_at_discount": "{percent} % of its purchases are discounted, usual is {usual} %",
    "buys_at_full_price": "{percent} % of its purchases are at full price, usual is {usual} %",
    "buys_new_products": "{percent} % of what it buys are new products, usual is {usual} %",
    "buys_ahead_of_rises": "Buys {percent} % more just before a price rises (rises seen: {count})",
    "moves_to_dearer_products": "Moved up {percent} % of the price range within the categories it buys",
    "buys_complements": "{percent} % of what it buys goes with something else in the same order, "
    "usual is {usual} %",
    "type_needs_lines": "Too few purchases to tell a value type: {lines} lines, {needed} are needed",
    "type_needs_days": "Too few days with orders to tell a value type: {order_days}, {needed} are needed",
    "type_lacks_habit": "Age and price of what it buys would make a value type, but no habit peculiar to it shows",
    "type_undecided": "No value type stands out: the strongest evidence is {percent} % of what is needed",
    "type_ambiguous": "Two value types are about equally likely",
}


def classify(
    habits: Habits, features: Features, peers: Peers, policy: Policy, parts: pd.DataFrame
) -> pd.DataFrame:
    """The value type of each buyer.

    The evidence for a type is the weighted sum of its habits' standings among peers (`signals.Signal.z`) over the
    root of their squared weights; the part of lifetime value that its time orientation is about adds a little. The
    strongest type is told if one of its own habits (`OWN`) shows, there are `value_type_lines` lines on
    `preference_order_days` days, its evidence from purchases alone reaches `value_type_score`, and it leads the second
    by `value_type_margin`.

    Args:
        parts: (n) `historical_value`, `current_value`, `potential_value`.

    Returns:
        `value_type`, `second` (the next likely type), `score` (of the strongest, in standard deviations),
        `margin`, `lack` (why undetermined: too few `lines`, or days with them; `score`; none of its `own` habits;
        `margin`; None where determined).
    """
    formats = features.table["format"]
    # never from one order, nor from a few however long
    few = habits.lines < policy.column("value_type_lines", formats)
    few |= features.table["order_days"].to_numpy() < policy.column("preference_order_days", formats)
    if few.all():
        return _untold(len(few))
    evidence = scores(habits)
    total = evidence + PART_WEIGHT * _parts(parts, peers)
    names = np.array(list(CELLS), dtype=object)
    order = np.argsort(-np.round(total, 9), axis=1, kind="stable")
    at = np.arange(len(total))
    best, second = order[:, 0], order[:, 1]
    margin = total[at, best] - total[at, second]
    weak = evidence[at, best] < policy.column("value_type_score", formats)
    alike = ~_own_habit_shows(habits)[at, best]
    close = margin < policy.column("value_type_margin", formats)
    lack = np.select([few, weak, alike, close], ["lines", "score", "own", "margin"], "").astype(object)
    lack[lack == ""] = None
    told = np.where(few | weak | alike | close, UNDETERMINED, names[best])
    return pd.DataFrame(
        {
            "value_type": told,
            "second": names[second],
            "score": evidence[at, best],
            "margin": margin,
            "lack": lack,
        }
    )


def _untold(n: int) -> pd.DataFrame:
    """As `classify` of n customers of whom nobody bought enough to be told."""
    none = np.zeros(n)
    table = {"value_type": labels.same(UNDETERMINED, n), "second": None, "score": none, "margin": none}
    return pd.DataFrame({**table, "lack": labels.same("lines", n)})


def scores(habits: Habits) -> np.ndarray:
    """The evidence from purchases for each type, (n, 9), columns as `CELLS`.

    A habit in which nobody stands out, or that the history cannot tell, does not dilute the others.
    """
    standing = {name: signal.z for name, signal in habits.signals.items()}
    telling = {name: bool(z.any()) for name, z in standing.items()}
    columns = []
    for _, weights in CELLS.values():
        size = np.sqrt(sum(weight**2 for name, weight in weights.items() if telling[name]))
        columns.append(sum(weight * standing[name] for name, weight in weights.items()) / max(size, 1))
    return np.column_stack(columns)


def evidence(habits: Habits, types: pd.DataFrame, features: Features, policy: Policy) -> Iterator[Evidence]:
    """The habits behind each type told, with orders that show them; or what is lacking.

    Args:
        types: `classify`.
    """
    n = len(types)
    no_figures = dict.fromkeys(("percent", "usual", "count"), np.zeros(n, dtype="int64"))
    for label, (_, weights) in CELLS.items():
        chosen = (types["value_type"] == label).to_numpy()
        for name, weight in weights.items():
            sign, signal = int(np.sign(weight)), habits.signals[name]
            if (name, sign) not in CODES:
                continue
            if not chosen.any():
                yield Evidence(CODES[name, sign], chosen, no_figures)
                continue
            figures = _figures(name, sign, signal)
            # what is judged are orders, what is told are lines: a figure that would say the contrary is not
            rises = -1 if (name, sign) == ("price", -1) else 1
            clear = rises * (figures["percent"] - figures.get("usual", 0)) > 0
            holds = chosen & (sign * signal.z >= TOLD) & clear
            records = habits.records("full_price" if (name, sign) == ("discount", -1) else name, holds)
            yield Evidence(CODES[name, sign], holds, figures, records, sign * signal.z)
    lack = types["lack"].to_numpy()
    formats = features.table["format"]
    lines = {"lines": habits.lines, "needed": policy.column("value_type_lines", formats).astype("int64")}
    days = {
        "order_days": features.table["order_days"].to_numpy(),
        "needed": policy.column("preference_order_days", formats).astype("int64"),
    }
    needed = policy.column("value_type_score", formats)
    part = {"percent": np.rint(100 * np.clip(types["score"] / needed, 0, 1)).to_numpy("int64")}
    few = lines["lines"] < lines["needed"]
    yield Evidence("type_needs_lines", (lack == "lines") & few, lines)
    yield Evidence("type_needs_days", (lack == "lines") & ~few, days)
    yield Evidence("type_lacks_habit", lack == "own", {})
    yield Evidence("type_undecided", lack == "score", part)
    yield Evidence("type_ambiguous", lack == "margin", {}, strength=np.zeros(n))


def _own_habit_shows(habits: Habits) -> np.ndarray:
    """Whether what is peculiar to each type is seen, (n, 9), columns as `CELLS`."""
    everyone = np.ones(len(habits.lines), dtype=bool)
    shows = {
        label: np.max([habits.signals[name].z for name in names], axis=0) >= TOLD
        for label, names in OWN.items()
    }
    return np.column_stack([shows.get(label, everyone) for label in CELLS])


def _figures(name, sign, signal) -> dict[str, np.ndarray]:
    share = np.nan_to_num(signal.share)
    if name == "reaction":
        return {"percent": _percent(1 - np.exp(-share)), "count": signal.seen}
    if name == "ahead":
        return {"percent": _percent(np.exp(share) - 1), "count": signal.seen}
    if name == "upgrade":
        return {"percent": _percent(share)}
    if (name, sign) == ("discount", -1):
        return {"percent": _percent(1 - share), "usual": _percent(1 - signal.usual)}
    return {"percent": _percent(share), "usual": _percent(signal.usual)}


def _percent(share: np.ndarray) -> np.ndarray:
    return np.rint(100 * np.nan_to_num(share)).astype("int64")


def _parts(parts: pd.DataFrame, peers: Peers) -> np.ndarray:
    """How far the dominant part of lifetime value stands out from the peers', (n, 9), columns as `CELLS`."""
    positive = {time: np.maximum(parts[name].to_numpy(float), 0) for time, name in PARTS.items()}
    total = sum(positive.values())
    standing = {}
    for time, value in positive.items():
        share = np.where(total > 0, value / np.where(total > 0, total, 1), np.nan)
        away = share - peers.median(share)
        spread = 1.4826 * peers.median(np.abs(away))
        with np.errstate(invalid="ignore", divide="ignore"):
            z = np.where(spread > 1e-9, away / spread, 0)
        standing[time] = np.clip(np.nan_to_num(z), -CLIP, CLIP)
    return np.column_stack([standing[time] for time, _ in CELLS.values()])
