"""What a run read is kept and can be scored again, to the bit; who objects is taken out of it."""

import json
import stat
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from simulator import World, simulate
from sync_worker import exports, whole_file
from sync_worker.cli import app
from sync_worker.history.facts import PREVIOUS
from sync_worker.history.file import read_history
from sync_worker.history.schema import History
from sync_worker.policy import Policy, PolicyError, read_policy
from sync_worker.scoring.pipeline import score

DATABASE, AS_OF = "5f0c-1", "2026-06-30"
RULES = [
    {"key": "key_share", "format_id": None, "value": 0.6},
    {"key": "lost_days", "format_id": 2, "value": 300},
    {"key": "hysteresis_value", "format_id": None, "value": 0.3},
]
VERSION = 9


@pytest.fixture(scope="module")
def history():
    """As it comes from Odoo: formats are numbers, and there was a run before."""
    found = simulate(World(seed=4, customers=120)).history
    codes = pd.factorize(found.customers["format"], sort=True)[0]
    customers = found.customers.assign(format=np.where(codes < 0, np.nan, codes + 1.0))
    numbered = History(
        found.orders, found.lines, customers.drop(columns="format").assign(format_id=customers["format"]),
        found.products, facts=found.facts,
    )  # fmt: skip
    scored = score(numbered, "2026-05-31", Policy()).customers
    kept = scored[[name for name in PREVIOUS if name in scored]]
    # all were key, so that many are kept at the border
    return replace(
        numbered,
        previous=kept.assign(
            value_class=kept["value_class"].mask(kept["value_class"].notna(), "key"),
            lost_type_by_hand=None,
            policy_version_id=VERSION,
            as_of="2026-05-31",
        ),
    )


@pytest.fixture
def settings(tmp_path):
    return SimpleNamespace(state_directory=tmp_path / "state", kept_exports=2)


def run(number=7, as_of=AS_OF, version=VERSION, before=None):
    policy = {"version_id": version, "rules": RULES}
    return {"id": number, "company_id": 3, "as_of": as_of, "policy": policy, "compared_policy": before}


def keep(settings, run, history):
    """What a run that is done leaves."""
    exports.keep(settings, DATABASE, run, history)
    exports.settle(settings, DATABASE, run["company_id"], run["id"])


def folders(settings):
    return sorted(path.name for path in settings.state_directory.glob("exports/*/*/*"))


def only(settings):
    (folder,) = settings.state_directory.glob("exports/*/*/*")
    return folder


@pytest.mark.parametrize("before", [None, Policy(RULES, VERSION)])
def test_a_run_is_made_again_to_the_bit(settings, history, tmp_path, before):
    """Also under a version that remembers what the one before told."""
    version = VERSION + 1 if before else VERSION
    told = before and {"version_id": VERSION, "rules": RULES}
    keep(settings, run(version=version, before=told), history)
    folder, out = only(settings), tmp_path / "again.parquet"
    arguments = [
        "score",
        str(folder),
        "--policy",
        str(folder / "policy.json"),
        "--as-of",
        AS_OF,
        "--out",
        str(out),
    ]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    first = score(history, AS_OF, Policy(RULES, version, before))
    assert first.customers["reasons"].str.contains("stays_key").any()
    expected = tmp_path / "first.parquet"
    first.customers.to_parquet(expected)
    again = pd.read_parquet(out)
    pd.testing.assert_frame_equal(again, pd.read_parquet(expected)[again.columns], check_exact=True)
    summary = score(read_history(folder), AS_OF, read_policy(folder / "policy.json")).summary
    assert json.dumps(summary, default=str) == json.dumps(first.summary, default=str)


def test_an_earlier_day_is_scored_from_what_was_known_then(settings, history):
    keep(settings, run(), history)
    again = score(read_history(only(settings)), "2026-03-31", Policy(RULES, VERSION)).customers
    pd.testing.assert_frame_equal(
        again, score(history, "2026-03-31", Policy(RULES, VERSION)).customers, check_exact=True
    )
    assert not again["reasons"].str.contains("stays_key").any()  # the labels of a later day have no say


def test_the_last_runs_are_kept(settings, history):
    few = replace(history, lines=None, facts={})
    for number, day in ((9, "2026-06-28"), (10, "2026-06-29"), (11, "2026-06-29")):
        keep(settings, run(number, day), few)
    assert folders(settings) == ["2026-06-29-run-10", "2026-06-29-run-11"]
    keep(settings, run(11, "2026-06-29"), few)  # closed once more
    assert folders(settings) == ["2026-06-29-run-10", "2026-06-29-run-11"]
    found = [exports.find(settings, DATABASE, 3, number, "2026-06-29") for number in (11, 10, 9)]
    assert [path and path.name for path in found] == ["2026-06-29-run-11", "2026-06-29-run-10", None]
    assert exports.find(settings, DATABASE, 3, 11, "2026-06-30") is None
    settings.kept_exports = 0
    keep(settings, run(12), few)
    assert folders(settings) == []


