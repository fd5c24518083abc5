"""What Odoo offers besides orders and lines, read into a history."""

import numpy as np
import pandas as pd
import pytest
from conftest import AS_OF, orders_of
from test_pages import Pages, page

from sync_worker.errors import ContractError
from sync_worker.history.datasets import COUNTER, DATASETS, FACT_DATASETS, to_read
from sync_worker.history.facts import FACTS, PRODUCTS, STANDING
from sync_worker.history.odoo import read_history
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring.features import build

BASE = {
    "orders": "1,10,2026-01-31,12.5,\n2,11,2026-02-03,7,2\n",
    "lines": "5,1,100,1,10,0\n6,1,101,1,2.5,10\n7,2,101,1,7,0\n",
    "partners": "10,3,2026-01-31,f\n11,,2026-02-01,f\n",
    "products": "100,8\n101,\n",
}
ROWS = {
    "invoices": "1,10,2026-02-02,2026-02-01,2026-03-01,12.5,15\n2,10,2026-02-05,2026-02-05,,-2.5,-3\n",
    "payments": "4,1,10,2026-03-02,15\n",
    "deliveries": "6,1,10,2026-02-04,2026-02-03,2,1.5,f\n7,,10,2026-02-09,,1,1,t\n",
    "order_details": "1,10,2026-01-31,5,salesperson,12.5,\n2,11,2026-02-03,,website,7,7\n",
    "quotations": "3,11,2026-02-06,40,open\n4,11,2026-02-07,41,cancelled\n",
    "ratings": "9,11,2026-02-08,5\n",
    "leads": "3,11,2026-01-15,,pending,,,100\n4,10,2026-01-16,2026-01-20,lost,price_seeker,2,0\n",
    "messages": "8,10,2026-02-01,491424.25,in\n9,10,2026-02-02,491448.5,out\n",
    "activities": "2,10,2026-02-02,2026-02-01,phonecall\n",
    "points": "1,10,2026-02-01,3,12,0\n",
}


def read(rows=None, *, extra=None, with_facts=True, **changed):
    """The history of pages of CSV; `extra` are columns offered of partners and products besides."""
    rows = BASE | (rows or {})
    columns = {name: list((DATASETS | COUNTER | FACT_DATASETS)[name]) for name in rows}
    for name, added in (extra or {}).items():
        columns[name] = [*columns[name], *added]
    offered = columns | changed
    pages = Pages(**{name: [page(text, columns[name])] for name, text in rows.items()})
    return read_history(
        [pages], 1, offered=offered, page_rows=10, show=lambda *_: None, with_facts=with_facts
    )


def test_every_dataset_is_read_with_the_kinds_of_its_columns():
    assert set(ROWS) == set(FACTS)
    history = read(ROWS)
    for name, table in history.facts.items():
        assert list(table.columns) == list(FACTS[name])
        assert len(table) == ROWS[name].count("\n"), name
        for column, kind in FACTS[name].items():
            values = table[column]
            if kind == "day":
                assert values.dtype == "datetime64[s]", column
            elif kind == "number":
                assert values.dtype == "float64", column
            elif kind == "flag":
                assert values.dtype == bool, column
            elif kind == "id":
                assert pd.api.types.is_integer_dtype(values), column


def test_values_and_gaps_arrive_as_they_were_sent():
    facts = read(ROWS).facts
    assert facts["invoices"]["total"].tolist() == [15, -3]
    assert facts["invoices"]["due"].isna().tolist() == [False, True]
    assert facts["deliveries"]["order_id"].tolist() == [1, pd.NA]
    assert facts["deliveries"]["is_return"].tolist() == [False, True]
    assert facts["order_details"]["channel"].tolist() == ["salesperson", "website"]
    assert facts["order_details"]["salesperson_id"].tolist() == [5, pd.NA]
    assert np.isnan(facts["order_details"]["invoiced"][0])
    assert facts["leads"]["lost_type"].isna().tolist() == [True, False]
    assert facts["leads"]["lost_type"][1] == "price_seeker"
    assert facts["leads"]["closed"].isna().tolist() == [True, False]
    assert facts["messages"]["hours"].tolist() == [491424.25, 491448.5]


