"""What other companies teach: slopes learnt elsewhere, fitted to the company's own customers."""

import json
from dataclasses import replace

import numpy as np
import pytest
from conftest import AS_OF
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from shops import TODAY, history_from, past_of, shop
from sklearn.preprocessing import StandardScaler

from benchmarks.judge.datasets import DATA_SETS, GUARDS
from benchmarks.judge.unseen import ALL, FILE, OTHERS, TEACHERS, unseen
from sync_worker.policy import Policy
from sync_worker.scoring import design, features, metrics, selection, transfer
from sync_worker.scoring.averaged import carried
from sync_worker.scoring.situation import take
from sync_worker.scoring.transfer import TransferTier

HORIZON = 60.0
DAY = TODAY - int(HORIZON)


class Young:
    """A shop of 150 customers whose first order is four months old; small last orders tell who leaves."""

    def __init__(self, factor=1.0):
        sales = shop(150, seed=5, span=180, gap=15.0, leave=0.15, parting=0.2)
        past = past_of(replace(sales, amount=sales.amount * factor), today=DAY, horizon=int(HORIZON))
        self.snapshot, self.base = past.moment(DAY)
        self.situation = self.snapshot.situation
        self.came = past_of(sales).outcome(self.snapshot, HORIZON)
        self.tier = TransferTier(self.base, self.situation, HORIZON)

    def told(self, tier=None):
        return (tier or self.tier).p_no_purchase(HORIZON, self.situation)


@pytest.fixture(scope="module")
def young():
    return Young()


def test_the_slopes_in_force_are_those_that_all_histories_taught():
    """And a history judged by the benchmarks took no part in its own."""
    written = json.loads(FILE.read_text())
    assert written[ALL] == transfer.SLOPES
    assert list(written) == [ALL, *TEACHERS]
    assert all(set(one) == set(transfer.SLOPES) for one in written.values())
    for data_set, slopes in (("cj", "cj"), ("lot", "cdnow"), ("superstore", ALL), ("reseller", ALL)):
        with unseen(data_set):
            assert written[slopes] == transfer.SLOPES
    assert written[ALL] == transfer.SLOPES
    with pytest.raises(KeyError), unseen("of_tomorrow"):
        pass
    assert {one.name for one in (*DATA_SETS, *GUARDS)} == {*TEACHERS, *OTHERS}


def scaler_of(columns):
    return StandardScaler().fit(columns)


def test_slopes_stand_at_the_columns_they_name():
    names = design.COLUMNS + design.BASKET_COLUMNS
    columns = np.random.default_rng(0).normal(size=(9, 26))
    found = dict(zip(names, transfer.slopes(scaler_of(columns)), strict=True))
    assert found == dict.fromkeys(names, 0.0) | transfer.SLOPES
    columns[:, names.index("categories")] = 3.0  # of a basket that all have nothing is told
    assert transfer.slopes(scaler_of(columns))[names.index("categories")] == 0


@given(st.integers(0, 10_000), st.floats(0.01, 20), st.sampled_from([1.0, -1.0]), st.sampled_from([0.0, 1.5]))
def test_only_the_order_of_customers_comes_from_elsewhere(seed, spread, sign, skew):
    """However the others' log-odds are distributed: who comes first is given the highest of them."""
    rng = np.random.default_rng(seed)
    columns, others = rng.normal(size=(400, 3)), spread * np.exp(skew * rng.normal(size=400))
    slopes = sign * rng.normal(size=3)
    told = transfer.matched(slopes, columns, others).log_odds(columns)
    order = np.argsort(columns @ slopes)
    assert (np.diff(told[order]) >= -1e-9 * spread).all()
    # of 400 customers about every second one is a place
    assert told[order][[0, 199, 399]] == pytest.approx(np.sort(others)[[0, 199, 399]], rel=0.05)
    assert told.mean() == pytest.approx(others.mean(), abs=0.05 * others.std())


def test_between_two_places_it_goes_in_proportion_and_stops_at_the_ends():
    columns = np.arange(5.0)[:, None]
    line = transfer.matched(np.ones(1), columns, np.array([9.0, 1.0, 4.0, 0.0, 16.0]))
    asked = np.array([[-3.0], [0.0], [1.0], [2.0], [2.5], [4.0], [7.0]])
    assert line.log_odds(asked) == pytest.approx([0, 0, 1, 4, 6.5, 16, 16], abs=0.2)


def test_who_scores_alike_is_given_alike():
    columns = np.array([0.0, 0.0, 0.0, 1.0])[:, None]
    told = transfer.matched(np.ones(1), columns, np.array([1.0, 2.0, 3.0, 10.0])).log_odds(columns)
    assert told[:3] == pytest.approx(2.0, abs=0.2) and told[3] > 8


@pytest.mark.parametrize("seed", range(40))
def test_customers_who_are_alike_are_told_the_same_wherever_they_stand(seed):
    """The last bits of a product of matrices depend on the rows beside."""
    rng = np.random.default_rng(seed)
    own, alike = rng.normal(size=26), rng.normal(size=26)
    columns = np.vstack([rng.normal(size=(120, 26)), np.tile(alike, (60 + seed, 1))])
    line = transfer.matched(own, columns, rng.normal(size=len(columns)))
    whole = line.log_odds(columns)[120:]
    parts = [line.log_odds(columns[begin:])[-1] for begin in range(115, len(columns))]
    assert np.ptp([*whole, *parts]) < 1e-6


