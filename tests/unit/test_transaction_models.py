"""What holds for every transaction model: fitting, predicting, limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from purchases import PARAMETERS, futures, model_with, simulate
from scipy.optimize import check_grad
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sync_worker.scoring.transaction_models import ErlangModifiedBetaGeoNBD, ModifiedBetaGeoNBD
from sync_worker.scoring.transaction_models.rows import Rows

every_model = pytest.mark.parametrize("name", PARAMETERS)


def some_rows(seed=3, n=200, weight=True):
    rng = np.random.default_rng(seed)
    x, total = rng.poisson(2, n).astype(float), rng.uniform(1, 50, n)
    total[:5] = 20.0
    t_x = np.where(x > 0, total * rng.random(n), 0)
    t_x[:5] = np.where(x[:5] > 0, 20.0, 0)  # bought on the last day
    return Rows(x, t_x, total, rng.integers(1, 5, n).astype(float) if weight else None, 1.0)


@every_model
def test_gradient_is_that_of_finite_differences(name):
    model, rows, rng = model_with(name), some_rows(), np.random.default_rng(4)
    for _ in range(10):
        at = rng.normal(0, 1.5, 4)
        error = check_grad(
            lambda p: model._loglik(rows, p)[0], lambda p: model._loglik(rows, p)[1], at, epsilon=1e-6
        )
        assert error < 1e-4 * max(1, np.abs(model._loglik(rows, at)[1]).max())


@every_model
@pytest.mark.parametrize(("x", "t_x", "total", "h"), [(0, 0, 9, 12), (2, 11, 14, 8), (6, 30, 45, 30)])
def test_predictions_are_what_simulated_customers_with_this_history_do(name, x, t_x, total, h):
    model = model_with(name)
    count, alive, none, orders, spread = futures(model, x, t_x, total, h)
    assert count > 5_000
    near = 4.5 * np.sqrt(0.25 / count)
    assert model.p_alive(x, t_x, total) == pytest.approx(alive, abs=near)
    assert model.p_no_purchase(h, x, t_x, total) == pytest.approx(none, abs=near)
    assert model.expected_orders(h, x, t_x, total) == pytest.approx(orders, abs=4.5 * spread / np.sqrt(count))


@every_model
def test_no_purchase_is_the_likelihood_of_a_longer_silence(name):
    """P(no purchase in h | x, t_x, T) = L(x, t_x, T + h) / L(x, t_x, T), whatever the model."""
    model = model_with(name)
    log_parameters = np.log([getattr(model, f"{key}_") for key in PARAMETERS[name][1] if key != "k"])
    for x, t_x, total in [(0, 0, 9), (1, 0.5, 60), (7, 30, 31), (40, 38, 40)]:
        now, then = (
            model._loglik(
                Rows(np.array([float(x)]), np.array([t_x]), np.array([end]), None, 1.0), log_parameters
            )[0]
            for end in (float(total), total + 15.0)
        )
        assert model.p_no_purchase(15, x, t_x, total) == pytest.approx(np.exp(then - now), rel=1e-8)


@pytest.mark.parametrize(("name", "within"), [("bg", 0.1), ("mbg", 0.1), ("erlang", 0.1), ("pareto", 0.15)])
def test_fit_recovers_the_parameters_of_the_process(name, within):
    true = model_with(name)
    x, t_x, log_gaps = simulate(true, 30_000, 40.0)
    model = clone(true)
    more = {"sum_log_gaps": log_gaps} if name == "erlang" else {}
    model.fit(x, t_x, np.full(len(x), 40.0), **more)
    assert model.identified_
    assert model.r_ == pytest.approx(true.r_, rel=within)
    assert model.alpha_ == pytest.approx(true.alpha_, rel=within)
    if name == "pareto":
        assert model.s_ / model.beta_ == pytest.approx(true.s_ / true.beta_, rel=within)
    else:
        assert model.a_ / (model.a_ + model.b_) == pytest.approx(true.a_ / (true.a_ + true.b_), rel=within)
    ahead = model.expected_orders(20, x, t_x, 40.0)
    assert ahead == pytest.approx(true.expected_orders(20, x, t_x, 40.0), rel=0.2, abs=0.02)


log = st.floats(-12, 12)
customer = st.tuples(st.integers(0, 5000), st.floats(0, 1), st.floats(0, 5000))


@every_model
@settings(max_examples=80)
@given(st.tuples(log, log, log, log), st.lists(customer, min_size=1, max_size=5), st.floats(0, 2000))
def test_extreme_inputs_never_give_nan(name, log_parameters, customers, h):
    keys = [key for key in PARAMETERS[name][1] if key != "k"]
    model = model_with(name, **dict(zip(keys, np.exp(log_parameters), strict=True)))
    x, share, total = (np.array(v, float) for v in zip(*customers, strict=True))
    t_x = np.where(x > 0, share * total, 0)
    alive, none = model.p_alive(x, t_x, total), model.p_no_purchase(h, x, t_x, total)
    expected = model.expected_orders(h, x, t_x, total)
    assert ((alive >= 0) & (alive <= 1)).all()
    assert ((none >= 0) & (none <= 1)).all()
    assert (model.p_no_purchase(h + 10, x, t_x, total) <= none + 1e-6).all()
    assert np.isfinite(expected).all() and (expected >= 0).all()
    value, gradient = model._loglik(Rows(x, t_x, total, None, 1.0), np.array(log_parameters))
    assert np.isfinite(value) and np.isfinite(gradient).all()


@every_model
@settings(max_examples=60)
@given(st.integers(0, 60), st.floats(1, 900), st.floats(1, 400))
def test_a_longer_horizon_brings_more_orders_and_a_longer_silence_fewer_buyers(name, x, t_x, silence):
    model = model_with(name)
    t_x = t_x if x else 0.0
    total = t_x + silence
    now = model.p_no_purchase(90, x, t_x, total)
    assert model.p_no_purchase(60, x, t_x, total) >= now
    assert model.p_alive(x, t_x, total + 1) <= model.p_alive(x, t_x, total) + 1e-12
    assert model.expected_orders(60, x, t_x, total) <= model.expected_orders(90, x, t_x, total) + 1e-9
    # at least one order is expected as often as one is made
    assert model.expected_orders(90, x, t_x, total) >= 1 - now - 1e-9
    if name != "erlang":  # silence first makes the next order due there
        assert model.p_no_purchase(90, x, t_x, total + 1) >= now - 1e-12


@every_model
def test_nothing_ahead_and_single_customers(name):
    model = model_with(name)
    assert model.p_no_purchase(0, [0, 3], [0, 5.0], [9, 9.0]) == pytest.approx(1)
    assert model.expected_orders(0, [0, 3], [0, 5.0], [9, 9.0]) == pytest.approx(0)
    assert np.shape(model.p_alive(3, 5.0, 9.0)) == ()
    assert model.p_alive([], [], []).shape == (0,)
    many = model.expected_orders([[5.0], [9.0]], [0, 3, 4], [0, 5.0, 6.0], 9.0)
    assert many.shape == (2, 3)
    assert many[1, 2] == pytest.approx(float(model.expected_orders(9.0, 4, 6.0, 9.0)))


@every_model
def test_grouping_weights_and_units_do_not_change_the_fit(name):
    true = model_with(name)
    x, t_x, _ = simulate(true, 1500, 40.0, seed=5)
    t_x, total = np.ceil(t_x * 7), np.full(len(x), 280.0) + np.arange(len(x)) % 9  # days, so rows are grouped
    once = clone(true).fit(x, t_x, total)
    twice = clone(true).fit(np.tile(x, 2), np.tile(t_x, 2), np.tile(total, 2))
    weighted = clone(true).fit(x, t_x, total, sample_weight=np.full(len(x), 2))
    weeks = clone(true).fit(x, t_x / 7, total / 7)  # not whole, so not grouped
    shuffled = np.random.default_rng(6).permutation(len(x))
    again = clone(true).fit(x[shuffled], t_x[shuffled], total[shuffled])
    for model in (twice, weighted):
        assert model.loglik_ == pytest.approx(2 * once.loglik_, rel=1e-9)
        assert (model.r_, model.alpha_) == pytest.approx((once.r_, once.alpha_), rel=1e-3)
    assert twice.n_customers_ == weighted.n_customers_ == 2 * len(x)
    assert again.loglik_ == pytest.approx(once.loglik_, rel=1e-9)
    assert weeks.loglik_ == pytest.approx(once.loglik_ + np.log(7) * x.sum(), rel=1e-8)
    assert weeks.alpha_ * 7 == pytest.approx(once.alpha_, rel=1e-3)


@every_model
def test_a_fit_that_starts_from_a_sample_ends_where_the_full_one_does(name):
    x, t_x, _ = simulate(model_with(name), 6000, 40.0, seed=7)
    total = np.full(len(x), 40.0)
    kind = type(model_with(name))
    whole, started = kind().fit(x, t_x, total), kind(sample=1000).fit(x, t_x, total)
    assert started.loglik_ == pytest.approx(whole.loglik_, rel=1e-10)
    assert started.expected_orders(9, x, t_x, total) == pytest.approx(
        whole.expected_orders(9, x, t_x, total), rel=2e-3
    )


@every_model
def test_the_number_of_blocks_does_not_change_likelihood_or_predictions(name):
    whole, pieces, rows = model_with(name), model_with(name), some_rows()
    pieces._block = 7
    at = np.array([0.1, 0.5, -0.3, 0.4])
    for one, other in zip(whole._loglik(rows, at), pieces._loglik(rows, at), strict=True):
        assert one == pytest.approx(other, rel=1e-10)
    x = rows.distinct[rows.where]
    assert np.array_equal(
        pieces.p_no_purchase(9, x, rows.t_x, rows.T), whole.p_no_purchase(9, x, rows.t_x, rows.T)
    )


@every_model
def test_regular_buyers_who_never_leave_are_told_to_be_unidentified(name):
    model = type(model_with(name))()
    assert not model.fit(np.full(200, 12.0), np.full(200, 360.0), np.full(200, 365.0)).identified_
    # and where the sample is at the bound too
    assert (
        not clone(model)
        .set_params(sample=50)
        .fit(np.full(200, 12.0), np.full(200, 360.0), 365.0 + np.arange(200))
        .identified_
    )


@every_model
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("parameters", [{}, {"sample": 5}, {"penalty": 0.01}])
@pytest.mark.parametrize(
    ("x", "t_x", "total"),
    [
        ([0], [0], [0]),
        ([3], [5], [9]),
        ([0] * 50, [0] * 50, [0] * 50),
        ([0] * 50, [0] * 50, list(range(50))),
        ([5000] * 40, [4900.0] * 40, [5000.0] * 40),
        ([1, 0, 2] * 20, [1e-7, 0, 2e-7] * 20, [1e-6] * 60),
        ([1, 0, 2] * 20, [1e9, 0, 2e9] * 20, [1e10] * 60),
        ([2] * 30, [0] * 30, [10] * 30),
        ([1, 2, 3] * 30, [1, 2, 3] * 30, [1000] * 90),
    ],
)
def test_poor_data_are_fitted_without_a_warning_or_nan(name, parameters, x, t_x, total):
    model = PARAMETERS[name][0](**parameters).fit(x, t_x, total)
    assert np.isfinite(model.loglik_)
    assert np.isfinite(model.p_alive(x, t_x, total)).all()
    assert np.isfinite(model.p_no_purchase(90, x, t_x, total)).all()
    assert np.isfinite(model.expected_orders(90, x, t_x, total)).all()


@every_model
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
def test_bad_input_is_refused_in_words(name, x, t_x, total, words):
    with pytest.raises(ValueError, match=words):
        PARAMETERS[name][0]().fit(x, t_x, total)


@pytest.mark.parametrize("weight", [[1.0, 2.0], [-1.0], [np.nan], [0.0]])
def test_bad_weights_are_refused_in_words(weight):
    with pytest.raises(ValueError, match="sample_weight"):
        ModifiedBetaGeoNBD().fit([1], [2], [3], sample_weight=weight)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        (ModifiedBetaGeoNBD, {"penalty": -1.0}),
        (ModifiedBetaGeoNBD, {"penalty": np.nan}),
        (ModifiedBetaGeoNBD, {"sample": 0}),
        (ErlangModifiedBetaGeoNBD, {"k": 5}),
        (ErlangModifiedBetaGeoNBD, {"k": 1.5}),
    ],
)
def test_bad_parameters_are_refused_in_words(kind, parameters):
    model = kind(**parameters)
    assert model.get_params() == kind().get_params() | parameters or "penalty" in parameters
    with pytest.raises(ValueError, match=f"{next(iter(parameters))} must be"):
        model.fit([1, 0], [2, 0], [3, 3])


@every_model
def test_nothing_is_predicted_before_a_fit(name):
    model = PARAMETERS[name][0]()
    for predict in (model.p_no_purchase, model.expected_orders):
        with pytest.raises(NotFittedError):
            predict(9, 1, 2, 3)
    with pytest.raises(NotFittedError):
        model.p_alive(1, 2, 3)


def test_the_ridge_draws_parameters_towards_one():
    x, t_x, _ = simulate(model_with("mbg"), 100, 40.0, seed=8)
    total = np.full(100, 40.0)
    free, drawn = (ModifiedBetaGeoNBD(penalty=p).fit(x, t_x, total) for p in (0.0, 1.0))
    assert (
        np.abs(np.log([drawn.r_, drawn.a_, drawn.b_])).sum()
        < np.abs(np.log([free.r_, free.a_, free.b_])).sum()
    )
    assert drawn.loglik_ < free.loglik_
