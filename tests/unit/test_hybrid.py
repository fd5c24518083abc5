from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learnt import HORIZON, Learnt
from shops import shop, with_lines

from sync_worker.scoring import averaged, design, metrics, sales_regression, transfer
from sync_worker.scoring.sales_regression import SalesRegression
from sync_worker.scoring.situation import Outcome, Situation

KINDS = pytest.mark.parametrize("boosted", [False, True], ids=["regression", "boosted"])


@pytest.fixture(scope="module")
def sales():
    return with_lines(shop(600, seed=1, parting=0.2))


@pytest.fixture(scope="module")
def learnt(sales):
    return Learnt(sales)


def unit_of(lessons):
    return design.typical_amount([lesson.situation for lesson in lessons])


@KINDS
def test_a_signal_that_the_transaction_models_cannot_see_is_learnt(learnt, boosted):
    active = learnt.snapshot.active
    churned = learnt.came.churned[active]

    def auc(model):
        return metrics.auc(churned, model.p_no_purchase(HORIZON, learnt.situation)[active])

    plain = max(auc(learnt.base.transactions), auc(learnt.base.rhythm))
    assert auc(learnt.tiers[boosted]) > plain + 0.08
    assert auc(learnt.tiers[True]) > auc(learnt.tiers[False])
    found = learnt.tiers[boosted].p_no_purchase(HORIZON, learnt.situation)
    told = learnt.base.transactions.p_no_purchase(HORIZON, learnt.situation)
    assert metrics.brier(learnt.came.churned, found) < metrics.brier(learnt.came.churned, told)
    assert found.mean() == pytest.approx(learnt.came.churned.mean(), abs=0.06)


@KINDS
def test_sales_are_learnt_too(learnt, boosted):
    found = learnt.sales[boosted].expected_sales(HORIZON, learnt.situation)
    base = learnt.base
    told = base.transactions.expected_orders(HORIZON, learnt.situation) * base.expected_spend(
        learnt.situation
    )
    came = learnt.came.sales
    assert np.corrcoef(found, came)[0, 1] > np.corrcoef(told, came)[0, 1]
    assert np.log(found.sum() / came.sum()) == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize(("boosted", "rate"), [(False, 1e-4), (True, 163.7)])
def test_the_currency_changes_nothing_but_the_unit_of_sales(sales, learnt, boosted, rate):
    other = Learnt(replace(sales, amount=sales.amount * rate))
    mine, theirs = (one.tiers[boosted].p_no_purchase(HORIZON, one.situation) for one in (learnt, other))
    assert theirs == pytest.approx(mine, abs=1e-4)
    mine, theirs = (one.sales[boosted].expected_sales(HORIZON, one.situation) for one in (learnt, other))
    assert theirs / rate == pytest.approx(mine, rel=1e-3, abs=1e-3)


@KINDS
def test_the_order_of_customers_changes_nothing(learnt, boosted):
    rng = np.random.default_rng(0)
    lessons = []
    for lesson in learnt.lessons:
        order = rng.permutation(len(lesson.situation))
        lessons.append(
            replace(lesson, situation=lesson.situation.part(order), outcome=lesson.outcome.part(order))
        )
    order = rng.permutation(len(learnt.situation))
    there = learnt.situation.part(order)
    tier = learnt.tier(lessons=lessons, boosted=boosted)
    expected = learnt.tiers[boosted].p_no_purchase(HORIZON, learnt.situation)
    assert tier.p_no_purchase(HORIZON, there) == pytest.approx(expected[order], abs=1e-5)
    sales = SalesRegression(learnt.base, lessons, boosted=boosted)
    expected = learnt.sales[boosted].expected_sales(HORIZON, learnt.situation)
    assert sales.expected_sales(HORIZON, there) == pytest.approx(expected[order], rel=1e-4)


