"""From a history to scores: features, models, classification, explanation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from sync_worker.history.schema import History, as_day
from sync_worker.policy import Policy
from sync_worker.scoring import (
    churn,
    explanation,
    features,
    lifecycle,
    loyalty,
    rhythm,
    segment,
    selection,
    value,
    value_class,
)
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.summary import summarise

#: Columns of the result in order; docs/columns.md says what each means. `format` stands for `format_id`
#: (Odoo) or `business_format` (file).
COLUMNS = (
    "customer_id",
    "churn_probability",
    "p_alive",
    "expected_orders",
    "expected_value",
    "expected_value_low",
    "expected_value_high",
    "expected_next_order",
    "expected_next_order_low",
    "expected_next_order_high",
    "historical_value",
    "current_value",
    "potential_value",
    "lifetime_value",
    "value_basis",
    "value_class",
    "value_segment",
    "burden",
    "loyalty_stage",
    "lifecycle_stage",
    "churn_risk",
    "confidence",
    "last_order_date",
    "order_days",
    "format",
    "reasons",
    "cause",
)
#: Written as text even where all are missing.
TEXTS = (
    "value_basis",
    "value_class",
    "value_segment",
    "loyalty_stage",
    "lifecycle_stage",
    "churn_risk",
    "confidence",
    "reasons",
    "cause",
)


@dataclass
class Result:
    """Scores as of a date.

    Attributes:
        customers: one row per customer, sorted by `customer_id`, with `COLUMNS`.
        summary: counts, totals, concentration and the model used; ready for JSON.
        warnings: sentences about the history and the models.
    """

    customers: pd.DataFrame
    summary: dict[str, Any]
    warnings: list[str]


def score(
    history: History,
    as_of: date | str,
    policy: Policy,
    progress: Callable[[int, str], None] | None = None,
) -> Result:
    """Scores every customer of a history as of the end of a day.

    Args:
        history: orders after `as_of` are left out, with a warning.
        policy: thresholds per company and format.
        progress: called with percent done and the step, now and then.

    Raises:
        HistoryError: no customer was known on or before `as_of`.
    """
    report = progress or (lambda percent, step: None)
    day = as_day(as_of)
    history = history.until(day)
    report(5, "Reading what customers did")
    warnings = list(history.warnings)
    if (history.orders["amount"] > 0).any():
        facts = features.build(history, day, policy)
        buyers, model, spend_model, words = _buyers(facts, day, policy, report)
        warnings += [*facts.warnings, *words]
    else:
        model, spend_model, buyers = None, None, pd.DataFrame(columns=[*COLUMNS])
        warnings.append("No customer has an order of a positive amount yet: all are prospects.")
    report(95, "Putting results together")
    customers = _with_prospects(buyers, history.customers)
    summary = summarise(customers, day, model, spend_model)
    report(100, "Scored")
    return Result(customers, summary, warnings)


def _buyers(facts, day, policy, report):
    """The scored table of the buyers, the churn and spend models, and sentences about them."""
    table, days = facts.table, facts.days
    formats, today = table["format"], int(day.timestamp() // 86400)
    horizon = policy.column("churn_horizon_days", formats)
    peers = Peers(formats, policy)

    report(30, "Learning rhythms")
    rhythms = rhythm.learn(days, peers, default_gap=float(policy.value("churn_horizon_days")))
    own = rhythms.at(days.last())
    situation = churn.Situation.of(table, own)
    report(40, "Fitting the churn model")
    model, words = selection.choose(facts, situation, policy, today)
    table["p_alive"] = model.p_alive(situation)
    table["churn_probability"] = model.p_no_purchase(horizon, situation)
    table["churn_risk"] = churn.risk(
        table["churn_probability"].to_numpy(),
        policy.column("risk_medium_from", formats),
        policy.column("risk_high_from", formats),
    )
    table["confidence"] = churn.confidence(table["order_days"].to_numpy(), model)

    report(55, "Expecting orders and value")
    money, spend_model = value.prospects(facts, peers)
    expected = value.expected_value(horizon, model, situation, money)
    table[expected.columns] = expected
    ahead = value.discounted_orders(policy, formats, model, situation)
    table["potential_value"], table["potential_revenue"] = money.worth(ahead), ahead * money.spend
    window = policy.column("current_window_days", formats)
    table["next_value"] = money.worth(model.expected_orders(window, situation))
    table["lifetime_value"] = table[["historical_value", "current_value", "potential_value"]].sum(axis=1)
    table["value_basis"] = facts.basis

    report(70, "Classifying")
    seen_from_each_day = churn.Situation(
        days.position.astype(float),
        (days.day - table["first_day"].to_numpy()[days.row]).astype(float),
        situation.T[days.row],
        rhythms.mu,
        rhythms.sigma,
    )
    table["loyalty_stage"] = loyalty.classify(
        facts, rhythms, model.p_alive(seen_from_each_day), today, policy
    )
    stages = lifecycle.classify(facts, rhythms, policy)
    table[stages.columns] = stages
    classes = value_class.classify(table, peers, policy)
    table[classes.columns] = classes
    table["worth_winning_back"] = segment.worth_winning_back(table, policy)
    table["value_segment"] = segment.classify(table)
    own_rhythm = (table["x"] > 0).to_numpy() & (table["lifecycle_stage"] != "lost").to_numpy()
    following = rhythm.expected_next_order(table["last_day"].to_numpy(), own, own_rhythm)
    table[following.columns] = following
    table["last_order_date"] = pd.to_datetime(table["last_day"], unit="D").astype("datetime64[s]")

    report(80, "Finding reasons")
    table["reasons"] = explanation.explain(
        facts, table, peers, model=model, situation=situation, rhythm=own, horizon=horizon
    )
    if spend_model.fallback_:
        words.append(f"Spend is the customers' shrunken mean, since {spend_model.fallback_}.")
    return table, model, spend_model, words


def _with_prospects(buyers: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """All customers with the columns of the result; prospects have labels and no numbers."""
    result = customers[["customer_id", "format"]].merge(
        buyers.drop(columns="format").reindex(columns=[name for name in COLUMNS if name != "format"]),
        on="customer_id",
        how="left",
    )
    prospect = result["order_days"].isna()
    labels = {
        "lifecycle_stage": "selection",
        "value_segment": "prospect",
        "loyalty_stage": "awareness",
        "confidence": "none",
        "reasons": "[]",
    }
    for name, label in labels.items():
        result[name] = result[name].astype(object).mask(prospect, label)
    result["burden"] = result["burden"].eq(True)
    result["order_days"] = result["order_days"].astype("Int64")
    result["cause"] = "behaviour"
    for name in COLUMNS:
        if name.startswith("expected_next") or name == "last_order_date":
            result[name] = result[name].astype("datetime64[s]")
        elif name.startswith(("expected_", "churn_prob")) or name.endswith("_value") or name == "p_alive":
            result[name] = result[name].astype("float64")
        elif name in TEXTS:
            result[name] = result[name].astype("string")
    if not pd.api.types.is_integer_dtype(result["format"]):
        result["format"] = result["format"].astype("string")
    named = "format_id" if pd.api.types.is_integer_dtype(result["format"]) else "business_format"
    return result[list(COLUMNS)].rename(columns={"format": named})
