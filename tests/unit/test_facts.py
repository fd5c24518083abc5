import numpy as np
import pandas as pd
import pytest
from conftest import ORDERS
from hypothesis import given
from hypothesis import strategies as st

from sync_worker.history.columns import HistoryError
from sync_worker.history.facts import FACTS, empty, rows_of
from sync_worker.history.schema import History
from sync_worker.scoring.evidence import newest


def ratings(**columns):
    table = {"rating_id": [1, 2, 3], "customer_id": [7, 9, None], "known": ["2024-01-06", None, "2024-01-07"]}
    return pd.DataFrame(table | {"rating": [5, 1, 3]} | columns)


def test_rows_of_nobody_and_of_no_day_are_left_out():
    history = History(ORDERS, facts={"ratings": ratings()})
    assert history.facts["ratings"]["rating_id"].tolist() == [1]
    assert history.facts["ratings"]["customer_id"].dtype == history.customers["customer_id"].dtype


def test_what_became_known_later_is_not_known():
    table = ratings(customer_id=[7, 7, 9], known=["2024-01-06", "2024-01-31", "2024-02-01"])
    known = History(ORDERS, facts={"ratings": table}).until("2024-01-31").facts["ratings"]
    assert known["rating_id"].tolist() == [1, 2]


@pytest.mark.parametrize("kind", ["object", "category"])
def test_how_a_lead_ended_is_known_from_the_day_it_did(kind):
    table = pd.DataFrame(
        {
            "lead_id": [1, 2, 3, 4],
            "customer_id": [7, 7, 9, 9],
            "known": "2024-01-06",
            "closed": ["2024-01-31", "2024-02-01", "2024-02-02", None],
            "outcome": ["won", "lost", "won", "pending"],
            "lost_type": [None, "price_seeker", None, None],
            "source_id": [1, 1, 2, 2],
            "expected_revenue": 10.0,
        }
    )
    table = table.astype({"outcome": kind, "lost_type": kind})
    if kind == "category":
        table["outcome"] = table["outcome"].cat.remove_categories("pending")
    history = History(ORDERS, facts={"leads": table})
    then = history.until("2024-01-31").facts["leads"]
    assert then["outcome"].tolist()[:3] == ["won", "pending", "pending"]
    assert then["lost_type"].isna().all()
    assert then["closed"].isna().tolist() == [False, True, True, True]
    now = history.until("2024-02-02").facts["leads"]
    pd.testing.assert_frame_equal(now, history.facts["leads"])
    assert now["lost_type"].tolist()[1] == "price_seeker"


def test_products_introduced_later_are_not_known():
    products = pd.DataFrame(
        {"product_id": [1, 2, 3], "category": [4, 4, 5], "introduced": ["2024-01-01", "2024-03-01", None]}
    )
    known = History(ORDERS, products=products).until("2024-01-31").products
    assert known["product_id"].tolist() == [1, 3]


def test_customers_keep_their_standing_and_added_ones_have_none():
    customers = pd.DataFrame(
        {
            "customer_id": [7],
            "group_id": [7],
            "has_tax_id": [True],
            "credit_limit": [100.0],
            "blocked": [False],
        }
    )
    history = History(ORDERS, customers=customers)
    assert history.customers["has_tax_id"].tolist() == [True, pd.NA]
    assert history.customers["blocked"].tolist() == [False, False]
    assert np.isnan(history.customers["credit_limit"].to_numpy(float)[1])


def test_groups_stay_whole_numbers_where_some_are_not_known():
    customers = pd.DataFrame({"customer_id": [7, 8], "group_id": [83.0, np.nan]})
    groups = History(ORDERS, customers=customers).customers["group_id"]
    assert groups.dtype == "Int64" and groups.tolist() == [83, pd.NA, pd.NA]
    assert isinstance(groups[0], int | np.integer)


def test_groups_of_text_customers_are_text():
    customers = pd.DataFrame({"customer_id": ["A", "B"], "group_id": [83.0, np.nan]})
    history = History(ORDERS.assign(customer_id=["A", "C"]), customers=customers)
    assert history.customers["group_id"].astype(object).fillna("none").tolist() == ["83", "none", "none"]


def test_the_index_of_the_customers_given_does_not_matter():
    customers = pd.DataFrame({"customer_id": [7, 9], "blocked": [True, False]}, index=[0, 0])
    assert History(ORDERS, customers=customers).customers["blocked"].tolist() == [True, False]


def test_text_customers_of_facts_stay_those_of_the_orders():
    history = History(
        ORDERS.assign(customer_id=["A", "9"]),
        facts={"ratings": ratings(customer_id=["A", "9", "x"], known=["2024-01-06"] * 3)},
    )
    assert rows_of(history.facts["ratings"]["customer_id"], history.customers["customer_id"]).tolist() == [
        1,
        0,
        -1,
    ]


def test_text_customers_of_a_fact_are_nobody_among_whole_numbers():
    known = ["2024-01-06"] * 3
    mixed = History(ORDERS, facts={"ratings": ratings(customer_id=["A", "9", "7"], known=known)})
    assert mixed.facts["ratings"]["customer_id"].tolist() == [9, 7]
    assert mixed.facts["ratings"]["customer_id"].dtype == "int64"
    none = History(ORDERS, facts={"ratings": ratings(customer_id=["A", "B", "C 7"], known=known)})
    assert none.facts["ratings"].empty
    assert rows_of(none.facts["ratings"]["customer_id"], none.customers["customer_id"]).tolist() == []


@pytest.mark.parametrize("name", FACTS)
def test_an_empty_dataset_is_one(name):
    assert History(ORDERS, facts={name: empty(FACTS[name])}).facts[name].empty


def test_a_missing_column_and_an_unknown_dataset_are_refused_in_words():
    with pytest.raises(HistoryError, match="ratings lack the column known"):
        History(ORDERS, facts={"ratings": ratings().drop(columns="known")})
    with pytest.raises(HistoryError, match="no dataset complaints"):
        History(ORDERS, facts={"complaints": ratings()})


@given(
    st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 9), st.integers(0, 5)), max_size=30),
    st.integers(1, 3),
)
def test_newest_is_what_sorting_each_customer_gives(records, most):
    table = np.array(records, dtype=int).reshape(-1, 3)
    found = newest(table[:, 0], table[:, 1], table[:, 2], 4, most)
    for customer in range(4):
        own = sorted(((-day, -record) for row, record, day in records if row == customer))[:most]
        expected = [-record for _, record in own] + [-1] * (most - len(own))
        assert found[customer].tolist() == expected


def test_ids_that_are_large_are_shown_whole():
    row, day = np.array([0, 0, 1]), np.array([1, 2, 3])
    assert newest(row, np.array([2**40, 7, 8]), day, 2, 2).tolist() == [[7, 2**40], [8, -1]]
