import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import check_grad
from scipy.stats import beta

from sync_worker.scoring.transaction_models import ModifiedBetaGeoNBD, _Rows


def summary_in_weeks(path, end):
    table = pd.read_csv(path, sep=r"\s+", header=None, skiprows=1, dtype=str)
    table = pd.DataFrame({"c": table[0], "date": pd.to_datetime(table[1]), "amount": table[3].astype(float)})
    days = table[table["date"] <= end].groupby(["c", "date"], as_index=False)["amount"].sum()
    span = days.groupby("c")["date"].agg(["min", "max", "size"])
    first = days["c"].map(span["min"])
    return pd.DataFrame(
        {
            "x": span["size"] - 1.0,
            "t_x": (span["max"] - span["min"]).dt.days / 7,
            "T": (pd.Timestamp(end) - span["min"]).dt.days / 7,
            "zbar": days[days["date"] > first].groupby("c")["amount"].mean(),
        }
    )


def model_with(r, alpha, a, b):
    model = ModifiedBetaGeoNBD()
    model.r_, model.alpha_, model.a_, model.b_ = r, alpha, a, b
    return model


def simulate(parameters, *, n, first_window, h, seed=1):
    """The process itself: x, t_x in (0, first_window], orders in the next h, and whether alive."""
    r, alpha, a, b = parameters
    rng = np.random.default_rng(seed)
    rate, leave = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
    now, here = np.zeros(n), rng.random(n) >= leave
    x, t_x, later, alive = np.zeros(n), np.zeros(n), np.zeros(n), here.copy()
    while here.any():
        now = now + rng.exponential(1, n) / rate
        before, ahead = here & (now <= first_window), here & (now > first_window) & (now <= first_window + h)
        x, t_x, later = x + before, np.where(before, now, t_x), later + ahead
        goes = rng.random(n) < leave
        alive &= ~(before & goes)
        here = (before | ahead) & ~goes
    return x, t_x, later, alive


def test_golden_values_of_the_cdnow_tenth_sample(cdnow):
    data = pd.read_csv(cdnow / "cdnow_customers_summary_with_transactions.csv")
    model = ModifiedBetaGeoNBD().fit(data["x"], data["t_x"], data["T"])
    assert len(data) == 2357
    assert model.loglik_ == pytest.approx(-9582.14, abs=0.02)
    assert (model.r_, model.alpha_) == (pytest.approx(0.5248, abs=2e-4), pytest.approx(6.1831, abs=2e-3))
    assert (model.a_, model.b_) == (pytest.approx(0.8914, abs=5e-4), pytest.approx(1.6140, abs=2e-3))
    assert model.identified_


def test_golden_values_of_the_cdnow_master(cdnow):
    data = summary_in_weeks(cdnow / "CDNOW_master.txt", "1997-09-30")
    model = ModifiedBetaGeoNBD().fit(data["x"], data["t_x"], data["T"])
    assert len(data) == 23570
    assert model.loglik_ == pytest.approx(-95336.96, abs=0.02)
    assert (model.r_, model.alpha_) == (pytest.approx(0.6371, abs=2e-4), pytest.approx(7.3103, abs=1e-3))
    assert (model.a_, model.b_) == (pytest.approx(0.8075, abs=2e-4), pytest.approx(1.2284, abs=5e-4))


def test_hold_out_correlation_on_cdnow(cdnow):
    path = cdnow / "CDNOW_master.txt"
    data = summary_in_weeks(path, "1997-09-30")
    model = ModifiedBetaGeoNBD().fit(data["x"], data["t_x"], data["T"])
    later = summary_in_weeks(path, "1998-06-30").reindex(data.index)
    actual = later["x"] - data["x"]
    expected = model.expected_orders(39, data["x"], data["t_x"], data["T"])
    assert np.corrcoef(actual, expected)[0, 1] > 0.62


def test_gradient_is_that_of_finite_differences():
    rng = np.random.default_rng(3)
    x = rng.poisson(2, 200).astype(float)
    total = rng.uniform(1, 50, 200)
    rows = _Rows(x, np.where(x > 0, total * rng.random(200), 0), total, rng.integers(1, 5, 200).astype(float))
    for _ in range(10):
        at = rng.normal(0, 1.5, 4)
        error = check_grad(lambda p: rows.loglik(p)[0], lambda p: rows.loglik(p)[1], at, epsilon=1e-6)
        assert error < 1e-4 * max(1, np.abs(rows.loglik(at)[1]).max())


def test_probabilities_and_expectation_match_the_simulated_process():
    parameters = (0.8, 5.0, 0.9, 1.7)
    x, t_x, later, alive = simulate(parameters, n=400_000, first_window=40.0, h=20.0)
    model = model_with(*parameters)
    total = np.full(len(x), 40.0)
    none = model.p_no_purchase(20.0, x, t_x, total)
    expected = model.expected_orders(20.0, x, t_x, total)
    for low, high in ((0, 0), (1, 1), (2, 4), (5, 100)):
        group = (x >= low) & (x <= high)
        assert none[group].mean() == pytest.approx((later[group] == 0).mean(), abs=0.006)
        assert expected[group].mean() == pytest.approx(later[group].mean(), rel=0.02)
        assert model.p_alive(x, t_x, total)[group].mean() == pytest.approx(alive[group].mean(), abs=0.006)


