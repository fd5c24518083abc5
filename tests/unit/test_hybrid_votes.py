"""Which models have a vote of the hybrid tiers, and the order-days that go with the probability."""

import numpy as np
import pytest
from learnt import HORIZON, Learnt
from scipy.special import expit, logit
from shops import TODAY, past_of, sales_of, shop, with_lines
from sklearn.preprocessing import StandardScaler

from sync_worker.scoring import averaged, design, hybrid, transfer

KINDS = pytest.mark.parametrize("boosted", [False, True], ids=["regression", "boosted"])
PLAIN = ["x", "silence", "recent_orders", "recent_spend"]
BASE = ["transactions_churn", "rhythm_churn"]


@pytest.fixture(scope="module")
def learnt():
    """Lessons are of a shop whose customers are all new: those of today are older."""
    return Learnt(with_lines(shop(600, seed=1, span=400, parting=0.2)))


def at(names):
    return [(design.COLUMNS + design.BASKET_COLUMNS).index(name) for name in names]


@pytest.mark.parametrize(("many", "weight"), [(10**6, 1.0), (1, 0.5)], ids=["few rows", "many rows"])
def test_the_probability_is_the_mean_of_four_votes(learnt, monkeypatch, many, weight):
    """Each computed here anew: two regressions, the transaction models, and the slopes of other companies, which take
    the distribution of the other three on the customers of today, and have half a vote of many rows."""
    monkeypatch.setattr(hybrid, "MANY_ROWS", many)
    tier, today = learnt.tier(boosted=False), learnt.situation
    unit = design.typical_amount([lesson.situation for lesson in learnt.lessons])
    past = np.vstack([design.with_basket(x.situation, x.told, unit) for x in learnt.lessons])
    told = learnt.base.tell(HORIZON, today)
    now = design.with_basket(today, told, unit)
    scaler = StandardScaler().fit(past)
    churned = np.concatenate([lesson.outcome.churned for lesson in learnt.lessons])
    period = np.repeat(np.arange(len(learnt.lessons)), [len(x.situation) for x in learnt.lessons])

    def standard(columns):
        return np.clip(scaler.transform(columns), -5, 5)

    def trusted(columns):
        columns = standard(columns)
        columns[:, at(BASE)] *= 10
        return columns

    mean, far = scaler.mean_[at(PLAIN)], 5 * scaler.scale_[at(PLAIN)]
    held = [np.clip(one[:, at(PLAIN)], mean - far, mean + far) for one in (past, now)]
    votes = [
        hybrid._fitted(trusted(past), churned, period, 0.003).log_odds(trusted(now)),
        hybrid._fitted(held[0], churned, period).log_odds(held[1]),
        logit(told.p_no_purchase),
    ]
    others = np.mean(votes, axis=0)
    elsewhere = standard(now)[:, at(transfer.SLOPES)] @ list(transfer.SLOPES.values())
    places = np.linspace(0, 1, 201)
    elsewhere = np.interp(elsewhere, np.quantile(elsewhere, places), np.quantile(others, places))
    expected = np.average([*votes, elsewhere], axis=0, weights=[1, 1, 1, weight])
    assert logit(tier.p_no_purchase(HORIZON, today)) == pytest.approx(expected, abs=1e-6)
    # and each of them matters
    assert all(np.abs(expected - vote).max() > 0.1 for vote in (*votes, elsewhere))


def test_what_other_companies_teach_is_matched_to_a_sample_of_many(learnt, monkeypatch):
    seen = []
    real = transfer.matched
    monkeypatch.setattr(transfer, "MOST", 100)
    monkeypatch.setattr(
        transfer, "matched", lambda *given: seen.append([len(one) for one in given]) or real(*given)
    )
    learnt.tier(boosted=False)
    assert seen == [[26, 100, 100]]


def test_trees_have_one_vote_and_two_once_they_have_many_rows(learnt, monkeypatch):
    rows = sum(len(lesson.situation) for lesson in learnt.lessons)

    def trees(votes, others, many):
        """What the trees must have said for the average to come out, where they and the others had so many votes."""
        monkeypatch.setattr(hybrid, "MANY_ROWS", many)
        without, told = (
            logit(learnt.tier(boosted=kind).p_no_purchase(HORIZON, learnt.situation))
            for kind in (False, True)
        )
        return ((others + votes) * told - others * without) / votes

    assert trees(1, 4, rows + 1) == pytest.approx(trees(2, 3.5, rows), abs=1e-6)


