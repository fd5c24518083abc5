"""Approval is repeat without complaint; loyalty cards are evidence of attitude."""

import json

import numpy as np
import pandas as pd
import pytest
from conftest import AS_OF, crowd, history_of, orders_of
from dealings import TODAY, dataset, in_currency, shuffled, without
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import complaints, features, loyalty, points, returns, rhythm
from sync_worker.scoring.explanation import render
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.pipeline import score

CODES = set(complaints.SENTENCES)


def history(*parts, **facts):
    made = history_of(*parts)
    return History(made.orders, facts={name: table for name, table in facts.items()})


def ratings(*rows):
    """Rows of customer, days ago, rating."""
    who, when, what = zip(*rows, strict=True)
    return dataset("ratings", customer_id=list(who), known=list(when), rating=[float(x) for x in what])


def leads(*rows):
    """Rows of customer, days ago closed, lost type; entered five days before."""
    who, when, why = zip(*rows, strict=True)
    return dataset(
        "leads",
        customer_id=list(who),
        known=[days + 5 for days in when],
        closed=list(when),
        outcome=["lost"] * len(who),
        lost_type=list(why),
    )


def judged(given, policy=None, today=AS_OF):
    """Stage and codes of loyalty of each customer, with the rhythm of all as it is and everybody alive."""
    policy, given = policy or Policy(), given.until(today)
    facts = features.build(given, today, policy)
    rhythms = rhythm.learn(facts.days, Peers(facts.table["format"], policy), 60.0)
    day = int(today.timestamp() // 86400)
    said, back = complaints.read(given, facts.table["customer_id"]), returns.take(facts, given, policy, day)
    facts.table["loyalty_stage"] = loyalty.classify(
        facts,
        rhythms,
        lambda at: np.ones(len(at)),
        day,
        policy,
        last_complaint=said.last(policy, facts.table["format"]),
        mostly_returned=complaints.mostly_returned(back),
    )
    told = complaints.evidence(said, facts, back, policy, day)
    return {
        customer: (stage, {each.code for each in told if each.holds[row]})
        for row, (customer, stage) in enumerate(
            zip(facts.table["customer_id"], facts.table["loyalty_stage"], strict=True)
        )
    }


def test_a_low_rating_is_held_against_approval_until_it_came_again():
    orders = [orders_of(n, [300, 200]) for n in range(1, 6)]
    found = judged(
        history(
            *orders,
            orders_of(6, [300, 200, 90]),
            orders_of(7, [200, 90, 40]),
            ratings=ratings((1, 250, 1), (2, 100, 1), (3, 100, 3), (4, 100, 5), (6, 150, 2), (7, 150, 1)),
        )
    )
    assert found == {
        1: ("awareness", {"low_rating_stands"}),  # came once more since
        2: ("awareness", {"low_rating_stands"}),
        3: ("approval", {"no_complaint"}),  # neither good nor bad
        4: ("approval", {"no_complaint"}),
        5: ("approval", {"never_rated"}),
        6: ("awareness", {"low_rating_stands"}),
        7: ("approval", set()),  # twice since: approves again, and did complain
    }


def test_a_rating_counts_from_the_day_it_became_known():
    given = history(orders_of(1, [300, 200]), ratings=ratings((1, 100, 1)))
    assert judged(given, today=AS_OF - pd.Timedelta(days=101))[1] == ("approval", set())
    assert judged(given, today=AS_OF - pd.Timedelta(days=100))[1][0] == "awareness"


def test_an_order_of_the_day_of_the_complaint_came_before_it():
    given = history(orders_of(1, [300, 100, 40]), ratings=ratings((1, 100, 1)))
    assert judged(given)[1][0] == "awareness"


def test_what_is_low_follows_the_policy():
    given = history(orders_of(1, [300, 200]), ratings=ratings((1, 100, 3)))
    assert judged(given, Policy().replace(unsatisfied_below=3.5))[1][0] == "awareness"
    assert judged(given, Policy().replace(approval_order_days=3))[1] == ("awareness", set())  # too few anyway


def test_a_lead_that_we_failed_is_a_complaint_and_one_lost_otherwise_is_none():
    orders = [orders_of(n, [300, 200]) for n in range(1, 5)]
    why = ("unintentionally_dropped", "price_seeker", "lured_by_competitor", None)
    given = history(*orders, leads=leads(*((n + 1, 100, each) for n, each in enumerate(why))))
    found = judged(given)
    assert found[1] == ("awareness", {"failed_lead_stands"})
    assert [found[n] for n in (2, 3, 4)] == [("approval", set())] * 3
    # entered by then, and not yet lost
    assert judged(given, today=AS_OF - pd.Timedelta(days=102))[1][0] == "approval"


def test_sending_most_of_it_back_is_no_approval_and_a_part_is():
    back = [orders_of(n, [120], amount=-given) for n, given in ((1, 100.0), (2, 99.0), (3, 0.0))]
    found = judged(history(*(orders_of(n, [300, 200]) for n in (1, 2, 3)), *back))
    assert found[1] == ("awareness", {"mostly_returned"})
    assert found[2] == found[3] == ("approval", set())


def test_a_half_is_a_half_in_any_currency():
    rng = np.random.default_rng(1)
    for _ in range(200):
        bought = rng.integers(100, 5000, 3)
        if bought.sum() % 2:
            continue
        first = int(rng.integers(1, bought.sum() // 2))
        cents = np.array([*bought, -first, -(bought.sum() // 2 - first)])
        for rate in (0.01, 0.0731, 0.1):
            parts = [
                orders_of(1, [day], amount=amount)
                for day, amount in zip([300, 200, 180, 120, 110], cents * rate, strict=True)
            ]
            assert judged(history(*parts))[1][1] == {"mostly_returned"}, (cents, rate)


def test_of_whom_we_failed_it_is_not_said_that_nothing_is_known():
    given = history(
        orders_of(1, [200, 90, 40]),
        orders_of(2, [300, 200]),
        orders_of(3, [300, 200]),
        leads=leads((1, 150, "unintentionally_dropped")),
        ratings=ratings((3, 100, 5)),
    )
    found = judged(given)
    assert found[1] == ("approval", set())
    assert found[2] == ("approval", {"never_rated"})


def test_goods_received_back_count_as_money_returned():
    given = history(
        orders_of(1, [300, 200]),
        orders_of(2, [300, 200]),
        deliveries=dataset(
            "deliveries",
            order_id=[1, 2, 2, 1, 3, 4],
            customer_id=[1, 1, 1, 1, 2, 2],
            known=[299, 199, 150, 149, 299, 199],
            delivered=[5.0, 5.0, 5.0, 1.0, 5.0, 5.0],
            is_return=[False, False, True, True, False, False],
        ),
    )
    assert judged(given)[1][0] == "awareness" and judged(given)[2][0] == "approval"


def test_who_keeps_its_cadence_in_spite_of_a_complaint_keeps_its_stage():
    regular = [orders_of(n, range(10 + n, 300, 30)) for n in range(1, 12)]
    found = judged(history(*regular, ratings=ratings((1, 5, 1), (2, 5, 5))))
    assert found[1] == ("loyalty", set()) and found[2] == ("loyalty", set())


#: Others, so that one customer does not make the rhythm of all.
BASE = crowd(30, seed=4)
days_ago = st.lists(st.integers(0, 600), min_size=1, max_size=8, unique=True)


@settings(max_examples=40)
@given(days_ago, st.integers(0, 600), st.data())
def test_one_more_order_and_one_complaint_less_never_lower_the_stage(days, complained, data):
    later = data.draw(st.integers(0, min(days)))
    # the same customer three times in one company: as it is, with a further order, without the complaint
    found = judged(
        history(
            BASE,
            orders_of(1, days),
            orders_of(2, sorted({*days, later})),
            orders_of(3, days),
            ratings=ratings((1, complained, 1), (2, complained, 1)),
        )
    )
    as_it_is, ordered_more, content = (loyalty.STAGES.index(found[n][0]) for n in (1, 2, 3))
    assert as_it_is <= ordered_more
    assert as_it_is <= content


def test_neither_order_of_rows_nor_currency_matters():
    given = history(
        *(orders_of(n, [300, 200, 90 + n]) for n in range(1, 9)),
        orders_of(3, [50], amount=-220.0),
        ratings=ratings(*((n, 60 + n, 1 + n % 5) for n in range(1, 9))),
        leads=leads((2, 70, "unintentionally_dropped")),
    )
    assert judged(given) == judged(shuffled(given)) == judged(in_currency(given, 7.3))


def test_without_ratings_and_leads_nothing_is_said_of_complaints():
    given = history(orders_of(1, [300, 200]), ratings=ratings((1, 100, 1)))
    assert judged(without(given, "ratings"))[1] == ("approval", set())


@pytest.fixture(scope="module")
def scored():
    crowd = [orders_of(n, [400 - n, 200 - n]) for n in range(1, 61)]
    given = history(
        *crowd,
        orders_of(91, [400, 200]),
        ratings=ratings((91, 100, 1)),
        points=dataset(
            "points",
            customer_id=[1, 1, 1, 2, 2, 3, 77],
            known=[390, 199, 150, 198, 198, 500, 3],
            card_id=[11, 11, 12, 21, 21, 31, 71],
            issued=[5.0, 5.0, 0.0, 3.0, 2.0, 4.0, 9.0],
            used=[0.0, 0.0, 4.0, np.nan, 0.0, 1.0, 9.0],
        ),
    )
    table = score(given, AS_OF, Policy()).customers.set_index("customer_id")
    return table, {n: json.loads(text) for n, text in table["reasons"].items()}


def loyal_reasons(scored, customer):
    codes = CODES | set(points.SENTENCES)
    return [each for each in scored[1][customer] if each["code"] in codes]


def test_the_stage_of_a_whole_run_has_its_complaint_with_the_rating_to_open(scored):
    assert scored[0].loc[91, "loyalty_stage"] == "awareness"
    (why,) = loyal_reasons(scored, 91)
    assert (why["model"], why["record_ids"]) == ("rating.rating", [1])
    assert render(why) == "Rated us badly 100 days ago; order-days since 0, approval takes 2"


def test_cards_are_evidence_of_attitude_with_the_card_to_open(scored):
    one, two, three = (loyal_reasons(scored, n)[0] for n in (1, 2, 3))
    assert render(one) == "Spent its loyalty points on 1 day of late, the last time 150 days ago"
    assert (one["model"], one["record_ids"]) == ("loyalty.card", [12])
    assert render(two) == "Collected loyalty points on 1 day of late and spent none"
    assert two["record_ids"] == [21]
    assert render(three) == "Has a loyalty card and showed it on none of 1 order-day of late"
    assert three["record_ids"] == [31]
    assert [each["code"] for each in loyal_reasons(scored, 4)] == ["never_rated"]


def test_a_file_may_lack_the_card():
    table = dataset("points", customer_id=[1], known=[20], issued=[4.0], used=[1.0]).drop(columns="card_id")
    given = history(orders_of(1, [100, 20]), points=table)
    facts = features.build(given, AS_OF, Policy())
    spent = points.evidence(facts, given, Policy(), TODAY)[0]
    assert spent.holds.tolist() == [True] and spent.records is None


def test_who_left_for_good_is_not_said_to_leave_its_card_out():
    given = history(
        orders_of(1, [900, 800]),
        points=dataset("points", customer_id=[1], known=[800], card_id=[1], issued=[4.0], used=[0.0]),
    )
    facts = features.build(given, AS_OF, Policy())
    assert not any(each.holds.any() for each in points.evidence(facts, given, Policy(), TODAY))
    assert points.evidence(facts, without(given, "points"), Policy(), TODAY) == []
