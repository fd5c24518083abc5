"""The figures of the accuracy benchmark against brute force and cases worked out by hand."""

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.judge import metrics, report, rules
from benchmarks.judge.cut import Ledger, active_window, day_number
from benchmarks.judge.datasets import DATA_SETS, GUARDS
from sync_worker.policy import Policy


@pytest.fixture
def tied():
    """Scores with ties, outcomes and values."""
    rng = np.random.default_rng(3)
    score = rng.integers(0, 12, 200) / 12
    outcome = rng.random(200) < score
    return score, outcome, np.where(rng.random(200) < 0.5, 0, rng.gamma(1, 50, 200))


def pairwise_auc(score, outcome):
    above = score[outcome][:, None] - score[~outcome][None, :]
    return ((above > 0) + 0.5 * (above == 0)).mean()


def orders(*rows):
    table = pd.DataFrame(rows, columns=["customer_id", "date", "amount"])
    return table.assign(date=pd.to_datetime(table["date"]).astype("datetime64[s]"))


def test_auc_counts_pairs(tied):
    score, outcome, _ = tied
    assert metrics.auc(score, outcome) == pytest.approx(pairwise_auc(score, outcome))
    assert np.isnan(metrics.auc(score, np.ones(200, dtype=bool)))


def test_ece_by_hand():
    probability = np.repeat([0.1, 0.9], 50)
    outcome = np.concatenate([np.arange(50) < 10, np.arange(50) < 40])  # 20 % and 80 %
    assert metrics.calibration_error(probability, outcome) == pytest.approx(0.1)


def test_ece_is_that_of_bins_of_equal_count_where_nothing_is_tied():
    rng = np.random.default_rng(1)
    probability, outcome = rng.permutation(1000) / 1000, rng.random(1000) < 0.4
    bins = np.argsort(np.argsort(probability)) // 100
    gaps = [abs(probability[bins == at].mean() - outcome[bins == at].mean()) for at in range(10)]
    assert metrics.calibration_error(probability, outcome) == pytest.approx(np.mean(gaps))


def test_even_right_probabilities_have_an_ece():
    rng = np.random.default_rng(2)
    few, many = rng.random(400), rng.random(40_000)
    told = metrics.calibration_by_chance(few)
    errors = [metrics.calibration_error(few, rng.random(400) < few) for _ in range(200)]
    assert told == pytest.approx(np.mean(errors), abs=0.01)
    assert metrics.calibration_by_chance(many) == pytest.approx(told / 10, rel=0.3)
    assert metrics.calibration_by_chance(np.ones(50)) == 0


def test_no_figure_depends_on_the_order_of_rows(tied):
    score, outcome, value = tied
    shuffled = np.random.default_rng(0).permutation(len(score))
    for figure, other in (
        (metrics.calibration_error, outcome),
        (metrics.normalised_gini, value),
        (metrics.top_share, value),
        (metrics.decile_error, value),
    ):
        assert figure(score, other) == pytest.approx(figure(score[shuffled], other[shuffled]))


def test_gini_is_the_mean_over_all_ways_to_settle_ties():
    forecast, actual = np.array([3.0, 1.0, 1.0, 1.0, 0.0]), np.array([5.0, 4.0, 0.0, 2.0, 1.0])

    def area(order):
        shares = np.concatenate([[0], np.cumsum(actual[list(order)]) / actual.sum()])
        return (shares[1:] + shares[:-1]).sum() / 2 / len(actual) - 0.5

    settled = [area((0, *middle, 4)) for middle in itertools.permutations((1, 2, 3))]
    perfect = area(np.argsort(-actual))
    assert metrics.normalised_gini(forecast, actual) == pytest.approx(np.mean(settled) / perfect)
    assert metrics.normalised_gini(actual, actual) == pytest.approx(1)
    assert metrics.normalised_gini(-actual, actual) == pytest.approx(-1)


def test_top_share_decile_error_and_bias_by_hand():
    actual = np.arange(1.0, 11)
    assert metrics.top_share(actual, actual) == pytest.approx(19 / 55)
    assert metrics.top_share(np.zeros(10), actual) == pytest.approx(0.2)
    assert metrics.decile_error(1.5 * actual, actual) == pytest.approx(0.5)
    assert metrics.log_bias(2 * actual, actual) == pytest.approx(np.log(2))
    assert metrics.coverage(np.zeros(10), np.full(10, 7.0), actual) == pytest.approx(0.7)


def test_bootstrap_is_that_of_resampled_rows(tied):
    score, outcome, value = tied
    drawn = metrics.bootstrap_auc(np.array([score, value]), outcome, draws=30, seed=5)
    sample = np.random.default_rng(5).integers(0, 200, (30, 200))
    for row, chosen in enumerate(sample):
        expected = [roc_auc_score(outcome[chosen], one[chosen]) for one in (score, value)]
        assert drawn[row] == pytest.approx(expected)


def test_bootstrap_spans_chunks_and_repeats(tied):
    score, outcome, _ = tied
    draws = metrics.CHUNK + 7
    first = metrics.bootstrap_auc(score[None], outcome, draws)
    assert first.shape == (draws, 1)
    assert np.array_equal(first, metrics.bootstrap_auc(score[None], outcome, draws))
    low, high = metrics.interval(first[:, 0])
    assert low < metrics.auc(score, outcome) < high


