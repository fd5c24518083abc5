import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from leavers import Leavers, spend_model

from sync_worker.scoring.distribution import SalesDistribution, ValueDistribution
from sync_worker.scoring.forecast import Forecast
from sync_worker.scoring.rates import Rate
from sync_worker.scoring.situation import Situation

share = st.floats(0, 0.999)
spreads = st.sampled_from([0.25, 1.0, 2.2, 6.0])


def one(zero, mean, relative, shift=0.0, sign=1.0):
    values = (zero, mean - shift, mean, relative, sign)
    return ValueDistribution(*(np.array([value], dtype=float) for value in values))


def drawn(distribution, spread, count=200_000, seed=0):
    """What the only customer may be worth, simulated."""
    rng = np.random.default_rng(seed)
    relative = spread * distribution.relative[0]
    some = rng.gamma(1 / relative, distribution.mean[0] * relative, count)
    some -= distribution.mean[0] - distribution.size[0]
    return np.where(rng.random(count) < distribution.zero[0], 0.0, distribution.sign[0] * some)


@settings(max_examples=100)
@given(share, st.floats(1e-3, 1e7), st.floats(0.01, 9), spreads, st.floats(0, 4))
def test_the_interval_holds_what_lies_between_its_ends(zero, mean, relative, spread, times):
    assume(abs(zero - 0.8) > 1e-6)  # where the range ends at nothing, or just not
    distribution = one(zero, mean, relative)
    low, high = (end[0] for end in distribution.interval(spread))
    assert 0 <= low <= high < np.inf and high >= mean * (1 - zero)
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
    held = ((sales >= low) & (sales <= high)).mean()
    assert distribution.holds(sales, spread).mean() == pytest.approx(held, abs=1e-9)
    if high == pytest.approx(120 * (1 - zero)):  # where hardly anybody buys it ends at the expectation
        assert zero == 0.79 and held > 0.8
        return
    assert held == pytest.approx(0.8, abs=0.005)
    if zero < 0.1:
        assert (sales < low).mean() == pytest.approx(0.1, abs=0.005)
        assert low == pytest.approx(np.quantile(sales, 0.1), abs=2)
        assert high == pytest.approx(np.quantile(sales, 0.9), abs=4)
    else:
        assert low == 0
        assert high == pytest.approx(np.quantile(sales, 0.8), abs=4)


def test_who_hardly_buys_is_expected_to_buy_nothing():
    distribution = one(0.85, 120.0, 0.6)
    # nothing, but for the expectation
    assert [end[0] for end in distribution.interval(1.0)] == pytest.approx([0, 18])
    assert (
        distribution.holds(np.array([0.0]), 1.0).all() and not distribution.holds(np.array([18.1]), 1.0).any()
    )


def test_the_spread_is_a_factor_of_the_variance_and_leaves_the_mean():
    distribution = one(0.0, 50.0, 0.5)
    sales = drawn(distribution, 2.0)
    assert sales.mean() == pytest.approx(50, rel=0.01)
    assert sales.var() / sales.mean() ** 2 == pytest.approx(1.0, rel=0.03)
    for level, end in zip((0.1, 0.9), distribution.interval(2.0), strict=True):
        assert end[0] == pytest.approx(np.quantile(sales, level), rel=0.03)


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
    forecast = Forecast(Leavers(left), spend_model(p, shape))
    found = SalesDistribution.of(forecast, h * full, where)
    some = sales[orders > 0]
    assert found.zero[0] == pytest.approx((orders == 0).mean(), abs=0.005)
    assert found.orders[0] == pytest.approx(orders.mean(), rel=0.02)
    assert found.mean[0] == pytest.approx(some.mean(), rel=0.02)
    assert found.relative[0] == pytest.approx(some.var() / some.mean() ** 2, rel=0.06 if left else 0.03)
    low, high = found.worth(Rate(full, 0.0, full, full)).interval(1.0)
    assert ((sales >= low) & (sales <= high)).mean() == pytest.approx(0.8, abs=0.03)


def test_certain_customers_have_finite_ends():
    full, horizon = np.ones(3), np.array([60.0, 5.0, 400.0])
    where = Situation(9 * full, 200 * full, 200 * full, full, full, mean_spend=24 * full)
    for left in (0.0, 1.0):
        distribution = SalesDistribution.of(Forecast(Leavers(left), spend_model()), horizon, where)
        with np.errstate(all="raise", under="ignore"):
            ends = np.stack(distribution.worth(Rate(where.x / 9, 0.0, where.x, where.x)).interval(6.0))
        assert np.isfinite(ends).all() and (ends >= 0).all()


