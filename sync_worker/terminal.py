"""What people see: progress, findings, the summary of runs, errors. Quiet where nobody watches."""

import json
import logging
import sys
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from sync_worker.errors import WorkerError
from sync_worker.logs import redaction

if TYPE_CHECKING:  # these load the numerical libraries
    from sync_worker.check import Finding
    from sync_worker.outcome import Outcome

steps = logging.getLogger("sync_worker.steps")
# Rich takes 80 columns where there is no terminal: too few for the summary table.
out = Console(width=None if sys.stdout.isatty() else 140)
err = Console(stderr=True, width=None if sys.stderr.isatty() else 140)

_MARKS = {"ok": "[green]ok[/]", "note": "[cyan]note[/]", "warning": "[yellow]warning[/]"}


class ProgressView:
    """A bar for each company on a terminal; elsewhere one line for each step."""

    def __init__(self, *, quiet: bool = False):
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._last: dict[str, str] = {}
        self._quiet = quiet
        if err.is_terminal and not quiet:
            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f} %  {task.fields[step]}"),
                TimeElapsedColumn(),
                console=err,
                transient=True,
            )

    def __enter__(self) -> "ProgressView":
        if self._bars:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars:
            self._bars.stop()

    def show(self, company: str, percent: float, step: str) -> None:
        """The progress of a run, as `sync_worker.run` reports it."""
        if self._bars:
            if company not in self._tasks:
                self._tasks[company] = self._bars.add_task(escape(company), total=100, step="")
            self._bars.update(self._tasks[company], completed=percent, step=escape(step))
        elif not self._quiet:
            kind = step.split(":", maxsplit=1)[0].rstrip("0123456789, ")
            if self._last.get(company) != kind:
                self._last[company] = kind
                steps.info("%s: %s", company, kind)


def show_findings(findings: "Iterable[Finding]") -> "list[Finding]":
    """Prints findings as they come and answers them all."""
    shown = []
    for finding in findings:
        out.print(
            f"{_MARKS[finding.state]:<18} [bold]{escape(finding.subject)}[/]: {escape(finding.text)}",
            soft_wrap=True,
        )
        shown.append(finding)
    return shown


def show_outcomes(outcomes: "list[Outcome]") -> None:
    """The summary table of `run`, and below it what went wrong or deserves a look."""
    table = Table(title="Customer value runs", title_justify="left")
    for name in ("Company", "Run", "As of", "State"):
        table.add_column(name)
    for name in ("Orders", "Customers", "New", "Changed", "Unchanged", "Retired", "Refused", "Seconds"):
        table.add_column(name, justify="right")
    for each in outcomes:
        counts = each.counts
        colour = "green" if each.state == "done" else "red"
        table.add_row(
            escape(each.company),
            str(each.run_id or "-"),
            each.as_of or "-",
            f"[{colour}]{each.state}[/]",
            f"{each.orders:,}",
            f"{each.customers:,}",
            *(
                f"{counts.get(name, 0):,}"
                for name in ("inserted", "updated", "unchanged", "retired", "refused")
            ),
            f"{each.seconds:.1f}",
        )
    out.print(table)
    for each in outcomes:
        for status, count in each.refused.items():
            out.print(
                f"{escape(each.company)}: {count:,} refused as {status.replace('_', ' ')}", soft_wrap=True
            )
    # of several runs of a company those of the last: the others say much the same, and Odoo keeps them
    for each in {each.company_id: each for each in outcomes}.values():
        for warning in each.warnings:
            out.print(f"{escape(each.company)}: {escape(warning)}", soft_wrap=True)
    for each in outcomes:
        if each.error:
            err.print(f"[red]{escape(each.company)}:[/] {escape(each.error)}", soft_wrap=True)
            if each.mend:
                err.print(f"  {escape(each.mend)}", soft_wrap=True)


def show_summary(title: str, summary: dict[str, Any], warnings: Iterable[str]) -> None:
    """The summary of a scored file: one row for each figure."""
    table = Table(title=escape(title), title_justify="left", show_header=False)
    for name, value in _flat(summary):
        table.add_row(escape(name), escape(f"{value:,}" if isinstance(value, int | float) else str(value)))
    out.print(table)
    for warning in warnings:
        err.print(f"[yellow]warning:[/] {escape(warning)}", soft_wrap=True)


def show_error(error: WorkerError, *, as_json: bool = False) -> None:
    """One sentence and its mend on standard error; with `--json` an object on standard output."""
    message, mend = redaction.clean(error.message), redaction.clean(error.mend)
    if as_json:
        show_json({"error": message, "mend": mend or None, "exit_code": error.exit_code})
    else:
        err.print(f"[red]error:[/] {escape(message)}", soft_wrap=True)
        if mend:
            err.print(f"  {escape(mend)}", soft_wrap=True)


def show_json(value: Any) -> None:
    json.dump(value, sys.stdout, indent=1, default=str)
    sys.stdout.write("\n")


def _flat(summary: dict[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in summary.items():
        label = f"{prefix}{name}".replace("_", " ")
        if isinstance(value, dict):
            yield from _flat(value, f"{label}: ")
        elif value is not None and not isinstance(value, list):
            yield label, value