def test_resamples_of_one_outcome_tell_nothing():
    drawn = metrics.bootstrap_auc(np.array([[1.0, 2.0]]), np.array([True, False]), 50)
    assert np.isnan(drawn).any()
    assert set(drawn[~np.isnan(drawn)]) == {0.0}


def test_active_by_hand():
    ledger = Ledger(
        orders(
            (1, "2025-01-01", 10), (1, "2025-03-01", 10),  # silent for 31 days, W is 30 or more
            (2, "2025-03-31", 10),  # one order-day only
            (3, "2025-02-01", 10), (3, "2025-03-02", 10),  # silent for 30 days
            (4, "2025-04-02", 10),  # not known yet
            (5, "2025-03-01", -10),  # a return is no order-day
            (3, "2025-04-11", 10), (3, "2025-04-12", -4), (1, "2025-04-12", 9),
        )
    )  # fmt: skip
    cut = ledger.cut("2025-04-01", 10)
    assert list(cut.ids) == [1, 2, 3]
    assert cut.window == pytest.approx(np.percentile([59, 29], 90))
    assert list(cut.active) == [True, False, True]
    assert list(cut.churned) == [True, True, False]  # the 11th is the tenth day, the 12th is beyond it
    assert list(cut.actual) == [0, 0, 10]
    assert list(ledger.cut("2025-04-01", 11).actual) == [9, 0, 6]


def test_active_window_is_no_shorter_than_a_month():
    assert active_window(np.array([1, 2, 3])) == 30
    assert active_window(np.array([])) == 30
    ledger = Ledger(orders(*((1, day, 5) for day in ("2025-01-01", "2025-01-03")), (2, "2025-01-02", 5)))
    assert list(ledger.cut("2025-02-02", 30).active) == [True, False]
    assert list(ledger.cut("2025-02-03", 30).active) == [False, False]


def test_facts_at_a_cutoff_do_not_see_later_orders():
    rng = np.random.default_rng(2)
    days = np.datetime64("2024-01-01") + rng.integers(0, 500, 400)
    table = pd.DataFrame(
        {"customer_id": rng.integers(0, 40, 400), "date": days, "amount": rng.normal(30, 30, 400)}
    )
    whole = Ledger(table).cut("2024-12-31", 60)
    early = Ledger(table[table["date"] <= "2024-12-31"]).cut("2024-12-31", 60)
    for name in ("ids", "order_days", "first", "last", "usual_gap", "total", "recent_total", "active"):
        assert np.array_equal(getattr(whole, name), getattr(early, name), equal_nan=name == "usual_gap")
    for rule in rules.RULES.values():
        assert np.array_equal(rule(whole), rule(early))
    assert early.churned.all()


def test_year_before():
    ledger = Ledger(orders((1, "2024-01-01", 5)))
    assert ledger.cut(day_number("2024-12-30"), 30).year_before_known
    assert not ledger.cut("2024-12-29", 30).year_before_known


def test_rules_by_hand():
    ledger = Ledger(
        orders(
            *((1, day, 10) for day in ("2025-01-01", "2025-01-11", "2025-01-31")),
            (2, "2025-02-20", 500),
            *((3, day, 40) for day in ("2025-01-02", "2025-02-21")),
        )
    )
    cut = ledger.cut("2025-03-02", 30)
    assert list(rules.recency(cut)) == [30, 10, 9]
    assert list(cut.usual_gap[[0, 2]]) == [15, 50]
    assert rules.lateness(cut) == pytest.approx(
        [2, 10 / 32.5, 9 / 50]
    )  # without a gap: the median of 15 and 50
    assert list(rules.last_period(cut)) == [0, -1, -1]
    assert list(rules.low_spend(cut)) == [0, -500, -40]
    assert rules.run_rate(cut) == pytest.approx([-3 * 365.25 / 61, -365.25 / 11, -2 * 365.25 / 60])
    # recency 2, 4, 5; frequency 5, 2, 4; spend 2, 5, 4
    assert list(rules.rfm_score(cut)) == [-9, -11, -13]


def test_five_steps_are_fifths():
    assert list(np.bincount(rules.five_steps(np.arange(50)))[1:]) == [10] * 5
    assert len(set(rules.five_steps(np.ones(7)))) == 1


def test_bars_tell_means_worst_and_significance():
    def setting(gain, below, bias):
        gains = {"gain": gain, "significantly_below": below}
        figures = {"ece": 0.02, "ngini": 0.8, "log_bias": bias, "coverage": 0.8}
        return {
            "models": {"ours": figures},
            "gains": {"classical": gains, "anything": gains, "rule_active": gains},
            "year_before_known": bias < 0,
        }

    by_name = {
        one["bar"]: one for one in report.bars([setting(0.05, False, 0.1), setting(-0.01, True, -0.02)])
    }
    assert by_name["AUC of all, less the best classical model"]["mean"] == pytest.approx(0.02)
    assert by_name["AUC of all, less the best classical model"]["met"]
    assert by_name["AUC of all, significantly below the best of anything"]["count"] == 1
    assert not by_name["AUC of all, significantly below the best of anything"]["met"]
    assert by_name["absolute log revenue bias"]["worst"] == pytest.approx(0.1)
    assert by_name["the same where the season a year before is known"]["worst"] == pytest.approx(0.02)


def test_horizons_of_the_benchmark_are_allowed():
    for data_set in (*DATA_SETS, *GUARDS):
        for _, horizon in data_set.settings:
            assert Policy().replace(churn_horizon_days=horizon).value("churn_horizon_days") == horizon
