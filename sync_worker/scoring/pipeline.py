"""From a history to scores: features, models, classification, explanation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from sync_worker.history.facts import rows_of
from sync_worker.history.schema import History, as_day
from sync_worker.policy import Policy
from sync_worker.scoring import (
    anomaly,
    backtest,
    base_models,
    churn,
    classification,
    explanation,
    features,
    labels,
    lifecycle,
    loyalty,
    net_value,
    portraits,
    prospects,
    reasons,
    receivables,
    returns,
    rhythm,
    segment,
    selection,
    value,
    value_class,
)
from sync_worker.scoring.grades import withheld
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.situation import Situation, take
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
    "churn_withheld",
    "confidence",
    "last_order_date",
    "order_days",
    "format",
    *classification.COLUMNS,
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
    *classification.TEXTS,
    "reasons",
    "cause",
)

#: What is found of buyers; the others are known of every customer.
OF_BUYERS = tuple(name for name in COLUMNS if name not in {"format", "cause"})
LABELS_OF_PROSPECTS = {
    "lifecycle_stage": "selection",
    "value_segment": "prospect",
    "loyalty_stage": "awareness",
    "confidence": "none",
}

#: Facts that labels are found by and nothing else.
WORKINGS = (
    "first_day",
    "t_x",
    "T",
    "silence",
    "revenue",
    "current_revenue",
    "known_margin",
    "known_revenue",
    "known_orders",
    "unknown_orders",
    "comparison_days",
    "current_order_days",
    "recent_breadth",
    "earlier_breadth",
    "expected_sales",
    "potential_revenue",
    "next_value",
    "value_index",
    "worth_winning_back",
)

STEP_TRIALS = "Trying forecasts on the past"


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
    *,
    withhold: bool = False,
) -> Result:
    """Scores every customer of a history as of the end of a day.

    Args:
        history: orders after `as_of` are left out, with a warning.
        policy: thresholds per company and format.
        progress: called with percent done and the step, now and then.
        withhold: leave churn probability and risk empty where the back-test's grade is one the policy
            withholds, as for publication.

    Raises:
        HistoryError: no customer was known on or before `as_of`.
    """
    report = progress or (lambda percent, step: None)
    day = as_day(as_of)
    history = history.until(day)
    report(5, "Reading what customers did")
    warnings = list(history.warnings)
    if (history.orders["amount"] > 0).any():
        buyers, forecast, results, words = _buyers(history, day, policy, report, withhold)
        warnings += words
    else:
        forecast, results, buyers = None, {}, pd.DataFrame(columns=[*OF_BUYERS])
        warnings.append("No customer has an order of a positive amount yet: all are prospects.")
    report(95, "Putting results together")
    customers = _with_prospects(buyers, history.customers)
    expected = prospects.expect(history, results.get("basis", "revenue"), int(day.timestamp() // 86400))
    _expect_of_prospects(customers, expected.table)
    summary = summarise(customers, day, forecast) | results
    report(100, "Scored")
    return Result(customers, summary, warnings)


def _buyers(history, day, policy, report, withhold):
    """The scored table of the buyers, the forecast, results for the company (`backtest` and those of
    `classification`), and sentences about them."""
    facts = features.build(history, day, policy)
    formats, today = facts.table["format"], int(day.timestamp() // 86400)
    peers = Peers(formats, policy)

    report(30, "Learning rhythms")
    main_horizon = float(policy.value("churn_horizon_days"))
    rhythms = rhythm.learn(facts.days, peers, default_gap=main_horizon)
    own = rhythms.at(facts.days.last())
    situation = take(facts.sales, formats, today, main_horizon, policy, own).situation
    report(35, STEP_TRIALS)
    forecast, judged, words = selection.choose(
        facts, situation, policy, today, progress=lambda part: report(35 + int(20 * part), STEP_TRIALS)
    )
    past = backtest.summarise(judged, forecast, policy, formats, ())
    words = [*facts.warnings, *words, *past["warnings"]]
    if forecast.spend.fallback_:
        words.append(f"Spend is the customers' shrunken mean, since {forecast.spend.fallback_}.")
    report(55, "Expecting orders and value")
    facts.table["churn_withheld"] = _withheld(past["grades"], formats, policy) if withhold else False
    _expect(facts, peers, forecast, situation, policy)

    report(70, "Classifying")
    _attach(facts, rhythms, forecast, situation, today, policy)
    kept = classification.Kept(
        figures=portraits.take(facts),
        owed=receivables.take(history, facts.table["customer_id"]),
        back=returns.take(facts, history, policy, today),
        changes=anomaly.classify(facts, facts.table["lifecycle_stage"], policy, today),
        typical_gap=own.typical(),
    )
    facts = facts.without("days", "sales")
    del rhythms
    served = net_value.classify(facts, history, policy, today, owed=kept.owed, back=kept.back)
    _classify(facts.table, peers, own, policy, served)
    found = classification.classify(
        facts, history, peers, policy, today, kept=kept, served=served, trials=judged
    )
    facts.table[found.table.columns] = found.table
    del kept, served

    report(80, "Finding reasons")
    facts.table = table = facts.table.drop(columns=[*WORKINGS])
    table["reasons"] = explanation.explain(
        facts,
        table,
        peers,
        forecast=forecast,
        situation=situation,
        rhythm=own,
        policy=policy,
        lack=base_models.shortage(situation),
        evidence=found.evidence,
    )
    table.loc[table["churn_withheld"], "churn_probability"] = np.nan
    return (
        table[[*OF_BUYERS]],
        forecast,
        {**found.company, "basis": facts.basis, "lacks": found.lacks, "backtest": past},
        words,
    )


def _expect(facts, peers, forecast, situation, policy) -> None:
    """Adds what is expected of each buyer, and the risk."""
    table, formats = facts.table, facts.table["format"]
    horizon = policy.column("churn_horizon_days", formats)
    table["p_alive"] = forecast.p_alive(situation)
    money = value.prospects(facts, peers, forecast.spend)
    expected = value.expected_value(horizon, forecast, situation, money)
    table[expected.columns] = expected
    table["churn_risk"] = churn.risk(
        table["churn_probability"].to_numpy(),
        policy.column("risk_medium_from", formats),
        policy.column("risk_high_from", formats),
    )
    table.loc[table["churn_withheld"], "churn_risk"] = None
    table["confidence"] = churn.confidence(table["order_days"].to_numpy(), forecast)
    correction = forecast.correction(horizon, situation, expected["expected_sales"].to_numpy())
    ahead = value.discounted_orders(policy, formats, forecast, situation) * correction
    table["potential_value"], table["potential_revenue"] = money.worth(ahead), ahead * money.spend
    window = policy.column("current_window_days", formats)
    table["next_value"] = money.worth(forecast.orders_ahead(window, situation) * correction)
    table["lifetime_value"] = table[["historical_value", "current_value", "potential_value"]].sum(axis=1)
    table["value_basis"] = labels.same(facts.basis, len(table))


def _attach(facts, rhythms, forecast, situation, today, policy) -> None:
    """Adds the labels that are found by looking at each order-day."""
    table, days = facts.table, facts.days
    first_day = table["first_day"].to_numpy()

    def p_alive(at: np.ndarray) -> np.ndarray:
        row = days.row[at]
        x, t_x = days.position[at].astype(float), (days.day[at] - first_day[row]).astype(float)
        return forecast.p_alive(Situation(x, t_x, situation.T[row], rhythms.mu[at], rhythms.sigma[at]))

    table["loyalty_stage"] = loyalty.classify(facts, rhythms, p_alive, today, policy)
    stages = lifecycle.classify(facts, rhythms, policy)
    table[stages.columns] = stages


def _classify(table, peers, own, policy, served) -> None:
    """Adds class, segment and the next order; `own` is the rhythm after the last order-day."""
    classes = value_class.classify(table, peers, policy, served.table["net_value"].to_numpy())
    table[classes.columns] = classes
    table["worth_winning_back"] = segment.worth_winning_back(table, policy)
    table["value_segment"] = segment.classify(table)
    own_rhythm = (table["x"] > 0).to_numpy() & (table["lifecycle_stage"] != "lost").to_numpy()
    following = rhythm.expected_next_order(table["last_day"].to_numpy(), own, own_rhythm)
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


def _with_prospects(buyers: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """All customers with the columns of the result; prospects have labels and no numbers.

    Args:
        buyers: is used up a column at a time.
    """
    prospect = ~customers["customer_id"].isin(buyers.pop("customer_id")).to_numpy()
    at = np.where(prospect, -1, np.cumsum(~prospect) - 1)  # both tables are sorted by customer
    result = {"customer_id": customers["customer_id"]}
    result["reasons"] = reasons.among(buyers.pop("reasons"), at)
    for name in buyers.columns:
        values = buyers.pop(name)
        result[name] = _typed(name, values.reindex(at) if prospect.any() else values)
        result[name].index = customers.index
        if name in LABELS_OF_PROSPECTS:
            result[name] = result[name].mask(prospect, LABELS_OF_PROSPECTS[name])
    result["cause"] = pd.Series(labels.same("behaviour", len(at)), index=customers.index, dtype="string")
    numbered = pd.api.types.is_integer_dtype(customers["format"])
    result["format"] = customers["format"] if numbered else customers["format"].astype("string")
    named = "format_id" if numbered else "business_format"
    return pd.DataFrame({name: result.pop(name) for name in COLUMNS}).rename(columns={"format": named})


def _expect_of_prospects(customers: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Gives prospects what their first year may bring (`prospects.expect`), in place."""
    at = rows_of(expected["customer_id"], customers["customer_id"])
    for name in prospects.VALUES:
        if name in customers:
            customers.loc[at, name] = expected[name].to_numpy()


def _typed(name: str, values: pd.Series) -> pd.Series:
    """A column of the result in its type, whatever prospects made of it."""
    if name in ("burden", "churn_withheld"):
        return values.eq(True)
    if name in ("order_days", "anomaly_percent"):
        return values.astype("Int64")
    if name.startswith("expected_next") or name in ("last_order_date", *classification.DAYS):
        return values.astype("datetime64[s]")
    return values.astype("string" if name in TEXTS else "float64")
