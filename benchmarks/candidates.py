"""Whether further facts, or the drift of the past's errors, would make the forecast better: with and without each.

Started by benchmarks/candidates, which sets the environment. docs/accuracy.md has the tables and what was decided.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
from rich.console import Console
from scipy.optimize import brentq
from scipy.special import expit

from benchmarks.judge import metrics, more_facts
from benchmarks.judge.cut import Cut
from benchmarks.judge.datasets import DATA_SETS, present
from benchmarks.judge.judging import Prepared, judgeable
from benchmarks.judge.report import Grid, between
from benchmarks.judge.unseen import unseen
from sync_worker.history.columns import as_day
from sync_worker.policy import Policy
from sync_worker.scoring import base_models, design, features, outliers, seasonality, transfer, trials
from sync_worker.scoring.base_models import BaseModels, log_odds
from sync_worker.scoring.forecast import Forecast
from sync_worker.scoring.hybrid import HybridTier, Lesson
from sync_worker.scoring.past import SAMPLE, Past
from sync_worker.scoring.sales_regression import SalesRegression
from sync_worker.scoring.selection import TRIALS
from sync_worker.scoring.situation import Situation, Snapshot, take

PAGE = Path(__file__).resolve().parent.parent / "docs" / "accuracy.md"
BEGIN, END = "<!-- candidates: written by benchmarks/candidates --write -->", "<!-- end of candidates -->"
FRESH_BEGIN, FRESH_END = BEGIN.replace("--write", "--fresh --write"), "<!-- end of fresh candidates -->"
#: Cut-offs that took no part in choosing columns; the shops and customers are the same.
FRESH = {
    "retail": (("2011-04-30", 60), ("2011-07-15", 60), ("2011-11-09", 30)),
    "cj": (("2017-05-15", 60), ("2017-08-15", 30), ("2017-10-31", 60)),
    "reseller": (("2018-11-30", 60), ("2019-03-31", 90), ("2020-02-29", 90)),
}
WITHOUT = "without any"
#: Candidates that add columns: groups of `more_facts.GROUPS`.
COLUMNS: dict[str, tuple[str, ...]] = {name: (name,) for name in more_facts.GROUPS} | {
    "all of these": tuple(more_facts.GROUPS)
}
#: Candidates that shift a forecast by how its errors changed over the cut-offs learnt from.
DRIFTS = ("drift, trend", "drift, newest")
#: Standard errors squared that a drift has to exceed, as for the season.
DOUBT = 4.0
#: Figures in thousandths, and of which less is better.
FIGURES = ("auc", "auc_active", "brier", "ece", "ngini", "log_bias")


@dataclass(frozen=True)
class WideSituation(Situation):
    """A situation with further columns, (n, k)."""

    more: np.ndarray | None = None

    def part(self, rows: np.ndarray | slice) -> WideSituation:
        """The situation of some of the customers."""
        return WideSituation(**{name: value[rows] for name, value in vars(self).items()})


class WidePast(Past):
    """A past whose snapshots hold the further columns."""

    def __init__(self, purchases: more_facts.Purchases | None, *args) -> None:
        super().__init__(*args)
        self.purchases = purchases
        self._wide: dict[tuple[int, int], tuple[Snapshot, BaseModels] | None] = {}

    def moment(self, day: int, horizon: int | None = None) -> tuple[Snapshot, BaseModels] | None:
        key = (day, horizon or self.horizon)
        if key not in self._wide:
            found = super().moment(day, horizon)
            self._wide[key] = None if found is None else (self.widen(found[0]), found[1])
        return self._wide[key]

    def widen(self, snapshot: Snapshot) -> Snapshot:
        more = more_facts.columns(self.sales, self.purchases, snapshot)
        return replace(snapshot, situation=WideSituation(**vars(snapshot.situation), more=more))


@dataclass
class Ground:
    """A setting prepared: what every candidate starts from.

    Attributes:
        cut: what came.
        situation, base: of the cut-off.
        lessons, days: earlier cut-offs learnt from.
        season, tier: as the product finds them.
        kept: share of sales that is not returned.
        today: the cut-off, days since 1970.
    """

    cut: Cut
    situation: Situation
    base: BaseModels
    lessons: list[Lesson]
    days: list[int]
    season: seasonality.Season
    tier: str
    kept: float
    today: int


def prepare(prepared: Prepared, cutoff: str, horizon: int) -> Ground:
    """What the product knows at the cut-off, and the tier it chooses there, which all candidates keep."""
    policy = Policy().replace(churn_horizon_days=horizon)
    day = as_day(cutoff)
    today = int(day.timestamp() // 86400)
    facts = features.build(prepared.plain.until(day), day, policy)
    cut = prepared.ledger.cut(cutoff, horizon)
    assert np.array_equal(facts.table["customer_id"].to_numpy(), cut.ids)
    (sales, _words), formats, ids = (
        outliers.tame(facts.sales),
        facts.table["format"],
        facts.table["customer_id"],
    )
    snapshot = take(sales, formats, today, horizon, policy)
    purchases = more_facts.Purchases.of(prepared.history.until(day), ids)
    more = more_facts.columns(sales, purchases, snapshot)
    situation = WideSituation(**vars(snapshot.situation), more=more)
    if purchases is not None and len(ids) > SAMPLE:
        raise NotImplementedError("a past of a sample of customers with lines")
    past = WidePast(purchases, sales, formats, policy, today)
    base = base_models.fit(situation)
    judged = trials.run(past, TRIALS)
    lessons, season = past.lessons(today), seasonality.learn(past, today)
    tier = trials.choose(judged, trials.forecasts(base, lessons, season, situation, horizon))
    kept = float(np.clip(situation.revenue, 0, None).sum() / facts.table["gross"].sum())
    days = [seen[0].day for seen in past.seen(today)]
    return Ground(cut, situation, base, lessons, days, season, tier, kept, today)


def _chosen(groups: tuple[str, ...]) -> np.ndarray:
    names = [name for group in groups for name in more_facts.GROUPS[group]]
    return np.array([name in names for name in more_facts.NAMES])


@contextmanager
def looking_at(groups: tuple[str, ...]) -> Iterator[None]:
    """The regressions and trees, of churn and of sales, look at these groups besides what they start from."""
    chosen, plain = _chosen(groups), design.plain
    added = tuple(name for name, taken in zip(more_facts.NAMES, chosen, strict=True) if taken)
    known = (*design.COLUMNS, *added)  # other companies teach nothing of a column that is not there
    slopes = {name: slope for name, slope in transfer.SLOPES.items() if name in known}

    def wide(situation, told, unit, room=None, more=()):
        candidates = np.round(situation.more[:, chosen], design.DIGITS)
        return np.hstack([plain(situation, told, unit, more=more), candidates])

    with (
        patch.object(design, "plain", wide),
        patch.object(design, "with_basket", wide),
        patch.object(design, "BASKET_COLUMNS", added),
        patch.object(transfer, "SLOPES", slopes),
    ):
        yield


def forecasts(ground: Ground) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Churn probability and expected value, (n,) each, without and with each candidate."""
    h = np.full(len(ground.cut), float(ground.cut.horizon))
    known = np.vstack([lesson.situation.more for lesson in ground.lessons]).any(axis=0)
    result = {}
    with looking_at(()):
        plain = _fitted(ground)
        result[WITHOUT] = _told(plain, h, ground)
        for name in DRIFTS:
            orders, sales = drift(plain, ground, name)
            p, value = result[WITHOUT]
            result[name] = expit(log_odds(p) - orders), value * np.exp(sales)
    for name, groups in COLUMNS.items():
        if known[_chosen(groups)].any():
            with looking_at(groups):
                result[name] = _told(_fitted(ground), h, ground)
        else:
            result[name] = result[WITHOUT]
    return result


