"""The back-test of a company: forecasts of its own past beside what came; docs/backtest.md says what it returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from sync_worker.history.schema import History, as_day
from sync_worker.policy import Policy
from sync_worker.scoring import features, rhythm, selection
from sync_worker.scoring.features import Features
from sync_worker.scoring.forecast import Forecast
from sync_worker.scoring.grades import grade
from sync_worker.scoring.metrics import auc
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.situation import take
from sync_worker.scoring.trials import TIERS, Trial

#: Earlier days judged where nothing else is asked for.
CUTOFFS = 6
#: Points of time within a horizon at which totals are compared.
STEPS = 6
#: Beyond this the total of the forecasts was off so far that a manager should know.
BIASED = 0.2


def backtest(
    history: History,
    as_of: date | str,
    policy: Policy,
    *,
    cutoffs: int | None = None,
    progress: Callable[[int, str], None] | None = None,
) -> dict[str, Any]:
    """Forecasts on earlier days of a history, graded; plain values ready for JSON.

    Args:
        history: what is dated after `as_of` is left out.
        cutoffs: the most earlier days to judge on, `CUTOFFS` without one.
        progress: called with percent done and the step.

    Raises:
        HistoryError: no customer was known on or before `as_of`.
    """
    report = progress or (lambda percent, step: None)
    day = as_day(as_of)
    history = history.until(day)
    report(5, "Reading what customers did")
    if not (history.orders["amount"] > 0).any():
        warning = "No customer has an order of a positive amount yet: there is nothing to judge."
        nothing = summarise([], None, policy, pd.Series(dtype=object), ())
        return nothing | {"warnings": [*history.warnings, warning]}
    facts = features.build(history, day, policy)
    formats, today = facts.table["format"], int(day.timestamp() // 86400)
    main_horizon = float(policy.value("churn_horizon_days"))
    own = rhythm.learn(facts.days, Peers(formats, policy), main_horizon).at(facts.days.last())
    situation = take(facts.sales, formats, today, main_horizon, policy, own).situation
    report(15, "Forecasting the past")
    forecast, judged, words = selection.choose(
        facts,
        situation,
        policy,
        today,
        most=cutoffs or CUTOFFS,
        progress=lambda part: report(15 + int(80 * part), "Forecasting the past"),
    )
    result = of_trials(facts, judged, forecast, policy, [*history.warnings, *facts.warnings, *words])
    report(100, "Judged")
    return result


def of_trials(
    facts: Features, judged: Sequence[Trial], forecast: Forecast, policy: Policy, warnings: Sequence[str]
) -> dict[str, Any]:
    """The result from trials that were made already."""
    return summarise(judged, forecast, policy, facts.table["format"], warnings)


def summarise(
    judged: Sequence[Trial],
    forecast: Forecast | None,
    policy: Policy,
    formats: pd.Series,
    warnings: Sequence[str],
) -> dict[str, Any]:
    """The documented dictionary."""
    counts = formats.value_counts()
    large = [name for name in counts.index if counts[name] >= policy.value("peers_minimum", name)]
    grades = [grade(judged, name) for name in (None, *sorted(map(_plain, large), key=str))]
    return _plain(
        {
            "horizon_days": int(policy.value("churn_horizon_days")),
            "cutoffs": [_iso(trial.snapshot.day) for trial in judged],
            "tier": forecast.name if forecast else "rules",
            "tiers": _tiers(judged, forecast),
            "grades": grades,
            "tracking": _tracking(judged[-1]) if judged else [],
            "warnings": [*warnings, *_cautions(grades[0])],
        }
    )


def _tiers(judged: Sequence[Trial], forecast: Forecast | None) -> list[dict[str, Any]]:
    """What each tier did on all trials that had it, among active customers."""
    entries = []
    for name in TIERS:
        have = [trial for trial in judged if name in trial.probabilities]
        if not have:
            continue
        areas = [
            auc(
                trial.outcome.churned[trial.snapshot.active], trial.probabilities[name][trial.snapshot.active]
            )
            for trial in have
        ]
        known = [area for area in areas if np.isfinite(area)]
        entries.append(
            {
                "name": name,
                "words": have[-1].forecasts[name].words,
                "brier": float(np.mean([trial.brier(name) for trial in have])),
                "auc": float(np.mean(known)) if known else None,
                "chosen": forecast is not None and forecast.name == name,
            }
        )
    return entries


def _tracking(trial: Trial) -> list[dict[str, Any]]:
    """Totals of the latest trial's horizon, step by step."""
    horizon = float(trial.horizon.max())
    totals = trial.told(trial.chosen).orders.sum(), trial.expected_value.sum()
    situation, forecast = trial.snapshot.situation, trial.forecast
    whole = forecast.orders_ahead(trial.horizon, situation).sum()
    entries = []
    for step in range(1, STEPS + 1):
        ahead = trial.horizon * step / STEPS
        came = trial.past.outcome(trial.snapshot, np.floor(ahead))
        share = forecast.orders_ahead(np.floor(ahead), situation).sum() / max(whole, 1e-300)
        entries.append(
            {
                "date": _iso(trial.snapshot.day + int(horizon * step / STEPS)),
                "predicted": float(totals[0] * share),
                "actual": float(came.orders.sum()),
                "predicted_value": float(totals[1] * share),
                "actual_value": float(came.net.sum()),
            }
        )
    return entries


def _cautions(company: dict[str, Any]) -> list[str]:
    sentences = {
        "cutoffs": "The history is too short to try the forecast on its own past: how good it is, is not known.",
        "customers": "Too few customers were active at the earlier cut-offs to say how good the forecast is.",
        "outcomes": "Too few customers stayed away, or too few came back, to say how good the forecast is.",
    }
    words = [sentences[company["missing"]]] if company["missing"] else []
    if company["grade"] == "D":
        words.append("The forecast of churn showed no skill on this company's own past: do not rely on it.")
    if company["grade"] == "C" and company["gain_low"] > 0:
        words.append(
            "The forecast of churn ranked customers better than a simple rule, but its probabilities were off by "
            f"{company['ece']:.0%}."
        )
    elif company["grade"] == "C":
        words.append(
            "The forecast of churn ranked customers no better than a simple rule on this company's own past."
        )
    bias = company["value_log_bias"]
    if bias is not None and abs(bias) > BIASED:
        side = "more" if bias > 0 else "less"
        words.append(
            f"On earlier cut-offs the expected sales came to {abs(np.expm1(bias)):.0%} {side} than what came: "
            "a season or a trend that the history does not show yet."
        )
    return words


def _iso(day: int) -> str:
    return str(np.datetime64(day, "D"))


def _plain(value: Any) -> Any:
    """Values of Python that JSON knows; what is not a number becomes None."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
