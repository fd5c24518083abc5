"""Month-ends that are made up: what history, snapshots and labels hold is what runs of those days would have left."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from odoo_site import OdooSite, Worker, wait_until

from sync_worker.months import month_ends

LABELS = ("value_class", "value_segment", "loyalty_stage", "lifecycle_stage", "churn_risk")
VALUES = ("churn_probability", "current_value", "potential_value", "lifetime_value")
pytestmark = pytest.mark.timeout(600)  # many runs each, beside other work
#: Labels in which a customer may still be held where the last run saw it.
REMEMBERING = {"value_class", "value_segment", "lifecycle_stage", "churn_risk"}


@pytest.fixture
def months(odoo: OdooSite) -> list[date]:
    today = odoo.value("SELECT (now() AT TIME ZONE 'Europe/Paris')::date")
    return month_ends(today, 3)


@pytest.fixture
def no_memory(odoo: OdooSite) -> Iterator[None]:
    """A policy by which no label of the run before counts."""
    rules = [{"key": f"hysteresis_{kind}", "value": 0} for kind in ("value", "probability")]
    versions, main = "crm.value.policy.version", odoo.seed["main"]
    active = odoo.sql(
        "SELECT id FROM crm_value_policy_version WHERE company_id = %s AND state = 'active'", [main]
    )
    [version] = odoo.call(
        versions, "create", vals_list=[{"company_id": main, "rule_ids": [[0, 0, rule] for rule in rules]}]
    )
    odoo.call(versions, "action_activate", ids=[version])
    yield
    odoo.reset()
    odoo.sql("DELETE FROM crm_value_policy_version WHERE id = %s", [version])
    for (former,) in active:
        odoo.sql("UPDATE crm_value_policy_version SET state = 'active' WHERE id = %s", [former])


def main_company(odoo: OdooSite) -> list[str]:
    return ["--company", str(odoo.seed["main"])]


def labels_now(odoo: OdooSite) -> pd.DataFrame:
    columns = ", ".join(f"computed_{label}" for label in LABELS)
    rows = odoo.sql(f"SELECT partner_id, {columns} FROM crm_value_profile ORDER BY partner_id")
    return pd.DataFrame(rows, columns=["customer_id", *LABELS]).set_index("customer_id")


def snapshot(odoo: OdooSite, day: date) -> pd.DataFrame:
    names = [*LABELS, *VALUES]
    rows = odoo.sql(
        f"SELECT partner_id, {', '.join(names)} FROM crm_value_snapshot WHERE date = %s ORDER BY partner_id",
        [day],
    )
    return pd.DataFrame(rows, columns=["customer_id", *names]).set_index("customer_id")


def states(odoo: OdooSite, day: date) -> pd.DataFrame:
    rows = odoo.sql(
        f"SELECT partner_id, {', '.join(LABELS)} FROM crm_value_history WHERE valid_from <= %s"
        " AND (valid_to IS NULL OR valid_to > %s) ORDER BY partner_id",
        [day, day],
    )
    return pd.DataFrame(rows, columns=["customer_id", *LABELS]).set_index("customer_id")


def score_cut(worker: Worker, export: Path, day: date) -> pd.DataFrame:
    """Scores of what a run read, once all that is of later days is cut off."""
    cut = worker.folder / f"cut-{day}"
    cut.mkdir()
    orders = pd.read_parquet(export / "orders.parquet")
    orders = orders[pd.to_datetime(orders["date"]) <= pd.Timestamp(day)]
    for path in export.glob("*.parquet"):
        table = pd.read_parquet(path)
        if path.stem == "orders":
            table = orders
        elif path.stem == "lines":
            table = table[table["order_id"].isin(orders["order_id"])]
        elif "known" in table:
            table = table[pd.to_datetime(table["known"]) <= pd.Timestamp(day)]
        table.to_parquet(cut / path.name)
    out = worker.folder / f"{day}.parquet"
    policy = str(export / "policy.json")
    done = worker.run("score", str(cut), "--policy", policy, "--as-of", str(day), "--out", str(out))
    assert done.code == 0, done
    return pd.read_parquet(out).set_index("customer_id")


def the_export(worker: Worker) -> Path:
    (folder,) = (worker.folder / "state").glob("exports/*/*/*-run-*")
    return folder


def same(told: pd.DataFrame, other: pd.DataFrame, names: Any) -> None:
    assert list(told.index) == list(other.index)
    for name in names:
        both = pd.DataFrame({"told": told[name], "other": other[name]}).astype(object)
        both = both.where(both.notna(), None)
        if name == "churn_risk":  # withheld from Odoo where the forecast shows no skill
            both = both[both["told"].notna()]
        assert both["told"].equals(both["other"]), f"{name}\n{both[both['told'] != both['other']]}"


def test_month_ends_are_those_of_runs_of_the_time(
    worker: Worker, odoo: OdooSite, months: list[date], no_memory: None
) -> None:
    # A single run, whose export the test cuts by itself; then the same company as if never scored.
    worker.settings["kept_exports"] = 1
    assert worker.run("run", *main_company(odoo)).code == 0
    single = labels_now(odoo)
    cuts = {day: score_cut(worker, the_export(worker), day) for day in (months[0], months[-1])}
    odoo.reset()

    done = worker.run("run", "--month-ends", "3", "--json", *main_company(odoo))
    assert done.code == 0, done
    today = odoo.value("SELECT max(as_of) FROM crm_value_run")
    assert [run["as_of"] for run in done.json["runs"]] == [*map(str, months), str(today)]
    assert {run["state"] for run in done.json["runs"]} == {"done"}
    assert [day for (day,) in odoo.sql("SELECT DISTINCT date FROM crm_value_snapshot ORDER BY 1")] == months
    for day, cut in cuts.items():
        kept = snapshot(odoo, day)
        same(kept, cut, LABELS)
        same(states(odoo, day), kept, LABELS)
        for name in VALUES:
            told = kept[name].astype(float)
            assert (told - cut[name].astype(float)[told.notna()]).abs().max() < 0.006, name
    assert labels_now(odoo).equals(single)
    same(states(odoo, today), single, LABELS)


def test_only_memory_tells_the_last_day_from_a_single_run(
    worker: Worker, odoo: OdooSite, months: list[date]
) -> None:
    assert worker.run("run", *main_company(odoo)).code == 0
    single = labels_now(odoo)
    odoo.reset()
    assert worker.run("run", "--month-ends", "3", *main_company(odoo)).code == 0
    now = labels_now(odoo)
    assert list(now.index) == list(single.index)
    differing = {label: (now[label].fillna("") != single[label].fillna("")).mean() for label in LABELS}
    assert {label for label, share in differing.items() if share} <= REMEMBERING
    assert max(differing.values()) < 0.15, differing


def test_it_goes_on_where_it_was_killed(worker: Worker, odoo: OdooSite, months: list[date]) -> None:
    process = worker.start("run", "--month-ends", "3", *main_company(odoo))
    done = "SELECT count(*) FROM crm_value_run WHERE state = 'done'"
    wait_until(
        lambda: odoo.value(done) >= 1 and odoo.run_row()["state"] == "running", 90, "no second run began"
    )
    process.kill()
    process.communicate()
    finished = odoo.value(done)
    past = "now() AT TIME ZONE 'UTC' - interval '1 minute'"
    odoo.sql(f"UPDATE crm_value_run SET lease_until = {past} WHERE state = 'running'")
    again = worker.run("run", "--month-ends", "3", "--json", *main_company(odoo))
    assert again.code == 0, again
    assert [run["as_of"] for run in again.json["runs"]][:-1] == [str(day) for day in months[finished:]]
    assert [day for (day,) in odoo.sql("SELECT DISTINCT date FROM crm_value_snapshot ORDER BY 1")] == months
    overlapping = odoo.value(
        "SELECT count(*) FROM crm_value_history one JOIN crm_value_history other"
        " ON other.partner_id = one.partner_id AND other.company_id = one.company_id AND other.id > one.id"
        " AND daterange(one.valid_from, one.valid_to) && daterange(other.valid_from, other.valid_to)"
    )
    assert overlapping == 0


def test_a_company_scored_since_is_refused_in_one_sentence(
    either: Worker, odoo: OdooSite, months: list[date]
) -> None:
    never = either.run("check")
    assert "Main Company was never scored" in never.out, never
    assert either.run("run", *main_company(odoo)).code == 0
    assert "never scored" not in either.run("check").out.split("Empty Company")[0]
    before = odoo.sql("SELECT id, valid_from FROM crm_value_history ORDER BY id")
    late = either.run("run", "--month-ends", "2", *main_company(odoo))
    assert late.code == 2, late
    assert "month-ends before that cannot be made up" in late.err
    behind = either.run("run", "--as-of", str(months[0]), *main_company(odoo))
    assert behind.code == 2, behind
    assert "is only written forward" in behind.err and "Traceback" not in behind.err
    assert odoo.sql("SELECT id, valid_from FROM crm_value_history ORDER BY id") == before
    assert odoo.run_row()["state"] == "done", "nothing was left behind"
