"""`sync-worker backtest`: a history from a file or from Odoo, judged on its own past. Writes nothing to Odoo."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from sync_worker.config import Settings
from sync_worker.errors import InputError, RunError
from sync_worker.handshake import describe, pick_companies, today_of
from sync_worker.history import file as files
from sync_worker.history import odoo
from sync_worker.history.columns import HistoryError, as_day
from sync_worker.history.schema import History
from sync_worker.policy import Policy, PolicyError
from sync_worker.report.subject import Subject
from sync_worker.transport import Transport

# Called with percent done (0 to 100) and the step in words.
Progress = Callable[[float, str], None]
READ_UNTIL = 20.0


def of_file(
    file: Path,
    as_of: str | None,
    horizon: int | None,
    *,
    mapping: str,
    cutoffs: int | None,
    progress: Progress,
) -> tuple[dict[str, Any], Subject]:
    """The back-test of a file and what it was made of. Raises `InputError` for whatever the user can mend."""
    try:
        policy = _with_horizon(Policy(), horizon)
        day = as_day(as_of) if as_of else None
        progress(0, "reading")
        history = files.read_history(file, files.parse_mapping(mapping))
        last, today = history.orders["date"].max(), pd.Timestamp.now().normalize()
        subject = Subject(
            name=file.name,
            as_of=f"{day or min(last, today):%Y-%m-%d}",
            as_of_origin="" if day else f"the last day in {file.name}" if last <= today else "today",
        )
        return _judge(history, subject, policy, cutoffs, progress), subject
    except (HistoryError, PolicyError) as error:
        raise InputError(str(error)) from error
    except OSError as error:
        raise InputError(f"{error.filename or file} cannot be used: {error.strerror or error}.") from error


def of_company(
    settings: Settings,
    transport: Transport,
    company_id: int,
    as_of: str | None,
    horizon: int | None,
    *,
    cutoffs: int | None,
    progress: Progress,
) -> tuple[dict[str, Any], Subject]:
    """The back-test of a company in Odoo with its own policy. Reads only: no run is claimed, nothing is written.

    Raises `InputError` for a company that is not the account's, a day that is none and a history without orders,
    `RunError` for a policy that cannot be used, and what the transport raises.
    """
    described = describe(settings, transport)
    [company] = pick_companies(described, [company_id])
    try:
        day = f"{as_day(as_of or today_of(company)):%Y-%m-%d}"
        subject = Subject(
            name=company["name"],
            as_of=day,
            as_of_origin="" if as_of else f"today in {company['timezone']}",
            currency=company["currency"],
            formats={each["id"]: each["code"] for each in described.get("formats") or []},
        )
        policy = Policy((company.get("policy") or {}).get("rules") or ())
    except PolicyError as error:
        raise RunError(str(error), "Mend the policy of the company in Odoo.") from error
    except HistoryError as error:
        raise InputError(str(error)) from error
    try:
        policy = _with_horizon(policy, horizon)
        history = odoo.read_history(
            [transport],
            company["id"],
            offered=described["datasets"],
            page_rows=settings.page_rows,
            show=lambda part, step: progress(part * READ_UNTIL, step),
            with_facts=False,
            sales=policy.sales,
        )
        return _judge(history, subject, policy, cutoffs, progress), subject
    except (HistoryError, PolicyError) as error:
        raise InputError(f"{company['name']}: {error}") from error


def _judge(
    history: History, subject: Subject, policy: Policy, cutoffs: int | None, progress: Progress
) -> dict[str, Any]:
    # Only now: whoever mistyped an option need not wait until the libraries of the models are loaded.
    from sync_worker.scoring.backtest import backtest  # noqa: PLC0415

    def show(percent: float, step: str) -> None:
        progress(READ_UNTIL + (100 - READ_UNTIL) * percent / 100, step)

    return backtest(history, subject.as_of, policy, cutoffs=cutoffs, progress=show)


def _with_horizon(policy: Policy, horizon: int | None) -> Policy:
    return policy if horizon is None else policy.replace(churn_horizon_days=horizon)
