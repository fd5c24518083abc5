import numpy as np
import pytest
from shops import TODAY, past_of, sales_of, shop

from sync_worker.scoring import seasonality
from sync_worker.scoring.features import Sales
from sync_worker.scoring.outliers import shared_total, tame

CROWD = [float(10 + place % 31) for place in range(60)]  # of 10 to 40, each of a customer of its own


def sales(*more, worth=None):
    """Sixty usual orders, and some of customers from 100 on: (customer, days after, amount)."""
    row = np.append(np.arange(60), [customer for customer, _day, _amount in more])
    day = np.append(np.arange(60), [day for _customer, day, _amount in more]) + 20_000
    amount = np.append(CROWD, [amount for _customer, _day, amount in more])
    return Sales(row.astype(int), day.astype(int), amount, worth)


def test_up_to_four_orders_far_above_the_fifth_count_as_three_times_as_much():
    tamed, (words,) = tame(sales((100, 70, 1e6), (101, 71, 131.0), (102, 72, 119.0), (103, 73, 60.0)))
    # the four largest may be exceptions; of the others the largest is 40, the sixteenth after it 33
    assert tamed.amount.tolist() == [*CROWD, 120, 120, 119, 60]
    assert words.code == "orders_far_above"
    assert words.params == {"count": 2, "largest": 1e6, "day": "2024-12-13", "most": 120}
    assert words.startswith("2 orders are far above all others, up to 1,000,000 on 2024-12-13")


def test_where_more_orders_are_large_all_stay_as_they_are():
    given = sales(*((100 + place, 70, 1e6) for place in range(5)))
    assert tame(given) == (given, [])
    few = sales_of(np.arange(49), np.full(49, TODAY), np.append(np.ones(48), 1e9))
    assert tame(few) == (few, [])


def test_who_buys_as_much_on_other_days_is_a_large_customer():
    regular = sales((100, 70, 5000.0), (100, 160, 4000.0))
    assert tame(regular) == (regular, [])
    # on the same day it is one order in two parts
    parts, _words = tame(sales((100, 70, 5000.0), (100, 70, 4000.0), (100, 9, 30.0)))
    assert parts.amount[60:].tolist() == pytest.approx([114, 114, 30])  # three times 38


@pytest.mark.parametrize(("sigma", "lost"), [(1.0, 0.02), (1.5, 0.04)])
def test_amounts_that_reach_far_by_themselves_are_hardly_cut(sigma, lost):
    cut = []
    for seed in range(40):
        amount = np.exp(np.random.default_rng(seed).normal(4, sigma, 1000))
        tamed, _words = tame(sales_of(np.arange(1000) % 100, TODAY - np.arange(1000), amount))
        cut.append(1 - tamed.amount.sum() / amount.sum())
    assert np.mean(cut) < lost


@pytest.mark.parametrize("parts", [1, 20])
def test_what_an_order_is_worth_is_cut_with_it_and_so_are_its_returns(parts):
    bought, back = [(100, 70, 1000.0), (100, 5, 20.0)], [(100, 80, -900.0 / parts)] * parts
    given = sales(*bought, *back)
    given.worth = given.amount * 0.25
    tamed, (words,) = tame(given)
    share = 134 / 1020  # of 1020 it is taken to have bought 114 + 20
    assert tamed.amount[60:62].tolist() == pytest.approx([114, 20])
    assert tamed.amount[62:].sum() == pytest.approx(-900 * share)
    assert tamed.worth == pytest.approx(tamed.amount * 0.25)
    assert words.params["count"] == 1 and given.amount[60] == 1000


def test_a_wrong_cost_price_is_named_and_makes_no_rate():
    given = sales((100, 70, 50.0))
    rate = np.random.default_rng(1).normal(0.3, 0.05, 61)
    given.worth = given.amount * rate
    assert tame(given) == (given, [])
    given.worth[60] = -500_000.0
    tamed, (words,) = tame(given)
    assert tamed.worth[:60].tolist() == given.worth[:60].tolist()
    # no more than one below the usual rate
    assert tamed.worth[60] == pytest.approx(50 * (np.median(rate[:60]) - 1), rel=0.02)
    assert words.code == "margins_far_off" and words.params["margin"] == -500_000
    assert words.startswith("1 order has margins far off all others, up to -500,000 of 50.00 on 2024-12-13")


def with_orders(given, customers, day, amount):
    row = np.append(given.row, customers)
    days = np.append(given.day, np.full(len(customers), day))
    return sales_of(row, days, np.append(given.amount, np.full(len(customers), amount)))


@pytest.mark.parametrize("before", [310, 325, 340, 355, 364])
@pytest.mark.parametrize("count", [1, 6])
def test_large_orders_of_a_few_a_year_ago_are_no_season(before, count):
    """They came in the sixty days of which the season would be."""
    usual = shop(300, seed=2, span=1100, leave=0.03, until=TODAY)
    wild = with_orders(usual, np.arange(count), TODAY - before, 50_000.0)
    found = [seasonality.learn(past_of(each), TODAY) for each in (usual, wild)]
    # each has at most a fiftieth of the say
    assert abs(found[1].sales - found[0].sales) < 0.03 - np.log(1 - 0.02 * count)
    assert abs(found[1].orders - found[0].orders) < 0.05


def test_a_few_who_came_daily_a_year_ago_are_no_season():
    usual = shop(300, seed=2, span=1100, leave=0.03, until=TODAY)
    wild = usual
    for day in range(TODAY - 364, TODAY - 306):
        wild = with_orders(wild, np.arange(3), day, 50.0)
    found = seasonality.learn(past_of(wild), TODAY)
    assert abs(found.orders) < 0.15 and abs(found.sales) < 0.15


@pytest.mark.parametrize("large", [1, 10, 60])
def test_nobody_makes_more_of_a_total_than_a_share(large):
    values = np.append(np.ones(500), np.full(large, 1e4))
    total = shared_total(values)
    # those who are cut have a fiftieth each; sixty of them are the business
    expected = {1: 500 / 0.98, 10: 500 / 0.8, 60: values.sum()}[large]
    assert total == pytest.approx(expected)
    assert shared_total(values[::-1]) == pytest.approx(total)
    assert shared_total(np.append(np.ones(200), [0, 3.0])) == 203
    assert shared_total(np.array([5.0, 1.0])) == 6 and shared_total(np.zeros(4)) == 0
