"""Why labels change from run to run: the past was corrected, or the worker is of another release."""

from dataclasses import replace
from types import SimpleNamespace
from unittest.mock import Mock

import pandas as pd
import pyarrow.parquet as pq
import pytest
from causes_shop import AS_OF, fresh, shop
from test_run import DESCRIBED, Odoo, claimed, published

from sync_worker import comparison, exports, kept, last_run, serve
from sync_worker import run as runs
from sync_worker.history.columns import as_day
from sync_worker.scoring import churn, labelling, lost_type

LATER = "2026-07-02"
DATABASE = DESCRIBED["database_uuid"]
COLUMNS = {"partner_id": "integer", "churn_risk": "text", "lifecycle_stage": "text", "cause": "text"}


@pytest.fixture
def odoo(monkeypatch, tmp_path):
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setitem(DESCRIBED, "publish_columns", COLUMNS)
    odoo = Odoo()
    odoo.shop = shop()
    monkeypatch.setattr(runs, "connect", lambda _settings: odoo)
    monkeypatch.setattr(runs, "read_history", lambda *_args, **_options: fresh(odoo.shop))
    return odoo


SETTINGS = SimpleNamespace(
    worker="test:1",
    url="http://127.0.0.1",
    timeout=5.0,
    page_rows=1000,
    batch_rows=1000,
    poll_seconds=2.0,
    health_file=None,
    state_directory=None,
    kept_exports=2,
)


def run(odoo, number, last=None, as_of=LATER, **values):
    """What a run tells, by customer; its sentences are in `odoo.warnings`."""
    odoo.calls.clear()
    values = claimed("score", id=number, last_run=last, as_of=as_of) | values
    outcome = runs.work(SETTINGS, odoo, DESCRIBED, values, lambda *_shown: None)
    assert outcome.state == "done", outcome
    odoo.warnings = outcome.warnings
    return pd.DataFrame(published(odoo)).astype({"partner_id": "int64"}).set_index("partner_id")


def causes_of(found):
    """The customers of each cause but behaviour."""
    other = found[found["cause"] != "behaviour"]
    return {cause: sorted(rows.index) for cause, rows in other.groupby("cause")}


def change(history, row, **values):
    orders = history.orders.copy()
    for name, value in values.items():
        orders.loc[row, name] = value
    return replace(history, orders=orders)


def past_order(history):
    """The row of an order long before the runs, and its customer."""
    row = history.orders.index[history.orders["date"] < as_day("2026-05-01")][7]
    return row, int(history.orders.loc[row, "customer_id"])


def test_a_run_after_itself_tells_behaviour(odoo):
    assert causes_of(run(odoo, 3, as_of=AS_OF)) == {}
    assert comparison.NOT_KEPT not in odoo.warnings
    odoo.shop = replace(odoo.shop, orders=odoo.shop.orders.sample(frac=1, random_state=4))
    assert causes_of(run(odoo, 4, last=3)) == {}
    assert {comparison.NOT_KEPT, comparison.ANOTHER_RELEASE}.isdisjoint(odoo.warnings)


@pytest.mark.parametrize(
    "values",
    [{"amount": 1.0}, {"date": pd.Timestamp("2024-02-01")}, "cancelled", "backdated"],
    ids=lambda values: values if isinstance(values, str) else next(iter(values)),
)
def test_a_customer_whose_past_is_not_what_the_last_run_read_changed_by_the_data(odoo, values):
    run(odoo, 3, as_of=AS_OF)
    row, customer = past_order(odoo.shop)
    orders = odoo.shop.orders
    if values == "cancelled":
        odoo.shop = replace(odoo.shop, orders=orders.drop(index=row))
    elif values == "backdated":
        late = orders.loc[[row]].assign(order_id=9_000_001, date=pd.Timestamp("2026-03-03"))
        odoo.shop = replace(odoo.shop, orders=pd.concat([orders, late], ignore_index=True))
    else:
        odoo.shop = change(odoo.shop, row, **values)
    assert causes_of(run(odoo, 4, last=3)) == {"data": [customer]}
    assert causes_of(run(odoo, 5, last=4)) == {}  # it is what the last run read


