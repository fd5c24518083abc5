"""One run of one company: read, score and publish, or look back; close; and what came of it."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa

from sync_worker import comparison, erasures, exports, hindsight, kept, last_run, preview, publication
from sync_worker.claimed import policy_in, policy_of
from sync_worker.closing import closing_on_failure
from sync_worker.config import Settings
from sync_worker.errors import BusyError, RunError, WorkerError
from sync_worker.heartbeat import Heartbeat
from sync_worker.history.columns import HistoryError, as_day
from sync_worker.history.fingerprint import fingerprint
from sync_worker.history.odoo import read_history
from sync_worker.history.schema import History
from sync_worker.memory import give_back_large_arrays
from sync_worker.outcome import Outcome
from sync_worker.policy import Policy, PolicyError
from sync_worker.scoring.backtest import CUTOFFS, backtest
from sync_worker.scoring.causes import Before
from sync_worker.scoring.pipeline import score
from sync_worker.scoring.preparation import Prepared
from sync_worker.sentences import Told, sentence, teller
from sync_worker.transport import Transport, connect

# Called with the company's name, progress (0 to 100) and the step in words.
Progress = Callable[[str, float, str], None]

CLAIM_TIMEOUT = 30.0
READ_UNTIL, SCORED_AT, SENT_AT = 45.0, 70.0, 90.0


def run_company(
    settings: Settings,
    transport: Transport,
    described: dict[str, Any],
    company: dict[str, Any],
    progress: Progress,
    as_of: str | None = None,
) -> Outcome:
    """Requests a run of the company, claims it and works on it. Failures are in the outcome.

    `as_of` is a past day, later than any of which the company was scored; None for its today.
    """
    outcome = Outcome(company["id"], company["name"], as_of=as_of)
    try:
        claim = claim_run(settings, transport, company["id"], request=True, as_of=as_of)
        if claim["run"] is None:
            raise _busy(company["name"], claim["busy"])
        return work(settings, transport, described, claim["run"], progress)
    except WorkerError as error:
        outcome.fail(error)
        return outcome


def claim_run(
    settings: Settings,
    transport: Transport,
    company_id: int | None = None,
    *,
    kind: str = "score",
    request: bool = False,
    as_of: str | None = None,
) -> dict[str, Any]:
    """Asks for work, once: a lost answer is a claimed run whose lease simply expires."""
    params: dict[str, Any] = {"worker": settings.worker, "kind": kind}
    if company_id is not None:
        params["company_id"] = company_id
    if request:
        params["request"] = True
    if as_of:
        params["as_of"] = as_of
    return transport.call("claim_run", params, timeout=min(CLAIM_TIMEOUT, settings.timeout))


def work(
    settings: Settings,
    transport: Transport,
    described: dict[str, Any],
    run: dict[str, Any],
    progress: Progress,
    *,
    on_beat: Callable[[], None] | None = None,
) -> Outcome:
    """Works on a claimed run to its end. Failures are closed in Odoo and put into the outcome.

    Ctrl-C and SIGTERM (`KeyboardInterrupt`) close the run too, and go on to the caller.
    """
    company = next((each for each in described["companies"] if each["id"] == run["company_id"]), None)
    name = company["name"] if company else f"company {run['company_id']}"
    outcome = Outcome(run["company_id"], name, run["id"], run.get("kind", "score"), as_of=run["as_of"])
    started = time.monotonic()
    beats, beside, tell = connect(settings), connect(settings), teller(described)
    try:
        with (
            closing_on_failure(transport, run, outcome, tell),
            Heartbeat(beats, run["id"], run["token"], run["lease_seconds"], on_beat, tell) as heartbeat,
        ):
            if company is None:
                unseen = f"The account may not see company {run['company_id']}."
                raise RunError(
                    sentence("company_out_of_reach", unseen, company=run["company_id"]),
                    "Add it to its companies.",
                )

            def show(percent: float, step: str) -> None:
                heartbeat.show(percent, step)
                progress(name, percent, step)

            erasures.erase(settings, described)
            if run.get("last_run"):  # whose end may not have been heard of here
                _settle(settings, described, run["company_id"], run["last_run"])
            transports = [transport, beside]
            if outcome.kind == "backtest":
                _read_backtest(settings, transports, described, company, run=run, show=show, outcome=outcome)
            else:
                do = _preview_send if outcome.kind == "preview" else _read_score_send
                do(
                    settings,
                    transports,
                    described,
                    company,
                    run=run,
                    show=show,
                    room=heartbeat.room,
                    outcome=outcome,
                )
            # The merge holds the lock of the run, which no beat may wait for.
            heartbeat.stop()
            progress(name, SENT_AT, "closing" if outcome.kind == "backtest" else "merging")
            outcome.counts = transport.call("close_run", _closing(run, outcome, tell))
            outcome.state = "done"
            if outcome.kind == "score":
                _settle(settings, described, run["company_id"], run["id"])
    finally:
        beats.close()
        beside.close()
        outcome.seconds = round(time.monotonic() - started, 2)
    return outcome


def _read_score_send(
    settings: Settings,
    transports: list[Transport],
    described: dict[str, Any],
    company: dict[str, Any],
    *,
    run: dict[str, Any],
    show: Callable[[float, str], None],
    room: contextlib.AbstractContextManager[Any],
    outcome: Outcome,
) -> None:
    policy, database, decimals = policy_of(run), described["database_uuid"], company["decimals"]
    show(0, sentence("comparing_last_run", "looking at what the last run told"))
    compared = comparison.begin(settings, database, run)
    history = _read(settings, transports, described, company, policy.sales, show=show, outcome=outcome)
    if "as_of" in run.get("parameters", {}):
        history = hindsight.known_then(history, run["as_of"])
        outcome.orders = len(history.orders)
    exports.keep(settings, database, run, history)
    marks = fingerprint(history, comparison.until_of(run, policy), decimals)
    give_back_large_arrays(len(history.customers))
    scores = _score(
        history,
        run,
        policy,
        outcome,
        lambda percent, step: show(_between(READ_UNTIL, SCORED_AT, percent / 100), step),
        keep=lambda prepared, labels: kept.keep(
            settings, database, run, kept.Kept(prepared, labels, run["as_of"])
        ),
        before=compared.before(history, policy, decimals),
        decimals=decimals,
    )
    outcome.warnings += compared.warnings
    tier = outcome.result.get("model", {}).get("tier")
    last_run.keep(settings, database, run, comparison.of_run(run, marks, scores, tier, policy, decimals))
    table = publication.to_table(scores, described["publish_columns"], decimals)
    outcome.customers = table.num_rows
    del history, scores, compared, marks
    _send(settings, transports, table, run=run, show=show, room=room, outcome=outcome)


def _send(
    settings: Settings,
    transports: list[Transport],
    table: pa.Table,
    *,
    run: dict[str, Any],
    show: Callable[[float, str], None],
    room: contextlib.AbstractContextManager[Any],
    outcome: Outcome,
) -> None:
    sent = publication.publish(
        transports,
        run,
        table,
        batch_rows=settings.batch_rows,
        room=room,
        on_batch=lambda rows: show(
            _between(SCORED_AT, SENT_AT, rows / table.num_rows),
            sentence("sending", f"sending customers: {rows:,}", rows=rows),
        ),
    )
    outcome.sent, outcome.refused = sent.rows, sent.refused


def _preview_send(
    settings: Settings,
    transports: list[Transport],
    described: dict[str, Any],
    company: dict[str, Any],
    *,
    run: dict[str, Any],
    show: Callable[[float, str], None],
    room: contextlib.AbstractContextManager[Any],
    outcome: Outcome,
) -> None:
    """Labels by the active policy and by a draft; nothing of it is shown but as a preview."""
    show(0, sentence("finding_last_run", "looking for what the last run left"))
    left = kept.load(settings, described["database_uuid"], company["id"], run["last_run"])
    try:
        active = policy_in(run["compared_policy"] or run["policy"])  # the draft was activated meanwhile
        found = preview.compare(
            lambda sales: _read(settings, transports, described, company, sales, show=show, outcome=outcome),
            left,
            run["as_of"],
            active,
            policy_in(run["policy"], active),
            lambda percent, step: show(_between(READ_UNTIL, SCORED_AT, percent / 100), step),
        )
    except PolicyError as error:
        raise RunError(error.args[0], "Mend the draft in Odoo and preview it again.") from error
    table = publication.to_table(found.changed, described["preview_columns"], company["decimals"])
    outcome.result, outcome.customers = {"preview": found.result}, table.num_rows
    _send(settings, transports, table, run=run, show=show, room=room, outcome=outcome)


def _read(
    settings: Settings,
    transports: list[Transport],
    described: dict[str, Any],
    company: dict[str, Any],
    sales: str,
    *,
    show: Callable[[float, str], None],
    outcome: Outcome,
    with_facts: bool = True,
) -> History:
    history = read_history(
        transports,
        company["id"],
        offered=described["datasets"],
        page_rows=settings.page_rows,
        show=lambda part, step: show(part * READ_UNTIL, step),
        with_facts=with_facts,
        sales=sales,
    )
    outcome.orders = len(history.orders)
    return history


def _read_backtest(
    settings: Settings,
    transports: list[Transport],
    described: dict[str, Any],
    company: dict[str, Any],
    *,
    run: dict[str, Any],
    show: Callable[[float, str], None],
    outcome: Outcome,
) -> None:
    """Judges the forecast on the company's own past; nothing is published."""
    # The forecast is made of the sales alone.
    policy = policy_of(run)
    history = _read(
        settings, transports, described, company, policy.sales, show=show, outcome=outcome, with_facts=False
    )
    result = backtest(
        history,
        run["as_of"],
        policy,
        cutoffs=CUTOFFS,  # more than within a scoring run: somebody asked for it and waits
        progress=lambda percent, step: show(_between(READ_UNTIL, SENT_AT, percent / 100), step),
    )
    outcome.result = {"backtest": result}
    outcome.warnings = list(result["warnings"])


