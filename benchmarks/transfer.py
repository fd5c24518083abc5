"""What several histories teach together about who leaves: the slopes of sync_worker/scoring/transfer.py.

Started by benchmarks/transfer, which sets the environment. docs/accuracy.md says what they are worth.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from benchmarks.candidates import FRESH
from benchmarks.judge.datasets import DATA_SETS, AbsentError, DataSet, Folders
from benchmarks.judge.judging import Prepared
from benchmarks.judge.unseen import ALL, FILE, TEACHERS
from benchmarks.parts import OTHERS
from sync_worker.history.columns import as_day
from sync_worker.policy import Policy
from sync_worker.scoring import design, features, transfer
from sync_worker.scoring.past import Past

#: Rows of one cut-off, and rows of either outcome that it must have.
ROWS, OUTCOMES = 1500, 10
#: Customers that each history counts as, and the variance that a slope is thought to have.
WEIGHT, INVERSE_RIDGE = 4000.0, 0.01
#: By how much the levels of cut-offs are thought to differ, in log-odds.
LEVELS = 1.0
DIGITS = 2


def cutoffs(data_set: DataSet, folders: Folders) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of each cut-off that some setting learns from the columns, (n, 9) standard deviations, and who left, (n,)."""
    prepared = Prepared.of(data_set.load(folders))
    # those in force: with all 26 columns, histories left out were ranked no better
    chosen = [(*design.COLUMNS, *design.BASKET_COLUMNS).index(name) for name in transfer.SLOPES]
    done = set()
    settings = (*data_set.settings, *FRESH.get(data_set.name, ()), *OTHERS.get(data_set.name, ()))
    for cutoff, horizon in settings:
        policy, day = Policy().replace(churn_horizon_days=horizon), as_day(cutoff)
        facts = features.build(prepared.plain.until(day), day, policy)
        past = Past(facts.sales, facts.table["format"], policy, int(day.timestamp() // 86400))
        days = [snapshot.day for snapshot, _base, _came in past.seen(past.today)]
        for earlier, lesson in zip(days, past.lessons(past.today), strict=True):
            churned, key = lesson.outcome.churned, (earlier, lesson.horizon)
            if key in done or min(churned.sum(), (~churned).sum()) < OUTCOMES:
                continue
            done.add(key)
            unit = design.typical_amount([lesson.situation])
            columns = design.with_basket(lesson.situation, lesson.told, unit)
            columns = design.standard(columns, StandardScaler().fit(columns))
            rows = np.random.default_rng(0).permutation(len(columns))[:ROWS]
            yield columns[rows][:, chosen], churned[rows]


def learn(histories: list[list[tuple[np.ndarray, np.ndarray]]]) -> dict[str, float]:
    """Slopes of one logistic regression in which each history counts alike and each cut-off has its own level."""
    found = [one for history in histories for one in history]
    sizes = [sum(len(churned) for _columns, churned in history) for history in histories]
    each = [WEIGHT / size for size, history in zip(sizes, histories, strict=True) for _ in history]
    lengths = [len(churned) for _columns, churned in found]
    levels = LEVELS / np.sqrt(INVERSE_RIDGE) * np.eye(len(found))[np.repeat(np.arange(len(found)), lengths)]
    columns = np.hstack([np.vstack([one for one, _churned in found]), levels])
    churned = np.concatenate([one for _columns, one in found])
    model = LogisticRegression(C=INVERSE_RIDGE, solver="newton-cholesky")
    model.fit(columns, churned, sample_weight=np.repeat(each, lengths))
    return {
        name: round(float(slope), DIGITS)
        for name, slope in zip(transfer.SLOPES, model.coef_[0], strict=False)
    }


def main() -> int:
    """Learns the slopes of all real histories, and of all but each; 1 where one is absent."""
    parser = argparse.ArgumentParser(prog="benchmarks/transfer", description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write them to benchmarks/judge/{FILE.name}")
    options = parser.parse_args()
    console, folders = Console(), Folders.from_environment()
    taught = {}
    for data_set in DATA_SETS:
        if data_set.name not in TEACHERS:
            continue
        try:
            taught[data_set.name] = list(cutoffs(data_set, folders))
        except AbsentError as absent:
            console.print(f"Nothing is learnt without {data_set.title}: {absent}")
            return 1
        console.print(f"{data_set.title}: {len(taught[data_set.name])} cut-offs")
    found = {ALL: learn(list(taught.values()))}
    for left_out in taught:
        found[left_out] = learn([rows for name, rows in taught.items() if name != left_out])
    table = Table("column", "all", *(f"without {name}" for name in taught))
    for name in transfer.SLOPES:
        table.add_row(name, *(f"{one[name]:+.2f}" for one in found.values()))
    console.print(table)
    if options.write:
        FILE.write_text(json.dumps(found, indent=1) + "\n")
    if found[ALL] != transfer.SLOPES:
        console.print("These are not the slopes in force: put the first column into transfer.SLOPES.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
