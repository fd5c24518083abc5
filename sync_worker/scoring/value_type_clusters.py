"""Groups of customers that the habits form by themselves, beside the nine value types."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from sync_worker.scoring.habits import NAMES, Habits
from sync_worker.scoring.value_type import CELLS, UNDETERMINED

SEED = 0
#: Customers the centres are found from; more of them move nothing.
SAMPLE = 10_000
FEWEST = 10 * len(CELLS)


def agreement(habits: Habits, labels: pd.DataFrame) -> dict[str, Any] | None:
    """How far nine clusters of the same signals agree with the types told; ready for JSON.

    Everyone with enough lines and order-days is clustered, those with a type are compared. None where fewer than
    `FEWEST` have one, or signals do not differ: there is nothing to compare.

    Args:
        labels: `value_type.classify`.

    Returns:
        `customers` compared; `adjusted_rand` and `adjusted_mutual_information` (1 = the same, 0 = chance); `table`, for
        each type its customers by cluster; `clusters`, for each the customers compared and its centre by signal.
    """
    enough = (labels["lack"] != "lines").to_numpy()
    types = labels["value_type"].to_numpy()[enough]
    told = types != UNDETERMINED
    if told.sum() < FEWEST:
        return None
    points = np.column_stack([habits.signals[name].z[enough] for name in NAMES])
    if len(np.unique(points.round(6), axis=0)) < len(CELLS):
        return None
    # the order of rows decides the first centres: sorted, it does not depend on that of the customers
    ordered = points[np.lexsort(points.T)]
    every = -(-len(ordered) // SAMPLE)
    model = KMeans(len(CELLS), n_init=4, random_state=SEED).fit(ordered[::every])
    found = model.predict(points)
    types, found = types[told], found[told]
    return {
        "customers": len(types),
        "adjusted_rand": round(float(adjusted_rand_score(types, found)), 4),
        "adjusted_mutual_information": round(float(adjusted_mutual_info_score(types, found)), 4),
        "table": {name: np.bincount(found[types == name], minlength=len(CELLS)).tolist() for name in CELLS},
        "clusters": [
            {
                "customers": int((found == number).sum()),
                "signals": dict(zip(NAMES, np.round(centre, 2).tolist(), strict=True)),
            }
            for number, centre in enumerate(model.cluster_centers_)
        ],
    }