@pytest.mark.parametrize("name", FACTS)
def test_what_is_not_offered_is_not_known_and_the_rest_is(name):
    history = read({dataset: text for dataset, text in ROWS.items() if dataset != name})
    assert set(history.facts) == set(FACTS) - {name}
    assert len(history.orders) == 2


@pytest.mark.parametrize("name", FACTS)
def test_an_empty_dataset_is_known_to_be_empty(name):
    facts = read({name: ""}).facts
    assert list(facts) == [name]
    assert facts[name].empty
    assert list(facts[name].columns) == list(FACTS[name])


def test_a_dataset_without_a_column_is_told_before_anything_is_read():
    with pytest.raises(ContractError, match="offers payments without invoice_id, known") as caught:
        read(ROWS, payments=["payment_id", "customer_id", "amount"])
    assert caught.value.exit_code == 5


def test_an_identifier_that_must_be_there_is_not_left_empty():
    with pytest.raises(ContractError, match="payments leaves invoice_id empty in 1 row"):
        read({"payments": "4,,10,2026-03-02,15\n"})


def test_only_the_sales_without_facts():
    counter = {"pos_orders": "1,10,2026-02-01,5,\n", "pos_lines": "1,1,100,1,5,0\n"}
    history = read(ROWS | counter, with_facts=False)
    assert history.facts == {}
    assert history.products is None
    assert len(history.orders) == 3
    assert set(to_read({name: [] for name in FACTS}, with_facts=False)) == {
        "orders",
        "lines",
        "partners",
        "products",
    }


def test_standing_of_partners_where_it_is_offered():
    rows = {"partners": "10,3,2026-01-31,f,20,-75,t,500,f\n11,,2026-02-01,f,11,,f,,t\n"}
    customers = read(rows, extra={"partners": STANDING}).customers
    assert customers["group_id"].tolist() == [20, 11]
    assert customers["territory_id"][0] == -75 and pd.isna(customers["territory_id"][1])
    assert customers["has_tax_id"].tolist() == [True, False]
    assert customers["credit_limit"].tolist()[0] == 500
    assert np.isnan(customers["credit_limit"][1])
    assert customers["blocked"].tolist() == [False, True]
    assert not set(STANDING) & set(read().customers)


def test_a_part_of_the_standing_is_read_alone():
    rows = {"partners": "10,3,2026-01-31,f,20,t\n"}
    customers = read(rows, extra={"partners": ["group_id", "has_tax_id"]}).customers
    assert {"group_id", "has_tax_id"} <= set(customers)
    assert not {"credit_limit", "blocked"} & set(customers)


def test_products_are_no_younger_than_their_first_sale():
    rows = {"products": "100,8,2026-01-01\n101,,2026-05-01\n102,8,2026-02-02\n103,8,\n"}
    products = read(rows, extra={"products": ["introduced"]}).products.set_index("product_id")
    assert list(read(rows, extra={"products": ["introduced"]}).products.columns) == list(PRODUCTS)
    days = products["introduced"].dt.strftime("%Y-%m-%d")
    # 101 was entered in May, as by a move of all data, but sold in January.
    assert days[[100, 101, 102]].tolist() == ["2026-01-01", "2026-01-31", "2026-02-02"]
    assert pd.isna(products["introduced"][103])
    assert products["category"].tolist() == [8, pd.NA, 8, 8]


def test_lines_without_product_do_not_date_one():
    rows = {"products": "100,8,2026-03-01\n", "lines": "5,1,,1,10,0\n6,99,100,1,1,0\n"}
    products = read(rows, extra={"products": ["introduced"]}).products
    assert products["introduced"].dt.strftime("%Y-%m-%d").tolist() == ["2026-03-01"]