def _fitted(ground: Ground) -> Forecast:
    if ground.tier not in trials.ROWS:
        untaught = trials.forecasts(ground.base, [], ground.season, ground.situation, ground.cut.horizon)
        return untaught[ground.tier]
    boosted = ground.tier == "boosted"
    tier = HybridTier(ground.base, ground.lessons, ground.situation, boosted=boosted)
    sales = SalesRegression(ground.base, ground.lessons, boosted=boosted)
    return Forecast(tier, ground.base.spend, sales, ground.season)


def _told(forecast: Forecast, h: np.ndarray, ground: Ground) -> tuple[np.ndarray, np.ndarray]:
    value = forecast.expected_sales(h, ground.situation) * ground.kept
    return forecast.p_no_purchase(h, ground.situation), value


def drift(forecast: Forecast, ground: Ground, how: str) -> tuple[float, float]:
    """What is added to the log-odds of a purchase and to the log of sales, by the errors on the lessons.

    The errors of the model on each of the cut-offs it learnt from (the shift in log-odds that would have met the
    churn rate, the log of sales that came over those told): their straight line carried on to today, or the newest
    one, less their mean, shrunk by its standard error (positive-part James-Stein) as the season is.
    """
    if len(ground.lessons) < 3 or ground.tier not in trials.ROWS:
        return 0.0, 0.0
    errors = []
    for lesson in ground.lessons:
        h = np.full(len(lesson.situation), lesson.horizon)
        p = forecast.tier.p_no_purchase(h, lesson.situation)
        told = forecast.sales.expected_sales(h, lesson.situation)
        errors.append(
            (-_shift(p, lesson.outcome.churned.mean()), np.log(lesson.outcome.sales.sum() / told.sum()))
        )
    days = np.array(ground.days, dtype=float)
    return tuple(_carried(days, np.array(one), ground.today, how) for one in zip(*errors, strict=True))


