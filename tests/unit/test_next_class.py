"""What is missing to the next class, beside trying it out."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_labels import buyers, classify, rule

from sync_worker.policy import Policy
from sync_worker.scoring import next_class
from sync_worker.scoring.peers import Peers, smallest_set

POLICY = Policy()


def lacking(table, policy=POLICY):
    """The result for a table that was classified first."""
    table = table.assign(silence=50.0)
    labels = classify(table, policy)
    table[labels.columns] = labels
    return next_class.classify(table, Peers(table["format"], policy), policy), table


def key_with(table, row, more, policy):
    """Whether the customer would be key with so much more current value, all others as they are."""
    raised = table.assign(current_value=table["current_value"].astype(float))
    raised.loc[row, "current_value"] += more
    return classify(raised, policy).loc[row, "value_class"] == "key"


def test_gap_by_hand():
    # 100 in total, 50 + 30 are key. With w instead of 10 the others are 90: one above it (50) carries less than 80 %
    # of 90 + w always, two (80) do from w = 10 on, just not more than that
    result, _ = lacking(buyers(current_value=[5.0, 50, 10, 30, 3, 2]))
    assert np.isnan(result.gap[[1, 3]]).all()
    assert result.gap[2] == pytest.approx(0, abs=1e-6) and result.gap[2] > 0
    # 5: the others are 95, 80 < 0.8 (95 + w) from w = 5 on; but 10 would be above it: 90 < 0.8 (95 + w) not before
    # 17.5, and from w = 10 on only 80 are
    assert result.gap[[0, 4, 5]] == pytest.approx([5, 7, 8])


@settings(max_examples=200)
@given(
    st.lists(st.integers(-5, 40), min_size=1, max_size=25),
    st.sampled_from([0.5, 0.6, 0.8, 0.83, 0.95]),
)
@example([10, 10, 10, 10], 0.5)
@example([4, 4, 1, 4, 1], 0.8)
@example([-1, -2], 0.8)
@example([0, 0, 0], 0.5)
def test_the_gap_rounded_up_enters_the_set_and_a_unit_less_does_not(values, share):
    values = np.array(values, dtype=float)
    chosen, missing = smallest_set(values, share), next_class.missing_to_smallest_set(values, share)
    assert (missing[chosen] == 0).all()
    for row in np.flatnonzero(~chosen):
        assert missing[row] > 0
        units = np.ceil(missing[row])
        for more, enters in ((units, True), (units - 1, False)):
            raised = values.copy()
            raised[row] += more
            assert smallest_set(raised, share)[row] == enters, (row, more)


@settings(max_examples=50)
@given(st.lists(st.floats(0.01, 1e6), min_size=2, max_size=40), st.floats(0.5, 0.95))
def test_the_gap_is_a_matter_of_the_values_and_not_of_the_currency(values, share):
    values = np.array(values)
    missing = next_class.missing_to_smallest_set(values, share)
    assert next_class.missing_to_smallest_set(values * 160, share) == pytest.approx(
        missing * 160, rel=1e-6, abs=1e-3
    )
    for row in np.flatnonzero(missing > 0):
        for factor, enters in ((1 + 1e-6, True), (1 - 1e-6, False)):
            raised = values.copy()
            raised[row] += missing[row] * factor + (1e-6 if enters else -1e-6) * values[row]
            assert smallest_set(raised, share)[row] == enters


def test_gap_among_peers_makes_key_and_a_unit_less_does_not():
    rng = np.random.default_rng(2)
    n = 90
    table = buyers(
        current_value=np.round(rng.lognormal(4, 1, n)),
        potential_value=np.round(rng.lognormal(3, 1, n)),
        format=["shop"] * 45 + ["wholesale"] * 40 + ["rare"] * 5,
    )
    mixed = Policy([rule("key_rule", 1, "wholesale"), rule("key_value_minimum", 150.0, "wholesale")])
    for policy in (POLICY, POLICY.replace(key_share=0.6), mixed):
        result, labelled = lacking(table, policy)
        key = (labelled["value_class"] == "key").to_numpy()
        assert (np.isnan(result.gap) == key).all() and not key.all()
        for row in np.flatnonzero(~key):
            units = np.ceil(result.gap[row])
            assert key_with(table, row, units, policy) and not key_with(table, row, units - 1, policy)


def test_a_burden_is_key_and_lacks_nothing():
    table = buyers(
        current_value=[-50.0, 40, 30, 10],
        current_revenue=[900.0, 100, 80, 20],
        known_margin=[-50.0, 40, 30, 10],
        known_revenue=[900.0, 100, 80, 20],
    )
    result, labelled = lacking(table)
    assert labelled["burden"].tolist() == [True, False, False, False]
    assert np.isnan(result.gap[0]) and not result.lacks.loc[0].any()


def test_conditions_of_growth_that_lack_are_named():
    table = buyers(
        current_value=[1000.0, 40, 40, 40, 40, 40],
        current_revenue=[1000.0, 40, 40, 40, 40, 40],
        potential_value=[3000.0, 100, 100, 100, 10, 100],
        next_value=[500.0, 60, 30, 60, 60, 60],
        current_order_days=[9, 8, 8, 1, 8, 8],
        loyalty_stage=["loyalty", "loyalty", "loyalty", "awareness", "loyalty", "loyalty"],
        lifecycle_stage=["retention"] * 5 + ["dormant"],
    )
    result, _ = lacking(table)
    named = [set(result.lacks.columns[row]) for row in result.lacks.to_numpy()]
    assert named == [set(), set(), {"expectation"}, {"index"}, {"potential"}, {"activity"}]
    told = {e.code: e for e in result.evidence}
    assert set(told) == set(next_class.SENTENCES)
    expectation = told["growth_lacks_expectation"]
    assert expectation.holds.tolist() == [False, False, True, False, False, False]
    assert expectation.params["percent"][2] == 75 and expectation.params["needed"][2] == 100
    assert told["growth_lacks_potential"].params["amount"][4] == 10
    assert told["growth_lacks_potential"].params["needed"][4] == 100
    index = told["growth_lacks_index"]
    assert index.params["percent"][3] < index.params["needed"][3] == 50
    assert told["growth_lacks_activity"].params["days_since"][5] == 50
    for code, evidence in told.items():
        assert next_class.SENTENCES[code].format_map({name: 7 for name in evidence.params})


def test_a_gap_is_told_where_it_can_be_reached():
    table = buyers(
        current_value=[500.0, 300, 100, 90, 10, 95],
        lifecycle_stage=["retention"] * 5 + ["lost"],
    )
    result, _ = lacking(table)
    told = {e.code: e for e in result.evidence}["missing_to_key"]
    assert told.holds.tolist() == [
        False,
        False,
        False,
        True,
        False,
        False,
    ]  # 100 is key; 10 too far; one is lost
    assert told.params["amount"][3] == np.ceil(result.gap[3])
    assert result.gap[5] > 0


def test_of_equals_one_is_left_out_and_lacks_next_to_nothing():
    table = buyers(current_value=[20.0, 20, 20, 20, 20])
    result, labelled = lacking(table)
    assert (labelled["value_class"] == "key").tolist() == [True, True, True, True, False]
    assert 0 < result.gap[4] < 1e-9


def test_the_order_of_peers_does_not_matter():
    table = buyers(current_value=[500.0, 300, 100, 90, 10, 95])
    result, _ = lacking(table)
    order = [3, 0, 5, 1, 4, 2]
    mixed, _ = lacking(table.iloc[order].reset_index(drop=True))
    assert np.isfinite(result.gap).any()
    assert mixed.gap == pytest.approx(np.asarray(result.gap)[order], nan_ok=True)
    assert (mixed.lacks.to_numpy() == result.lacks.to_numpy()[order]).all() and result.lacks.any(axis=None)
