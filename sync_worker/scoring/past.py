"""The company's own past, seen from earlier days: what models learn from and are judged on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sync_worker.policy import Policy
from sync_worker.scoring import base_models
from sync_worker.scoring.base_models import BaseModels
from sync_worker.scoring.features import Sales
from sync_worker.scoring.hybrid import Lesson
from sync_worker.scoring.situation import Outcome, Snapshot, outcome, take

#: Customers looked at; more of them tell the models nothing new.
SAMPLE = 20_000
#: Of these, customers that the few parameters of the transaction models are fitted on.
FITTED = 10_000
#: Earlier cut-offs learnt from, and rows taken from all of them.
LESSONS, LESSON_ROWS = 6, 40_000
#: A snapshot sees at least this much of the past, in horizons and in days.
PAST_HORIZONS, PAST_DAYS = 0.5, 45
#: Two cut-offs to learn from lie at least so far apart, in horizons and in days.
STEP_HORIZONS, STEP_DAYS = 0.5, 15
SHORTEST_HORIZON = 14


class Past:
    """Snapshots of earlier days with the models fitted then; each day's is made once.

    Args:
        sales, formats: of all customers; a sample of them is looked at where they are many.
        policy: its churn horizon is what is forecast.
        today: days since 1970-01-01; nothing later is looked at.

    Attributes:
        rows: of the customers looked at among all, ascending; those of snapshots are numbered by it.
    """

    def __init__(self, sales: Sales, formats: pd.Series, policy: Policy, today: int) -> None:
        self.rows = np.arange(len(formats))
        if len(formats) > SAMPLE:
            self.rows = np.sort(np.random.default_rng(0).choice(len(formats), SAMPLE, replace=False))
            sales, formats = sales.of(self.rows), formats.iloc[self.rows].reset_index(drop=True)
        self.sales, self.formats, self.policy, self.today = sales, formats, policy, today
        self.start = int(sales.day.min())
        self.horizon = int(policy.value("churn_horizon_days"))
        self._moments: dict[tuple[int, int], tuple[Snapshot, BaseModels] | None] = {}

    def ahead(self, snapshot: Snapshot) -> np.ndarray:
        """The churn horizon of each customer of a snapshot, days."""
        return self.policy.column("churn_horizon_days", snapshot.formats)

    def outcome(self, snapshot: Snapshot, horizon: np.ndarray | float) -> Outcome:
        return outcome(self.sales, snapshot, horizon)

    def spent(self, snapshot: Snapshot, window: np.ndarray) -> np.ndarray:
        """Net sales of each customer of a snapshot within so many days up to its day, (n,) money."""
        number = np.full(len(self.formats), -1)
        number[snapshot.rows] = np.arange(len(snapshot.rows))
        owner, age = number[self.sales.row], snapshot.day - self.sales.day
        within = (owner >= 0) & (age >= 0)
        within[within] = age[within] < window[owner[within]]
        return np.bincount(owner[within], self.sales.amount[within], minlength=len(snapshot.rows))

    def moment(self, day: int, horizon: int | None = None) -> tuple[Snapshot, BaseModels] | None:
        """What was known on a day and the models fitted on it; None with too few data for a model."""
        key = (day, horizon or self.horizon)
        if key not in self._moments:
            snapshot = take(self.sales, self.formats, day, key[1], self.policy)
            short = base_models.shortage(snapshot.situation, PAST_DAYS)
            self._moments[key] = None if short else (snapshot, base_models.fit(snapshot.situation, FITTED))
        return self._moments[key]

    def seen(self, day: int) -> list[tuple[Snapshot, BaseModels, Outcome]]:
        """Earlier cut-offs whose outcome was known on a day, newest first.

        Where the past is too short for the horizon, a shorter one is learnt from: the transaction models, which
        know any horizon, carry what is learnt over to the longer one.
        """
        horizon = self.horizon
        days = cutoffs(self.start, day, horizon)
        if not days:
            horizon = int((day - self.start) / 2.5)
            days = cutoffs(self.start, day, horizon) if horizon >= SHORTEST_HORIZON else []
        moments = [self.moment(earlier, horizon) for earlier in days]
        return [(*moment, self.outcome(moment[0], horizon)) for moment in moments if moment is not None]

    def lessons(self, day: int) -> list[Lesson]:
        """What the cut-offs seen by a day teach, from a sample of the customers where they are many."""
        seen = self.seen(day)
        share = LESSON_ROWS / max(sum(len(snapshot.rows) for snapshot, _base, _came in seen), 1)
        lessons = []
        for snapshot, base, came in seen:
            chosen = np.random.default_rng(snapshot.day).random(len(snapshot.rows)) < share
            situation = snapshot.situation.part(chosen)
            lessons.append(Lesson(situation, base, came.part(chosen), float(snapshot.horizon)))
        return lessons

    def trial_days(self, most: int) -> list[int]:
        """Days to judge forecasts on, oldest first: a horizon apart, so that no two are judged on the same
        orders."""
        longest = max(int(self.policy.value("churn_horizon_days", f)) for f in (None, *self.policy.formats))
        days = [self.today - longest * number for number in range(1, most + 1)]
        return [day for day in reversed(days) if day - self.start >= needed(longest)]


def cutoffs(start: int, day: int, horizon: int) -> list[int]:
    """Days to learn from, newest first, each with a whole horizon between it and `day`."""
    step = max(round(STEP_HORIZONS * horizon), STEP_DAYS)
    days = range(day - horizon, start - 1, -step)
    return [earlier for earlier in days if earlier - start >= needed(horizon)][:LESSONS]


def needed(horizon: int) -> float:
    """Days of the past that a snapshot has to see."""
    return max(PAST_HORIZONS * horizon, PAST_DAYS)
