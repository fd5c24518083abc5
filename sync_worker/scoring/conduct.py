"""Whether a customer keeps to rules and agreements: tax id, credit limit, payment, offers, goods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.history.facts import rows_of
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring.events import days_of
from sync_worker.scoring.evidence import Evidence, newest
from sync_worker.scoring.features import Features
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.receivables import Receivables
from sync_worker.scoring.returns import Returns

#: Documents (invoices, offers, order-days) from which conduct is judged.
ENOUGH = 3
#: A tax id is asked for where at least this share of the peers has one: private customers have none.
EXPECTED = 0.5
#: Times the peers' mean from which cancelling or returning is worth a sentence.
OFTEN = 1.5
#: Part of the purchases sent back from which it is.
NOTICEABLE = 0.01

SENTENCES = {
    "no_tax_id": "No tax id is known; {percent} % of its peers have one",
    "credit_limit_exceeded": "Owes {open}, its credit limit is {limit}",
    "pays_late": "Paid {percent} % of the money due late or not yet, half of its peers up to {peers} %: "
    "{late} of {invoices} invoices, by {days} days on average",
    "pays_on_time": "Paid all {invoices} invoices on time",
    "cancels_quotations": "Cancelled {cancelled} offers or orders, and placed {orders}",
    "returns_often": "Sent back {percent} % of what it bought, its peers {peers} %",
}


@dataclass
class Conduct:
    """How far each buyer keeps what it should, in the current window.

    Attributes:
        kept: a row per buyer, each 0 (nothing kept) to 1 (all kept), NaN where not known: `tax_id`,
            `credit_limit`, `payment` (share of the money due that was paid on time), `offers` (orders among
            orders and cancelled offers), `goods` (share of purchases not sent back).
        evidence: what speaks for and against.
        lacks: which of them nobody has for want of data.
    """

    kept: pd.DataFrame
    evidence: list[Evidence]
    lacks: list[str]


Judgement = tuple[np.ndarray, list[Evidence]]


def take(
    features: Features,
    history: History,
    peers: Peers,
    policy: Policy,
    today: int,
    *,
    owed: Receivables | None,
    back: Returns,
) -> Conduct:
    """The conduct of each buyer as of `today` (days since 1970-01-01). Standing facts are today's."""
    buyers = features.table
    window = policy.column("current_window_days", buyers["format"])
    grace = policy.column("payment_grace_days", buyers["format"])
    customers = history.customers.iloc[rows_of(buyers["customer_id"], history.customers["customer_id"])]
    judgements = {
        "tax_id": _tax_id(customers, peers),
        "credit_limit": _credit_limit(customers, owed, today),
        "payment": _payment(
            owed, window, grace, peers, policy.column("late_payment_share", buyers["format"]), today
        ),
        "offers": _offers(buyers["customer_id"], history.facts.get("quotations"), back, peers, window, today),
        "goods": _goods(buyers["current_order_days"].to_numpy(), back, peers),
    }
    kept = pd.DataFrame({name: kept for name, (kept, _) in judgements.items()})
    evidence = [each for _, told in judgements.values() for each in told]
    return Conduct(kept, evidence, [name for name in kept if kept[name].isna().all()])


def _tax_id(customers: pd.DataFrame, peers: Peers) -> Judgement:
    if "has_tax_id" not in customers:
        return _unknown(len(customers))
    has = customers["has_tax_id"].to_numpy(float, na_value=np.nan)
    usual = peers.mean(has)
    kept = np.where(usual >= EXPECTED, has, np.nan)
    return kept, [Evidence("no_tax_id", kept == 0, {"percent": np.rint(100 * usual)}, strength=0.5)]


