"""What is done once for many customers is the same as done for each."""

import numpy as np
import pandas as pd
import pytest

from sync_worker.scoring import grouped, labels
from sync_worker.scoring import reasons as writing
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


def test_who_is_not_a_buyer_has_no_reasons():
    for chunks in (["a", "b", "c"],), (["a", "b"], ["c"]), (["a"], ["b"], ["c"]):
        reasons = writing._series([writing.pa.array(one, "large_string") for one in chunks])
        for at in ([0, 1, 2], [-1, 0, -1, 1, 2, -1], [0, 1, -1, -1, 2]):
            expected = ["[]" if row < 0 else "abc"[row] for row in at]
            assert writing.among(reasons, np.array(at)).tolist() == expected
    assert writing.among(pd.Series([], dtype=object), np.full(2, -1)).tolist() == ["[]", "[]"]


def test_the_first_label_that_holds_is_given():
    conditions = [np.array([True, False, False]), np.array([True, True, False])]
    assert labels.first(conditions, ["a", "b"], "a").tolist() == ["a", "b", "a"]
    assert labels.same("a", 2).tolist() == ["a", "a"]
