"""All labels together, on a simulated company."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from benchmarks import classification_truth
from simulator import World, simulate
from sync_worker.history.facts import FACTS, PREVIOUS
from sync_worker.policy import Policy
from sync_worker.scoring import classification
from sync_worker.scoring.explanation import render
from sync_worker.scoring.pipeline import score
from sync_worker.scoring.reasons import schema

AS_OF = "2026-06-30"
# Columns that rest on a dataset alone: without it nothing is known of them.
RESTS_ON = {
    "ratings": ["satisfaction", "attitude"],
    "order_details": ["preferred_channel"],
    "lines": ["share_of_customer", "replacement_due", "customisation"],
}


@pytest.fixture(scope="module")
def history():
    return simulate(World(seed=3, customers=250)).history


@pytest.fixture(scope="module")
def result(history):
    return score(history, AS_OF, Policy())


def previous(result):
    """What Odoo would tell the next run of this one."""
    return result.customers.reindex(columns=[*PREVIOUS]).assign(as_of=AS_OF)


def told(result):
    return {
        reason["code"]: reason for reasons in result.customers["reasons"] for reason in json.loads(reasons)
    }


def test_every_column_is_found_for_somebody(result):
    for name in classification.COLUMNS:
        assert result.customers[name].notna().any(), name


def test_evidence_of_every_topic_is_told_in_words(result):
    codes = schema()
    topics = {codes[code]["topic"] for code in told(result)}
    assert topics == {spec["topic"] for spec in codes.values()}
    for code, reason in told(result).items():
        assert set(reason["params"]) == set(codes[code]["params"])
        assert render(reason) != code


def test_what_is_true_of_a_simulated_company_is_found():
    shares = classification_truth.found(World(seed=11, customers=1000))
    assert shares["lost type: right"] >= 0.8 and shares["lost type: told"] >= 0.3
    assert shares["sudden change: found"] >= 0.9 and shares["sudden change: false alarms"] <= 0.05
    assert shares["value type: right"] >= 0.8 and shares["value type: told"] >= 0.3  # by chance one in nine
    assert shares["satisfaction: right"] >= 0.8


def test_prospects_have_none_of_it(result):
    prospects = result.customers[result.customers["order_days"].isna()]
    assert len(prospects) and prospects[[*classification.COLUMNS]].isna().all(axis=None)
    value, low, high = (prospects[f"expected_value{end}"] for end in ("", "_low", "_high"))
    assert (low <= value).all() and (value <= high).all() and value.nunique() > 1


@pytest.mark.parametrize("missing", [*FACTS, "lines", "products", "standing"])
def test_any_dataset_may_be_missing(history, result, missing):
    without = replace(
        history, facts={name: table for name, table in history.facts.items() if name != missing}
    )
    if missing in ("lines", "products"):
        without = replace(history, **{missing: None})
    if missing == "standing":
        without = replace(history, customers=history.customers[["customer_id", "format", "first_seen"]])
    found = score(without, AS_OF, Policy())
    assert found.customers["customer_id"].equals(result.customers["customer_id"])
    for name in RESTS_ON.get(missing, []):
        assert found.customers[name].isna().all(), name


def test_the_bridge_goes_from_the_last_run_to_this_one(history, result):
    before = previous(result)
    same = score(replace(history, previous=before), AS_OF, Policy()).summary["equity"]
    assert (
        same["opening"]
        == same["closing"]
        == pytest.approx(before["lifetime_value"].sum(), abs=0.01 * len(before))
    )
    assert same["customers"]["unchanged"] == result.customers["lifetime_value"].notna().sum()
    for nothing in (None, before.iloc[:0]):
        fresh = score(replace(history, previous=nothing), AS_OF, Policy()).summary["equity"]
        assert fresh["opening"] is None and fresh["closing"] == same["closing"]


def test_values_measured_otherwise_make_no_bridge(history, result):
    before = previous(result)
    assert set(before["value_basis"].dropna()) == {"margin"}
    revenue = replace(
        history, previous=before.assign(value_basis=before["value_basis"].replace("margin", "revenue"))
    )
    found = score(revenue, AS_OF, Policy())
    assert found.summary["equity"]["opening"] is None
    assert found.summary["equity"]["closing"] == result.summary["equity"]["closing"]
    assert [words for words in found.warnings if "measured in revenue" in words]
    assert not [words for words in result.warnings if "measured in" in words]


def test_of_a_company_that_lost_all_its_buyers_the_equity_is_lost(history, result):
    gone = replace(history, orders=history.orders.iloc[:0], lines=None, previous=previous(result))
    found = score(gone, AS_OF, Policy()).summary
    value, equity = result.summary["equity"]["closing"], found["equity"]
    assert (equity["opening"], equity["closing"]) == (value, 0) and found["basis"] == "margin"
    assert sum(equity[name] for name in ("acquired", "won_back", "growth", "decline")) == 0
    assert equity["lost"] == value and equity["customers"]["lost"] == result.summary["buyers"]
    never = score(replace(gone, previous=None), AS_OF, Policy()).summary
    assert never["equity"]["opening"] is None and never["equity"]["closing"] == 0
    assert never["basis"] == "revenue"


def test_equity_is_in_the_smallest_unit_of_the_currency(history):
    for decimals in (0, 3):
        found = score(history, AS_OF, Policy(), decimals=decimals)
        worth = found.customers["lifetime_value"].dropna().round(decimals).sum()
        assert found.summary["equity"]["closing"] == pytest.approx(worth, abs=10**-decimals / 2)


def test_what_is_lacking_to_expect_of_prospects_is_said(history, result):
    assert not {"leads", "won", "first_years"} & set(result.summary["lacks"])
    leads = history.facts["leads"]
    without = replace(history, facts=history.facts | {"leads": leads[leads["outcome"] == "pending"]})
    lacks = score(without, AS_OF, Policy()).summary["lacks"]
    assert {"leads", "won"} <= set(lacks) and len(lacks) == len(set(lacks))


def test_the_order_of_the_rows_does_not_matter(history, result):
    shuffled = replace(
        history,
        orders=history.orders.sample(frac=1, random_state=1),
        lines=history.lines.sample(frac=1, random_state=2),
        facts={name: table.sample(frac=1, random_state=3) for name, table in history.facts.items()},
    )
    found = score(shuffled, AS_OF, Policy()).customers
    pd.testing.assert_frame_equal(found, result.customers)
