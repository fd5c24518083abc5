"""`sync-worker check`: everything a run needs, one line each, before a run needs it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from sync_worker import handshake
from sync_worker.config import Settings, warnings
from sync_worker.history.datasets import ADDED, COUNTER, DATASETS, FACT_DATASETS
from sync_worker.policy import SALES_WORDS, Policy, PolicyError, schema
from sync_worker.transport import GROUP, Transport

KEY_WARNING_DAYS = 14


@dataclass(frozen=True)
class Finding:
    """One line of the check. Failures are not findings: they end the check as an exception."""

    subject: str
    state: Literal["ok", "note", "warning"]
    text: str


def check(
    settings: Settings, transport: Transport, config: Any = None, *, confirm_database: bool = False
) -> Iterator[Finding]:
    """Yields findings as they come; raises the `WorkerError` of the first thing that stops a run."""
    for warning in warnings(settings, config):
        yield Finding("configuration", "warning", warning)
    version = transport.server_version()
    yield Finding("connection", "ok", f"{settings.url} answers over {transport.name}; Odoo {version}")
    if not version.startswith("19.") and version != "19":
        yield Finding("connection", "warning", f"this worker is made for Odoo 19, not {version}")
    described = transport.call("describe", {})
    handshake.check_contract(described)
    yield Finding("contract", "ok", f"version {described['contract']}; addon {described['addon_version']}")
    yield _identity(settings, described, confirm_database)
    yield from _account(described["user"])
    yield from _companies(described)
    yield from _both_sides(described)


def _identity(settings: Settings, described: dict[str, Any], confirm: bool) -> Finding:
    recorded = handshake.identity.verify(settings, described, confirm=confirm)
    text = f"{described['database_uuid']}" + (", a neutralised copy" if described.get("neutralized") else "")
    return Finding("database", "ok", text + (", remembered from now on" if recorded else ", as remembered"))


def _account(user: dict[str, Any]) -> Iterator[Finding]:
    yield Finding("account", "ok", f"{user['login']} is in the group “{GROUP}”")
    excess = user.get("excess_groups") or []
    if excess:
        yield Finding(
            "account",
            "warning",
            f"it also has {', '.join(excess)}, which the worker does not need; "
            "take them away, so that a stolen key opens less",
        )
    yield Finding(
        "account",
        "note",
        "like every internal user it can read the names and e-mail addresses of contacts; "
        "the worker never asks for them",
    )
    expiry = _day(user.get("key_expiry"))
    if expiry and expiry - datetime.now(UTC).date() <= timedelta(days=KEY_WARNING_DAYS):
        yield Finding(
            "key", "warning", f"it expires on {expiry}; create the next one and give it to the worker"
        )
    elif expiry:
        yield Finding("key", "ok", f"valid until {expiry}")


def _companies(described: dict[str, Any]) -> Iterator[Finding]:
    if not described["companies"]:
        yield Finding("companies", "warning", "the account belongs to none that could be scored")
    for company in described["companies"]:
        policy = company.get("policy") or {}
        rules = len(policy.get("rules") or [])
        yield Finding(
            "company",
            "ok",
            f"{company['id']} {company['name']}: {company['currency']}, {company['timezone']}, "
            + (
                f"policy version {policy['number']} ({rules} rules)"
                if policy.get("number")
                else "default policy"
            )
            + _sales(policy.get("rules") or []),
        )
        if "scored" in company and not company["scored"]:
            yield Finding(
                "company",
                "note",
                f"{company['name']} was never scored; `sync-worker run --month-ends 12` gives it a past as well, "
                "which cannot be made up later",
            )


def _sales(rules: list[dict[str, Any]]) -> str:
    """What the sales of a company are counted from; nothing where its policy cannot be used, which a run says."""
    try:
        return f", sales: {SALES_WORDS[Policy(rules).sales]}"
    except PolicyError:
        return ""


def _both_sides(described: dict[str, Any]) -> Iterator[Finding]:
    """What only one side knows is not used: said here, since a run would pass it over in silence."""
    theirs, ours = set(described.get("policy_keys") or []), set(schema())
    yield from _difference("policy", "policy keys", ours, theirs)
    optional = COUNTER | FACT_DATASETS
    for dataset, columns in (DATASETS | optional).items():
        offered = described["datasets"].get(dataset)
        if offered is None:
            if dataset in DATASETS:
                yield Finding("datasets", "warning", f"the addon does not offer {dataset}")
            continue
        missing = [name for name in (columns | ADDED.get(dataset, {})) if name not in offered]
        if missing:
            yield Finding("datasets", "warning", f"{dataset} comes without {', '.join(missing)}")
    known = [name for name in optional if name in described["datasets"]]
    yield Finding("datasets", "ok", f"besides sales it offers {', '.join(known) or 'nothing'}")
    yield Finding(
        "columns",
        "ok",
        f"{len(described['publish_columns'])} can be published; {len(theirs & ours)} policy keys are shared",
    )


def _difference(subject: str, what: str, ours: set[str], theirs: set[str]) -> Iterator[Finding]:
    if theirs - ours:
        yield Finding(
            subject, "warning", f"{what} this worker does not know: {', '.join(sorted(theirs - ours))}"
        )
    if ours - theirs:
        yield Finding(
            subject, "warning", f"{what} the addon does not know: {', '.join(sorted(ours - theirs))}"
        )


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10]) if value else None
    except ValueError:
        return None
