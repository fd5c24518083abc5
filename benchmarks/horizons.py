"""How good the forecast is for a business format whose churn horizon is not the company's.

It learns on the company's horizon; this asks it for another one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console

from benchmarks.judge import metrics
from benchmarks.judge.cut import Cut
from benchmarks.judge.datasets import DATA_SETS, DataSet, present
from benchmarks.judge.judging import Prepared, judgeable
from benchmarks.judge.report import Grid, between
from benchmarks.judge.unseen import unseen
from sync_worker.history.columns import as_day
from sync_worker.policy import Policy
from sync_worker.scoring import base_models, features, outliers, selection
from sync_worker.scoring.situation import take

PAGE = Path(__file__).resolve().parent.parent / "docs" / "accuracy.md"
BEGIN, END = "<!-- horizons: written by benchmarks/horizons --write -->", "<!-- end of horizons -->"
#: Horizons asked for, in horizons of the company.
ASKED = {"a sixth": 1 / 6, "half": 0.5, "twice": 2.0}
#: Days that a policy asks for at least.
MINIMUM = 7
OURS, OWN, BASE = "ours, asked for it", "ours, made for it", "transaction models"


def told(prepared: Prepared, cutoff: str, horizon: int, asked: int) -> dict[str, np.ndarray]:
    """Churn probability within the days asked for of each buyer, (n,), by model."""
    found, day = {}, as_day(cutoff)
    for name, length in ((OURS, horizon), (OWN, asked)):
        policy, today = Policy().replace(churn_horizon_days=length), int(day.timestamp() // 86400)
        facts = features.build(prepared.plain.until(day), day, policy)
        (sales, _words), formats = outliers.tame(facts.sales), facts.table["format"]
        situation = take(sales, formats, today, length, policy).situation
        h = np.full(len(situation), float(asked))
        chosen = selection.choose(sales, formats, situation, policy, today).forecast
        found[name] = chosen.p_no_purchase(h, situation)
        if name == OURS:
            found[BASE] = base_models.fit(situation).p_no_purchase(h, situation)
    return found


def figures(risk: np.ndarray, cut: Cut) -> dict[str, float]:
    """Those of a churn probability; of active customers only where there are enough."""
    found = {
        "off": abs(float(risk.mean() - cut.churned.mean())),
        "ece": metrics.calibration_error(risk, cut.churned),
        "brier": metrics.brier(risk, cut.churned),
        "auc": metrics.auc(risk, cut.churned),
    }
    if judgeable(cut):
        found["auc_active"] = metrics.auc(risk[cut.active], cut.churned[cut.active])
    return found


def rows(data_set: DataSet, prepared: Prepared) -> Iterator[dict[str, object]]:
    """The figures of each setting, horizon asked for and model."""
    last = int(prepared.ledger.day.max())
    for cutoff, horizon in data_set.settings:
        for name, part in ASKED.items():
            asked = int(part * horizon)
            cut = prepared.ledger.cut(cutoff, asked)
            if cut.at + asked > last or asked < MINIMUM:
                continue
            with unseen(data_set.name):
                forecasts = told(prepared, cutoff, horizon, asked)
            for model, risk in forecasts.items():
                yield {"set": data_set.name, "asked": name, "model": model, **figures(risk, cut)}


def table(found: pd.DataFrame) -> Grid:
    """Means over settings, each counted once."""
    lines = []
    for name in ASKED:
        chosen = found[found["asked"] == name]
        for model in (OURS, OWN, BASE):
            own = chosen[chosen["model"] == model]
            means = own[["off", "ece", "brier", "auc", "auc_active"]].mean()
            lines.append([name, model, str(len(own)), *(f"{one:.3f}".lstrip("0") for one in means)])
    header = ["horizon asked for", "model", "settings", "level off by", "ECE", "Brier", "AUC", "AUC active"]
    return Grid("Horizons: asked for another one than the company's", header, lines, left=2)


def main() -> int:
    """Runs the benchmark; 1 where no setting could be judged."""
    parser = argparse.ArgumentParser(prog="benchmarks/horizons", description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the table into docs/accuracy.md")
    options = parser.parse_args()
    console, found = Console(width=160), []
    names = [one.name for one in DATA_SETS]
    for data_set, data in present(names, console.print):
        found += rows(data_set, Prepared.of(data))
        console.print(f"judged  {data_set.title}")
    if not found:
        return 1
    if options.write and {one["set"] for one in found} != set(names):
        console.print("Nothing is written without all data sets.")
        return 1
    grid = table(pd.DataFrame(found))
    console.print(grid.rich())
    if options.write:
        between(PAGE, BEGIN, END, grid.markdown())
    return 0


if __name__ == "__main__":
    sys.exit(main())