@KINDS
def test_orders_are_those_of_the_transaction_models_given_any(learnt, boosted):
    tier, s = learnt.tiers[boosted], learnt.situation
    orders = tier.expected_orders(HORIZON, s)
    models = learnt.base.transactions, learnt.base.rhythm
    given_any = sum(one.expected_orders(HORIZON, s) for one in models) / sum(
        1 - one.p_no_purchase(HORIZON, s) for one in models
    )
    given_any = np.maximum(tier.orders_factor * given_any, 1)  # who buys orders on a day at least
    assert orders == pytest.approx(given_any * (1 - tier.p_no_purchase(HORIZON, s)), rel=1e-6)
    assert tier.p_alive(s).tolist() == learnt.base.p_alive(s).tolist()


@KINDS
def test_of_who_is_gone_by_one_model_no_more_orders_are_expected_than_of_who_is_there(learnt, boosted):
    """A buyer of every third day that has been silent for four months may come back, but not ten times a day."""
    part = learnt.situation.part(np.argsort(-learnt.situation.x)[:1])
    buyer = {"x": 80.0, "t_x": 240.0, "mu": np.log(3.0), "sigma": 1.2}
    here, gone = (
        part.but(**{name: np.array([value]) for name, value in {**buyer, "T": 240.0 + silence}.items()})
        for silence in (1.0, 120.0)
    )
    tier = learnt.tiers[boosted]
    assert learnt.base.transactions.p_alive(gone)[0] < 1e-4
    assert tier.expected_orders(HORIZON, gone)[0] < tier.expected_orders(HORIZON, here)[0] <= HORIZON


def test_there_is_one_order_day_a_day_at_most_however_many_came_before(learnt, monkeypatch):
    tier = learnt.tiers[False]
    monkeypatch.setattr(tier, "orders_factor", 1000.0)
    any_at_all = 1 - tier.p_no_purchase(HORIZON, learnt.situation)
    assert tier.expected_orders(HORIZON, learnt.situation) == pytest.approx(HORIZON * any_at_all)
    monkeypatch.setattr(tier, "orders_factor", 0.0)  # and who buys at all orders on a day at least
    assert tier.expected_orders(HORIZON, learnt.situation) == pytest.approx(any_at_all)


@KINDS
def test_where_more_was_forecast_than_came_less_is_forecast(boosted):
    """At a day of which nothing was learnt, over all customers."""
    errors = {True: [], False: []}
    for seed in (1, 2, 3):
        learnt = Learnt(with_lines(shop(600, seed=seed, parting=0.2)))
        tier, came = learnt.tiers[boosted], learnt.came.orders.sum()
        corrected = tier.expected_orders(HORIZON, learnt.situation).sum()
        errors[True].append(abs(np.log(corrected / came)))
        tier.orders_factor = 1.0
        errors[False].append(abs(np.log(tier.expected_orders(HORIZON, learnt.situation).sum() / came)))
    assert np.mean(errors[True]) < np.mean(errors[False])


def corrected(tier, lessons):
    """`orders_factor` computed here anew: order-days that came over those forecast, and its logarithm drawn to nought
    by a standard error as large as if each cut-off had the same customers."""
    forecast, came = [], []
    for lesson in lessons:
        s, h = lesson.situation, lesson.horizon
        models = lesson.base.transactions, lesson.base.rhythm
        orders = sum(one.expected_orders(h, s) for one in models)
        given_any = np.minimum(orders / sum(1 - one.p_no_purchase(h, s) for one in models), h)
        forecast.append(given_any * expit(-tier._log_odds(s, lesson.told)))
        came.append(lesson.outcome.orders)
    ratio = np.concatenate(came).sum() / np.concatenate(forecast).sum()
    squares = sum(((one - other) ** 2).sum() for one, other in zip(came, forecast, strict=True))
    error = np.sqrt(len(lessons) * squares) / np.concatenate(forecast).sum()
    return ratio, np.exp(np.log(ratio) * 0.01 / (0.01 + error**2))


@KINDS
def test_order_days_are_corrected_by_how_many_came_before(learnt, boosted):
    tier = learnt.tiers[boosted]
    ratio, factor = corrected(tier, learnt.lessons)
    assert tier.orders_factor == pytest.approx(factor, rel=1e-9)
    assert abs(np.log(factor)) > 0.5 * abs(np.log(ratio)) > 0.02  # most of it stays where customers agree


def test_a_few_who_change_their_ways_do_not_change_what_is_expected_of_the_others():
    """Six customers of 156 who order every day of late: more than half again as many came as were forecast."""
    sales = shop(150, seed=3, span=500, gap=40.0, leave=0.05, spread=0.4)
    often = np.concatenate([[TODAY - 400], np.arange(TODAY - 120, TODAY + 1)])
    row = np.append(sales.row, np.repeat(150 + np.arange(6), len(often)))
    day = np.append(sales.day, np.tile(often, 6))
    past = past_of(sales_of(row, day, np.append(sales.amount, np.full(6 * len(often), 40.0))))
    snapshot, base = past.moment(TODAY)
    lessons = past.lessons(TODAY)
    tier = hybrid.HybridTier(base, lessons, snapshot.situation, boosted=False)
    assert corrected(tier, lessons) == (
        pytest.approx(1.6, abs=0.2),
        pytest.approx(tier.orders_factor, rel=1e-9),
    )
    assert tier.orders_factor == pytest.approx(1, abs=0.05)


