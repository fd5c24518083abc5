"""What is done once for many customers is the same as done for each."""

import numpy as np
import pandas as pd
import pytest

from simulator import World, simulate
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import grouped, labels, pipeline, returns, tide, value_trend
from sync_worker.scoring import reasons as writing
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.pipeline import score
from sync_worker.scoring.transaction_models import ModifiedBetaGeoNBD
from sync_worker.scoring.transaction_models.rows import combinations


def test_combinations_are_the_distinct_rows():
    rng = np.random.default_rng(0)
    columns = [
        np.full(500, 365.25),
        rng.integers(0, 4, 500).astype(float),
        rng.integers(7, 90, 500).astype(float),
    ]
    one, which = combinations(*columns)
    assert len(one) == len(np.unique(np.stack(columns), axis=1).T)
    for values in columns:
        assert (values[one][which] == values).all()


@pytest.mark.parametrize("values", [[0.5, 1.25], [0.0, 1e9], [0.0, np.nan], []])
def test_combinations_of_what_is_not_few_whole_numbers_are_not_looked_for(values):
    assert combinations(np.array(values)) is None


def test_orders_of_many_like_customers_are_those_of_each():
    rng = np.random.default_rng(1)
    x, tenure = rng.integers(0, 4, 2000).astype(float), rng.integers(50, 90, 2000).astype(float)
    last = np.where(x > 0, rng.random(2000) * tenure, 0)
    model = ModifiedBetaGeoNBD().fit(x, last, tenure)
    together = model.expected_orders(60.0, x, last, tenure)
    each = [model.expected_orders(60.0, *one)[()] for one in zip(x[:50], last[:50], tenure[:50], strict=True)]
    assert together[:50] == pytest.approx(each, rel=1e-12)


@pytest.mark.parametrize("largest", [50, 2**61])
def test_rows_are_ordered_by_their_key_and_equals_stay_in_their_order(largest):
    rng = np.random.default_rng(2)
    key, values = rng.integers(0, largest, 1000), rng.integers(0, 3, 1000).astype(float)
    assert (grouped.argsort(key) == np.argsort(key, kind="stable")).all()
    assert (grouped.argsort_by(key, values) == np.lexsort((values, key))).all()
    assert not len(grouped.argsort(key[:0])) and not len(grouped.argsort_by(key[:0], values[:0]))


def test_entries_of_customers_are_found_by_their_places():
    rng = np.random.default_rng(3)
    owner = np.sort(rng.integers(0, 20, 60))  # some have none
    start = np.searchsorted(owner, np.arange(21))
    for chosen in (np.array([7]), np.array([3, 4, 15]), np.arange(20), np.zeros(0, dtype="int64")):
        found = grouped.entries(start, chosen)
        assert found.tolist() == [at for one in chosen for at in np.flatnonzero(owner == one)]


def test_who_is_not_a_buyer_has_no_reasons():
    told = [
        writing.told(Evidence("long_silence", np.array([True, False, True]), {"days_since": np.arange(3)}))
    ]
    own = writing.written(told, 3).tolist()
    assert own[1] == "[]" and '"days_since":2' in own[2]
    for at, n in ([0, 1, 2], 3), ([1, 3, 4], 6), ([0, 1, 4], 5):
        found = writing.written(writing.among(told, np.array(at)), n).tolist()
        assert [found[place] for place in at] == own and found.count("[]") == n - 2
    assert writing.written([], 2).tolist() == ["[]", "[]"]


def test_the_first_label_that_holds_is_given():
    conditions = [np.array([True, False, False]), np.array([True, True, False])]
    assert labels.first(conditions, ["a", "b"], "a").tolist() == ["a", "b", "a"]
    assert labels.same("a", 2).tolist() == ["a", "a"]


def test_labels_become_the_texts_that_each_would():
    values = pd.Series(pd.Categorical.from_codes([1, 0, -1, 1], ["low", "high"]), index=[3, 1, 4, 2])
    found = pipeline._typed("churn_risk", values)
    pd.testing.assert_series_equal(found, values.astype(object).astype("string"))


