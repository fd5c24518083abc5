"""Value migration: where the value that a customer brings is going, in money a quarter."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import f as fisher
from scipy.stats import t as student

#: Days of a quarter, the quarters looked back at, and the fewest that a line is drawn through.
QUARTER, MOST, FEWEST = 91, 8, 4
#: Probability of a line as steep by chance up to which it has a direction.
CHANCE = 0.1
#: Quarters of a year, customers that a season of the company is learnt from, the probability of one by chance up to
#: which it is one, and the least it leaves of a quarter.
YEAR, SEASONAL, SEASON_CHANCE, LOW_SEASON = 4, 30, 0.05, 0.25
#: Part of a customer's usual quarter below which a slope is rounding.
ROUNDING = 1e-9

TRENDS = ("rising", "falling", "steady")
#: Customers looked at at once: their quarters stay in the processor's cache.
BLOCK = 10_000


def classify(row: np.ndarray, age: np.ndarray, contribution: np.ndarray, tenure: np.ndarray) -> pd.DataFrame:
    """The least squares line through what each buyer brought in the last whole quarters of its time with us, less the
    season that all of them are in (`_season`).

    Args:
        row: (k,) buyer of each sale or return, in an order that does not depend on that of the history.
        age: (k,) its age in days.
        contribution: (k,) money, margin or revenue.
        tenure: (n,) days since the first order.

    Returns:
        A row per buyer: `value_slope`, how much more a quarter brings than the one before it, NaN with fewer than
        `FEWEST` whole quarters; `value_trend`, of `TRENDS`, `steady` where the line is no more than chance (t test of
        its slope), None likewise.
    """
    n = len(tenure)
    quarter = age // QUARTER
    seen = quarter < MOST
    brought = np.bincount(row[seen] * MOST + quarter[seen], contribution[seen], minlength=n * MOST)
    brought = brought.reshape(n, MOST)[:, ::-1]  # the last quarter is the last column
    brought = brought / _season(brought, tenure)
    slope, code = np.empty(n), np.empty(n, dtype="int8")
    for part in (slice(begin, begin + BLOCK) for begin in range(0, n, BLOCK)):
        slope[part], code[part] = _lines(brought[part], tenure[part])
    return pd.DataFrame({"value_slope": slope, "value_trend": np.array([*TRENDS, None], dtype=object)[code]})


def _season(brought: np.ndarray, tenure: np.ndarray) -> np.ndarray:
    """What a quarter is of a usual one, (MOST,): 1 where the company shows no season.

    Each customer that was there in all quarters counts alike, by its own usual quarter. A line and a level for each
    quarter of the year are fitted to their mean; it is a season where the two years agree on it by more than chance
    (F test of the levels against what is left), so that what happened once is none.

    Args:
        brought: (n, MOST) money by quarter, the last one last.
        tenure: (n,) days since the first order.
    """
    usual = brought.mean(axis=1)
    # Who sent about all of it back has no usual quarter to be measured by.
    whole = (tenure + 1 >= MOST * QUARTER) & (usual > 0) & (usual >= np.abs(brought).mean(axis=1) / 2)
    if whole.sum() < SEASONAL:
        return np.ones(MOST)
    mean = np.divide(1.0, usual, out=np.zeros(len(usual)), where=whole) @ brought / whole.sum()
    line = np.arange(MOST) - (MOST - 1) / 2
    levels = (np.arange(MOST)[:, None] % YEAR == np.arange(YEAR)).astype(float)

    def left(columns: np.ndarray) -> tuple[np.ndarray, float]:
        fitted = np.linalg.lstsq(columns, mean, rcond=None)[0]
        return fitted, float(((mean - columns @ fitted) ** 2).sum())

    _, without = left(np.column_stack([line, np.ones(MOST)]))
    fitted, within = left(np.column_stack([line, levels]))
    free = MOST - YEAR - 1
    more = (without - within) / (YEAR - 1)
    if more <= ROUNDING or within / free * fisher.ppf(1 - SEASON_CHANCE, YEAR - 1, free) > more:
        return np.ones(MOST)
    season = np.maximum(fitted[1:] / fitted[1:].mean(), LOW_SEASON)
    return np.tile(season / season.mean(), MOST // YEAR)


def _lines(brought: np.ndarray, tenure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The slope of each customer's line, NaN where none is drawn, and which of `TRENDS` it is, -1 likewise; (n,) each.

    Args:
        brought: (n, MOST) money by quarter, the last one last.
        tenure: (n,) days since the first order.
    """
    count = np.minimum((tenure + 1) // QUARTER, MOST).astype("int64")
    known = count >= FEWEST
    k = np.where(known, count, FEWEST)
    inside = np.arange(MOST) >= MOST - k[:, None]
    x = np.where(inside, np.arange(MOST) - (MOST - (k[:, None] + 1) / 2), 0.0)  # around the middle quarter
    mean = np.where(inside, brought, 0.0).sum(axis=1) / k
    away = np.where(inside, brought - mean[:, None], 0.0)
    spread = k * (k**2 - 1) / 12
    slope = (x * away).sum(axis=1) / spread
    left = np.where(inside, away - slope[:, None] * x, 0.0)
    size = np.where(inside, np.abs(brought), 0.0).sum(axis=1) / k
    error = np.sqrt((left**2).sum(axis=1) / (k - 2) / spread)
    slope = np.where(np.abs(slope) > ROUNDING * size, slope, 0.0)
    quantile = student.ppf(1 - CHANCE / 2, np.arange(FEWEST, MOST + 1) - 2)[k - FEWEST]
    steep = np.abs(slope) > error * quantile
    rising, falling, steady = range(len(TRENDS))
    code = np.select([~known, steep & (slope > 0), steep], [-1, rising, falling], steady)
    return np.where(known, slope, np.nan), code
