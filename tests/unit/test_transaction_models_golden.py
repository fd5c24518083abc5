"""The models against published values and against other ways to compute the same."""

import numpy as np
import pandas as pd
import pytest
from purchases import model_with, simulate, summary_in_weeks
from scipy.integrate import quad
from scipy.special import betaincinv, gammaln, hyp2f1

from sync_worker.scoring.transaction_models import (
    BetaGeoNBD,
    ErlangModifiedBetaGeoNBD,
    ModifiedBetaGeoNBD,
    ParetoNBD,
    beta_geometric,
)
from sync_worker.scoring.transaction_models.rows import Rows


@pytest.fixture(scope="module")
def sample(cdnow):
    """2,357 customers over 39 weeks (Fader, Hardie & Lee 2005), and their orders in the 39 weeks after."""
    data = pd.read_csv(cdnow / "cdnow_customers_summary_with_transactions.csv")
    assert len(data) == 2357
    return data


@pytest.fixture(scope="module")
def sample_orders(cdnow):
    """The same customers from their orders: the 39 weeks, and the number of order-days in the 39 after."""
    table = pd.read_csv(cdnow / "CDNOW_sample.txt", sep=r"\s+", header=None, dtype=str)
    days = pd.DataFrame({"c": table[1], "date": pd.to_datetime(table[2])}).drop_duplicates()
    end = pd.Timestamp("1997-09-30")
    span = days[days["date"] <= end].groupby("c")["date"].agg(["min", "max", "size"])
    later = days[days["date"] > end].groupby("c").size().reindex(span.index, fill_value=0)
    t_x, total = (span["max"] - span["min"]).dt.days / 7, (end - span["min"]).dt.days / 7
    return pd.DataFrame({"x": span["size"] - 1.0, "t_x": t_x, "T": total, "later": later})


@pytest.fixture(scope="module")
def master(cdnow):
    data = summary_in_weeks(cdnow / "CDNOW_master.txt", "1997-09-30")
    assert len(data) == 23570
    later = summary_in_weeks(cdnow / "CDNOW_master.txt", "1998-06-30").reindex(data.index)
    return data.assign(later=later["x"] - data["x"])


def values(model, names):
    return [getattr(model, f"{name}_") for name in names.split()]


@pytest.mark.parametrize(
    ("kind", "names", "published", "loglik"),
    [
        (BetaGeoNBD, "r alpha a b", (0.2426, 4.4136, 0.7929, 2.4259), -9582.43),
        (ModifiedBetaGeoNBD, "r alpha a b", (0.5248, 6.1831, 0.8914, 1.6140), -9582.14),
        (ParetoNBD, "r alpha s beta", (0.5533, 10.5777, 0.6062, 11.669), -9594.98),
    ],
)
def test_published_values_of_the_cdnow_tenth_sample(sample, kind, names, published, loglik):
    model = kind().fit(sample["x"], sample["t_x"], sample["T"])
    assert model.loglik_ == pytest.approx(loglik, abs=0.01)
    assert values(model, names) == pytest.approx(published, rel=4e-4)
    assert model.identified_


@pytest.mark.parametrize(
    ("kind", "reference", "loglik", "correlation"),
    [
        (BetaGeoNBD, (0.2516, 4.7889, 0.7234, 2.1611), -95368.44, 0.668),
        (ModifiedBetaGeoNBD, (0.6371, 7.3103, 0.8075, 1.2284), -95336.96, 0.669),
    ],
)
def test_values_of_the_cdnow_master(master, kind, reference, loglik, correlation):
    model = kind().fit(master["x"], master["t_x"], master["T"])
    assert model.loglik_ == pytest.approx(loglik, abs=0.01)
    assert values(model, "r alpha a b") == pytest.approx(reference, rel=4e-4)
    expected = model.expected_orders(39, master["x"], master["t_x"], master["T"])
    assert np.corrcoef(master["later"], expected)[0, 1] > correlation


