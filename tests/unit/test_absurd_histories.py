"""Dates and amounts that cannot be: an unset date, a number typed where none belongs."""

import json

import numpy as np
import pandas as pd
import pytest
from conftest import AS_OF, ORDERS, crowd, history_of, orders_of
from typer.testing import CliRunner

from sync_worker.cli import app
from sync_worker.history.columns import EARLIEST, LARGEST_AMOUNT, HistoryError
from sync_worker.history.file import history_from_table, read_history
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring.pipeline import score

UNSET = ["0001-01-01", "1970-01-01", "1979-12-31"]
#: An order of a day that can be, and what is added to it.
SOUND = {"order_id": 1, "customer_id": 7, "date": "2024-01-05", "amount": 10.0}


def orders(*more):
    return pd.DataFrame([SOUND, *({**SOUND, **each} for each in more)])


# --- dates --------------------------------------------------------------------------------------------------


def test_orders_before_any_erp_are_left_out_and_counted():
    table = orders(*({"order_id": 2 + n, "date": day} for n, day in enumerate(UNSET)))
    history = History(table)
    assert history.orders["order_id"].tolist() == [1]
    (words,) = history.warnings
    assert words == (
        "3 orders dated before 1980-01-01 were left out: no system holds orders so old; "
        "give them the days they were placed on."
    )
    assert (words.code, words.params) == ("orders_dated_before", {"count": 3, "day": "1980-01-01"})


def test_the_first_day_that_can_be_stays():
    history = History(orders({"order_id": 2, "date": f"{EARLIEST:%Y-%m-%d}"}))
    assert len(history.orders) == 2 and history.warnings == []


def test_lines_of_orders_left_out_go_with_them():
    lines = pd.DataFrame({"order_id": [1, 2, 2], "product_id": [5, 6, 6], "amount": 10.0})
    history = History(orders({"order_id": 2, "date": "1970-01-01"}), lines)
    assert history.lines["order_id"].tolist() == [1]


def test_unset_dates_change_no_score():
    plain = crowd(60, seed=3)
    ids = plain["customer_id"].unique()[:20]
    unset = pd.concat([orders_of(customer, [0]).assign(date=pd.Timestamp("1970-01-01")) for customer in ids])
    without, scored = (score(history_of(*parts), AS_OF, Policy()) for parts in ([plain], [plain, unset]))
    pd.testing.assert_frame_equal(scored.customers, without.customers)
    assert [words for words in scored.warnings if words not in without.warnings] == [
        "20 orders dated before 1980-01-01 were left out: no system holds orders so old; "
        "give them the days they were placed on."
    ]


def test_a_file_has_no_customer_of_unset_dates_alone():
    rows = pd.DataFrame({"customer_id": [7, 9], "date": ["2024-01-05", "1970-01-01"], "amount": 10.0})
    history = history_from_table(rows)
    assert history.customers["customer_id"].tolist() == [7]
    assert [words.code for words in history.warnings] == ["orders_dated_before"]


@pytest.mark.parametrize("kind", ["csv", "folder"])
def test_where_no_other_order_is_left_it_is_refused(tmp_path, kind):
    table = ORDERS.assign(date="1970-01-01")
    if kind == "csv":
        table.to_csv(tmp_path / "orders.csv", index=False)
    else:
        table.to_parquet(tmp_path / "orders.parquet")
    with pytest.raises(HistoryError, match="no order of a positive amount dated 1980-01-01 or later"):
        read_history(tmp_path / "orders.csv" if kind == "csv" else tmp_path)


def test_other_days_before_any_erp_are_not_known():
    customers = pd.DataFrame({"customer_id": [7, 8], "first_seen": ["1970-01-01", "2024-01-05"]})
    products = pd.DataFrame(
        {"product_id": [1, 2], "category": [4, 4], "introduced": ["0001-01-01", "2024-01-05"]}
    )
    ratings = pd.DataFrame(
        {"rating_id": [1, 2], "customer_id": 7, "known": ["1970-01-01", "2024-01-05"], "rating": 5}
    )
    history = History(orders(), None, customers, products, facts={"ratings": ratings})
    assert history.customers["first_seen"].isna().tolist() == [True, False]
    assert history.products["introduced"].isna().tolist() == [True, False]
    assert history.facts["ratings"]["rating_id"].tolist() == [2]


