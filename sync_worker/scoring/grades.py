"""A grade for a company or a business format: how well its forecasts did on its own past, beside a simple rule.

docs/backtest.md says what each figure and grade means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from sync_worker.scoring import metrics, rules
from sync_worker.scoring.metrics import Z_90
from sync_worker.scoring.trials import Trial

ACTIVE_MINIMUM = 30
OUTCOMES_MINIMUM = 10
LISTED = 50
#: Most of the active customers that are listed.
LISTED_SHARE = 0.2
ECE_A, ECE_B = 0.05, 0.10
ORDER = "ABCD"


@dataclass(frozen=True)
class _Judged:
    """A trial's active customers of the company or of one format; all (n,), `horizon` in days."""

    trial: Trial
    horizon: np.ndarray
    churned: np.ndarray
    probability: np.ndarray
    rule_score: np.ndarray
    spent: np.ndarray

    @classmethod
    def of(cls, trial: Trial, chosen: np.ndarray) -> _Judged:
        active = trial.snapshot.active & chosen
        situation = trial.snapshot.situation
        rule = rules.scores(situation)[trial.rule]
        return cls(
            trial,
            trial.horizon[active],
            trial.outcome.churned[active],
            trial.probability[active],
            rule[active],
            np.clip(trial.spent[active], 0, None),  # who returned more than it bought carries nothing
        )

    def alike(self) -> list[_Judged]:
        """Those of each horizon by themselves: that a longer one has more orders in it is no skill."""
        masks = [self.horizon == days for days in np.unique(self.horizon)]
        arrays = (self.horizon, self.churned, self.probability, self.rule_score, self.spent)
        return [_Judged(self.trial, *(each[mask] for each in arrays)) for mask in masks]


def grade(trials: Sequence[Trial], format_id: Any = None, horizon_days: int | None = None) -> dict[str, Any]:
    """One entry of `grades` in docs/backtest.md.

    Args:
        trials: oldest first; may be empty.
        format_id: the business format; None for the whole company.
        horizon_days: the churn horizon that is told where nobody is judged.
    """
    masks = [_of_format(trial, format_id) for trial in trials]
    judged = [_Judged.of(trial, mask) for trial, mask in zip(trials, masks, strict=True)]
    churned = np.concatenate([one.churned for one in judged]) if judged else np.zeros(0, bool)
    alike = [part for one in judged for part in one.alike()]
    missing = _missing(judged, alike)
    # the newest day with anybody to judge: a format, or a company, may have stopped since
    last = next((one for one in reversed(judged) if len(one.churned)), None)
    entry: dict[str, Any] = dict.fromkeys(KEYS) | {
        "format": format_id,
        "horizon_days": _horizon(judged, horizon_days),
        "missing": missing,
        "calibration": [],
        "lift": [],
        "deciles": [],
    }
    if last is not None:
        entry["cutoff"] = str(np.datetime64(last.trial.snapshot.day, "D"))
        entry |= {"customers": len(last.churned), "churned": int(last.churned.sum())}
    if missing or last is None:
        return entry
    entry |= _story(last) | _ranking(alike) | _money(trials, masks)
    probability = np.concatenate([one.probability for one in judged])
    entry |= {
        "brier": metrics.brier(churned, probability),
        "base_brier": _base_brier(alike),
        "ece": metrics.expected_calibration_error(churned, probability),
        "ece_by_luck": metrics.calibration_error_by_luck(probability),
        "calibration": metrics.calibration(churned, probability),
    }
    entry["grade"] = _letter(entry)
    return entry


KEYS = (
    "format",
    "horizon_days",
    "grade",
    "missing",
    "cutoff",
    "customers",
    "churned",
    "listed",
    "found",
    "found_value",
    "rule",
    "rule_found",
    "rule_found_value",
    "chance_found",
    "auc",
    "auc_low",
    "auc_high",
    "rule_auc",
    "gain",
    "gain_low",
    "gain_high",
    "brier",
    "base_brier",
    "ece",
    "ece_by_luck",
    "value_log_bias",
    "coverage",
    "calibration",
    "lift",
    "deciles",
)


def withheld(entry: dict[str, Any], poorest: float) -> bool:
    """Whether a grade is among so many of the poorest ones (1: D; 2: C and D), which withhold probabilities."""
    return entry["grade"] is not None and entry["grade"] in ORDER[len(ORDER) - int(poorest) :]


def _of_format(trial: Trial, format_id: Any) -> np.ndarray:
    if format_id is None:
        return np.ones(len(trial.snapshot.rows), dtype=bool)
    return (trial.snapshot.formats == format_id).to_numpy(dtype=bool, na_value=False)


def _horizon(judged: Sequence[_Judged], untried: int | None) -> int | None:
    """The one churn horizon of all who were judged; None where they had several."""
    days = {int(day) for one in judged for day in np.unique(one.horizon)} or {untried}
    return days.pop() if len(days) == 1 else None


