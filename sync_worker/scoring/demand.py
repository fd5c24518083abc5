"""What all customers together are expected to buy next period, by product category and business format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from sync_worker.policy import Policy
from sync_worker.scoring import outliers
from sync_worker.scoring.features import Features
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.purchases import Purchases
from sync_worker.scoring.trials import Trial
from sync_worker.scoring.value import kept_share

COVERAGE = 0.8
#: Lines that the peers' mix of categories counts as, beside a customer's own.
PEERS_LINES = 10.0
#: Classes of size, from the smallest category of a format to the largest, each with its own errors, and the errors
#: from which one is a class.
SIZES, ERRORS = 4, 40
#: The level of all is moved by what earlier forecasts missed, customers still to come included, within these; "missed
#: by nothing" counts as so many earlier days beside them.
LEVEL, LEVEL_DAYS = (0.5, 2.0), 3.0
#: Factors of the errors tried until the range held on each earlier day what it says from the others alone: days differ
#: as a whole, and a few of them do not show by how much.
WIDER = (1.0, 1.15, 1.3, 1.5, 1.75, 2.0, 2.5, 3.0)
#: Rows handed over, the largest.
MOST = 1000


@dataclass
class Expectation:
    """What was expected of customers on a day.

    Attributes:
        day: days since 1970-01-01.
        rows: (m,) rows in `Features.table`.
        sales: (m,) money expected of each within its horizon.
        looked_at: (n,) mask of those whose purchases count as the outcome: the sample the rows are from, and who
            of it came later.
    """

    day: int
    rows: np.ndarray
    sales: np.ndarray
    looked_at: np.ndarray


def earlier(trials: Sequence[Trial], customers: int) -> list[Expectation]:
    """What was forecast on earlier days of the company's past, oldest first."""
    found = []
    for trial in trials:
        looked_at = np.zeros(customers, dtype=bool)
        looked_at[trial.past.rows] = True
        rows = trial.past.rows[trial.snapshot.rows]
        net = trial.expected_sales * kept_share(trial.snapshot.situation)
        found.append(Expectation(trial.snapshot.day, rows, net, looked_at))
    return found


def expect(
    purchases: Purchases,
    features: Features,
    expected_sales: np.ndarray,
    past: Sequence[Expectation],
    peers: Peers,
    policy: Policy,
    today: int,
) -> dict[str, Any]:
    """Expected demand within the churn horizon, with a range that held four in five times in the past; ready for JSON.

    Each customer's expected sales are split by its own mix of categories in the current window, drawn towards its
    peers' where its lines are few. The range is that of the relative errors of the same forecast made on earlier
    days, of categories of about the same size; without such days there is none. Where lines have no amounts, nobody
    knows what came.

    Args:
        expected_sales: (n,) net money expected of each buyer within its horizon.
        past: what was expected on earlier days (`earlier`).

    Returns:
        `horizon_days`; `earlier_days` compared; `level`, by which earlier sales exceeded the forecast, applied;
        `coverage`, the share of the outcomes of each earlier day within the range learnt from the other days (None
        with fewer than two); `expected`, the sum; `rows` of `format`, `category_id` (None = not known), `expected`,
        `low`, `high` (None = not known), the largest first; `left_out` rows beyond `MOST`.
    """
    formats = features.table["format"]
    format_of, names = pd.factorize(formats, sort=True)
    format_of = np.where(format_of < 0, len(names), format_of)
    horizon = policy.column("churn_horizon_days", formats)
    window = policy.column("current_window_days", formats)
    everyone = np.arange(len(formats))
    board = (format_of, len(names) + 1, peers)
    past = past if purchases.amount.any() else ()
    purchases = _tamed(purchases)
    now = _split(purchases, everyone, expected_sales, window, today, *board)
    told, came = [], []
    for one in past:
        told.append(_split(purchases, one.rows, one.sales, window, one.day, *board))
        came.append(_sold(purchases, one.looked_at, one.day, horizon, format_of, len(names) + 1))
    wider, coverage = _calibrated(told, came)
    level = _level(told, came)
    now *= level
    low, high = _range(now, told, came, wider)
    categories = [None, *purchases.categories.tolist()]
    table = pd.DataFrame(
        {
            "format": np.repeat(np.arange(len(names) + 1), len(categories)),
            "category": np.tile(np.arange(len(categories)), len(names) + 1),
            "expected": now.ravel(),
            "low": low.ravel(),
            "high": high.ravel(),
        }
    )
    table = table[table["expected"] > 0]
    table = table.iloc[np.lexsort((table["category"], table["format"], -table["expected"].round(9)))]
    ids = [*names.tolist(), None]
    rows = [
        {
            "format": ids[int(row.format)],
            "category_id": categories[int(row.category)],
            "expected": round(row.expected, 2),
            "low": None if np.isnan(row.low) else round(row.low, 2),
            "high": None if np.isnan(row.high) else round(row.high, 2),
        }
        for row in table.head(MOST).itertuples()
    ]
    return {
        "horizon_days": int(policy.value("churn_horizon_days")),
        "earlier_days": len(past),
        "level": round(level, 4),
        "coverage": coverage,
        "expected": round(float(now.sum()), 2),
        "rows": rows,
        "left_out": max(len(table) - MOST, 0),
    }


