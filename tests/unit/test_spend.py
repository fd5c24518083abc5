import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from purchases import summary_in_weeks
from scipy.optimize import check_grad

from sync_worker.scoring.spend import GammaGamma, _negative_loglik, _statistics


def test_golden_values_of_the_cdnow_tenth_sample(cdnow):
    data = pd.read_csv(cdnow / "cdnow_customers_summary_with_transactions.csv")
    repeat = data[data["x"] > 0]
    model = GammaGamma().fit(repeat["x"], repeat["zbar"])
    assert len(repeat) == 946
    assert model.p_ == pytest.approx(6.2496, rel=1e-3)
    assert model.q_ == pytest.approx(3.7442, rel=1e-3)
    assert model.gamma_ == pytest.approx(15.4435, rel=2e-3)


def test_golden_values_of_the_cdnow_master(cdnow):
    data = summary_in_weeks(cdnow / "CDNOW_master.txt", "1997-09-30")
    repeat = data[(data["x"] > 0) & (data["zbar"] > 0)]
    model = GammaGamma().fit(repeat["x"], repeat["zbar"])
    assert model.p_ == pytest.approx(6.275, abs=0.002)
    assert model.q_ == pytest.approx(3.624, abs=0.002)
    assert model.gamma_ == pytest.approx(14.984, abs=0.01)


def test_gradient_is_that_of_finite_differences():
    rng = np.random.default_rng(1)
    n, mean = rng.integers(1, 9, 100).astype(float), np.exp(rng.normal(0, 1, 100))
    given = _statistics(n, mean)
    for _ in range(5):
        at = rng.normal(0.5, 1, 3)
        error = check_grad(
            lambda p: _negative_loglik(p, given)[0], lambda p: _negative_loglik(p, given)[1], at
        )
        assert error < 1e-5 * max(1, np.abs(_negative_loglik(at, given)[1]).max())


def test_few_order_days_are_drawn_to_the_mean_of_all_and_many_speak_for_themselves():
    rng = np.random.default_rng(2)
    own = 30 / rng.gamma(4, 1 / 3, 3000)
    n = rng.integers(1, 10, 3000).astype(float)
    mean = rng.gamma(5 * n, own / 5 / n)
    model = GammaGamma().fit(n, mean)
    once, often = model.expected_spend([1, 400], [500.0, 500.0])
    assert model.population_mean_ < once < 0.8 * 500
    assert often == pytest.approx(500, rel=0.03)
    assert model.spread_ == pytest.approx(1 / np.sqrt(5), rel=0.1)


def test_result_does_not_depend_on_the_currency():
    rng = np.random.default_rng(3)
    n, mean = rng.integers(1, 10, 500).astype(float), np.exp(rng.normal(3, 0.6, 500))
    euro, yen = GammaGamma().fit(n, mean), GammaGamma().fit(n, mean * 160)
    assert yen.expected_spend(n, mean * 160) == pytest.approx(160 * euro.expected_spend(n, mean), rel=1e-6)


@pytest.mark.parametrize(
    ("n", "mean"),
    [
        ([2, 3], [10.0, 20.0]),  # too few
        ([5] * 100, [10.0] * 100),  # all equal
        ([1] * 200, list(np.random.default_rng(4).pareto(0.6, 200) + 1)),  # no mean
    ],
)
def test_falls_back_to_the_shrunken_mean_and_says_why(n, mean):
    model = GammaGamma().fit(n, mean)
    spend = model.expected_spend(n, mean)
    assert np.isfinite(spend).all() and (spend > 0).all()
    if model.fallback_:
        mu = np.mean(mean)
        assert spend == pytest.approx((np.array(n) * mean + 2 * mu) / (np.array(n) + 2))
    assert len(n) > 2 or "only 2 customers" in model.fallback_


def test_zero_and_negative_amounts_are_never_fitted():
    n, mean = np.full(40, 2.0), np.linspace(5, 50, 40)
    clean = GammaGamma().fit(n, mean)
    soiled = GammaGamma().fit([*n, 2, 2, 0], [*mean, 0.0, -5.0, 9.0])
    assert soiled.population_mean_ == clean.population_mean_
    with pytest.raises(ValueError, match="positive spend"):
        GammaGamma().fit([1], [-3.0])


def test_fit_recovers_the_parameters_of_the_process():
    p, q, gamma = 4.0, 3.5, 15.0
    rng = np.random.default_rng(5)
    n = rng.integers(1, 8, 20_000).astype(float)
    mean = rng.gamma(p * n, 1 / (n * rng.gamma(q, 1 / gamma, len(n))))
    model = GammaGamma().fit(n, mean)
    assert (model.p_, model.q_, model.gamma_) == pytest.approx((p, q, gamma), rel=0.08)
    assert model.population_mean_ == pytest.approx(p * gamma / (q - 1), rel=0.03)


amount = st.floats(1e-9, 1e12)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 5000), amount), min_size=3, max_size=6), amount)
def test_extreme_amounts_never_give_nan(customers, other):
    n, mean = (np.tile(np.array(v, float), 12) for v in zip(*customers, strict=True))
    model = GammaGamma().fit(n, mean)
    spend = model.expected_spend([*n, 1.0, 5000.0], [*mean, other, other])
    assert np.isfinite(spend).all() and (spend > 0).all()
    assert all(np.isfinite(part).all() and (part > 0).all() for part in model.relative_variances(n))
    # between what the customer and what all spend
    low, high = np.minimum(mean, model.population_mean_), np.maximum(mean, model.population_mean_)
    assert (spend[:-2] >= low * (1 - 1e-6)).all() and (spend[:-2] <= high * (1 + 1e-6)).all()
