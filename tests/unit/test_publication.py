"""Write-back: cells as the contract wants them, whatever the scores hold."""

import base64
import csv
import io
import json
import zlib
from datetime import date

import numpy as np
import pandas as pd
import pytest

from sync_worker import publication
from sync_worker.errors import ContractError

TYPES = {
    "partner_id": "integer",
    "value_class": "text",
    "burden": "boolean",
    "churn_probability": "float",
    "lifetime_value": "money",
    "expected_next_order": "date",
    "order_days": "integer",
    "reasons": "json",
}


def rows(scores: pd.DataFrame, types=TYPES, decimals: int = 2) -> list[list[str]]:
    data = publication.encode(publication.to_table(scores, types, decimals))
    return list(csv.reader(io.StringIO(zlib.decompress(base64.b64decode(data)).decode())))


def scores(**changes) -> pd.DataFrame:
    columns = {
        "customer_id": [7],
        "value_class": ["key"],
        "burden": [True],
        "churn_probability": [0.25],
        "lifetime_value": [1234.5],
        "expected_next_order": pd.to_datetime(["2026-12-01"]).astype("datetime64[s]"),
        "order_days": pd.array([3], dtype="Int64"),
        "reasons": ["[]"],
    }
    return pd.DataFrame({**columns, **changes})


def test_cells_of_every_type():
    assert rows(scores()) == [["7", "key", "t", "0.25", "1234.5", "2026-12-01", "3", "[]"]]


def test_missing_is_an_empty_cell():
    empty = scores(
        value_class=[None],
        burden=pd.array([None], dtype="boolean"),
        churn_probability=[np.nan],
        lifetime_value=[np.nan],
        expected_next_order=pd.to_datetime([None]),
        order_days=pd.array([None], dtype="Int64"),
        reasons=[None],
    )
    assert rows(empty) == [["7", "", "", "", "", "", "", ""]]
    raw = zlib.decompress(base64.b64decode(publication.encode(publication.to_table(empty, TYPES))))
    assert raw == b"7,,,,,,,\n", "a quoted empty text would not be missing to PostgreSQL"


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_what_is_no_number_is_missing(value: float):
    [row] = rows(scores(churn_probability=[value], lifetime_value=[value]))
    assert row[3:5] == ["", ""]


def test_a_missing_list_is_an_empty_cell():
    for missing in (None, float("nan"), pd.NA):
        scores = pd.DataFrame({"partner_id": [1, 2], "reasons": pd.Series(["[]", missing], dtype="string")})
        table = publication.to_table(scores, {"partner_id": "integer", "reasons": "json"}, 2)
        assert table.column("reasons").to_pylist() == ["[]", None]


def test_reasons_travel_as_json():
    reason = {
        "code": "a",
        "params": {"text": 'a "quoted", text\nin two lines', "n": np.int64(3)},
        "ids": [1, 2],
    }
    for given in ([reason], json.dumps([{**reason, "params": {"text": reason["params"]["text"], "n": 3}}])):
        [row] = rows(scores(reasons=[given]))
        assert json.loads(row[7])[0]["params"] == {"text": 'a "quoted", text\nin two lines', "n": 3}
        assert "\n" not in row[7], "a row is a line: the addon names the bad one"


def test_money_has_the_decimals_of_the_currency():
    assert rows(scores(lifetime_value=[1.005]), decimals=0)[0][4] == "1"
    assert rows(scores(lifetime_value=[1.239]), decimals=2)[0][4] == "1.24"


def test_order_is_that_of_the_addon_and_unknown_columns_stay_at_home():
    types = {"lifetime_value": "money", "partner_id": "integer", "brand_new": "text"}
    table = publication.to_table(scores(), types)
    assert table.column_names == ["lifetime_value", "partner_id"]


def test_rows_are_by_customer():
    two = pd.concat([scores(customer_id=[9]), scores(customer_id=[2])])
    assert [row[0] for row in rows(two)] == ["2", "9"]


def test_types_this_worker_does_not_know():
    with pytest.raises(ContractError, match="lifetime_value as colour"):
        publication.to_table(scores(), {**TYPES, "lifetime_value": "colour"})
    with pytest.raises(ContractError, match="partner_id"):
        publication.to_table(scores(), {"lifetime_value": "money"})


def test_nobody_to_publish():
    empty = pd.DataFrame({"customer_id": pd.Series(dtype="int64")})
    table = publication.to_table(empty, TYPES)
    assert publication.publish([None], {}, table, batch_rows=10, on_batch=print).rows == 0


def test_batches_are_numbered_and_counted():
    class Recorder:
        calls: list[dict] = []

        def call(self, method: str, params: dict):
            assert method == "publish"
            self.calls.append(params)
            count = zlib.decompress(base64.b64decode(params["data"])).count(b"\n")
            return {"ok": count - 1, "missing": 1}

    many = pd.concat([scores(customer_id=[each]) for each in range(25)])
    seen: list[int] = []
    sent = publication.publish(
        [Recorder()],
        {"id": 3, "token": "t"},
        publication.to_table(many, TYPES),
        batch_rows=10,
        on_batch=seen.append,
    )
    assert [call["batch"] for call in Recorder.calls] == [1, 2, 3]
    assert {call["run_id"] for call in Recorder.calls} == {3}
    assert seen == [10, 20, 25]
    assert (sent.rows, sent.refused) == (25, {"missing": 3})


def test_dates_of_any_resolution():
    for unit in ("s", "ns"):
        stamps = pd.to_datetime(["2026-02-03"]).astype(f"datetime64[{unit}]")
        assert rows(scores(expected_next_order=stamps))[0][5] == "2026-02-03"
    assert rows(scores(expected_next_order=[date(2026, 2, 3)]))[0][5] == "2026-02-03"
