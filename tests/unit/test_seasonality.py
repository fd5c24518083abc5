import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shops import TODAY, past_of, shop

from sync_worker.scoring import metrics, seasonality
from sync_worker.scoring.features import Sales
from sync_worker.scoring.forecast import of_base
from sync_worker.scoring.outliers import shared_total
from sync_worker.scoring.seasonality import NO_SEASON, Season, _shrunk, learn

HORIZON = 60
#: Christmas comes right after this day.
DAY = TODAY - HORIZON


class Christmas:
    """Twice as many orders in a horizon of each year."""

    def __init__(self, most):
        self.most = most

    def __call__(self, days):
        return np.where((days - DAY - 1) % 365 < HORIZON, self.most, 1.0)


@pytest.fixture(scope="module", params=[1.7, 2.2])
def seasonal(request):
    sales = shop(500, seed=1, gap=40.0, leave=0.05, busy=Christmas(request.param))
    return request.param, past_of(sales, today=DAY, horizon=HORIZON)


def test_a_christmas_of_known_size_is_found(seasonal):
    factor, past = seasonal
    found = learn(past, DAY)
    assert found.orders == pytest.approx(np.log(factor), rel=0.25)
    assert found.days == HORIZON


def test_the_season_brings_total_and_probabilities_nearer_to_what_came(seasonal):
    _factor, past = seasonal
    snapshot, base = past.moment(DAY)
    came = past.outcome(snapshot, HORIZON)
    errors, bias = [], []
    for season in (NO_SEASON, learn(past, DAY)):
        forecast = of_base(base, "mbg_nbd", season)
        probability = forecast.p_no_purchase(HORIZON, snapshot.situation)
        errors.append(metrics.expected_calibration_error(came.churned, probability))
        _none, orders = forecast.outlook(HORIZON, snapshot.situation)
        bias.append(np.log(orders.sum() / came.orders.sum()))
    assert bias[0] < -0.4 and abs(bias[1]) < 0.25
    assert errors[1] < 0.7 * errors[0]


def test_the_season_is_that_of_the_horizon_ahead(seasonal):
    """Just after a Christmas the year ago was quiet: there is no season of more orders to come."""
    _factor, past = seasonal
    assert learn(past, DAY - HORIZON).orders < 0.1


def test_a_shop_without_season_gets_about_none():
    found = []
    for seed in range(8):
        past = past_of(shop(300, seed=seed, gap=40.0, leave=0.05), today=DAY, horizon=HORIZON)
        found.append(abs(learn(past, DAY).orders))
    assert np.median(found) < 0.01 and max(found) < 0.1


def test_what_comes_after_the_day_teaches_nothing(seasonal):
    _factor, past = seasonal
    sales = past.sales
    changed = Sales(sales.row, sales.day, np.where(sales.day > DAY, -1.0, sales.amount))
    expected = learn(past, DAY).orders
    assert learn(past_of(changed, today=DAY, horizon=HORIZON), DAY).orders == expected


def test_a_history_that_does_not_see_the_year_before_gets_none():
    past = past_of(shop(300, seed=1, gap=40.0, busy=Christmas(2.2), span=365 + 20), horizon=HORIZON)
    assert learn(past, TODAY) is NO_SEASON
    late = past_of(shop(300, seed=1, gap=40.0, leave=0, span=365 + 100), horizon=180)
    # 365 + 90 days would do for the year before, but nothing else tells how much errors vary
    assert learn(late, TODAY) is NO_SEASON


def test_errors_that_overlap_the_year_ago_horizon_do_not_speak_against_it(monkeypatch):
    past = past_of(shop(80, seed=1, gap=40.0, leave=0, span=900), horizon=HORIZON)
    asked = []

    def error(_past, day):
        asked.append(day)
        return (0.7, -0.4) if abs(day - (TODAY - 365)) < HORIZON else (0.0, 0.0)

    monkeypatch.setattr(seasonality, "_error", error)
    monkeypatch.setattr(seasonality, "cutoffs", lambda *_: [TODAY - 60 * k for k in range(1, 7)])
    # of six cut-offs the last one, 360 days ago, is left out
    found = learn(past, TODAY)
    assert found.orders == pytest.approx(_shrunk(0.7, np.zeros(5)))
    assert found.sales == pytest.approx(_shrunk(-0.4, np.zeros(5)))
    assert set(asked) == {TODAY - 365, *(TODAY - 60 * k for k in range(1, 7))}


def test_the_errors_are_what_meets_the_orders_and_the_sales_that_came():
    past = past_of(shop(200, seed=3), today=DAY, horizon=HORIZON)
    snapshot, base = past.moment(DAY)
    orders = base.expected_orders(float(HORIZON), snapshot.situation)
    sales = orders * base.expected_spend(snapshot.situation)
    came = past.outcome(snapshot, HORIZON)
    missed = np.exp(seasonality._error(past, DAY))
    told, found = (
        [shared_total(one) for one in each] for each in ((orders, sales), (came.orders, came.sales))
    )
    assert np.array(told) * missed == pytest.approx(found)
    assert told == pytest.approx([orders.sum(), sales.sum()], rel=0.05)


