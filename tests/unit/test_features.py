import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import features

AS_OF = pd.Timestamp("2024-03-01")
ORDERS = pd.DataFrame(
    {
        "order_id": [1, 2, 3, 4, 5, 6],
        "customer_id": [7, 7, 7, 9, 9, 9],
        "date": ["2024-02-01", "2024-01-01", "2024-02-01", "2024-01-05", "2024-01-06", "2024-02-06"],
        "amount": [10.0, 5.0, 20.0, 8.0, -8.0, 3.0],
    }
)
LINES = pd.DataFrame(
    {
        "order_id": [2, 2, 2, 1, 1, 3, 3, 4, 5, 99],
        "product_id": [1, 2, 3, 1, 4, 4, 5, 1, 2, 9],
        "category": ["a", "a", "b", "a", "c", "c", None, "a", "b", "z"],
        "amount": 1.0,
    }
)


def counts(orders, lines):
    """Lines and new categories by customer, day and amount, in the order in which the sales are kept."""
    sales = features.build(History(orders, lines=lines), AS_OF, Policy()).sales
    return [*zip(sales.row.tolist(), sales.amount.tolist(), strict=True)], sales.lines, sales.new_categories


def test_lines_and_new_categories_of_each_order_by_hand():
    kept, lines, new = counts(ORDERS, LINES)
    assert kept == [(0, 5), (0, 10), (0, 20), (1, 8), (1, -8), (1, 3)]
    # a line without a category counts as a line; a return's lines and an unknown order's do not
    assert lines.tolist() == [3, 2, 2, 1, 0, 0]
    assert new.tolist() == [2, 1, 0, 1, 0, 0]


def test_products_stand_in_where_no_category_is_known():
    _kept, lines, new = counts(ORDERS, LINES.drop(columns="category"))
    assert lines.tolist() == [3, 2, 2, 1, 0, 0]
    assert new.tolist() == [3, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("lines", [None, LINES.assign(order_id=99), LINES[LINES["order_id"] == 5]])
def test_without_lines_of_orders_nothing_is_counted(lines):
    _kept, count, new = counts(ORDERS, lines)
    assert count is None and new is None


row = st.tuples(st.integers(1, 12), st.sampled_from("abcd"))


@settings(max_examples=50)
@given(st.lists(row, min_size=1, max_size=40), st.integers(0, 2**30))
def test_new_categories_are_all_those_bought_by_any_day_and_rows_may_come_in_any_order(rows, seed):
    rng = np.random.default_rng(seed)
    orders = pd.DataFrame(
        {
            "order_id": np.arange(1, 13),
            "customer_id": rng.integers(1, 4, 12),
            "date": AS_OF - pd.to_timedelta(rng.integers(0, 5, 12), "D"),
            "amount": rng.choice([-4.0, 3.0, 8.0], 12, p=[0.1, 0.5, 0.4]),
        }
    )
    orders.loc[0, "amount"] = 1.0
    lines = pd.DataFrame([(1, "a"), *rows], columns=["order_id", "category"]).assign(amount=1.0)
    sales = features.build(History(orders, lines=lines), AS_OF, Policy()).sales
    bought = lines.merge(orders[orders["amount"] > 0], on="order_id")
    ids = np.sort(orders.loc[orders["amount"] > 0, "customer_id"].unique())
    for day in range(sales.day.min(), sales.day.max() + 1):
        known = bought[bought["date"] <= pd.Timestamp(day, unit="D")]
        expected = known.groupby("customer_id")["category"].nunique().reindex(ids, fill_value=0)
        seen = sales.day <= day
        found = np.bincount(sales.row[seen], sales.new_categories[seen], minlength=len(ids))
        assert found.tolist() == expected.tolist()
        count = np.bincount(sales.row[seen], sales.lines[seen], minlength=len(ids))
        assert count.tolist() == known.groupby("customer_id").size().reindex(ids, fill_value=0).tolist()
    shuffled = features.build(
        History(orders.sample(frac=1, random_state=1), lines=lines.sample(frac=1, random_state=2)),
        AS_OF,
        Policy(),
    ).sales
    for name in ("row", "day", "amount", "lines", "new_categories"):
        assert np.array_equal(getattr(shuffled, name), getattr(sales, name)), name
