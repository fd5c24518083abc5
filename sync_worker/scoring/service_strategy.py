"""How far we adapt to a customer, recommended from its value class, its loyalty and what is made or kept for it.

*Hook*: the customer adapts to what we offer, and contact follows what it does. *Zipper*: both sides adapt. *Velcro*: we
adapt to the customer.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sync_worker.policy import Policy
from sync_worker.scoring.attitude import LOYAL
from sync_worker.scoring.evidence import Evidence

STRATEGIES = ("hook", "zipper", "velcro")
#: Points of each value class that can earn more than a hook; loyalty and customisation give one each.
POINTS = {"key": 2, "growth": 1, "standard": 0}
ZIPPER, VELCRO = 2, 3
#: Shares that differ by the rounding of a sum do not differ.
ROUNDING = 1e-9

_KEPT = "{percent} % of its sales in products kept for it (counts from {needed} %)"
_NOTHING_KEPT = "no product known to be kept for it"
SENTENCES = {
    f"strategy_{value_class}{loyal}{kept}": f"{value_class.capitalize()}, {stage}, {sentence}"
    for value_class in POINTS
    for loyal, stage in (("", "not loyal"), ("_loyal", "loyal"))
    for kept, sentence in (("", _NOTHING_KEPT), ("_kept", _KEPT))
} | {
    "strategy_unprofitable": "Unprofitable: leaves too little for concessions",
    "strategy_burden": "Large, but leaves too little: size must not buy concessions",
}


def classify(table: pd.DataFrame, customisation: np.ndarray, policy: Policy) -> pd.Categorical:
    """The strategy recommended for each buyer, (n,).

    *Velcro* from three points on, *zipper* with two, *hook* below: `POINTS` of the value class, one for a loyalty stage
    from preference on, one for a customisation from `customised_from` on; what is not known gives none. Always
    *hook* without a profit, by class or by the burden flag: size must not buy concessions.

    Args:
        table: the buyers with `format`, `value_class`, `burden`, `loyalty_stage`.
        customisation: (n,) of `customisation.measure`.
    """
    points = _points(table) + _is_loyal(table) + _is_customised(table, customisation, policy)
    points = np.where(_is_poor(table), 0, points)
    codes = (points >= ZIPPER).astype("int8") + (points >= VELCRO)
    return pd.Categorical.from_codes(codes, STRATEGIES)


def evidence(table: pd.DataFrame, customisation: np.ndarray, policy: Policy) -> list[Evidence]:
    """One reason for each buyer: what its strategy is recommended from.

    Args:
        table, customisation: as of `classify`.
    """
    burden = table["burden"].to_numpy(bool)
    loyal, kept = _is_loyal(table), customisation > 0
    figures = {
        # rounded down, so that no share seems to count that does not
        "percent": np.maximum(np.floor(100 * np.nan_to_num(customisation) + ROUNDING), 1),
        "needed": np.rint(100 * policy.column("customised_from", table["format"])),
    }
    told = [
        Evidence(
            f"strategy_{name}{'_loyal' if is_loyal else ''}{'_kept' if is_kept else ''}",
            _is_of(table, name) & ~burden & (loyal == is_loyal) & (kept == is_kept),
            figures if is_kept else {},
        )
        for name in POINTS
        for is_loyal in (False, True)
        for is_kept in (False, True)
    ]
    unprofitable = _is_of(table, "unprofitable") & ~burden
    return [
        *told,
        Evidence("strategy_unprofitable", unprofitable, {}),
        Evidence("strategy_burden", burden, {}),
    ]


def _is_of(table: pd.DataFrame, value_class: str) -> np.ndarray:
    return (table["value_class"] == value_class).to_numpy()


def _points(table: pd.DataFrame) -> np.ndarray:
    return sum(points * _is_of(table, name) for name, points in POINTS.items())


def _is_loyal(table: pd.DataFrame) -> np.ndarray:
    return table["loyalty_stage"].isin(LOYAL).to_numpy()


def _is_customised(table: pd.DataFrame, customisation: np.ndarray, policy: Policy) -> np.ndarray:
    return customisation >= policy.column("customised_from", table["format"]) - ROUNDING


def _is_poor(table: pd.DataFrame) -> np.ndarray:
    return table["burden"].to_numpy(bool) | _is_of(table, "unprofitable")
