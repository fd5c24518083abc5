"""Value migration by hand: the line through what quarters brought."""

import numpy as np
import pandas as pd
import pytest
from conftest import AS_OF, history_of, orders_of
from hypothesis import given
from hypothesis import strategies as st

from sync_worker.policy import Policy
from sync_worker.scoring import features, value_trend
from sync_worker.scoring.value_trend import QUARTER, classify


def brought(*quarters, tenure=None):
    """A customer who brought so much in each quarter, the last one now, a sale in the middle of each."""
    amounts = np.array(quarters, dtype=float)
    age = QUARTER * np.arange(len(amounts))[::-1] + QUARTER // 2
    tenure = len(amounts) * QUARTER - 1 if tenure is None else tenure
    found = classify(np.zeros(len(age), dtype=int), age, amounts, np.array([tenure]))
    return found["value_slope"][0], found["value_trend"][0]


def test_a_line_through_quarters_by_hand():
    assert brought(100, 120, 140, 160) == (pytest.approx(20), "rising")
    assert brought(160, 140, 120, 100) == (pytest.approx(-20), "falling")
    assert brought(100, 100, 100, 100) == (0, "steady")
    # around the middle of -1.5, -0.5, 0.5, 1.5: (-150 - 65 + 50 + 195) / 5
    assert brought(100, 130, 100, 130) == (pytest.approx(6), "steady")


def test_what_is_no_more_than_chance_is_steady():
    assert brought(100, 300, 50, 250, 90, 280, 120, 260)[1] == "steady"
    assert brought(100, 130, 100, 150, 160, 140, 190, 200)[1] == "rising"
    # by hand: x^2 sum 5, slope 20, residuals 10, -20, 10, 0 off the line: error sqrt(600 / 2 / 5) = 7.7, t 2.6 < 2.92
    assert brought(110, 100, 150, 160) == (pytest.approx(20), "steady")


def test_quarters_before_it_came_are_none_of_its_own_and_few_tell_nothing():
    assert brought(0, 0, 0, 0, 10, 20, 30, 40)[0] == pytest.approx(500 / 84)
    assert brought(0, 0, 0, 0, 10, 20, 30, 40, tenure=4 * QUARTER)[0] == pytest.approx(10)
    assert np.isnan(brought(10, 20, 30)[0]) and brought(10, 20, 30)[1] is None
    assert np.isnan(brought(10, 20, 30, 40, tenure=4 * QUARTER - 2)[0])


def many(quarters, season, tenure, n=400, seed=1):
    """The share of trends of customers that bring about the same, but for a season and noise of a tenth."""
    rng = np.random.default_rng(seed)
    usual = rng.lognormal(5, 1, n)[:, None] * np.asarray(quarters) * np.asarray(season)
    amounts = usual * rng.normal(1, 0.1, usual.shape)
    age = QUARTER * np.arange(8)[::-1] + QUARTER // 2
    row, tenure = np.repeat(np.arange(n), 8), np.broadcast_to(tenure, n).copy()
    kept = (np.tile(age, n) <= tenure[row]) & (amounts.ravel() != 0)
    found = classify(row[kept], np.tile(age, n)[kept], amounts.ravel()[kept], tenure)
    return found["value_trend"].value_counts(normalize=True)


def test_a_season_is_no_trend():
    season = [1.6, 1.2, 0.8, 0.4] * 2
    tenures = np.where(np.arange(400) < 200, 8 * QUARTER, 4 * QUARTER)
    told = many([1] * 8, season, tenures)
    assert told["steady"] > 0.85
    assert many([1] * 8, [1.5, 0.5, 0.5, 1.5] * 2, 8 * QUARTER)["steady"] > 0.85
    # a trend beside it is one
    assert many(np.linspace(1.4, 0.6, 8), season, 8 * QUARTER)["falling"] > 0.9
    # what happened once is no season: after a year of loss all have fallen
    assert many([1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2], [1] * 8, 8 * QUARTER)["falling"] > 0.9


def test_who_brought_about_nothing_does_not_make_the_season():
    """Quarters that cancel out have no usual one: divided by their mean, one customer would outweigh all others."""
    age = QUARTER * np.arange(8)[::-1] + QUARTER // 2
    steady = np.full((60, 8), 100.0)
    cancelled = 1e5 * np.array([[1, -1, 0, 0, 1, -1, 0, 0]]) + 0.01
    amounts = np.vstack([steady, cancelled])
    row = np.repeat(np.arange(61), 8)
    found = classify(row, np.tile(age, 61), amounts.ravel(), np.full(61, 8 * QUARTER))
    assert found["value_slope"][:60].abs().max() == 0


def test_older_quarters_than_eight_are_not_looked_at():
    assert brought(9000, 9000, *range(10, 90, 10)) == (pytest.approx(10), "rising")


@given(st.lists(st.integers(-500, 500), min_size=4, max_size=8), st.integers(1, 999))
def test_it_is_the_least_squares_line_in_any_currency(quarters, rate):
    slope, trend = brought(*quarters)
    assert slope == pytest.approx(np.polyfit(np.arange(len(quarters)), quarters, 1)[0], abs=1e-6)
    again = brought(*(each * rate / 7 for each in quarters))
    assert again[0] == pytest.approx(slope * rate / 7, abs=1e-6)
    turned = brought(*(-each for each in quarters))[1]
    assert turned == {"rising": "falling", "falling": "rising"}.get(trend, trend)
    assert (trend == "rising") <= (slope > 0) and (trend == "falling") <= (slope < 0)


def test_of_a_history_it_is_net_of_returns_in_what_value_is_measured_in():
    ages = [QUARTER * each + 40 for each in range(8)]
    parts = [
        orders_of(1, ages, [80, 70, 60, 50, 40, 30, 20, 10]),
        orders_of(1, [ages[0] - 1], -75.0),
        orders_of(2, ages, 50.0),
        orders_of(2, [730], 50.0),
        orders_of(1, [730], 50.0),
    ]
    table = features.build(history_of(*parts), AS_OF, Policy()).table.set_index("customer_id")
    expected = np.polyfit(np.arange(8), [10, 20, 30, 40, 50, 60, 70, 5], 1)[0]
    assert table.loc[1, "value_slope"] == pytest.approx(expected) and table.loc[1, "value_trend"] == "steady"
    assert table.loc[2, "value_trend"] == "steady"
    margins = [orders_of(3, ages, 100.0, [8, 7, 6, 5, 4, 3, 2, 1]), orders_of(3, [730], 100.0, 1.0)]
    table = features.build(history_of(*margins), AS_OF, Policy()).table
    assert table["value_slope"][0] == pytest.approx(1) and table["value_trend"][0] == "rising"
    assert set(pd.unique(table["value_trend"])) <= set(value_trend.TRENDS)
