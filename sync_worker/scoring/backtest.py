"""The back-test of a company: forecasts of its own past beside what came; docs/backtest.md says what it returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from sync_worker.history.schema import History, as_day
from sync_worker.policy import Policy
from sync_worker.scoring import features, outliers, rhythm, selection
from sync_worker.scoring.forecast import Forecast
from sync_worker.scoring.grades import grade
from sync_worker.scoring.metrics import auc
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.plain import plain
from sync_worker.scoring.situation import take
from sync_worker.scoring.trials import STEP, TIERS, Trial
from sync_worker.sentences import sentence

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
    report(5, sentence("reading_history", "Reading what customers did"))
    if not (history.orders["amount"] > 0).any():
        words = "No customer has an order of a positive amount yet: there is nothing to judge."
        warning = sentence("nothing_to_judge", words)
        nothing = summarise([], None, policy, pd.Series(dtype=object), ())
        return nothing | {"warnings": [*history.warnings, warning]}
    facts = features.build(history, day, policy)
    formats, today = facts.table["format"], int(day.timestamp() // 86400)
    main_horizon = float(policy.value("churn_horizon_days"))
    own = rhythm.learn(facts.days, Peers(formats, policy), main_horizon).at(facts.days.last())
    sales, exceptional = outliers.tame(facts.sales)
    situation = take(sales, formats, today, main_horizon, policy, own).situation
    report(15, STEP)
    choice = selection.choose(
        sales,
        formats,
        situation,
        policy,
        today,
        most=cutoffs or CUTOFFS,
        progress=lambda part: report(15 + int(80 * part), STEP),
    )
    words = [*history.warnings, *facts.warnings, *exceptional, *choice.words]
    result = summarise(choice.judged, choice.forecast, policy, formats, words)
    report(100, sentence("judged", "Judged"))
    return result


def summarise(
    judged: Sequence[Trial],
    forecast: Forecast | None,
    policy: Policy,
    formats: pd.Series,
    warnings: Sequence[str],
) -> dict[str, Any]:
    """The documented dictionary, from trials that were made already.

    Args:
        forecast: the one chosen for today, None where nobody has ordered yet.
        formats: (customers,) business formats of today's buyers.
        warnings: sentences that come before those about the grade.
    """
    counts = formats.value_counts()
    large = [name for name in counts.index if counts[name] >= policy.value("peers_minimum", name)]
    grades = [grade(judged, name) for name in (None, *sorted(map(plain, large), key=str))]
    return plain(
        {
            "horizon_days": int(policy.value("churn_horizon_days")),
            "cutoffs": [_iso(trial.snapshot.day) for trial in judged],
            "tier": forecast.name if forecast else "rules",
            "tiers": _tiers(judged, forecast),
            "grades": grades,
            "tracking": [period for trial in judged for period in _tracking(trial)],
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
    if forecast is not None and judged and forecast.name not in {entry["name"] for entry in entries}:
        # only today there is enough to learn this one from: nothing is known of how well it does
        untried = {"name": forecast.name, "words": forecast.words, "brier": None, "auc": None, "chosen": True}
        entries.append(untried)
    return entries


def _tracking(trial: Trial) -> list[dict[str, Any]]:
    """What came in each part of a trial's horizon, beside what was forecast for it."""
    situation, forecast, told = trial.snapshot.situation, trial.forecast, trial.told(trial.chosen)
    ends = [np.floor(trial.horizon * step / STEPS) for step in range(STEPS + 1)]
    shape = np.array([forecast.orders_ahead(end, situation).sum() for end in ends])
    shares = np.diff(shape) / max(shape[-1] - shape[0], 1e-300)
    came = [trial.past.outcome(trial.snapshot, end) for end in ends]
    orders, value = (np.diff([getattr(one, name).sum() for one in came]) for name in ("orders", "value"))
    return [
        {
            "date": _iso(trial.snapshot.day + int(ends[step + 1].max())),
            "predicted": float(told.orders.sum() * shares[step]),
            "actual": float(orders[step]),
            "predicted_value": float(trial.expected_value.sum() * shares[step]),
            "actual_value": float(value[step]),
        }
        for step in range(STEPS)
    ]


def _cautions(company: dict[str, Any]) -> list[str]:
    sentences = {
        "cutoffs": sentence(
            "quality_history_short",
            "The history is too short to try the forecast on its own past: how good it is, is not known.",
        ),
        "customers": sentence(
            "quality_few_customers",
            "Too few customers were active at the earlier cut-offs to say how good the forecast is.",
        ),
        "outcomes": sentence(
            "quality_few_outcomes",
            "Too few customers stayed away, or too few came back, to say how good the forecast is.",
        ),
    }
    words = [sentences[company["missing"]]] if company["missing"] else []
    if company["grade"] == "D":
        told = "The forecast of churn showed no skill on this company's own past: do not rely on it."
        words.append(sentence("quality_no_skill", told))
    if company["grade"] == "C" and company["gain_low"] > 0:
        told = (
            "The forecast of churn ranked customers better than a simple rule, but its probabilities were off by "
            f"{company['ece']:.0%}."
        )
        words.append(sentence("quality_off", told, off=company["ece"]))
    elif company["grade"] == "C":
        told = (
            "The forecast of churn ranked customers no better than a simple rule on this company's own past."
        )
        words.append(sentence("quality_no_better", told))
    bias = company["value_log_bias"]
    if bias is not None and abs(bias) > BIASED:
        side, code = ("more", "quality_value_above") if bias > 0 else ("less", "quality_value_below")
        off = abs(np.expm1(bias))
        told = (
            f"On earlier cut-offs the expected sales came to {off:.0%} {side} than what came: "
            "a season or a trend that the history does not show yet."
        )
        words.append(sentence(code, told, off=off))
    return words


def _iso(day: int) -> str:
    return str(np.datetime64(day, "D"))