def _shift(p: np.ndarray, rate: float) -> float:
    """What has to be added to the log-odds for their mean probability to meet a rate."""
    rate = np.clip(rate, 1e-4, 1 - 1e-4)
    return brentq(lambda d: expit(log_odds(p) + d).mean() - rate, -12, 12)


def _carried(days: np.ndarray, errors: np.ndarray, today: int, how: str) -> float:
    n, off = len(errors), errors - errors.mean()
    if how.endswith("newest"):
        own, variance = off[np.argmax(days)], off.var(ddof=1) * (1 - 1 / n)
    else:
        since = days - days.mean()
        slope = (since * off).sum() / (since**2).sum()
        rest = ((off - slope * since) ** 2).sum() / (n - 2)
        ahead = today - days.mean()
        own, variance = slope * ahead, rest * ahead**2 / (since**2).sum()
    weight = max(0.0, 1 - DOUBT * variance / own**2) if own else 0.0
    return float(np.clip(weight * own, -1, 1))


def judge(cut: Cut, told: dict[str, tuple[np.ndarray, np.ndarray]], draws: int) -> dict[str, dict]:
    """Figures of each forecast, and its AUC on resamples of customers."""
    value = np.maximum(cut.actual, 0)
    result = {}
    for name, (p, expected) in told.items():
        result[name] = {
            "auc": metrics.auc(p, cut.churned),
            "brier": metrics.brier(p, cut.churned),
            "ece": metrics.calibration_error(p, cut.churned),
            "ngini": metrics.normalised_gini(expected, value),
            "log_bias": abs(metrics.log_bias(expected, cut.actual)),
        }
        if judgeable(cut):
            result[name]["auc_active"] = metrics.auc(p[cut.active], cut.churned[cut.active])
    risks = np.array([p for p, _expected in told.values()])
    for figure, who in (("auc", np.ones(len(cut), bool)), ("auc_active", cut.active)):
        if figure in result[WITHOUT]:
            drawn = metrics.bootstrap_auc(risks[:, who], cut.churned[who], draws)
            for at, name in enumerate(told):
                result[name][f"{figure}_drawn"] = drawn[:, at] - drawn[:, 0]
    return result