@KINDS
def test_blocks_are_the_whole(learnt, boosted, monkeypatch):
    tier, sales = learnt.tiers[boosted], learnt.sales[boosted]
    n = len(learnt.situation)
    horizon = np.where(np.arange(n) % 2, 30.0, 90.0)  # each customer's own goes with it
    whole = tier.p_no_purchase(horizon, learnt.situation), sales.expected_sales(horizon, learnt.situation)
    for module in (averaged, sales_regression):
        monkeypatch.setattr(module, "BLOCK", 37)
    blocks = tier.p_no_purchase(horizon, learnt.situation), sales.expected_sales(horizon, learnt.situation)
    for mine, theirs in zip(blocks, whole, strict=True):
        assert mine.shape == (n,) and mine == pytest.approx(theirs, rel=1e-12)
    one_by_one = [tier.p_no_purchase(horizon[i], learnt.situation.part([i]))[0] for i in range(0, n, 60)]
    assert one_by_one == pytest.approx(whole[0][::60], rel=1e-9)


@KINDS
def test_a_longer_horizon_leaves_less_silence_and_more_orders(learnt, boosted):
    tier, sales = learnt.tiers[boosted], learnt.sales[boosted]
    horizons = (30.0, 60.0, 120.0)
    told = [tier.p_no_purchase(h, learnt.situation).mean() for h in horizons]
    assert told[0] > told[1] > told[2]
    orders = [tier.expected_orders(h, learnt.situation).sum() for h in horizons]
    amounts = [sales.expected_sales(h, learnt.situation).sum() for h in horizons]
    assert orders == sorted(orders) and amounts == sorted(amounts)


days = st.sampled_from([0.0, 1.0, 30.0, 365.0, 40_000.0])
counts = st.sampled_from([0.0, 1.0, 7.0, 400.0])
money = st.sampled_from([0.0, 1e-9, 1.0, 1e3, 1e12])
extreme = st.fixed_dictionaries(
    {
        "x": st.sampled_from([0.0, 1.0, 12.0, 3000.0]),
        "t_x": days,
        "silence": days,
        "mu": st.sampled_from([0.0, 3.0, 9.0]),
        "sigma": st.sampled_from([0.1, 0.5, 1.5]),
        "latest_orders": counts,
        "recent_orders": counts,
        "before_orders": counts,
        "earlier_orders": counts,
        "recent_spend": money,
        "before_spend": money,
        "mean_spend": st.sampled_from([1e-9, 1.0, 1e3, 1e12]),
        "last_spend": money,
        "revenue": st.sampled_from([-1e12, -5.0, 0.0, 1.0, 1e12]),
        "categories": counts,
        "lines": counts,
    }
)


@settings(max_examples=60)
@given(st.lists(extreme, min_size=1, max_size=5), st.sampled_from([1.0, 60.0, 3650.0]))
def test_extreme_customers_get_a_finite_forecast(learnt, customers, horizon):
    facts = {name: np.array([one[name] for one in customers]) for name in customers[0]}
    silence = facts.pop("silence")
    facts["t_x"] = np.where(facts["x"] > 0, facts["t_x"], 0)
    situation = Situation(T=facts["t_x"] + silence, **facts)
    with np.errstate(all="raise", under="ignore"):
        for boosted in (False, True):
            tier = learnt.tiers[boosted]
            none = tier.p_no_purchase(horizon, situation)
            assert ((none >= 0) & (none <= 1)).all()
            orders = tier.expected_orders(horizon, situation)
            sales = learnt.sales[boosted].expected_sales(horizon, situation)
            assert np.isfinite(orders).all() and (orders >= 0).all() and (orders <= horizon).all()
            assert np.isfinite(sales).all() and (sales >= 0).all()


