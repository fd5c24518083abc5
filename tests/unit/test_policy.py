import numpy as np
import pandas as pd
import pytest

from sync_worker.policy import RATING_WEIGHTS, Policy, PolicyError, schema


def rule(key, value, format_id=None):
    return {"key": key, "format_id": format_id, "value": value}


def test_defaults_come_from_the_schema_and_hold_together():
    policy = Policy()
    assert policy.keys == set(schema())
    assert all(policy.value(key) == schema()[key]["default"] for key in policy.keys)


def test_a_format_inherits_by_absence():
    policy = Policy([rule("key_share", 0.7), rule("key_share", 0.9, 5), rule("dormant_days", 30, 6)])
    assert policy.value("key_share") == 0.7
    assert policy.value("key_share", 5) == 0.9
    assert policy.value("key_share", 6) == 0.7
    assert policy.value("dormant_days", 5) == schema()["dormant_days"]["default"]
    column = policy.column("key_share", pd.Series([5, 6, pd.NA], dtype="Int64"))
    assert column.tolist() == [0.9, 0.7, 0.7]


def test_text_formats_of_a_file_work_too():
    policy = Policy([rule("dormant_days", 30, "Warehouse")])
    formats = pd.Series(["Warehouse", None, "Shop"], dtype=object)
    assert policy.column("dormant_days", formats).tolist() == [30, 90, 90]
    assert policy.column("dormant_days", pd.Series([np.nan, np.nan])).tolist() == [90, 90]


def test_replace_is_for_every_format_and_leaves_the_policy_alone():
    policy = Policy([rule("churn_horizon_days", 30, 5), rule("key_share", 0.7)])
    other = policy.replace(churn_horizon_days=120)
    assert other.value("churn_horizon_days", 5) == 120
    assert other.value("key_share") == 0.7
    assert policy.value("churn_horizon_days", 5) == 30
    assert Policy(other.rules).rules == other.rules


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([rule("no_such_key", 1)], "no key “no_such_key”"),
        ([rule("key_share", 0.2)], "between 0.5 and 0.95"),
        ([rule("dormant_days", 30.5)], "whole number"),
        ([rule("key_share", "many")], "must be a number"),
        ([rule("key_share", float("nan"))], "must be a number"),
        ([rule("key_share", True)], "must be a number"),
        ([rule("key_share", 0.8), rule("key_share", 0.7)], "two rules"),
        ([rule("risk_medium_from", 0.8)], "must be below “High risk from”"),
        ([rule("lost_days", 60)], "must be below “Lost: shortest silence”"),
        ([rule("risk_medium_from", 0.8, 5)], "of format 5"),
        ([rule(f"weight_{w}", 0) for w in ("frequency", "volume", "margin", "loyalty")], "all zero"),
        ([rule(key, 0, 5) for key in RATING_WEIGHTS], "composite rating of format 5 are all zero"),
        ([rule("key_rule", 1)], "“Key: smallest value” .* must be above 0"),
        ([rule("key_rule", 1, 5), rule("key_value_minimum", 9.0, 6)], "of format 5"),
        ([rule("sales_basis", 1, 5)], "of format 5 is one for the whole company"),
        ([rule("sales_basis", 2)], "between 0 and 1"),
    ],
)
def test_a_policy_that_cannot_be_used_is_refused_in_one_sentence(rules, words):
    with pytest.raises(PolicyError, match=words) as refusal:
        Policy(rules)
    assert str(refusal.value).endswith(".") and "\n" not in str(refusal.value)


def test_sales_are_counted_from_orders_unless_the_policy_says_invoices():
    assert Policy().sales == "orders"
    assert Policy([rule("sales_basis", 0)]).sales == "orders"
    assert Policy([rule("sales_basis", 1)]).sales == "invoices"
