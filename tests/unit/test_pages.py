"""Pages of an export: typed columns, and a sentence for a page that is not as announced."""

import base64
import zlib

import numpy as np
import pandas as pd
import pytest

from sync_worker.errors import ContractError, LeaseLostError, ServerError
from sync_worker.history import odoo as odoo_history
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
    return read_dataset([Pages(**{dataset: list(pages)})], dataset, 1, page_rows=10, on_page=lambda *_: None)


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
        [pages], "orders", 4, page_rows=2, on_page=lambda rows, part: seen.append((rows, part))
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
        (page("1,10,2026-01-31,12.5,\n", ORDERS, rows=2), "1 row where Odoo announced 2"),
        (page("1,10,2026-01-31,twelve,\n", ORDERS), "cannot be read"),
        (page("1,10,2026-01-31,12.5\n", ORDERS[:-1]), "lacks the columns margin"),
        ({"columns": ORDERS, "rows": 1, "data": "!!!", "after": None}, "cannot be read"),
        ({"rows": 1}, "cannot be read"),
        (page("1,10,2026-01-31,12.5,\n", ORDERS, after={"id": 1}), "goes on from"),
        (page("1,10,2026-01-31,12.5,\n", ORDERS, after="next"), "goes on from"),
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


class Table:
    """Answers exports from a table of orders with these ids, as the addon does."""

    def __init__(self, ids: list[int], broken_from: int | None = None):
        self.ids = ids
        self.broken_from = broken_from
        self.asked: list[tuple] = []

    def call(self, method: str, params: dict) -> dict:
        low, until = (
            (params["after"]["id"], params["after"]["until"]) if params["after"] else (0, self.ids[-1])
        )
        self.asked.append((low, until))
        if self.broken_from and low >= self.broken_from:
            raise ServerError("Odoo failed inside.")
        block = [each for each in self.ids if low < each <= until][: params["limit"]]
        high = block[-1] if len(block) == params["limit"] else until
        text = "".join(f"{each},1,2026-01-01,1,\n" for each in block)
        return page(text, ORDERS, after={"id": high, "until": until} if high < until else None)


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(odoo_history, "_FIRST_ROWS", 5)


@pytest.mark.parametrize("page_rows", [7, 30, 1000])
def test_two_connections_read_parts_in_order(small_pages, page_rows: int):
    ids = [*range(3, 60), *range(900, 1000, 3)]
    tables = [Table(ids), Table(ids)]
    seen: list = []
    orders = read_dataset(
        tables, "orders", 1, page_rows=page_rows, on_page=lambda rows, part: seen.append((rows, part))
    )
    assert orders["order_id"].tolist() == ids
    assert all(table.asked for table in tables)
    starts = [low for table in tables for low, _until in table.asked]
    assert len(starts) == len(set(starts)), "no part is read twice"
    assert seen == sorted(seen)
    assert seen[-1] == (len(ids), 1.0)


def test_few_rows_are_one_page():
    tables = [Table([1, 2]), Table([1, 2])]
    assert len(read_dataset(tables, "orders", 1, page_rows=500, on_page=lambda *_: None)) == 2
    assert [table.asked for table in tables] == [[(0, 2)], []]


def test_a_gap_of_millions_of_ids_is_passed_in_few_calls(small_pages):
    ids = [*range(1, 9), 2_000_000_000]
    tables = [Table(ids), Table(ids)]
    orders = read_dataset(tables, "orders", 1, page_rows=100, on_page=lambda *_: None)
    assert orders["order_id"].tolist() == ids
    assert sum(len(table.asked) for table in tables) <= 1001


def test_partners_are_not_split():
    columns = list(DATASETS["partners"])
    pages = Pages(
        partners=[page("10,,,f\n", columns, after={"id": 10, "until": 20}), page("20,,,f\n", columns)]
    )
    found = read_dataset([pages, Pages()], "partners", 1, page_rows=10, on_page=lambda *_: None)
    assert found["customer_id"].tolist() == [10, 20]
    assert {asked["limit"] for asked in pages.asked} == {10}


def test_a_part_that_fails_ends_the_reading(small_pages):
    ids = list(range(1, 100))
    tables = [Table(ids, broken_from=40), Table(ids, broken_from=40)]
    with pytest.raises(ServerError):
        read_dataset(tables, "orders", 1, page_rows=10, on_page=lambda *_: None)


def test_who_listens_may_end_the_reading(small_pages):
    def lost(rows: int, _part: float) -> None:
        if rows > 5:
            raise LeaseLostError("The run belongs to another worker now.")

    tables = [Table(list(range(1, 100))) for _ in range(2)]
    with pytest.raises(LeaseLostError):
        read_dataset(tables, "orders", 1, page_rows=10, on_page=lost)


def test_history_of_a_company():
    pages = Pages(
        orders=[page("1,10,2026-01-31,12.5,\n", ORDERS)],
        lines=[page("5,1,100,1,10,0\n6,1,101,1,2.5,10\n", list(DATASETS["lines"]))],
        partners=[page("10,3,2026-01-31,f\n11,,2026-02-01,f\n", list(DATASETS["partners"]))],
        products=[page("100,8\n", list(DATASETS["products"]))],
    )
    history = read_history([pages], 1, offered={}, page_rows=10, show=lambda *_: None)
    assert history.customers["customer_id"].tolist() == [10, 11]
    assert history.lines["category"].tolist() == [8, pd.NA]
    assert len(history.orders) == 1


def test_empty_company():
    pages = Pages(
        **{name: [page("", list(DATASETS[name]))] for name in ("orders", "lines", "partners", "products")}
    )
    history = read_history([pages], 1, offered={}, page_rows=10, show=lambda *_: None)
    assert len(history.orders) == len(history.customers) == 0
