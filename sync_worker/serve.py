"""`sync-worker serve`: waits for work in Odoo and does it, through restarts of Odoo, until told to stop."""

import itertools
import logging
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from sync_worker import erasures, handshake
from sync_worker.config import Settings
from sync_worker.errors import WorkerError
from sync_worker.health import Health, notify, now
from sync_worker.outcome import Outcome
from sync_worker.run import Progress, claim_run, work
from sync_worker.transport import Transport

steps = logging.getLogger("sync_worker.steps")

LONGEST_WAIT = 60.0
KINDS = ("preview", "score", "backtest")
AWAITED = ("preview",)  # somebody looks at the screen until it is there
AWAITED_EVERY = 1.0  # seconds at most between two questions for it, between those for everything
DESCRIBE_EVERY = 60.0  # seconds; a database may be replaced behind the same address


def serve(
    settings: Settings,
    transport: Transport,
    company_ids: list[int] | None,
    progress: Progress,
    *,
    sleep: Callable[[float], None] = time.sleep,
    stopping: Callable[[], bool] = lambda: False,
) -> None:
    """Polls for work until a signal raises `KeyboardInterrupt`.

    Odoo that cannot be reached is waited for, at the start too. What a person must mend (key, rights,
    contract, database) ends it when it is so at the first answer; later it is waited for like a restart:
    people mend it while the worker runs.

    Args:
        stopping: whether a signal has come. What it raises can be lost where a library catches everything.
    """
    health = Health(settings.health_file)
    described: dict[str, Any] | None = None
    described_at = -DESCRIBE_EVERY
    questions = max(math.ceil(settings.poll_seconds / AWAITED_EVERY), 1)
    pause = wait = settings.poll_seconds / questions
    asked = 0
    met = False
    notify("READY=1")
    try:
        while True:
            if stopping():
                raise KeyboardInterrupt
            try:
                if described is None or time.monotonic() - described_at > DESCRIBE_EVERY:
                    # Once: this loop repeats it, and says sooner than all tries would that Odoo does not answer.
                    described = handshake.describe(settings, transport, once=True)
                    described_at = time.monotonic()
                    erasures.erase(settings, described)
                if health.state != "idle":
                    _greet(settings, described, company_ids)
                    health.show(state="idle", last_poll=now())
                met = True
                kinds = AWAITED if asked % questions else KINDS
                worked = _poll(settings, transport, company_ids, progress, health, kinds)
                asked, wait = 0 if worked else asked + 1, pause
            except WorkerError as error:
                if not met and not error.transient:
                    raise
                if health.state != "unreachable":
                    # Once per failure, not once per poll.
                    steps.warning("%s Waiting for it.", error.message)
                health.show(state="unreachable", last_error=error.message)
                described, worked, asked = None, False, 0
                wait = min(max(wait, settings.poll_seconds) * 2, LONGEST_WAIT)
            if not worked:
                sleep(wait)
    finally:
        health.show(state="stopped")
        notify("STOPPING=1")


def _poll(
    settings: Settings,
    transport: Transport,
    company_ids: list[int] | None,
    progress: Progress,
    health: Health,
    kinds: Sequence[str],
) -> bool:
    """Asks once for work and does what it gets; answers whether there was any."""
    worked = False
    # Without a choice of companies one question of each kind serves all of them.
    for company_id, kind in itertools.product(company_ids or [None], kinds):
        claim = claim_run(settings, transport, company_id, kind=kind)
        health.show(last_poll=now())
        if claim["run"] is None:
            continue
        worked = True
        health.show(state="running")
        # Companies and policies may be younger than the last look, the database another.
        described = handshake.describe(settings, transport)
        outcome = work(
            settings,
            transport,
            described,
            claim["run"],
            progress,
            on_beat=lambda: health.show(last_poll=now()),
        )
        _report(outcome, health)
    return worked


def _report(outcome: Outcome, health: Health) -> None:
    summary = {
        name: getattr(outcome, name)
        for name in ("run_id", "company", "state", "seconds", "customers", "error")
    }
    health.show(state="idle", last_run={**summary, "ended": now()}, last_error=outcome.error)
    if outcome.error:
        steps.error("run %s of %s failed: %s", outcome.run_id, outcome.company, outcome.error)
    elif outcome.kind == "backtest":
        steps.info(
            "back-test %s of %s done: %s orders in %s s",
            outcome.run_id,
            outcome.company,
            outcome.orders,
            outcome.seconds,
        )
    elif outcome.kind == "preview":
        steps.info(
            "preview %s of %s done: %s customers change in %s s",
            outcome.run_id,
            outcome.company,
            outcome.customers,
            outcome.seconds,
        )
    else:
        steps.info(
            "run %s of %s done: %s customers from %s orders in %s s",
            outcome.run_id,
            outcome.company,
            outcome.customers,
            outcome.orders,
            outcome.seconds,
        )


def _greet(settings: Settings, described: dict[str, Any], company_ids: list[int] | None) -> None:
    companies = handshake.pick_companies(described, company_ids)
    steps.info(
        "connected to %s (addon %s); waiting for runs of %s",
        settings.url,
        described["addon_version"],
        ", ".join(company["name"] for company in companies) or "no company",
    )
