"""The logistic regression gives each cut-off that it learns from a level of its own."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sync_worker.scoring import hybrid


def periods(n=3000, count=4, seed=3):
    """Columns (n * count, 1) of an age, who churned, and of which cut-off each row is.

    Within a cut-off the older ones stay; from one cut-off to the next all are older and churn rises all the same.
    """
    rng = np.random.default_rng(seed)
    period = np.repeat(np.arange(count), n)
    age = rng.normal(size=n * count) + 2.0 * period
    churned = rng.random(n * count) < 1 / (1 + np.exp(-(-1.0 + 0.5 * period - 0.4 * (age - 2.0 * period))))
    return age[:, None], churned, period


def test_what_tells_a_season_does_not_pass_for_what_tells_customers_apart():
    age, churned, period = periods()
    blind = hybrid._fitted(age, churned, np.zeros_like(period))
    found = hybrid._fitted(age, churned, period)
    assert blind.slopes[0] > 0.1  # without knowing of cut-offs, the older seem to leave
    assert -0.45 < found.slopes[0] < -0.2


def test_the_level_is_that_of_all_periods():
    rng = np.random.default_rng(4)
    period = np.repeat(np.arange(3), 2000)
    trait = rng.normal(size=(6000, 1))
    churned = rng.random(6000) < np.array([0.3, 0.4, 0.5])[period]
    found = hybrid._fitted(trait, churned, period)
    assert (1 / (1 + np.exp(-found.log_odds(trait)))).mean() == pytest.approx(0.4, abs=0.01)
    # a cut-off of few customers has little say in it
    few = period != 2
    few[4000:4020] = True
    found = hybrid._fitted(trait[few], churned[few], period[few])
    assert (1 / (1 + np.exp(-found.log_odds(trait)))).mean() == pytest.approx(0.35, abs=0.015)


def test_a_single_period_is_a_plain_regression():
    age, churned, period = periods(count=1)
    found, plain = (
        hybrid._fitted(age, churned, period),
        LogisticRegression(solver="newton-cholesky").fit(age, churned),
    )
    assert found.slopes == pytest.approx(plain.coef_[0], abs=1e-4)
    assert found.level == pytest.approx(plain.intercept_[0], abs=1e-4)
