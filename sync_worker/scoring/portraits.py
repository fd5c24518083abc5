"""What the customers of a business format and value class are like, and what sets them apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sync_worker.scoring import grouped
from sync_worker.scoring.features import Features, margin_rate
from sync_worker.scoring.plain import plain
from sync_worker.scoring.value_class import CLASSES

#: Indicators and the codes that say that a class is above or below its format in them.
APART = {
    "basket": ("larger_basket", "smaller_basket"),
    "rhythm_days": ("orders_less_often", "orders_more_often"),
    "margin_rate": ("higher_margin", "lower_margin"),
    "discount_share": ("more_discount", "less_discount"),
    "breadth": ("broader", "narrower"),
}
MOST = 3
#: Customers of whom an indicator must be known in the class before it is said to set them apart.
ENOUGH = 5
#: How far the mean rank in the format (0 to 1) must be from its middle: six in ten comparisons go that way.
NOTICEABLE = 0.1


def describe(table: pd.DataFrame, indicators: pd.DataFrame) -> list[dict[str, Any]]:
    """A portrait per business format and value class, and one per format as a whole; ready for JSON.

    Args:
        table: the buyers with `format`, `value_class`, `known_margin`, `known_revenue`.
        indicators: of `take`.

    Returns:
        By format (None = without one), the whole first (`value_class` None), then the classes that have customers:
        `format`, `value_class`, `customers`; typical customers by the median: `basket` (each one's median order-day),
        `rhythm_days` (each one's median gap between order-days), `breadth` (categories in the current window);
        `margin_rate` (known margin over its sales, all together), `discount_share` (mean); each None where it is not
        known of anybody. `apart`: the one to three indicators in which its customers rank furthest from the middle
        of the format, `{"code", "value", "format_value"}`, the furthest first; none for the whole.
    """
    code, formats = pd.factorize(table["format"], sort=True)  # -1: without one
    label = pd.Categorical(table["value_class"], categories=CLASSES).codes
    # a rank less the mean rank of the format, so 0 is its middle
    ranks = indicators.groupby(code).rank(pct=True)
    ranks = ranks - ranks.groupby(code).transform("mean")
    sums = table[["known_margin", "known_revenue"]]
    wholes, classes = _figures(indicators, sums, [code]), _figures(indicators, sums, [code, label])
    by_class = ranks.groupby([code, label])
    distances = by_class.mean().where(by_class.count() >= ENOUGH, 0.0).to_dict("index")
    portraits = []
    for number in sorted(wholes, key=lambda number: (number < 0, number)):
        head, whole = {"format": None if number < 0 else plain(formats[number])}, wholes[number]
        portraits.append({**head, "value_class": None, **whole, "apart": []})
        for at, name in enumerate(CLASSES):
            own = classes.get((number, at))
            if own is not None:
                apart = _apart(own, whole, distances[number, at])
                portraits.append({**head, "value_class": name, **own, "apart": apart})
    return portraits


def take(features: Features) -> pd.DataFrame:
    """Each buyer's own figures, a row per buyer with the names of `APART`, NaN where not known."""
    table, days, sales = features.table, features.days, features.sales
    n = len(table)
    new = np.append(True, (sales.row[1:] != sales.row[:-1]) | (sales.day[1:] != sales.day[:-1]))
    amount, row = np.bincount(np.cumsum(new) - 1, sales.amount), sales.row[new]
    bought, later = amount > 0, days.position > 0
    gap = np.diff(days.day)[later[1:]]
    return pd.DataFrame(
        {
            "basket": grouped.median_in_order(row[bought], amount[bought], n),
            "rhythm_days": grouped.median_in_order(days.row[later], gap, n),
            "margin_rate": margin_rate(table),
            "discount_share": table["discount_share"].to_numpy(),
            "breadth": table["breadth"].where(table["breadth"] > 0).to_numpy(),
        }
    )


def _figures(
    indicators: pd.DataFrame, sums: pd.DataFrame, keys: list[np.ndarray]
) -> dict[Any, dict[str, Any]]:
    """Number of customers and the figures of `describe` by key."""
    by_key, total = indicators.groupby(keys), sums.groupby(keys).sum()
    sold = total["known_revenue"].where(total["known_revenue"] > 0)
    figures = pd.DataFrame(
        {
            "customers": by_key.size(),
            "basket": by_key["basket"].median(),
            "rhythm_days": by_key["rhythm_days"].median(),
            "margin_rate": total["known_margin"] / sold,
            "discount_share": by_key["discount_share"].mean(),
            "breadth": by_key["breadth"].median(),
        }
    )
    return {
        key: {name: _rounded(value) for name, value in row.items()}
        for key, row in figures.to_dict("index").items()
    }


def _apart(own: dict[str, Any], whole: dict[str, Any], distance: dict[str, float]) -> list[dict[str, Any]]:
    """The indicators furthest from the format's middle, where rank and figure say the same."""
    found = []
    for name in sorted(APART, key=lambda name: -abs(distance[name])):
        above, far = distance[name] > 0, abs(distance[name]) >= NOTICEABLE
        if far and own[name] != whole[name] and above == (own[name] > whole[name]):
            code = APART[name][0 if above else 1]
            found.append({"code": code, "value": own[name], "format_value": whole[name]})
    return found[:MOST]


def _rounded(value: float) -> float | int | None:
    if isinstance(value, int):
        return value
    return round(float(value), 4) if np.isfinite(value) else None
