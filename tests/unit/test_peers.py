"""Who a customer is compared with: format, by policy in its territory, else the company."""

import numpy as np
import pandas as pd
from conftest import AS_OF, crowd, history_of, orders_of
from hypothesis import given
from hypothesis import strategies as st

from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.pipeline import score

HERE = Policy(
    [
        {"key": "peers_by_territory", "format_id": None, "value": 1},
        {"key": "peers_minimum", "format_id": None, "value": 5},
    ]
)


def told(peers):
    """Whom each customer is compared with, and the format whose rules hold."""
    found = {}
    for format_id, rows, decided in peers.groups():
        for row in rows[decided]:
            assert row not in found  # once each
            found[int(row)] = (format_id, frozenset(rows.tolist()))
    return found


def test_a_territory_of_a_format_a_format_else_the_company():
    formats = pd.Series(["shop"] * 9 + ["bar"] * 3 + [None] * 6, dtype=object)
    places = pd.Series([1] * 5 + [2] * 3 + [np.nan] + [1] * 9)
    peers = Peers(formats, HERE, places)
    shops, everybody = frozenset(range(9)), frozenset(range(18))
    found = told(peers)
    assert [found[row] for row in range(5)] == [("shop", frozenset(range(5)))] * 5
    assert [found[row] for row in range(5, 9)] == [
        ("shop", shops)
    ] * 4  # too few there, or nobody knows where
    assert [found[row] for row in range(9, 18)] == [(None, everybody)] * 9  # no format has no territory
    assert peers.size.tolist() == [5] * 5 + [9] * 4 + [18] * 9
    value = np.arange(18.0)
    assert peers.median(value)[[0, 6, 12]].tolist() == [2, 4, 8.5]
    assert peers.percentile(value)[[4, 5]].tolist() == [1, 6 / 9]


def test_without_the_policy_or_a_place_a_format_is_one_group():
    formats, places = pd.Series(["shop"] * 12), pd.Series([1, 2] * 6)
    plain = Policy([{"key": "peers_minimum", "format_id": None, "value": 5}])
    for peers in (Peers(formats, plain, places), Peers(formats, HERE), Peers(formats, HERE, places * np.nan)):
        assert set(told(peers).values()) == {("shop", frozenset(range(12)))}


def test_a_format_can_have_territories_for_itself():
    rules = [{"key": "peers_by_territory", "format_id": "shop", "value": 1}, HERE.rules[1]]
    formats, places = pd.Series(["shop"] * 12 + ["bar"] * 12), pd.Series([1, 2] * 12)
    found = told(Peers(formats, Policy(rules), places))
    assert len(found[0][1]) == 6 and len(found[13][1]) == 12


customer = st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from([1, 2, -3, None]))


@given(st.lists(customer, min_size=1, max_size=60))
def test_everybody_is_judged_once_and_is_among_its_peers(given_):
    formats, places = (pd.Series(list(column), dtype=object) for column in zip(*given_, strict=True))
    peers = Peers(formats, HERE, places)
    found = told(peers)
    assert sorted(found) == list(range(len(given_)))
    for row, (format_id, among) in found.items():
        assert row in among and len(among) == peers.size[row]
        assert format_id is None or (format_id == formats[row] and len(among) >= 5)


def test_a_run_compares_in_the_territory_and_labels_are_retold_by_it():
    orders = pd.concat([crowd(120, seed=3), orders_of(1, [400, 300, 200, 100, 50], 900.0)])
    ids = orders["customer_id"].unique()
    table = pd.DataFrame(
        {"customer_id": ids, "format": "shop", "territory_id": np.where(ids % 2 == 0, 11, -7)}
    )
    made = history_of(orders)
    given_ = History(made.orders, customers=table)
    policy = Policy([{"key": "peers_by_territory", "format_id": None, "value": 1}])
    apart = score(given_, AS_OF, policy).customers.set_index("customer_id")
    together = score(given_, AS_OF, Policy()).customers.set_index("customer_id")
    worth = apart["current_value"] + apart["potential_value"]
    for part in (0, 1):
        own = worth[worth.index % 2 == part].rank(pct=True)
        assert np.allclose(apart["value_percentile"].reindex(own.index), own, atol=0.006)
    assert (apart["value_class"] != together["value_class"]).any()
    pd.testing.assert_series_equal(apart["churn_probability"], together["churn_probability"])
