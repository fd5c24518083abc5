from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_worker.scoring import metrics


@st.composite
def scored(draw, others=1):
    """Whether each churned, both kinds being there, and scores with ties."""
    n = draw(st.integers(2, 40))
    churned = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    churned[0], churned[1] = True, False
    steps = st.lists(st.integers(0, 8), min_size=n, max_size=n)
    return churned, *(np.array(draw(steps)) / 8 for _ in range(others))


def wins(churned, score):
    """(gone, stayed): 1 where the one who churned has the higher score, a half for a tie."""
    gone, stayed = score[churned][:, None], score[~churned][None, :]
    return (gone > stayed) + 0.5 * (gone == stayed)


@given(scored())
def test_auc_is_the_share_of_pairs_in_the_right_order(case):
    churned, score = case
    assert metrics.auc(churned, score) == pytest.approx(wins(churned, score).mean())
    assert metrics.auc(churned, -score) == pytest.approx(1 - wins(churned, score).mean())


@given(scored(2))
def test_delong_is_the_covariance_of_the_placements(case):
    churned, score, other = case
    found = metrics.compare(churned, score, other)
    pairs = wins(churned, score), wins(churned, other)
    assert (found.auc, found.other) == pytest.approx(tuple(one.mean() for one in pairs))

    def variance(table):
        gone, stayed = table.shape
        above, below = table.mean(axis=1), table.mean(axis=0)
        return above.var(ddof=min(1, gone - 1)) / gone + below.var(ddof=min(1, stayed - 1)) / stayed

    assert found.variance == pytest.approx(variance(pairs[0]), abs=1e-12)
    assert found.gain_variance == pytest.approx(variance(pairs[0] - pairs[1]), abs=1e-12)


def test_delong_agrees_with_the_bootstrap():
    rng = np.random.default_rng(1)
    n = 400
    risk = rng.normal(size=n)
    churned = rng.random(n) < 1 / (1 + np.exp(1 - risk))
    score, other = risk + rng.normal(size=n), risk + 2 * rng.normal(size=n)
    found = metrics.compare(churned, score, other)
    gains, areas = [], []
    gone, stayed = np.flatnonzero(churned), np.flatnonzero(~churned)
    for _ in range(1500):
        rows = np.concatenate([rng.choice(gone, len(gone)), rng.choice(stayed, len(stayed))])
        first, second = metrics.auc(churned[rows], score[rows]), metrics.auc(churned[rows], other[rows])
        areas.append(first)
        gains.append(first - second)
    assert np.sqrt(found.variance) == pytest.approx(np.std(areas), rel=0.08)
    assert np.sqrt(found.gain_variance) == pytest.approx(np.std(gains), rel=0.08)


def test_delong_intervals_hold_the_true_gain_nine_times_in_ten():
    rng = np.random.default_rng(3)
    held, true = 0, []
    cases = []
    for _ in range(400):
        churned = rng.random(120) < 0.4
        score, other = 1.2 * churned + rng.normal(size=120), 0.6 * churned + rng.normal(size=120)
        cases.append(metrics.compare(churned, score, other))
        true.append(cases[-1].auc - cases[-1].other)
    for found in cases:
        half = metrics.Z_90 * np.sqrt(found.gain_variance)
        held += abs(found.auc - found.other - np.mean(true)) <= half
    assert 0.86 <= held / len(cases) <= 0.94


def test_a_score_gains_nothing_over_itself():
    churned, score = np.array([True, False] * 20), np.arange(40.0)
    found = metrics.compare(churned, score, 3 * score)
    assert found.auc == found.other and found.gain_variance == 0


@pytest.mark.parametrize("churned", [[True, True], [False, False], []])
def test_without_both_outcomes_there_is_no_area(churned):
    churned = np.array(churned, dtype=bool)
    score = np.arange(len(churned), dtype=float)
    found = metrics.compare(churned, score, score)
    assert np.isnan([metrics.auc(churned, score), found.auc, found.other, found.variance]).all()
    assert np.isnan(found.gain_variance)


def test_one_of_each_outcome_is_enough_for_numbers():
    found = metrics.compare(np.array([True, False]), np.array([0.9, 0.1]), np.array([0.1, 0.9]))
    assert (found.auc, found.other) == (1, 0)
    assert np.isfinite([found.variance, found.gain_variance]).all()


def test_brier_by_hand():
    assert metrics.brier(np.array([True, False]), np.array([0.8, 0.4])) == pytest.approx((0.04 + 0.16) / 2)


def test_calibration_by_hand():
    probability = np.array([0.9, 0.1, 0.8, 0.2])
    churned = np.array([True, False, False, True])
    bins = metrics.calibration(churned, probability, bins=2)
    assert bins == [
        {"predicted": pytest.approx(0.15), "actual": 0.5, "customers": 2},
        {"predicted": pytest.approx(0.85), "actual": 0.5, "customers": 2},
    ]
    # of four customers each is a bin
    error = metrics.expected_calibration_error(churned, probability)
    assert error == pytest.approx((0.1 + 0.1 + 0.8 + 0.8) / 4)