def test_a_run_that_fails_takes_nobody_s_place(settings, history):
    few = replace(history, lines=None, facts={})
    done = ["2026-06-28-run-9", "2026-06-29-run-10"]
    keep(settings, run(9, "2026-06-28"), few)
    keep(settings, run(10, "2026-06-29"), few)
    exports.keep(settings, DATABASE, run(11, "2026-06-29"), few)  # fails
    assert folders(settings) == [*done, "2026-06-29-run-11.open"]
    assert exports.find(settings, DATABASE, 3, 11, "2026-06-29") is None
    exports.keep(settings, DATABASE, run(11, "2026-06-30"), few)  # taken up again on another day, and killed
    assert folders(settings) == [*done, "2026-06-30-run-11.open"]
    exports.settle(settings, DATABASE, 3, 10)  # as Odoo tells the next run: 11 was not the last
    assert folders(settings) == [*done, "2026-06-30-run-11.open"]
    exports.keep(settings, DATABASE, run(12, "2026-06-30"), few)
    exports.settle(settings, DATABASE, 3, 12)
    assert folders(settings) == ["2026-06-29-run-10", "2026-06-30-run-12"]


def test_who_objects_is_taken_out_of_an_export_that_is_not_settled_too(settings, history):
    exports.keep(settings, DATABASE, run(), history)
    gone = int(history.orders["customer_id"].iloc[0])
    exports.erase(settings, {"database_uuid": DATABASE, "erasures": [gone]})
    assert gone not in set(pd.read_parquet(only(settings) / "orders.parquet")["customer_id"])


def test_only_the_worker_may_read_them(settings, history):
    keep(settings, run(), history)
    assert stat.S_IMODE(only(settings).stat().st_mode) == 0o700


def test_who_objects_is_taken_out_of_every_table(settings, history):
    keep(settings, run(), history)
    folder = only(settings)
    customers = history.orders["customer_id"].value_counts().index
    gone, groups = int(customers[0]), history.customers["group_id"].dropna()
    group = int(groups[groups != history.customers.loc[groups.index, "customer_id"]].iloc[0])
    before = {path.name: len(pd.read_parquet(path)) for path in folder.glob("*.parquet")}
    exports.erase(settings, {"database_uuid": DATABASE, "erasures": []})
    assert before == {path.name: len(pd.read_parquet(path)) for path in folder.glob("*.parquet")}
    exports.erase(settings, {"database_uuid": DATABASE, "erasures": [gone, group]})
    orders = history.orders.loc[history.orders["customer_id"].isin([gone, group]), "order_id"]
    for path in folder.glob("*.parquet"):
        table = pd.read_parquet(path)
        for column in {"customer_id", "group_id"} & set(table):
            assert not table[column].isin([gone, group]).any(), path
        if "order_id" in table:
            assert not table["order_id"].isin(orders).any(), path
    left = history.lines["order_id"].isin(orders)
    assert len(pd.read_parquet(folder / "lines.parquet")) == (~left).sum() > 0
    scored = score(read_history(folder), AS_OF, Policy(RULES)).customers
    assert len(scored) == len(history.customers) - len({gone, group} & set(history.customers["customer_id"]))


def test_an_erasure_that_is_cut_off_is_done_again(settings, history, monkeypatch):
    keep(settings, run(), history)
    gone = int(history.orders["customer_id"].iloc[0])
    write = whole_file.write

    def killed(path, contents):
        if path.name == "orders.parquet":
            raise KeyboardInterrupt
        write(path, contents)

    monkeypatch.setattr(whole_file, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        exports.erase(settings, {"database_uuid": DATABASE, "erasures": [gone]})
    monkeypatch.undo()
    exports.erase(settings, {"database_uuid": DATABASE, "erasures": [gone]})
    for path in only(settings).glob("*.parquet"):
        table = pd.read_parquet(path)
        assert "customer_id" not in table or not table["customer_id"].eq(gone).any(), path


def test_a_stray_folder_is_no_export(settings, history):
    keep(settings, run(), history)
    only(settings).with_name(only(settings).name + ".bak").mkdir()
    keep(settings, run(), history)


def test_what_others_ordered_stays_though_it_has_the_id_of_an_invoice(settings, history):
    """Where sales are counted from invoices, ids of facts are those of sales orders all the same."""
    gone = int(history.orders["customer_id"].iloc[0])
    invoice = history.orders.loc[history.orders["customer_id"] == gone, "order_id"].iloc[0]
    facts = {name: table.copy() for name, table in history.facts.items()}
    of_others = facts["deliveries"]["customer_id"] != gone
    facts["deliveries"].loc[of_others, "order_id"] = invoice
    keep(settings, run(), replace(history, facts=facts))
    exports.erase(settings, {"database_uuid": DATABASE, "erasures": [gone]})
    left = pd.read_parquet(only(settings) / "deliveries.parquet")
    assert len(left) == of_others.sum() > 0
    assert not pd.read_parquet(only(settings) / "lines.parquet")["order_id"].eq(invoice).any()


def test_an_export_that_cannot_be_cleared_goes(settings, history):
    keep(settings, run(), history)
    (only(settings) / "customers.parquet").write_bytes(b"no parquet")
    exports.erase(settings, {"database_uuid": DATABASE, "erasures": [1]})
    assert folders(settings) == []


def test_a_folder_that_cannot_be_written_is_said_and_no_failure(settings, history, caplog):
    settings.state_directory.write_text("a file")
    keep(settings, run(), history)
    assert "is not kept" in caplog.text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ('{"key_share": 0.5}', "no list of rules"),
        ('[{"key": "key_share"}]', "no list of rules"),
        ('[{"key": "of_tomorrow", "value": 1}]', "no key"),
    ],
)
def test_a_policy_file_that_is_none(tmp_path, text, words):
    path = tmp_path / "policy.json"
    path.write_text(text)
    with pytest.raises(PolicyError, match=words):
        read_policy(path)
    with pytest.raises(PolicyError, match="No such file"):
        read_policy(tmp_path / "none.json")
