"""Which case of its letter a grade is: one letter comes of findings from which different things follow."""

from __future__ import annotations

from typing import Any


def case(entry: dict[str, Any]) -> str | None:
    """The case of an entry of `grades` in docs/backtest.md; None where it has no grade.

    `A` and `B` are cases of their own. A `C` is `off` where the forecast ranks customers better than the best rule but
    its probabilities are off, `rule_better` where the rule ranks them better, else `no_difference`. A `D` is
    `worse_than_rate` where the forecast ranks better than chance, but the churn rate alone would have made better
    probabilities, else `no_skill`.
    """
    if entry["grade"] == "C":
        if (entry["gain_low"] or 0) > 0:
            return "off"
        return "rule_better" if (entry["gain_high"] or 0) < 0 else "no_difference"
    if entry["grade"] == "D":
        return "worse_than_rate" if (entry["auc_low"] or 0) > 0.5 else "no_skill"
    return entry["grade"]
