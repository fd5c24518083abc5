"""The back-test of a company: forecasts of its own past beside what came; docs/backtest.md says what it returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from sync_worker.history.columns import as_day
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import features, metrics, outliers, rhythm, selection
from sync_worker.scoring.forecast import Forecast
from sync_worker.scoring.grades import grade
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.plain import plain
from sync_worker.scoring.situation import take
from sync_worker.scoring.trials import STEP, TIERS, Trial
from sync_worker.scoring.verdict import case
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
    grades = [
        grade(judged, name, int(policy.value("churn_horizon_days", name)))
        for name in (None, *sorted(map(plain, large), key=str))
    ]
    sample = _sample(judged, len(formats))
    return plain(
        {
            "horizon_days": int(policy.value("churn_horizon_days")),
            "cutoffs": [_iso(trial.snapshot.day) for trial in judged],
            "tier": forecast.name if forecast else "rules",
            "tiers": _tiers(judged, forecast),
            "sample": sample,
            "grades": grades,
            "tracking": [period for trial in judged for period in _tracking(trial)],
            "warnings": [*warnings, *_cautions(grades[0], sample)],
        }
    )


def _sample(judged: Sequence[Trial], buyers: int) -> dict[str, int] | None:
    """How many of today's buyers the trials looked at; None where they looked at all, or at none."""
    customers = len(judged[-1].past.rows) if judged else buyers
    return None if customers == buyers else {"customers": customers, "of": buyers}


def _tiers(judged: Sequence[Trial], forecast: Forecast | None) -> list[dict[str, Any]]:
    """What each tier of the newest trial did among active customers, on the trials that had them all."""
    names = [name for name in TIERS if judged and name in judged[-1].probabilities]
    alike = [trial for trial in judged if all(name in trial.probabilities for name in names)]
    active = [trial.snapshot.active for trial in alike]
    churned = [trial.outcome.churned[mask] for trial, mask in zip(alike, active, strict=True)]
    anybody = any(map(len, churned))
    entries = []
    for name in names:
        told = [trial.probabilities[name][mask] for trial, mask in zip(alike, active, strict=True)]
        entries.append(
            {
                "name": name,
                "words": alike[-1].forecasts[name].words,
                "brier": metrics.brier(np.concatenate(churned), np.concatenate(told)) if anybody else None,
                "auc": metrics.mean_auc(churned, told),
                "chosen": forecast is not None and forecast.name == name,
            }
        )
    if forecast is not None and judged and forecast.name not in names:
        # only today there is enough to learn this one from: nothing is known of how well it does
        untried = {"name": forecast.name, "words": forecast.words, "brier": None, "auc": None, "chosen": True}
        entries.append(untried)
    return entries


def _tracking(trial: Trial) -> list[dict[str, Any]]:
    """What came in each part of a trial's longest horizon, beside what was forecast for it.

    A customer counts within its own horizon: what is forecast for that is spread over the parts as the transaction
    models spread it.
    """
    own, situation = trial.horizon, trial.snapshot.situation
    ends = [np.floor(own.max() * step / STEPS) for step in range(1, STEPS + 1)]
    within = [np.minimum(end, own) for end in ends]
    whole = trial.forecast.orders_ahead(own, situation)
    # who is expected never to order again is expected to do so evenly
    shares = [
        np.divide(trial.forecast.orders_ahead(part, situation), whole, out=part / own, where=whole > 0)
        for part in within
    ]
    came = [trial.past.outcome(trial.snapshot, part) for part in within]
    totals = {
        "predicted": [share @ trial.told(trial.chosen).orders for share in shares],
        "actual": [one.orders.sum() for one in came],
        "predicted_value": [share @ trial.expected_value for share in shares],
        "actual_value": [one.value.sum() for one in came],
    }
    parts = {name: np.diff(sums, prepend=0.0) for name, sums in totals.items()}
    return [
        {
            "date": _iso(trial.snapshot.day + int(end)),
            **{name: float(amounts[step]) for name, amounts in parts.items()},
        }
        for step, end in enumerate(ends)
    ]


def _cautions(company: dict[str, Any], sample: dict[str, int] | None) -> list[str]:
    words = [] if sample is None else [_sampled(sample)]
    words += [caution for caution in (_missing(company), _caution(company)) if caution]
    bias = company["value_log_bias"]
    if bias is not None and abs(bias) > BIASED:
        side, code = ("more", "quality_value_above") if bias > 0 else ("less", "quality_value_below")
        off = abs(np.expm1(bias))
        told = (
            f"On earlier cut-offs the expected value came to {off:.0%} {side} than what came: "
            "a season or a trend that the history does not show yet."
        )
        words.append(sentence(code, told, off=off))
    return words


def _sampled(sample: dict[str, int]) -> str:
    told = (
        f"Numbers of customers and amounts of the back-test are those of a sample of {sample['customers']:,} of the "
        f"{sample['of']:,} customers."
    )
    return sentence("quality_sampled", told, customers=sample["customers"], all=sample["of"])


def _missing(company: dict[str, Any]) -> str | None:
    """Why there is no grade."""
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
    return sentences.get(company["missing"])


def _caution(company: dict[str, Any]) -> str | None:
    """What a grade that is no better than `C` means."""
    off = company["ece"] or 0.0
    sentences = {
        "off": sentence(
            "quality_off",
            "The forecast of churn ranked customers better than a simple rule, but its probabilities were off by "
            f"{off:.0%}.",
            off=off,
        ),
        "rule_better": sentence(
            "quality_rule_better",
            "The best simple rule ranked customers better than the forecast of churn on this company's own past: work "
            "by the rule.",
        ),
        "no_difference": sentence(
            "quality_no_difference",
            "On this company's own past the forecast of churn ranked customers neither clearly better nor clearly "
            "worse than the best simple rule, which may serve as well.",
        ),
        "worse_than_rate": sentence(
            "quality_worse_than_rate",
            "The forecast of churn ranked customers better than chance on this company's own past, but its "
            "probabilities were worse than the churn rate alone: do not use them.",
        ),
        "no_skill": sentence(
            "quality_no_skill",
            "The forecast of churn showed no skill on this company's own past: do not rely on it.",
        ),
    }
    return sentences.get(case(company))


def _iso(day: int) -> str:
    return str(np.datetime64(day, "D"))