@settings(max_examples=200)
@given(share, st.floats(-3, 3), st.floats(0.01, 9), st.floats(0, 3), spreads, st.floats(-4, 4))
def test_what_may_be_a_loss_is_held_between_its_ends_too(zero, rate, relative, noise, spread, times):
    assume(abs(zero - 0.8) > 1e-6)  # where the range ends at nothing, or just not
    sales = SalesDistribution(*(np.array([value]) for value in (zero, 100.0, relative, 1.0)))
    worth = sales.worth(Rate(np.array([rate]), noise, np.array([50.0]), np.array([400.0])))
    low, high = (end[0] for end in worth.interval(spread))
    unit = 100 * (abs(rate) + np.sqrt(noise)) + 1e-9
    assert worth.expected[0] == pytest.approx(sales.expected[0] * rate)
    assert low <= worth.expected[0] <= high
    for value in (
        0.0,
        times * unit,
        low - 0.001 * unit,
        low + 0.001 * unit,
        high - 0.001 * unit,
        high + 0.001 * unit,
    ):
        if min(abs(value - low), abs(value - high)) < 1e-5 * unit:
            continue
        assert worth.holds(np.array([value]), spread)[0] == (low <= value <= high), (value, low, high)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("zero", [0.0, 0.05, 0.15, 0.5])
@pytest.mark.parametrize("shift", [0.0, 30.0, 90.0, 115.0])
def test_a_gamma_that_was_moved_is_held_four_times_in_five(zero, shift, sign):
    distribution = one(zero, 120.0, 0.3, shift, sign)
    value = drawn(distribution, 1.0)
    low, high = (end[0] for end in distribution.interval(1.0))
    held = (value >= low) & (value <= high)
    assert (distribution.holds(value, 1.0) == held).mean() > 0.9999
    assert held.mean() == pytest.approx(0.8, abs=0.006)
    if zero < 0.1:
        assert (value < low).mean() == pytest.approx(0.1, abs=0.006)


@pytest.mark.parametrize("rate", [0.3, 0.02, 0.0, -0.2])
@pytest.mark.parametrize("noise", [0.0, 0.01, 0.09])
def test_the_value_has_the_moments_of_orders_that_each_have_a_rate(rate, noise):
    """Two to nine orders of uneven amounts; the third cumulant is that of the sales at the mean rate."""
    rng = np.random.default_rng(3)
    count = rng.integers(2, 10, 60_000)
    amount = rng.gamma(2.0, 25.0, (len(count), 9)) * (np.arange(9) < count[:, None])
    sold = amount.sum(axis=1)
    value = (amount * (rate + np.sqrt(noise) * rng.standard_normal(amount.shape))).sum(axis=1)
    mean, relative = sold.mean(), sold.var() / sold.mean() ** 2
    found = SalesDistribution(*(np.array([v]) for v in (0.0, mean, relative, 5.5))).worth(
        # 25^2 * 2 * 3 over 50; learnt from so much that the customer's own rate is known
        Rate(np.array([rate]), noise, np.array([75.0]), np.array([1e12]))
    )
    assert found.sign[0] * found.size[0] == pytest.approx(rate * mean, abs=1e-6)
    assert found.relative[0] * found.mean[0] ** 2 == pytest.approx(value.var(), rel=0.02, abs=1e-9)
    if noise and rate:
        cumulant = 2 * found.relative[0] ** 2 * found.mean[0] ** 3
        told = max(2 * relative**2 * (mean * abs(rate)) ** 3, 2e-3 * value.std() ** 3)
        assert cumulant == pytest.approx(told, rel=0.04)
    if rate or noise:
        low, high = (end[0] for end in found.interval(1.0))
        # counts of orders are even from two to nine, which is not quite a gamma
        assert ((value >= low) & (value <= high)).mean() == pytest.approx(0.8, abs=0.05)


def test_not_knowing_the_rate_widens_the_range():
    sales = SalesDistribution(*(np.array([v]) for v in (0.0, 100.0, 0.5, 5.0)))
    rng = np.random.default_rng(4)
    rate = 0.3 + np.sqrt(0.04 * 60 / 80) * rng.standard_normal(400_000)
    sold = rng.gamma(2, 50, len(rate))
    found = sales.worth(Rate(np.array([0.3]), 0.04, np.array([60.0]), np.array([80.0])))
    told = rate * sold + np.sqrt(0.04 * 60 * sold) * rng.standard_normal(len(rate))
    assert found.relative[0] * found.mean[0] ** 2 == pytest.approx(told.var(), rel=0.02)