def test_where_nothing_differs_the_level_of_the_others_is_left():
    line = transfer.matched(np.ones(2), np.zeros((5, 2)), np.arange(5.0))
    assert line.log_odds(np.ones((5, 2))) == pytest.approx(2.0)
    agreed = transfer.matched(np.ones(2), np.random.default_rng(0).normal(size=(5, 2)), np.full(5, -1.0))
    assert agreed.log_odds(np.random.default_rng(1).normal(size=(5, 2))) == pytest.approx(-1.0)


def test_where_customers_differ_by_rounding_alone_nothing_is_made_of_it():
    noise = 1e-13 * np.random.default_rng(0).normal(size=(50, 26))
    scaler = scaler_of(1.0 + noise)
    assert not transfer.slopes(scaler).any()
    line = transfer.matched(np.ones(26), noise, np.linspace(-1, 1, 50))
    assert line.log_odds(np.full((1, 26), 5.0)) == pytest.approx(0, abs=1e-9)


def test_the_tier_is_the_mean_of_what_others_teach_and_the_transaction_models(young):
    told = young.base.tell(HORIZON, young.situation)
    unit = design.typical_amount([young.situation])
    columns = design.with_basket(young.situation, told, unit)
    standard = np.clip(StandardScaler().fit_transform(columns), -5, 5)
    score = standard @ transfer.slopes(scaler_of(columns))
    base = logit(told.p_no_purchase)
    places = np.linspace(0, 1, 201)
    elsewhere = np.interp(score, np.quantile(score, places), np.quantile(base, places))
    assert young.told() == pytest.approx(expit((base + elsewhere) / 2), abs=1e-6)


def test_a_young_company_is_ranked_better_than_by_its_own_orders_alone(young):
    active = young.snapshot.active
    churned = young.came.churned[active]
    assert min(churned.sum(), (~churned).sum()) > 20

    def auc(model):
        return metrics.auc(churned, young.told(model)[active])

    assert auc(young.tier) > max(auc(young.base.transactions), auc(young.base.rhythm)) + 0.01


def test_the_currency_changes_nothing(young):
    assert Young(factor=163.7).told() == pytest.approx(young.told(), abs=1e-4)


def test_order_days_go_with_the_probability(young):
    orders = young.tier.expected_orders(HORIZON, young.situation)
    any_at_all = young.base.p_purchase(HORIZON, young.situation)
    given_any = young.base.expected_orders(HORIZON, young.situation) / any_at_all
    assert orders == pytest.approx(given_any * (1 - young.told()), rel=1e-6)
    assert (orders <= HORIZON).all()


def test_of_many_customers_a_sample_is_fitted_to(young, monkeypatch):
    monkeypatch.setattr(transfer, "MOST", 100)
    part = transfer.sample(young.situation)
    assert len(part) == 100
    assert np.isin(part.t_x, young.situation.t_x).all()
    assert part.t_x.tolist() != young.situation.t_x[:100].tolist()
    sampled = TransferTier(young.base, young.situation, HORIZON)
    alone = TransferTier(young.base, part, HORIZON)
    assert young.told(sampled).tolist() == young.told(alone).tolist() != young.told().tolist()


def test_another_horizon_is_reached_by_the_transaction_models(young):
    """As if it had been fitted to that one: formats have horizons of their own."""
    for horizon in (7.0, 20.0, 120.0):
        told = young.tier.p_no_purchase(horizon, young.situation)
        own = TransferTier(young.base, young.situation, horizon).p_no_purchase(horizon, young.situation)
        assert told.mean() == pytest.approx(own.mean(), abs=0.02)
        usual, asked = (young.base.p_no_purchase(h, young.situation) for h in (HORIZON, horizon))
        by = np.full(len(usual), horizon - HORIZON)
        assert told == pytest.approx(carried(young.told(), by, usual, asked), abs=1e-9)


def test_a_company_that_outgrows_the_tier_has_it_beside_the_one_chosen():
    """So that a run can tell which labels changed by the model."""
    policy = Policy().replace(churn_horizon_days=60)
    history = history_from(shop(80, seed=1, span=420, gap=20.0, leave=0.06))
    facts = features.build(history, AS_OF, policy)
    situation = take(facts.sales, facts.table["format"], TODAY, HORIZON, policy).situation
    chosen = selection.choose(
        facts.sales, facts.table["format"], situation, policy, TODAY, besides="transfer"
    )
    assert (chosen.forecast.name, chosen.other.name) == ("regression", "transfer")


def test_where_hardly_anybody_leaves_nobody_is_said_to(young):
    """The log-odds of a few are far above those of all others: they must not stretch the others' too."""
    sales = shop(300, seed=2, span=700, gap=14.0, leave=0.003, spread=0.2)
    past = past_of(sales)
    snapshot, base = past.moment(DAY)
    came = past.outcome(snapshot, HORIZON).churned
    tier = TransferTier(base, snapshot.situation, HORIZON)
    told = tier.p_no_purchase(HORIZON, snapshot.situation)
    usual = base.p_no_purchase(HORIZON, snapshot.situation)
    assert told.mean() == pytest.approx(usual.mean(), abs=0.01)
    assert metrics.brier(came, told) < 1.2 * metrics.brier(came, usual)