def test_a_file_takes_the_earliest_day_that_can_be_as_first_seen():
    rows = pd.DataFrame({"customer_id": 7, "date": "2024-01-05", "amount": 10.0}, index=range(2))
    history = history_from_table(rows.assign(first_seen=["1970-01-01", "2023-05-01"]))
    assert f"{history.customers['first_seen'].iloc[0]:%Y-%m-%d}" == "2023-05-01"


# --- amounts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["amount", "margin"])
@pytest.mark.parametrize("value", [1e308, -1e14])
def test_an_order_beyond_the_largest_amount_is_refused(column, value):
    table = orders({"order_id": 2, column: value}, {"order_id": 3})
    with pytest.raises(HistoryError) as refusal:
        History(table)
    words = refusal.value.args[0]
    assert words == (
        f"Row 2 has the {column} “{value}”, beyond 10,000,000,000,000, the largest that is taken; "
        "correct it in the order."
    )
    assert words.code == "row_too_large"
    assert words.params == {"row": 2, "column": column, "value": str(value), "largest": LARGEST_AMOUNT}


@pytest.mark.parametrize("column", ["amount", "quantity"])
def test_so_is_a_line(column):
    lines = pd.DataFrame({"order_id": [1], "product_id": [5], column: [1e15]})
    with pytest.raises(HistoryError, match=f"Row 1 has the {column} “1000000000000000.0”, beyond"):
        History(orders(), lines)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("customer_id,date,amount\n,2024-01-01,1\n1,2024-01-01,1e308\n", "Row 2 has the amount “1e308”"),
        ("customer_id,date,amount,quantity\n1,2024-01-01,1,-1e14\n", "Row 1 has the quantity “-1e14”"),
        (
            "customer_id,date,quantity,unit_price\n1,2024-01-01,1e9,1e9\n",
            "Row 1 has the amount “1e\\+18”",
        ),
        (
            "customer_id,date,amount,order_id\n1,2024-01-01,6e12,S1\n1,2024-01-01,6e12,S1\n",
            "The rows of order S1 have together the amount 1.2e\\+13, beyond 10,000,000,000,000",
        ),
    ],
)
def test_a_file_names_the_row_or_the_order(tmp_path, text, words):
    (tmp_path / "orders.csv").write_text(text)
    with pytest.raises(HistoryError, match=words):
        read_history(tmp_path / "orders.csv")


def test_a_folder_names_the_file(tmp_path):
    ORDERS.assign(amount=[1.0, 1e308]).to_parquet(tmp_path / "orders.parquet")
    with pytest.raises(HistoryError, match=r"orders\.parquet: row 2 has the amount “1e\+308”, beyond"):
        read_history(tmp_path)


def test_other_figures_that_cannot_be_are_not_known():
    customers = pd.DataFrame({"customer_id": [7], "credit_limit": [1e300]})
    quotations = pd.DataFrame(
        {"quotation_id": [1, 2], "customer_id": 7, "known": "2024-01-05", "amount": [1e308, 5e14]}
    ).assign(outcome="open")
    history = History(orders(), None, customers, facts={"quotations": quotations})
    assert np.isnan(history.customers["credit_limit"].to_numpy(float)[0])
    assert history.facts["quotations"]["amount"].tolist()[1] == 5e14
    assert np.isnan(history.facts["quotations"]["amount"].iloc[0])


def as_a_user(tmp_path, orders):
    """Scores and back-test of a file, as the terminal makes them."""
    orders.to_csv(tmp_path / "orders.csv", index=False)
    file, out = str(tmp_path / "orders.csv"), tmp_path / "scores.csv"
    for command in (
        ["score", file, "--as-of", f"{AS_OF:%Y-%m-%d}", "--out", str(out)],
        ["backtest", file, "--cutoffs", "2"],
    ):
        done = CliRunner().invoke(app, [*command, "--json"])
        assert done.exit_code == 0, done.output
        yield json.loads(done.stdout)


@pytest.mark.parametrize("count", [60, 150])
def test_amounts_near_the_largest_are_scored(tmp_path, count):
    table = crowd(count, seed=3)
    table["amount"] *= 0.99 * LARGEST_AMOUNT / table["amount"].max()
    scored, past = as_a_user(tmp_path, table)
    bridge = scored["summary"]["equity"]
    lifetime = pd.read_csv(tmp_path / "scores.csv")["lifetime_value"]
    assert bridge["closing"] == pytest.approx(lifetime.sum())
    assert past["grades"]
