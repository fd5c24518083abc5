"""How often a customer buys, and when it is expected again."""

import numpy as np
import pandas as pd
import pytest
from conftest import AS_OF, orders_of
from hypothesis import given
from hypothesis import strategies as st
from monthly import MONTHLY, facts_of

from sync_worker.scoring import rhythm


def test_rhythm_is_the_customers_own_where_it_has_one():
    facts, rhythms = facts_of(*MONTHLY, orders_of(300, range(5, 400, 7)), orders_of(301, [90]))
    own = dict(zip(facts.table["customer_id"], rhythms.at(facts.days.last()).typical(), strict=True))
    assert own[300] == pytest.approx(7, rel=0.1)
    assert own[1] == pytest.approx(30, rel=0.05)
    assert own[301] == pytest.approx(30, rel=0.1)  # its peers'


def test_a_standing_order_is_known_to_come_by_the_clock():
    """Quarterly, a day more or less: two weeks late is gone or late, whatever other shops' customers do."""
    rng = np.random.default_rng(5)
    parts = [
        orders_of(customer, rng.integers(0, 80) + 91 * np.arange(8) + rng.integers(-1, 2, 8))
        for customer in range(1, 60)
    ]
    facts, rhythms = facts_of(*parts)
    last = rhythms.at(facts.days.last())
    assert last.typical() == pytest.approx(91, abs=1)
    assert (last.late() < 98).all() and (last.long() < 101).all()
    assert (last.sigma >= 0.05).all()  # week-ends and holidays shift even these


def next_orders(facts, own):
    table = facts.table
    silence, known = table["silence"].to_numpy(), (table["x"] > 0).to_numpy()
    return rhythm.expected_next_order(table["last_day"].to_numpy(), own, silence, known)


def test_expected_next_order_may_lie_in_the_past_and_is_missing_without_a_rhythm():
    facts, rhythms = facts_of(*MONTHLY, orders_of(300, range(60, 400, 7)), orders_of(301, [90]))
    dates = next_orders(facts, rhythms.at(facts.days.last()))
    dates.index = facts.table["customer_id"]
    assert dates.loc[300, "expected_next_order"] == AS_OF - pd.Timedelta(days=53)
    assert dates.loc[300, "expected_next_order_high"] < AS_OF
    assert dates.loc[301].isna().all()
    known = dates[dates["expected_next_order"].notna()]
    assert (known["expected_next_order_low"] <= known["expected_next_order"]).all()
    assert (known["expected_next_order"] <= known["expected_next_order_high"]).all()


def test_an_order_that_has_not_come_is_expected_as_gaps_that_outlasted_the_silence_ended():
    """Against gaps drawn from the rhythm."""
    gaps = np.exp(np.random.default_rng(1).normal(np.log(30), 0.4, 400_000))
    for silence in (0, 5, 20, 33, 49):
        own = rhythm.Rhythm(np.log([30.0]), np.array([0.4]), np.array([0.4]))
        found = rhythm.expected_next_order(np.array([0]), own, np.array([silence]), np.array([True]))
        days = [(date - pd.Timestamp(0)).days for date in found.iloc[0]]
        lasted = gaps[gaps > silence]
        for day, share in zip(days, (0.5, 0.1, 0.9), strict=True):
            assert day == pytest.approx(max(np.quantile(lasted, share), silence + 1), abs=0.75)
    # nine in ten gaps end by day 50: from then on it is when it had been due
    late = rhythm.expected_next_order(np.array([0]), own, np.array([51]), np.array([True]))
    assert [(date - pd.Timestamp(0)).days for date in late.iloc[0]] == [30, 18, 50]


@given(st.floats(0, 7), st.floats(0.05, 1.5), st.integers(0, 4000))
def test_what_is_not_overdue_is_expected_after_today(mu, sigma, silence):
    own = rhythm.Rhythm(np.array([mu]), np.array([sigma]), np.array([sigma]))
    with np.errstate(all="raise", under="ignore"):
        found = rhythm.expected_next_order(np.array([0]), own, np.array([silence]), np.array([True])).iloc[0]
    usual, low, high = [(date - pd.Timestamp(0)).days for date in found]
    assert low <= usual <= high
    assert (
        (low > silence) == (high > silence) == (silence <= max(np.rint(np.exp(mu + rhythm.Z90 * sigma)), 1))
    )