def _missing(judged: Sequence[_Judged], alike: Sequence[_Judged]) -> str | None:
    if not judged:
        return "cutoffs"
    customers, gone = (sum(count(one.churned) for one in judged) for count in (len, np.count_nonzero))
    if customers < ACTIVE_MINIMUM:
        return "customers"
    # who stayed at one cut-off, or within one horizon, and who left at another cannot be ranked against each other
    together = any(one.churned.any() and not one.churned.all() for one in alike)
    return None if together and min(gone, customers - gone) >= OUTCOMES_MINIMUM else "outcomes"


def _story(last: _Judged) -> dict[str, Any]:
    """What would have been found on the latest day: the story a manager reads."""
    listed = max(1, min(LISTED, int(LISTED_SHARE * len(last.churned))))
    spent = np.where(last.churned, last.spent, 0.0)

    scores = [_within_horizons(score, last.horizon) for score in (last.probability, last.rule_score)]

    def found(score: np.ndarray) -> tuple[int, float]:
        gone, value = (metrics.among_most_at_risk(each, score, listed) for each in (last.churned, spent))
        count = round(float(gone))
        return count, float(value) if count else 0.0

    (ours, our_value), (theirs, their_value) = map(found, scores)
    code, window = last.trial.rule, last.trial.snapshot.horizon
    shares = [metrics.captured(last.churned, last.spent, score) for score in scores]
    # of several horizons it lists by a threshold in each
    several = len(np.unique(last.horizon)) > 1
    border = float(np.sort(last.rule_score)[-listed])
    lift = zip(*shares[0], *shares[1], strict=True)
    return {
        "listed": listed,
        "found": ours,
        "found_value": our_value,
        "rule": {
            "code": code,
            "params": {} if several else rules.threshold(code, border, window),
        },
        "rule_found": theirs,
        "rule_found_value": their_value,
        "chance_found": float(listed * last.churned.mean()),
        "lift": [
            {
                "share": (step + 1) / 10,
                "found": ours_found,
                "found_value": ours_value,
                "rule_found": rule_found,
                "rule_found_value": rule_value,
            }
            for step, (ours_found, ours_value, rule_found, rule_value) in enumerate(lift)
        ],
    }


def _within_horizons(score: np.ndarray, horizon: np.ndarray) -> np.ndarray:
    """What ranks customers of one horizon as the score does, and takes as large a share of those of each, (n,)."""
    days, which = np.unique(horizon, return_inverse=True)
    if len(days) < 2:
        return score
    ranked = np.empty(len(score))
    for number in range(len(days)):
        own = which == number
        ranked[own] = (rankdata(score[own]) - 0.5) / own.sum()
    return ranked


def _base_brier(alike: Sequence[_Judged]) -> float:
    """The Brier score of the churn rate of each horizon over all cut-offs."""
    horizon = np.concatenate([one.horizon for one in alike])
    churned = np.concatenate([one.churned for one in alike])
    _days, which = np.unique(horizon, return_inverse=True)
    rate = np.bincount(which, churned) / np.bincount(which)
    return metrics.brier(churned, rate[which])


def _ranking(judged: Sequence[_Judged]) -> dict[str, float | None]:
    """AUC and its gain over the rule: means over the trials weighted by what each can tell."""
    telling = [one for one in judged if one.churned.any() and not one.churned.all()]
    weight = metrics.auc_weights([one.churned for one in telling])
    found = [metrics.compare(one.churned, one.probability, one.rule_score) for one in telling]
    area, other = (float(weight @ [getattr(one, name) for one in found]) for name in ("auc", "other"))
    error, gain_error = (
        float(np.sqrt(np.square(weight) @ [getattr(one, name) for one in found]))
        for name in ("variance", "gain_variance")
    )
    return {
        "auc": area,
        "auc_low": max(area - Z_90 * error, 0.0),
        "auc_high": min(area + Z_90 * error, 1.0),
        "rule_auc": other,
        "gain": area - other,
        "gain_low": area - other - Z_90 * gain_error,
        "gain_high": area - other + Z_90 * gain_error,
    }


def _money(trials: Sequence[Trial], masks: Sequence[np.ndarray]) -> dict[str, Any]:
    forecast = np.concatenate([t.expected_value[mask] for t, mask in zip(trials, masks, strict=True)])
    actual = np.concatenate([t.outcome.value[mask] for t, mask in zip(trials, masks, strict=True)])
    held = np.concatenate([t.held[mask] for t, mask in zip(trials, masks, strict=True)])
    bias = np.log(forecast.sum() / actual.sum()) if forecast.sum() > 0 and actual.sum() > 0 else None
    deciles = np.array_split(np.argsort(forecast, kind="stable"), 10)
    return {
        "value_log_bias": None if bias is None else float(bias),
        "coverage": float(held.mean()),
        "deciles": [
            {"predicted_value": float(forecast[part].mean()), "actual_value": float(actual[part].mean())}
            for part in deciles
            if len(part)
        ],
    }


def _letter(entry: dict[str, Any]) -> str:
    skill = entry["auc_low"] > 0.5 and entry["brier"] < entry["base_brier"]
    if skill and entry["gain_low"] > 0 and entry["ece"] <= ECE_A:
        return "A"
    # of few customers the error is large however right the probabilities are
    if skill and entry["gain_low"] > 0 and entry["ece"] <= max(ECE_B, entry["ece_by_luck"]):
        return "B"
    return "C" if skill else "D"