@pytest.mark.parametrize(
    ("day", "settling", "cause"),
    [
        ("2026-06-29", None, "behaviour"),  # posted a day late
        ("2026-06-24", None, "behaviour"),
        ("2026-06-23", None, "data"),  # a week before the last run
        ("2026-03-31", None, "data"),
        ("2026-06-29", 1, "data"),
        ("2026-06-01", 30, "behaviour"),
        ("2026-05-31", 30, "data"),
    ],
)
def test_a_sale_that_is_entered_late_corrects_data_once_its_day_had_settled(odoo, day, settling, cause):
    rules = [{"key": "settling_days", "format_id": None, "value": settling}] if settling else []
    run(odoo, 3, as_of=AS_OF, policy={"rules": rules})
    _row, customer = past_order(odoo.shop)
    late = odoo.shop.orders.iloc[[0]].assign(order_id=9_000_001, customer_id=customer, date=pd.Timestamp(day))
    odoo.shop = replace(odoo.shop, orders=pd.concat([odoo.shop.orders, late], ignore_index=True))
    expected = {"data": [customer]} if cause == "data" else {}
    assert causes_of(run(odoo, 4, last=3, policy={"rules": rules})) == expected
    # it is what that run read; and a day that settles since is compared from the next one on
    assert causes_of(run(odoo, 5, last=4, policy={"rules": rules})) == {}


def test_a_sale_that_was_cancelled_after_its_day_had_settled_corrects_data(odoo):
    """Also where it was read within its days."""
    row = odoo.shop.orders.index[odoo.shop.orders["date"].between("2026-06-25", "2026-06-30")][0]
    customer = int(odoo.shop.orders.loc[row, "customer_id"])
    run(odoo, 3, as_of=AS_OF)
    run(odoo, 4, last=3, as_of="2026-07-10")
    odoo.shop = replace(odoo.shop, orders=odoo.shop.orders.drop(index=row))
    assert causes_of(run(odoo, 5, last=4, as_of="2026-07-11")) == {"data": [customer]}


def test_orders_since_are_behaviour_also_those_of_the_day_of_the_last_run(odoo):
    run(odoo, 3, as_of=AS_OF)
    _row, customer = past_order(odoo.shop)
    new = pd.DataFrame(
        {
            "order_id": [9_000_001, 9_000_002],
            "customer_id": customer,
            "date": [as_day(AS_OF), as_day(LATER)],
            "amount": 50.0,
        }
    )
    odoo.shop = replace(odoo.shop, orders=pd.concat([odoo.shop.orders, new], ignore_index=True))
    assert causes_of(run(odoo, 4, last=3)) == {}


def test_an_order_that_moved_to_another_customer_changes_both(odoo):
    run(odoo, 3, as_of=AS_OF)
    row, customer = past_order(odoo.shop)
    other = int(odoo.shop.customers["customer_id"][odoo.shop.customers["customer_id"] != customer].iloc[0])
    odoo.shop = change(odoo.shop, row, customer_id=other)
    assert causes_of(run(odoo, 4, last=3)) == {"data": sorted([customer, other])}


def test_a_run_that_failed_after_reading_leaves_the_one_before_to_compare_with(odoo):
    run(odoo, 3, as_of=AS_OF)
    row, customer = past_order(odoo.shop)
    odoo.shop = change(odoo.shop, row, amount=1.0)
    run(odoo, 4, last=3)  # as if its answer had been lost: Odoo knows nothing of it
    assert causes_of(run(odoo, 5, last=3)) == {"data": [customer]}


