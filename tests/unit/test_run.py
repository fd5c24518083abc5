"""A claimed run to its end, with an Odoo that only remembers what it was asked."""

import base64
import contextlib
import csv
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from conftest import AS_OF, history_of, orders_of

from sync_worker import exports, kept, serve
from sync_worker import run as runs
from sync_worker.errors import RunError
from sync_worker.policy import Policy

SETTINGS = SimpleNamespace(
    worker="test:1", timeout=5.0, page_rows=1000, batch_rows=1000, state_directory=None, kept_exports=1
)
DESCRIBED = {
    "database_uuid": "5f0c-1",
    "companies": [{"id": 1, "name": "Alpha", "decimals": 2}],
    "datasets": {},
    "publish_columns": {"partner_id": "integer", "churn_probability": "float", "cause": "text"},
    "preview_columns": {"partner_id": "integer", "before_value_class": "text", "value_class": "text"},
    "erasures": [],
}
RESULT = {"grades": [], "cutoffs": [], "warnings": ["The history is short."]}


class Odoo:
    """Answers like the addon, and keeps the calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def call(self, method: str, params: dict[str, Any], **_options: Any) -> Any:
        self.calls.append((method, params))
        return {
            "claim_run": {"run": None, "busy": None},
            "beat": {"lease_seconds": 120},
            "publish": {"ok": 1},
            "close_run": {},
        }[method]

    def close(self) -> None:
        pass

    def asked(self, method: str) -> list[dict[str, Any]]:
        return [params for name, params in self.calls if name == method]


@pytest.fixture
def odoo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Odoo:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    odoo = Odoo()
    history = history_of(orders_of(7, [400, 200, 30]), orders_of(8, [300]))
    monkeypatch.setattr(runs, "connect", lambda _settings: odoo)
    monkeypatch.setattr(runs, "read_history", lambda *_args, **_options: history)
    return odoo


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Stands in for the back-test; answers how it was called."""
    calls: list[Any] = []

    def backtest(history, as_of, policy, *, cutoffs, progress):
        calls.append((len(history.orders), as_of, policy, cutoffs))
        progress(50, "looking back")
        return RESULT

    monkeypatch.setattr(runs, "backtest", backtest)
    return calls


def claimed(kind: str, rules: list[dict[str, Any]] | None = None, **values: Any) -> dict[str, Any]:
    return {
        "last_run": None,
        "compared_policy": None,
        "id": 3,
        "token": "t",
        "kind": kind,
        "company_id": 1,
        "as_of": AS_OF.date().isoformat(),
        "lease_seconds": 120,
        "policy": {"rules": rules or []},
        **values,
    }


def work(odoo: Odoo, run: dict[str, Any]) -> tuple[runs.Outcome, list[float]]:
    shown: list[float] = []
    outcome = runs.work(
        SETTINGS, odoo, DESCRIBED, run, lambda _company, percent, _step: shown.append(percent)
    )
    return outcome, shown


def test_backtest_run_looks_back_and_publishes_nothing(odoo: Odoo, judged: list[Any]) -> None:
    rules = [{"key": "churn_horizon_days", "format_id": None, "value": 60}]
    outcome, shown = work(odoo, claimed("backtest", rules))
    assert outcome.state == "done", outcome
    assert (outcome.kind, outcome.orders, outcome.customers) == ("backtest", 4, 0)
    (orders, as_of, policy, cutoffs) = judged[0]
    assert (orders, as_of) == (4, AS_OF.date().isoformat())
    assert isinstance(policy, Policy)
    assert policy.value("churn_horizon_days") == 60
    assert cutoffs > 3, "a back-test on request looks at more than the one within a scoring run"
    (closed,) = odoo.asked("close_run")
    assert (closed["state"], closed["rows"], closed["result"]) == ("done", 0, {"backtest": RESULT})
    assert "The history is short." in closed["warnings"]
    assert not odoo.asked("publish")
    assert shown == sorted(shown)
    assert runs.READ_UNTIL < shown[-2] < runs.SENT_AT


def test_scoring_run_needs_no_backtest(odoo: Odoo, judged: list[Any]) -> None:
    outcome, _shown = work(odoo, claimed("score"))
    assert outcome.state == "done", outcome
    assert outcome.kind == "score"
    assert odoo.asked("publish")
    assert odoo.asked("close_run")[0]["rows"] == 2