def test_the_tide_is_that_of_all_others():
    row = np.repeat(np.arange(3), 4)
    age = np.array([80, 50, 20, 1, 85, 45, 10, 2, 70, 65, 30, 5])
    log_amount = np.arange(12.0)
    here = np.array([True, True, False])
    found = tide.learn(row, age, log_amount, 3, here, np.ones(3, dtype=bool))
    doubt, month = tide.DOUBT, tide.MONTH
    bins = age // month
    own = log_amount - np.repeat([log_amount[at : at + 4].mean() for at in (0, 4, 8)], 4)
    for customer in range(3):
        for at in range(found.pace.shape[1]):
            inside = (row != customer) & (bins == at)
            assert found.worth[customer, at] == pytest.approx(
                np.exp(own[inside].sum() / (inside.sum() + doubt))
            )
            came = sum(inside[index] for index in range(12) if index % 4)
            promised = 0.0
            for other in {0, 1, 2} - {customer}:
                first, last = age[4 * other], age[4 * other + 3] if other == 2 else 0
                days = min((at + 1) * month, first) - max(at * month, last)
                promised += 3 / (first - last) * max(days, 0)
            assert found.pace[customer, at] == pytest.approx((came + doubt) / (promised + doubt))


def test_the_tide_is_the_same_to_the_bit_whatever_the_blocks_are_and_whoever_is_asked_for(monkeypatch):
    rng = np.random.default_rng(3)
    row = np.sort(np.append(np.arange(50), rng.integers(0, 50, 400)))
    age = np.concatenate([np.sort(rng.integers(0, 700, n))[::-1] for n in np.bincount(row)])
    log_amount, here, asked = rng.normal(3, 1, len(row)), rng.random(50) < 0.8, rng.random(50) < 0.3
    whole = tide.learn(row, age, log_amount, 50, here, np.ones(50, dtype=bool))
    monkeypatch.setattr(tide, "BLOCK", 7)
    some = tide.learn(row, age, log_amount, 50, here, asked)
    assert np.array_equal(some.pace, whole.pace[asked]) and np.array_equal(some.worth, whole.worth[asked])


def test_lines_through_quarters_are_the_same_whatever_the_blocks_are(monkeypatch):
    rng = np.random.default_rng(4)
    row, age = rng.integers(0, 60, 900), rng.integers(0, 900, 900)
    brought, tenure = rng.normal(50, 20, 900), rng.integers(0, 900, 60)
    found = value_trend.classify(row, age, brought, tenure)
    monkeypatch.setattr(value_trend, "BLOCK", 11)
    again = value_trend.classify(row, age, brought, tenure)
    pd.testing.assert_frame_equal(found, again, check_exact=True)


def test_what_came_back_is_a_part_of_what_was_bought_in_any_order():
    row, amount = np.array([0, 0, 0, 1, 2, 2]), np.array([0.1, 0.2, 0.3, 5.0, 0.7, 1e-9])
    value = np.array([0.3, 0.0, 9.0, 0.0])
    share = returns._share(value, row, amount)
    assert share[:3].tolist() == [0.3 / (0.1 + 0.2 + 0.3), 0.0, 1.0] and np.isnan(share[3])
    assert np.array_equal(returns._share(value, row[::-1], amount[::-1]), share, equal_nan=True)
    assert np.isnan(returns._share(np.full(4, np.nan), row, amount)).all()


@pytest.mark.parametrize("known", ["all", "leads", "orders"])
def test_what_nobody_needs_any_more_is_taken_out_and_changes_nothing(known):
    world = World(seed=3, customers=150)

    def history():
        whole = simulate(world).history
        if known == "all":
            return whole
        facts = {"leads": whole.facts["leads"]} if known == "leads" else {}
        return History(whole.orders.drop(columns="margin"), None, whole.customers, facts=facts)

    kept, used = history(), history()
    expected, found = score(kept, world.end, Policy()), score(used, world.end, Policy(), last_use=True)
    assert not len(used.orders) and used.lines is None and not used.facts
    assert len(kept.orders)
    pd.testing.assert_frame_equal(found.customers, expected.customers)
    assert found.summary == expected.summary and found.warnings == expected.warnings
