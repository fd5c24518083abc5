"""A risk of leaving at a border: kept while noise plays about it, given up when it is passed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from memories import POLICY

from sync_worker.scoring import churn

thresholds = (
    st.tuples(st.floats(0.01, 0.97), st.floats(0.01, 0.97)).map(sorted).filter(lambda t: t[1] - t[0] > 0.01)
)
risks = st.sampled_from([*churn.RISKS, None])


def risk(probability, limits, was, noise=0.05):
    probability = np.atleast_1d(np.asarray(probability, float))
    labels = pd.Series([was] * len(probability), dtype=object)
    limits = [np.full(len(probability), limit) for limit in limits]
    return [*churn.risk(probability, *limits, before=labels, noise=noise)]


def test_a_risk_is_left_where_its_border_is_passed_by_the_margin():
    for was, expected in {
        "low": ["low", "low", "low", "medium", "medium", "medium", "high"],
        "medium": ["low", "medium", "medium", "medium", "medium", "medium", "high"],
        "high": ["low", "medium", "medium", "medium", "high", "high", "high"],
        None: ["low", "low", "medium", "medium", "medium", "high", "high"],
    }.items():
        assert risk([0.34, 0.36, 0.44, 0.46, 0.66, 0.74, 0.76], (0.4, 0.7), was) == expected, was


@given(st.floats(0, 1), thresholds, risks, st.floats(0, 0.2))
def test_a_risk_stays_when_judged_again_and_without_a_margin_follows_the_rule(
    probability, limits, was, noise
):
    now = risk(probability, limits, was, noise)
    assert risk(probability, limits, now[0], noise) == now
    plain = [*churn.risk(np.array([probability]), *(np.array([limit]) for limit in limits))]
    assert risk(probability, limits, was, 0.0) == plain == risk(probability, limits, None, noise)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9), thresholds, risks, st.floats(0, 0.2))
def test_a_higher_probability_is_never_a_lower_risk_and_every_risk_is_reached(given_p, limits, was, noise):
    found = [churn.RISKS.index(name) for name in risk(sorted(given_p), limits, was, noise)]
    assert found == sorted(found)
    low, *between, high = risk([0, limits[0], sum(limits) / 2, limits[1] - 1e-9, 1], limits, was, noise)
    assert (low, high) == ("low", "high") and "medium" in between


@given(
    st.lists(st.floats(-0.99, 0.99), min_size=2, max_size=9),
    thresholds,
    risks.filter(bool),
    st.floats(0.01, 0.2),
)
def test_noise_about_a_border_changes_a_risk_at_most_once(path, limits, was, noise):
    for border in limits:
        margin = min(noise, (limits[1] - limits[0]) / 2, limits[0] / 2, (1 - limits[1]) / 2)
        now, changes = was, 0
        for off in path:
            (found,) = risk(border + off * margin, limits, now, noise)
            changes, now = changes + (found != now), found
        assert changes <= 1


def test_an_order_has_to_bring_the_probability_below_the_margin():
    formats = pd.Series([None, None])
    for remembered, expected in ((False, (0.4, 0.7)), (True, (0.35, 0.65))):
        left = churn.borders_left(POLICY, formats, remembered)
        assert (left["low"][0], left["medium"][0]) == pytest.approx(expected)
    for name in ("low", "medium"):
        for was in churn.RISKS[churn.RISKS.index(name) + 1 :]:
            at = left[name][0]
            ranks = [churn.RISKS.index(each) for each in risk([at - 1e-6, at + 1e-6], (0.4, 0.7), was)]
            assert ranks[0] <= churn.RISKS.index(name) < ranks[1]
