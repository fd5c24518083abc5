"""The facts that benchmarks/candidates tries: by hand, and that none looks ahead."""

import numpy as np
import pandas as pd
import pytest
from shops import without_formats

from benchmarks import parts
from benchmarks.candidates import _carried, _shift
from benchmarks.judge import more_facts
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import features, hybrid, rhythm
from sync_worker.scoring.situation import take

DAY = int(np.datetime64("2024-06-30").astype(int))


def history(seed=0, orders=400):
    rng = np.random.default_rng(seed)
    ids = np.arange(1, orders + 1)
    table = pd.DataFrame(
        {
            "order_id": ids,
            "customer_id": rng.integers(1, 60, orders),
            "date": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, orders), "D"),
            "amount": rng.gamma(2, 50, orders) * rng.choice([1, -1], orders, p=[0.95, 0.05]),
            "margin": rng.normal(10, 20, orders),
        }
    )
    lines = pd.DataFrame(
        {"order_id": rng.choice(ids, 4 * orders), "product_id": rng.integers(1, 40, 4 * orders)}
    )
    lines["category"] = lines["product_id"] % 7
    lines["quantity"], lines["amount"] = rng.integers(1, 5, len(lines)), rng.gamma(2, 20, len(lines))
    return History(table, lines=lines.assign(discount=rng.choice([0, 10, 50], len(lines))))


def columns_of(known):
    facts = features.build(known, pd.Timestamp("2024-12-31"), Policy())
    snapshot = take(facts.sales, without_formats(facts.sales), DAY, 60, Policy())
    ids = facts.table["customer_id"]
    purchases = more_facts.Purchases.of(known, ids)
    return ids.to_numpy()[snapshot.rows], more_facts.columns(facts.sales, purchases, snapshot)


def test_no_fact_looks_ahead():
    known = history()
    ids, found = columns_of(known)
    only, expected = columns_of(known.until("2024-06-30"))
    assert ids.tolist() == only.tolist() and len(ids) > 40
    assert np.isfinite(found).all() and (found.std(axis=0) > 0).sum() >= len(more_facts.NAMES) - 1
    assert found == pytest.approx(expected, abs=1e-12)


def test_without_lines_their_facts_are_nothing():
    known = history()
    known.lines = None
    _ids, found = columns_of(known)
    for group in ("breadth, basket size", "products", "discount", "price", "margin"):
        names = [more_facts.NAMES.index(name) for name in more_facts.GROUPS[group]]
        assert (found[:, names] == 0).all()


def test_change_of_the_last_values_against_those_before():
    row = np.array([0, 0, 0, 0, 0, 1, 1, 2])
    values = np.array([1.0, 3.0, 4.0, np.nan, 5.0, 7.0, 9.0, np.nan])
    level, change = more_facts._change(row, values, 3)
    # the last three known are 3, 4 and 5, before them 1: drawn to 0 by 1 / (1 + 3 (1/3 + 1) / 2)
    assert change == pytest.approx([2.0 / 3, 0, 0])
    assert level == pytest.approx([13 / 4, 8, (13 / 4 + 8) / 2])


def test_medians_by_customer():
    row, values = np.array([0, 0, 0, 1, 1, 3]), np.array([5.0, 1.0, 2.0, 4.0, 1.0, 7.0])
    assert more_facts._median(row, values, 4).tolist() == [2, 2.5, 0, 7]
    assert more_facts._median(row[:0], values[:0], 2).tolist() == [0, 0]


def test_a_drift_is_carried_on_where_it_is_plain_and_else_not():
    days = np.array([0.0, 30.0, 60.0, 90.0])
    line = days / 300
    assert _carried(days, line, 120, "drift, trend") == pytest.approx(0.25)
    assert _carried(days, np.array([0.1, -0.1, 0.1, -0.1]), 120, "drift, trend") == 0
    assert _carried(days, np.array([0.1, -0.1, 0.1, -0.1]), 120, "drift, newest") == 0
    assert _carried(days, np.zeros(4), 120, "drift, trend") == 0
    p = np.array([0.2, 0.5, 0.9])
    assert _shift(p, p.mean()) == pytest.approx(0, abs=1e-9)


def test_parts_are_taken_away_and_given_back():
    def present():
        return rhythm.SPREAD_BOUNDS[0] < 0.1, hybrid.PERIODS_DIFFER > 0

    found = {}
    for name in ("none", *parts.PARTS, parts.BOTH):
        with parts.only(name):
            found[name] = present()
    assert [*found.values()] == [(False, False), (True, False), (False, True), (True, True)]
    assert present() == (True, True)


def test_without_levels_the_cut_offs_are_taken_for_one():
    rng = np.random.default_rng(6)
    columns, period = rng.normal(size=(400, 2)), np.repeat([0, 1], 200)
    churned = rng.random(400) < 0.3 + 0.3 * period
    with parts.only("none"):
        found = hybrid._fitted(columns, churned, period)
    assert found.slopes == pytest.approx(
        hybrid._fitted(columns, churned, np.zeros(400, int)).slopes, abs=1e-6
    )
    assert found.slopes != pytest.approx(hybrid._fitted(columns, churned, period).slopes, abs=1e-6)
