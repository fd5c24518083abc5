"""Which forecast the company's own orders support, and which foretold their past best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sync_worker.policy import Policy
from sync_worker.scoring import base_models, seasonality, trials
from sync_worker.scoring.churn import RhythmModel
from sync_worker.scoring.features import Features
from sync_worker.scoring.forecast import Forecast
from sync_worker.scoring.past import Past
from sync_worker.scoring.situation import Situation
from sync_worker.scoring.trials import Trial

#: Earlier days a scoring run judges its forecast on.
TRIALS = 3


def choose(
    features: Features,
    situation: Situation,
    policy: Policy,
    today: int,
    *,
    most: int = TRIALS,
    progress: Callable[[float], None] = lambda _part: None,
) -> tuple[Forecast, list[Trial], list[str]]:
    """The forecast to use, fitted on all orders; the trials it was chosen by; and sentences about the choice.

    With too few data the rule of thumb. Else the richest tier there is data for, unless another one was clearly
    better on earlier days of the company's own past.

    Args:
        situation: of each buyer, today.
        today: the as-of day, days since 1970-01-01.
        most: earlier days to judge on.
        progress: called with the part done.
    """
    lack = base_models.shortage(situation)
    if lack:
        model = RhythmModel(small=True).fit(situation)
        forecast = Forecast(model, base_models.fit_spend(situation))
        return forecast, [], [f"Churn follows a {model.words}, since {lack.words}."]
    past = Past(features.sales, features.table["format"], policy, today)
    judged = trials.run(past, most, lambda part: progress(0.7 * part))
    base = base_models.fit(situation)
    available = trials.forecasts(base, past.lessons(today), seasonality.learn(past, today))
    name = trials.choose(judged, available)
    progress(1.0)
    forecast = replace(available[name], spread=trials.spread(judged, name))
    words = []
    if not base.transactions.model.identified_:
        words.append("The orders do not show the MBG/NBD when customers leave; the rhythm model stands in.")
    return forecast, judged, words