def _credit_limit(customers: pd.DataFrame, owed: Receivables | None, today: int) -> Judgement:
    n = len(customers)
    if owed is None or "credit_limit" not in customers:
        return _unknown(n)
    limit = customers["credit_limit"].to_numpy()
    limit = np.where(limit > 0, limit, np.nan)  # zero is no limit
    balance = owed.open(today)
    due = np.clip(np.bincount(owed.row, balance, minlength=n), 0, None)
    kept = np.divide(limit, due, out=np.where(np.isnan(limit), np.nan, 1.0), where=due > limit)
    exceeded = due > limit * (1 + 1e-9)
    figures = {"open": np.ceil(due), "limit": np.floor(limit)}
    records = owed.newest((balance > 0) & exceeded[owed.row], n)
    return kept, [Evidence("credit_limit_exceeded", exceeded, figures, records, np.nan_to_num(1 - kept))]


def _payment(
    owed: Receivables | None,
    window: np.ndarray,
    grace: np.ndarray,
    peers: Peers,
    much: np.ndarray,
    today: int,
) -> Judgement:
    """Money paid by its own due day and some days of grace. Now and then everybody is late: who is so with `much` (n,)
    of the money, and no less than most of the peers, pays late."""
    n = len(window)
    if owed is None:
        return _unknown(n)
    row, since_due = owed.row, today - owed.due
    judged = (owed.total > 0) & (since_due >= grace[row]) & (since_due < window[row])
    unpaid = owed.open(owed.due + grace[row])
    late = judged & (unpaid > 0)

    def total(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        return np.bincount(row[chosen], values[chosen], minlength=n)

    def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
        return np.divide(above, below, out=np.zeros(n), where=below > 0)

    invoices, late_ones = np.bincount(row[judged], minlength=n), np.bincount(row[late], minlength=n)
    enough = invoices >= ENOUGH
    missed = ratio(total(unpaid, judged), total(owed.total, judged))
    days = ratio(total(owed.overdue_days(owed.due, today), late), total(owed.total, late))
    usual = peers.median(np.where(enough, missed, np.nan))
    pays_late = enough & (missed >= np.maximum(much, usual) * (1 - 1e-9))  # rounding is no difference
    figures = {
        "percent": np.rint(100 * missed),
        "peers": np.rint(100 * usual),
        "late": late_ones,
        "invoices": invoices,
        "days": np.ceil(days),
    }
    on_time, its = enough & (late_ones == 0), {"invoices": invoices}
    return np.where(enough, 1 - missed, np.nan), [
        Evidence("pays_late", pays_late, figures, owed.newest(late & pays_late[row], n), missed),
        Evidence("pays_on_time", on_time, its, owed.newest(judged & on_time[row], n), strength=0.25),
    ]


def _offers(
    customers: pd.Series,
    quotations: pd.DataFrame | None,
    back: Returns,
    peers: Peers,
    window: np.ndarray,
    today: int,
) -> Judgement:
    n = len(window)
    if quotations is None or quotations.empty:
        return _unknown(n)
    row = rows_of(quotations["customer_id"], customers)
    day = days_of(quotations["known"])
    lapsed = (quotations["outcome"] == "cancelled").to_numpy() & (row >= 0) & (today - day < window[row])
    cancelled = np.bincount(row[lapsed], minlength=n)
    orders = back.bought
    known = orders + cancelled >= ENOUGH
    kept = np.divide(orders, orders + cancelled, out=np.full(n, np.nan), where=known)
    ids, records = quotations["quotation_id"], None
    if pd.api.types.is_integer_dtype(ids):
        records = newest(row[lapsed], ids.to_numpy("int64")[lapsed], day[lapsed], n)
    often = (cancelled > 1) & (1 - kept > OFTEN * (1 - peers.mean(kept)))
    figures = {"cancelled": cancelled, "orders": orders}
    return kept, [Evidence("cancels_quotations", often, figures, records, np.nan_to_num(1 - kept))]


def _goods(order_days: np.ndarray, back: Returns, peers: Peers) -> Judgement:
    share = np.where(order_days >= ENOUGH, back.share, np.nan)
    usual = peers.mean(share)
    often = (share >= NOTICEABLE) & (share > OFTEN * usual)
    figures = {"percent": np.rint(100 * share), "peers": np.rint(100 * usual)}
    return 1 - share, [Evidence("returns_often", often, figures, back.orders, np.nan_to_num(share))]


def _unknown(n: int) -> Judgement:
    return np.full(n, np.nan), []
