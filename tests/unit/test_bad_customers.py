"""Odd customers among ordinary ones: a defined result for each, and the run goes on for all others."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from simulator import World, simulate
from sync_worker.history.facts import PREVIOUS
from sync_worker.policy import Policy
from sync_worker.scoring.pipeline import LABELS_OF_PROSPECTS, score

AS_OF = "2026-06-30"
NUMBERS = ["churn_probability", "p_alive", "expected_orders", "expected_value", "lifetime_value"]


@pytest.fixture(scope="module")
def history():
    return simulate(World(seed=3, customers=160)).history


@pytest.fixture(scope="module")
def result(history):
    return scored(history)


def scored(history, policy=None):
    """The scores by customer, warnings being errors."""
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        return score(history, AS_OF, policy or Policy()).customers.set_index("customer_id")


def complete(found, result):
    """Everybody has a row and every buyer its numbers and labels."""
    assert found.index.equals(result.index)
    buyers = found[found["lifecycle_stage"] != "selection"]
    assert np.isfinite(buyers[NUMBERS].to_numpy(float)).all()
    assert buyers[["value_class", "value_segment", "loyalty_stage", "churn_risk"]].notna().all(axis=None)
    return found


def largest(result):
    """The customer of most current value."""
    return result["current_value"].idxmax()


def with_orders(history, changed):
    """The history with orders that `changed` (a function of the table of orders) gives."""
    return replace(history, orders=changed(history.orders.copy()))


def test_a_format_without_customers_changes_nothing(history, result):
    rules = [
        {"key": key, "format_id": "nobody", "value": value}
        for key, value in (("churn_horizon_days", 30), ("key_share", 0.5), ("lost_days", 400))
    ]
    pd.testing.assert_frame_equal(scored(history, Policy(rules)), result)


def test_who_moved_to_another_format_has_its_peers_and_its_rules_and_the_bridge_closes(history, result):
    who = largest(result)
    customers = history.customers.copy()
    before = customers.loc[customers["customer_id"] == who, "format"].iloc[0]
    other = next(each for each in customers["format"].dropna().unique() if each != before)
    customers.loc[customers["customer_id"] == who, "format"] = other
    previous = result.reset_index().reindex(columns=[*PREVIOUS]).assign(as_of=AS_OF)
    moved = replace(history, customers=customers, previous=previous)
    policy = Policy([{"key": "key_share", "format_id": other, "value": 0.95}])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = score(moved, AS_OF, policy)
    table = complete(found.customers.set_index("customer_id"), result)
    assert table.loc[who, "business_format"] == other and result.loc[who, "business_format"] == before
    assert table.loc[who, "order_days"] == result.loc[who, "order_days"]
    equity = found.summary["equity"]
    changes = sum(equity[name] for name in ("acquired", "won_back", "growth"))
    changes -= equity["decline"] + equity["lost"]
    assert equity["opening"] + changes == pytest.approx(equity["closing"], abs=0.01)


def test_who_only_returns_is_a_prospect_and_moves_nobody(history, result):
    who = result["order_days"].idxmin()
    found = complete(
        scored(
            with_orders(
                history,
                lambda o: o.assign(
                    amount=np.where(o["customer_id"] == who, -o["amount"].abs(), o["amount"]),
                    margin=np.where(o["customer_id"] == who, np.nan, o["margin"]),
                ),
            )
        ),
        result,
    )
    assert {name: found.loc[who, name] for name in LABELS_OF_PROSPECTS} == LABELS_OF_PROSPECTS
    assert pd.isna(found.loc[who, "value_class"]) and pd.isna(found.loc[who, "lifetime_value"])
    facts = ["order_days", "last_order_date", "historical_value", "current_value"]
    pd.testing.assert_frame_equal(found[facts].drop(who), result[facts].drop(who))


def test_negative_margins_are_a_burden_if_large_and_no_gap_for_anybody(history, result):
    who = largest(result)
    at_a_loss = with_orders(
        history,
        lambda o: o.assign(margin=np.where(o["customer_id"] == who, -o["amount"].abs() / 20, o["margin"])),
    )
    found = complete(scored(at_a_loss), result)
    assert found.loc[who, "current_value"] < 0 and found.loc[who, "net_value"] < 0
    assert bool(found.loc[who, "burden"]) and found.loc[who, "value_class"] == "key"
    everyone = complete(
        scored(with_orders(history, lambda o: o.assign(margin=-o["amount"].abs() / 20))), result
    )
    assert (everyone["current_value"].dropna() <= 0).all()
    assert (everyone["value_class"] != "growth").all()


def test_products_without_a_category_or_a_price_say_nothing_and_stop_nothing(history, result):
    no_category = history.lines.assign(category=None)
    found = complete(scored(replace(history, lines=no_category)), result)
    assert found["share_of_customer"].isna().all() and found["replacement_due"].isna().all()
    free = history.lines.assign(amount=0.0)
    found = complete(scored(replace(history, lines=free)), result)
    assert set(found["value_type"].dropna()) <= {"undetermined"}
    some = history.lines.copy()
    some.loc[some.index % 3 == 0, ["category", "amount"]] = [None, 0.0]
    some.loc[some.index % 5 == 0, "quantity"] = 0.0
    found = complete(scored(replace(history, lines=some)), result)
    assert found["recommendations"].notna().any()
    pd.testing.assert_series_equal(found["order_days"], result["order_days"])


def test_who_is_archived_is_scored_and_its_archiving_is_weak_evidence(history, result):
    customers = history.customers.assign(archived=True)
    found = complete(scored(replace(history, customers=customers)), result)
    pd.testing.assert_series_equal(found["value_class"], result["value_class"])
    lost = found["lifecycle_stage"] == "lost"
    told = found.loc[lost, "reasons"].str.contains('"lost_archived"')
    assert lost.any() and told.any()
    was = result.loc[lost, "lost_type"] == "undetermined"
    assert (found.loc[lost, "lost_type"][was] == "undetermined").mean() > 0.9


def test_branches_are_customers_each_and_roll_up_into_one_group(history, result):
    first, second = result["current_value"].nlargest(2).index
    customers = history.customers.copy()
    customers["group_id"] = customers["customer_id"]
    alone = score(replace(history, customers=customers), AS_OF, Policy()).summary["concentration"]
    customers.loc[customers["customer_id"].isin([first, second]), "group_id"] = first
    found = score(replace(history, customers=customers), AS_OF, Policy())
    table = complete(found.customers.set_index("customer_id"), result)
    pd.testing.assert_series_equal(table["value_class"], result["value_class"])
    together = found.summary["concentration"]
    assert together["customers"]["top_1"] == alone["customers"]["top_1"]
    both = alone["customers"]["top_5"]
    assert alone["customers"]["top_1"] < together["groups"]["top_1"] <= both
