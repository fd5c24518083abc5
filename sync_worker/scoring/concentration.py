"""How far the business rests on few customers, and what losing one of them would cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sync_worker.scoring.groups import Groups
from sync_worker.scoring.peers import smallest_set
from sync_worker.scoring.plain import plain

#: Largest customers of whom the loss is told.
LARGEST = 10
#: Steps of the Lorenz curve.
STEPS = 100
CARRIED = 0.8


def summarise(customers: pd.Series, values: np.ndarray, grouped: Groups | None, basis: str) -> dict[str, Any]:
    """The concentration of current value over customers and, with branches rolled up, over groups; ready for JSON.

    Args:
        customers: (n,) ids.
        values: (n,) current value, in margin or revenue by `basis`.
        grouped: the groups of the customers, None where they are not known.

    Returns:
        `basis`, `customers` and `groups` (None where not known, or where no group has two customers): each `figures`,
        `lorenz` and `losses`.
    """
    together = None
    if grouped is not None and grouped.size.max(initial=1) > 1:
        together = _described(grouped.names, grouped.total(values))
    return {"basis": basis, "customers": _described(customers.to_numpy(), values), "groups": together}


def figures(values: np.ndarray) -> dict[str, float | int | None]:
    """How unevenly a positive total is spread.

    Returns:
        `top_1`, `top_5`, `top_10` (shares of the total of the largest), `hhi` (sum of squared shares), `gini`
        (over those with a positive value), `customers_for_80_percent`; None where the total is zero.
    """
    positive = np.sort(values[values > 0])[::-1]
    total = positive.sum()
    if not total > 0:
        names = ("top_1", "top_5", "top_10", "hhi", "gini", "customers_for_80_percent")
        return dict.fromkeys(names)
    shares, n = positive / total, len(positive)
    return {
        **{f"top_{k}": round(float(shares[:k].sum()), 4) for k in (1, 5, 10)},
        "hhi": round(float(np.square(shares).sum()), 4),
        "gini": round(float((2 * np.cumsum(shares).sum() - n - 1) / n), 4),
        "customers_for_80_percent": int(smallest_set(positive, CARRIED).sum()),
    }


def lorenz(values: np.ndarray) -> list[list[float]]:
    """Points of the Lorenz curve over those with a positive value, at most 101: [share of customers from the
    smallest, share of the total they carry], from [0, 0] to [1, 1]; empty where nobody has one."""
    positive = np.sort(values[values > 0])
    if not len(positive):
        return []
    carried = np.append(0.0, np.cumsum(positive)) / positive.sum()
    carried[-1] = 1.0
    at = np.unique(np.rint(np.linspace(0, len(positive), min(len(positive), STEPS) + 1)).astype("int64"))
    points = zip(at / len(positive), carried[at], strict=True)
    return [[round(float(x), 4), round(float(y), 4)] for x, y in points]


def losses(ids: np.ndarray, values: np.ndarray) -> list[dict[str, Any]]:
    """What losing each of the ten largest would cost: `id`, `value` and `percent` of the total of all, those at a loss
    included, so that it may be over 100; None where that total is not positive."""
    total = values.sum()
    order = np.lexsort((np.arange(len(values)), -values))[:LARGEST]
    return [
        {
            "id": plain(ids[row]),
            "value": round(float(values[row]), 2),
            "percent": round(100 * float(values[row] / total), 1) if total > 0 else None,
        }
        for row in order
        if values[row] > 0
    ]


def _described(ids: np.ndarray, values: np.ndarray) -> dict[str, Any]:
    return {**figures(values), "lorenz": lorenz(values), "losses": losses(ids, values)}
