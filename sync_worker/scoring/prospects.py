"""What a company that has not bought yet may be worth: the win rate of leads like its own x a newcomer's first year.

Of few leads or newcomers nothing is certain: the rate of a format is drawn towards the company's and that of a
source in a format towards the format's, as if `DOUBT` leads had gone so, and first years likewise. Where first
years follow what the salesperson expected of a lead, a prospect's do too. The range holds the expected value with
80 %, not what one prospect will bring: rates are drawn from their Beta, mean first years from a Gamma distribution,
with a fixed seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.history.facts import rows_of
from sync_worker.history.schema import History
from sync_worker.scoring import outliers
from sync_worker.scoring.events import days_of
from sync_worker.scoring.features import usual_rate

YEAR = 365
#: Who bought so soon after the first order of all was there before the history.
FIRST_DAYS = 90
#: Leads, and newcomers, of the larger group that stand in for a smaller one.
DOUBT = 10.0
#: Decided leads and newcomers of the whole company that an expectation needs.
LEADS, NEWCOMERS = 20, 10
DRAWS = 2000
RANGE = (0.1, 0.9)
VALUES = ("expected_value", "expected_value_low", "expected_value_high")


@dataclass
class Prospects:
    """What the prospects of a company may be worth.

    Attributes:
        table: one row per prospect, by `customer_id`: `VALUES`, money of the first year; missing where `lacks` says
            why.
        lacks: `leads` (too few decided), `won` (none), `first_years` (too few newcomers seen for a year).
    """

    table: pd.DataFrame
    lacks: list[str]


@dataclass
class Leads:
    """Leads of those who had not bought yet.

    Attributes:
        row, source, won: of each decided one (q,): customer, source code, whether it was won.
        last_source, log_revenue: of each customer (n,): source of its newest lead, -1 = none, and the log of the
            revenue expected of it, NaN = none.
    """

    row: np.ndarray
    source: np.ndarray
    won: np.ndarray
    last_source: np.ndarray
    log_revenue: np.ndarray


def expect(history: History, first_day: np.ndarray, basis: str, today: int) -> Prospects:
    """The expected first-year value of every customer without an order of a positive amount that is not archived.

    Args:
        history: its orders are looked at where it has leads.
        first_day: (n,) of each customer's first order of a positive amount, days since 1970-01-01, NaN = none.
        basis: `margin` or `revenue` (`Features.basis`).
        today: the as-of day, days since 1970-01-01; `history` holds nothing later.
    """
    customers = history.customers
    prospect = np.isnan(first_day) & ~customers["archived"].to_numpy(bool)
    table = pd.DataFrame({"customer_id": customers.loc[prospect, "customer_id"].to_numpy()})
    leads = _leads(history, first_day)
    newcomer = _newcomers(first_day, today)
    found = {
        "leads": len(leads.won) >= LEADS,
        "won": bool(leads.won.any()),
        "first_years": len(newcomer) >= NEWCOMERS,
    }
    lacks = [name for name, enough in found.items() if not enough]
    if lacks:
        return Prospects(table.assign(**dict.fromkeys(VALUES, np.nan)), lacks)

    years = _first_years(history, first_day, newcomer, basis)
    formats = pd.factorize(customers["format"], sort=True)[0]
    kinds = np.column_stack([formats, leads.last_source])[prospect]
    cells, cell = np.unique(kinds, axis=0, return_inverse=True)
    rng = np.random.default_rng(0)
    expected = [_cell(*each, formats, leads, years, formats[newcomer], rng) for each in cells]
    factor = _promise(formats, leads, newcomer, years)[prospect]
    value, low, high = np.array(expected).reshape(-1, len(VALUES))[cell.reshape(-1)].T * factor
    # a negative mean turns the range round
    found = dict(zip(VALUES, (value, np.minimum(low, high), np.maximum(low, high)), strict=True))
    return Prospects(table.assign(**found), [])


def _cell(of_format, of_source, formats, leads, years, its_formats, rng) -> tuple[float, ...]:
    """Expected value with range of a format and source (-1 = not known)."""
    inside = formats[leads.row] == of_format
    same = inside & (leads.source == of_source) & (of_source >= 0)
    wins, losses = leads.won.sum() + 1.0, (~leads.won).sum() + 1.0
    for part, known in ((inside, of_format >= 0), (same, of_source >= 0)):
        if known:
            rate = wins / (wins + losses)
            wins = rate * DOUBT + leads.won[part].sum()
            losses = (1 - rate) * DOUBT + (~leads.won[part]).sum()
    own = years[its_formats == of_format] if of_format >= 0 else years
    n = len(own)
    mean = (own.sum() + years.mean() * DOUBT) / (n + DOUBT)
    squares = ((own - mean) ** 2).sum() + DOUBT * ((years - mean) ** 2).mean()
    error = np.sqrt(squares) / (n + DOUBT)
    drawn = np.full(DRAWS, mean)
    if error > 0 and mean != 0:
        shape = (mean / error) ** 2
        drawn = rng.gamma(shape, mean / shape if mean > 0 else -mean / shape, DRAWS) * np.sign(mean)
    low, high = np.quantile(rng.beta(wins, losses, DRAWS) * drawn, RANGE)
    return wins / (wins + losses) * mean, low, high


def _leads(history: History, first_day: np.ndarray) -> Leads:
    n = len(first_day)
    last_source, log_revenue = np.full(n, -1), np.full(n, np.nan)
    table = history.facts.get("leads")
    if table is None or table.empty:
        none = np.empty(0, dtype="int64")
        return Leads(none, none, none.astype(bool), last_source, log_revenue)
    row = rows_of(table["customer_id"], history.customers["customer_id"])
    known, source = days_of(table["known"]), pd.factorize(table["source_id"], sort=True)[0]
    revenue = table["expected_revenue"].to_numpy(float)
    chosen = np.flatnonzero((row >= 0) & ~(known > first_day[row]))
    chosen = chosen[np.lexsort((revenue[chosen], source[chosen], known[chosen]))]
    last_source[row[chosen]] = source[chosen]
    told = chosen[revenue[chosen] > 0]
    log_revenue[row[told]] = np.log(revenue[told])
    outcome = table["outcome"].to_numpy(dtype=object)
    decided = chosen[np.isin(outcome[chosen], ["won", "lost"])]
    return Leads(row[decided], source[decided], outcome[decided] == "won", last_source, log_revenue)


def _newcomers(first_day: np.ndarray, today: int) -> np.ndarray:
    """Who came within the history and was seen for a year, (k,) rows."""
    start = np.nanmin(first_day) if not np.isnan(first_day).all() else 0.0
    return np.flatnonzero((first_day >= start + FIRST_DAYS) & (first_day <= today - YEAR))


def _first_years(history: History, first_day: np.ndarray, newcomer: np.ndarray, basis: str) -> np.ndarray:
    """What the first year of each newcomer brought, (k,) money; a margin that is not known is taken at the company's
    rate, as everywhere (`features.usual_rate`)."""
    came = np.zeros(len(first_day), dtype=bool)
    came[newcomer] = True
    orders = history.orders
    row, day = rows_of(orders["customer_id"], history.customers["customer_id"]), days_of(orders["date"])
    value = orders["amount"].to_numpy()
    if basis == "margin":
        margin, of_buyers = orders["margin"].to_numpy(), (row >= 0) & ~np.isnan(first_day[row])
        rate = usual_rate(value[of_buyers], margin[of_buyers])
        value = np.where(np.isnan(margin), value * rate, margin)
    counted = outliers.factors(row, day, orders["amount"].to_numpy())
    if counted is not None:
        value = value * counted
    inside = np.flatnonzero((row >= 0) & came[row] & (day >= first_day[row]) & (day < first_day[row] + YEAR))
    inside = inside[np.lexsort((value[inside], row[inside]))]
    return np.bincount(row[inside], value[inside], minlength=len(first_day))[newcomer]


def _promise(formats: np.ndarray, leads: Leads, newcomer: np.ndarray, years: np.ndarray) -> np.ndarray:
    """How much more of each customer's first year is to be expected than of its format's, by the revenue expected of
    its lead, (n,): 1 where nothing tells.

    The slope of logs within formats, of newcomers with both, between 0 (salespeople guess) and 1 (they know).
    """
    log = leads.log_revenue
    both = ~np.isnan(log[newcomer]) & (years > 0)
    form, x, y = formats[newcomer][both], log[newcomer][both], np.log(years[both])
    factor = np.ones(len(formats))
    if both.sum() < NEWCOMERS:
        return factor
    code = form + 1  # those without a format are a group too
    groups = int(formats.max(initial=-1)) + 2
    count = np.bincount(code, minlength=groups)
    centre = np.divide(
        np.bincount(code, x, minlength=groups), count, out=np.full(groups, np.nan), where=count > 0
    )
    level = np.bincount(code, y, minlength=groups) / np.maximum(count, 1)
    dx, dy = x - centre[code], y - level[code]
    spread = (dx**2).sum()
    if spread <= 0:
        return factor
    slope = float(np.clip((dx * dy).sum() / (spread * (1 + DOUBT / both.sum())), 0, 1))
    usual = np.bincount(code, np.exp(slope * dx), minlength=groups) / np.maximum(count, 1)
    its = formats + 1
    with np.errstate(invalid="ignore"):
        told = np.exp(slope * np.clip(log - centre[its], -3, 3)) / np.where(usual > 0, usual, 1)[its]
    return np.where(np.isnan(told), factor, told)
