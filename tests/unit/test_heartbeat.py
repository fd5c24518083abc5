"""The heartbeat: often enough for the lease, soon after a step, and only Odoo's word ends it."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from sync_worker import heartbeat
from sync_worker.errors import LeaseLostError, UnreachableError


class Beats:
    """Answers beats with what a test decides and keeps them."""

    def __init__(self, answer: Callable[[int], Any] = lambda count: {"lease_seconds": 120}):
        self.answer = answer
        self.sent: list[dict] = []

    def call(self, method: str, params: dict, *, timeout: float, once: bool) -> Any:
        assert method == "beat"
        assert once, "the next beat is the retry"
        self.sent.append(params)
        return self.answer(len(self.sent))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "SHOWN_EVERY", 0.05)


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_beats_every_third_of_the_lease():
    beats, seen = Beats(), []
    with heartbeat.Heartbeat(beats, 3, "t", 0.6, lambda: seen.append(1)):
        wait_for(lambda: len(beats.sent) >= 3)
    assert beats.sent[0] == {"run_id": 3, "token": "t", "progress": 0.0, "message": ""}
    assert len(seen) >= 3
    count = len(beats.sent)
    time.sleep(0.5)
    assert len(beats.sent) == count, "it ends with the run"


def test_a_new_step_is_shown_soon():
    beats = Beats()
    with heartbeat.Heartbeat(beats, 3, "t", 600) as beat:
        beat.show(45, "scoring")
        wait_for(lambda: len(beats.sent) == 1)
        assert (beats.sent[0]["progress"], beats.sent[0]["message"]) == (45, "scoring")
        for percent in range(46, 50):
            beat.show(percent, "scoring")
        time.sleep(0.2)
        assert len(beats.sent) == 1, "progress alone waits for the next beat"


def test_lost_lease_reaches_the_run():
    def lost(count: int) -> None:
        raise LeaseLostError("Run #3 is no longer yours.")

    beats = Beats(lost)
    with heartbeat.Heartbeat(beats, 3, "t", 0.6) as beat:
        wait_for(lambda: bool(beats.sent))
        time.sleep(0.05)
        with pytest.raises(LeaseLostError):
            beat.show(50, "scoring")
    time.sleep(0.5)
    assert len(beats.sent) == 1, "no more beats for a run that is another's"


def test_a_beat_that_is_not_answered_is_repeated():
    def sometimes(count: int) -> dict:
        if count < 3:
            raise UnreachableError("Odoo did not answer in time.")
        return {"lease_seconds": 120}

    beats = Beats(sometimes)
    with heartbeat.Heartbeat(beats, 3, "t", 0.6) as beat:
        wait_for(lambda: len(beats.sent) >= 4)
        beat.check()