@pytest.mark.parametrize(
    ("kind", "correlation"), [(BetaGeoNBD, 0.626), (ModifiedBetaGeoNBD, 0.627), (ParetoNBD, 0.630)]
)
def test_published_correlation_with_what_customers_did_next(sample_orders, kind, correlation):
    x, t_x, total = (sample_orders[key] for key in ("x", "t_x", "T"))
    expected = kind().fit(x, t_x, total).expected_orders(39, x, t_x, total)
    assert np.corrcoef(sample_orders["later"], expected)[0, 1] == pytest.approx(correlation, abs=5e-4)


@pytest.mark.parametrize("name", ["mbg", "bg"])
@pytest.mark.parametrize(
    "parameters",
    [(0.5, 6, 0.9, 1.6), (2.0, 30, 1.0, 1.0), (5, 90, 20.0, 300.0), (0.4, 3, 0.3, 0.6), (3, 3, 200, 2)],
)
@pytest.mark.parametrize(
    ("x", "t_x", "total", "h"), [(0, 0, 30, 10), (0, 0, 30, 300), (3, 20, 30, 500), (40, 29, 30, 60)]
)
def test_expected_orders_is_the_integral_over_the_dropout_probability(name, parameters, x, t_x, total, h):
    r, alpha, a, b = parameters
    model = model_with(name, r=r, alpha=alpha, a=a, b=b)
    now, stays = alpha + total, b + x + (name == "mbg")

    def at_quantile(u):
        p = max(betaincinv(a, stays, u), 1e-12)
        return -np.expm1(-(r + x) * np.log1p(p * h / now)) / p

    integral = quad(at_quantile, 0, 1, limit=500)[0]
    exact = model.p_alive(x, t_x, total) * integral
    assert model.expected_orders(h, x, t_x, total) == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize("name", ["mbg", "bg"])
def test_closed_form_and_sum_agree(name):
    rng = np.random.default_rng(1)
    for _ in range(100):
        r, alpha, a, b = np.exp(rng.uniform(-4, 4, 4))
        model = model_with(name, r=r, alpha=alpha, a=a, b=b)
        x, now = rng.choice([0.0, 1, 3, 30, 300], 20), alpha + np.exp(rng.uniform(0, 8, 20))
        h, n = np.exp(rng.uniform(0, 6, 20)), b + x + model._after_first
        few = (r + x) * h / now < 300
        columns = [values[few] for values in (h, r + x, n, now)]
        summed = model._orders_summed(*columns, np.zeros(few.sum()))
        known = ~np.isnan(summed)
        closed = model._orders_closed(*columns)
        sure = known & np.isfinite(closed)
        assert closed[sure] == pytest.approx(summed[sure], rel=1e-5, abs=1e-9)
        assert known.mean() > 0.5 and sure.any()


def test_one_phase_is_the_mbg_nbd_exactly(sample):
    columns = sample["x"], sample["t_x"], sample["T"]
    mbg, one = ModifiedBetaGeoNBD().fit(*columns), ErlangModifiedBetaGeoNBD(k=1).fit(*columns)
    for name in ("r_", "alpha_", "a_", "b_", "loglik_", "identified_"):
        assert getattr(mbg, name) == getattr(one, name)
    assert np.array_equal(mbg.p_alive(*columns), one.p_alive(*columns))
    assert np.array_equal(mbg.p_no_purchase(9, *columns), one.p_no_purchase(9, *columns))
    assert np.array_equal(mbg.expected_orders(9, *columns), one.expected_orders(9, *columns))
    # random buyers: no other k is more likely
    assert ErlangModifiedBetaGeoNBD().fit(*columns).k_ == 1


