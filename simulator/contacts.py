"""Who spoke to whom, and when: messages both ways, and activities of the salespeople."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.customers import Customers
from simulator.world import DROPPED, NEGLECTED, World

#: Hours until an answer, in the median; where we neglect a customer.
ANSWER, LATE_ANSWER = 4.0, 50.0


def _talking_days(world: World, customers: Customers, gap: np.ndarray, rng: np.random.Generator):
    """Days of our own accord: (row, day), about every `gap` days from the start until the customer leaves.

    We stop earlier where neglect drives a customer away, and where we want to be rid of it.
    """
    table = customers.table
    stop = np.minimum(table["leave"].to_numpy() + 30, world.days)
    silence = rng.uniform(90, 200, len(table))
    left_alone = table["cause"].isin((NEGLECTED, DROPPED)) & (rng.random(len(table)) < 0.75)
    stop = np.where(left_alone, stop - 30 - silence, stop)
    start = table["start"].to_numpy()
    draws = np.ceil(np.maximum(stop - start, 0) / gap * 1.6 + 5).astype("int64")
    row = np.repeat(np.arange(len(table)), draws)
    step = rng.gamma(4, gap[row] / 4)
    first = np.cumsum(draws) - draws
    step[first] *= rng.random(len(table))
    total = np.cumsum(step)
    day = np.floor(start[row] + total - (total[first] - step[first])[row]).astype("int64")
    kept = day < stop[row]
    row, day = row[kept], day[kept]
    day = day + np.choose(world.weekday(day), (0, 0, 0, 0, 0, 2, 1))
    kept = day < world.days
    return row[kept], day[kept]


def messages(world: World, customers: Customers, served: pd.DataFrame, ids: np.ndarray) -> pd.DataFrame:
    """The fact of that name: questions before orders, complaints after failures, our answers, and our own."""
    rng = world.random("messages")
    of = customers.table
    asks = np.where(of["customer_initiates"], 0.45, 0.08)[served["customer"]]
    question = served[rng.random(len(served)) < asks]
    failed = served[served["fails"] & (rng.random(len(served)) < 0.55)]
    office = lambda count: rng.uniform(8, 17, count)  # noqa: E731 (a moment of the day, UTC)
    row = np.concatenate([question["customer"], failed["customer"]])
    moment = np.concatenate([question["day"] - 1, failed["promised"] + 1]) * 24.0 + office(len(row))
    gone = of["leave"].to_numpy()[row] - moment / 24
    left_alone = (of["cause"].to_numpy()[row] == NEGLECTED) & (gone < 150)
    answered = rng.random(len(row)) < np.where(left_alone, 0.4, 0.93)
    wait = np.exp(rng.normal(np.log(np.where(left_alone, LATE_ANSWER, ANSWER)), 0.7))
    own_row, own_day = _talking_days(world, customers, of["contact_gap"].to_numpy(), rng)
    table = pd.DataFrame(
        {
            "row": np.concatenate([row, row[answered], own_row]),
            "moment": np.concatenate(
                [moment, (moment + wait)[answered], own_day * 24.0 + office(len(own_day))]
            ),
            "direction": ["in"] * len(row) + ["out"] * (answered.sum() + len(own_row)),
        }
    )
    table = table[(table["moment"] >= 0) & (table["moment"] < world.days * 24)]
    table = table.sort_values(["moment", "row"], ignore_index=True)
    return pd.DataFrame(
        {
            "message_id": np.arange(len(table)) + 1,
            "customer_id": ids[table["row"]],
            "known": world.dates(np.floor(table["moment"] / 24)),
            "hours": (table["moment"] + world.first * 24.0).round(2),
            "direction": table["direction"],
        }
    )


def activities(world: World, customers: Customers, ids: np.ndarray) -> pd.DataFrame:
    """The fact of that name: calls and visits, most of them done by the day they were due."""
    rng = world.random("activities")
    row, due = _talking_days(world, customers, customers.table["contact_gap"].to_numpy() * 2, rng)
    day = due + np.where(rng.random(len(row)) < 0.25, rng.integers(1, 10, len(row)), 0)
    kind = rng.choice(
        np.array(["phonecall", "meeting", "default"], dtype=object), len(row), p=(0.6, 0.25, 0.15)
    )
    table = pd.DataFrame(
        {"customer_id": ids[row], "known": world.dates(day), "due": world.dates(due), "kind": kind}
    )[day < world.days]
    table = table.sort_values(["known", "customer_id"], kind="stable", ignore_index=True)
    table.insert(0, "activity_id", np.arange(len(table)) + 1)
    return table
