"""How often a waiting worker asks for what."""

import itertools
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from sync_worker import serve
from sync_worker.errors import UnreachableError
from sync_worker.outcome import Outcome

DESCRIBED = {"database_uuid": "u", "companies": [{"id": 1, "name": "Alpha"}], "addon_version": "19.0"}


class Waiting:
    """A worker that waits for `rounds` pauses: `asked` is (seconds waited so far, kind) of each question."""

    def __init__(self, monkeypatch, poll_seconds, rounds, work=(), stopping=lambda: False):
        self.now, self.asked, self.work, self.rounds = 0.0, [], list(work), rounds
        monkeypatch.setattr(serve.handshake, "describe", lambda *_, **__: DESCRIBED)
        monkeypatch.setattr(serve.erasures, "erase", Mock())
        monkeypatch.setattr(serve, "claim_run", self.claim)
        monkeypatch.setattr(serve, "work", lambda *_, **__: Outcome(1, "Alpha", 3, "preview", state="done"))
        settings = SimpleNamespace(url="http://x", poll_seconds=poll_seconds, health_file=None)
        with pytest.raises(KeyboardInterrupt):
            serve.serve(settings, Mock(), None, lambda *_: None, sleep=self.sleep, stopping=stopping)

    def claim(self, _settings, _transport, _company_id, *, kind):
        self.asked.append((self.now, kind))
        found = self.work.pop(0) if self.work else None
        if isinstance(found, Exception):
            raise found
        return {"run": found, "busy": None}

    def sleep(self, seconds):
        self.now += seconds
        self.rounds -= 1
        if not self.rounds:
            raise KeyboardInterrupt

    def times(self, kind):
        return [now for now, asked in self.asked if asked == kind]


@pytest.mark.parametrize(
    ("poll_seconds", "previews"),
    [(2.0, 1.0), (5.0, 1.0), (0.5, 0.5), (2.5, 2.5 / 3)],
)
def test_previews_are_asked_for_every_second_the_rest_as_set(monkeypatch, poll_seconds, previews):
    waiting = Waiting(monkeypatch, poll_seconds, rounds=11)
    for kind, every in (("preview", previews), ("score", poll_seconds), ("backtest", poll_seconds)):
        times = waiting.times(kind)
        assert len(times) >= 2, kind
        assert all(b - a == pytest.approx(every) for a, b in itertools.pairwise(times)), kind


def test_after_work_everything_is_asked_for_at_once(monkeypatch):
    waiting = Waiting(monkeypatch, 5.0, rounds=2, work=[None, None, None, {"id": 3, "kind": "preview"}])
    assert waiting.asked[3:] == [(1.0, "preview"), (1.0, "preview"), (1.0, "score"), (1.0, "backtest")]


def test_a_signal_whose_interruption_was_lost_stops_it_before_it_asks_again(monkeypatch):
    stopping = iter([False, False, True])
    waiting = Waiting(monkeypatch, 0.5, rounds=99, stopping=lambda: next(stopping))
    assert waiting.times("preview") == [0.0, 0.5]


def test_odoo_that_is_away_is_asked_ever_less_often(monkeypatch):
    waiting = Waiting(monkeypatch, 2.0, rounds=4, work=[UnreachableError("away")] * 3)
    assert waiting.times("preview") == [0.0, 4.0, 12.0, 28.0]
    assert waiting.times("score") == [28.0]