@given(scored())
def test_calibration_error_is_the_mean_distance_over_ten_bins_of_equal_count(case):
    churned, probability = case
    bins = metrics.calibration(churned, probability)
    sizes = [one["customers"] for one in bins]
    assert sum(sizes) == len(churned) and len(bins) == min(10, len(churned)) and max(sizes) - min(sizes) <= 1
    assert all(a["predicted"] <= b["predicted"] + 1e-12 for a, b in pairwise(bins))
    total, start = 0.0, 0
    ranked = sorted(range(len(churned)), key=lambda row: probability[row])  # stable, as documented
    for size in sizes:
        part = ranked[start : start + size]
        total += abs(sum(probability[part]) - sum(churned[part]))
        start += size
    assert metrics.expected_calibration_error(churned, probability) == pytest.approx(total / len(churned))


def test_a_calibrated_forecast_has_about_no_calibration_error():
    rng = np.random.default_rng(5)
    probability = rng.random(50_000)
    churned = rng.random(50_000) < probability
    assert metrics.expected_calibration_error(churned, probability) < 0.01
    assert metrics.expected_calibration_error(churned, probability / 2) == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("n", [40, 400])
def test_right_probabilities_stay_within_the_error_of_luck_nineteen_times_in_twenty(n):
    rng = np.random.default_rng(n)
    probability = rng.uniform(0.05, 0.6, n)
    limit = metrics.calibration_error_by_luck(probability)
    within = [
        metrics.expected_calibration_error(rng.random(n) < probability, probability) <= limit
        for _ in range(1000)
    ]
    assert np.mean(within) == pytest.approx(0.95, abs=0.03)
    wrong = metrics.expected_calibration_error(rng.random(n) < probability, np.clip(probability + 0.3, 0, 1))
    assert wrong > limit


def test_the_error_of_luck_falls_with_the_customers_and_is_nothing_where_all_is_certain():
    limits = [metrics.calibration_error_by_luck(np.full(n, 0.3)) for n in (40, 400, 4000)]
    assert limits[0] > 2 * limits[1] > 4 * limits[2]
    assert limits[0] == metrics.calibration_error_by_luck(np.full(40, 0.3))
    assert metrics.calibration_error_by_luck(np.array([0.0, 1.0, 1.0])) == 0


def test_among_most_at_risk_by_hand():
    score = np.array([0.2, 0.9, 0.5, 0.9, 0.5])
    amount = np.array([100.0, 1, 20, 3, 40])
    # first either of 1 and 3, then either of 20 and 40
    found = metrics.among_most_at_risk(amount, score, np.arange(6))
    assert found == pytest.approx([0, 2, 4, 34, 64, 164])


@settings(max_examples=30)
@given(scored())
def test_among_most_at_risk_is_the_mean_over_all_orders_of_those_who_tie(case):
    churned, score = case
    rng, counts = np.random.default_rng(1), np.arange(1, len(score) + 1)
    found = metrics.among_most_at_risk(churned, score, counts)
    drawn = []
    for _ in range(1000):
        mixed = rng.permutation(len(score))
        order = mixed[np.argsort(-score[mixed], kind="stable")]
        drawn.append(np.cumsum(churned[order]))
    # five standard errors of the mean of draws, in lists of which half are ties
    assert found == pytest.approx(np.mean(drawn, axis=0), abs=5 * np.sqrt(len(score)) / 2 / np.sqrt(1000))
    mixed = rng.permutation(len(score))
    assert metrics.among_most_at_risk(churned[mixed], score[mixed], counts).tolist() == found.tolist()


def test_weights_of_areas_by_hand():
    def outcomes(gone, stayed):
        return np.arange(gone + stayed) < gone

    given = [outcomes(2, 2), outcomes(0, 9), outcomes(1, 3), outcomes(5, 0), outcomes(0, 0)]
    # pairs over customers: 4/4, none, 3/4, none, none
    assert metrics.auc_weights(given) == pytest.approx([1 / 1.75, 0, 0.75 / 1.75, 0, 0])
    scores = [np.array([4.0, 1, 2, 3]), np.zeros(9), np.array([4.0, 1, 2, 3]), np.zeros(5), np.zeros(0)]
    assert metrics.mean_auc(given, scores) == pytest.approx((0.5 + 0.75) / 1.75)
    assert np.isnan(metrics.mean_auc(given[1:2], scores[1:2]))


def test_captured_by_hand():
    churned = np.array([True, False, True, False, True])
    money = np.array([10.0, 99.0, 30.0, 99.0, 60.0])
    score = np.array([5.0, 4, 3, 2, 1])
    found, value = metrics.captured(churned, money, score, steps=5)
    assert found == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3, 1])
    assert value == pytest.approx([0.1, 0.1, 0.4, 0.4, 1])


@settings(max_examples=50)
@given(scored())
def test_captured_is_what_a_list_of_that_length_holds(case):
    churned, score = case
    money = np.arange(1.0, len(churned) + 1)
    found, value = metrics.captured(churned, money, score)
    for step in range(10):
        count = -(-(step + 1) * len(churned) // 10)
        listed = metrics.among_most_at_risk(churned, score, count)
        assert found[step] == pytest.approx(listed / churned.sum())
        carried = metrics.among_most_at_risk(money * churned, score, count)
        assert value[step] == pytest.approx(carried / money[churned].sum())
    assert found[-1] == value[-1] == 1


def test_captured_of_nobody_is_nothing():
    nothing = metrics.captured(np.zeros(3, bool), np.ones(3), np.arange(3.0))
    assert nothing == [[0.0] * 10, [0.0] * 10]
