import numpy as np
import pytest
from conftest import AS_OF, history_of, orders_of
from dealings import TODAY, dataset, labels, taken
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_worker.scoring import channel, interactions

NOW = TODAY * 24.0


def spoken(*said, activities=(), customers=(1, 2)):
    """A history with messages `(customer, hours before today's midnight, direction)` and activities
    `(customer, days ago)`."""
    history = history_of(*(orders_of(each, [400, 10]) for each in customers))
    if said:
        who, before, direction = (list(column) for column in zip(*said, strict=True))
        hours = NOW - np.array(before, dtype=float)
        history.facts["messages"] = dataset(
            "messages",
            customer_id=who,
            known=TODAY - np.floor(hours / 24),
            hours=hours,
            direction=direction,
        )
    if activities:
        who, days = (list(column) for column in zip(*activities, strict=True))
        history.facts["activities"] = dataset("activities", customer_id=who, known=days)
    return history


def judged(history):
    facts, peers, policy, *_ = taken(history)
    said = interactions.talk(history, facts.table["customer_id"])
    return interactions.classify(facts, history, said, peers, policy, TODAY)


MONTH = 30 * 24


def test_who_begins_most_conversations_initiates():
    asks = [(1, place * MONTH, "in") for place in range(1, 5)]
    asks += [(1, place * MONTH - 3, "out") for place in range(1, 5)]
    tells = [(2, place * MONTH, "out") for place in range(1, 4)]
    found = judged(spoken(*asks, *tells, activities=[(2, 15)])).table
    assert found["initiator"].tolist() == ["customer", "us"]
    assert found["last_contact_date"].tolist() == [
        AS_OF - np.timedelta64(30, "D"),
        AS_OF - np.timedelta64(15, "D"),
    ]


def test_who_begins_is_not_known_from_activities_alone_which_are_always_ours():
    calls = [(1, 30 * place) for place in range(1, 6)]
    found = judged(spoken(activities=calls))
    assert found.table["initiator"].isna().all() and found.table["last_contact_date"].notna().any()
    assert not any(
        each.holds.any() for each in found.evidence if each.code in ("we_begin", "customer_begins")
    )
    # where messages are known, one who never writes is called by us
    assert labels(judged(spoken((2, MONTH, "in"), activities=calls)).table["initiator"]) == ["us", None]


def test_both_and_nobody():
    both = [(1, place * MONTH, "in" if place % 2 else "out") for place in range(1, 5)]
    found = judged(spoken(*both, (2, MONTH, "in"))).table
    assert labels(found["initiator"]) == ["both", None]


def test_response_time_is_the_median_until_our_next_message():
    waits = [2, 4, 30]
    said = [(1, place * MONTH, "in") for place in range(2, 5)]
    said += [(1, place * MONTH - wait, "out") for place, wait in zip(range(2, 5), waits, strict=True)]
    said += [(1, 2 * MONTH - 1, "in")]  # a second question before the answer waits with the first
    # the second customer has to wait half an hour each time
    said += [
        (2, place * MONTH - each, way) for place in range(2, 5) for each, way in ((0, "in"), (0.5, "out"))
    ]
    found = judged(spoken(*said))
    assert found.table["response_hours"].tolist() == [4, 0.5]
    told = {each.code: each for each in found.evidence}
    assert told["slow_answers"].params["hours"].tolist() == [4, 0.5]
    assert not told["unanswered"].holds.any()


def test_unanswered_messages_count_as_never_and_fresh_ones_not_yet():
    said = [(1, place * MONTH, "in") for place in range(2, 5)]
    said += [(1, 4 * MONTH - 5, "out"), (1, 24, "in")]
    found = judged(spoken(*said))
    assert found.table["response_hours"].fillna(-1).tolist() == [interactions.PATIENCE, -1]
    told = {each.code: each for each in found.evidence}
    # most were never answered: of no wait could one tell how long it was
    assert not told["slow_answers"].holds.any()
    assert told["unanswered"].holds.tolist() == [True, False]
    assert (told["unanswered"].params["unanswered"][0], told["unanswered"].params["messages"][0]) == (2, 3)


