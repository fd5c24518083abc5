"""A claimed run to its end, with an Odoo that only remembers what it was asked."""

import contextlib
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import AS_OF, history_of, orders_of

from sync_worker import run as runs
from sync_worker import serve
from sync_worker.policy import Policy

SETTINGS = SimpleNamespace(worker="test:1", timeout=5.0, page_rows=1000, batch_rows=1000)
DESCRIBED = {
    "companies": [{"id": 1, "name": "Alpha", "decimals": 2}],
    "datasets": {},
    "publish_columns": {"partner_id": "integer", "churn_probability": "float"},
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
def odoo(monkeypatch: pytest.MonkeyPatch) -> Odoo:
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


def claimed(kind: str, rules: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "id": 3,
        "token": "t",
        "kind": kind,
        "company_id": 1,
        "as_of": AS_OF.date().isoformat(),
        "lease_seconds": 120,
        "policy": {"rules": rules or []},
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
def test_serve_asks_for_both_kinds(odoo: Odoo, companies: list[int] | None) -> None:
    health = SimpleNamespace(show=lambda **_values: None)
    with contextlib.suppress(StopIteration):
        assert serve._poll(SETTINGS, odoo, companies, None, health) is False
    asked = [(params.get("company_id"), params["kind"]) for params in odoo.asked("claim_run")]
    assert asked == [(company, kind) for company in companies or [None] for kind in ("score", "backtest")]
