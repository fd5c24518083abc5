"""What people read in Odoo travels with a code and figures; the words stay for whom the code says nothing."""

import ast
import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from sync_worker.closing import closing_on_failure
from sync_worker.errors import RunError
from sync_worker.heartbeat import Heartbeat
from sync_worker.history.columns import HistoryError
from sync_worker.outcome import Outcome
from sync_worker.policy import Policy, PolicyError
from sync_worker.sentences import Sentence, of_one, sentence, teller

WORKER = Path(__file__).resolve().parents[2] / "sync_worker"
SCHEMA = json.loads((WORKER / "sentence_schema.json").read_text(encoding="utf-8"))
KNOWS = {"sentence_codes": [*SCHEMA]}


def made() -> list[tuple[str, set[str]]]:
    """Code and names of figures of each sentence that the worker's source makes by a code that is written out."""
    found = []
    for path in WORKER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "sentence"
            )
            if called and isinstance(node.args[0], ast.Constant):
                found.append((node.args[0].value, {keyword.arg for keyword in node.keywords}))
    return found


def test_every_sentence_is_in_the_schema_with_its_figures() -> None:
    assert len(made()) > 40
    for code, figures in made():
        assert set(SCHEMA[code]) == figures, code


def test_every_code_of_the_schema_is_made() -> None:
    by_name = {
        "quality_value_above",
        "quality_value_below",
        "policy_weights_zero",
        "policy_rating_weights_zero",
    }
    by_name |= {f"rhythm_few_{what}" for what in ("customers", "days", "repeat_buyers")}
    assert set(SCHEMA) == {code for code, _figures in made()} | by_name


def test_a_sentence_is_text_and_keeps_its_code() -> None:
    told = sentence("sending", "sending customers: 7", rows=np.int64(7))
    assert told == "sending customers: 7"
    assert json.dumps([told, told.params]) == '["sending customers: 7", {"rows": 7}]'
    for copied in (copy.deepcopy(told), pickle.loads(pickle.dumps(told))):
        assert (copied, copied.code, copied.params) == (told, "sending", {"rows": 7})


def test_an_addon_is_told_codes_it_knows_and_words_else() -> None:
    told = sentence("sending", "sending customers: 7", rows=7)
    whole = {"code": "sending", "params": {"rows": 7}, "text": "sending customers: 7"}
    assert teller(KNOWS)(told) == whole
    assert teller({"sentence_codes": ["stopped"]})(told) == "sending customers: 7"
    assert teller({})(told) == "sending customers: 7"
    assert type(teller({})(told)) is str
    assert teller(KNOWS)("as it is") == "as it is"


def test_a_failure_keeps_the_code_of_what_caused_it() -> None:
    with pytest.raises(PolicyError) as refused:
        Policy([{"key": "dormant_days", "value": 400}, {"key": "lost_days", "value": 300}])
    error = RunError(refused.value.args[0], "Mend it.")
    assert isinstance(error.message, Sentence)
    assert error.message.code == "policy_out_of_order"
    assert error.message.params == {"lower": "dormant_days", "low": 400, "upper": "lost_days", "high": 300}


class Recorder:
    """A transport that keeps what it is asked."""

    def __init__(self) -> None:
        self.calls: list[dict] = []

    def call(self, _method: str, params: dict, **_how: object) -> dict:
        self.calls.append(params)
        return {}


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (HistoryError(sentence("row_without_date", "Row 3 has no date.", row=3)), "row_without_date"),
        (ZeroDivisionError("oops"), "failed_unexpectedly"),
    ],
)
def test_odoo_learns_by_a_code_why_a_run_failed(failure: Exception, code: str) -> None:
    transport = Recorder()
    with closing_on_failure(transport, {"id": 1, "token": "t"}, Outcome(1, "One"), teller(KNOWS)):
        raise failure
    [closed] = transport.calls
    assert closed["error"]["code"] == code
    assert set(closed["error"]["params"]) == set(SCHEMA[code])


def test_steps_are_beaten_by_code() -> None:
    transport = Recorder()
    with Heartbeat(transport, 1, "t", 120, None, teller(KNOWS)) as heartbeat:
        heartbeat.show(5, sentence("scoring", "scoring"))
        for _try in range(300):
            if transport.calls:
                break
            heartbeat._thread.join(0.02)
    assert transport.calls[0]["message"] == {"code": "scoring", "params": {}, "text": "scoring"}


@pytest.mark.parametrize(
    ("several", "one"),
    [
        ("the orders span only 1 days, 90 are needed", "the orders span only 1 day, 90 are needed"),
        ("only 1 customers have ordered", "only 1 customer has ordered"),
        ("1 deliveries were late, 1 order-days since", "1 delivery was late, 1 order-day since"),
        ("Fewer orders: 1, after 11 orders", "Fewer orders: 1, after 11 orders"),
        ("1,001 days, 2.1 days, 21 days and 0 days", "1,001 days, 2.1 days, 21 days and 0 days"),
        ("on 2026-01-1 rows; 1 rowsets; 1 areas", "on 2026-01-1 rows; 1 rowsets; 1 areas"),
    ],
)
def test_of_one_thing_the_english_is_singular(several: str, one: str) -> None:
    assert of_one(several) == one
    assert sentence("code", several) == one
