"""What the last run called a customer is remembered under another policy, as far as that tells it alike."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memories import BY_VALUE, POLICY, before, previous, remember, run
from test_labels import TODAY, buyers, rule

from simulator import World, simulate
from sync_worker import preview
from sync_worker.history.columns import as_day
from sync_worker.history.facts import PREVIOUS
from sync_worker.kept import Kept
from sync_worker.policy import Policy, PolicyError, read_policy, schema
from sync_worker.scoring import memory, value_class
from sync_worker.scoring.labelling import differ, relabel
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.pipeline import score
from sync_worker.scoring.preparation import REFITTING, prepare

AS_OF = "2026-06-30"
KEYS = sorted(schema())


@pytest.fixture(scope="module")
def history():
    return simulate(World(seed=5, customers=160)).history.until(as_day(AS_OF))


@pytest.fixture(scope="module")
def prepared(history):
    return prepare(history, as_day(AS_OF), Policy(), lambda percent, step: None)[0]


def told_of(prepared, policy):
    """The labels of the buyers that the next run would remember, without any memory of their own."""
    told = relabel(prepared, policy, withhold=False)
    return told[["value_class", "churn_risk", "lifecycle_stage"]].astype(object)


def value_of(spec, part):
    value = spec["minimum"] + part * (spec["maximum"] - spec["minimum"])
    return round(value) if spec["type"] == "integer" else value


# ----------------------------------------------------- keys and what they tell


@settings(max_examples=60)
@given(st.sampled_from(KEYS), st.floats(0, 1), st.sampled_from([None, "wholesale"]))
def test_a_key_that_does_not_tell_a_label_leaves_it_alone(prepared, key, part, of_format):
    """Else a label would be remembered that the manager's new version tells otherwise."""
    if key in REFITTING:
        return  # tells all of them, and a preparation anew
    try:
        changed = Policy([{"key": key, "value": value_of(schema()[key], part), "format_id": of_format}])
    except PolicyError:
        return
    was, now = told_of(prepared, Policy()), told_of(prepared, changed)
    for name in ("churn_risk", "lifecycle_stage"):
        assert key in memory.TOLD_BY[name] or was[name].equals(now[name]), name
    if key not in memory.TOLD_BY["burden"]:
        assert was["value_class"].equals(now["value_class"])
    else:  # who is key by value, or growth, is so whatever it costs
        neither = (was["value_class"] != "key") & (now["value_class"] != "key")
        growth = [(table["value_class"] == "growth") & neither for table in (was, now)]
        assert key in memory.TOLD_BY["value_class"] or growth[0].equals(growth[1])


def test_every_label_is_told_by_keys_of_the_policy_and_all_by_what_a_fit_rests_on():
    assert set(memory.TOLD_BY) == set(memory.LABELS)
    for keys in memory.TOLD_BY.values():
        assert REFITTING <= keys <= set(schema())


# ------------------------------------------------------------------- recalled


def version(number, *, of=None, **values):
    """A version of the policy that changes some values of `POLICY`."""
    rules = [each for each in POLICY.rules if each["key"] not in values]
    return Policy([*rules, *(rule(key, value) for key, value in values.items())], number, of)


CUSTOMERS = pd.Series([7, 8])
NOBODY = [None] * 4


def recalled(policy, *known):
    told = previous(customer_id=[7, 8], lifecycle_stage="dormant")
    found = memory.recall(told, CUSTOMERS, policy, TODAY, known)
    assert found.iloc[0].equals(found.iloc[1])
    return [None if pd.isna(each) else each for each in found.iloc[0]]


ALL = ["key", False, "high", "dormant"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ALL),
        ({"withheld_grades": 2, "rating_half_life_days": 30, "late_grace_days": 3}, ALL),
        ({"activity_cost": 12.0}, ["key", None, "high", "dormant"]),
        ({"net_value_minimum": 50.0}, ["key", None, "high", "dormant"]),
        ({"key_share": 0.7}, [None, None, "high", "dormant"]),
        ({"risk_high_from": 0.8}, ["key", False, None, "dormant"]),
        ({"hysteresis_probability": 0.1}, ["key", False, None, "dormant"]),
        ({"extension_ratio": 1.5}, ["key", False, "high", None]),
        ({"lost_days": 300}, [None, None, "high", None]),
        ({"hysteresis_value": 0.2}, [None, None, "high", None]),
        ({"churn_horizon_days": 60}, NOBODY),
        ({"sales_basis": 1}, NOBODY),
    ],
)
def test_labels_of_another_version_are_recalled_where_it_tells_them_alike(values, expected):
    assert recalled(version(5, **values), POLICY) == expected


