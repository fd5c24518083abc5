"""Labels of a customer at a border: kept while noise plays about it, given up when it is passed."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import AS_OF, crowd, history_of, orders_of
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from memories import (
    BY_VALUE,
    FOUND,
    OFF,
    POLICY,
    WIDE,
    among,
    before,
    company,
    policies,
    previous,
    remember,
    run,
    seeds,
)
from test_labels import TODAY, buyers, classify, rule

from sync_worker.history.facts import PREVIOUS, empty
from sync_worker.policy import Policy
from sync_worker.scoring import churn, memory, next_class, value_class
from sync_worker.scoring.explanation import render
from sync_worker.scoring.peers import Peers, entry_to_smallest_set, smallest_set
from sync_worker.scoring.pipeline import score

values = st.lists(st.integers(-5, 40), min_size=1, max_size=25)
shares = st.sampled_from([0.5, 0.6, 0.8, 0.83, 0.95])


# ------------------------------------------------------------------ the border


@settings(max_examples=200)
@given(values, shares)
@example([10, 10, 10, 10], 0.5)
@example([4, 4, 1, 4, 1], 0.8)
@example([0, 0], 0.5)
@example([5], 0.8)
def test_the_border_is_where_a_customer_alone_would_enter_or_leave(given_values, share):
    values = np.array(given_values, dtype=float)
    border = entry_to_smallest_set(values, share)
    for row in range(len(values)):
        for off, enters in ((1e-3, True), (-1e-3, False)):
            moved = values.copy()
            moved[row] = border[row] + off
            if moved[row] <= 0:
                continue
            assert smallest_set(moved, share)[row] == enters, (row, border[row])
        other = values.copy()
        other[row] = 17.5
        assert entry_to_smallest_set(other, share)[row] == pytest.approx(border[row], abs=1e-9)
    assert entry_to_smallest_set(values * 160, share) == pytest.approx(border * 160)


def test_a_border_by_hand():
    # others of the first: 50 in total, 30 above: 30 < 0.8 (50 + w) always, so it enters from 0 on as the second? two
    # above it carry 40 < 0.8 (50 + w) from w = 0 on too, and all three from w = 12.5: more than the third, 10
    assert entry_to_smallest_set(np.array([60.0, 30, 10, 10]), 0.8)[0] == pytest.approx(10)
    assert entry_to_smallest_set(np.array([60.0, 30, 10, 10]), 0.5)[0] == pytest.approx(10)
    assert entry_to_smallest_set(np.array([60.0, 30]), 0.8) == pytest.approx([7.5, 15])


# ----------------------------------------------------------------- value class


def test_a_key_customer_stays_so_just_below_the_border_and_another_becomes_none_just_above():
    table = buyers(current_value=[100.0, 57.0, 20.0])
    of = lambda value, label: run(  # noqa: E731
        table.assign(current_value=[100.0, value, 20.0]), BY_VALUE, before(label, n=3)
    ).loc[1, "value_class"]
    for value, key in ((53.9, False), (54.1, True), (59.9, True), (60.1, True), (66.1, True)):
        assert (of(value, "key") == "key") == key, value
    for value, key in ((54.1, False), (60.1, False), (65.9, False), (66.1, True)):
        assert (of(value, "standard") == "key") == key, value
    for value, key in ((59.9, False), (60.0, True)):
        assert (of(value, None) == "key") == key, value


def test_each_condition_of_growth_has_to_be_passed_by_the_margin():
    base = {"current_value": [1000.0, 40, 40, 40, 40], "potential_value": [3000.0, 100, 100, 100, 100]}
    table = buyers(
        **base,
        next_value=[0.0, 41, 60, 60, 60],
        current_revenue=[1000.0, 40, 40, 40, 40],
        loyalty_stage="loyalty",
    )
    labels = lambda label, **changed: run(  # noqa: E731
        table.assign(**changed), among(POLICY).replace(), before(label, n=5)
    ).loc[1, "value_class"]
    assert labels(None) == "growth"
    policy = POLICY
    for label, expected in (
        (None, "growth"),
        ("growth", "growth"),
        ("standard", "standard"),
        ("key", "growth"),
    ):
        assert run(table, policy, before(label, n=5)).loc[1, "value_class"] == expected
    shrinking = table.assign(next_value=[0.0, 37, 60, 60, 60])
    for label, expected in ((None, "standard"), ("growth", "growth"), ("standard", "standard")):
        assert run(shrinking, policy, before(label, n=5)).loc[1, "value_class"] == expected
    gone = table.assign(next_value=[0.0, 35, 60, 60, 60])
    assert run(gone, policy, before("growth", n=5)).loc[1, "value_class"] == "standard"
    dormant = table.assign(lifecycle_stage="dormant")
    assert run(dormant, policy, before("growth", n=5)).loc[1, "value_class"] == "standard"


def test_a_net_value_about_nothing_neither_makes_nor_ends_a_burden_or_a_loss():
    rates = np.array([0.0, 0.2, 0.2, 0.2, 0.2])  # usual: 20, so that 2 of 100 is noise
    table = buyers(
        current_value=[900.0, 30, 30, 30, 10],
        current_revenue=[900.0, 100, 100, 100, 100],
        known_revenue=[900.0, 100, 100, 100, 100],
        potential_value=[0.0, 9, 9, 9, 1],
        next_value=0.0,
    )

    def of(row, rate, labels):
        margin = np.where(np.arange(5) == row, rate, rates + 0.01) * table["known_revenue"]
        return run(table.assign(known_margin=margin), POLICY, labels).loc[row, FOUND].tolist()

    for rate, was, now in (
        (-0.01, False, False),
        (-0.03, False, True),
        (0.01, True, True),
        (0.03, True, False),
    ):
        assert of(0, rate, before("key", was, n=5)) == ["key", now], rate
    assert of(0, -0.01, before(None, None, n=5)) == ["key", True]
    for rate, was, now in (
        (-0.01, "standard", "standard"),
        (-0.03, "standard", "unprofitable"),
        (0.01, "unprofitable", "unprofitable"),
        (0.03, "unprofitable", "standard"),
        (-0.01, None, "unprofitable"),
    ):
        assert of(4, rate, before(was, n=5))[0] == now, (rate, was)


@settings(max_examples=40)
@given(seeds, policies)
def test_classing_again_with_the_result_changes_nothing(seed, policy):
    table, labels = company(seed)
    once = run(table, among(policy), labels)
    again = run(table, among(policy), remember(once))
    assert once[FOUND].astype(object).equals(again[FOUND].astype(object))


@settings(max_examples=20)
@given(seeds)
def test_without_a_margin_or_a_memory_the_rule_alone_decides(seed):
    table, labels = company(seed)
    plain = classify(table, among(POLICY))
    assert run(table, among(OFF), labels)[FOUND].astype(object).equals(plain[FOUND].astype(object))
    none = labels.assign(value_class=None, burden=None)
    assert run(table, among(POLICY), none)[FOUND].astype(object).equals(plain[FOUND].astype(object))
    kept = run(table, among(POLICY), labels)
    assert kept["class_by_rule"].tolist() == plain["value_class"].tolist()
    assert set(kept["value_class"]) <= set(value_class.CLASSES) and kept["value_class"].notna().all()
    assert not (kept["burden"] & (kept["value_class"] != "key")).any()


@settings(max_examples=20)
@given(seeds, policies, st.randoms(use_true_random=False))
def test_rows_and_the_currency_do_not_matter(seed, policy, random):
    table, labels = company(seed)
    found = run(table, among(policy), labels)
    order = random.sample(range(len(table)), len(table))
    mixed = run(
        table.iloc[order].reset_index(drop=True), among(policy), labels.iloc[order].reset_index(drop=True)
    )
    for name in FOUND:
        assert mixed[name].tolist() == found[name].iloc[order].tolist()
    money = ["current_value", "potential_value", "current_revenue", "potential_revenue", "next_value"]
    scaled = table.assign(**{name: table[name] * 160 for name in [*money, "known_margin", "known_revenue"]})
    dearer = Policy(
        [
            r | {"value": r["value"] * 160} if r["key"] == "key_value_minimum" else r
            for r in among(policy).rules
        ],
        4,
    )
    assert run(scaled, dearer, labels)[FOUND].astype(object).equals(found[FOUND].astype(object))


@settings(max_examples=40)
@given(seeds, policies, st.integers(0, 39), st.floats(0.01, 500))
def test_more_value_never_costs_a_customer_the_class_key(seed, policy, row, more):
    table, labels = company(seed)
    raised = table.assign(current_value=table["current_value"] + more * (np.arange(len(table)) == row))
    was, now = (run(each, among(policy), labels)["value_class"] == "key" for each in (table, raised))
    assert now[row] >= was[row]


@settings(max_examples=40)
@given(seeds, policies, st.integers(0, 39), st.lists(st.floats(0.001, 0.999), min_size=2, max_size=8))
def test_noise_within_the_margin_never_changes_who_is_key(seed, policy, row, path):
    table, _ = company(seed)
    policy = among(policy)
    table["known_margin"] = np.nan  # the way of a burden is another condition
    border = value_class.key_border(
        value_class.worth(table), table["format"], Peers(table["format"], policy), policy
    )
    assume(border[row] > 1)
    noise = policy.value("hysteresis_value")
    for first in ("key", "standard"):
        labels, found = before(first, n=len(table)), []
        for at in path:
            value = border[row] * (1 - noise + 2 * noise * at)
            moved = table.assign(
                current_value=np.where(np.arange(len(table)) == row, 0, table["current_value"])
            )
            moved.loc[row, "potential_value"] = value
            result = run(moved, policy, labels)
            labels = remember(result)
            found.append(result.loc[row, "value_class"] == "key")
        assert set(found) == {first == "key"}


# ------------------------------------------------------------ what is recalled


def test_labels_are_recalled_of_the_same_version_only():
    customers = pd.Series([7, 8, 9, 10])
    told = previous(
        customer_id=[10, 8, 9],
        policy_version_id=pd.array([4, 3, None], "Int64"),
        value_class=["growth", "key", "key"],
    )
    found = memory.recall(told, customers, POLICY, TODAY)
    assert found.loc[3, ["value_class", "burden", "churn_risk"]].tolist() == ["growth", False, "high"]
    assert found[:3].isna().all(axis=None)
    assert memory.recall(told, customers, POLICY, TODAY - 2).isna().all(axis=None)  # it is of a later day
    for policy in (Policy(), POLICY.replace(key_share=0.9)):  # one that nobody keeps, one that was altered
        assert memory.recall(told, customers, policy, TODAY).isna().all(axis=None) and not memory.kept(
            told, policy
        )
    for nothing in (None, empty(PREVIOUS)):
        assert memory.recall(nothing, customers, POLICY, TODAY).isna().all(axis=None)
    assert memory.kept(empty(PREVIOUS), POLICY) and not memory.kept(None, POLICY)
    prospect = previous(customer_id=[8], value_class=[None], churn_risk=[None])
    assert memory.recall(prospect, customers, POLICY, TODAY).isna().all(axis=None)


# ------------------------------------------------- what would change the label


@settings(max_examples=20)
@given(seeds, policies)
def test_the_gap_to_key_is_true_of_the_next_run(seed, policy):
    table, labels = company(seed)
    policy = among(policy)
    table = table.assign(silence=50.0, known_margin=np.nan)
    found = run(table, policy, labels)
    table[found.columns] = found
    peers = Peers(table["format"], policy)
    told = next_class.classify(table, peers, policy, remembered=True)
    assert (np.isnan(told.gap) == (table["value_class"] == "key")).all()
    for row in np.flatnonzero(~np.isnan(told.gap))[:6]:
        for more, key in ((np.ceil(told.gap[row]), True), (told.gap[row] - 0.01, False)):
            raised = table.assign(
                current_value=table["current_value"] + more * (np.arange(len(table)) == row)
            )
            assert (run(raised, policy, remember(found)).loc[row, "value_class"] == "key") == key
    below = ~table["value_class"].isin(["key", "growth"])
    assert (told.lacks.any(axis=1) == below).all()


def test_needed_figures_are_those_beyond_the_margin():
    table = buyers(
        current_value=[1000.0, 40, 40, 40],
        current_revenue=[1000.0, 40, 40, 40],
        potential_value=[3000.0, 200, 100, 100],
        next_value=[500.0, 41, 60, 60],
        loyalty_stage="loyalty",
    ).assign(silence=50.0)
    found = run(table, POLICY, before("standard", n=4))
    table[found.columns] = found
    told = {
        e.code: e
        for e in next_class.classify(table, Peers(table["format"], POLICY), POLICY, remembered=True).evidence
    }
    lacking = told["growth_lacks_expectation"]
    assert lacking.holds.tolist() == [False, True, False, False]
    assert [lacking.params[name][1] for name in ("percent", "needed")] == [102, 110]
    assert told["growth_lacks_index"].params["needed"][1] == 55


# ------------------------------------------------------------------- in a run


@pytest.fixture(scope="module")
def shop():
    return history_of(crowd(200, seed=5), orders_of(1, [300, 200, 100, 9], 900.0))


def lived(result, version=4, **columns):
    """What Odoo would tell the next run of this one."""
    names = [name for name in PREVIOUS if name in result.customers]
    told = result.customers[names].assign(policy_version_id=version, as_of=AS_OF, **columns)
    return told.reindex(columns=[*PREVIOUS])


def test_a_run_after_itself_changes_no_label_and_says_what_memory_decided(shop):
    history = replace(shop, previous=empty(PREVIOUS))
    first = score(history, AS_OF, WIDE)
    labels = ["value_class", "churn_risk", "value_segment", "burden", "lifecycle_stage", "loyalty_stage"]
    again = score(replace(shop, previous=lived(first)), AS_OF, WIDE)
    assert again.customers[labels].equals(first.customers[labels])

    table = lived(first)
    seen = set()
    for changed in (
        {"value_class": "key"},
        {"value_class": "standard"},
        {"value_class": "growth", "churn_risk": "low"},
        {"value_class": "unprofitable", "churn_risk": "high"},
        {"churn_risk": "medium"},
    ):
        told = table.assign(**changed)
        found = score(replace(shop, previous=told), AS_OF, WIDE).customers
        for number, reasons in enumerate(found["reasons"]):
            by_code = {each["code"]: each for each in json.loads(reasons)}
            of_value = {"stays_key", "not_yet_key", "class_near_border"} & set(by_code)
            of_risk = {f"risk_counts_{name}" for name in churn.RISKS} & set(by_code)
            same = found.loc[number, labels].equals(first.customers.loc[number, labels])
            assert of_value or of_risk or same
            differs = found.loc[number, "value_class"] != first.customers.loc[number, "value_class"]
            assert bool(of_value) == bool(differs)
            differs = found.loc[number, "churn_risk"] != first.customers.loc[number, "churn_risk"]
            assert of_risk == ({f"risk_counts_{found.loc[number, 'churn_risk']}"} if differs else set())
            for code in of_value | of_risk:
                assert "%" in render(by_code[code])
                params = by_code[code]["params"]
                assert 0 < params.get("percent", 1) <= params.get("noise", 100)
            seen |= of_value | of_risk
        other = score(replace(shop, previous=told.assign(policy_version_id=3)), AS_OF, WIDE).customers
        assert other[labels].equals(first.customers[labels])
    assert {"stays_key", "not_yet_key", "class_near_border", "risk_counts_low", "risk_counts_high"} <= seen


def test_a_risk_that_is_withheld_is_not_told_by_a_reason(shop):
    told = lived(score(shop, AS_OF, POLICY), churn_risk="low")
    worst = Policy([*POLICY.rules, rule("withheld_grades", 3)], version=4)
    found = score(replace(shop, previous=told), AS_OF, worst, withhold=True).customers
    hidden = found["churn_withheld"]
    assert not found.loc[hidden, "reasons"].str.contains("risk_counts_").any()