def test_a_past_day_is_asked_for_and_scored_without_hindsight(
    odoo: Odoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = (AS_OF - pd.Timedelta(days=350)).date().isoformat()
    outcome = runs.run_company(
        SETTINGS, odoo, DESCRIBED, DESCRIBED["companies"][0], lambda *_: None, as_of=day
    )
    assert (outcome.as_of, outcome.exit_code) == (day, 7), "this Odoo gives no run"
    assert odoo.asked("claim_run")[-1]["as_of"] == day
    outcome, _shown = work(odoo, claimed("score", as_of=day, parameters={"as_of": day}))
    assert outcome.state == "done", outcome
    assert outcome.as_of == day
    assert [row["partner_id"] for row in published(odoo)] == ["7"], "the other had bought nothing yet"
    assert not [words for words in outcome.warnings if "left out" in words]


def test_scores_are_told_the_decimals_of_the_currency(odoo: Odoo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DESCRIBED["companies"][0], "decimals", 0)
    outcome, _shown = work(odoo, claimed("score"))
    closing = outcome.result["equity"]["closing"]
    assert closing > 0 and closing == round(closing)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([{"key": "of_tomorrow", "format_id": None, "value": 1}], "no key"),
        ([{"key": "withheld_grades", "format_id": None, "value": 4}], "between 0 and 3"),
    ],
)
def test_policy_that_cannot_be_used_fails_the_backtest(
    odoo: Odoo, judged: list[Any], rules: list[dict[str, Any]], words: str
) -> None:
    outcome, _shown = work(odoo, claimed("backtest", rules))
    assert (outcome.state, outcome.exit_code) == ("failed", 7)
    assert not judged
    (closed,) = odoo.asked("close_run")
    assert closed["state"] == "failed"
    assert words in closed["error"]


def test_fault_of_the_backtest_closes_the_run(
    odoo: Odoo, judged: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args, **_options):
        raise ZeroDivisionError

    monkeypatch.setattr(runs, "backtest", broken)
    outcome, _shown = work(odoo, claimed("backtest"))
    assert outcome.state == "failed"
    assert odoo.asked("close_run")[0]["state"] == "failed"


@pytest.mark.parametrize("companies", [None, [1, 2]])
def test_serve_asks_for_every_kind(odoo: Odoo, companies: list[int] | None) -> None:
    health = SimpleNamespace(show=lambda **_values: None)
    with contextlib.suppress(StopIteration):
        assert serve._poll(SETTINGS, odoo, companies, None, health, serve.KINDS) is False
    asked = [(params.get("company_id"), params["kind"]) for params in odoo.asked("claim_run")]
    assert asked == [
        (company, kind) for company in companies or [None] for kind in ("preview", "score", "backtest")
    ]


DRAFT = [{"key": "key_share", "format_id": None, "value": 0.5}]


def published(odoo: Odoo) -> list[dict[str, str]]:
    """What was published, a dict of text per customer."""
    rows = []
    for params in odoo.asked("publish"):
        text = zlib.decompress(base64.b64decode(params["data"])).decode()
        rows += [dict(zip(params["columns"], row, strict=True)) for row in csv.reader(text.splitlines())]
    return rows


def test_a_preview_publishes_whom_the_draft_moves(odoo: Odoo) -> None:
    run = claimed("preview", DRAFT, compared_policy={"rules": []})
    outcome, shown = work(odoo, run)
    assert (outcome.state, outcome.kind) == ("done", "preview"), outcome
    found = odoo.asked("close_run")[0]["result"]["preview"]
    rows = published(odoo)
    assert found["changed"] == len(rows) == odoo.asked("close_run")[0]["rows"] == outcome.customers
    assert found["customers"] == 2 and shown == sorted(shown)
    assert all(row["before_value_class"] != row["value_class"] for row in rows)


def test_a_preview_after_a_run_reads_nothing(odoo: Odoo, monkeypatch: pytest.MonkeyPatch) -> None:
    work(odoo, claimed("score"))

    def read(*_args: Any, **_options: Any) -> Any:
        raise AssertionError("there was no need to read anything")

    monkeypatch.setattr(runs, "read_history", read)
    run = claimed("preview", DRAFT, id=4, last_run=3, compared_policy={"rules": []})
    outcome, _shown = work(odoo, run)
    assert outcome.state == "done", outcome
    assert odoo.asked("close_run")[-1]["result"]["preview"]["customers"] == 2


