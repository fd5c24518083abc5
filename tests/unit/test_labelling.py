"""Labels told anew by another policy are those a whole scoring by it tells."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import World, simulate
from sync_worker.history.columns import as_day
from sync_worker.history.facts import PREVIOUS
from sync_worker.policy import Policy, PolicyError, schema
from sync_worker.scoring.causes import Before
from sync_worker.scoring.labelling import by_policy, differ, relabel
from sync_worker.scoring.pipeline import score
from sync_worker.scoring.preparation import REFITTING, prepare

AS_OF = "2026-06-30"
THRESHOLDS = sorted(set(schema()) - REFITTING)


@pytest.fixture(scope="module")
def history():
    return simulate(World(seed=5, customers=160)).history.until(as_day(AS_OF))


@pytest.fixture(scope="module")
def prepared(history):
    return prepare(history, as_day(AS_OF), Policy(), lambda percent, step: None)[0]


def scored(history, policy, **options):
    """The labels of the buyers by a whole scoring."""
    table = score(history, AS_OF, policy, withhold=True, **options).customers
    table = table[table["lifecycle_stage"] != "selection"].rename(columns={"format_id": "format"})
    return table.rename(columns={"business_format": "format"}).reset_index(drop=True)


def same(found, whole):
    assert found["customer_id"].tolist() == whole["customer_id"].tolist()
    assert not differ(found, whole).to_numpy().any()
    for name in ("current_value", "potential_value"):
        np.testing.assert_array_equal(found[name].to_numpy(float), whole[name].to_numpy(float))


def value_of(spec, part):
    value = spec["minimum"] + part * (spec["maximum"] - spec["minimum"])
    return round(value) if spec["type"] == "integer" else value


def test_by_the_policy_it_was_prepared_by_nothing_differs(history, prepared):
    same(relabel(prepared, Policy(), withhold=True), scored(history, Policy()))


@settings(max_examples=12)
@given(
    st.dictionaries(st.sampled_from(THRESHOLDS), st.floats(0, 1), min_size=1, max_size=4),
    st.sampled_from([None, "wholesale"]),
)
def test_labels_by_other_thresholds_are_those_of_a_whole_scoring(history, prepared, parts, of_format):
    try:
        rules = [
            {"key": k, "value": value_of(schema()[k], part), "format_id": of_format}
            for k, part in parts.items()
        ]
        policy = Policy(rules)
    except PolicyError:
        return  # thresholds out of order
    before = prepared.facts.table.copy()
    found = relabel(prepared, policy, withhold=True)
    same(found, scored(history, policy))
    pd.testing.assert_frame_equal(prepared.facts.table, before)  # fit for the next preview


@pytest.mark.parametrize("key", sorted(REFITTING - {"sales_basis"}))  # another history altogether
def test_another_window_or_horizon_is_prepared_anew(history, prepared, key):
    policy = Policy().replace(**{key: 45})
    found = by_policy(policy, prepared, history, as_day(AS_OF), withhold=True)
    same(found, scored(history, policy))
    assert differ(found, relabel(prepared, Policy(), withhold=True)).to_numpy().any()


def test_a_whole_scoring_gives_away_what_was_prepared(history, prepared):
    given_away = []
    scored(history, Policy(), keep=lambda *left: given_away.append(left))
    ((left, labels),) = given_away
    expected = relabel(prepared, Policy(), withhold=True)
    pd.testing.assert_frame_equal(labels, expected)
    pd.testing.assert_frame_equal(relabel(left, Policy(), withhold=True), expected)
    pd.testing.assert_frame_equal(left.facts.table, prepared.facts.table)


def test_what_the_policy_before_would_have_told_otherwise_changed_by_policy(history, prepared):
    policy, before = Policy().replace(key_share=0.5, lost_days=2000), Policy()
    after = scored(history, policy, before=Before(policy=before))
    other = differ(relabel(prepared, before, withhold=True), after).any(axis=1)
    assert 0 < other.sum() < len(other)
    assert (after["cause"] == np.where(other, "policy", "behaviour")).all()
    assert set(scored(history, policy)["cause"]) == {"behaviour"}
    assert set(scored(history, policy, before=Before(policy=policy))["cause"]) == {"behaviour"}


def test_missing_labels_differ_from_any_other_and_not_from_each_other():
    before = pd.DataFrame({"churn_risk": [None, "low", np.nan, "high", pd.NA]})
    after = pd.DataFrame({"churn_risk": pd.Series([None, None, None, "high", "low"], dtype="string")})
    assert differ(before, after, ["churn_risk"])["churn_risk"].tolist() == [False, True, False, False, True]


def test_which_keys_of_a_policy_differ():
    plain = Policy()
    company = Policy([{"key": "key_share", "value": 0.7}])
    own = Policy([{"key": "key_share", "value": 0.7, "format_id": 3}])
    assert plain.differing(plain) == frozenset()
    assert (
        plain.differing(Policy([{"key": "key_share", "value": schema()["key_share"]["default"]}]))
        == frozenset()
    )
    for one, other in ((plain, company), (plain, own), (company, own)):
        assert one.differing(other) == other.differing(one) == {"key_share"}


def test_a_policy_remembers_what_it_told_itself_and_another_judges_anew(history):
    """The active policy keeps who is at a border; a draft that classes otherwise, and the version that it becomes, does
    not."""
    noise = [{"key": "hysteresis_value", "value": 0.3}]
    active = Policy(noise, version=4)
    draft = Policy([*noise, {"key": "growth_ratio_minimum", "value": 1.000001}], 5, active)
    plain = scored(history, draft)
    told = plain.reindex(columns=[*PREVIOUS]).assign(
        value_class="standard", policy_version_id=4, as_of="2026-06-01"
    )
    remembering = replace(history, previous=told)
    left = prepare(remembering, as_day(AS_OF), active, lambda percent, step: None)[0]
    kept = scored(remembering, active)
    same(relabel(left, active, withhold=True), kept)
    same(relabel(left, draft, withhold=True), plain)
    held = differ(kept, plain).any(axis=1)
    assert 0 < held.sum() < len(held)
    # what the manager's new version lets go of changes by the policy
    after = scored(remembering, draft, before=Before(policy=active))
    same(after, plain)
    assert (after["cause"] == np.where(held, "policy", "behaviour")).all()
