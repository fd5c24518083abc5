import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_worker.scoring.forecast import Forecast
from sync_worker.scoring.situation import Situation
from sync_worker.scoring.spend import GammaGamma
from sync_worker.scoring.value import Prospects, SalesDistribution, expected_value

share = st.floats(0, 0.999)
spreads = st.sampled_from([0.25, 1.0, 2.2, 6.0])


def one(zero, mean, relative):
    return SalesDistribution(*(np.array([value], dtype=float) for value in (zero, mean, relative, 1.0)))


def drawn(distribution, spread, count=200_000, seed=0):
    """Sales of the only customer, simulated."""
    rng = np.random.default_rng(seed)
    relative = spread * distribution.relative[0]
    sales = rng.gamma(1 / relative, distribution.mean[0] * relative, count)
    return np.where(rng.random(count) < distribution.zero[0], 0.0, sales)


@settings(max_examples=100)
@given(share, st.floats(1e-3, 1e7), st.floats(0.01, 9), spreads, st.floats(0, 4))
def test_the_interval_holds_what_lies_between_its_ends(zero, mean, relative, spread, times):
    distribution = one(zero, mean, relative)
    low, high = (end[0] for end in distribution.interval(spread))
    assert 0 <= low <= high < np.inf
    for sales in (0.0, times * mean, low * 0.999, low * 1.001, high * 0.999, high * 1.001):
        if min(abs(sales - low), abs(sales - high)) < 1e-6 * mean and (sales or low):
            continue  # on an end, but for nothing at all
        held = distribution.holds(np.array([sales]), spread)[0]
        assert held == (low <= sales <= high), (sales, low, high)


@pytest.mark.parametrize("zero", [0.0, 0.05, 0.099, 0.1, 0.3, 0.5, 0.79])
@pytest.mark.parametrize("spread", [0.4, 1.0, 3.0])
def test_the_interval_holds_four_in_five(zero, spread):
    distribution = one(zero, 120.0, 0.6)
    low, high = (end[0] for end in distribution.interval(spread))
    sales = drawn(distribution, spread)
    assert ((sales >= low) & (sales <= high)).mean() == pytest.approx(0.8, abs=0.005)
    assert distribution.holds(sales, spread).mean() == pytest.approx(0.8, abs=0.005)
    if zero < 0.1:
        assert (sales < low).mean() == pytest.approx(0.1, abs=0.005)
        assert low == pytest.approx(np.quantile(sales, 0.1), abs=2)
        assert high == pytest.approx(np.quantile(sales, 0.9), abs=4)
    else:
        assert low == 0
        assert high == pytest.approx(np.quantile(sales, 0.8), abs=4)


def test_who_hardly_buys_is_expected_to_buy_nothing():
    distribution = one(0.85, 120.0, 0.6)
    assert [end[0] for end in distribution.interval(1.0)] == [0, 0]
    assert (
        distribution.holds(np.array([0.0]), 1.0).all() and not distribution.holds(np.array([1.0]), 1.0).any()
    )


def test_the_spread_is_a_factor_of_the_variance_and_leaves_the_mean():
    distribution = one(0.0, 50.0, 0.5)
    sales = drawn(distribution, 2.0)
    assert sales.mean() == pytest.approx(50, rel=0.01)
    assert sales.var() / sales.mean() ** 2 == pytest.approx(1.0, rel=0.03)
    for level, end in zip((0.1, 0.9), distribution.interval(2.0), strict=True):
        assert end[0] == pytest.approx(np.quantile(sales, level), rel=0.03)


class Rate:
    """Order-days with a rate Gamma(1 + x, T), of customers who have left with the probability `left`."""

    name = words = "rate"

    def __init__(self, left):
        self.left = left

    def p_alive(self, s):
        return np.full(len(s), 1 - self.left)

    def p_no_purchase(self, h, s):
        return 1 - (1 - self.left) * (1 - (s.T / (s.T + h)) ** (1 + s.x))

    def expected_orders(self, h, s):
        return (1 - self.left) * (1 + s.x) * h / s.T


