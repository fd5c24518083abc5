"""What a run leaves for the next preview: found again, or nothing at all."""

import os
import stat
from types import SimpleNamespace

import joblib
import numpy as np
import pandas as pd
import pytest

from simulator import World, simulate
from sync_worker import kept
from sync_worker.history.columns import as_day
from sync_worker.policy import Policy
from sync_worker.scoring import value
from sync_worker.scoring.labelling import relabel
from sync_worker.scoring.pipeline import score
from sync_worker.scoring.preparation import prepare

DATABASE, RUN = "5f0c-1", {"id": 12, "company_id": 3, "as_of": "2026-06-30"}


@pytest.fixture(scope="module")
def left():
    day = as_day(RUN["as_of"])
    history = simulate(World(seed=8, customers=60)).history.until(day)
    prepared = prepare(history, day, Policy(), lambda percent, step: None)[0]
    return kept.Kept(prepared, relabel(prepared, Policy(), withhold=True), RUN["as_of"])


@pytest.fixture
def settings(tmp_path):
    return SimpleNamespace(state_directory=tmp_path / "state")


def keep(settings, database, run, left):
    """What a run that is done leaves."""
    kept.keep(settings, database, run, left)
    kept.settle(settings, database, run["company_id"], run["id"])


def files(settings):
    return sorted(path.name for path in settings.state_directory.rglob("*") if path.is_file())


def test_what_is_kept_labels_as_it_did(settings, left):
    keep(settings, DATABASE, RUN, left)
    found = kept.load(settings, DATABASE, 3, 12)
    assert found.as_of == RUN["as_of"] and found.prepared.policy.differing(Policy()) == frozenset()
    pd.testing.assert_frame_equal(found.labels, left.labels)
    for policy in (Policy(), Policy().replace(key_share=0.6, risk_high_from=0.5)):
        again = relabel(found.prepared, policy, withhold=True)
        pd.testing.assert_frame_equal(again, relabel(left.prepared, policy, withhold=True))


def test_what_was_expected_is_not_forecast_again(settings, left, monkeypatch):
    """It takes most of the time that a preview takes."""
    drafts = [Policy().replace(key_share=0.6, risk_high_from=0.5), Policy().replace(discount_rate=0.3)]
    afresh = [relabel(left.prepared, policy, withhold=True) for policy in drafts]
    day = as_day(RUN["as_of"])
    history = simulate(World(seed=8, customers=60)).history
    found = []
    score(history, day, Policy(), withhold=True, keep=lambda *kept_of: found.append(kept_of))
    keep(settings, DATABASE, RUN, kept.Kept(*found[0], RUN["as_of"]))
    again = kept.load(settings, DATABASE, 3, 12).prepared
    monkeypatch.setattr(value, "expected_value", None)
    for policy, expected in zip(drafts, afresh, strict=True):
        pd.testing.assert_frame_equal(relabel(again, policy, withhold=True), expected)


def test_only_the_worker_may_read_it(settings, left):
    keep(settings, DATABASE, RUN, left)
    for path in settings.state_directory.rglob("*"):
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (folder,) = (settings.state_directory / "kept").iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_of_another_run_company_database_or_release_there_is_nothing(settings, left, monkeypatch):
    keep(settings, DATABASE, RUN, left)
    for database, company, run in (
        ("other", 3, 12),
        (DATABASE, 4, 12),
        (DATABASE, 3, 13),
        (DATABASE, 3, None),
    ):
        assert kept.load(settings, database, company, run) is None
    monkeypatch.setattr(kept, "WRITER", ("another release",))
    assert kept.load(settings, DATABASE, 3, 12) is None


def test_a_later_run_takes_its_place(settings, left):
    keep(settings, DATABASE, RUN, left)
    keep(settings, DATABASE, {**RUN, "id": 14}, left)
    assert kept.load(settings, DATABASE, 3, 12) is None and kept.load(settings, DATABASE, 3, 14)
    assert files(settings) == ["3.customers", "3.joblib"]


