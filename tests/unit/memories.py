"""Customers about every border, and what they were before: what the tests of memory are about."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from test_labels import TODAY, buyers, classify, rule

from sync_worker.history.facts import PREVIOUS
from sync_worker.policy import Policy
from sync_worker.scoring import loyalty, value_class

NOISE = 0.1
POLICY = Policy([rule("hysteresis_value", NOISE), rule("hysteresis_probability", 0.05)], version=4)
OFF = Policy([rule("hysteresis_value", 0), rule("hysteresis_probability", 0)], version=4)
WIDE = Policy([rule("hysteresis_value", 0.4), rule("hysteresis_probability", 0.1)], version=4)
BY_VALUE = Policy([*POLICY.rules, rule("key_rule", 1), rule("key_value_minimum", 60.0)], version=4)
FOUND = ["value_class", "burden"]
seeds = st.integers(0, 10_000)
policies = st.sampled_from([POLICY, BY_VALUE, Policy([rule("hysteresis_value", 0.5)], version=4)])


def before(label, burden=False, n=1):
    """What `memory.recall` gives of customers who were all alike."""
    return pd.DataFrame({"value_class": [label] * n, "burden": burden}, dtype=object)


def remember(result):
    return result[FOUND].astype(object)


def company(seed, n=40):
    """Buyers about every border at once, in two formats large enough to be peers and one that is not, with what they
    were before."""
    rng = np.random.default_rng(seed)
    revenue = rng.lognormal(4, 0.7, n)
    table = buyers(
        current_value=np.where(rng.random(n) < 0.1, -1, 1) * revenue * rng.uniform(0, 0.5, n),
        potential_value=revenue * rng.uniform(-0.1, 1, n),
        current_revenue=revenue,
        potential_revenue=revenue * rng.uniform(0.5, 2, n),
        next_value=revenue * rng.uniform(0, 0.6, n),
        known_revenue=np.where(rng.random(n) < 0.2, 0.0, revenue),
        known_margin=np.where(rng.random(n) < 0.2, np.nan, revenue * rng.normal(0.03, 0.1, n)),
        current_order_days=rng.integers(0, 9, n),
        loyalty_stage=rng.choice(loyalty.STAGES, n),
        lifecycle_stage=rng.choice(["retention", "retention", "dormant", "lost"], n),
        format=np.array(["shop"] * 16 + ["wholesale"] * 18 + [None] * 6, dtype=object),
    )
    was = rng.choice([*value_class.CLASSES, None], n)
    labels = pd.DataFrame({"value_class": was, "burden": (was == "key") & (rng.random(n) < 0.3)})
    return table, labels.astype(object)


def run(table, policy, labels):
    return classify(table, policy, before=labels)


def among(policy):
    return Policy([*policy.rules, rule("peers_minimum", 15)], version=policy.version)


def previous(**columns):
    size = len(columns["customer_id"])
    table = {"value_class": "key", "burden": False, "churn_risk": "high", "policy_version_id": 4} | columns
    table["as_of"] = pd.Timestamp(TODAY - 1, unit="D")
    return pd.DataFrame(table, index=range(size)).reindex(columns=[*PREVIOUS])
