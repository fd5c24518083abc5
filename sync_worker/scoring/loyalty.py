"""How attached a customer is: awareness, approval, preference, loyalty."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from sync_worker.policy import Policy
from sync_worker.scoring.complaints import order_days_since
from sync_worker.scoring.features import Features
from sync_worker.scoring.rhythm import Rhythm

STAGES = ("awareness", "approval", "preference", "loyalty")


def classify(
    features: Features,
    rhythm: Rhythm,
    p_alive: Callable[[np.ndarray], np.ndarray],
    today: int,
    policy: Policy,
    *,
    last_complaint: np.ndarray,
    mostly_returned: np.ndarray,
) -> pd.Categorical:
    """The loyalty stage of each buyer, (n,).

    *Approval*: at least `approval_order_days` order-days since the last complaint, and not most of all it bought sent
    back; *awareness*: neither that nor more. *Preference*: at least `preference_order_days`, its own cadence unbroken
    (silence within `cadence_broken_factor` of its long gap, or within `cadence_broken_days`) and at least
    `breadth_kept` of the categories of the first half of its time with us bought in the second. *Loyalty*: moreover at
    least `loyalty_order_days` and a P(alive) of `loyalty_p_alive`.

    A complaint is held against approval only, which is told from so few orders that nothing else speaks for it: who
    keeps its cadence in spite of one stays at its stage, and is captive if it is unsatisfied (`attitude`).

    A customer holds a stage if it met the rule of cadence as seen from *any* of its order-days. So one
    more order never lowers a stage: it adds an order-day to judge from and takes none away, although it
    may shorten the long gap and, in the model, lower P(alive).

    Args:
        rhythm: after each order-day, (m,).
        p_alive: of (k,) indices of order-days, P(alive today) as seen from each: had it been the last.
        today: the as-of day, days since 1970-01-01.
        last_complaint: (n,) day of it (`complaints.Complaints.last`).
        mostly_returned: (n,) bool.
    """
    table, days = features.table, features.days

    def per_day(key: str) -> np.ndarray:
        return policy.column(key, table["format"])[days.row]

    count = days.position + 1
    patience = np.maximum(per_day("cadence_broken_factor") * rhythm.long(), per_day("cadence_broken_days"))
    unbroken = today - days.day <= patience
    prefers = unbroken & (count >= per_day("preference_order_days"))
    stages = np.where(prefers, 2, 0)
    at = np.flatnonzero(prefers & (count >= per_day("loyalty_order_days")))
    stages[at[p_alive(at) >= policy.column("loyalty_p_alive", table["format"])[days.row[at]]]] = 3
    reached = np.maximum.reduceat(stages, days.start)

    earlier, recent = table["earlier_breadth"].to_numpy(), table["recent_breadth"].to_numpy()
    kept = np.isnan(earlier) | (recent >= policy.column("breadth_kept", table["format"]) * earlier)
    repeat = order_days_since(features, last_complaint) >= policy.column(
        "approval_order_days", table["format"]
    )
    repeat &= ~mostly_returned
    stage = np.where(kept, np.maximum(reached, repeat), repeat)
    return pd.Categorical.from_codes(stage.astype("int8"), list(STAGES))
