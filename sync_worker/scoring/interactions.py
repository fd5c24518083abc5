"""Who speaks with whom: last contact, how often, who begins, how soon we answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.history.facts import rows_of
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring.events import REACH, Events, days_of, keys
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.features import Features
from sync_worker.scoring.peers import Peers

#: Days of silence after which what is said begins a new conversation.
PAUSE = 7
#: Conversations, and messages that wanted an answer, from which something is told.
ENOUGH = 3
#: Share of the conversations from which one side is the one that begins them.
MOSTLY = 2 / 3
#: Hours within which an answer comes if it comes; a younger message may still be answered.
PATIENCE = 14 * 24.0
#: Times the peers' median from which an answer is slow.
SLOW = 2.0

SENTENCES = {
    "we_begin": "We began {ours} of {all} conversations, the last contact was {days_since} days ago",
    "customer_begins": "It began {theirs} of {all} conversations, the last contact was {days_since} days ago",
    "no_contact": "No contact for {days_since} days; before, every {typical_gap} days",
    "slow_answers": "Waits {hours} hours for an answer, its peers {peers} hours",
    "unanswered": "{unanswered} of {messages} messages got no answer",
}


@dataclass
class Interactions:
    """What is known of the contact with each buyer.

    Attributes:
        table: a row per buyer: `last_contact_date` (datetime64, of any contact ever), `response_hours` (median hours
            until our answer, at most `PATIENCE`, NaN for fewer than `ENOUGH` messages), `initiator` (`customer`, `us`,
            `both` or None; nobody's where no messages are known, since activities are always ours). Missing
            = not known.
        evidence: what is worth a sentence.
        lacks: datasets that are missing.
    """

    table: pd.DataFrame
    evidence: list[Evidence]
    lacks: list[str]


@dataclass
class Talk:
    """Everything said, in order: messages of both sides by the hour, our activities as at noon.

    Attributes:
        row, day, hours: (k,) customer, day and hours since 1970-01-01.
        ours: (k,) bool, whether it came from us.
        is_message: (k,) bool, whether it is one.
    """

    row: np.ndarray
    day: np.ndarray
    hours: np.ndarray
    ours: np.ndarray
    is_message: np.ndarray

    def events(self, chosen: np.ndarray) -> Events:
        """Some of it as events with their `hours`."""
        return Events(self.row[chosen], self.day[chosen], pd.DataFrame({"hours": self.hours[chosen]}))


def classify(
    features: Features, history: History, said: Talk | None, peers: Peers, policy: Policy, today: int
) -> Interactions:
    """The contact with each buyer as of `today` (days since 1970-01-01).

    Args:
        said: what `talk` gives of the buyers.
    """
    buyers = features.table
    n = len(buyers)
    lacks = [name for name in ("messages", "activities") if name not in history.facts]
    if said is None:
        table = pd.DataFrame(
            {
                "last_contact_date": np.full(n, np.datetime64("NaT", "s")),
                "response_hours": np.nan,
                "initiator": None,
            }
        )
        return Interactions(table, [], lacks)
    window = policy.column("current_window_days", buyers["format"])
    last, gap = _last_contact(said, n)
    begun, ours = _conversations(said, today - window, n)
    asked, hours = answers(said, today)
    waited, messages, unanswered = _waiting(asked, hours, today - window, n)

    enough = (begun >= ENOUGH) & said.is_message.any()
    share = np.divide(ours, begun, out=np.full(n, np.nan), where=enough)
    initiator = np.select(
        [share >= MOSTLY, share <= 1 - MOSTLY, enough], np.array(["us", "customer", "both"], object), None
    )
    known = last > -REACH
    date = pd.Series(np.where(known, last, 0).astype("datetime64[D]").astype("datetime64[s]")).where(known)
    table = pd.DataFrame(
        {
            "last_contact_date": date,
            # who mostly gets no answer waits for as long as one may take
            "response_hours": np.minimum(waited, PATIENCE),
            "initiator": initiator,
        }
    )
    since = np.where(known, today - last, 0)
    usual = peers.median(np.where(np.isfinite(waited), waited, np.nan))
    told = {"all": begun, "days_since": since}
    evidence = [
        Evidence("we_begin", initiator == "us", {"ours": ours, **told}, strength=0.2),
        Evidence("customer_begins", initiator == "customer", {"theirs": begun - ours, **told}, strength=0.2),
        Evidence(
            "no_contact",
            known & (since > SLOW * gap) & (since > PAUSE),
            {"days_since": since, "typical_gap": np.nan_to_num(gap)},
            strength=0.6,
        ),
        Evidence(
            "slow_answers",
            np.isfinite(waited) & (waited > SLOW * usual),
            {"hours": np.where(np.isfinite(waited), waited, 0), "peers": np.nan_to_num(usual)},
            strength=0.7,
        ),
        Evidence(
            "unanswered", unanswered > 0, {"unanswered": unanswered, "messages": messages}, strength=0.8
        ),
    ]
    return Interactions(table, evidence, lacks)


def talk(history: History, customers: pd.Series) -> Talk | None:
    """Messages and activities of the customers; None where there are none."""
    kinds = [_said(history, name, customers) for name in ("messages", "activities")]
    parts = [part for part in kinds if part is not None]
    if not sum(len(part[0]) for part in parts):
        return None
    row, day, hours, ours, is_message = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    del kinds, parts  # there are many messages
    order = np.lexsort((keys(2 * is_message + ours, day), hours, row))
    return Talk(row[order], day[order], hours[order], ours[order], is_message[order])


def _said(history: History, name: str, customers: pd.Series) -> tuple[np.ndarray, ...] | None:
    """What `Talk` holds, of one dataset and in no order; None where it is missing or empty."""
    table = history.facts.get(name)
    if table is None or table.empty:
        return None
    row, day = rows_of(table["customer_id"], customers), days_of(table["known"])
    is_message = name == "messages"
    known = ours = np.ones(len(row), dtype=bool)
    hours = np.full(len(row), np.nan)
    if is_message:
        ours, hours = (table["direction"] == "out").to_numpy(bool), table["hours"].to_numpy(float)
        known = ours | (table["direction"] == "in").to_numpy(bool)
    known = np.flatnonzero(known & (row >= 0))
    row, day, hours = row[known], day[known], hours[known]
    # without an hour only the day is known
    hours = np.where(np.isnan(hours), day * 24.0 + 12, hours)
    return row, day, hours, ours[known], np.full(len(known), is_message)


def answers(said: Talk, today: int) -> tuple[Events, np.ndarray]:
    """The customers' messages that wanted an answer, and how long each waited.

    Of several in a row the first counts, unless they are further apart than an answer takes; one of the last days
    that may still be answered does not.

    Returns:
        The messages, and (q,) hours until our next one, inf where none came within `PATIENCE`.
    """
    is_message = said.is_message
    row, hours, ours = said.row[is_message], said.hours[is_message], said.ours[is_message]
    again = (row[1:] == row[:-1]) & ~ours[:-1] & (hours[1:] - hours[:-1] <= PATIENCE)
    first = ~ours & ~np.append(False, again)
    # the next message of ours: the first of ours at or after each place
    places = np.where(ours, np.arange(len(ours)), len(ours))
    following = np.minimum.accumulate(places[::-1])[::-1]
    at = np.flatnonzero(first)
    answer = following[at]
    inside = answer < len(ours)
    wait = np.full(len(at), np.inf)
    to = answer[inside]
    wait[inside] = np.where(row[to] == row[at[inside]], hours[to] - hours[at[inside]], np.inf)
    wait[wait > PATIENCE] = np.inf
    judged = np.isfinite(wait) | (hours[at] <= (today + 1) * 24.0 - PATIENCE)
    chosen = np.zeros(len(said.row), dtype=bool)
    chosen[np.flatnonzero(is_message)[at[judged]]] = True
    return said.events(chosen), wait[judged]


def _last_contact(said: Talk, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Day of the last contact (-REACH = never), and mean days between two days with one, NaN for fewer than 4."""
    last = np.full(n, -REACH)
    np.maximum.at(last, said.row, said.day)
    first = np.full(n, REACH)
    np.minimum.at(first, said.row, said.day)
    new = np.append(True, (said.row[1:] != said.row[:-1]) | (said.day[1:] != said.day[:-1]))
    days = np.bincount(said.row[new], minlength=n)
    gap = np.divide(last - first, days - 1, out=np.full(n, np.nan), where=days >= 4)
    return last, gap


def _conversations(said: Talk, after: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """How many began after a day, and how many of them we began, (n,) each."""
    apart = said.hours[1:] - said.hours[:-1] > PAUSE * 24.0
    begins = np.append(True, (said.row[1:] != said.row[:-1]) | apart)
    begins &= said.day > after[said.row]
    return (
        np.bincount(said.row[begins], minlength=n),
        np.bincount(said.row[begins & said.ours], minlength=n),
    )


def _waiting(
    asked: Events, hours: np.ndarray, after: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the messages after a day: median hours until the answer (NaN for fewer than `ENOUGH`), number, and number
    without an answer; (n,) each."""
    recent = asked.day > after[asked.row]
    row, hours = asked.row[recent], hours[recent]
    order = np.lexsort((hours, row))
    row, hours = row[order], hours[order]
    count = np.bincount(row, minlength=n)
    start = np.cumsum(count) - count
    enough = count >= ENOUGH
    middle = np.full(n, np.nan)
    low, high = (hours[(start + shift // 2)[enough]] for shift in (count - 1, count))
    middle[enough] = (low + high) / 2
    return middle, count, np.bincount(row[np.isinf(hours)], minlength=n)
