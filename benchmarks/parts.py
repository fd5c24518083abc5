"""What single parts of the forecast are worth: without them and with each.

Started by benchmarks/parts, which sets the environment. docs/accuracy.md has the tables and what was decided.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
from rich.console import Console

from benchmarks.candidates import FRESH, WITHOUT, judge, table
from benchmarks.judge.datasets import DATA_SETS, present
from benchmarks.judge.judging import Prepared
from benchmarks.judge.report import between
from benchmarks.judge.unseen import unseen
from sync_worker.history.columns import as_day
from sync_worker.policy import Policy
from sync_worker.scoring import features, hybrid, outliers, rhythm, selection
from sync_worker.scoring.features import Features
from sync_worker.scoring.situation import take
from sync_worker.scoring.value import kept_share

PAGE = Path(__file__).resolve().parent.parent / "docs" / "accuracy.md"
BEGIN, END = "<!-- parts: written by benchmarks/parts --write -->", "<!-- end of parts -->"
#: Still others, which neither benchmarks/accuracy nor benchmarks/candidates has.
OTHERS = {
    "retail": (("2011-03-31", 60), ("2011-07-31", 120), ("2011-10-31", 30)),
    "cj": (("2017-04-30", 45), ("2017-07-31", 60), ("2017-11-15", 45)),
    "reseller": (
        ("2018-06-30", 90),
        ("2018-11-30", 120),
        ("2019-03-31", 180),
        ("2019-09-30", 120),
        ("2020-01-31", 90),
    ),
}
#: What is put in the place of a part: the name in a module, and the value that makes it nothing.
PARTS = {
    "standing orders": (rhythm, "SPREAD_BOUNDS", (0.22, 1.5)),
    "levels of cut-offs": (hybrid, "PERIODS_DIFFER", 0.0),
}
BOTH = "both"


@contextmanager
def only(kept: str) -> Iterator[None]:
    """The forecast with one part, with `BOTH` or, by any other name, with none."""
    with ExitStack() as stack:
        for name, (module, constant, nothing) in PARTS.items():
            if kept not in (name, BOTH):
                stack.enter_context(patch.object(module, constant, nothing))
        yield


def forecast(facts: Features, policy: Policy, today: int) -> tuple[np.ndarray, np.ndarray]:
    """Churn probability and net sales expected of each buyer, (n,) each."""
    formats, horizon = facts.table["format"], float(policy.value("churn_horizon_days"))
    sales, _words = outliers.tame(facts.sales)
    situation = take(sales, formats, today, horizon, policy).situation
    found = selection.choose(sales, formats, situation, policy, today).forecast
    h = np.full(len(situation), horizon)
    return found.p_no_purchase(h, situation), found.expected_sales(h, situation) * kept_share(situation)


def main() -> int:
    """Runs the benchmark; 1 where no setting could be judged."""
    names = [one.name for one in DATA_SETS]
    parser = argparse.ArgumentParser(prog="benchmarks/parts", description=__doc__.splitlines()[0])
    parser.add_argument("--sets", default=",".join(names), metavar="A,B", help=f"some of {', '.join(names)}")
    parser.add_argument(
        "--others", action="store_true", help="only the cut-offs that benchmarks/accuracy does not have"
    )
    parser.add_argument("--write", action="store_true", help="write the table into docs/accuracy.md")
    parser.add_argument("--draws", type=int, default=200, help="resamples for the intervals")
    options = parser.parse_args()
    console, found = Console(width=220), []
    settings = {
        one.name: (
            *(() if options.others else one.settings),
            *FRESH.get(one.name, ()),
            *OTHERS.get(one.name, ()),
        )
        for one in DATA_SETS
    }
    asked = {name for name in options.sets.split(",") if settings.get(name)}
    for data_set, rows in present(asked, console.print):
        prepared = Prepared.of(rows)
        for cutoff, horizon in settings[data_set.name]:
            policy, day = Policy().replace(churn_horizon_days=horizon), as_day(cutoff)
            facts = features.build(prepared.plain.until(day), day, policy)
            told = {}
            for name in (WITHOUT, *PARTS, BOTH):
                with unseen(data_set.name), only(name):
                    told[name] = forecast(facts, policy, int(day.timestamp() // 86400))
            found.append((data_set.name, judge(prepared.ledger.cut(cutoff, horizon), told, options.draws)))
            console.print(f"{data_set.name} {cutoff} + {horizon}")
    if not found:
        return 1
    where = "other cut-offs" if options.others else "cut-offs"
    title = f"Parts: change against the forecast without both at {len(found)} {where}, in thousandths"
    grid = table(found, title, (*PARTS, BOTH))
    console.print(grid.rich())
    if options.write:
        between(PAGE, BEGIN, END, grid.markdown())
    return 0


if __name__ == "__main__":
    sys.exit(main())
