import numpy as np
import pandas as pd
import pytest

from sync_worker.history.columns import HistoryError, as_day
from sync_worker.history.file import parse_mapping, read_history, write_scores
from sync_worker.history.schema import History


def write(tmp_path, text, name="orders.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_text(text, encoding=encoding)
    return path


def read(tmp_path, text, mapping=None):
    return read_history(write(tmp_path, text), mapping)


def test_one_row_per_order(tmp_path):
    history = read(
        tmp_path, "customer_id,date,amount\n1,2024-03-01,10\n1,2024-03-01T09:30:00,5\n2,20240302,-4\n"
    )
    assert history.orders["amount"].tolist() == [10, 5, -4]
    assert history.orders["customer_id"].dtype == "int64"
    assert str(history.orders["date"].iloc[1]) == "2024-03-01 00:00:00"
    assert history.lines is None
    assert history.customers["customer_id"].tolist() == [1, 2]
    assert history.warnings == []


def test_lines_are_netted_within_their_order(tmp_path):
    history = read(
        tmp_path,
        "customer_id,date,amount,order_id,product_id,margin,discount,business_format\n"
        "A,2024-03-01,10,S1,p,4,0,shop\nA,2024-03-01,-3,S1,q,-1,10,shop\nA,2024-03-05,8,S2,p,,0,cafe\n"
        "B,2024-03-05,8,S3,p,2,0,\n",
    )
    orders = history.orders.set_index("order_id")
    assert orders["amount"].to_dict() == {"S1": 7, "S2": 8, "S3": 8}
    assert orders.loc["S1", "margin"] == 3 and np.isnan(orders.loc["S2", "margin"])
    assert len(history.lines) == 4
    assert history.customers.set_index("customer_id").loc["A", "format"] == "cafe"
    assert history.customers["format"].isna().tolist() == [False, True]
    assert any("several business formats" in w for w in history.warnings)


def test_quantity_times_price_stands_in_for_the_amount(tmp_path):
    text = "Client;When;Qty;Price;discount\n7;2024-01-01;3;10.0;20\n"
    mapping = parse_mapping("customer_id=Client, date=When, quantity=Qty, unit_price=Price")
    history = read(tmp_path, text, mapping)
    assert history.orders["amount"].tolist() == [24.0]
    assert "quantity times unit price" in history.warnings[0]


def test_identifiers_keep_their_leading_zeros(tmp_path):
    history = read(tmp_path, "customer_id,date,amount\n007,2024-01-01,1\n12,2024-01-01,1\n")
    assert history.customers["customer_id"].tolist() == ["007", "12"]


def test_what_is_left_out_is_counted(tmp_path):
    history = read(
        tmp_path,
        "customer_id,date,amount,order_id,product_id\n"
        "1,2024-01-01,5,a,p\n1,2024-01-01,5,a,p\n,2024-01-01,5,b,p\n ,2024-01-01,5,b,p\n"
        "2,2024-01-01,,c,p\n3,2024-01-02,0,d,p\n",
    )
    words = " ".join(history.warnings)
    assert "2 rows without a customer were left out" in words
    assert "1 row without an amount was left out" in words
    assert "1 exact duplicate line was dropped" in words
    assert "1 order of no amount was not counted as a purchase" in words
    assert history.orders["amount"].tolist() == [5, 0]


def test_duplicates_without_a_product_are_two_orders(tmp_path):
    history = read(tmp_path, "customer_id,date,amount\n1,2024-01-01,5\n1,2024-01-01,5\n")
    assert len(history.orders) == 2
    assert history.warnings == [
        "1 exact copy of another row was counted: remove it if the same order is in the file twice."
    ]
    few = "customer_id,date,amount\n1,2024-01-01,5\n" + "".join(f"{n},2024-01-01,5\n" for n in range(200))
    assert read(tmp_path, few).warnings == []  # two purchases of a day may be alike


def test_lines_that_are_alike_are_no_copies_unless_all_are(tmp_path):
    header, lines = (
        "customer_id,date,amount,order_id\n",
        "1,2024-01-01,5,a\n1,2024-01-01,5,a\n1,2024-02-01,5,b\n",
    )
    assert read(tmp_path, header + lines).warnings == []
    assert read(tmp_path, header + 2 * lines).warnings == [
        "4 exact copies of other rows were counted: remove them if the same order is in the file twice."
    ]


def test_an_invoice_number_used_twice_is_two_orders(tmp_path):
    history = read(
        tmp_path,
        "customer_id,date,amount,order_id,product_id,category\n1,2024-01-01,5,9,p,x\n2,2024-01-01,6,9,p,y\n",
    )
    assert history.orders["amount"].tolist() == [5, 6]
    assert history.orders["order_id"].is_unique
    assert set(history.lines["order_id"]) == set(history.orders["order_id"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("date,amount\n2024-01-01,1\n", "lacks the column customer_id"),
        ("customer_id,date,amount\n", "has no rows"),
        ("", "is empty"),
        ("customer_id,date,amount\n1,2024-01-01,1\n1,03/04/2024,1\n", "Row 2 has the date “03/04/2024”"),
        ("customer_id,date,amount\n1,2024-02-30,1\n", "Row 1 has the date “2024-02-30”"),
        ("customer_id,date,amount\n1,,1\n", "Row 1 has no date"),
        ("customer_id,date,amount\n1,45292,1\n", "Row 1 has the date “45292”"),
        ('customer_id,date,amount\n1,2024-01-01,"12,50"\n', "Row 1 has the amount “12,50”"),
        ("customer_id,date,amount\n1,2024-01-01,inf\n", "not a number"),
        ("customer_id,date,amount\n,2024-01-01,1\n", "no row with both a customer and an amount"),
        ("customer_id,date,amount\n1,2024-01-01,-1\n", "no order of a positive amount"),
        ("customer_id,date,amount\n1,2024-01-01,1,9,9\n2,2024-01-01,1\n", "cannot be read|Row 1"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(tmp_path, text, words):
    with pytest.raises(HistoryError, match=words) as refusal:
        read(tmp_path, text)
    assert "\n" not in str(refusal.value)


def test_files_that_are_none_are_refused_in_one_sentence(tmp_path):
    with pytest.raises(HistoryError, match="no file"):
        read_history(tmp_path / "absent.csv")
    with pytest.raises(HistoryError, match=r"neither a \.csv nor a \.parquet"):
        read_history(write(tmp_path, "x", "orders.xlsx"))
    with pytest.raises(HistoryError, match="cannot be read"):
        read_history(write(tmp_path, "x", "orders.parquet"))
    with pytest.raises(HistoryError, match="UTF-8"):
        read_history(write(tmp_path, "customer_id,date,amount\né,2024-01-01,1\n", encoding="latin-1"))


def test_mappings_that_fit_nothing_are_refused(tmp_path):
    with pytest.raises(HistoryError, match="no column mapping"):
        parse_mapping("customer_id")
    with pytest.raises(HistoryError, match="none of our columns"):
        parse_mapping("client=Client")
    with pytest.raises(HistoryError, match="does not have; it has customer_id"):
        read(tmp_path, "customer_id,date,amount\n1,2024-01-01,1\n", {"margin": "Profit"})


def test_parquet_gives_the_same_as_csv(tmp_path):
    text = "customer_id,date,amount,order_id,product_id\n1,2024-01-01,5,11,p\n2,2024-01-03,6,12,q\n"
    table = pd.DataFrame(
        {
            "customer_id": [1.0, 2.0],
            "date": pd.to_datetime(["2024-01-01 10:00", "2024-01-03 23:59"]),
            "amount": [5, 6],
            "order_id": [11, 12],
            "product_id": ["p", "q"],
        }
    )
    table.to_parquet(tmp_path / "orders.parquet")
    csv, parquet = read(tmp_path, text), read_history(tmp_path / "orders.parquet")
    pd.testing.assert_frame_equal(csv.orders, parquet.orders)
    pd.testing.assert_frame_equal(csv.customers, parquet.customers)


def test_later_facts_are_not_known_yet():
    orders = pd.DataFrame(
        {"order_id": [1, 2, 3], "customer_id": [1, 1, 2], "date": ["2024-01-01", "2024-05-01", "2024-06-01"]}
    ).assign(amount=10.0)
    customers = pd.DataFrame(
        {"customer_id": [1, 2, 3, 4], "first_seen": pd.to_datetime([None, None, "2024-01-05", "2024-07-01"])}
    )
    lines = pd.DataFrame({"order_id": [1, 2, 3], "product_id": 7, "amount": 10.0})
    history = History(orders, lines, customers)
    cut = history.until("2024-03-01")
    assert cut.orders["order_id"].tolist() == [1]
    assert cut.lines["order_id"].tolist() == [1]
    assert cut.customers["customer_id"].tolist() == [1, 3]
    assert "2 orders dated after 2024-03-01 were left out." in cut.warnings
    with pytest.raises(HistoryError, match="choose a later date"):
        history.until("2023-01-01")
    with pytest.raises(HistoryError, match="is not a date"):
        as_day("tomorrow-ish")


def test_odoo_columns_are_normalised():
    orders = pd.DataFrame({"order_id": [1], "customer_id": [5], "date": ["2024-01-01"], "amount": [3.0]})
    partners = pd.DataFrame(
        {"customer_id": [5, 9], "format_id": pd.array([2, None], "Int64"), "first_seen": [None, "2024-02-01"]}
    )
    history = History(orders, None, partners.assign(archived=[True, None]))
    assert history.customers["format"].dtype == "Int64"
    assert history.customers["archived"].tolist() == [True, False]
    assert np.isnan(history.orders["margin"].iloc[0])
    with pytest.raises(HistoryError, match="orders lack the column amount"):
        History(orders.drop(columns="amount"))


CURRENCIES = "customer_id,date,amount,{}\n1,2024-01-01,1,EUR\n1,2024-02-01,1,\n1,2024-03-01,1,{}\n"


@pytest.mark.parametrize("column", ["currency", "Currency", " CURRENCY "])
def test_amounts_in_several_currencies_are_told(tmp_path, column):
    assert read(tmp_path, CURRENCIES.format(column, "USD")).warnings == [
        "The column currency names several (EUR, USD), and amounts are added up as they are: if they are in these "
        "currencies, convert them to one first."
    ]


def test_one_currency_is_none_to_tell(tmp_path):
    assert read(tmp_path, CURRENCIES.format("currency", " eur ")).warnings == []
    assert read(tmp_path, CURRENCIES.format("currency_rate", "USD")).warnings == []


def test_of_many_currencies_three_are_named(tmp_path):
    more = "".join(f"1,2024-04-0{n + 1},1,{name}\n" for n, name in enumerate(["USD", "CHF", "USD", "GBP"]))
    (words,) = read(tmp_path, CURRENCIES.format("currency", "JPY") + more).warnings
    assert "names several (EUR, JPY, USD, …), and" in words


def test_a_folder_tells_currencies_too(tmp_path):
    table = pd.DataFrame({"order_id": [1, 2], "customer_id": 1, "date": "2024-01-01", "amount": 1.0})
    table.assign(Currency=["EUR", "USD"]).to_parquet(tmp_path / "orders.parquet")
    (words,) = read_history(tmp_path).warnings
    assert "(EUR, USD)" in words


def test_scores_are_written_by_suffix(tmp_path):
    table = pd.DataFrame({"customer_id": [1], "last_order_date": pd.to_datetime(["2024-01-01"])})
    write_scores(table, tmp_path / "s.csv")
    write_scores(table, tmp_path / "s.parquet")
    assert (tmp_path / "s.csv").read_text() == "customer_id,last_order_date\n1,2024-01-01\n"
    assert len(pd.read_parquet(tmp_path / "s.parquet")) == 1
    with pytest.raises(HistoryError, match=r"\.parquet or \.csv"):
        write_scores(table, tmp_path / "s.xlsx")
