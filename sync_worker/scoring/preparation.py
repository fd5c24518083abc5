"""Facts, rhythms and forecast of the buyers of a company, which the labels of any threshold are then told from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import (
    backtest,
    complaints,
    features,
    memory,
    net_value,
    outliers,
    rates,
    receivables,
    returns,
    rhythm,
    selection,
)
from sync_worker.scoring.complaints import Complaints
from sync_worker.scoring.features import Features
from sync_worker.scoring.forecast import Forecast
from sync_worker.scoring.net_value import Contacts
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.receivables import Receivables
from sync_worker.scoring.returns import Returns
from sync_worker.scoring.rhythm import Rhythm
from sync_worker.scoring.situation import Situation, take
from sync_worker.scoring.trials import STEP, Trial
from sync_worker.sentences import Sentence, sentence

#: Keys of the policy that any of this rests on: where one changes, all of it is found anew.
REFITTING = frozenset({"churn_horizon_days", "current_window_days", "peers_minimum", "sales_basis"})


@dataclass
class Prepared:
    """What the labels of n buyers rest on, as of a day, whatever the thresholds are.

    Attributes:
        facts: of the buyers.
        rhythms: after each order-day.
        own: after each buyer's last order-day.
        situation: of each buyer, today.
        rate_noise: of the rates of single orders (`rates.noise_of`).
        forecast: fitted to the buyers.
        other: by the model of the run before, where that is another and is asked for.
        past: what the back-test found (`backtest.summarise`).
        owed: None where nothing is known of it.
        said: what the buyers said of us, complaints among it.
        previous: what the last run made of the buyers (`memory.of`).
        today: the as-of day, days since 1970-01-01.
        policy: by which it was found; what differs from it in a key of `REFITTING` needs another preparation.
        expected: by the forecast (`value.expected_value`), once somebody has asked: it takes most of the time, and no
            threshold touches it.
    """

    facts: Features
    rhythms: Rhythm
    own: Rhythm
    situation: Situation
    rate_noise: float
    forecast: Forecast
    other: Forecast | None
    past: dict[str, Any]
    owed: Receivables | None
    back: Returns
    contacts: Contacts
    said: Complaints
    previous: pd.DataFrame | None
    today: int
    policy: Policy
    expected: pd.DataFrame | None = None


def prepare(
    history: History,
    day: pd.Timestamp,
    policy: Policy,
    report: Callable[[int, str], None],
    tier: str | None = None,
) -> tuple[Prepared, list[Trial], list[str]]:
    """What the labels of the buyers rest on, the trials the forecast was chosen by, and sentences about both.

    Args:
        history: until `day`, with a sale.
        report: called with percent done and the step.
        tier: name of the model of the run before, to forecast by it too (`Prepared.other`).
    """
    facts = features.build(history, day, policy)
    formats, today = facts.table["format"], int(day.timestamp() // 86400)
    report(30, sentence("learning_rhythms", "Learning rhythms"))
    main_horizon = float(policy.value("churn_horizon_days"))
    rhythms = rhythm.learn(facts.days, Peers(formats, policy), default_gap=main_horizon)
    own = rhythms.at(facts.days.last())
    sales, exceptional = outliers.tame(facts.sales)
    situation = take(sales, formats, today, main_horizon, policy, own).situation
    report(35, STEP)
    choice = selection.choose(
        sales,
        formats,
        situation,
        policy,
        today,
        progress=lambda part: report(35 + int(20 * part), STEP),
        besides=tier,
    )
    forecast = choice.forecast
    past = backtest.summarise(choice.judged, forecast, policy, formats, ())
    words = [*facts.warnings, *exceptional, *choice.words, *past["warnings"]]
    why = forecast.spend.fallback_
    if why:
        words.append(Sentence(f"Spend is the customers' shrunken mean, since {why}.", why.code, why.params))
    prepared = Prepared(
        facts=facts,
        rhythms=rhythms,
        own=own,
        situation=situation,
        rate_noise=rates.noise_of(sales, today),
        forecast=forecast,
        other=choice.other,
        past=past,
        owed=receivables.take(history, facts.table["customer_id"]),
        back=returns.take(facts, history, policy, today),
        contacts=net_value.contacts(history, facts.table, policy, today),
        said=complaints.read(history, facts.table["customer_id"]),
        previous=memory.of(history.previous, facts.table["customer_id"]),
        today=today,
        policy=policy,
    )
    return prepared, choice.judged, words