def test_a_customer_far_from_all_others_is_taken_for_one_at_the_edge(learnt):
    """Regressions run wild out there."""
    unit = unit_of(learnt.lessons)
    told = [
        learnt.tiers[False].p_no_purchase(
            HORIZON, learnt.situation.but(recent_spend=np.full(len(learnt.situation), spend * unit))
        )
        for spend in (1.0, 1e8, 1e12)
    ]
    assert told[1] == pytest.approx(told[2], abs=1e-12)
    assert np.abs(told[0] - told[1]).max() > 1e-3


def test_no_vote_is_more_than_three_times_the_largest_sales(learnt, monkeypatch):
    sales, n = learnt.sales[True], len(learnt.situation)
    most = 3 * sales.largest * sales.unit
    for model in (sales._regression, sales._trees):
        monkeypatch.setattr(model, "predict", lambda columns: np.full(len(columns), 1e12))
    base = learnt.base.expected_orders(HORIZON, learnt.situation) * learnt.base.expected_spend(
        learnt.situation
    )
    votes = sales._forecasts(learnt.situation, learnt.base)
    assert votes.shape == (3, n)
    assert (votes[:2] == most).all()
    assert votes[2] == pytest.approx(np.minimum(base, most))


def test_sales_of_a_customer_do_not_depend_on_who_else_is_asked_for(learnt):
    sales = learnt.sales[True]
    every = sales.expected_sales(HORIZON, learnt.situation)
    few = sales.expected_sales(HORIZON, learnt.situation.part(slice(3, 8)))
    assert few == pytest.approx(every[3:8])


def test_another_horizon_is_reached_by_the_transaction_models(learnt):
    sales, situation = learnt.sales[True], learnt.situation
    near, far = (np.full(len(situation), h) for h in (HORIZON, 3.0 * HORIZON))
    grown = learnt.base.expected_orders(far, situation) / learnt.base.expected_orders(near, situation)
    assert sales.expected_sales(far, situation) == pytest.approx(
        sales.expected_sales(near, situation) * grown
    )


def test_one_order_of_a_billion_does_not_make_the_sales_model(learnt):
    """Half of it is told again by the next lesson, whose horizon overlaps."""
    lessons = list(learnt.lessons)
    for number in (0, 1):
        sales = lessons[number].outcome.sales.copy()
        sales[np.argmax(sales)] = 1e9
        came = Outcome(lessons[number].outcome.churned, lessons[number].outcome.orders, sales, sales)
        lessons[number] = replace(lessons[number], outcome=came)
    wild = SalesRegression(learnt.base, lessons, boosted=False)
    told = learnt.sales[False].expected_sales(HORIZON, learnt.situation)
    ratio = wild.expected_sales(HORIZON, learnt.situation) / told
    assert np.median(ratio) == pytest.approx(1, rel=0.1) and ratio.max() < 2


def _design(learnt, situation, unit):
    return design.plain(situation, learnt.base.tell(60.0, situation), unit)


def _with_basket(learnt, situation, unit):
    return design.with_basket(situation, learnt.base.tell(60.0, situation), unit)


@KINDS
def test_a_basket_that_tells_who_leaves_is_learnt_and_changes_no_sales(learnt, boosted):
    """Customers who leave are given narrow baskets: with and without what is known of these."""

    def lesson_of(lesson, basket):
        n = len(lesson.situation)
        narrow = np.where(lesson.outcome.churned, 2.0, 20.0) if basket else np.zeros(n)
        return replace(lesson, situation=lesson.situation.but(categories=narrow, lines=narrow))

    narrow = np.where(learnt.came.churned, 2.0, 20.0)
    seen = learnt.situation.but(categories=narrow, lines=narrow)
    unseen = learnt.situation.but(categories=narrow * 0, lines=narrow * 0)
    found = {}
    for basket, situation in ((True, seen), (False, seen), (False, unseen)):
        lessons = [lesson_of(lesson, basket) for lesson in learnt.lessons]
        tier = learnt.tier(lessons=lessons, boosted=boosted)
        found[basket, situation is seen] = tier.p_no_purchase(HORIZON, situation)
        sales = SalesRegression(learnt.base, lessons, boosted=boosted)
        expected = learnt.sales[boosted].expected_sales(HORIZON, learnt.situation)
        assert np.array_equal(sales.expected_sales(HORIZON, situation), expected)
    with_it, without = (metrics.auc(learnt.came.churned, found[told, told]) for told in (True, False))
    assert with_it > without + 0.02
    # of a basket nobody had when it was learnt nothing is known
    assert found[False, True] == pytest.approx(found[False, False])


