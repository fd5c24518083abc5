"""Expected demand: shares that sum to one, ranges that hold."""

import json

import numpy as np
import pytest
from baskets import POLICY, TODAY, history_of_lines, known_of, lines_of, shop
from conftest import history_of, orders_of

from sync_worker.scoring import demand
from sync_worker.scoring.demand import Expectation


def expected(table, sales, past=(), policy=POLICY, **options):
    bought, facts, peers = known_of(history_of_lines(table, **options), policy)
    sales = np.broadcast_to(np.asarray(sales, float), len(facts.table)).copy()
    found = demand.expect(bought, facts, sales, past, peers, policy, TODAY)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    return found


def rows_of(found):
    return {(row["format"], row["category_id"]): row["expected"] for row in found["rows"]}


def steady_past(table, days, factor=1.0, seed=0):
    """Expectations on earlier days that were `factor` of what came, with an error for each customer."""
    bought, facts, _ = known_of(history_of_lines(table))
    rng, n = np.random.default_rng(seed), len(facts.table)
    past = []
    for day in days:
        ahead = TODAY - day
        inside = (bought.day > ahead) & (bought.day <= ahead + 90)
        came = np.bincount(bought.row[inside], bought.amount[inside], minlength=n)
        told = factor * came * np.exp(rng.normal(0, 0.2, n))
        past.append(Expectation(ahead, np.arange(n), told, np.ones(n, bool)))
    return past


def test_a_mix_of_its_own_is_drawn_to_the_peers_by_the_number_of_lines():
    rows = [(1, day, 1, "a", 1, 10.0) for day in range(1, 31)] + [
        (2, day, 2, "b", 1, 30.0) for day in range(1, 11)
    ]
    found = rows_of(expected(lines_of(rows), [100.0, 0.0]))
    own = 30 / (30 + demand.PEERS_LINES)  # peers: 300 of each
    assert found == {
        (None, "a"): pytest.approx(100 * (own + (1 - own) / 2)),
        (None, "b"): pytest.approx(100 * (1 - own) / 2),
    }


def test_demand_sums_to_what_is_expected_by_format():
    table = shop(90)
    formats = {n: ["x", "y", None][n % 3] for n in range(1, 91)}
    sales = np.arange(1.0, 91.0)
    found = expected(table, sales, formats=formats)
    by = {}
    for (format_id, _), value in rows_of(found).items():
        by[format_id] = by.get(format_id, 0) + value
    for number, name in enumerate(["x", "y", None]):
        assert by[name] == pytest.approx(sum(n for n in range(1, 91) if n % 3 == number), abs=0.3)
    assert found["expected"] == pytest.approx(sales.sum())
    assert found["rows"][0]["low"] is None and found["coverage"] is None and found["earlier_days"] == 0


def test_purchases_of_no_category_and_customers_without_lines_stay_in_the_sum():
    table = lines_of([(1, 5, 1, "a", 1, 10.0), (2, 5, 2, None, 1, 10.0)])
    table["category"] = ["a", None]
    found = expected(table, [50.0, 50.0])
    assert sum(rows_of(found).values()) == pytest.approx(100)
    assert (None, None) in rows_of(found)
    bought, facts, peers = known_of(history_of(orders_of(7, [9, 3])))
    nothing = demand.expect(bought, facts, np.array([40.0]), (), peers, POLICY, TODAY)
    assert nothing["rows"] == [
        {"format": None, "category_id": None, "expected": 40.0, "low": None, "high": None}
    ]


def test_negative_expectations_are_no_demand():
    found = expected(lines_of([(1, 5, 1, "a", 1, 10.0), (2, 5, 2, "b", 1, 10.0)]), [-50.0, 50.0])
    assert found["expected"] == pytest.approx(50)


def test_the_range_holds_what_earlier_days_say():
    table = shop(150, orders=60, categories=30)
    found = expected(table, 100.0, steady_past(table, (450, 360, 270, 180, 90)))
    assert found["earlier_days"] == 5
    assert 0.8 <= found["coverage"] <= 0.95
    assert all(row["low"] <= row["expected"] <= row["high"] for row in found["rows"])
    assert found["level"] == pytest.approx(1, abs=0.05)


def test_the_level_follows_what_earlier_forecasts_missed():
    table = shop(100, orders=40)
    low = expected(table, 100.0, steady_past(table, (360, 270, 180, 90), factor=0.5))
    days = 4 / (4 + demand.LEVEL_DAYS)
    assert low["level"] == pytest.approx(2**days, rel=0.05)
    assert low["expected"] == pytest.approx(100 * 100 * low["level"], rel=1e-3)


@pytest.mark.parametrize("lack", ["lines", "amount"])
def test_without_amounts_of_lines_nothing_is_known_of_earlier_days(lack):
    table = shop(60, orders=40)
    past = steady_past(table, (270, 180, 90))
    history = history_of_lines(table)
    history.lines = (
        None if lack == "lines" else table.assign(amount=np.nan, order_id=history.lines["order_id"])
    )
    bought, facts, peers = known_of(history)
    found = demand.expect(bought, facts, np.full(len(facts.table), 10.0), past, peers, POLICY, TODAY)
    assert (found["earlier_days"], found["level"], found["coverage"]) == (0, 1, None)
    assert found["expected"] == pytest.approx(10 * len(facts.table))
    assert all(row["low"] is None for row in found["rows"])


def test_one_earlier_day_gives_a_range_but_no_coverage():
    table = shop(150, orders=60, categories=50)
    found = expected(table, 100.0, steady_past(table, (90,)))
    assert found["coverage"] is None
    assert found["rows"][0]["low"] is not None


def test_a_sample_is_compared_with_its_own_sales():
    table = shop(100, orders=40)
    (one,) = steady_past(table, (90,))
    half = one.looked_at.copy()
    half[50:] = False
    sample = Expectation(one.day, np.arange(50), one.sales[:50], half)
    assert expected(table, 10.0, [sample])["level"] == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_neither_the_order_of_rows_nor_the_currency_matters(scale):
    table = shop(60, orders=40, categories=30)
    first = expected(table, 10.0, steady_past(table, (180, 90)))
    changed = table.assign(amount=table["amount"] * scale).sample(frac=1, random_state=2)
    again = expected(changed, 10.0 * scale, steady_past(changed, (180, 90)))
    assert rows_of(again).keys() == rows_of(first).keys()
    for one, other in zip(first["rows"], again["rows"], strict=True):
        for name in ("expected", "low", "high"):
            assert other[name] == pytest.approx(one[name] * scale, abs=0.01 * scale)