def _settle(settings: Settings, described: dict[str, Any], company_id: int, run_id: int) -> None:
    """Lets what a run left here count, now that Odoo has closed it as done."""
    for keeper in (kept, exports):
        keeper.settle(settings, described["database_uuid"], company_id, run_id)


def _closing(run: dict[str, Any], outcome: Outcome, tell: Callable[[str], Told]) -> dict[str, Any]:
    return {
        "run_id": run["id"],
        "token": run["token"],
        "state": "done",
        "rows": outcome.sent,
        "result": outcome.result,
        "warnings": [tell(each) for each in outcome.warnings],
    }


def _score(
    history: History,
    run: dict[str, Any],
    policy: Policy,
    outcome: Outcome,
    show: Callable[[float, str], None],
    *,
    keep: Callable[[Prepared, pd.DataFrame], None],
    before: Before,
    decimals: int,
) -> pd.DataFrame:
    """The scores of every customer; none, with a sentence, where nobody is known yet."""
    show(0, sentence("scoring", "scoring"))
    try:
        result = score(
            history,
            run["as_of"],
            policy,
            progress=show,
            withhold=True,
            keep=keep,
            before=before,
            last_use=True,
            decimals=decimals,
        )
    except HistoryError:
        if (history.orders["date"] <= as_day(run["as_of"])).any():
            raise
        nobody = f"No customer is known by {run['as_of']}: nobody is scored."
        outcome.warnings = [*history.warnings, sentence("nobody_known", nobody, day=run["as_of"])]
        return pd.DataFrame({"customer_id": pd.Series(dtype="int64")})
    outcome.result, outcome.warnings = result.summary, list(result.warnings)
    return result.customers


def _between(start: float, end: float, part: float) -> float:
    return start + (end - start) * min(max(part, 0.0), 1.0)


def _busy(company: str, busy: dict[str, Any] | None) -> WorkerError:
    if not busy:
        return RunError(f"Odoo gave no run for {company} though one was requested.", "Start the run again.")
    if not busy.get("run_id"):
        return BusyError(f"{company}: another worker is claiming a run of it at this moment.")
    return BusyError(
        f"{company}: run {busy['run_id']} is worked on by {busy['worker']}, whose lease lasts until "
        f"{busy['until']} UTC."
    )
