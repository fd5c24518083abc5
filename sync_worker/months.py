"""Runs of days that are over, one after the other: what the company would know had it been scored then."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd

from sync_worker.config import Settings
from sync_worker.errors import ContractError, InputError, WorkerError
from sync_worker.handshake import describe, today_of
from sync_worker.history.columns import possible_days
from sync_worker.history.odoo import read_dataset
from sync_worker.outcome import Outcome
from sync_worker.run import Progress, run_company
from sync_worker.transport import Transport


def run_month_ends(
    settings: Settings,
    transport: Transport,
    described: dict[str, Any],
    company: dict[str, Any],
    count: int,
    progress: Progress,
) -> list[Outcome]:
    """Scores a company as of its last month-ends, oldest first, and then as of today.

    Month-ends that are scored already are passed over, so that it goes on where it was stopped, and so are those
    before the company had a customer. It stops at the first failure, which is in the last outcome.
    """
    try:
        days = _to_score(settings, transport, company, count)
    except WorkerError as error:
        failed = Outcome(company["id"], company["name"])
        failed.fail(error)
        return [failed]
    return run_days(settings, transport, described, company, [*days, None], progress)


def run_days(
    settings: Settings,
    transport: Transport,
    described: dict[str, Any],
    company: dict[str, Any],
    days: Sequence[date | None],
    progress: Progress,
) -> list[Outcome]:
    """Scores a company as of each of these days, `None` for its today. It stops at the first failure, which is in the
    last outcome."""
    outcomes: list[Outcome] = []
    for number, day in enumerate(days):
        if number:  # who has objected meanwhile is to be forgotten here too
            described = describe(settings, transport)
        show = _part(progress, number, len(days), str(day or "today"))
        outcomes.append(
            run_company(settings, transport, described, company, show, day.isoformat() if day else None)
        )
        if outcomes[-1].error:
            break
    return outcomes


def month_ends(today: date, count: int) -> list[date]:
    """The last so many month-ends before a day, oldest first."""
    days: list[date] = []
    while len(days) < count:
        today = today.replace(day=1) - timedelta(days=1)
        days.insert(0, today)
    return days


def _to_score(settings: Settings, transport: Transport, company: dict[str, Any], count: int) -> list[date]:
    """Raises `InputError` where the company was scored as of a later day already."""
    if "scored" not in company:
        raise ContractError("The addon does not know runs of past days.", "Update the addon.")
    days = month_ends(today_of(company), count)
    scored = date.fromisoformat(company["scored"]) if company["scored"] else date.min
    if scored > days[-1]:
        raise InputError(
            f"{company['name']} was scored as of {scored} already: month-ends before that cannot be made up, since "
            "history is only written forward.",
            "Leave --month-ends out.",
        )
    days = [day for day in days if day > scored]
    if not days:
        return []
    partners = read_dataset(
        [transport],
        "partners",
        company["id"],
        page_rows=settings.page_rows,
        on_page=lambda _rows, _part: None,
    )
    first = possible_days(partners["first_seen"]).min()
    return [day for day in days if pd.Timestamp(day) >= first]


def _part(progress: Progress, number: int, count: int, day: str) -> Callable[[str, float, str], None]:
    """The progress of one of several runs as that of all of them."""
    if count == 1:
        return progress

    def show(name: str, percent: float, step: str) -> None:
        progress(name, (100 * number + percent) / count, f"{day} ({number + 1} of {count}): {step}")

    return show