@KINDS
@pytest.mark.parametrize("horizon", [7.0, 20.0, 120.0, 365.0])
def test_another_horizon_is_reached_as_the_transaction_models_say(learnt, boosted, horizon):
    tier, s = learnt.tiers[boosted], learnt.situation
    p, usual, asked = (
        tier.p_no_purchase(HORIZON, s),
        *(learnt.base.p_no_purchase(h, s) for h in (HORIZON, horizon)),
    )
    if horizon < HORIZON:
        expected = 1 - (1 - p) * (1 - asked) / (1 - usual)  # of those who come within 60 days
    else:
        expected = expit(logit(p) + logit(asked) - logit(usual))
    told = tier.p_no_purchase(horizon, s)
    assert told == pytest.approx(expected, abs=2e-5)
    each = np.where(s.x % 2, horizon, HORIZON)  # formats may have horizons of their own
    assert tier.p_no_purchase(each, s).tolist() == np.where(s.x % 2, told, p).tolist()
    models = learnt.base.transactions, learnt.base.rhythm
    orders = sum(one.expected_orders(each, s) for one in models)
    given_any = np.minimum(orders / sum(1 - one.p_no_purchase(each, s) for one in models), each)
    orders = (1 - np.where(s.x % 2, told, p)) * np.clip(tier.orders_factor * given_any, 1, each)
    assert tier.expected_orders(each, s) == pytest.approx(orders, rel=1e-6)


def test_longer_horizons_tell_less_and_the_next_days_are_no_jump(learnt):
    tier, s = learnt.tiers[True], learnt.situation
    told = np.array(
        [tier.p_no_purchase(h, s) for h in (1.0, 7.0, 30.0, 59.9, 60.0, 60.1, 90.0, 365.0, 730.0)]
    )
    assert (np.diff(told, axis=0) <= 1e-9).all() and (told >= 0).all() and (told <= 1).all()
    assert np.abs(told[5] - told[3]).max() < 0.01


def test_who_is_as_good_as_sure_to_come_is_not_told_to_be_a_risk_next_week(learnt):
    """Votes that are less sure than the transaction models of the next quarter say nothing of the coming days: the
    odds of the one times those of the other were .50 for a customer of every fifth day."""
    p, usual, asked = (np.array([one]) for one in (0.0013, 0.00028, 0.18))
    assert averaged.carried(p, np.full(1, -83.0), usual, asked)[0] == pytest.approx(0.1809, abs=1e-3)


@KINDS
def test_the_level_is_right_for_a_format_with_a_shorter_horizon(boosted):
    """Were the regressions asked of columns that they have not learnt, it would be .05 to .13 too low."""
    errors = []
    for seed in (1, 2, 3, 4):
        learnt = Learnt(with_lines(shop(600, seed=seed, span=500, leave=0.1)))
        came = learnt.past.outcome(learnt.snapshot, 10.0).churned
        errors.append(learnt.tiers[boosted].p_no_purchase(10.0, learnt.situation).mean() - came.mean())
    assert max(np.abs(errors)) < 0.04


def test_what_was_learnt_at_a_shorter_horizon_is_carried_to_that_of_the_company():
    past = past_of(shop(900, seed=5, span=200, gap=12.0), horizon=180)
    snapshot, base = past.moment(TODAY)
    lessons, s = past.lessons(TODAY), snapshot.situation
    learnt = int((TODAY - past.start) / 2.5)
    tier = hybrid.HybridTier(base, lessons, s, boosted=False)
    moved = logit(tier.p_no_purchase(180.0, s)) - logit(tier.p_no_purchase(float(learnt), s))
    asked, usual = (logit(base.p_no_purchase(float(h), s)) for h in (180, learnt))
    assert moved == pytest.approx(asked - usual, abs=1e-6)
    # and there the votes are asked of the columns that they learnt
    unit = design.typical_amount([lesson.situation for lesson in lessons])
    now = design.with_basket(s, base.tell(float(learnt), s), unit)
    mean = logit(base.p_no_purchase(float(learnt), s)) + tier._plain.log_odds(tier._held(now))
    scaled = tier._scaled(now)
    votes = tier._elsewhere_votes
    mean += tier._regression.log_odds(scaled) + votes * tier._elsewhere.log_odds(scaled)
    assert logit(tier.p_no_purchase(float(learnt), s)) == pytest.approx(mean / (3 + votes), abs=1e-6)
