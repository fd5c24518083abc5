"""A grade for a company or a business format: how well its forecasts did on its own past, beside a simple rule.

docs/backtest.md says what each figure and grade means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

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
    """A trial's active customers of the company or of one format; all (n,)."""

    trial: Trial
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
            trial.outcome.churned[active],
            trial.probability[active],
            rule[active],
            np.clip(trial.spent[active], 0, None),  # who returned more than it bought carries nothing
        )


def grade(trials: Sequence[Trial], format_id: Any = None) -> dict[str, Any]:
    """One entry of `grades` in docs/backtest.md.

    Args:
        trials: oldest first; may be empty.
        format_id: the business format; None for the whole company.
    """
    masks = [_of_format(trial, format_id) for trial in trials]
    judged = [_Judged.of(trial, mask) for trial, mask in zip(trials, masks, strict=True)]
    churned = np.concatenate([one.churned for one in judged]) if judged else np.zeros(0, bool)
    missing = _missing(trials, churned)
    # the newest day with anybody to judge: a format, or a company, may have stopped since
    last = next((one for one in reversed(judged) if len(one.churned)), None)
    entry: dict[str, Any] = dict.fromkeys(KEYS) | {
        "format": format_id,
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
    entry |= _story(last) | _ranking(judged) | _money(trials, masks)
    probability = np.concatenate([one.probability for one in judged])
    rate = np.full(len(churned), churned.mean())
    entry |= {
        "brier": metrics.brier(churned, probability),
        "base_brier": metrics.brier(churned, rate),
        "ece": metrics.expected_calibration_error(churned, probability),
        "ece_by_luck": metrics.calibration_error_by_luck(probability),
        "calibration": metrics.calibration(churned, probability),
    }
    entry["grade"] = _letter(entry)
    return entry


KEYS = (
    "format",
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


def _missing(trials: Sequence[Trial], churned: np.ndarray) -> str | None:
    if not trials:
        return "cutoffs"
    if len(churned) < ACTIVE_MINIMUM:
        return "customers"
    return "outcomes" if min(churned.sum(), (~churned).sum()) < OUTCOMES_MINIMUM else None


def _story(last: _Judged) -> dict[str, Any]:
    """What would have been found on the latest day: the story a manager reads."""
    listed = max(1, min(LISTED, int(LISTED_SHARE * len(last.churned))))
    ours = metrics.most_at_risk(last.probability, listed)
    theirs = metrics.most_at_risk(last.rule_score, listed)

    def found(rows: np.ndarray) -> tuple[int, float]:
        gone = rows[last.churned[rows]]
        return len(gone), float(last.spent[gone].sum())

    shares = [
        metrics.captured(last.churned, last.spent, score) for score in (last.probability, last.rule_score)
    ]
    lift = zip(*shares[0], *shares[1], strict=True)
    return {
        "listed": listed,
        "found": found(ours)[0],
        "found_value": found(ours)[1],
        "rule": {
            "code": last.trial.rule,
            "params": rules.threshold(last.trial.rule, float(last.rule_score[theirs].min())),
        },
        "rule_found": found(theirs)[0],
        "rule_found_value": found(theirs)[1],
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


def _ranking(judged: Sequence[_Judged]) -> dict[str, float | None]:
    """AUC and its gain over the rule: means over the trials weighted by what each can tell.

    Each trial counts by its number of pairs of one who churned and one who stayed over their sum, to which the
    precision of an AUC is about proportional.
    """
    pairs, found = [], []
    for one in judged:
        gone, stayed = int(one.churned.sum()), int((~one.churned).sum())
        if gone and stayed:
            pairs.append(gone * stayed / (gone + stayed))
            found.append(metrics.compare(one.churned, one.probability, one.rule_score))
    weight = np.array(pairs) / np.sum(pairs)
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
