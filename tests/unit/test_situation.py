from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shops import TODAY, lottery, sales_of, shop, without_formats

from sync_worker.policy import Policy
from sync_worker.scoring import rhythm
from sync_worker.scoring.features import Sales, order_days
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.situation import Situation, outcome, take

HORIZON = 30
sale = st.tuples(st.integers(0, 5), st.integers(0, 150), st.sampled_from([-40.0, 0.0, 5.0, 12.5, 100.0, 3e6]))


@st.composite
def histories(draw):
    """Sales of some customers (one bought for sure) and a day among them by which somebody had bought."""
    rows = [(0, draw(st.integers(0, 60)), 7.0), *draw(st.lists(sale, max_size=40))]
    sales = sales_of(*zip(*rows, strict=True))
    return sales, draw(st.integers(60, 160))


def seen(sales, day, horizon=HORIZON):
    return take(sales, without_formats(sales), day, horizon, Policy())


def by_hand(sales, day, horizon):
    """What `take` says, customer by customer."""
    table = pd.DataFrame({"row": sales.row, "day": sales.day, "amount": sales.amount})
    facts = {}
    for row, own in table[table["day"] <= day].groupby("row"):
        bought = own[own["amount"] > 0]
        if bought.empty:
            continue
        days = sorted(set(bought["day"]))

        def orders(newest, oldest, days=days):
            return sum(newest <= day - one < oldest for one in days)

        def spend(newest, oldest, bought=bought):
            return sum(
                a for d, a in zip(bought["day"], bought["amount"], strict=True) if newest <= day - d < oldest
            )

        facts[row] = {
            "x": len(days) - 1,
            "t_x": days[-1] - days[0],
            "T": day - days[0],
            "latest_orders": orders(0, horizon / 3),
            "recent_orders": orders(0, horizon),
            "before_orders": orders(horizon, 2 * horizon),
            "earlier_orders": orders(2 * horizon, 4 * horizon),
            "recent_spend": spend(0, horizon),
            "before_spend": spend(horizon, 2 * horizon),
            "mean_spend": bought["amount"].sum() / len(days),
            "last_spend": bought.loc[bought["day"] == days[-1], "amount"].sum(),
            "revenue": own["amount"].sum(),
        }
    return pd.DataFrame.from_dict(facts, orient="index").astype(float)


def gaps_by_hand(sales, day):
    found = []
    for row in set(sales.row):
        days = sorted(set(sales.day[(sales.row == row) & (sales.amount > 0) & (sales.day <= day)]))
        found += np.diff(days).tolist()
    return found


@settings(max_examples=70)
@given(histories())
def test_facts_are_those_counted_customer_by_customer(case):
    sales, day = case
    found, expected = seen(sales, day), by_hand(sales, day, HORIZON)
    assert found.rows.tolist() == expected.index.tolist()
    assert len(found.situation) == len(expected)
    for name in expected:
        assert getattr(found.situation, name) == pytest.approx(expected[name].to_numpy(), abs=1e-6), name
    assert all(getattr(found.situation, field.name).dtype == float for field in fields(Situation))


@settings(max_examples=70)
@given(histories())
def test_active_are_repeat_buyers_whose_last_order_is_within_the_usual_gap(case):
    sales, day = case
    gaps = gaps_by_hand(sales, day)
    window = max(30, np.percentile(gaps, 90)) if gaps else 30
    expected = []
    for row in seen(sales, day).rows:
        days = set(sales.day[(sales.row == row) & (sales.amount > 0) & (sales.day <= day)])
        # within the last `window` days, the day itself being one of them
        expected.append(len(days) >= 2 and max(days) > day - window)
    assert seen(sales, day).active.tolist() == expected