def test_sales_counted_from_something_else_are_the_policy_s_doing_and_no_correction(odoo):
    run(odoo, 3, as_of=AS_OF)
    odoo.shop = change(odoo.shop, past_order(odoo.shop)[0], amount=1.0)
    basis = [{"key": "sales_basis", "format_id": None, "value": 1}]
    found = run(odoo, 4, last=3, policy={"rules": basis}, compared_policy={"rules": []})
    assert set(found["cause"]) == {"policy"}
    assert causes_of(run(odoo, 5, last=4, policy={"rules": basis})) == {}


def test_who_objected_is_taken_out_of_what_is_kept(odoo, monkeypatch, tmp_path):
    run(odoo, 3, as_of=AS_OF)
    _row, customer = past_order(odoo.shop)
    monkeypatch.setitem(DESCRIBED, "erasures", [customer])
    last_run.erase(SETTINGS, DESCRIBED)
    left = last_run.load(SETTINGS, DATABASE, 1, 3).customers["customer_id"]
    assert len(left) == len(odoo.shop.customers) - 1 and customer not in set(left)
    # whose objection is withdrawn is new
    odoo.shop = change(odoo.shop, past_order(odoo.shop)[0], amount=1.0)
    monkeypatch.setitem(DESCRIBED, "erasures", [])
    assert causes_of(run(odoo, 4, last=3)) == {}


