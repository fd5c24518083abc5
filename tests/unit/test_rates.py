from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from shops import TODAY, past_of, sales_of, shop, without_formats

from sync_worker.policy import Policy
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.rates import WEIGHT, learn, noise_of
from sync_worker.scoring.situation import Situation
from sync_worker.scoring.spend import GammaGamma


def worth_of(sales, noise, seed=0, mean=0.3):
    rng = np.random.default_rng(seed)
    own = rng.normal(mean, 0.1, int(sales.row.max()) + 1)
    return replace(sales, worth=sales.amount * (own[sales.row] + noise * rng.standard_normal(len(sales.row))))


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.2])
def test_the_noise_is_that_of_single_orders_not_of_customers(noise):
    found = noise_of(worth_of(shop(800, seed=1), noise), TODAY)
    assert np.sqrt(found) == pytest.approx(noise, rel=0.1, abs=1e-12)


def test_customers_of_two_orders_do_not_hide_the_noise():
    row = np.repeat(np.arange(3000), 2)
    sales = worth_of(sales_of(row, TODAY - 10 - np.arange(6000) % 2, np.full(6000, 20.0)), 0.2)
    assert np.sqrt(noise_of(sales, TODAY)) == pytest.approx(0.2, rel=0.05)


def test_a_few_wild_rates_make_no_noise():
    sales = worth_of(shop(800, seed=1), 0.05)
    wild = np.random.default_rng(2).random(len(sales.amount)) < 0.02
    found = noise_of(replace(sales, worth=np.where(wild, -20 * sales.amount, sales.worth)), TODAY)
    # whose own mean goes with the wild order shows some
    assert np.sqrt(found) < 0.6


def test_without_two_orders_of_a_customer_the_noise_is_around_the_rate_of_all():
    n = 4000
    once = sales_of(np.arange(n), np.full(n, TODAY), np.full(n, 10.0))
    rng = np.random.default_rng(1)
    rate = 0.3 + 0.15 * rng.standard_normal(n)
    assert np.sqrt(noise_of(replace(once, worth=10 * rate), TODAY)) == pytest.approx(0.15, rel=0.05)
    assert noise_of(replace(once, worth=3 * np.ones(n)), TODAY) == pytest.approx(0, abs=1e-20)


def test_revenue_and_later_orders_have_none():
    sales = shop(100, seed=1)
    assert noise_of(sales, TODAY) == 0
    calm = replace(sales, worth=np.where(sales.day > TODAY - 200, -9.0, 0.3) * sales.amount)
    assert noise_of(calm, TODAY - 200) == pytest.approx(0, abs=1e-20)
    assert noise_of(worth_of(sales, 0.1), int(sales.day.min()) - 1) == 0


def test_a_rate_is_drawn_towards_that_of_the_peers_by_two_order_days():
    full = np.ones(3)
    situation = Situation(
        np.array([0.0, 0.0, 9.0]), *[full] * 4, mean_spend=100 * full, worth=np.array([10.0, 30.0, 600.0])
    )
    spend = GammaGamma().fit(full, 100 * full)
    found = learn(situation, Peers(pd.Series([None] * 3, dtype=object), Policy()), spend, 0.0)
    # rates of .1, .3 and .6, the median .3; two order-days are 200
    assert WEIGHT == 2 and not found.varies
    assert found.mean == pytest.approx([(10 + 60) / 300, 0.3, (600 + 60) / 1200])
    noisy = learn(situation, Peers(pd.Series([None] * 3, dtype=object), Policy()), spend, 0.04)
    assert noisy.varies and noisy.mean.tolist() == found.mean.tolist()
    assert noisy.learnt.tolist() == [300, 300, 1200]
    assert noisy.order.tolist() == [125] * 3  # amounts whose squared coefficient of variation is a quarter


def test_a_trial_knows_the_rates_of_its_day_only():
    sales = shop(300, seed=3)
    later = replace(sales, worth=np.where(sales.day > TODAY - 60, 0.9, 0.3) * sales.amount)
    snapshot, base = past_of(later).moment(TODAY - 60)
    found = learn(snapshot.situation, Peers(snapshot.formats, Policy()), base.spend, 0.0)
    assert found.mean == pytest.approx(0.3)
    assert len(without_formats(sales)) >= len(found.mean)
