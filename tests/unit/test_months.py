"""Runs of past days: which days they are, in which order, and where they stop."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from conftest import history_of, orders_of

from sync_worker import hindsight, months
from sync_worker.errors import RunError
from sync_worker.outcome import Outcome

COMPANY = {"id": 1, "name": "Alpha", "timezone": "Europe/Paris", "scored": None}
TODAY = date(2026, 3, 10)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The days that were scored; nothing else happens."""
    days: list[str | None] = []

    def run_company(settings, transport, described, company, progress, as_of=None):
        progress(company["name"], 50, "scoring")
        days.append(as_of)
        return Outcome(company["id"], company["name"], state="done", as_of=as_of)

    monkeypatch.setattr(months, "run_company", run_company)
    monkeypatch.setattr(months, "describe", lambda *_: {})
    monkeypatch.setattr(months, "today_of", lambda _company: TODAY)
    monkeypatch.setattr(months, "read_dataset", partners_since("2020-01-01"))
    return days


def partners_since(*days: str | None):
    table = pd.DataFrame({"first_seen": pd.to_datetime(list(days)).astype("datetime64[s]")})
    return lambda *_args, **_options: table


def month_ends(company: dict[str, Any], count: int, progress=lambda *_: None) -> list[Outcome]:
    return months.run_month_ends(SimpleNamespace(page_rows=1000), None, {}, company, count, progress)


def test_month_ends_before_a_day() -> None:
    assert months.month_ends(date(2024, 3, 1), 3) == [
        date(2023, 12, 31),
        date(2024, 1, 31),
        date(2024, 2, 29),
    ]
    assert months.month_ends(date(2026, 1, 31), 1) == [date(2025, 12, 31)], (
        "a day that is not over is no past one"
    )


def test_oldest_first_and_then_today(runs: list[str | None]) -> None:
    outcomes = month_ends(COMPANY, 2)
    assert runs == ["2026-01-31", "2026-02-28", None]
    assert [each.as_of for each in outcomes] == runs


@pytest.mark.parametrize(
    ("scored", "days"),
    [
        ("2026-01-31", ["2026-02-28", None]),
        ("2026-01-15", ["2026-01-31", "2026-02-28", None]),
        ("2026-02-28", [None]),
    ],
)
def test_it_goes_on_where_it_stopped(runs: list[str | None], scored: str, days: list[str | None]) -> None:
    month_ends({**COMPANY, "scored": scored}, 3)
    assert runs == days


def test_a_company_scored_since_is_refused(runs: list[str | None]) -> None:
    (outcome,) = month_ends({**COMPANY, "scored": "2026-03-01"}, 3)
    assert not runs
    assert (outcome.state, outcome.exit_code) == ("failed", 2)
    assert "scored as of 2026-03-01 already" in outcome.error


def test_an_addon_that_knows_no_past_is_named(runs: list[str | None]) -> None:
    (outcome,) = month_ends({name: COMPANY[name] for name in ("id", "name", "timezone")}, 3)
    assert not runs
    assert outcome.exit_code == 5


@pytest.mark.parametrize(
    ("first", "days"),
    [
        (["2026-02-14", None], ["2026-02-28", None]),
        (["2026-01-31", "2026-03-01"], ["2026-01-31", "2026-02-28", None]),
        (["1970-01-01", "2026-02-14"], ["2026-02-28", None]),  # a date that was never set
        ([], [None]),
        ([None], [None]),
    ],
)
def test_no_days_before_the_first_customer(
    runs: list[str | None], monkeypatch: pytest.MonkeyPatch, first: list[str | None], days: list[str | None]
) -> None:
    monkeypatch.setattr(months, "read_dataset", partners_since(*first))
    month_ends(COMPANY, 3)
    assert runs == days


def test_it_stops_at_the_first_failure(monkeypatch: pytest.MonkeyPatch, runs: list[str | None]) -> None:
    def fail(settings, transport, described, company, progress, as_of=None):
        outcome = Outcome(1, "Alpha", as_of=as_of)
        outcome.fail(RunError("Odoo refused."))
        return outcome

    monkeypatch.setattr(months, "run_company", fail)
    (outcome,) = month_ends(COMPANY, 3)
    assert (outcome.as_of, outcome.error) == ("2025-12-31", "Odoo refused.")


def test_progress_is_that_of_all_runs(runs: list[str | None]) -> None:
    shown: list[tuple[float, str]] = []
    month_ends(COMPANY, 1, lambda _company, percent, step: shown.append((percent, step)))
    assert shown == [(25, "2026-02-28 (1 of 2): scoring"), (75, "today (2 of 2): scoring")]
    months.run_days(
        None, None, {}, COMPANY, [None], lambda _company, percent, step: shown.append((percent, step))
    )
    assert shown[-1] == (50, "scoring")


def test_hindsight_is_left_out() -> None:
    history = history_of(orders_of(7, [400, 200, 30]), orders_of(8, [10]), formats={7: "a", 8: "a"})
    history.previous = pd.DataFrame({"customer_id": [7], "lost_type_by_hand": ["price_seeker"]})
    history.customers["blocked"] = False
    day = "2025-11-30"
    then = hindsight.known_then(history, day)
    assert list(then.customers["customer_id"]) == [7]
    assert then.orders["date"].max() <= pd.Timestamp(day)
    assert then.previous["lost_type_by_hand"].isna().all()
    assert then.warnings == [f"blocked of the customers are as they are today, not as on {day}."]
    assert len(history.orders) == 4 and history.previous["lost_type_by_hand"].notna().all()
    assert hindsight.known_then(history, "2020-01-01") is history
