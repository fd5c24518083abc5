"""The first exchange with a database: who it is, which contract it speaks, what it offers."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sync_worker import __version__, identity
from sync_worker.config import Settings
from sync_worker.errors import ContractError, InputError
from sync_worker.transport import Transport

CONTRACT = 1
_KEYS = (
    "contract",
    "addon_version",
    "database_uuid",
    "user",
    "companies",
    "datasets",
    "publish_columns",
    "preview_columns",
)


def describe(
    settings: Settings, transport: Transport, *, confirm_database: bool = False, once: bool = False
) -> dict[str, Any]:
    """The addon's description of itself, once contract and database are the right ones.

    Raises `ContractError`, `IdentityError`, or what the transport raises.
    """
    described = transport.call("describe", {}, once=once)
    check_contract(described)
    identity.verify(settings, described, confirm=confirm_database)
    return described


def check_contract(described: Any) -> None:
    """Raises `ContractError` unless the addon speaks this worker's version of the contract."""
    theirs = described.get("contract") if isinstance(described, dict) else None
    if theirs != CONTRACT:
        addon = described.get("addon_version", "?") if isinstance(described, dict) else "?"
        older = "addon" if isinstance(theirs, int) and theirs < CONTRACT else "worker"
        raise ContractError(
            f"The addon {addon} has contract version {theirs}, the worker {__version__} has {CONTRACT}.",
            f"Update the {older}, the older of the two.",
        )
    missing = [key for key in _KEYS if key not in described]
    if missing:
        raise ContractError(
            f"The addon's description lacks {', '.join(missing)}.",
            "Bring addon and worker to the same release.",
        )


def pick_companies(described: dict[str, Any], ids: list[int] | None) -> list[dict[str, Any]]:
    """The companies to score: all of the account, or those named. Raises `InputError` for one it may not."""
    companies = described["companies"]
    known = {company["id"] for company in companies}
    unknown = [each for each in ids or [] if each not in known]
    if unknown:
        raise InputError(
            f"The account may not score company {unknown[0]}; it may score "
            + (", ".join(f"{company['id']} ({company['name']})" for company in companies) or "none")
            + ".",
            "Name a root company the sync user belongs to; branches are part of theirs.",
        )
    return [company for company in companies if not ids or company["id"] in ids]


def today_of(company: dict[str, Any]) -> date:
    """The company's day, as the addon dates its runs; UTC's where this machine does not know the time zone."""
    try:
        zone: Any = ZoneInfo(company["timezone"])
    except (ZoneInfoNotFoundError, ValueError):
        zone = UTC
    return datetime.now(zone).date()
