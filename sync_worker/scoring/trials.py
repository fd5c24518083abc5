"""Forecasts told on earlier days of the company's own past, each with what came: the grounds for every choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from sync_worker.scoring import metrics, rates, rules
from sync_worker.scoring.base_models import DAYS_MINIMUM, BaseModels, shortage
from sync_worker.scoring.distribution import SalesDistribution
from sync_worker.scoring.forecast import Forecast, of_base
from sync_worker.scoring.hybrid import HybridTier, Lesson
from sync_worker.scoring.past import Past
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.rates import Rate
from sync_worker.scoring.sales_regression import SalesRegression
from sync_worker.scoring.seasonality import Season, learn
from sync_worker.scoring.situation import Outcome, Situation, Snapshot
from sync_worker.scoring.transfer import TransferTier
from sync_worker.sentences import sentence

#: From the simplest to the richest.
TIERS = ("mbg_nbd", "rhythm", "transfer", "regression", "boosted")
#: Rows, and rows of either outcome, that a regression or boosting needs to learn from.
ROWS = {"regression": 200, "boosted": 400}
OUTCOMES = {"regression": 20, "boosted": 50}
#: A tier is left for another only if that one's Brier score is smaller by this factor: ties must not switch
#: models, and so labels, from run to run.
CLEARLY = 0.98
#: Factors of the variance tried until the interval held as much as it says.
SPREADS = (0.25, 0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.2, 3.0, 4.0, 6.0)
COVERAGE = 0.8
#: What people read while trials are made.
STEP = sentence("forecasting_past", "Trying forecasts on the past")


@dataclass
class Trial:
    """One earlier day: what was known, what each tier forecast, and what came.

    Attributes:
        past: what it was made from.
        snapshot, outcome: of the customers known then.
        horizon: (n,) days of each.
        forecasts: by tier.
        probabilities: by tier, (n,) of no purchase.
        rate: what of a unit of each customer's sales was taken to remain as value.
        chosen: the tier that trials before this one would have chosen.
        rule: the simple rule that ranked best on cut-offs before this one; recency with none before.
        spread: as trials before this one would have set it.
    """

    past: Past
    snapshot: Snapshot
    outcome: Outcome
    horizon: np.ndarray
    forecasts: dict[str, Forecast]
    probabilities: dict[str, np.ndarray]
    rate: Rate
    chosen: str = ""
    rule: str = ""
    spread: float = 1.0
    _told: dict[str, SalesDistribution] = field(default_factory=dict)

    @property
    def probability(self) -> np.ndarray:
        return self.probabilities[self.chosen]

    @property
    def forecast(self) -> Forecast:
        return self.forecasts[self.chosen]

    @property
    def held(self) -> np.ndarray:
        """(n,) bool: the customers' value lay within the interval told then."""
        return self.covered(self.chosen, self.spread)

    @cached_property
    def spent(self) -> np.ndarray:
        """(n,) money: net sales in the current window before the day."""
        window = self.past.policy.column("current_window_days", self.snapshot.formats)
        return self.past.spent(self.snapshot, window)

    @property
    def expected_sales(self) -> np.ndarray:
        """(n,) money: sales forecast, returns not subtracted."""
        return self.told(self.chosen).expected

    @cached_property
    def expected_value(self) -> np.ndarray:
        """(n,) money: value forecast, as it would have been published."""
        return self.expected_sales * self.rate.mean

    def brier(self, tier: str) -> float:
        return metrics.brier(self.outcome.churned, self.probabilities[tier])

    def told(self, tier: str) -> SalesDistribution:
        """What a tier told of each customer."""
        if tier not in self._told:
            self._told[tier] = SalesDistribution.of(
                self.forecasts[tier], self.horizon, self.snapshot.situation
            )
        return self._told[tier]

    def covered(self, tier: str, spread: float) -> np.ndarray:
        """(n,) bool: the customers' value lay within the interval."""
        return self.told(tier).worth(self.rate).holds(self.outcome.value, spread)


def run(past: Past, most: int, progress: Callable[[float], None] = lambda _part: None) -> list[Trial]:
    """Trials on at most so many days, oldest first; none where the past is too short."""
    trials: list[Trial] = []
    days = past.trial_days(most)
    for number, day in enumerate(days):
        moment = past.moment(day)
        if moment is not None and not shortage(moment[0].situation, DAYS_MINIMUM):
            trial = _trial(past, *moment)
            trial.chosen = choose(trials, trial.forecasts)
            trial.spread = spread(trials, trial.chosen)
            trial.rule = _best_rule(past, day)
            trials.append(trial)
        progress((number + 1) / len(days))
    return trials