@KINDS
def test_without_lines_the_forecast_is_as_without_the_columns(learnt, boosted):
    lessons = [
        replace(x, situation=x.situation.but(categories=x.situation.x * 0, lines=x.situation.x * 0))
        for x in learnt.lessons
    ]
    situation = learnt.situation.but(categories=learnt.situation.x * 0, lines=learnt.situation.x * 0)

    def told():
        tier = learnt.tier(lessons=lessons, situation=situation, boosted=boosted)
        return tier.p_no_purchase(HORIZON, situation)

    found = told()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(design, "with_basket", design.plain)
        slopes = {name: slope for name, slope in transfer.SLOPES.items() if name in design.COLUMNS}
        patch.setattr(transfer, "SLOPES", slopes)
        plain = told()
    assert found == pytest.approx(plain, abs=1e-9)


def test_a_customer_who_spent_a_billion_does_not_make_the_others_alike(learnt):
    lessons = []
    for lesson in learnt.lessons:
        spend = lesson.situation.mean_spend.copy()
        spend[0] = 1e9
        lessons.append(replace(lesson, situation=lesson.situation.but(mean_spend=spend)))
    usual, wild = (
        _design(learnt, learnt.situation, unit_of(which)).std(axis=0) for which in (learnt.lessons, lessons)
    )
    assert (wild >= 0.15 * usual).all()


def test_sales_of_a_period_are_cut_where_one_towers_over_all_others():
    sales = np.array([0.0, 5.0, 7.0, 10.0, 1e9])
    assert sales_regression._cut(sales).tolist() == [0, 5, 7, 10, 30]
    assert sales_regression._cut(np.zeros(3)).tolist() == [0, 0, 0]
    assert sales_regression._cut(np.array([0.0, 4.0])).tolist() == [0, 4]
    usual = np.random.default_rng(0).lognormal(0, 1, 5000)
    assert sales_regression._cut(usual).max() == pytest.approx(np.quantile(usual, 0.999))


def test_every_fact_is_looked_at(learnt):
    """Each column of the design moves with a fact, and each fact moves a column."""
    rows = learnt.situation.x > 1
    situation = learnt.situation.part(rows)
    unit = unit_of(learnt.lessons)
    columns = _with_basket(learnt, situation, unit)
    assert columns.shape == (rows.sum(), 26) and np.isfinite(columns).all()
    assert np.array_equal(columns[:, :24], _design(learnt, situation, unit))
    moved = np.zeros(26, dtype=bool)
    for field in fields(Situation):
        if field.name == "T":
            other = situation.but(T=situation.T + 20)
        else:
            other = situation.but(**{field.name: getattr(situation, field.name) * 0.5})
        changed = (_with_basket(learnt, other, unit) != design).any(axis=0)
        assert changed.any(), field.name
        moved |= changed
    moved |= (_with_basket(learnt, situation.but(x=situation.x * 0), unit) != design).any(axis=0)
    assert moved.all()


def test_what_was_learnt_is_told(learnt):
    assert [tier.name for tier in learnt.tiers.values()] == ["regression", "boosted"]
    assert learnt.tiers[False].words.endswith("learnt from 6 earlier cut-offs and other companies")
    one = learnt.tier(lessons=learnt.lessons[:1], boosted=False)
    assert one.words.endswith("learnt from an earlier cut-off and other companies")
    assert all(np.isfinite([*one.parameters().values()]))
