"""The labels people work with, from what a policy's thresholds do not touch: told anew without fitting anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import (
    churn,
    complaints,
    labels,
    lifecycle,
    loyalty,
    memory,
    net_value,
    rhythm,
    segment,
    value,
    value_class,
)
from sync_worker.scoring.grades import withheld
from sync_worker.scoring.net_value import NetValue
from sync_worker.scoring.peers import Peers, peers_of
from sync_worker.scoring.preparation import REFITTING, Prepared, prepare
from sync_worker.scoring.rhythm import Rhythm
from sync_worker.scoring.situation import Situation

LABELS = ("value_class", "value_segment", "loyalty_stage", "lifecycle_stage", "churn_risk")
#: Labels that rest on lines and facts too, which only a whole scoring looks at (`classification`).
TYPES = ("value_type", "lost_type")
ALL = (*LABELS, *TYPES)
#: What `relabel` tells of each buyer: its labels, the money that classes are cut by, and what types rest on besides.
TOLD = (
    "customer_id",
    "format",
    *LABELS,
    "current_value",
    "potential_value",
    "historical_value",
    "typical_gap",
)


@dataclass(frozen=True)
class Labelled:
    """The buyers as another policy, or another model, tells them on the same data.

    Attributes:
        policy: which tells them.
        table: a row per buyer with `TOLD`, and with `TYPES` once they are found (`classification.classify`).
    """

    policy: Policy
    table: pd.DataFrame


def by_policy(
    policy: Policy, prepared: Prepared, history: History, day: pd.Timestamp, *, withhold: bool
) -> pd.DataFrame:
    """The labels of the buyers of `prepared` by another policy, for which they are prepared anew where it needs that.

    Args:
        history: until `day`, which `prepared` is of.

    Returns:
        As `relabel`.
    """
    if REFITTING & policy.differing(prepared.policy):
        prepared, _, _ = prepare(history, day, policy, lambda percent, step: None)
    return relabel(prepared, policy, withhold=withhold)


def relabel(prepared: Prepared, policy: Policy, *, withhold: bool) -> pd.DataFrame:
    """The labels of the buyers by a policy that differs from the one of `prepared` in no key of `REFITTING`.

    Returns:
        A row per buyer, sorted by customer, with the columns `TOLD`.
    """
    again = replace(prepared, facts=replace(prepared.facts, table=prepared.facts.table.copy()))
    label(again, policy, withhold=withhold)
    return again.facts.table[[*TOLD]]


def differ(before: pd.DataFrame, after: pd.DataFrame, names: Sequence[str] = LABELS) -> pd.DataFrame:
    """Which labels of the same customers in the same order differ: a column of booleans per label; a label that is
    missing is one of its own."""
    texts = [table[list(names)].astype(object) for table in (before, after)]
    was, now = (table.where(table.notna(), None).to_numpy() for table in texts)
    return pd.DataFrame(was != now, index=after.index, columns=list(names))


def label(prepared: Prepared, policy: Policy, *, withhold: bool) -> NetValue:
    """Adds what is expected of each buyer, stages, class and segment to `prepared.facts.table`, in place.

    The labels of the last run have a say where this policy would have told them alike (`memory`).

    Args:
        withhold: leave the risk empty where the grade of the back-test is one the policy withholds; `churn_withheld`
            tells where.
    """
    table, formats = prepared.facts.table, prepared.facts.table["format"]
    peers = peers_of(table, policy)
    table["churn_withheld"] = _withheld(prepared.past["grades"], formats, policy) if withhold else False
    known = policy.before, prepared.policy, prepared.policy.before
    before = memory.recall(prepared.previous, table["customer_id"], policy, prepared.today, known)
    _expect(prepared, peers, policy)
    _risk(table, policy, before["churn_risk"])
    _attach(prepared, policy, before["lifecycle_stage"])
    served = net_value.classify(
        prepared.facts,
        policy,
        prepared.today,
        owed=prepared.owed,
        back=prepared.back,
        contacts=prepared.contacts,
    )
    _classify(table, peers, policy, served, before)
    _follow(table, prepared.own)
    return served


def _expect(prepared: Prepared, peers: Peers, policy: Policy) -> None:
    """Adds what is expected of each buyer."""
    facts, forecast, situation = prepared.facts, prepared.forecast, prepared.situation
    table, formats = facts.table, facts.table["format"]
    horizon = policy.column("churn_horizon_days", formats)
    money = value.prospects(situation, peers, forecast.spend, prepared.rate_noise)
    if prepared.expected is None:
        prepared.expected = value.expected_value(horizon, forecast, situation, money)
    expected = prepared.expected
    table[expected.columns] = expected
    # who orders again is still a customer: regressions may be surer of that than the transaction model
    table["p_alive"] = np.maximum(forecast.p_alive(situation), 1 - table["churn_probability"])
    table["confidence"] = churn.confidence(table["order_days"].to_numpy(), forecast)
    correction = forecast.correction(horizon, situation, expected["expected_sales"].to_numpy())
    table["expected_net"] = table.pop("expected_sales") * value.kept_share(situation)
    ahead = value.discounted_orders(policy, formats, forecast, situation) * correction
    table["potential_value"], table["potential_revenue"] = money.worth(ahead), ahead * money.spend
    window = policy.column("current_window_days", formats)
    table["next_value"] = money.worth(forecast.orders_ahead(window, situation) * correction)
    table["lifetime_value"] = table[["historical_value", "current_value", "potential_value"]].sum(axis=1)
    table["value_basis"] = labels.same(facts.basis, len(table))


def _risk(table: pd.DataFrame, policy: Policy, before: pd.Series) -> None:
    """Adds the risk, and what it would be if nothing was known of `before`."""
    formats, given = table["format"], table["churn_probability"].to_numpy()
    thresholds = [policy.column(key, formats) for key in ("risk_medium_from", "risk_high_from")]
    noise = policy.column("hysteresis_probability", formats)
    table["churn_risk"] = churn.risk(given, *thresholds, before=before, noise=noise)
    table["risk_by_rule"] = churn.risk(given, *thresholds)
    table.loc[table["churn_withheld"], ["churn_risk", "risk_by_rule"]] = None


def _attach(prepared: Prepared, policy: Policy, before: pd.Series) -> None:
    """Adds the labels that are found by looking at each order-day."""
    facts, rhythms, situation = prepared.facts, prepared.rhythms, prepared.situation
    table, days = facts.table, facts.days
    first_day = table["first_day"].to_numpy()

    def p_alive(at: np.ndarray) -> np.ndarray:
        row = days.row[at]
        x, t_x = days.position[at].astype(float), (days.day[at] - first_day[row]).astype(float)
        seen = Situation(x, t_x, situation.T[row], rhythms.mu[at], rhythms.sigma[at])
        return prepared.forecast.p_alive(seen)

    table["loyalty_stage"] = loyalty.classify(
        facts,
        rhythms,
        p_alive,
        prepared.today,
        policy,
        last_complaint=prepared.said.last(policy, table["format"]),
        mostly_returned=complaints.mostly_returned(prepared.back),
    )
    stages = lifecycle.classify(facts, rhythms, policy, before)
    table[stages.columns] = stages


def _classify(
    table: pd.DataFrame, peers: Peers, policy: Policy, served: NetValue, before: pd.DataFrame
) -> None:
    """Adds class and segment."""
    classes = value_class.classify(table, peers, policy, served.table["net_value"].to_numpy(), before)
    table[classes.columns] = classes
    table["worth_winning_back"] = segment.worth_winning_back(table, policy)
    table["value_segment"] = segment.classify(table)


def _follow(table: pd.DataFrame, own: Rhythm) -> None:
    """Adds the usual gap, the last and the next order; `own` is the rhythm after the last order-day."""
    table["typical_gap"] = own.typical()
    own_rhythm = (table["x"] > 0).to_numpy() & (table["lifecycle_stage"] != "lost").to_numpy()
    last, silence = table["last_day"].to_numpy(), table["silence"].to_numpy()
    following = rhythm.expected_next_order(last, own, silence, own_rhythm)
    table[following.columns] = following
    table["last_order_date"] = pd.to_datetime(table["last_day"], unit="D").astype("datetime64[s]")


def _withheld(grades: list[dict[str, Any]], formats: pd.Series, policy: Policy) -> np.ndarray:
    """The customers whose churn probability is not shown: the grade of their format, where it has one, else of
    the company, is one that the policy withholds."""
    company, *others = grades
    result = np.full(len(formats), withheld(company, policy.value("withheld_grades")))
    for entry in others:
        if entry["grade"]:
            own = (formats == entry["format"]).to_numpy(dtype=bool, na_value=False)
            result[own] = withheld(entry, policy.value("withheld_grades", entry["format"]))
    return result