def test_breadth_and_basket_by_hand():
    """Three orders of the first customer, one without lines of the second, a return and a later order."""
    sales = Sales(
        row=np.array([0, 0, 0, 0, 1, 2, 2]),
        day=np.array([10, 10, 40, 90, 20, 30, 35]),
        amount=np.array([5.0, 5.0, -2.0, 9.0, 4.0, 6.0, 6.0]),
        lines=np.array([3, 1, 0, 8, 0, 1, 2]),
        new_categories=np.array([2, 1, 0, 4, 0, 1, 0]),
    )
    found = seen(sales, 50).situation  # the order of day 90 is not known yet
    # of the second customer nothing is known: it is taken for the median of the others
    assert found.categories.tolist() == [3, 2, 1]
    # both orders of day 10 are one basket
    assert found.lines == pytest.approx([4, (4 + 2**0.5) / 2, 2**0.5])
    assert seen(sales, 90).situation.categories.tolist() == [7, 4, 1]
    assert seen(sales, 90).situation.lines == pytest.approx([32**0.5, (32**0.5 + 2**0.5) / 2, 2**0.5])
    for without in (replace(sales, lines=None, new_categories=None), replace(sales, lines=sales.lines * 0)):
        nothing = seen(without, 50).situation
        assert nothing.categories.tolist() == nothing.lines.tolist() == [0, 0, 0]


@settings(max_examples=50)
@given(histories(), st.integers(0, 2**30))
def test_baskets_are_those_counted_customer_by_customer(case, seed):
    sales, day = case
    rng = np.random.default_rng(seed)
    lines = np.where(sales.amount > 0, rng.integers(0, 4, len(sales.row)), 0)
    sales = replace(sales, lines=lines, new_categories=np.minimum(rng.integers(0, 3, len(lines)), lines))
    found = seen(sales, day)
    expected = {}
    for row in found.rows:
        own = (sales.row == row) & (sales.day <= day) & (lines > 0)
        if own.any():
            baskets = pd.Series(lines[own]).groupby(sales.day[own]).sum()
            expected[row] = (
                sales.new_categories[own].sum(),
                np.prod(baskets.astype(float)) ** (1 / len(baskets)),
            )
    usual = np.median([*expected.values()], axis=0) if expected else (0, 0)
    told = np.array([expected.get(row, usual) for row in found.rows], dtype=float)
    assert found.situation.categories == pytest.approx(told[:, 0])
    assert found.situation.lines == pytest.approx(told[:, 1])
    later = np.where(sales.day > day, 7, 0)
    same(seen(replace(sales, lines=lines + later, new_categories=sales.new_categories + later), day), found)
    alone = sales.of(found.rows)
    again = seen(alone, day).situation
    assert again.categories == pytest.approx(told[:, 0]) and again.lines == pytest.approx(told[:, 1])


def test_active_by_hand():
    days = {0: [0, 100], 1: [170, 199], 2: [100, 169], 3: [150, 171], 4: [199], 5: [100, 170]}
    rows = [(row, day, 1.0) for row, own in days.items() for day in own]
    found = seen(sales_of(*zip(*rows, strict=True)), 200)
    # gaps 100, 29, 69, 21, 70: their 90th percentile is 70 + 0.6 * 30 = 88
    assert found.usual_gap == pytest.approx(88)
    assert found.active.tolist() == [False, True, True, True, False, True]
    short = {0: [171, 199], 1: [150, 171], 2: [150, 170], 3: [199]}
    rows = [(row, day, 1.0) for row, own in short.items() for day in own]
    found = seen(sales_of(*zip(*rows, strict=True)), 200)
    assert found.usual_gap < 30
    assert found.active.tolist() == [True, True, False, False]


@settings(max_examples=60)
@given(histories(), st.lists(sale, max_size=30), st.integers(0, 2**30))
def test_nothing_after_the_day_is_looked_at(case, later, seed):
    sales, day = case
    rng = np.random.default_rng(seed)
    late = sales.day > day
    changed = Sales(sales.row, sales.day, np.where(late, rng.normal(0, 1e5, len(late)), sales.amount))
    known = [*zip(sales.row[~late], sales.day[~late], sales.amount[~late], strict=True)]
    customers = int(sales.row.max()) + 1
    more = [*known, *((row % customers, day + 1 + ahead, amount) for row, ahead, amount in later)]
    row, when, amount = (np.array(column) for column in zip(*more, strict=True))
    order = np.lexsort([amount, when, row])
    added = Sales(row[order], when[order], amount[order].astype(float))
    alone = Sales(sales.row[~late], sales.day[~late], sales.amount[~late])
    formats = without_formats(sales)
    expected = take(sales, formats, day, HORIZON, Policy())
    for other in (changed, added, alone):
        found = take(other, formats, day, HORIZON, Policy())
        same(found, expected)


