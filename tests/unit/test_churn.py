import numpy as np
import pandas as pd
import pytest
from conftest import AS_OF, crowd, history_of, orders_of
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import churn, explanation, features, selection, value
from sync_worker.scoring.churn import RhythmModel
from sync_worker.scoring.forecast import Forecast
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.pipeline import score
from sync_worker.scoring.rates import Rate, noise_of
from sync_worker.scoring.situation import Situation, take
from sync_worker.scoring.spend import GammaGamma


def situation(x, silence, t_x=300.0, gap=30.0, sigma=0.5):
    x, silence = np.broadcast_arrays(np.asarray(x, float), np.asarray(silence, float))
    t_x = np.where(x > 0, t_x, 0)
    full = np.full(x.shape, 1.0)
    return Situation(x, t_x, t_x + silence, full * np.log(gap), full * sigma)


def chosen_for(orders, today=AS_OF, **policy):
    rules = Policy().replace(**policy)
    facts = features.build(history_of(orders), today, rules)
    day = int(today.timestamp() // 86400)
    horizon = float(rules.value("churn_horizon_days"))
    situation = take(facts.sales, facts.table["format"], day, horizon, rules).situation
    choice = selection.choose(facts.sales, facts.table["format"], situation, rules, day)
    return choice.forecast, choice.words


def regular(count=80):
    """Quarterly buyers with a little jitter, a third of whom have left."""
    rng = np.random.default_rng(1)
    parts = []
    for customer in range(1, count):
        days = rng.integers(0, 90) + np.arange(10) * 91 + rng.integers(-6, 7, 10)
        parts.append(orders_of(customer, days[days >= 0] + (300 if customer % 3 == 0 else 0)))
    return pd.concat(parts, ignore_index=True)


def irregular(count=400):
    """Buyers at very different rates, at random days; after each order some leave."""
    rng = np.random.default_rng(4)
    parts = []
    for customer in range(1, count):
        rate, leave, first = rng.gamma(0.6, 1 / 40), rng.beta(0.8, 1.5), rng.integers(1, 800)
        days, now = [first], float(first)
        while rng.random() > leave and (now := now - rng.exponential(1 / rate) - 1) >= 0:
            days.append(int(now))
        parts.append(orders_of(customer, days))
    return pd.concat(parts, ignore_index=True)


def test_rhythm_model_recovers_its_dropout():
    rng = np.random.default_rng(2)
    n, gap, sigma = 20_000, 30.0, 0.4
    first_leaves, leaves = 0.4, 0.1
    x, last, here = np.zeros(n), np.zeros(n), rng.random(n) >= first_leaves
    while here.any():
        coming = last + np.exp(rng.normal(np.log(gap), sigma, n))
        buys = here & (coming <= 365)
        x, last = x + buys, np.where(buys, coming, last)
        here = buys & (rng.random(n) >= leaves)
    model = RhythmModel().fit(
        Situation(x, last, np.full(n, 365.0), np.full(n, np.log(gap)), np.full(n, sigma))
    )
    assert model.dropout_first_ == pytest.approx(first_leaves, abs=0.03)
    assert model.dropout_ == pytest.approx(leaves, abs=0.02)


@settings(max_examples=60)
@given(st.integers(0, 50), st.floats(0, 900), st.floats(1, 400), st.floats(1, 300), st.floats(0.1, 1.5))
def test_rhythm_model_is_a_probability_and_falls_with_silence(x, silence, h, gap, sigma):
    model = RhythmModel()
    model.dropout_first_, model.dropout_ = 0.3, 0.05
    now, later = (situation(x, silence + wait, gap=gap, sigma=sigma) for wait in (0.0, 5.0))
    assert 0 <= model.p_alive(later)[()] <= model.p_alive(now)[()] <= 1
    none, expected = model.p_no_purchase(h, now)[()], model.expected_orders(h, now)[()]
    assert 0 <= none <= 1
    assert expected >= 1 - none - 1e-12
    assert model.p_no_purchase(h + 10, now)[()] <= none + 1e-12


def test_regular_buyers_are_not_told_by_poisson_purchases_alone():
    model, words = chosen_for(regular(), churn_horizon_days=120)
    assert model.name != "mbg_nbd"
    assert words == []


def test_irregular_buyers_get_a_tier_that_builds_on_an_identified_mbg_nbd():
    model, words = chosen_for(irregular())
    assert model.name in {"mbg_nbd", "regression", "boosted"}
    assert words == []


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        (crowd(49), "only 49 customers have ordered"),
        (pd.concat([orders_of(n, [80, 40, 2]) for n in range(60)]), "the orders span only 79 days"),
        # however long ago that was
        (pd.concat([orders_of(n, [580, 540, 502]) for n in range(60)]), "the orders span only 79 days"),
        (pd.concat([orders_of(n, [300 - 3 * n]) for n in range(60)]), "only 0 customers ordered again"),
    ],
)
def test_too_little_data_gives_the_rule_of_thumb_in_words(orders, words):
    model, told = chosen_for(orders)
    assert model.name == "rules"
    assert words in told[0]
    assert set(churn.confidence(np.array([1, 9]), model)) == {"none"}


