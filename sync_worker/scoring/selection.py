"""Which forecast the company's own orders support, and which foretold their past best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pandas as pd

from sync_worker.policy import Policy
from sync_worker.scoring import base_models, seasonality, trials
from sync_worker.scoring.churn import RhythmModel
from sync_worker.scoring.features import Sales
from sync_worker.scoring.forecast import Forecast
from sync_worker.scoring.past import Past
from sync_worker.scoring.situation import Situation
from sync_worker.scoring.trials import Trial
from sync_worker.sentences import sentence

#: Earlier days a scoring run judges its forecast on.
TRIALS = 3


@dataclass(frozen=True)
class Choice:
    """What was chosen.

    Attributes:
        forecast: fitted on all orders.
        judged: the trials it was chosen by.
        words: sentences about the choice.
        other: the forecast of the tier that was asked for besides, fitted alike; None where it is the one chosen, or
            there is too little to learn it from.
    """

    forecast: Forecast
    judged: list[Trial] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    other: Forecast | None = None


def choose(
    sales: Sales,
    formats: pd.Series,
    situation: Situation,
    policy: Policy,
    today: int,
    *,
    most: int = TRIALS,
    progress: Callable[[float], None] = lambda _part: None,
    besides: str | None = None,
) -> Choice:
    """The forecast to use.

    With too few data the rule of thumb. Else the richest tier there is data for, unless another one was clearly
    better on earlier days of the company's own past.

    Args:
        sales: of all buyers, to forecast from (`outliers.tame`).
        formats: (n,) business format of each.
        situation: of each buyer, today.
        today: the as-of day, days since 1970-01-01.
        most: earlier days to judge on.
        progress: called with the part done.
        besides: name of a tier whose forecast is wanted too.
    """
    lack = base_models.shortage(situation)
    if lack:
        forecast = _rule_of_thumb(situation)
        told = f"Churn follows a {forecast.words}, since {lack.words}."
        words = sentence(f"rhythm_{lack.code}", told, have=lack.have, needed=lack.needed)
        return Choice(forecast, words=[words])
    past = Past(sales, formats, policy, today)
    judged = trials.run(past, most, lambda part: progress(0.7 * part))
    base = base_models.fit(situation)
    lessons, season = past.lessons(today), seasonality.learn(past, today)
    available = trials.forecasts(base, lessons, season, situation, past.horizon)
    name = trials.choose(judged, available)
    progress(1.0)
    words = []
    if not base.transactions.model.identified_:
        told = "The orders do not show the MBG/NBD when customers leave; P(alive) is the rhythm model's."
        words.append(sentence("rhythm_stands_in", told))
    chosen = replace(available[name], spread=trials.spread(judged, name))
    other = None
    if besides != name:
        other = _rule_of_thumb(situation) if besides == "rules" else available.get(besides)
    return Choice(chosen, judged, words, other)


def _rule_of_thumb(situation: Situation) -> Forecast:
    return Forecast(RhythmModel(small=True).fit(situation), base_models.fit_spend(situation))
