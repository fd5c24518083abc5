"""A sudden change of a customer against its own pattern: fewer or more orders, smaller or larger ones.

The last days, in windows of 7 to 182 days, are held against what came before each of them (at most `BASELINE_DAYS`,
at least `BASELINE_ORDERS` gaps between order-days), on a clock that runs as fast as orders of all others come
(`tide`). For
every window there are two statistics, each a standard normal number where nothing changed:

- how often: the root of twice the log-likelihood ratio of two Poisson rates against one, over the customer's own
  dispersion (the squared coefficient of variation of its gaps; 1 = at random, 0.1 = by the clock);
- how much: the t statistic of the mean log amount, made normal.

Those count that go the way of the turnover, which has to differ by `anomaly_percent_minimum` and by a usual order
at least, and by half as much from the days just before, as many as in the window: else the change is older. The sum
of their squares, the largest over the windows, exceeds `ALARM` for at most one in twenty customers whose rhythm
does not change: it is the 95 % quantile, where that is highest, of simulated customers without a change, with gaps
of Gamma shape 0.6 to 20, 4 to 45 days long, 8 to 100 order-days and orders that differ by factors of 1.2 to 3. Real
customers may have heavier tails and busy weeks, so the border is raised to what `CALM` of the company's own stay
below when their gaps come in another order (`_usual`). Tests hold the module to both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.policy import Policy
from sync_worker.scoring import tide
from sync_worker.scoring.events import Window, keys, running, window
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.features import Features, Sales
from sync_worker.scoring.reasons import Told
from sync_worker.scoring.tide import Tide

#: Windows in days, each about three quarters of the one before. What began earlier is the pattern.
WINDOWS = (182, 135, 100, 74, 55, 41, 30, 22, 16, 12, 9, 7)
#: Days and gaps between order-days before the window that the pattern is taken from.
BASELINE_DAYS, BASELINE_ORDERS = 545, 8
#: Order-days that the pattern promises in the window.
EXPECTED = 3.0
ALARM = 10.5
#: Part of the company's own customers, stirred, that stays below the alarm: nineteen in twenty, and room for what
#: stirring takes away, above all the memory of more than `TOGETHER` gaps.
CALM = 0.97
#: Customers that are stirred, each several times where there are fewer, the fewest that tell anything, and gaps that
#: stay together.
STIRRED, FEWEST, TOGETHER = 4000, 200, 4
#: Strength from which a customer has changed beyond doubt, and its gaps are of two rhythms.
BEYOND_DOUBT = 20.0
#: Least dispersion of gaps (days are whole) and least variance of log amounts.
DISPERSION, SPREAD = 0.05, 0.0025
LARGEST = 999
NAMES = ("strength", "change", "orders", "expected", "days")

SENTENCES = {
    "sudden_drop": "Sales {percent} % below its own pattern for {days} days: order-days {orders}, {expected} expected",
    "sudden_surge": "Sales {percent} % above its own pattern for {days} days: order-days {orders}, {expected} expected",
}


@dataclass
class Anomalies:
    """The sudden change of each buyer.

    Attributes:
        table: a row per buyer: `anomaly` (`drop`, `surge` or None), `anomaly_percent` (float64, whole and
            signed), `anomaly_since` (datetime64); missing where there is none.
        evidence: the figures, with the newest orders.
        border: strength from which a change is told here.
    """

    table: pd.DataFrame
    evidence: list[Evidence | Told]
    border: float


@dataclass
class Found:
    """What one window says of each customer, (n,) each.

    Attributes:
        strength: the statistic, -1 where there is too little to judge from.
        change: turnover over what the pattern promises, less 1.
        orders, expected: order-days in the window, and those promised.
        days: length of the window.
    """

    strength: np.ndarray
    change: np.ndarray
    orders: np.ndarray
    expected: np.ndarray
    days: np.ndarray


def classify(features: Features, lifecycle_stage: pd.Categorical, policy: Policy, today: int) -> Anomalies:
    """The sudden change of each buyer, if any; none of a lost one, whose stage says as much.

    Args:
        features: with `sales`.
        lifecycle_stage: (n,) of each buyer.
        today: the as-of day, days since 1970-01-01.
    """
    stage = np.asarray(lifecycle_stage, dtype=object)
    formats = features.table["format"]
    least = policy.column("anomaly_percent_minimum", formats) / 100
    found, border = _strongest(features, ~np.isin(stage, ["dormant", "lost"]), least, today)
    alarm = (found.strength > border) & (stage != "lost")
    drop, surge = alarm & (found.change < 0), alarm & (found.change > 0)
    percent = np.rint(np.clip(100 * found.change, -100, LARGEST))
    since = pd.Series((today - found.days + 1).astype("datetime64[D]").astype("datetime64[s]"))
    label = pd.Categorical.from_codes(np.where(drop, 0, np.where(surge, 1, -1)), ["drop", "surge"])
    figures = {
        "percent": np.abs(percent),
        "days": found.days,
        "orders": found.orders,
        "expected": found.expected,
    }
    return Anomalies(
        pd.DataFrame(
            {
                "anomaly": label,
                "anomaly_percent": np.where(alarm, percent, np.nan),
                "anomaly_since": since.where(alarm),
            }
        ),
        [
            Evidence("sudden_drop", drop, figures, features.last_orders, found.strength),
            Evidence("sudden_surge", surge, figures, features.last_orders, found.strength),
        ],
        border,
    )


def _strongest(features: Features, here: np.ndarray, least: np.ndarray, today: int) -> tuple[Found, float]:
    """Of each customer the window that speaks loudest, and the strength from which that is an alarm here."""
    n = len(here)
    best = Found(np.full(n, -1.0), *(np.zeros(n) for _ in range(3)), np.zeros(n, dtype="int64"))
    rows = np.flatnonzero(features.table["order_days"].to_numpy() > BASELINE_ORDERS)
    if not len(rows):
        return best, ALARM
    past = _Past.of(features, rows, here, today)
    if not len(past.row):
        return best, ALARM
    least = least[rows]
    loudest = past.loudest(least)
    for name in NAMES:
        getattr(best, name)[rows] = getattr(loudest, name)
    calm = np.flatnonzero(here[rows] & (loudest.strength <= BEYOND_DOUBT))
    return best, max(ALARM, _usual(past, least, calm))


def _usual(past: _Past, least: np.ndarray, calm: np.ndarray) -> float:
    """The strength that `CALM` of the company's customers stay below if nothing changes: with the gaps of each,
    its last silence among them, in another order, `TOGETHER` at a time, and as from any day; -1 if they are too few.

    By chance, but always the same one.

    Args:
        calm: the customers who still order and did not change beyond doubt, ascending: the silence of who left is
            no gap of its rhythm.
    """
    if len(calm) < FEWEST:
        return -1.0
    rng = np.random.default_rng(1)
    chosen = calm[np.unique(np.linspace(0, len(calm) - 1, min(len(calm), STIRRED)).astype(int))]
    times = -(-STIRRED // len(chosen))
    some = past.part(chosen)
    found = [some.stirred(rng).loudest(least[chosen]).strength for _ in range(times)]
    return float(np.quantile(np.concatenate(found), CALM))


@dataclass
class _Past:
    """Order-days of n customers that have enough of them, numbered from 0, on the clock of the tide.

    Attributes:
        keys: (m,) of each order-day, by customer and day; the day is less its age in days.
        row, clock, log: (m,) customer and age of each, and the logarithm of its amount in usual orders of the customer.
        sums: (m + 1,) running sums of `gap` (clock days since the order-day before, 0 at the first), `gap2`,
            `amount` (in a month like any other, in usual orders of the customer), its logarithm `log` and
            `log2`.
        tide: that the customers were in.
        n: number of customers.
    """

    keys: np.ndarray
    row: np.ndarray
    clock: np.ndarray
    log: np.ndarray
    sums: dict[str, np.ndarray]
    tide: Tide
    n: int

    @classmethod
    def of(cls, features: Features, rows: np.ndarray, here: np.ndarray, today: int) -> _Past:
        """The order-days that any window or its baseline reaches back to. Everybody's are in the tide, though
        only those of the customers `rows` are kept."""
        row, age, log_amount = _spent(features.sales, today, BASELINE_DAYS + WINDOWS[0])
        new = np.append(True, row[1:] != row[:-1])[: len(row)]
        present, row = row[new], np.cumsum(new) - 1
        number = np.searchsorted(rows, present)
        asked = np.isin(present, rows)
        found = tide.learn(row, age, log_amount, len(present), here[present], asked)
        pace, worth = np.ones((2, len(rows), found.pace.shape[1]))
        pace[number[asked]], worth[number[asked]] = found.pace, found.worth
        own = Tide(pace, worth)

        chosen = asked[row]
        row, age = number[row[chosen]], age[chosen]
        return cls.at(row, age, own.usual(row, age, log_amount[chosen]), own, len(rows))

    @classmethod
    def at(cls, row: np.ndarray, age: np.ndarray, log_amount: np.ndarray, own: Tide, n: int) -> _Past:
        """Of the order-days of n customers, by customer and falling age in days."""
        clock = own.elapsed(row, age)
        gap = np.where(np.append(False, row[1:] == row[:-1]), -np.diff(clock, prepend=0.0), 0.0)
        count = np.maximum(np.bincount(row, minlength=n), 1)
        log = log_amount - (np.bincount(row, log_amount, minlength=n) / count)[row]
        values = {"gap": gap, "gap2": gap**2, "amount": np.exp(log), "log": log, "log2": log**2}
        sums = {name: running(each) for name, each in values.items()}
        return cls(keys(row, -age), row, clock, log, sums, own, n)

    def part(self, rows: np.ndarray) -> _Past:
        """Some of the customers (ascending), each day as long as any other."""
        kept = np.isin(self.row, rows)
        row = np.searchsorted(rows, self.row[kept])
        steady = Tide(*np.ones((2, len(rows), 1)))
        return self.at(row, np.rint(self.clock[kept]).astype("int64"), self.log[kept], steady, len(rows))

    def stirred(self, rng: np.random.Generator) -> _Past:
        """The same customers with their gaps in another order, on a circle that is cut anywhere; `tide` is steady."""
        age = self.clock.astype("int64")
        last = np.append(self.row[1:] != self.row[:-1], True)
        gap = np.where(last, np.maximum(age, 1), age - np.append(age[1:], 0))
        start = np.searchsorted(self.row, np.arange(self.n))
        place = np.arange(len(age)) - start[self.row]
        piece = self.row * (place.max(initial=0) // TOGETHER + 1) + place // TOGETHER
        order = np.lexsort((place, rng.random(int(piece.max(initial=0)) + 1)[piece], self.row))
        gap, log = gap[order], self.log[order]
        before = np.cumsum(gap) - gap
        before -= before[np.minimum(start, len(gap) - 1)][self.row]
        circle = np.maximum(np.bincount(self.row, gap, minlength=self.n), 1).astype("int64")
        cut = (rng.random(self.n) * circle).astype("int64")
        age = (cut[self.row] - before) % circle[self.row]
        order = np.lexsort((-age, self.row))
        return self.at(self.row, age[order], log[order], self.tide, self.n)

    def loudest(self, least: np.ndarray) -> Found:
        """Of each customer the window that speaks loudest; `least` as in `look`."""
        best = Found(*(np.full(self.n, -1.0) for _ in NAMES))
        for days in WINDOWS:
            found = self.look(days, least)
            better = found.strength > best.strength
            for name in NAMES:
                getattr(best, name)[better] = getattr(found, name)[better]
        return best

    def look(self, days: int, least: np.ndarray) -> Found:
        """What the last `days` days say against those before.

        Args:
            least: (n,) change of turnover worth an alarm.
        """
        every = np.arange(self.n)

        def between(oldest: int, newest: int) -> Window:
            ages = (np.full(self.n, each) for each in (-oldest, -newest))
            return window(self.keys, every, *ages)

        recent, base = between(days - 1, 0), between(days + BASELINE_DAYS - 1, days)
        just_before = between(2 * days - 1, days)
        gaps = np.maximum(base.count - 1, 0)  # the first order-day begins the baseline
        later = Window(np.minimum(base.begin + 1, base.end), base.end)
        length, twice = (self.tide.elapsed(every, np.full(self.n, each)) for each in (days, 2 * days))
        oldest = self.clock[np.minimum(base.begin, len(self.clock) - 1)]
        before = np.where(base.count > 0, oldest - length, 0.0)
        turnover = self._sum("amount", recent)
        with np.errstate(divide="ignore", invalid="ignore"):
            expected = gaps / before * length
            enough = (gaps >= BASELINE_ORDERS) & (before >= length) & (expected >= EXPECTED)
            often = self._often(recent.count, gaps, length / (length + before), later)
            much = self._much(recent, base)
            promised = self._sum("amount", later) / before * length
            lately = self._sum("amount", just_before) / (twice - length) * length
            change = turnover / promised - 1
            toward = np.sign(change)
            order = np.fmax(turnover / recent.count, self._sum("amount", later) / gaps)
            noticed = (np.abs(change) >= least) & (np.abs(turnover - promised) >= order)
            noticed &= toward * (turnover / lately - 1) >= least / 2
            strength = np.clip(often * toward, 0, None) ** 2 + np.clip(much * toward, 0, None) ** 2
        enough &= np.isfinite(change)
        strength = np.where(noticed, strength, 0.0)
        return Found(np.where(enough, strength, -1.0), change, recent.count, expected, np.full(self.n, days))

    def _often(self, orders: np.ndarray, before: np.ndarray, share: np.ndarray, later: Window) -> np.ndarray:
        """Signed root of the likelihood ratio of order-days in a `share` of the time, over the own dispersion."""
        total = orders + before
        ratio = 2 * (_surprise(orders, total * share) + _surprise(before, total * (1 - share)))
        mean = self._sum("gap", later) / before
        variance = (self._sum("gap2", later) - before * mean**2) / (before - 1)
        dispersion = np.maximum(variance / mean**2, DISPERSION)
        return np.sign(orders - total * share) * np.sqrt(np.maximum(ratio, 0) / dispersion)

    def _much(self, recent: Window, base: Window) -> np.ndarray:
        """The t statistic of the log amounts as a normal number; 0 without an order in the window.

        A t with d degrees of freedom has the same likelihood ratio as a normal number of square d ln(1 + t^2 / d).
        """
        (new, its_mean, its_squares), (old, usual, squares) = map(self._amounts, (recent, base))
        freedom = np.maximum(new + old - 2, 1)
        variance = np.maximum((its_squares + squares) / freedom, SPREAD)
        t = (its_mean - usual) / np.sqrt(variance * (1 / new + 1 / old))
        normal = np.sign(t) * np.sqrt(freedom * np.log1p(t**2 / freedom))
        return np.where(new > 0, normal, 0.0)

    def _amounts(self, part: Window) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Number, mean, and sum of squares around the mean of the log amounts in a window."""
        count = part.count
        mean = np.where(count > 0, self._sum("log", part) / count, 0.0)
        return count, mean, np.maximum(self._sum("log2", part) - count * mean**2, 0)

    def _sum(self, name: str, part: Window) -> np.ndarray:
        return part.difference(self.sums[name])


def _spent(sales: Sales, today: int, reach: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each order-day of the last `reach` days the customer, the age in days and the logarithm of what was bought,
    (m,) each; returns of that day are not looked at."""
    bought = np.flatnonzero((sales.amount > 0) & (today - sales.day < reach))
    row, day = sales.row[bought], sales.day[bought]
    new = np.flatnonzero(np.append(True, (row[1:] != row[:-1]) | (day[1:] != day[:-1]))[: len(row)])
    amount = np.add.reduceat(sales.amount[bought], new) if len(new) else np.zeros(0)
    return row[new], today - day[new], np.log(amount)


def _surprise(count: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """count x ln(count / expected), 0 for none."""
    return np.where(count > 0, count * np.log(count / expected), 0.0)