def spend_model(p=4.0, shape=25.0, n=10.0):
    """Amounts Gamma(p) around means that are inverse Gamma(shape) with a mean of 40."""
    model = GammaGamma()
    model.p_, model.q_, model.fallback_ = p, shape - p * n, ""
    model.population_mean_, model.gamma_ = 40.0, 0.0
    return model


@pytest.mark.parametrize(("left", "p", "shape"), [(0.0, 4.0, 25.0), (0.5, 4.0, 25.0), (0.0, 1.0, 9.0)])
def test_the_distribution_has_the_mean_and_variance_of_the_process(left, p, shape):
    rng = np.random.default_rng(1)
    n, h, x, tenure = 400_000, 60.0, 9.0, 200.0
    rate = rng.gamma(1 + x, 1 / tenure, n)
    alive = rng.random(n) >= left
    orders = np.where(alive, rng.poisson(rate * h), 0)
    own = 40 * (shape - 1) / rng.gamma(shape, 1, n)
    sales = np.where(orders > 0, rng.gamma(np.maximum(p * orders, 1), own / p), 0)
    full = np.ones(1)
    where = Situation(
        x * full, tenure * full, tenure * full, full, full, mean_spend=4 * (shape - 1) / p * full
    )
    forecast = Forecast(Rate(left), spend_model(p, shape))
    found = SalesDistribution.of(forecast, h * full, where)
    some = sales[orders > 0]
    assert found.zero[0] == pytest.approx((orders == 0).mean(), abs=0.005)
    assert found.orders[0] == pytest.approx(orders.mean(), rel=0.02)
    assert found.mean[0] == pytest.approx(some.mean(), rel=0.02)
    assert found.relative[0] == pytest.approx(some.var() / some.mean() ** 2, rel=0.06 if left else 0.03)
    low, high = found.interval(1.0)
    assert ((sales >= low) & (sales <= high)).mean() == pytest.approx(0.8, abs=0.03)


@pytest.fixture
def customers():
    full = np.ones(3)
    where = Situation(9 * full, 200 * full, 200 * full, full, full, mean_spend=24 * full)
    return Forecast(Rate(0.02), spend_model(), spread=1.5), np.array([60.0, 5.0, 400.0]), where


def test_expected_value_is_sales_less_returns_and_costs(customers):
    forecast, horizon, where = customers
    money = Prospects(np.full(3, 40.0), np.array([0.5, 0.25, -0.1]))
    told = expected_value(horizon, forecast, where, money)
    sales = forecast.expected_sales(horizon, where)
    none, orders = forecast.outlook(horizon, where)
    assert told["churn_probability"].to_numpy() == pytest.approx(none)
    assert told["expected_orders"].to_numpy() == pytest.approx(orders)
    assert told["expected_value"].to_numpy() == pytest.approx(sales * money.rate)
    ends = np.stack(SalesDistribution.of(forecast, horizon, where).interval(1.5)) * money.rate
    assert told["expected_value_low"][0] == pytest.approx(ends[0, 0])
    assert told["expected_value_high"][0] == pytest.approx(ends[1, 0])
    # who costs money costs the more the more it buys
    assert told["expected_value_low"][2] == pytest.approx(ends[1, 2])
    assert (told["expected_value_low"] <= told["expected_value"]).all()
    assert (told["expected_value"] <= told["expected_value_high"]).all()


def test_the_interval_never_leaves_out_the_expected_value(customers):
    _forecast, horizon, where = customers
    left = Forecast(Rate(0.97), spend_model())
    told = expected_value(horizon, left, where, Prospects(np.full(3, 40.0), np.ones(3)))
    assert (told["expected_value"] > 0).all() and (told["expected_value_low"] == 0).all()
    assert told["expected_value_high"].tolist() == told["expected_value"].tolist()


def test_certain_customers_have_finite_ends(customers):
    _forecast, horizon, where = customers
    for left in (0.0, 1.0):
        distribution = SalesDistribution.of(Forecast(Rate(left), spend_model()), horizon, where)
        with np.errstate(all="raise", under="ignore"):
            ends = np.stack(distribution.interval(6.0))
        assert np.isfinite(ends).all() and (ends >= 0).all()


def test_worth():
    money = Prospects(np.array([40.0]), np.array([0.25]))
    assert money.worth(np.array([3.0])).tolist() == [30]