def test_fit_recovers_the_parameters_of_the_process():
    x, t_x, _, _ = simulate((0.8, 5.0, 0.9, 1.7), n=50_000, first_window=40.0, h=1.0)
    model = ModifiedBetaGeoNBD().fit(x, t_x, np.full(len(x), 40.0))
    assert model.r_ == pytest.approx(0.8, rel=0.1)
    assert model.alpha_ == pytest.approx(5.0, rel=0.1)
    assert model.a_ / (model.a_ + model.b_) == pytest.approx(0.9 / 2.6, rel=0.1)


@pytest.mark.parametrize("parameters", [(0.5, 6, 0.9, 1.6), (2.0, 30, 1.0, 1.0), (5, 90, 20.0, 300.0)])
@pytest.mark.parametrize(("x", "t_x", "total", "h"), [(0, 0, 30, 10), (3, 20, 30, 500), (40, 29, 30, 60)])
def test_expected_orders_is_the_integral_over_the_dropout_probability(parameters, x, t_x, total, h):
    r, alpha, a, b = parameters
    model = model_with(*parameters)
    now = alpha + total

    def given_dropout(p):
        return (1 - (now / (now + p * h)) ** (r + x)) / p * beta.pdf(p, a, b + x + 1)

    integral = quad(given_dropout, 0, 1, limit=500, points=[1e-3, 1e-2, 0.1])[0]
    exact = model.p_alive(x, t_x, total) * integral
    assert model.expected_orders(h, x, t_x, total) == pytest.approx(exact, rel=1e-4)


log = st.floats(-12, 12)
customer = st.tuples(st.integers(0, 5000), st.floats(0, 1), st.floats(0, 5000))


@settings(max_examples=300, deadline=None)
@given(st.tuples(log, log, log, log), st.lists(customer, min_size=1, max_size=5), st.floats(0.01, 2000))
def test_extreme_inputs_never_give_nan(log_parameters, customers, h):
    model = model_with(*np.exp(log_parameters))
    x, share, total = (np.array(v, float) for v in zip(*customers, strict=True))
    t_x = np.where(x > 0, share * total, 0)
    alive, none = model.p_alive(x, t_x, total), model.p_no_purchase(h, x, t_x, total)
    expected = model.expected_orders(h, x, t_x, total)
    assert ((alive >= 0) & (alive <= 1)).all()
    assert ((none >= 0) & (none <= 1)).all()
    assert np.isfinite(expected).all() and (expected >= 0).all()


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 60), st.floats(1, 900), st.floats(1, 400))
def test_longer_silence_and_shorter_horizon_raise_the_probability_of_no_purchase(x, t_x, silence):
    model = model_with(0.64, 51.0, 0.81, 1.23)
    total = t_x + silence
    now = model.p_no_purchase(90, x, t_x, total)
    assert model.p_no_purchase(90, x, t_x, total + 1) >= now - 1e-12
    assert model.p_no_purchase(60, x, t_x, total) >= now
    assert model.expected_orders(60, x, t_x, total) <= model.expected_orders(90, x, t_x, total) + 1e-9


def test_grouping_and_weights_do_not_change_the_fit():
    rng = np.random.default_rng(5)
    x = rng.poisson(1, 300).astype(float)
    total = rng.integers(1, 60, 300).astype(float)
    t_x = np.where(x > 0, np.floor(total * rng.random(300)), 0)
    twice = ModifiedBetaGeoNBD().fit(np.tile(x, 2), np.tile(t_x, 2), np.tile(total, 2))
    weighted = ModifiedBetaGeoNBD().fit(x, t_x, total, sample_weight=np.full(300, 2))
    weeks = ModifiedBetaGeoNBD().fit(x, t_x / 7, total / 7, sample_weight=np.full(300, 2))
    assert weighted.loglik_ == pytest.approx(twice.loglik_, rel=1e-9)
    assert weighted.r_ == pytest.approx(twice.r_, rel=1e-4)
    assert weeks.alpha_ * 7 == pytest.approx(weighted.alpha_, rel=0.01)


def test_regular_buyers_who_never_leave_are_told_to_be_unidentified():
    x = np.full(200, 12.0)
    model = ModifiedBetaGeoNBD().fit(x, np.full(200, 360.0), np.full(200, 365.0))
    assert not model.identified_


@pytest.mark.parametrize(
    ("x", "t_x", "total", "words"),
    [
        ([], [], [], "no customer"),
        ([1], [1, 2], [3, 3], "same length"),
        ([1], [-1], [3], "not negative"),
        ([1], [5], [3], "greater"),
        ([np.nan], [1], [3], "finite"),
    ],
)
def test_bad_input_is_refused_in_words(x, t_x, total, words):
    with pytest.raises(ValueError, match=words):
        ModifiedBetaGeoNBD().fit(x, t_x, total)