def test_a_run_that_fails_leaves_what_the_one_before_left(
    odoo: Odoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(odoo, claimed("score"))
    with monkeypatch.context() as refusing:
        refusing.setattr(odoo, "call", Refusing(odoo, "publish"))
        outcome, _shown = work(odoo, claimed("score", id=4, last_run=3))
        assert outcome.state == "failed"
    found = [
        exports.find(SETTINGS, DESCRIBED["database_uuid"], 1, run, f"{AS_OF:%Y-%m-%d}") for run in (3, 4)
    ]
    assert found[0] and not found[1]
    monkeypatch.setattr(runs, "read_history", None)  # there is no need to read anything
    run = claimed("preview", DRAFT, id=5, last_run=3, compared_policy={"rules": []})
    assert work(odoo, run)[0].state == "done"


def test_a_run_whose_end_was_not_heard_of_counts_when_odoo_tells(
    odoo: Odoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as refusing:
        refusing.setattr(odoo, "call", Refusing(odoo, "close_run"))
        outcome, _shown = work(odoo, claimed("score"))
        assert outcome.state == "failed"
    monkeypatch.setattr(runs, "read_history", None)
    run = claimed("preview", DRAFT, id=4, last_run=3, compared_policy={"rules": []})
    assert work(odoo, run)[0].state == "done"
    assert exports.find(SETTINGS, DESCRIBED["database_uuid"], 1, 3, f"{AS_OF:%Y-%m-%d}")


class Refusing:
    """Odoo, but for one method."""

    def __init__(self, odoo: Odoo, method: str) -> None:
        self.call, self.method = odoo.call, method

    def __call__(self, method: str, params: dict[str, Any], **options: Any) -> Any:
        if method == self.method:
            raise RunError("Refused.", "")
        return self.call(method, params, **options)


def test_who_objected_since_the_last_run_is_not_previewed(
    odoo: Odoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(odoo, claimed("score"))
    monkeypatch.setitem(DESCRIBED, "erasures", [7])
    work(odoo, claimed("preview", DRAFT, id=4, last_run=3, compared_policy={"rules": []}))
    assert kept.load(SETTINGS, DESCRIBED["database_uuid"], 1, 3) is None


def test_an_activated_draft_changes_nothing_more(odoo: Odoo) -> None:
    outcome, _shown = work(odoo, claimed("preview", DRAFT))
    assert outcome.state == "done" and outcome.result["preview"]["changed"] == 0


def test_a_draft_that_cannot_be_used_fails_its_preview(odoo: Odoo) -> None:
    rules = [{"key": "of_tomorrow", "format_id": None, "value": 1}]
    outcome, _shown = work(odoo, claimed("preview", rules, compared_policy={"rules": []}))
    assert outcome.state == "failed" and "draft" in outcome.mend
    assert "no key" in odoo.asked("close_run")[0]["error"]


def test_changes_by_the_policy_are_published_as_such(odoo: Odoo) -> None:
    narrow = [
        {"key": "lost_days", "format_id": None, "value": 20},
        {"key": "dormant_days", "format_id": None, "value": 10},
    ]
    narrow += [{"key": "lost_factor", "format_id": None, "value": 1.1}]
    narrow += [{"key": "dormant_factor", "format_id": None, "value": 1}]
    work(odoo, claimed("score", narrow, compared_policy={"rules": []}))
    assert "policy" in {row["cause"] for row in published(odoo)}
    odoo.calls.clear()
    outdated = {"rules": [{"key": "of_yesterday", "format_id": None, "value": 1}]}
    outcome, _shown = work(odoo, claimed("score", narrow, compared_policy=outdated))
    assert outcome.state == "done" and {row["cause"] for row in published(odoo)} == {"behaviour"}


@pytest.mark.parametrize("kind", ["score", "backtest"])
@pytest.mark.parametrize(("value", "sales"), [(0, "orders"), (1, "invoices")])
def test_sales_are_read_as_the_policy_of_the_run_counts_them(
    odoo: Odoo, judged: list[Any], monkeypatch: pytest.MonkeyPatch, kind: str, value: int, sales: str
) -> None:
    asked: list[str] = []
    read = runs.read_history

    def reading(*args, **options):
        asked.append(options["sales"])
        return read(*args, **options)

    monkeypatch.setattr(runs, "read_history", reading)
    rules = [{"key": "sales_basis", "format_id": None, "value": value}]
    outcome, _shown = work(odoo, claimed(kind, rules))
    assert (outcome.state, asked) == ("done", [sales])
