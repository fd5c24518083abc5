"""Pages of an export: typed columns, and a sentence for a page that is not as announced."""

import base64
import zlib

import numpy as np
import pandas as pd
import pytest

from sync_worker.errors import ContractError
from sync_worker.history.odoo import DATASETS, read_dataset, read_history

ORDERS = list(DATASETS["orders"])


def page(text: str, columns: list[str], rows: int | None = None, after=None) -> dict:
    return {
        "columns": columns,
        "rows": text.count("\n") if rows is None else rows,
        "data": base64.b64encode(zlib.compress(text.encode())).decode(),
        "after": after,
    }


class Pages:
    """Answers exports with given pages and keeps what was asked."""

    def __init__(self, **pages: list[dict]):
        self.pages = pages
        self.asked: list[dict] = []

    def call(self, method: str, params: dict) -> dict:
        assert method == "export_history"
        self.asked.append(params)
        return self.pages[params["dataset"]].pop(0)


def read(dataset: str, *pages: dict) -> pd.DataFrame:
    return read_dataset(Pages(**{dataset: list(pages)}), dataset, 1, page_rows=10, on_page=lambda *_: None)


def test_types_and_missing_values():
    orders = read("orders", page("1,10,2026-01-31,12.5,\n2,11,2026-02-01,-3,1.25\n", ORDERS))
    assert orders["order_id"].dtype == orders["customer_id"].dtype == np.int64
    assert orders["date"].dtype == "datetime64[s]"
    assert orders["amount"].tolist() == [12.5, -3.0]
    assert np.isnan(orders["margin"][0])
    partners = read("partners", page("1,,,t\n2,3,2026-01-01,f\n", list(DATASETS["partners"])))
    assert partners["format_id"].tolist() == [pd.NA, 3]
    assert partners["archived"].tolist() == [True, False]
    assert partners["first_seen"].isna().tolist() == [True, False]


def test_cursor_is_passed_back_as_it_is():
    cursor = {"id": 2, "until": 9}
    pages = Pages(
        orders=[
            page("1,1,2026-01-01,1,\n2,1,2026-01-01,1,\n", ORDERS, after=cursor),
            page("9,1,2026-01-01,1,\n", ORDERS),
        ]
    )
    seen: list = []
    orders = read_dataset(
        pages, "orders", 4, page_rows=2, on_page=lambda rows, part: seen.append((rows, part))
    )
    assert orders["order_id"].tolist() == [1, 2, 9]
    assert pages.asked == [
        {"dataset": "orders", "company_id": 4, "after": None, "limit": 2},
        {"dataset": "orders", "company_id": 4, "after": cursor, "limit": 2},
    ]
    assert seen == [(2, pytest.approx(2 / 9)), (3, 1.0)]


def test_columns_an_addon_adds_are_passed_over():
    orders = read("orders", page("x,1,10,2026-01-31,12.5,\n", ["new", *ORDERS]))
    assert list(orders.columns) == ORDERS


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (page("1,10,2026-01-31,12.5,\n", ORDERS, rows=2), "1 rows where Odoo announced 2"),
        (page("1,10,2026-01-31,twelve,\n", ORDERS), "cannot be read"),
        (page("1,10,2026-01-31,12.5\n", ORDERS[:-1]), "lacks the columns margin"),
        ({"columns": ORDERS, "rows": 1, "data": "!!!", "after": None}, "cannot be read"),
        ({"rows": 1}, "cannot be read"),
        (page(",10,2026-01-31,12.5,\n", ORDERS), "leaves order_id empty"),
    ],
)
def test_pages_that_are_not_as_announced(answer: dict, words: str):
    with pytest.raises(ContractError, match=words) as caught:
        read("orders", answer)
    assert caught.value.exit_code == 5


def test_a_cursor_that_stands_still_is_no_endless_loop():
    cursor = {"id": 1, "until": 9}
    stuck = [page("1,1,2026-01-01,1,\n", ORDERS, after=cursor) for _ in range(3)]
    with pytest.raises(ContractError, match="does not move on"):
        read("orders", *stuck)


def test_history_of_a_company():
    pages = Pages(
        orders=[page("1,10,2026-01-31,12.5,\n", ORDERS)],
        lines=[page("5,1,100,1,10,0\n6,1,101,1,2.5,10\n", list(DATASETS["lines"]))],
        partners=[page("10,3,2026-01-31,f\n11,,2026-02-01,f\n", list(DATASETS["partners"]))],
        products=[page("100,8\n", list(DATASETS["products"]))],
    )
    history = read_history(pages, 1, page_rows=10, show=lambda *_: None)
    assert history.customers["customer_id"].tolist() == [10, 11]
    assert history.lines["category"].tolist() == [8, pd.NA]
    assert len(history.orders) == 1


def test_empty_company():
    pages = Pages(
        **{name: [page("", list(DATASETS[name]))] for name in ("orders", "lines", "partners", "products")}
    )
    history = read_history(pages, 1, page_rows=10, show=lambda *_: None)
    assert len(history.orders) == len(history.customers) == 0