def test_an_order_of_an_unset_date_is_left_out_and_dates_no_product():
    rows = {"orders": "1,10,1970-01-01,12.5,\n2,11,2026-02-03,7,2\n", "products": "100,8,\n101,,2026-05-01\n"}
    history = read(rows, extra={"products": ["introduced"]})
    assert history.orders["order_id"].tolist() == [2] and history.lines["order_id"].tolist() == [2]
    days = history.products.set_index("product_id")["introduced"]
    assert pd.isna(days[100]) and f"{days[101]:%Y-%m-%d}" == "2026-02-03"
    assert [words.code for words in history.warnings] == ["orders_dated_before"]
    assert history.customers["customer_id"].tolist() == [10, 11]  # whom Odoo knows stays known


COUNTER_ROWS = {
    "pos_orders": "1,10,2026-02-10,5,1\n2,12,2026-02-11,-3,\n",
    "pos_lines": "1,1,100,1,5,0\n2,2,100,-1,-3,0\n",
}


def test_sales_at_the_counter_join_the_others_and_clash_with_none():
    history = read(COUNTER_ROWS | {"order_details": ROWS["order_details"]})
    orders = history.orders.set_index("order_id")
    assert orders["amount"].to_dict() == {1: 12.5, 2: 7, -1: 5, -2: -3}
    assert orders["customer_id"].to_dict() == {1: 10, 2: 11, -1: 10, -2: 12}
    assert orders["margin"][-1] == 1
    lines = history.lines
    assert lines["order_id"].tolist() == [1, 1, 2, -1, -2]
    assert lines["category"].tolist() == [8, pd.NA, pd.NA, 8, 8]
    assert history.customers["customer_id"].tolist() == [10, 11, 12]
    details = history.facts["order_details"].set_index("order_id")
    assert details["channel"].to_dict() == {
        1: "salesperson",
        2: "website",
        -1: "point_of_sale",
        -2: "point_of_sale",
    }
    assert details["known"].dt.strftime("%m-%d").to_dict()[-1] == "02-10"
    assert details.loc[[-1, -2], ["salesperson_id", "quoted", "invoiced"]].isna().all(axis=None)


def test_a_counter_that_sold_nothing_changes_nothing():
    without, with_none = read(ROWS), read(ROWS | {"pos_orders": "", "pos_lines": ""})
    pd.testing.assert_frame_equal(without.orders, with_none.orders)
    pd.testing.assert_frame_equal(without.lines, with_none.lines)
    pd.testing.assert_frame_equal(without.facts["order_details"], with_none.facts["order_details"])


def test_sales_at_the_counter_are_opened_as_no_sales_order():
    orders = orders_of(7, [400, 200, 30, 10], [10, 10, -5, 10]).assign(order_id=[3, -9, -4, 8])
    features = build(History(orders=orders), AS_OF, Policy())
    assert [each for each in features.last_orders[0] if each != -1] == [8, 3]
    assert set(features.last_returns[0]) == {-1}
    assert features.table["order_days"].tolist() == [3]


def test_progress_only_grows_and_ends_at_one():
    seen: list[float] = []
    rows = BASE | ROWS | COUNTER_ROWS
    columns = {name: list((DATASETS | COUNTER | FACT_DATASETS)[name]) for name in rows}
    pages = Pages(**{name: [page(text, columns[name])] for name, text in rows.items()})
    read_history([pages], 1, offered=columns, page_rows=10, show=lambda part, _step: seen.append(part))
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)


@pytest.mark.parametrize("sales", ["orders", "invoices"])
def test_an_older_addon_is_not_asked_what_it_does_not_know(sales):
    columns = {name: list(DATASETS[name]) for name in BASE}
    pages = Pages(**{name: [page(text, columns[name])] for name, text in BASE.items()})
    read_history([pages], 1, offered=columns, page_rows=10, show=lambda *_: None, sales=sales)
    assert {asked.get("sales", "left out") for asked in pages.asked} == {
        "left out" if sales == "orders" else "invoices"
    }