def test_a_version_that_is_not_at_hand_is_not_guessed():
    assert recalled(version(5)) == NOBODY
    assert recalled(version(5), version(3), None, Policy()) == NOBODY
    assert recalled(Policy(POLICY.rules), POLICY) == NOBODY  # of a policy that nobody keeps
    assert recalled(POLICY) == ALL


def test_a_rule_for_one_format_is_a_difference():
    own = Policy([*POLICY.rules, rule("risk_high_from", 0.9) | {"format_id": 3}], 5)
    assert recalled(own, POLICY) == ["key", False, None, "dormant"]


# ----------------------------------------------------------- value class alone


def test_where_costs_count_anew_key_is_remembered_and_a_poor_net_value_is_not():
    table = buyers(
        current_value=[100.0, 57.0, 20.0],
        known_revenue=[100.0, 57.0, 20.0],
        current_revenue=[100.0, 57.0, 20.0],
        potential_value=[50.0, 1.0, 1.0],
    )
    net = np.array([30.0, 10.0, 0.3])  # the last just above nothing, within the noise
    find = lambda was: run_net(table, net, was).loc[2, "value_class"]  # noqa: E731
    was = before("unprofitable", n=3)
    assert find(was) == "unprofitable"
    assert find(was.assign(burden=None)) == "standard"
    key = before("key", n=3)
    for burden in (False, None):
        assert run(table, BY_VALUE, key.assign(burden=burden)).loc[1, "value_class"] == "key"


def run_net(table, net, was):
    return value_class.classify(table, Peers(table["format"], BY_VALUE), BY_VALUE, net, was)


def test_what_is_found_without_a_word_on_costs_is_found_again():
    table = buyers(current_value=[100.0, 57.0, 20.0])
    first = run(table, BY_VALUE, before("standard", n=3).assign(burden=None))
    assert remember(run(table, BY_VALUE, remember(first)))["value_class"].equals(
        remember(first)["value_class"]
    )


# ------------------------------------------------------- in a run, and a preview

NOISE = [rule("hysteresis_value", 0.3)]
ACTIVE = Policy(NOISE, 4)


def remembering(history, plain):
    told = plain.reindex(columns=[*PREVIOUS]).assign(
        value_class="standard", policy_version_id=4, as_of="2026-06-01"
    )
    return replace(history, previous=told)


def scored(history, policy):
    return score(history, AS_OF, policy, withhold=True).customers


def test_a_version_that_changes_nothing_of_a_label_leaves_it_where_it_was(history):
    plain = scored(history, Policy(NOISE))
    history = remembering(history, plain)
    held = scored(history, ACTIVE)
    assert differ(plain, held)["value_class"].any()
    same = Policy([*NOISE, rule("late_grace_days", 2), rule("withheld_grades", 2)], 5, ACTIVE)
    assert not differ(held, scored(history, same))["value_class"].any()
    anew = Policy([*NOISE, rule("key_share", 0.79)], 5, ACTIVE)
    judged = score(replace(history, previous=None), AS_OF, anew, withhold=True).customers
    assert not differ(judged, scored(history, anew))["value_class"].any()
    assert differ(plain, scored(history, Policy(same.rules, 5)))["value_class"].sum() == 0


def test_a_preview_of_such_a_version_moves_nobody(history):
    history = remembering(history, scored(history, Policy(NOISE)))
    prepared = prepare(history, as_day(AS_OF), ACTIVE, lambda percent, step: None)[0]
    left = Kept(prepared, relabel(prepared, ACTIVE, withhold=True), AS_OF)

    def changed(policy, left):
        found = preview.compare(
            lambda _sales: history, left, AS_OF, ACTIVE, policy, lambda percent, step: None
        )
        return found.result["changed"]

    same = Policy([*NOISE, rule("late_grace_days", 2)], 5, ACTIVE)
    assert changed(same, left) == changed(same, None) == 0
    assert changed(Policy([*NOISE, rule("key_share", 0.79)], 5, ACTIVE), left) > 0


def test_a_policy_file_tells_the_version_before(tmp_path):
    path = tmp_path / "policy.json"
    described = {"version_id": 5, "rules": [], "before": {"version_id": 4, "rules": NOISE}}
    path.write_text(json.dumps(described))
    found = read_policy(path)
    assert (found.version, found.before.version, found.before.rules) == (5, 4, ACTIVE.rules)
    for unreadable in (None, {"rules": [{"key": "of_yesterday", "value": 1}]}):
        path.write_text(json.dumps(described | {"before": unreadable}))
        assert read_policy(path).before is None