def _split(purchases, rows, sales, window, day, format_of, formats, peers) -> np.ndarray:
    """Expected sales by format and category, (formats, 1 + categories), the first column of no known category."""
    width = len(purchases.categories) + 1
    age = day - purchases.day
    chosen = purchases.bought & (age >= 0) & (age < window[purchases.row])
    where = (purchases.row[chosen], purchases.category[chosen] + 1)
    shape = (purchases.customers, width)
    spent = sparse.coo_array((purchases.amount[chosen], where), shape=shape).tocsr()
    lines = np.bincount(purchases.row[chosen], minlength=purchases.customers)
    total = np.asarray(spent.sum(axis=1)).ravel()
    own = np.where(total > 0, lines / (lines + PEERS_LINES), 0.0)
    expected = np.zeros(purchases.customers)
    expected[rows] = np.maximum(sales, 0)
    # money split by the own mix, then by the peers'
    scaled = (
        sparse.diags_array(np.divide(expected * own, total, out=np.zeros(len(total)), where=total > 0))
        @ spent
    )
    indicator = sparse.coo_array(
        (np.ones(len(format_of)), (format_of, np.arange(len(format_of)))), shape=(formats, len(format_of))
    ).tocsr()
    result = (indicator @ scaled).toarray()
    company = np.asarray(spent.sum(axis=0)).ravel()
    unknown = np.zeros(width)
    unknown[0] = 1.0
    for _, members, decided in peers.groups():
        mix = np.asarray(spent[members].sum(axis=0)).ravel()
        mix = mix if mix.sum() > 0 else company
        mix = mix / mix.sum() if mix.sum() > 0 else unknown
        at = members[decided]
        rest = np.bincount(format_of[at], (expected * (1 - own))[at], minlength=formats)
        result += rest[:, None] * mix
    return result


def _tamed(purchases: Purchases) -> Purchases:
    """The purchases with amounts as forecasts count them (`outliers.factors`)."""
    first = np.append(True, np.diff(purchases.basket) != 0)[: len(purchases.basket)]
    order = np.cumsum(first) - 1
    amount = np.bincount(order, purchases.amount)
    counted = outliers.factors(purchases.row[first], purchases.day[first], amount)
    return purchases if counted is None else replace(purchases, amount=purchases.amount * counted[order])


def _sold(purchases, looked_at, day, horizon, format_of, formats) -> np.ndarray:
    """Net sales after a day within the horizon, as `_split` has them."""
    width = len(purchases.categories) + 1
    ahead = purchases.day - day
    chosen = (ahead > 0) & (ahead <= horizon[purchases.row]) & looked_at[purchases.row]
    key = format_of[purchases.row[chosen]] * width + purchases.category[chosen] + 1
    return np.bincount(key, purchases.amount[chosen], minlength=formats * width).reshape(formats, width)


def _level(told: list[np.ndarray], came: list[np.ndarray]) -> float:
    """By how much earlier sales exceeded what was told, drawn towards 1 where the days are few."""
    forecast = sum(t.sum() for t in told)
    if not forecast > 0:
        return 1.0
    missed = float(np.clip(sum(c.sum() for c in came) / forecast, *LEVEL))
    return float(missed ** (len(told) / (len(told) + LEVEL_DAYS)))


def _range(
    now: np.ndarray, told: list[np.ndarray], came: list[np.ndarray], wider: float
) -> tuple[np.ndarray, np.ndarray]:
    """The 80 % range of each expected figure from earlier relative errors, NaN where nothing tells it."""
    low, high = np.full(now.shape, np.nan), np.full(now.shape, np.nan)
    if not told:
        return low, high
    # size is a share of the whole, so that errors of different days are comparable
    size = np.concatenate([t[t > 0] / t.sum() for t in told])
    level = _level(told, came)
    error = np.concatenate([c[t > 0] / (level * t[t > 0]) - 1 for t, c in zip(told, came, strict=True)])
    if len(error) < ERRORS:
        return low, high
    classes = int(np.clip(len(error) // ERRORS, 1, SIZES))
    bounds = np.quantile(size, np.arange(1, classes) / classes)
    of_error, of_now = np.searchsorted(bounds, size), np.searchsorted(bounds, now / max(now.sum(), 1e-300))
    for one in range(classes):
        errors = error[of_error == one]
        if len(errors):
            worst, best = wider * np.quantile(errors, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
            at = (of_now == one) & (now > 0)
            low[at] = np.maximum(now[at] * (1 + min(worst, 0)), 0)
            high[at] = now[at] * (1 + max(best, 0))
    return low, high


def _calibrated(told: list[np.ndarray], came: list[np.ndarray]) -> tuple[float, float | None]:
    """The least factor of `WIDER` with which the range learnt from the other days held each day's outcomes as often
    as it says, and how often it did; (1, None) where there are no other days to learn from."""
    held = None
    for wider in WIDER:
        inside, count = 0, 0
        for number, outcome in enumerate(came):
            others = [place for place in range(len(told)) if place != number]
            rest = [told[place] for place in others], [came[place] for place in others]
            low, high = _range(told[number] * _level(*rest), *rest, wider)
            known = ~np.isnan(low)
            inside += int(((outcome >= low) & (outcome <= high))[known].sum())
            count += int(known.sum())
        if not count:
            return 1.0, None
        held = round(inside / count, 4)
        if held >= COVERAGE:
            break
    return wider, held
