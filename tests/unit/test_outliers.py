import numpy as np
import pytest
from shops import TODAY, past_of, sales_of, shop

from sync_worker.scoring import seasonality
from sync_worker.scoring.features import Sales
from sync_worker.scoring.outliers import shared_total, tame

USUAL = [10.0, 20.0, 30.0, 40.0, 50.0]


def sales(*amounts, worth=None):
    n = len(amounts)
    return Sales(
        np.arange(n), np.arange(n) + 20_000, np.array(amounts), None if worth is None else np.array(worth)
    )


def test_up_to_four_orders_far_above_the_fifth_count_as_three_times_as_much():
    tamed, (words,) = tame(sales(*USUAL, 1e6, 151.0, 149.0, 60.0))
    # the fifth largest is 50
    assert tamed.amount.tolist() == [*USUAL, 150, 150, 149, 60]
    assert words.code == "orders_far_above"
    assert words.params == {"count": 2, "largest": 1e6, "day": "2024-10-09", "most": 150}


def test_where_more_orders_are_large_all_stay_as_they_are():
    given = sales(*USUAL, *[1e6] * 5)
    assert tame(given) == (given, [])
    alike = sales(*[100.0] * 9)
    assert tame(alike) == (alike, [])
    few = sales(1.0, 1.0, 1.0, 1e9)
    assert tame(few) == (few, [])


def test_what_an_order_is_worth_is_cut_with_it_and_so_is_its_return():
    given = sales(*USUAL[:4], 40.0, 1500.0, -1500.0, worth=[*USUAL[:4], 40.0, 300.0, -450.0])
    tamed, (words,) = tame(given)
    # the fifth largest of the orders is 20
    assert tamed.amount.tolist() == [*USUAL[:4], 40, 60, -60]
    assert tamed.worth.tolist() == pytest.approx([*USUAL[:4], 40, 12, -18])
    assert words.params["count"] == 1 and given.amount[5] == 1500


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
    assert abs(found[1].sales - found[0].sales) < 0.12
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