@pytest.mark.parametrize("k", [1, 2, 4])
def test_k_is_found_with_the_gaps_and_without(k):
    true = model_with("erlang", k=k, alpha=9 / k)
    x, t_x, log_gaps = simulate(true, 4000, 40.0, seed=9)
    total = np.full(len(x), 40.0)
    gaps = ErlangModifiedBetaGeoNBD().fit(x, t_x, total, sum_log_gaps=log_gaps)
    alone = ErlangModifiedBetaGeoNBD().fit(x, t_x, total)
    days = ErlangModifiedBetaGeoNBD().fit(x, t_x * 7, total * 7, sum_log_gaps=log_gaps + x * np.log(7))
    assert gaps.k_ == alone.k_ == days.k_ == k
    assert set(gaps.logliks_) == {1, 2, 3, 4}
    assert gaps.logliks_[1] == pytest.approx(alone.logliks_[1], rel=1e-12)
    assert gaps.loglik_ == gaps.logliks_[k] == pytest.approx(days.loglik_ + np.log(7) * x.sum(), rel=1e-8)
    # single gaps tell more than their sum
    other = 1 if k > 1 else 2
    assert gaps.logliks_[k] - gaps.logliks_[other] > alone.logliks_[k] - alone.logliks_[other] > 0
    weighted = ErlangModifiedBetaGeoNBD().fit(x, t_x, total, np.full(len(x), 3.0), log_gaps)
    assert weighted.logliks_[k] == pytest.approx(3 * gaps.logliks_[k], rel=1e-9)


def test_log_gaps_are_checked_and_zero_times_borne():
    with pytest.raises(ValueError, match="sum_log_gaps"):
        ErlangModifiedBetaGeoNBD().fit([1, 0], [2, 0], [3, 3], sum_log_gaps=[1.0])
    with pytest.raises(ValueError, match="sum_log_gaps"):
        ErlangModifiedBetaGeoNBD().fit([1, 0], [2, 0], [3, 3], sum_log_gaps=[-np.inf, 0])
    model = ErlangModifiedBetaGeoNBD().fit([1, 2, 0, 4], [0, 2, 0, 9], [3, 5, 6, 10])
    assert np.isfinite(list(model.logliks_.values())).all()


@pytest.mark.parametrize("k", [2, 3, 4])
def test_many_orders_ahead_are_approximated_closely(k, monkeypatch):
    model = model_with("erlang", k=k, alpha=9 / k)
    customers = 2000, [3, 30, 30, 200], [20, 100, 100, 500], [22, 101, 104, 502]
    monkeypatch.setattr(beta_geometric, "TERMS", 40_001)
    exact = model.expected_orders(*customers)
    monkeypatch.setattr(beta_geometric, "TERMS", 1)
    assert model.expected_orders(*customers) == pytest.approx(exact, rel=2e-3)


def test_pareto_likelihood_is_that_of_fader_and_hardie():
    """Their expression with two 2F1, of which the model's integral is the difference."""
    rng = np.random.default_rng(2)
    model = model_with("pareto")
    for _ in range(40):
        r, alpha, s, beta_ = log_parameters = np.exp(rng.uniform(-1.5, 1.5, 4))
        x, total = float(rng.integers(0, 20)), rng.uniform(1, 30)
        t_x = total * rng.random() if x else 0.0
        big, second = max(alpha, beta_), s + 1 if alpha >= beta_ else r + x
        m, apart = r + s + x, abs(alpha - beta_)
        terms = [hyp2f1(m, second, m + 1, apart / (big + y)) / (big + y) ** m for y in (t_x, total)]
        stayed = (alpha + total) ** -(r + x) * (beta_ + total) ** -s
        brute = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta_)
        brute += np.log(stayed + s / m * terms[0] - s / m * terms[1])
        row = Rows(np.array([x]), np.array([t_x]), np.array([total]), None, 1.0)
        assert model._loglik(row, np.log(log_parameters))[0] == pytest.approx(brute, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("s", [0.3, 1.0, 1 + 1e-9, 4.0])
def test_pareto_expected_orders_is_the_integral_over_the_lifetime(s):
    model = model_with("pareto", s=s)
    x, t_x, total, h = 4, 20, 26, 30
    rate = (model.r_ + x) / (model.alpha_ + total)
    lives = quad(lambda y: ((model.beta_ + total) / (model.beta_ + total + y)) ** s, 0, h)[0]
    exact = model.p_alive(x, t_x, total) * rate * lives
    assert model.expected_orders(h, x, t_x, total) == pytest.approx(exact, rel=1e-9)
