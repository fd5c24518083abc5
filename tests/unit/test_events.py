import numpy as np
import pandas as pd
from conftest import history_of, orders_of
from dealings import dataset, taken
from hypothesis import given
from hypothesis import strategies as st

from sync_worker.scoring import events

facts = st.lists(st.tuples(st.integers(0, 3), st.integers(-50, 50), st.integers(0, 9)), max_size=40)
questions = st.lists(st.tuples(st.integers(0, 4), st.integers(-60, 60), st.integers(-60, 60)), max_size=10)


@given(facts, questions)
def test_a_window_holds_what_looking_at_each_event_finds(facts, questions):
    table = np.array(sorted(facts), dtype=int).reshape(-1, 3)
    asked = np.array(questions, dtype=int).reshape(-1, 3)
    found = events.window(events.keys(table[:, 0], table[:, 1]), asked[:, 0], asked[:, 1], asked[:, 2])
    for place, (row, first, last) in enumerate(questions):
        inside = [value for of, day, value in facts if of == row and first <= day <= last]
        assert found.count[place] == len(inside)
        assert found.total(table[:, 2])[place] == sum(inside)


def test_events_are_those_of_buyers_by_customer_and_day():
    ratings = dataset("ratings", customer_id=[2, 1, 2, 9, 2], known=[5, 4, 30, 1, 5], rating=[1, 2, 3, 4, 5])
    history = history_of(orders_of(1, [10]), orders_of(2, [3]))
    history.facts["ratings"] = ratings.sample(frac=1, random_state=1)
    found = events.take(history, "ratings", taken(history)[0].table["customer_id"])
    assert found.row.tolist() == [0, 1, 1, 1]
    assert found.table["rating_id"].tolist() == [2, 3, 1, 5]
    every = np.ones(4, dtype=bool)
    assert found.records(every, 2, "rating_id").tolist() == [[2, -1, -1, -1, -1], [5, 1, 3, -1, -1]]
    found.table["rating_id"] = list("abcd")
    assert found.records(every, 2, "rating_id") is None


def test_a_missing_or_empty_dataset_gives_none():
    history = history_of(orders_of(1, [10]))
    customers = pd.Series([1])
    assert events.take(history, "ratings", customers) is None
    history.facts["ratings"] = dataset("ratings", customer_id=[1], rating=[3], known=[1]).iloc[:0]
    assert events.take(history, "ratings", customers) is None
