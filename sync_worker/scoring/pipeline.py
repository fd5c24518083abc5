"""From a history to scores: features, models, classification, explanation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from sync_worker.history.columns import as_day
from sync_worker.history.facts import rows_of
from sync_worker.history.schema import History
from sync_worker.memory import give_back_free
from sync_worker.policy import SALES_WORDS, Policy
from sync_worker.scoring import (
    anomaly,
    base_models,
    causes,
    churn,
    classification,
    complaints,
    equity,
    explanation,
    labelling,
    lifecycle,
    memory,
    portraits,
    prospects,
    reasons,
)
from sync_worker.scoring.peers import peers_of
from sync_worker.scoring.preparation import Prepared, prepare
from sync_worker.scoring.summary import summarise
from sync_worker.sentences import sentence

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
    "usual_gap",
    "historical_value",
    "current_value",
    "potential_value",
    "lifetime_value",
    "value_slope",
    "value_trend",
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
    "value_trend",
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
OF_BUYERS = tuple(name for name in COLUMNS if name not in ("format", "reasons", "cause"))
LABELS_OF_PROSPECTS = {
    "lifecycle_stage": "selection",
    "value_segment": "prospect",
    "loyalty_stage": "awareness",
    "confidence": "none",
}

#: Facts that labels are found by and nothing else.
WORKINGS = (
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
    "expected_net",
    "potential_revenue",
    "next_value",
    "value_index",
    "class_by_rule",
    "burden_by_rule",
    "key_border",
    "risk_by_rule",
    "stage_by_rule",
    "dormant_after",
    "lost_after",
    "worth_winning_back",
    "typical_gap",
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
    *,
    withhold: bool = False,
    keep: Callable[[Prepared, pd.DataFrame], None] | None = None,
    before: causes.Before | None = None,
    decimals: int = 2,
    last_use: bool = False,
) -> Result:
    """Scores every customer of a history as of the end of a day.

    Args:
        history: orders after `as_of` are left out, with a warning.
        policy: thresholds per company and format.
        progress: called with percent done and the step, now and then.
        withhold: leave churn probability and risk empty where the back-test's grade is one the policy
            withholds, as for publication.
        keep: is given what the labels of the buyers rest on, without the sales, and the labels (`labelling.TOLD`).
        before: what is known of the run before. Labels that its policy would tell otherwise change by the policy; all
            of them do where it counted sales from something else, which is not in this history.
        decimals: digits of the currency.
        last_use: take orders, lines and facts out of `history`, so that they can be let go before the end.

    Raises:
        HistoryError: no customer was known on or before `as_of`.
    """
    report = _reporting(progress)
    day = as_day(as_of)
    whole, history = history, history.until(day)
    if last_use:
        whole.orders, whole.lines, whole.facts = whole.orders.iloc[:0].copy(), None, {}
    before = before or causes.Before()
    recounted = before.policy is not None and before.policy.sales != policy.sales
    report(5, sentence("reading_history", "Reading what customers did"))
    warnings = list(history.warnings)
    if (history.orders["amount"] > 0).any():
        buyers, candidates, otherwise, forecast, results, words = _buyers(
            history,
            day,
            policy,
            report,
            withhold=withhold,
            keep=keep,
            before=causes.Before() if recounted else before,
            last_use=last_use,
        )
        warnings += words
    else:
        forecast, candidates, otherwise = None, [], causes.Otherwise()
        buyers = pd.DataFrame(columns=["first_day", *OF_BUYERS])
        # nothing is to be measured: what is gone is told in what it was measured in
        results = {"basis": equity.basis(history.previous) or "revenue", "lacks": []}
        told = "No customer has an order of a positive amount yet: all are prospects."
        warnings.append(sentence("all_prospects", told))
    first_day = np.full(len(history.customers), np.nan)
    at = rows_of(buyers.pop("customer_id"), history.customers["customer_id"])
    first_day[at] = buyers.pop("first_day")
    candidates = reasons.among(candidates, at)
    give_back_free()  # the texts take most memory of all
    texts = reasons.written(candidates, len(first_day), policy.sales)
    del candidates
    report(95, sentence("putting_together", "Putting results together"))
    customers = _with_prospects(buyers, at, texts, history.customers)
    del texts
    if recounted:
        otherwise = causes.Otherwise(by_policy=customers["customer_id"])
    cause = causes.told(customers["customer_id"], before, otherwise)
    customers["cause"] = _typed("cause", pd.Series(cause, customers.index))
    expected = prospects.expect(history, first_day, results["basis"], int(day.timestamp() // 86400))
    _expect_of_prospects(customers, expected.table)
    del first_day, at
    if len(expected.table):
        results["lacks"] = list(dict.fromkeys([*results["lacks"], *expected.lacks]))
    opening, words = equity.before(history.previous, results["basis"])
    if recounted:
        then, now = before.policy.sales, policy.sales
        told = f"Sales were counted from {SALES_WORDS[then]} at the last run and from {SALES_WORDS[now]} now"
        told = f"{told}: {equity.UNTOLD}"
        opening, words = None, [sentence("equity_sales_changed", told, then=then, now=now)]
    results["equity"] = equity.bridge(opening, customers, decimals)
    warnings += words
    summary = summarise(customers, day, forecast) | results
    report(100, sentence("scored", "Scored"))
    return Result(customers, summary, warnings)


def _reporting(progress: Callable[[int, str], None] | None) -> Callable[[int, str], None]:
    """Tells of a step, and before it lets go of what those before it left."""

    def report(percent: int, step: str) -> None:
        give_back_free()
        if progress:
            progress(percent, step)

    return report


def _buyers(history, day, policy, report, *, withhold, keep, before, last_use):
    """The scored table of the buyers, the reasons that may be given to them, whom the run before would have labelled
    otherwise, the forecast, results for the company (`backtest` and those of `classification`), and sentences about
    them."""
    prepared, judged, words = prepare(history, day, policy, report, before.tier)
    found_by_then = list(prepared.facts.table)
    besides = {}
    if before.policy:
        by_policy = labelling.by_policy(before.policy, prepared, history, day, withhold=withhold)
        besides["by_policy"] = labelling.Labelled(before.policy, by_policy)
    if prepared.other:
        by_model = replace(prepared, forecast=prepared.other, other=None, expected=None)
        besides["by_model"] = labelling.Labelled(
            policy, labelling.relabel(by_model, policy, withhold=withhold)
        )
        prepared.other = by_model = None
    if last_use and not _asks_for_orders(history):
        history.orders = history.orders.iloc[:0].copy()
    report(55, sentence("expecting_value", "Expecting orders and value"))
    facts, today, own = prepared.facts, prepared.today, prepared.own
    served = labelling.label(prepared, policy, withhold=withhold)
    if keep:
        as_prepared = facts.without("sales")
        as_prepared.table = facts.table[found_by_then]
        keep(replace(prepared, facts=as_prepared), facts.table[[*labelling.TOLD]])

    report(70, sentence("classifying", "Classifying"))
    forecast, situation, past = prepared.forecast, prepared.situation, prepared.past
    owed, back, said = prepared.owed, prepared.back, prepared.said
    del prepared  # the rhythms after each order-day
    peers = peers_of(facts.table, policy)
    described = portraits.describe(facts.table, portraits.take(facts))
    attached = complaints.evidence(said, facts, back, policy, today)
    attached = [*map(reasons.told, attached)]  # of few customers, while the others are let go
    facts = facts.without("days")
    give_back_free()
    changes = anomaly.classify(facts, facts.table["lifecycle_stage"], policy, today)
    facts = facts.without("sales")
    served.evidence = [*map(reasons.told, served.evidence)]
    changes.evidence = [*map(reasons.told, changes.evidence)]
    kept = classification.Kept(portraits=described, owed=owed, back=back, changes=changes)
    found = classification.classify(
        facts,
        history,
        peers,
        policy,
        today,
        kept=kept,
        served=served,
        trials=judged,
        besides=[*besides.values()],
    )
    facts.table[found.table.columns] = found.table
    others = {
        name: _differing(other.table.join(types), facts.table)
        for (name, other), types in zip(besides.items(), found.besides, strict=True)
    }
    otherwise = causes.Otherwise(**others)
    found.table = found.table[[]]
    del kept, served, changes, besides, judged, back, owed, said

    report(80, sentence("finding_reasons", "Finding reasons"))
    near = [*churn.evidence(facts.table, policy), *lifecycle.evidence(facts.table, policy)]
    near = [*map(reasons.told, near)]
    # as it is told: of a single order-day the peers' gap is no gap of its own
    usual = facts.table["typical_gap"].round().clip(lower=1).where(facts.table["x"] > 0)
    facts.table = table = facts.table.drop(columns=[*WORKINGS]).assign(usual_gap=usual.astype("float32"))
    candidates = explanation.candidates(
        facts,
        peers,
        forecast=forecast,
        situation=situation,
        rhythm=own,
        policy=policy,
        lack=base_models.shortage(situation),
        evidence=[*near, *attached, *found.evidence],
        remembered=memory.kept(history.previous, policy),
    )
    table.loc[table["churn_withheld"], "churn_probability"] = np.nan
    return (
        table[["first_day", *OF_BUYERS]],
        candidates,
        otherwise,
        forecast,
        {**found.company, "basis": facts.basis, "lacks": found.lacks, "backtest": past},
        words,
    )


def _asks_for_orders(history: History) -> bool:
    """Whether anybody looks at the orders again once they are in the facts of the buyers."""
    return (
        history.lines is not None
        or history.orders["margin"].notna().any()
        or bool(len(history.facts.get("leads", ())))
    )


def _differing(before: pd.DataFrame, table: pd.DataFrame) -> pd.Series:
    """The customers of whom a label is another in two tables of the same ones, (k,) ids."""
    other = labelling.differ(before, table, labelling.ALL).any(axis=1).to_numpy()
    return table.loc[other, "customer_id"]


def _with_prospects(
    buyers: pd.DataFrame, at: np.ndarray, texts: pd.Series, customers: pd.DataFrame
) -> pd.DataFrame:
    """All customers with the columns of the result; prospects have labels and no numbers.

    Args:
        buyers: is used up a column at a time.
        at: place of each buyer among the customers.
        texts: reasons of each customer.
    """
    row = np.full(len(customers), -1)
    row[at] = np.arange(len(at))
    prospect = row < 0
    result = {"customer_id": customers["customer_id"], "reasons": texts}
    numbers, labels = ([name for name in buyers.columns if (name in TEXTS) == text] for text in (False, True))
    for names in (numbers, labels):  # labels last: as text they take more memory than what they replace
        for name in names:
            values = buyers.pop(name)
            if prospect.any():  # as `reindex`, without finding the rows of each column again
                values = pd.Series(values.array.take(row, allow_fill=True))
            result[name] = _typed(name, values)
            result[name].index = customers.index
            if name in LABELS_OF_PROSPECTS:
                result[name] = result[name].mask(prospect, LABELS_OF_PROSPECTS[name])
        give_back_free()
    numbered = pd.api.types.is_integer_dtype(customers["format"])
    result["format"] = customers["format"] if numbered else customers["format"].astype("string")
    named = "format_id" if numbered else "business_format"
    known = [name for name in COLUMNS if name in result]
    columns = {named if name == "format" else name: result.pop(name) for name in known}
    return pd.DataFrame(columns, copy=False)


def _expect_of_prospects(customers: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Gives prospects what their first year may bring (`prospects.expect`), in place."""
    at = rows_of(expected["customer_id"], customers["customer_id"])
    for name in prospects.VALUES:
        customers.loc[at, name] = expected[name].to_numpy()


def _typed(name: str, values: pd.Series) -> pd.Series:
    """A column of the result in its type, whatever prospects made of it."""
    if name in ("burden", "churn_withheld"):
        return values.eq(True)
    if name in ("order_days", "usual_gap", "anomaly_percent"):
        return values.astype("Int64")
    if name.startswith("expected_next") or name in ("last_order_date", *classification.DAYS):
        return values.astype("datetime64[s]")
    if name in TEXTS and isinstance(
        values.dtype, pd.CategoricalDtype
    ):  # each name made a text once, not each value
        names = values.cat.categories.astype("string").array
        return pd.Series(names.take(values.cat.codes.to_numpy(), allow_fill=True), values.index)
    return values.astype("string" if name in TEXTS else "float64")