def table(
    found: list[tuple[str, dict[str, dict]]], title: str, names: Iterable[str] = (*COLUMNS, *DRIFTS)
) -> Grid:
    """What each candidate changes, in thousandths; the means are over settings, each counted once."""
    rows = []
    for name in names:
        row = [name]
        for figure in FIGURES:
            row.append(_thousandths(_gains(found, name, figure)))
            if figure in ("auc", "auc_active"):
                drawn = [told[name][f"{figure}_drawn"] for _set, told in found if figure in told[name]]
                low, high = metrics.interval(np.nanmean(drawn, axis=0))
                ends = [metrics.interval(one) for one in drawn]
                up, down = sum(low > 0 for low, _high in ends), sum(high < 0 for _low, high in ends)
                row += [f"[{1000 * low:+.1f}, {1000 * high:+.1f}]", f"{up} / {down}"]
        for data_set in dict.fromkeys(one for one, _told in found):
            own = [one for one in found if one[0] == data_set]
            row.append(_thousandths(_gains(own, name, "auc_active")))
        rows.append(row)
    sets = [f"of active, {one}" for one in dict.fromkeys(one for one, _told in found)]
    header = ["candidate", "AUC", "90 %", "above / below", "AUC active", "90 %", "above / below"]
    header += ["Brier", "ECE", "nGini", "abs log bias", *sets]
    return Grid(title, header, rows)


def _gains(found: list[tuple[str, dict[str, dict]]], name: str, figure: str) -> list[float]:
    return [told[name][figure] - told[WITHOUT][figure] for _set, told in found if figure in told[name]]


def _thousandths(gains: list[float]) -> str:
    return f"{1000 * np.mean(gains):+.1f}" if gains else "-"


def main() -> int:
    """Runs the benchmark; 1 where no setting could be judged."""
    names = [one.name for one in DATA_SETS]
    parser = argparse.ArgumentParser(prog="benchmarks/candidates", description=__doc__.splitlines()[0])
    parser.add_argument("--sets", default=",".join(names), metavar="A,B", help=f"some of {', '.join(names)}")
    parser.add_argument("--json", metavar="FILE", help="the figures of every setting")
    parser.add_argument("--write", action="store_true", help="write the table into docs/accuracy.md")
    parser.add_argument("--draws", type=int, default=200, help="resamples for the intervals")
    parser.add_argument("--fresh", action="store_true", help="cut-offs that took no part in choosing columns")
    options = parser.parse_args()
    console, found, figures = Console(width=220), [], {}
    settings = FRESH if options.fresh else {one.name: one.settings for one in DATA_SETS}
    asked = {name for name in options.sets.split(",") if settings.get(name)}
    for data_set, rows in present(asked, console.print):
        prepared = Prepared.of(rows)
        for cutoff, horizon in settings[data_set.name]:
            with unseen(data_set.name):
                ground = prepare(prepared, cutoff, horizon)
                judged = judge(ground.cut, forecasts(ground), options.draws)
            found.append((data_set.name, judged))
            figures[f"{data_set.name} {cutoff} + {horizon}"] = {
                name: {figure: one.get(figure) for figure in FIGURES} for name, one in judged.items()
            }
            console.print(
                f"{data_set.name} {cutoff} + {horizon}, {ground.tier}, {len(ground.lessons)} lessons"
            )
    if not found:
        return 1
    what = "at fresh cut-offs" if options.fresh else "against the forecast without any"
    grid = table(found, f"Candidates: change {what}, in thousandths")
    console.print(grid.rich())
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1) + "\n")
    if options.write:
        begin, end = (FRESH_BEGIN, FRESH_END) if options.fresh else (BEGIN, END)
        between(PAGE, begin, end, grid.markdown())
    return 0


if __name__ == "__main__":
    sys.exit(main())
