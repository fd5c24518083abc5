"""How accurate the scores are, on real histories, beside classical models, boosting and simple rules.

Started by benchmarks/accuracy, which sets the environment. docs/accuracy.md says what the figures mean.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.judge import judging, report
from benchmarks.judge.datasets import DATA_SETS, GUARDS, AbsentError, DataSet, Folders
from benchmarks.judge.unseen import unseen
from sync_worker.scoring.plain import plain

PAGE = Path(__file__).resolve().parent.parent / "docs" / "accuracy.md"
#: Columns of the tables in a file or a pipe, which have no width of their own.
WIDTH = 170
#: Setting whose scores are compared with and without the later orders.
LEAK_CHECK = ("reseller", "2019-06-30", 90)


def main() -> int:
    """Runs the benchmark; 1 where no setting could be judged."""
    options = _options()
    console, aside = Console(stderr=options.json == "-"), Console(stderr=True)
    for one in (console, aside):
        if not one.is_terminal:
            one.width = WIDTH
    python = Path(os.environ.get("CV_CLASSICAL_PYTHON", "/nonexistent"))
    begin = time.perf_counter()
    result = run(options, python if python.exists() else None, aside)
    result["seconds"] = time.perf_counter() - begin
    result["bars"] = report.bars(result["settings"])
    result = plain(result)
    for table in report.tables(result):
        console.print(table)
    for line in report.remarks(result):
        console.print(f"- {line}", style="dim")
    if options.json:
        text = json.dumps(result, indent=1, allow_nan=False)
        if options.json == "-":
            print(text)
        else:
            Path(options.json).write_text(text + "\n")
    if options.write:
        report.write(PAGE, result)
        console.print(f"written into {PAGE}")
    return 0 if result["settings"] else 1


def run(options: argparse.Namespace, python: Path | None, console: Console) -> dict[str, Any]:
    """Judges the settings asked for, with a line for each as it is done."""
    folders = Folders.from_environment()
    result: dict[str, Any] = {
        "settings": [],
        "guards": [],
        "leaks": [],
        "absent": [],
        "lifetimes": bool(python),
    }
    chosen = [one for one in DATA_SETS if one.name in options.sets]
    guards = list(GUARDS) if "guards" in options.sets else []
    steps = sum(len(_settings(one, options.quick)) for one in [*chosen, *guards])
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=steps)
        for data_set in [*chosen, *guards]:
            settings = _settings(data_set, options.quick)
            progress.update(task, description=f"reading {data_set.title}")
            try:
                prepared = judging.Prepared.of(data_set.load(folders))
            except AbsentError as absent:
                result["absent"].append(f"{data_set.title}: {absent}")
                progress.console.print(f"skipped  {data_set.title}: {absent}")
                progress.update(task, advance=len(settings))
                continue
            for cutoff, horizon in settings:
                name = f"{data_set.name} {cutoff} + {horizon} days"
                progress.update(task, description=name)
                begin = time.perf_counter()
                identity = {"set": data_set.name, "title": data_set.title}
                with unseen(data_set.name):
                    if data_set in guards:
                        figures = judging.guard(prepared, cutoff, horizon, options.draws)
                        result["guards"].append(identity | figures)
                    else:
                        figures = judging.judge(prepared, cutoff, horizon, python, options.draws)
                        result["settings"].append(identity | figures)
                    if (data_set.name, cutoff, horizon) == LEAK_CHECK:
                        result["leaks"].append(
                            {"setting": name, "columns": judging.leaks(prepared, cutoff, horizon)}
                        )
                seconds = time.perf_counter() - begin
                progress.console.print(f"{name:<36} {report.one_line(figures)}  {seconds:5.1f} s")
                progress.advance(task)
    return result


def _settings(data_set: DataSet, quick: bool) -> list[tuple[str, int]]:
    return [data_set.settings[at] for at in data_set.quick] if quick else list(data_set.settings)


def _options() -> argparse.Namespace:
    names = [*(one.name for one in DATA_SETS), "guards"]
    parser = argparse.ArgumentParser(prog="benchmarks/accuracy", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sets", default=",".join(names), metavar="A,B", help=f"some of {', '.join(names)}; all if not named"
    )
    parser.add_argument("--quick", action="store_true", help="one setting of each set")
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="all figures as JSON, to a file or to the output"
    )
    parser.add_argument("--write", action="store_true", help="write the tables into docs/accuracy.md")
    parser.add_argument("--draws", type=int, default=500, help="resamples for the intervals")
    options = parser.parse_args()
    options.sets = [name.strip() for name in options.sets.split(",") if name.strip()]
    unknown = set(options.sets) - set(names)
    if unknown:
        parser.error(f"no such set: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    if options.write and (options.quick or set(options.sets) != set(names)):
        parser.error("--write needs a whole run: leave --quick and --sets out")
    return options


if __name__ == "__main__":
    sys.exit(main())
