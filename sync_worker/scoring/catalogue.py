"""Since when each product has been in the catalogue, as far as a history can tell."""

from __future__ import annotations

import numpy as np

from sync_worker.scoring.purchases import Purchases

#: A product that would have been bought this often before, had it been there, was not there (chance e^-3 = 5 %).
EXPECTED_EARLIER = 3.0
#: A day on which more than this share of the dated products was introduced is that of an import.
IMPORTED, IMPORTED_AT_LEAST = 0.2, 10


def introduced(purchases: Purchases, today: int) -> tuple[np.ndarray, np.ndarray]:
    """The day each product was introduced, and whether it was there before the history says so.

    The known date where it is credible: not after the first sale, and not that of an import, which says no more
    than "by then". Else the first sale, if the product's later rate of sales makes it unlikely (Poisson) that it
    had been there unsold since the history's start and more than one customer bought it. A product that came about as
    early as that rate would have it was there at the start. In between, nobody can say.

    Returns:
        (products,) float64 days since 1970-01-01, -inf = was there at the start, NaN = cannot be told.
    """
    count = len(purchases.products)
    chosen = purchases.bought & (purchases.product >= 0)
    product, day, row = purchases.product[chosen], purchases.day[chosen], purchases.row[chosen]
    first = np.full(count, today, dtype="int64")
    backwards = np.argsort(-day, kind="stable")
    first[product[backwards]] = day[backwards]  # of several the last one stays, which is the earliest
    sold = np.bincount(product, minlength=count)
    start = int(day.min(initial=today))
    # what it would have sold before at its later share of all purchases (a growing trade sold less then); the first
    # sale itself says nothing of the rate
    by_day = np.bincount(day - start, minlength=today - start + 1)
    earlier = np.append(0, np.cumsum(by_day))[np.clip(first - start, 0, len(by_day))]
    expected = (sold - 1) * earlier / np.maximum(len(day) - earlier, 1)
    last, one = np.full(count, -1), np.full(count, -1)
    last[product], one[product[::-1]] = row, row[::-1]  # purchases are by customer
    several = last > one

    day_known = purchases.introduced
    dated = ~np.isnan(day_known)
    values, places, sizes = np.unique(day_known[dated], return_inverse=True, return_counts=True)
    mass = (sizes > IMPORTED * dated.sum()) & (sizes >= IMPORTED_AT_LEAST)
    imported = np.zeros(count, dtype=bool)
    imported[dated] = mass[places] if len(values) else False
    credible = dated & ~imported & (day_known <= first)

    inferred = (expected >= EXPECTED_EARLIER) & several & ~imported
    result = np.where(inferred, first.astype(float), np.nan)
    # came as early as its rate would have it; of what was sold once there is no rate
    result[(expected < 1) & (sold > 1)] = -np.inf
    result[imported] = -np.inf
    result[credible] = day_known[credible]
    result[sold == 0] = np.nan
    return result
