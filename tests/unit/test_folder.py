"""A folder of Parquet files is read as the history it was written from."""

import json
from functools import partial

import numpy as np
import pandas as pd
import pytest
from conftest import ORDERS
from pandas.testing import assert_frame_equal
from typer.testing import CliRunner

from simulator import World, simulate
from simulator.__main__ import main
from simulator.folder import write
from sync_worker.cli import app
from sync_worker.history.columns import HistoryError
from sync_worker.history.facts import FACTS
from sync_worker.history.file import read_history
from sync_worker.score_file import score_file

RATINGS = pd.DataFrame({"rating_id": [1], "customer_id": [7], "known": ["2024-01-06"], "rating": [5]})


def folder(path, **tables):
    for name, table in {"orders": ORDERS, **tables}.items():
        if table is not None:
            table.to_parquet(path / f"{name}.parquet", index=False)
    return path


@pytest.fixture(scope="module")
def company():
    return simulate(World(seed=5, customers=150))


def test_a_simulated_company_comes_back_as_it_was(company, tmp_path):
    write(company, tmp_path)
    history, back = company.history, read_history(tmp_path)
    assert_frame_equal(back.orders, history.orders)
    assert_frame_equal(back.lines, history.lines)
    assert_frame_equal(back.customers, history.customers)
    assert_frame_equal(back.products, history.products)
    assert set(back.facts) == set(FACTS)
    for name, table in history.facts.items():
        assert_frame_equal(back.facts[name], table)
    assert back.warnings == ["2 files of no table (truth.parquet, truth_price_rises.parquet) were left out."]


def test_orders_alone_are_a_history(tmp_path):
    history = read_history(folder(tmp_path))
    assert history.customers["customer_id"].tolist() == [7, 9]
    assert history.lines is None
    assert history.products is None
    assert history.facts == {}
    assert np.isnan(history.orders["margin"]).all()


def test_a_table_that_is_there_is_read(tmp_path):
    customers = pd.DataFrame(
        {
            "customer_id": [7, 8],
            "business_format": ["shop", None],
            "has_tax_id": [False, None],
            "blocked": [True, None],
        }
    )
    history = read_history(folder(tmp_path, ratings=RATINGS.assign(mood="good"), customers=customers))
    assert history.facts["ratings"]["rating"].tolist() == [5.0]
    assert history.customers["customer_id"].tolist() == [7, 8, 9]
    assert history.customers["format"].tolist()[:1] == ["shop"]
    assert history.customers["blocked"].tolist() == [True, False, False]
    assert history.customers["has_tax_id"].tolist() == [False, pd.NA, pd.NA]


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"orders": None}, "no orders.parquet, it has no Parquet file"),
        ({"orders": None, "ratings": RATINGS}, "no orders.parquet, it has ratings.parquet"),
        ({"orders": ORDERS.drop(columns="date")}, "orders.parquet lacks the column date; it has order_id"),
        ({"orders": ORDERS.assign(amount=-1)}, "no order of a positive amount"),
        ({"orders": ORDERS.iloc[:0]}, "no order of a positive amount"),
        ({"orders": ORDERS.assign(amount="x")}, "orders.parquet: row 1 has the amount “x”"),
        ({"orders": ORDERS.assign(date=["2024-01-05", None])}, "Row 2 has no date"),
        ({"ratings": RATINGS.drop(columns="rating")}, "ratings.parquet lacks the column rating"),
        ({"ratings": RATINGS.assign(known="06/01/2024")}, "ratings.parquet: row 1 has the date “06/01/2024”"),
        ({"ratings": RATINGS.assign(rating="good")}, "ratings.parquet: row 1 has the rating “good”"),
        ({"lines": ORDERS[["amount"]]}, "lines.parquet lacks the column order_id"),
        (
            {"customers": pd.DataFrame({"customer_id": [7], "blocked": ["yes"]})},
            "customers.parquet: the column blocked holds values that are neither true nor false",
        ),
    ],
)
def test_bad_folders_are_refused_in_one_sentence(tmp_path, tables, words):
    with pytest.raises(HistoryError, match=words):
        read_history(folder(tmp_path, **tables))


def test_a_file_that_is_none_and_a_mapping_are_refused(tmp_path):
    folder(tmp_path)
    with pytest.raises(HistoryError, match="cannot be mapped"):
        read_history(tmp_path, {"amount": "total"})
    (tmp_path / "leads.parquet").write_text("x")
    with pytest.raises(HistoryError, match=r"leads\.parquet cannot be read"):
        read_history(tmp_path)


def test_score_and_backtest_take_a_folder(company, tmp_path):
    write(company, tmp_path / "company")
    out = tmp_path / "scores.parquet"
    command = ["score", str(tmp_path / "company"), "--as-of", company.world.end, "--out", str(out), "--json"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)
    scores = pd.read_parquet(out)
    assert set(scores["customer_id"]) == set(company.history.customers["customer_id"])
    command = ["backtest", str(tmp_path / "company"), "--cutoffs", "1", "--json"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output


def test_a_score_of_the_past_says_what_is_of_today(company, tmp_path):
    write(company, tmp_path / "company")
    scored = partial(score_file, tmp_path / "company", horizon=90, mapping="", progress=lambda *_: None)
    past = scored("2026-03-31", out=tmp_path / "scores.csv")
    (words,) = [each for each in past.warnings if "as they are today" in each]
    assert "group_id, has_tax_id, credit_limit, blocked" in words and "2026-03-31" in words
    today = scored(company.world.end, out=tmp_path / "scores.csv")
    assert not [each for each in today.warnings if "as they are today" in each]
    for customers in (tmp_path / "company").glob("customers.parquet"):
        customers.unlink()
    plain = scored("2026-03-31", out=tmp_path / "scores.csv")
    assert not [each for each in plain.warnings if "as they are today" in each]


def test_the_command_writes_such_a_folder(tmp_path, capsys):
    assert main([str(tmp_path / "new" / "one"), "--customers", "30", "--days", "400", "--seed", "2"]) == 0
    assert "30 customers" in capsys.readouterr().out
    assert len(read_history(tmp_path / "new" / "one").orders) > 100
    assert main([str(tmp_path), "--customers", "0"]) == 2
    assert "A world needs a customer" in capsys.readouterr().err