def test_confidence_is_thin_below_three_order_days():
    model = RhythmModel()
    assert churn.confidence(np.array([1, 2, 3, 9]), model).tolist() == ["thin", "thin", "enough", "enough"]


def test_risk_bands_include_their_threshold():
    bands = churn.risk(np.array([0.39, 0.4, 0.69, 0.7]), np.full(4, 0.4), np.full(4, 0.7))
    assert bands.tolist() == ["low", "medium", "medium", "high"]


def test_each_format_has_its_own_horizon():
    orders = crowd(40, seed=6)  # by rules, whatever the horizon
    orders["order_id"] = np.arange(len(orders)) + 1
    ids = orders["customer_id"].unique()
    history = History(orders, None, pd.DataFrame({"customer_id": ids, "format_id": ids % 2 + 1}))
    rule = {"key": "churn_horizon_days", "format_id": 1, "value": 365}
    short, mixed = (score(history, AS_OF, policy).customers for policy in (Policy(), Policy([rule])))
    first = (short["format_id"] == 1).to_numpy()
    lower = short["churn_probability"] - mixed["churn_probability"]
    assert (lower[first] >= 0).all() and lower[first].mean() > 0.05
    assert mixed.loc[~first, "expected_value"].to_numpy() == pytest.approx(
        short.loc[~first, "expected_value"].to_numpy(), rel=1e-6
    )


def test_advice_for_a_format_looks_at_windows_of_the_company(monkeypatch):
    """They are as long as its horizon, whatever that of the format is."""
    real, asked = explanation.days_left, []

    def recorded(forecast, situation, horizon, below, *, window):
        asked.append((sorted(set(horizon.tolist())), window))
        return real(forecast, situation, horizon, below, window=window)

    monkeypatch.setattr(explanation, "days_left", recorded)
    orders = crowd(80, seed=6)
    orders["order_id"] = np.arange(len(orders)) + 1
    ids = orders["customer_id"].unique()
    history = History(orders, None, pd.DataFrame({"customer_id": ids, "format_id": ids % 2 + 1}))
    rules = [
        {"key": "churn_horizon_days", "format_id": one, "value": days} for one, days in ((1, 365), (None, 45))
    ]
    score(history, AS_OF, Policy(rules))
    assert asked and {window for _horizons, window in asked} == {45.0}
    assert {horizon for horizons, _window in asked for horizon in horizons} == {45.0, 365.0}


def test_churn_is_ranked_on_the_reference_data(cdnow):
    """The bars of scoring.md for MBG/NBD on this cut-off, all customers: AUC .767, Brier .118."""
    table = pd.read_csv(cdnow / "CDNOW_master.txt", sep=r"\s+", header=None, skiprows=1, dtype=str)
    orders = pd.DataFrame({"customer_id": table[0], "date": table[1], "amount": table[3].astype(float)})
    history = History(orders.assign(order_id=np.arange(len(orders))))
    cut = pd.Timestamp("1997-09-30")
    found = score(history, cut, Policy()).customers.set_index("customer_id")
    found = found[found["order_days"].notna()]
    later = history.orders[history.orders["amount"] > 0]
    later = later[(later["date"] > cut) & (later["date"] <= cut + pd.Timedelta(days=90))]
    churned = ~found.index.isin(later["customer_id"])
    probability = found["churn_probability"].to_numpy()
    assert roc_auc_score(churned, probability) > 0.76
    assert np.square(churned - probability).mean() < 0.12
    # and calibrated: mean told against mean seen
    assert probability.mean() == pytest.approx(churned.mean(), abs=0.04)