def test_silence_is_told_against_the_own_rhythm():
    regular = [(1, 200 * 24 + place * MONTH, "out") for place in range(5)]
    told = {each.code: each for each in judged(spoken(*regular, (2, MONTH, "out"))).evidence}
    assert told["no_contact"].holds.tolist() == [True, False]
    assert told["no_contact"].params["days_since"][0] == 200
    assert told["no_contact"].params["typical_gap"][0] == 30


def test_without_datasets_nothing_is_known():
    found = judged(spoken())
    assert found.lacks == ["messages", "activities"]
    assert found.table.isna().all(axis=None) and found.evidence == []
    only = judged(spoken(activities=[(1, 5)]))
    assert only.lacks == ["messages"] and only.table["last_contact_date"].notna().tolist() == [True, False]
    assert not any(each.holds.any() for each in only.evidence)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(1, 2), st.integers(0, 3000), st.sampled_from(["in", "out"])),
        min_size=1,
        max_size=30,
        unique_by=lambda each: each[:2],
    )
)
def test_answers_are_those_of_reading_each_conversation(said):
    history = spoken(*said)
    facts, *_ = taken(history)
    talk = interactions.talk(history, facts.table["customer_id"])
    asked, hours = interactions.answers(talk, TODAY)
    expected = []
    for customer in (1, 2):
        own = sorted((-before, direction) for who, before, direction in said if who == customer)
        for place, (moment, direction) in enumerate(own):
            before = own[place - 1] if place else (-np.inf, "in")
            if direction == "out" or (before[1] == "in" and moment - before[0] <= interactions.PATIENCE):
                continue
            answer = next((later for later, way in own[place:] if way == "out"), np.inf)
            wait = answer - moment
            wait = wait if wait <= interactions.PATIENCE else np.inf
            if np.isfinite(wait) or moment <= 24 - interactions.PATIENCE:
                expected.append((customer - 1, wait))
    assert asked.row.tolist() == [row for row, _ in expected]
    assert hours.tolist() == pytest.approx([wait for _, wait in expected])


def ordered(*orders, customers=(1, 2)):
    """A history with order details `(customer, days ago, channel)`."""
    history = history_of(*(orders_of(each, [400, 10]) for each in customers))
    if orders:
        who, days, way = (list(column) for column in zip(*orders, strict=True))
        history.facts["order_details"] = dataset(
            "order_details", customer_id=who, known=days, channel=way, order_id=np.arange(len(who)) + 1
        )
    return history


def preferred(history):
    return channel.classify(taken(history)[0], history, TODAY)


def test_later_orders_count_more():
    history = ordered(
        *((1, 720 + day, "salesperson") for day in range(4)), *((1, day, "website") for day in range(2))
    )
    found = preferred(history)
    # four of a sixteenth each against two of one
    assert labels(found.table["preferred_channel"]) == ["website", None]
    told = next(each for each in found.evidence if each.code == "prefers_channel")
    assert told.params["percent"][0] == pytest.approx(100 * 2 / 2.25, abs=1)


def test_a_shift_is_told_with_both_shares():
    history = ordered(
        *((1, 100 + day, "salesperson") for day in range(4)), *((1, day, "website") for day in range(4))
    )
    found = preferred(history)
    told = {each.code: each for each in found.evidence}
    assert told["shifts_channel"].holds.tolist() == [True, False]
    assert {name: each[0] for name, each in told["shifts_channel"].params.items()} == {
        "percent": 100,
        "before": 0,
    }
    assert told["shifts_channel"].records[0].tolist() == [5, 6, 7, 8, -1]


def test_no_preference_without_evidence():
    few = ordered((1, 1, "website"), (1, 2, "website"))
    assert preferred(few).table["preferred_channel"].isna().all()
    even = ordered(*((1, 1, way) for way in ("website", "salesperson") for _ in range(3)))
    assert preferred(even).table["preferred_channel"].isna().all()
    old = ordered(*((1, 1500 + day, "website") for day in range(5)))
    assert preferred(old).table["preferred_channel"].isna().all()
    none = preferred(ordered())
    assert none.lacks == ["order_details"] and none.table.isna().all(axis=None)
    unknown = ordered(*((1, day, None) for day in range(5)))
    assert preferred(unknown).lacks == []
