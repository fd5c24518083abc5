"""Whether we keep what we promise: delivered by the day, as much as ordered, invoiced no more than quoted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sync_worker.history.facts import rows_of
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring.events import Events, days_of, take
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.features import Features

#: Promises from which a share is told.
ENOUGH = 3
#: Part of the quoted price by which an invoice may exceed it: rounding, not a broken word.
ROUNDING = 0.005
KINDS = ("late", "short", "overcharged")
RECORDS = ("delivery_id", "order_id")
#: Broken promises that are named of a salesperson, the newest.
NAMED = 100

SENTENCES = {
    "late_deliveries": "{late} of {deliveries} deliveries came late, by {days} days on average",
    "short_deliveries": "{short} of {deliveries} deliveries brought less than was ordered",
    "invoiced_above_quoted": "{orders} orders invoiced above the price quoted",
    "promises_kept": "All {promises} promises kept",
}


@dataclass
class Promises:
    """How we kept our word in the current window.

    Attributes:
        table: a row per buyer: `promise_kept` (share, NaN for fewer than `ENOUGH` promises).
        salespeople: `{salesperson_id, promises, kept, late, short, overcharged, share, delivery_ids, order_ids}` of
            each, by id, ready for JSON; the count of a kind is null where the company's facts tell nothing of it,
            `share` for fewer than `ENOUGH`. The ids are of the newest deliveries and orders with a broken promise.
        evidence: what was broken, with the records, or that nothing was.
        lacks: datasets that are missing: `deliveries`, `order_details`.
    """

    table: pd.DataFrame
    salespeople: list[dict[str, Any]]
    evidence: list[Evidence]
    lacks: list[str]


@dataclass
class _Kept:
    """Promises of one kind that the company's facts tell of.

    Attributes:
        name: of `KINDS`.
        events: what was promised, within the window.
        broken: (k,) bool.
    """

    name: str
    events: Events
    broken: np.ndarray

    def count(self, n: int, chosen: np.ndarray | slice = slice(None)) -> np.ndarray:
        return np.bincount(self.events.row[chosen], minlength=n)


def classify(features: Features, history: History, policy: Policy, today: int) -> Promises:
    """How we kept our word to each buyer in its current window, up to `today` (days since 1970-01-01).

    A delivery promises a day (late after `late_grace_days`) and a quantity, an invoiced order its quoted price; each
    counts once, where both sides of it are known. What was promised and not yet done is not among the facts.
    """
    customers, formats = features.table["customer_id"], features.table["format"]
    n = len(customers)
    after = today - policy.column("current_window_days", formats)
    kept = [*_deliveries(history, customers, after, policy.column("late_grace_days", formats))]
    kept += _prices(history, customers, after)
    lacks = [name for name in ("deliveries", "order_details") if name not in history.facts]

    total = sum((each.count(n) for each in kept), np.zeros(n))
    failed = sum((each.count(n, each.broken) for each in kept), np.zeros(n))
    share = np.divide(total - failed, total, out=np.full(n, np.nan), where=total >= ENOUGH)
    table = pd.DataFrame({"promise_kept": share})
    return Promises(table, _by_salesperson(history, kept), [*_evidence(kept, share, total, failed, n)], lacks)


def late_and_short(deliveries: Events, grace: np.ndarray) -> tuple[Events, np.ndarray, np.ndarray]:
    """The deliveries to customers of which a promise is known, and whether it was broken.

    Args:
        deliveries: of the dataset, returns among them.
        grace: (n,) days after the promised one within which each customer's are in time (`late_grace_days`).

    Returns:
        The deliveries, and (k,) float64 each: `late`, 1 or 0, NaN where no day was promised; `short`, 1 where less
        came than was ordered, 0 where not, NaN where either is not known.
    """
    sent = deliveries.of(~deliveries.table["is_return"].to_numpy())
    ordered, brought = sent.numbers("demanded"), sent.numbers("delivered")
    timed = sent.table["promised"].notna().to_numpy()
    late = np.where(timed, sent.day - days_of(sent.table["promised"]) > grace[sent.row], np.nan)
    counted = (ordered > 0) & ~np.isnan(brought)
    short = np.where(counted, brought < ordered * (1 - 1e-9), np.nan)
    known = timed | counted
    return sent.of(known), late[known], short[known]


def _deliveries(history: History, customers: pd.Series, after: np.ndarray, grace: np.ndarray) -> list[_Kept]:
    events = take(history, "deliveries", customers)
    if events is None:
        return []
    sent, late, short = late_and_short(events, grace)
    recent = sent.day > after[sent.row]
    parts = []
    for name, broken, column in (("late", late, "promised"), ("short", short, "demanded")):
        if events.table[column].notna().any():
            known = ~np.isnan(broken)
            parts.append(_Kept(name, sent.of(known & recent), broken[known & recent] > 0))
    return parts


def _prices(history: History, customers: pd.Series, after: np.ndarray) -> list[_Kept]:
    events = take(history, "order_details", customers)
    if events is None:
        return []
    if not events.table["quoted"].notna().any():
        return []
    events = events.of(events.day > after[events.row])
    # an order not invoiced yet promises still
    both = events.of((events.numbers("quoted") > 0) & (events.numbers("invoiced") > 0))
    above = both.numbers("invoiced") > both.numbers("quoted") * (1 + ROUNDING)
    return [_Kept("overcharged", both, above)]


def _evidence(
    kept: list[_Kept], share: np.ndarray, total: np.ndarray, failed: np.ndarray, n: int
) -> list[Evidence]:
    told = []
    for each in kept:
        events, count, broken = each.events, each.count(n), each.count(n, each.broken)
        strength = np.divide(broken, count, out=np.zeros(n), where=count > 0)
        if each.name == "overcharged":
            records, figures = events.records(each.broken, n, "order_id"), {"orders": broken}
            told.append(Evidence("invoiced_above_quoted", broken > 0, figures, records, strength))
            continue
        records = events.records(each.broken, n, "delivery_id")
        figures = {each.name: broken, "deliveries": count}
        if each.name == "late":
            days = (events.day - days_of(events.table["promised"]))[each.broken]
            by = np.bincount(events.row[each.broken], days, minlength=n)
            figures["days"] = np.ceil(np.divide(by, broken, out=np.zeros(n), where=broken > 0))
        told.append(Evidence(f"{each.name}_deliveries", broken > 0, figures, records, strength))
    told.append(
        Evidence("promises_kept", (failed == 0) & ~np.isnan(share), {"promises": total}, strength=0.1)
    )
    return told


def _by_salesperson(history: History, kept: list[_Kept]) -> list[dict[str, Any]]:
    details = history.facts.get("order_details")
    if details is None or not kept:
        return []
    known = details.drop_duplicates("order_id")
    parts, broken = [], []
    for each in kept:
        at = rows_of(each.events.table["order_id"], known["order_id"])
        person = known["salesperson_id"].reset_index(drop=True).reindex(at).to_numpy()
        parts.append(pd.DataFrame({"person": person, each.name: each.broken, "promises": 1}))
        broken.append(_named(each, person))
    table = pd.concat(parts, ignore_index=True)
    records = pd.concat(broken, ignore_index=True).sort_values(["day", "record"], ascending=False)
    records = records.drop_duplicates(["person", "of", "record"]).groupby(["person", "of"]).head(NAMED)
    named = {of: own.groupby("person")["record"].agg(list) for of, own in records.groupby("of")}
    table = table[table["person"].notna()]
    known_kinds = [each.name for each in kept]
    table = table.astype(dict.fromkeys(known_kinds, float))
    result = []
    for person, row in table.groupby("person", sort=True).sum().iterrows():
        counts = {"promises": int(row["promises"]), **dict.fromkeys(KINDS)}
        counts |= {name: int(row[name]) for name in known_kinds}
        good = counts["promises"] - sum(counts[name] for name in known_kinds)
        share = round(good / counts["promises"], 4) if counts["promises"] >= ENOUGH else None
        identity = int(person) if isinstance(person, int | float | np.number) else str(person)
        ids = {f"{of}s": named[of].get(person, []) if of in named else [] for of in RECORDS}
        result.append({"salesperson_id": identity, **counts, "kept": good, "share": share, **ids})
    return result


def _named(kept: _Kept, person: np.ndarray) -> pd.DataFrame:
    """The records of the broken promises of a kind, a row each: `person`, `day`, `of` (of `RECORDS`) and `record`; none
    where ids are not whole numbers."""
    of = "order_id" if kept.name == "overcharged" else "delivery_id"
    ids, broken = kept.events.table[of], kept.broken & ~pd.isna(person)
    if not pd.api.types.is_integer_dtype(ids):
        broken = np.zeros(len(ids), dtype=bool)
    at = np.flatnonzero(broken)
    return pd.DataFrame(
        {"person": person[at], "day": kept.events.day[at], "of": of, "record": ids.iloc[at].astype(object)}
    )
