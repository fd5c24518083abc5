"""What to do next with a customer: one table from life-cycle stage, value class and attitude."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sync_worker.scoring import labels

ANY: frozenset[str] = frozenset()
LARGE = frozenset({"key", "growth"})

#: (action, life-cycle stages, value classes, attitudes); the first row that fits wins, an empty set fits all.
#: docs/columns.md shows the same table.
TABLE: tuple[tuple[str, frozenset[str], frozenset[str], frozenset[str]], ...] = (
    ("qualify", frozenset({"selection"}), ANY, ANY),
    ("win_back", frozenset({"lost"}), LARGE, ANY),
    ("let_go", frozenset({"lost"}), frozenset({"unprofitable"}), ANY),
    ("survey_lost", frozenset({"lost"}), ANY, ANY),
    ("repair_relationship", ANY, LARGE, frozenset({"loyal_unsatisfied", "neither"})),
    ("visit", frozenset({"dormant"}), LARGE, ANY),
    ("reactivate", frozenset({"dormant"}), ANY, ANY),
    ("renegotiate", ANY, frozenset({"unprofitable"}), ANY),
    ("resolve_complaints", ANY, ANY, frozenset({"loyal_unsatisfied", "neither"})),
    ("second_order", frozenset({"acquisition"}), ANY, ANY),
    ("confirm_return", frozenset({"won_back"}), ANY, ANY),
    ("bind", ANY, LARGE, frozenset({"satisfied_not_loyal"})),
    ("ask_for_referral", frozenset({"extension"}), LARGE, frozenset({"loyal_satisfied"})),
    ("cross_sell", frozenset({"retention", "extension"}), LARGE, ANY),
    ("keep_rhythm", ANY, ANY, ANY),
)
ACTIONS = tuple(row[0] for row in TABLE)


def classify(
    lifecycle_stage: pd.Series | pd.Categorical,
    value_class: pd.Series | pd.Categorical,
    attitude: np.ndarray,
) -> pd.Categorical:
    """The next action by `TABLE`, (n,), of prospects too.

    Args:
        lifecycle_stage: of each customer.
        value_class: likewise; missing for prospects.
        attitude: of `attitude.ATTITUDES`, None where not known: then no row that asks for one fits.
    """
    given = [np.asarray(each, dtype=object) for each in (lifecycle_stage, value_class, attitude)]
    conditions = []
    for _, *allowed in TABLE:
        fits = np.ones(len(given[0]), dtype=bool)
        for values, names in zip(given, allowed, strict=True):
            if names:
                fits &= np.isin(values, [*names])
        conditions.append(fits)
    return labels.first(conditions, ACTIONS, "keep_rhythm")
