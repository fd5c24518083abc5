"""Lines joined to the buyers' orders."""

import numpy as np
import pandas as pd
import pytest
from baskets import POLICY, history_of_lines, known_of, lines_of, shop
from conftest import AS_OF, history_of, orders_of
from hypothesis import given
from hypothesis import strategies as st

from sync_worker.history.schema import History
from sync_worker.scoring import features, grouped, purchases


def test_lines_of_a_product_in_an_order_are_one_purchase():
    table = lines_of(
        [(7, 3, 1, 4, 2.0, 20.0, 0.0), (7, 3, 1, 4, 1.0, 5.0, 50.0), (7, 3, 2, 5, 1.0, 8.0, 0.0)]
    )
    bought, _, _ = known_of(history_of_lines(table))
    assert bought.quantity.tolist() == [3, 1]
    assert bought.amount.tolist() == [25, 8]
    assert bought.discount.tolist() == [10, 0]  # weighted by amount
    assert bought.categories[bought.category].tolist() == [4, 5]


def test_a_rest_of_rounding_is_no_purchase():
    table = lines_of([(7, 9, 1, 4, 1.0, 0.1), (7, 9, 1, 4, 1.0, 0.2), (7, 9, 1, 4, 1.0, -0.3), (7, 9, 2)])
    bought, _, _ = known_of(history_of_lines(table))
    assert bought.amount.tolist() == [0, 10]
    assert bought.bought.tolist() == [False, True]


def test_returns_free_goods_and_lines_of_nobody_are_not_bought():
    table = lines_of(
        [
            (7, 9, 1, 4, 1.0, 10.0),
            (7, 5, 1, 4, -1.0, -10.0),
            (7, 4, 2, 4, 1.0, 0.0),  # given away
            (7, 4, 3, 4, 2.0, 6.0),
            (8, 2, 3, 4, -1.0, -3.0),  # only returns: no buyer
        ]
    )
    bought, facts, _ = known_of(history_of_lines(table))
    assert facts.table["customer_id"].tolist() == [7]
    assert bought.bought.tolist() == [True, False, False, True]


def test_lines_without_amounts_count_as_bought_with_their_order():
    orders = pd.concat([orders_of(7, [9]), orders_of(7, [3], -100.0)])
    lines = pd.DataFrame(
        {"order_id": [1, 1, 2, 99], "product_id": [5, 6, 5, 5], "category": ["a", None, "a", "a"]}
    )
    bought, _, _ = known_of(history_of(orders, lines=lines))
    assert bought.bought.tolist() == [True, True, False]
    assert bought.category.tolist() == [0, -1, 0]
    assert (bought.amount == 0).all()


def test_without_lines_there_are_no_purchases():
    bought, _, _ = known_of(history_of(orders_of(7, [9, 3])))
    assert len(bought.row) == len(bought.products) == len(bought.categories) == 0
    assert bought.spend(bought.bought).shape == (1, 0)


def test_text_order_ids_leave_no_records():
    table = lines_of([(7, 9), (7, 3)])
    history = history_of_lines(table)
    texts = {name: "S" + getattr(history, name)["order_id"].astype(str) for name in ("orders", "lines")}
    named = History(
        history.orders.assign(order_id=texts["orders"]), history.lines.assign(order_id=texts["lines"])
    )
    bought = purchases.of(features.build(named, AS_OF, POLICY), named)
    assert bought.order_id is None
    assert bought.basket.tolist() == [0, 1]


def test_the_order_of_the_rows_does_not_matter():
    table = shop(30)
    one, _, _ = known_of(history_of_lines(table))
    other, _, _ = known_of(history_of_lines(table.sample(frac=1, random_state=3)))
    for name in ("row", "day", "basket", "order_id", "product", "category", "quantity", "amount", "bought"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


def test_spend_is_net_of_returns_and_never_negative():
    table = lines_of(
        [(7, 9, 1, 4, 1.0, 10.0), (7, 5, 1, 4, -1.0, -4.0), (7, 5, 2, 5, 1.0, 5.0), (7, 2, 2, 5, -2.0, -9.0)]
    )
    bought, _, _ = known_of(history_of_lines(table))
    assert bought.spend(np.ones(4, dtype=bool)).toarray().tolist() == [[6.0, 0.0]]


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(-100, 100)), max_size=40))
def test_grouped_statistics_are_those_of_each_group(pairs):
    key, values = np.array([k for k, _ in pairs], dtype=int), np.array([v for _, v in pairs], dtype=float)
    medians, (means, counts) = grouped.median(key, values, 6), grouped.mean(key, values, 6)
    order = np.argsort(key, kind="stable")
    assert np.array_equal(grouped.median_in_order(key[order], values[order], 6), medians, equal_nan=True)
    for number in range(6):
        own = values[key == number]
        assert counts[number] == len(own)
        assert medians[number] == pytest.approx(np.median(own) if len(own) else np.nan, nan_ok=True)
        assert means[number] == pytest.approx(own.mean() if len(own) else np.nan, nan_ok=True, abs=1e-9)