def test_a_worker_that_waits_forgets_whoever_objects(odoo, monkeypatch):
    run(odoo, 3, as_of=AS_OF)
    _row, customer = past_order(odoo.shop)
    described = DESCRIBED | {"erasures": [customer], "addon_version": "19.0"}
    monkeypatch.setattr(serve.handshake, "describe", lambda *_, **__: described)
    monkeypatch.setattr(serve, "_poll", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        serve.serve(SETTINGS, odoo, None, lambda *_: None)
    assert customer not in set(last_run.load(SETTINGS, DATABASE, 1, 3).customers["customer_id"])
    assert kept.load(SETTINGS, DATABASE, 1, 3) is None
    folder = exports.find(SETTINGS, DATABASE, 1, 3, AS_OF)
    assert customer not in set(pd.read_parquet(folder / "customers.parquet")["customer_id"])


# ------------------------------------------------------------ another release


def of_another_release(monkeypatch, name="of tomorrow"):
    monkeypatch.setattr(kept, "WRITER", (name, "1", "2", "3"))


def stricter(monkeypatch):
    """A release that calls more customers at risk: what it tells of the same data is another."""
    plain = churn.risk
    monkeypatch.setattr(
        labelling.churn,
        "risk",
        lambda given, medium, high, **options: plain(given, medium * 0.4, high * 0.4, **options),
    )


def test_what_a_release_alone_changes_is_the_model_s_doing(odoo, monkeypatch):
    first = run(odoo, 3, as_of=AS_OF)
    of_another_release(monkeypatch)
    assert causes_of(run(odoo, 4, last=3, as_of=AS_OF)) == {}
    stricter(monkeypatch)
    of_another_release(monkeypatch, "of the day after")
    row, customer = past_order(odoo.shop)
    odoo.shop = change(odoo.shop, row, amount=odoo.shop.orders.loc[row, "amount"] + 1)
    found = run(odoo, 5, last=4, as_of=AS_OF)
    moved = found.index[(found["churn_risk"] != first["churn_risk"]).to_numpy()]
    assert len(moved) > 3
    told = causes_of(found)
    assert set(told["model"]) - {customer} >= set(moved) - {customer} and told["data"] == [customer]
    assert causes_of(run(odoo, 6, last=5, as_of=AS_OF)) == {}


def test_types_that_a_release_alone_changes_are_the_model_s_doing(odoo, monkeypatch):
    monkeypatch.setitem(COLUMNS, "value_type", "text")
    monkeypatch.setitem(COLUMNS, "lost_type", "text")
    first = run(odoo, 3, as_of=AS_OF)
    of_another_release(monkeypatch)
    monkeypatch.setattr(lost_type, "LEAD_POINTS", dict.fromkeys(lost_type.TYPES, 0.0))
    found = run(odoo, 4, last=3, as_of=AS_OF)
    moved = found.index[(found["lost_type"] != first["lost_type"]).to_numpy()]
    assert len(moved)
    assert causes_of(found) == {"model": sorted(moved)}


def test_what_an_earlier_release_left_without_types_is_compared_by_the_labels_it_has(
    odoo, monkeypatch, tmp_path
):
    run(odoo, 3, as_of=AS_OF)
    (path,) = tmp_path.glob("runs/*/1/3.parquet")
    pq.write_table(pq.read_table(path).drop_columns([*labelling.TYPES]), path)
    of_another_release(monkeypatch)
    row, customer = past_order(odoo.shop)
    odoo.shop = change(odoo.shop, row, amount=1.0)
    assert causes_of(run(odoo, 4, last=3, as_of=AS_OF)) == {"data": [customer]}
    assert {comparison.NOT_KEPT, comparison.ANOTHER_RELEASE}.isdisjoint(odoo.warnings)


def test_without_the_export_of_the_last_run_a_release_is_not_judged(odoo, monkeypatch):
    monkeypatch.setattr(SETTINGS, "kept_exports", 0)
    run(odoo, 3, as_of=AS_OF)
    of_another_release(monkeypatch)
    stricter(monkeypatch)
    row, customer = past_order(odoo.shop)
    odoo.shop = change(odoo.shop, row, amount=1.0)
    assert causes_of(run(odoo, 4, last=3)) == {"data": [customer]}
    assert comparison.ANOTHER_RELEASE in odoo.warnings


@pytest.mark.parametrize("damage", ["orders.parquet", exports.POLICY])
def test_an_export_that_cannot_be_read_judges_no_release(odoo, monkeypatch, damage, tmp_path):
    run(odoo, 3, as_of=AS_OF)
    (path,) = tmp_path.glob(f"exports/*/1/*-run-3/{damage}")
    path.write_bytes(b"")
    of_another_release(monkeypatch)
    run(odoo, 4, last=3)
    assert comparison.ANOTHER_RELEASE in odoo.warnings


# -------------------------------------------------------------- what is kept


def test_the_files_are_the_worker_s_alone_and_of_the_last_runs(odoo, tmp_path):
    for number, last in ((3, None), (4, 3), (6, 4)):
        run(odoo, number, last=last, as_of=AS_OF)
    files = sorted(tmp_path.glob("runs/*/1/*"))
    assert [path.name for path in files] == ["4.parquet", "6.parquet"]
    assert {path.stat().st_mode & 0o077 for path in (*files, files[0].parent)} == {0}


def test_where_nothing_is_kept_the_run_says_so(odoo, tmp_path, caplog):
    run(odoo, 4, last=3, as_of=AS_OF)
    assert comparison.NOT_KEPT in odoo.warnings
    (path,) = tmp_path.glob("runs/*/1/4.parquet")
    for damage in (b"", b"PAR1 no", path.read_bytes()[:500]):
        path.write_bytes(damage)
        assert last_run.load(SETTINGS, DATABASE, 1, 4) is None
    last_run.erase(SETTINGS, DESCRIBED | {"erasures": [1]})
    assert not path.exists()  # what cannot be read cannot be cleared
    path.parent.rmdir()
    path.parent.write_text("no folder")
    run(odoo, 5, last=4, as_of=AS_OF)
    assert comparison.NOT_KEPT in odoo.warnings and "nothing is kept of run 5" in caplog.text


def test_a_company_without_a_sale_leaves_what_the_next_run_needs(odoo, monkeypatch):
    odoo.shop = replace(odoo.shop, orders=odoo.shop.orders.iloc[:0], lines=None, facts={})
    run(odoo, 3, as_of=AS_OF)
    kept_of = last_run.load(SETTINGS, DATABASE, 1, 3)
    assert kept_of.about.tier is None and (kept_of.customers["sales"] == 0).all()
    of_another_release(monkeypatch)
    run(odoo, 4, last=3)
    assert {comparison.NOT_KEPT, comparison.ANOTHER_RELEASE}.isdisjoint(odoo.warnings)
