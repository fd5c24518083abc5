"""Satisfaction beside loyalty, which are not the same: quadrants, a pivot of eight cells, and satisfaction by class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sync_worker.scoring.satisfaction import LEVELS

#: Loyalty stages that count as high.
LOYAL = ("preference", "loyalty")
ATTITUDES = ("loyal_satisfied", "satisfied_not_loyal", "loyal_unsatisfied", "neither")


def classify(loyalty_stage: pd.Categorical, satisfaction: np.ndarray) -> np.ndarray:
    """The quadrant of each customer, (n,) of `ATTITUDES`; None where satisfaction is not known, or neutral: too
    near the line to be on a side of it. `loyal_unsatisfied` are captive: they stay, but for want of another.

    Args:
        loyalty_stage: (n,) of `loyalty.STAGES`.
        satisfaction: (n,) of `satisfaction.LEVELS` or None.
    """
    loyal = np.isin(np.asarray(loyalty_stage, dtype=object), LOYAL)
    satisfied, unsatisfied = satisfaction == "satisfied", satisfaction == "unsatisfied"
    sides = [loyal & satisfied, ~loyal & satisfied, loyal & unsatisfied, ~loyal & unsatisfied]
    return np.select(sides, np.array(ATTITUDES, dtype=object), None)


def pivot(
    margin_level: np.ndarray, loyalty_stage: pd.Categorical, satisfaction: np.ndarray, money: np.ndarray
) -> dict[str, Any]:
    """The eight cells of margin level x loyalty x satisfaction, ready for JSON.

    Args:
        margin_level: (n,) `high`, `low` or None.
        satisfaction: (n,) of `satisfaction.LEVELS` or None.
        money: (n,) what is summed, current value as a rule; missing counts as nothing.

    Returns:
        `cells`, eight of `{margin, loyalty, satisfaction: high | low, customers, money}`, and `outside`, who is in
        none: `neutral` (satisfaction) and `unknown` (margin or satisfaction), each with `customers` and `money`.
        Together they are everybody.
    """
    loyal = np.isin(np.asarray(loyalty_stage, dtype=object), LOYAL)
    # numbers are compared much faster than names
    sides = {"high": LEVELS.index("satisfied"), "low": LEVELS.index("unsatisfied")}
    level = pd.Categorical(satisfaction, categories=LEVELS).codes
    margins = pd.Categorical(margin_level, categories=["high", "low"]).codes
    money = np.nan_to_num(np.asarray(money, dtype=float))

    def told(who: np.ndarray) -> dict[str, Any]:
        return {"customers": int(who.sum()), "money": round(float(money[who].sum()), 2)}

    cells = [
        {"margin": margin, "loyalty": stage, "satisfaction": side}
        | told((margins == number) & (loyal == (stage == "high")) & (level == code))
        for number, margin in enumerate(("high", "low"))
        for stage in ("high", "low")
        for side, code in sides.items()
    ]
    known = margins >= 0
    neutral = known & (level == LEVELS.index("neutral"))
    unknown = ~known | (level < 0)
    return {"cells": cells, "outside": {"neutral": told(neutral), "unknown": told(unknown)}}


def by_value_class(
    value_class: pd.Categorical, satisfaction: np.ndarray, rating: np.ndarray
) -> list[dict[str, Any]]:
    """Satisfaction of each value class, ready for JSON, in the order of the classes.

    Args:
        value_class: (n,) with its classes as categories.
        rating: (n,) mean rating, NaN where not known.

    Returns:
        `{value_class, customers, satisfied, neutral, unsatisfied, unknown, rating}`: counts that add up to the
        customers, and the mean of their ratings, null where none is known.
    """
    classes = pd.Categorical(value_class)
    said = pd.Categorical(satisfaction, categories=LEVELS).codes
    result = []
    for code, name in enumerate(classes.categories):
        own = np.asarray(classes.codes) == code
        counts = {level: int((own & (said == at)).sum()) for at, level in enumerate(LEVELS)}
        known = rating[own & ~np.isnan(rating)]
        counts["unknown"] = int(own.sum()) - sum(counts.values())
        mean = round(float(known.mean()), 2) if len(known) else None
        result.append({"value_class": str(name), "customers": int(own.sum()), **counts, "rating": mean})
    return result