def test_expected_value_interval_covers_what_the_process_brings():
    """Alive for sure, Poisson orders at a gamma rate, gamma amounts: the 80 % interval holds 80 %."""

    class Poisson:
        """Rate Gamma(1 + x, T) without dropout."""

        name = words = "poisson"

        def p_alive(self, s):
            return np.ones(len(s.x))

        def p_no_purchase(self, h, s):
            return (s.T / (s.T + h)) ** (1 + s.x)

        def expected_orders(self, h, s):
            return (1 + s.x) * h / s.T

    rng = np.random.default_rng(7)
    n, h = 20_000, 100.0
    x, tenure = np.full(n, 9.0), np.full(n, 100.0)
    orders = rng.poisson(rng.gamma(10, 1 / 100, n) * h)
    nu = rng.gamma(25, 1 / 25, n)
    amount = np.where(orders > 0, rng.gamma(np.maximum(4 * orders, 1), 10 / nu), 0)
    spend = GammaGamma()
    # p 4, and s = p n + q = 25: a mean of p gamma' / (s - 1) = 40 with gamma' = gamma + n mean
    spend.p_, spend.q_, spend.gamma_, spend.fallback_ = 4.0, -15.0, 0.0, ""
    spend.population_mean_ = 40.0
    mean = np.full(n, 24.0)
    where = Situation(x, tenure, tenure, np.zeros(n), np.ones(n), mean_spend=mean)
    full = np.ones(n)
    money = value.Prospects(40 * full, Rate(full, 0.0, full, full))
    forecast = Forecast(Poisson(), spend)
    told = value.expected_value(np.full(n, h), forecast, where, money)
    inside = (amount >= told["expected_value_low"]) & (amount <= told["expected_value_high"])
    assert inside.mean() == pytest.approx(0.8, abs=0.02)
    assert (amount < told["expected_value_low"]).mean() == pytest.approx(0.1, abs=0.02)


def test_potential_value_discounts_each_year_from_its_middle():
    class OneAYear:
        def orders_ahead(self, h, s):
            return np.full(len(s.x), h / 365.25)

    formats = pd.Series([1, 2], dtype="Int64")
    policy = Policy([{"key": "value_horizon_years", "format_id": 2, "value": 1}]).replace(discount_rate=0.21)
    policy = Policy([*policy.rules, {"key": "value_horizon_years", "format_id": None, "value": 2}])
    one = np.zeros(2)
    ahead = value.discounted_orders(policy, formats, OneAYear(), Situation(one, one, one, one, one))
    assert ahead == pytest.approx([1 / 1.1 + 1 / 1.21**1.5, 1 / 1.1])


def test_net_rate_is_drawn_to_the_peers_where_little_is_known():
    parts = [orders_of(n, range(0, 300, 30), 100.0, 30.0) for n in range(1, 40)]
    loss = orders_of(100, [40], 100.0, -50.0)
    often = orders_of(101, range(0, 600, 2), 100.0, -50.0)
    facts = features.build(history_of(*parts, loss, often), AS_OF, Policy())
    spend = GammaGamma().fit(facts.table["order_days"], facts.table["gross"] / facts.table["order_days"])
    formats, today = facts.table["format"], int(AS_OF.timestamp() // 86400)
    situation = take(facts.sales, formats, today, 90.0, Policy()).situation
    money = value.prospects(situation, Peers(formats, Policy()), spend, noise_of(facts.sales, today))
    rate = dict(zip(facts.table["customer_id"], money.rate.mean, strict=True))
    assert rate[1] == pytest.approx(0.3, abs=0.02)
    assert rate[100] == pytest.approx((-50 + 200 * 0.3) / 300, abs=0.02)
    assert rate[101] == pytest.approx(-0.5, abs=0.02)
