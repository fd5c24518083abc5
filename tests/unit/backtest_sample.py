"""A back-test result as docs/backtest.md says, of figures that can be checked by eye."""

import copy
from typing import Any

_WHOLE = {
    "format": None,
    "horizon_days": 90,
    "grade": "A",
    "missing": None,
    "cutoff": "2026-08-24",
    "customers": 412,
    "churned": 61,
    "listed": 50,
    "found": 23,
    "found_value": 81234.5,
    "rule": {"code": "recency", "params": {"days": 60}},
    "rule_found": 15,
    "rule_found_value": 52100.0,
    "chance_found": 7.4,
    "auc": 0.781,
    "auc_low": 0.75,
    "auc_high": 0.81,
    "rule_auc": 0.741,
    "gain": 0.04,
    "gain_low": 0.012,
    "gain_high": 0.068,
    "brier": 0.101,
    "base_brier": 0.126,
    "ece": 0.021,
    "ece_by_luck": 0.018,
    "value_log_bias": 0.04,
    "coverage": 0.81,
    "calibration": [
        {"predicted": 0.02 + 0.05 * place, "actual": 0.02 + 0.052 * place, "customers": 120}
        for place in range(10)
    ],
    "lift": [
        {
            "share": place / 10,
            "found": (place / 10) ** 0.5,
            "found_value": (place / 10) ** 0.6,
            "rule_found": (place / 10) ** 0.7,
            "rule_found_value": (place / 10) ** 0.8,
        }
        for place in range(1, 11)
    ],
    "deciles": [
        {"predicted_value": 10 * 1.8**place, "actual_value": 11 * 1.78**place} for place in range(10)
    ],
}


def sample() -> dict[str, Any]:
    """A company that is graded A, a format that is no better than the rule, and one with too few customers."""
    result = {
        "horizon_days": 90,
        "cutoffs": ["2026-02-25", "2026-05-26", "2026-08-24"],
        "tier": "hybrid",
        "tiers": [
            {
                "name": "mbg_nbd",
                "words": "MBG/NBD transaction model",
                "brier": 0.106,
                "auc": 0.765,
                "chosen": False,
            },
            {
                "name": "hybrid",
                "words": "regression averaged with MBG/NBD",
                "brier": 0.101,
                "auc": 0.781,
                "chosen": True,
            },
        ],
        "grades": [
            _WHOLE,
            {**_WHOLE, "format": 1, "grade": "C", "gain": -0.01, "gain_low": -0.03, "gain_high": 0.02},
            {
                **_empty("customers"),
                "format": 2,
                "horizon_days": 90,
                "cutoff": "2026-08-24",
                "customers": 12,
                "churned": 1,
            },
        ],
        "sample": None,
        "tracking": [
            {
                "date": f"2026-0{month}-28",
                "predicted": 900 + 10 * month,
                "actual": 880 + 15 * month,
                "predicted_value": 90000.0 + 1000 * month,
                "actual_value": 88000.0 + 1400 * month,
            }
            for month in range(1, 9)
        ],
        "warnings": ["12 orders dated after 2026-11-22 were left out."],
    }
    return copy.deepcopy(result)


def too_short() -> dict[str, Any]:
    """What comes of a history without a cut-off."""
    return {
        "horizon_days": 90,
        "cutoffs": [],
        "tier": "rules",
        "tiers": [],
        "grades": [_empty("cutoffs") | {"horizon_days": 90}],
        "sample": None,
        "tracking": [],
        "warnings": [],
    }


def _empty(missing: str) -> dict[str, Any]:
    nothing = {key: [] if isinstance(value, list) else None for key, value in _WHOLE.items()}
    return nothing | {"missing": missing}