def test_a_run_that_fails_leaves_what_the_one_before_left(settings, left):
    keep(settings, DATABASE, RUN, left)
    kept.keep(settings, DATABASE, {**RUN, "id": 14}, left)  # fails
    kept.keep(settings, DATABASE, {**RUN, "id": 15}, left)  # and so does the next one
    assert files(settings) == ["3.15.customers", "3.15.joblib", "3.customers", "3.joblib"]
    kept.settle(settings, DATABASE, 3, 12)  # as Odoo tells the next run: it is the last that is done
    assert kept.load(settings, DATABASE, 3, 12) and kept.load(settings, DATABASE, 3, 15) is None
    kept.settle(settings, DATABASE, 3, 15)
    assert kept.load(settings, DATABASE, 3, 15) and files(settings) == ["3.customers", "3.joblib"]


def test_an_objecting_customer_is_forgotten_by_a_run_under_way_too(settings, left):
    keep(settings, DATABASE, RUN, left)
    kept.keep(settings, DATABASE, {**RUN, "id": 14}, left)
    customer = int(left.prepared.facts.table["customer_id"].iloc[0])
    kept.erase(settings, {"database_uuid": DATABASE, "erasures": [customer]})
    assert files(settings) == []


def test_killed_between_two_files_leaves_none_that_an_objection_misses(settings, left, monkeypatch):
    written = []

    def killed(path, value):
        if written:
            raise KeyboardInterrupt
        written.append(path)
        write(path, value)

    write = kept._write
    monkeypatch.setattr(kept, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        kept.keep(settings, DATABASE, RUN, left)
    customer = int(left.prepared.facts.table["customer_id"].iloc[0])
    kept.erase(settings, {"database_uuid": DATABASE, "erasures": [customer]})
    assert files(settings) == []


def test_what_a_killed_writer_left_goes(settings, left):
    keep(settings, DATABASE, RUN, left)
    (path,) = settings.state_directory.rglob("3.joblib")
    half, fresh = path.parent / ".3.14.joblib.x", path.parent / ".3.15.joblib.y"
    half.write_bytes(b"half"), fresh.write_bytes(b"being written")
    os.utime(half, (0, 0))
    kept.erase(settings, {"database_uuid": DATABASE, "erasures": []})
    assert not half.exists() and fresh.exists()


@pytest.mark.parametrize("damage", [b"", b"not a pickle", None])
def test_a_damaged_file_is_none_and_goes(settings, left, damage):
    keep(settings, DATABASE, RUN, left)
    (path,) = settings.state_directory.rglob("3.joblib")
    path.write_bytes(path.read_bytes()[:1000] if damage is None else damage)
    assert kept.load(settings, DATABASE, 3, 12) is None
    assert files(settings) == []


def test_an_objecting_customer_is_forgotten(settings, left):
    keep(settings, DATABASE, RUN, left)
    keep(settings, "other", RUN, left)
    customers = left.prepared.facts.table["customer_id"].to_numpy()
    kept.erase(settings, {"database_uuid": DATABASE, "erasures": [int(customers.max()) + 1]})
    assert kept.load(settings, DATABASE, 3, 12)
    kept.erase(settings, {"database_uuid": DATABASE, "erasures": [int(customers[7])]})
    assert kept.load(settings, DATABASE, 3, 12) is None
    assert kept.load(settings, "other", 3, 12), "of another database"


def test_a_list_of_customers_that_cannot_be_read_is_forgotten(settings, left):
    keep(settings, DATABASE, RUN, left)
    (path,) = settings.state_directory.rglob("3.customers")
    path.write_bytes(b"")
    kept.erase(settings, {"database_uuid": DATABASE, "erasures": [1]})
    assert files(settings) == []


def test_a_folder_that_cannot_be_written_is_said_and_no_failure(settings, left, caplog):
    settings.state_directory.write_text("a file")
    keep(settings, DATABASE, RUN, left)
    assert "nothing is kept for previews" in caplog.text
    assert kept.load(settings, DATABASE, 3, 12) is None


def test_a_server_names_no_folder(settings, left):
    keep(settings, "../../outside", RUN, left)
    assert not (settings.state_directory.parent / "outside").exists()
    assert kept.load(settings, "../../outside", 3, 12)


def test_the_list_of_customers_is_what_was_kept(settings, left):
    keep(settings, DATABASE, RUN, left)
    (path,) = settings.state_directory.rglob("3.customers")
    np.testing.assert_array_equal(joblib.load(path), left.prepared.facts.table["customer_id"])