def test_shrinkage_by_hand():
    # spread is at least .05: 4 * .0025 * 1.25 = .0125 of .25
    assert _shrunk(0.5, np.zeros(4)) == pytest.approx(0.5 * (1 - 0.0125 / 0.25))
    assert _shrunk(-0.4, np.full(4, 0.1)) == pytest.approx(-0.5 * 0.95)
    # errors of -.3 and .3 vary by .18 around nothing
    assert _shrunk(0.5, np.array([-0.3, 0.3])) == 0
    assert _shrunk(0.1, np.full(3, 0.1)) == 0
    assert _shrunk(9.0, np.zeros(4)) == 1 and _shrunk(-9.0, np.zeros(4)) == -1


@given(st.floats(0.01, 1), st.floats(0, 1), st.floats(-1, 1), st.floats(0, 1))
def test_probabilities_in_season(alive, silent, factor, more):
    alive, silent = np.array([alive]), np.array([silent])
    none = 1 - alive * (1 - silent)
    found = Season(factor).probability(none, alive, HORIZON)
    assert ((found >= 1 - alive - 1e-9) & (found <= 1)).all()
    assert NO_SEASON.probability(none, alive, HORIZON) == pytest.approx(none, abs=1e-9)
    # who is alive for sure orders at a rate that is so many times as high
    assert Season(factor).probability(silent, np.ones(1), HORIZON) == pytest.approx(
        np.maximum(silent, 1e-12) ** np.exp(factor), abs=1e-9
    )
    busier = Season(factor + more).probability(none, alive, HORIZON)
    assert (busier <= found + 1e-9).all()


def test_a_p_alive_below_the_chance_of_a_purchase_is_no_trouble():
    found = Season(0.5).probability(np.array([0.2, 0.0, 1.0]), np.array([0.1, 0.0, 0.0]), HORIZON)
    assert ((found >= 0) & (found <= 1)).all() and found[0] < 0.25


def test_orders_and_sales_have_seasons_of_their_own():
    past = past_of(shop(200, seed=3), today=DAY, horizon=HORIZON)
    snapshot, base = past.moment(DAY)
    usual, busy = (of_base(base, "mbg_nbd", season) for season in (NO_SEASON, Season(np.log(2), np.log(3))))
    orders = [forecast.outlook(HORIZON, snapshot.situation)[1] for forecast in (usual, busy)]
    sales = [forecast.expected_sales(HORIZON, snapshot.situation) for forecast in (usual, busy)]
    assert orders[1] == pytest.approx(2 * orders[0])
    assert sales[1] == pytest.approx(3 * sales[0])


def test_a_season_ends_with_the_horizon_it_was_learnt_for():
    """Of a format with twice the horizon, half is as usual; a part of it is all in season."""
    past = past_of(shop(200, seed=3), today=DAY, horizon=HORIZON)
    snapshot, base = past.moment(DAY)
    s, h = snapshot.situation, np.array([HORIZON / 2, HORIZON, 2 * HORIZON, 8 * HORIZON])
    season = Season(np.log(2), np.log(3), days=HORIZON)
    assert season.orders_factor(h) == pytest.approx([2, 2, 1.5, 1.125])
    assert season.sales_factor(h) == pytest.approx([3, 3, 2, 1.25])
    usual, busy = (of_base(base, "mbg_nbd", each) for each in (NO_SEASON, season))
    for days, orders, sales in ((HORIZON, 2, 3), (2 * HORIZON, 1.5, 2)):
        assert busy.outlook(days, s)[1] == pytest.approx(orders * usual.outlook(days, s)[1])
        assert busy.expected_sales(days, s) == pytest.approx(sales * usual.expected_sales(days, s))
        alive = np.maximum(usual.p_alive(s), 1 - usual.p_no_purchase(days, s))
        silent = np.clip(1 - (1 - usual.p_no_purchase(days, s)) / alive, 1e-12, 1)
        assert busy.p_no_purchase(days, s) == pytest.approx(1 - alive * (1 - silent**orders), abs=1e-9)
        assert (busy.correction(days, s, busy.expected_sales(days, s))).tolist() == pytest.approx(
            usual.correction(days, s, usual.expected_sales(days, s)).tolist()
        )


@pytest.mark.parametrize("horizon", [300, 540, 700])
def test_nothing_later_than_the_day_is_looked_at(horizon):
    """A horizon longer than a year is compared with that of two years before: one year ago its end is not known yet."""
    sales = shop(300, seed=2, span=2600, gap=60.0, leave=0.05)
    later = sales.day > DAY
    changed = Sales(sales.row, sales.day, np.where(later, 9 * sales.amount, sales.amount))
    kept = ~later | (sales.row % 3 == 0)
    thinned = Sales(sales.row[kept], sales.day[kept], changed.amount[kept])
    seasons = [learn(past_of(each, today=TODAY, horizon=horizon), DAY) for each in (sales, thinned)]
    assert seasons[0] == seasons[1]