def same(found, expected):
    assert found.rows.tolist() == expected.rows.tolist()
    assert found.usual_gap == pytest.approx(expected.usual_gap, nan_ok=True, rel=0, abs=0)
    assert found.active.tolist() == expected.active.tolist()
    for field in fields(Situation):
        mine, theirs = getattr(found.situation, field.name), getattr(expected.situation, field.name)
        assert mine == pytest.approx(theirs, abs=1e-9), field.name


def test_the_rhythm_is_learnt_from_what_was_known():
    sales = shop(60, seed=3)
    day = TODAY - 200
    found = seen(sales, day)
    known = (sales.day <= day) & (sales.amount > 0)
    rows, row = np.unique(sales.row[known], return_inverse=True)
    days = order_days(row, sales.day[known])
    own = rhythm.learn(days, Peers(without_formats(sales).iloc[rows], Policy()), HORIZON).at(days.last())
    assert found.situation.mu.tolist() == own.mu.tolist()
    assert found.situation.sigma.tolist() == own.sigma.tolist()


def test_returns_are_no_order_days_and_lower_revenue_only():
    sales = sales_of([0, 0, 0, 1], [10, 20, 50, 30], [100.0, 60.0, -30.0, 5.0])
    found = seen(sales, 60).situation
    assert found.x[0] == 1 and found.t_x[0] == 10 and found.silence[0] == 40
    assert found.revenue[0] == 130 and found.mean_spend[0] == 80 and found.last_spend[0] == 60
    assert found.recent_spend[0] == 0 and found.recent_orders[0] == 0
    came = outcome(sales, seen(sales, 40), HORIZON)
    assert came.churned.tolist() == [True, True]
    assert came.value.tolist() == [-30, 0] and came.sales.tolist() == [0, 0]


def test_who_had_bought_nothing_by_the_day_is_not_known():
    sales = sales_of([0, 1, 1], [10, 5, 90], [1.0, -7.0, 2.0])
    assert seen(sales, 50).rows.tolist() == [0]
    assert seen(sales, 90).rows.tolist() == [0, 1]
    # the return of the time before it bought is part of its revenue
    assert seen(sales, 90).situation.revenue.tolist() == [1, -5]


def test_before_the_first_sale_nobody_is_known():
    found = seen(sales_of([0], [10], [1.0]), 9)
    assert len(found.situation) == 0 and found.active.tolist() == []
    assert len(outcome(sales_of([0], [10], [1.0]), found, 5).orders) == 0


@settings(max_examples=70, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.lists(st.integers(1, 90), min_size=6, max_size=6))
def test_outcomes_are_those_counted_customer_by_customer(case, horizons):
    sales, day = case
    snapshot = seen(sales, day)
    for ahead in (float(horizons[0]), np.array(horizons[: len(snapshot.rows)], dtype=float)):
        found = outcome(sales, snapshot, ahead)
        for place, row in enumerate(snapshot.rows):
            until = day + (ahead if np.isscalar(ahead) else ahead[place])
            then = (sales.row == row) & (sales.day > day) & (sales.day <= until)
            bought = then & (sales.amount > 0)
            assert found.orders[place] == len(set(sales.day[bought]))
            assert found.churned[place] == (not bought.any())
            assert found.sales[place] == pytest.approx(sales.amount[bought].sum())
            assert found.value[place] == pytest.approx(sales.amount[then].sum())


def test_the_horizon_starts_after_the_day_and_its_last_day_is_part_of_it():
    sales = sales_of([0, 0, 1, 1, 2, 2], [10, 40, 10, 41, 10, 11], [1.0] * 6)
    came = outcome(sales, seen(sales, 10), 30)
    assert came.churned.tolist() == [False, True, False]
    assert seen(sales, 11).situation.x.tolist() == [0, 0, 1]


def test_parts_and_changes():
    snapshot = seen(lottery(40, 200), TODAY)
    some = snapshot.situation.part(np.array([3, 1]))
    assert some.T.tolist() == snapshot.situation.T[[3, 1]].tolist()
    assert some.but(x=np.array([9.0, 9.0])).x.tolist() == [9, 9]
    assert some.but(x=np.array([9.0, 9.0])).last_spend.tolist() == some.last_spend.tolist()
    came = outcome(lottery(40, 200), seen(lottery(40, 200), TODAY - 400), 200)
    assert came.part(np.array([2])).orders.tolist() == came.orders[[2]].tolist()
    bare = Situation(*np.ones((5, 3)))
    assert bare.part(slice(0, 2)).latest_orders is None