def forecasts(
    base: BaseModels, lessons: Sequence[Lesson], season: Season, situation: Situation, horizon: float
) -> dict[str, Forecast]:
    """A forecast of each tier that there is enough to learn for.

    Args:
        situation: of the customers to forecast.
        horizon: days that `transfer` is fitted to; the company's churn horizon.
    """
    found = {name: of_base(base, name, season) for name in ("mbg_nbd", "rhythm")}
    found["transfer"] = Forecast(TransferTier(base, situation, horizon), base.spend, season=season)
    churned = np.concatenate([lesson.outcome.churned for lesson in lessons]) if lessons else np.zeros(0, bool)
    gone, stayed = int(churned.sum()), int((~churned).sum())
    for name in ("regression", "boosted"):
        if len(churned) >= ROWS[name] and min(gone, stayed) >= OUTCOMES[name]:
            boosted = name == "boosted"
            tier = HybridTier(base, lessons, situation, boosted=boosted)
            sales = SalesRegression(base, lessons, boosted=boosted)
            found[name] = Forecast(tier, base.spend, sales, season)
    return found


def choose(trials: Sequence[Trial], available: dict[str, Forecast]) -> str:
    """The tier to use: the richest there is data for, unless another did clearly better on all trials, and on those in
    which the richest had learnt from the horizon it learns from now, if there are any: before, it was another model.

    The MBG/NBD is passed over where the orders do not show when customers leave, and what other companies teach alone
    where the own past teaches enough for a regression, of which it is a part.
    """
    passed_over = {"transfer"} if "regression" in available else set()
    if not available["mbg_nbd"].tier.model.identified_:
        passed_over.add("mbg_nbd")
    names = [name for name in TIERS if name in available and name not in passed_over]
    default = names[-1]
    judged = [name for name in names if all(name in trial.probabilities for trial in trials)]
    if not trials or default not in judged:
        return default

    def loss(name: str, among: Sequence[Trial] = trials) -> float:
        return sum(trial.brier(name) for trial in among)

    now = _horizon(available[default])
    alike = [trial for trial in trials if _horizon(trial.forecasts[default]) == now] or trials
    better = [
        name
        for name in judged
        if all(loss(name, among) < CLEARLY * loss(default, among) for among in (trials, alike))
    ]
    return min(better, key=loss, default=default)


def _horizon(forecast: Forecast) -> float | None:
    """That its churn model learnt from, None where that knows any."""
    return getattr(forecast.tier, "horizon", None)


def spread(trials: Sequence[Trial], tier: str) -> float:
    """The factor of the variance with which the intervals of the trials held closest to what they say."""
    judged = [trial for trial in trials if tier in trial.forecasts]
    if not judged:
        return 1.0
    # An interval that has to hold the zero holds all who do not buy; who surely does not, tells nothing.
    telling = [1 - trial.probabilities[tier] > 1 - COVERAGE for trial in judged]
    if sum(mask.sum() for mask in telling) < 30:
        return 1.0

    def miss(factor: float) -> float:
        held = [trial.covered(tier, factor)[mask] for trial, mask in zip(judged, telling, strict=True)]
        return abs(float(np.concatenate(held).mean()) - COVERAGE)

    return min(SPREADS, key=miss)


def _trial(past: Past, snapshot: Snapshot, base: BaseModels) -> Trial:
    horizon = past.ahead(snapshot)
    lessons, season = past.lessons(snapshot.day), learn(past, snapshot.day)
    found = forecasts(base, lessons, season, snapshot.situation, past.horizon)
    probabilities = {
        name: forecast.p_no_purchase(horizon, snapshot.situation) for name, forecast in found.items()
    }
    noise = rates.noise_of(past.sales, snapshot.day)
    rate = rates.learn(snapshot.situation, Peers(snapshot.formats, past.policy), base.spend, noise)
    return Trial(past, snapshot, past.outcome(snapshot, horizon), horizon, found, probabilities, rate)


def _best_rule(past: Past, day: int) -> str:
    """The rule of the highest mean AUC among active customers on the cut-offs whose outcome was known."""
    totals: dict[str, list[float]] = {code: [] for code in rules.RULES}
    for snapshot, _base, came in past.seen(day):
        active = snapshot.active
        for code, score in rules.scores(snapshot.situation).items():
            totals[code].append(metrics.auc(came.churned[active], score[active]))
    means = {code: np.nanmean(found) for code, found in totals.items() if np.isfinite(found).any()}
    return max(means, key=means.get) if means else next(iter(rules.RULES))
