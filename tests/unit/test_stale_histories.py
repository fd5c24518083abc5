"""A history that ends long before the day it is scored as of: every customer seems further gone than it is."""

import numpy as np
import pandas as pd
import pytest
from conftest import AS_OF, crowd, history_of, orders_of
from shops import TODAY, history_from, sales_of

from sync_worker.history import stale
from sync_worker.policy import Policy
from sync_worker.scoring.backtest import backtest


def told(days_ago, as_of=AS_OF):
    warnings = history_of(orders_of(1, days_ago)).until(as_of).warnings
    return [words for words in warnings if getattr(words, "code", "") == "orders_stale"]


def test_orders_that_end_long_before_the_day_are_told():
    (words,) = told(np.arange(40, 400, 5))
    assert words == (
        "The newest order is dated 2025-11-21, 40 days before 2025-12-31, though in the year before it no pause "
        "between days with orders was longer than 5 days: customers look further gone than they are if later orders "
        "are missing; add these, or choose an earlier day."
    )
    assert words.params == {"newest": "2025-11-21", "days": 40, "day": "2025-12-31", "pause": 5}


@pytest.mark.parametrize(
    ("days_ago", "stale"),
    [
        ([*range(30, 400, 5)], False),  # not more than thirty days
        ([*range(31, 400, 5)], True),
        ([*range(60, 400, 20)], False),  # not more than three times the longest pause
        ([*range(61, 400, 20)], True),
        ([*range(61, 400, 5), *range(900, 1200, 50)], True),  # pauses of years ago do not count,
        ([*range(61, 400, 5), 2000], True),  # nor one since a stray order of then
        ([*range(61, 200, 5), *range(240, 400, 5)], False),  # one pause of the year is enough
        ([61, 470], False),  # one day in the last year shows no pause
        ([900] * 3, False),
        ([*range(40, 400, 5), -1000], True),  # a stray date in the future does not hide it
    ],
)
def test_where_the_line_is(days_ago, stale):
    assert bool(told(np.array(days_ago))) == stale


@pytest.mark.parametrize("opens", [0, 5, -5])
@pytest.mark.parametrize("closed", [40, 200])
def test_a_shop_that_closes_for_a_season_is_not_stale_while_it_is_closed(opens, closed):
    """Open for three months of each year, which begin a little earlier or later."""
    season = np.arange(0, 92, 2)
    assert not told(np.concatenate([closed + season, closed + 365 + opens + season, closed + 730 + season]))


def test_nothing_is_said_of_no_orders():
    assert stale.warnings(pd.Series([], dtype="datetime64[s]"), AS_OF) == []


def test_the_last_day_of_the_history_is_never_late():
    history = history_of(crowd(40, seed=1))
    last = history.orders["date"].max()
    assert history.until(last).warnings == []


def test_a_backtest_tells_it_once():
    rng = np.random.default_rng(0)
    day = TODAY - 60 - rng.integers(0, 900, 4000)
    sales = sales_of(rng.integers(0, 200, 4000), day, np.full(4000, 10.0))
    past = backtest(history_from(sales), AS_OF, Policy(), cutoffs=1)
    assert sum("The newest order is dated" in words for words in past["warnings"]) == 1
