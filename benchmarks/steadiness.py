"""How steady labels are: real histories scored anew each week, with and without memory of the week before.

    CV_SHARED_DATA=... PYTHONPATH=. python benchmarks/steadiness.py [--weeks N] [--value 0.1] [--probability 0.05]

A *change* is a label that differs from the week before, a *return* one that goes back within eight weeks to what
it was: to and fro. Both in a year of 100 customers. *Held* is the part of the customers whose label is another than
without memory, *for longer* for more than eight weeks. *Carried* is the share of current and potential value that key
customers have. Without options every margin of a grid is tried; docs/steadiness.md tells what came of it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from unittest.mock import patch

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.judge.datasets import DATA_SETS, AbsentError, Folders
from sync_worker.history.file import history_from_table
from sync_worker.policy import Policy
from sync_worker.scoring import churn, labelling, lifecycle, memory, pipeline, segment, value_class
from sync_worker.scoring.peers import Peers

#: Data sets and their last day; the gift shop has sold for a year only, so its first weeks are left out.
SETTINGS = {"retail": ("2011-12-09", 40), "reseller": ("2020-05-29", 52)}
GRID = ((0, 0), (0.05, 0.03), (0.1, 0.05), (0.15, 0.075), (0.2, 0.1))
LABELS = ("value_class", "churn_risk", "value_segment", "loyalty_stage", "lifecycle_stage")
BACK_WITHIN = 8
WEEKS = 52
TODAY = 1  # any: each week comes after the one before


def weeks(rows: pd.DataFrame, last: str, count: int) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
    """What value class and risk are found by at the end of each week: the table of the buyers and their net value."""
    history, policy, seen = history_from_table(rows, "rows"), Policy(), []
    classify = value_class.classify

    def keep(table, peers, policy, net_value, before=None):
        seen.append((table.copy(), net_value))
        return classify(table, peers, policy, net_value, before)

    with patch.object(labelling.value_class, "classify", keep):
        for back in reversed(range(count)):
            pipeline.score(history, pd.Timestamp(last) - pd.Timedelta(weeks=back), policy)
            yield seen.pop()


def label(
    table: pd.DataFrame, net_value: np.ndarray, policy: Policy, before: pd.DataFrame | None
) -> pd.DataFrame:
    """The labels of a week, by customer, after those of the week `before`."""
    previous = (
        None
        if before is None
        else before.reset_index().assign(policy_version_id=policy.version, as_of=pd.Timestamp(0))
    )
    recalled = memory.recall(previous, table["customer_id"], policy, TODAY)
    formats = table["format"]
    risk = churn.risk(
        table["churn_probability"].to_numpy(),
        policy.column("risk_medium_from", formats),
        policy.column("risk_high_from", formats),
        before=recalled["churn_risk"],
        noise=policy.column("hysteresis_probability", formats),
    )
    stage = lifecycle.settled(table, policy, recalled["lifecycle_stage"])
    found = table.assign(churn_risk=risk, lifecycle_stage=stage)
    classes = value_class.classify(found, Peers(formats, policy), policy, net_value, recalled)
    found[classes.columns] = classes
    found["worth_winning_back"] = segment.worth_winning_back(found, policy)
    found["value_segment"] = segment.classify(found)
    found["value"] = value_class.worth(found)
    kept = [*LABELS, "burden", "value"]
    return found.set_index("customer_id")[kept].astype(dict.fromkeys(kept[:-1], object))


def figures(states: list[pd.DataFrame], by_rule: list[pd.DataFrame]) -> dict[str, float]:
    """Changes and returns in a year of 100 customers, by label; what key customers carry; and who is held, of
    customers and weeks, against the same weeks without memory."""
    result = {}
    a_year = np.mean([len(state) for state in states]) * (len(states) - 1) / WEEKS
    for name in LABELS:
        wide, plain = (
            pd.DataFrame(dict(enumerate(state[name] for state in each))) for each in (states, by_rule)
        )
        wide, plain = wide.to_numpy(object), plain.to_numpy(object)
        known = pd.notna(wide)
        moved = known[:, 1:] & known[:, :-1] & (wide[:, 1:] != wide[:, :-1])
        # left after a week, and found again within some weeks from then
        back = [
            (wide[row, week + 2 : week + 2 + BACK_WITHIN] == wide[row, week]).any()
            for row, week in zip(*np.nonzero(moved), strict=True)
        ]
        held = known & (wide != plain)
        long = [
            held[:, week - BACK_WITHIN : week + 1].all(axis=1) for week in range(BACK_WITHIN, held.shape[1])
        ]
        result |= {
            f"{name}: changes": 100 * moved.sum() / a_year,
            f"{name}: returns": 100 * sum(back) / a_year,
            f"{name}: held, %": 100 * held.sum() / known.sum(),
            f"{name}: held for longer, %": 100 * float(np.mean(long)) if long else np.nan,
        }
    key, worth = (
        [state["value_class"] == "key" for state in states],
        [state["value"].clip(lower=0) for state in states],
    )
    carried = [100 * value[chosen].sum() / value.sum() for value, chosen in zip(worth, key, strict=True)]
    return result | {
        "key customers, %": 100 * np.mean([chosen.mean() for chosen in key]),
        "carried by them, least, %": min(carried),
        "carried by them, most, %": max(carried),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weeks", type=int)
    parser.add_argument("--value", type=float)
    parser.add_argument("--probability", type=float)
    options = parser.parse_args()
    asked = (options.value or 0, options.probability or 0)
    grid = ((0, 0), asked) if any(asked) else GRID
    for data_set in DATA_SETS:
        if data_set.name not in SETTINGS:
            continue
        last, count = SETTINGS[data_set.name]
        try:
            rows = data_set.load(Folders.from_environment())
        except AbsentError as absent:
            Console(stderr=True).print(f"{data_set.title} is left out: {absent}")
            continue
        states: dict[tuple, list[pd.DataFrame]] = {margins: [] for margins in grid}
        for table, net_value in weeks(rows, last, options.weeks or count):
            for margins, so_far in states.items():
                policy = Policy(
                    [
                        {"key": "hysteresis_value", "value": margins[0]},
                        {"key": "hysteresis_probability", "value": margins[1]},
                    ],
                    version=1,
                )
                so_far.append(label(table, net_value, policy, so_far[-1] if so_far else None))
        columns = {margins: figures(so_far, states[grid[0]]) for margins, so_far in states.items()}
        shown = Table(title=f"{data_set.title}: {options.weeks or count} weeks")
        for name in ("", *(f"{value:g} / {probability:g}" for value, probability in columns)):
            shown.add_column(name, justify="right" if name else "left", no_wrap=True)
        for name in columns[grid[0]]:
            shown.add_row(name, *(f"{found[name]:.2f}" for found in columns.values()))
        Console().print(shown)


if __name__ == "__main__":
    main()
