"""The badge people work with: at most ten named groups from class, life cycle and risk."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sync_worker.policy import Policy
from sync_worker.scoring import labels
from sync_worker.scoring.peers import smallest_set

ANY: frozenset[str] = frozenset()

#: (segment, value classes, life-cycle stages, risks, flag); the first row that fits wins, an empty set
#: fits all. docs/columns.md shows the same table.
TABLE: tuple[tuple[str, frozenset[str], frozenset[str], frozenset[str], str], ...] = (
    ("prospect", ANY, frozenset({"selection"}), ANY, ""),
    ("lost_worth_winning_back", ANY, frozenset({"lost"}), ANY, "worth_winning_back"),
    ("lost", ANY, frozenset({"lost"}), ANY, ""),
    ("burden", ANY, ANY, ANY, "burden"),
    ("key_at_risk", frozenset({"key"}), frozenset({"dormant"}), ANY, ""),
    ("key_at_risk", frozenset({"key"}), ANY, frozenset({"high"}), ""),
    ("new", ANY, frozenset({"acquisition", "won_back"}), ANY, ""),
    ("key_stable", frozenset({"key"}), ANY, ANY, ""),
    ("dormant", ANY, frozenset({"dormant"}), ANY, ""),
    ("burden", frozenset({"unprofitable"}), ANY, ANY, ""),
    ("promising", frozenset({"growth"}), ANY, ANY, ""),
    ("standard", ANY, ANY, ANY, ""),
)
SEGMENTS = tuple(dict.fromkeys(row[0] for row in TABLE))


def classify(table: pd.DataFrame) -> pd.Categorical:
    """The value segment by `TABLE`, (n,).

    Args:
        table: `value_class`, `lifecycle_stage`, `churn_risk` and the flags `worth_winning_back` and `burden`.
    """
    conditions = []
    for _, classes, stages, risks, flag in TABLE:
        fits = table[flag].to_numpy(dtype=bool).copy() if flag else np.ones(len(table), dtype=bool)
        for name, allowed in (("value_class", classes), ("lifecycle_stage", stages), ("churn_risk", risks)):
            if allowed:
                fits &= table[name].isin(allowed).to_numpy()
        conditions.append(fits)
    return labels.first(conditions, [row[0] for row in TABLE], "standard")


def worth_winning_back(table: pd.DataFrame, policy: Policy) -> np.ndarray:
    """The lost customers in the smallest set that carries `win_back_share` of all lost value so far, (n,)
    bool.
    """
    lost = (table["lifecycle_stage"] == "lost").to_numpy()
    earned = (table["historical_value"] + table["current_value"]).to_numpy()
    return smallest_set(np.where(lost, earned, 0.0), float(policy.value("win_back_share")))
