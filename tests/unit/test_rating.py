"""The composite rating and the margin level, by hand and under change."""

import numpy as np
import pandas as pd
import pytest
from companies import company, facts, owing, taken, trade
from conftest import orders_of
from dealings import TODAY, in_currency, shuffled
from hypothesis import given
from hypothesis import strategies as st
from test_labels import buyers

from sync_worker.history.facts import FACTS, empty
from sync_worker.history.schema import History
from sync_worker.policy import RATING_WEIGHTS, Policy
from sync_worker.scoring import conduct, margin_level, rating
from sync_worker.scoring.peers import Peers

POLICY = Policy()


def rated(history, policy=POLICY):
    """The rating, its columns and what compliance and integrity are the mean of, by customer; current value stands
    for the potential one too."""
    built, peers = taken(history, policy)
    value = pd.DataFrame({"current_value": built.table["current_value"], "potential_value": 0.0})
    owed = owing(built, history, policy)
    found = rating.classify(built, history, peers, policy, TODAY, value=value, **owed)
    details = conduct.take(built, history, peers, policy, TODAY, **owed).kept
    ids = built.table["customer_id"]
    return found, found.table.set_index(ids), details.set_index(ids)


def told(found, code):
    return next(each for each in found.evidence if each.code == code)


def standing(*rows):
    """customer, group, tax id, limit"""
    names = ["customer_id", "group_id", "has_tax_id", "credit_limit"]
    return pd.DataFrame(rows, columns=names).assign(blocked=False)


def invoices(*rows):
    return facts("invoices", "invoice_id customer_id known date due amount total", *rows)


def payments(*rows):
    return facts("payments", "payment_id invoice_id customer_id known amount", *rows)


def test_contribution_is_the_percentile_of_value():
    _, table, _ = rated(company(*[orders_of(n, [10], 100.0 * n) for n in range(1, 5)]))
    assert table["rating_contribution"].tolist() == [0.25, 0.5, 0.75, 1]
    assert table["value_percentile"].equals(table["rating_contribution"].rename("value_percentile"))


def test_payment_is_the_share_of_the_money_due_that_came_in_time():
    history = company(
        *[orders_of(n, [10], 100.0) for n in (1, 2, 3)],
        invoices=invoices(
            (11, 1, 90, 90, 60, 1.0, 100.0),  # on the last day of grace
            (12, 1, 90, 90, 60, 1.0, 100.0),  # a day later
            (13, 1, 90, 90, 60, 1.0, 200.0),  # half in time, half never
            (14, 1, 90, 90, 2, 1.0, 900.0),  # still within grace
            (15, 1, 500, 500, 400, 1.0, 900.0),  # before the window
            (16, 1, 90, 90, 60, -1.0, -50.0),  # a credit note
            *((20 + i, 2, 90, 90, 60, 1.0, 10.0) for i in range(3)),
            (31, 3, 90, 90, 60, 1.0, 10.0),  # two are too few to judge
            (32, 3, 90, 90, 60, 1.0, 10.0),
        ),
        payments=payments(
            (1, 11, 1, 57, 100.0),
            (2, 12, 1, 56, 100.0),
            (3, 13, 1, 58, 100.0),
            *((4, 20 + i, 2, 70, 10.0) for i in range(3)),
        ),
    )
    found, _, details = rated(history)
    assert details["payment"].tolist() == pytest.approx([0.5, 1, np.nan], nan_ok=True)
    late = told(found, "pays_late")
    assert late.holds.tolist() == [True, False, False]
    assert late.params["late"][0] == 2 and late.params["invoices"][0] == 3
    assert late.params["days"][0] == np.ceil((100 * 4 + 100 * 2 + 100 * 60) / 300)
    assert sorted(late.records[0].tolist()) == [-1, -1, -1, 12, 13]
    assert told(found, "pays_on_time").holds.tolist() == [False, True, False]
    assert sorted(told(found, "pays_on_time").records[1].tolist()) == [-1, -1, 20, 21, 22]
    assert rated(history, POLICY.replace(payment_grace_days=4))[2].loc[1, "payment"] == pytest.approx(0.75)


def paying(*late):
    """A company whose customers, numbered from 1, each had ten equal invoices, so many of them paid 12 days late."""
    due = [(n * 100 + i, n, 90, 90, 60, 1.0, 50.0) for n in range(1, len(late) + 1) for i in range(10)]
    paid = [
        (invoice, invoice, customer, 48 if invoice % 100 < late[customer - 1] else 60, 50.0)
        for invoice, customer, *_ in due
    ]
    orders = [orders_of(n, [100, 60, 10], 100.0) for n in range(1, len(late) + 1)]
    return company(*orders, invoices=invoices(*due), payments=payments(*paid))


def test_who_is_late_now_and_then_does_not_pay_late():
    evidence = told(rated(paying(0, 0, 1, 2, 3, 9))[0], "pays_late")
    assert evidence.holds.tolist() == [False] * 4 + [True] * 2
    assert [evidence.params[name][4] for name in ("percent", "peers", "late", "invoices", "days")] == [
        pytest.approx(each) for each in (30, 15, 3, 10, 12)
    ]
    # the policy decides what is much, and how late is late
    strict = told(rated(paying(0, 0, 1, 2, 3, 9), POLICY.replace(late_payment_share=0.2))[0], "pays_late")
    assert strict.holds.tolist() == [False] * 3 + [True] * 3
    patient = told(rated(paying(0, 0, 1, 2, 3, 9), POLICY.replace(payment_grace_days=12))[0], "pays_late")
    assert not patient.holds.any()


def test_who_pays_as_late_as_most_of_its_trade_or_later_is_told_so():
    evidence = told(rated(paying(4, 6, 6, 9, 9))[0], "pays_late")
    assert evidence.holds.tolist() == [False, True, True, True, True]
    assert told(rated(paying(5, 5, 5))[0], "pays_late").holds.all()


def test_credit_limit_against_what_is_open():
    history = company(
        *[orders_of(n, [10], 100.0) for n in range(1, 6)],
        customers=standing(
            (1, None, True, 100.0),
            (2, None, True, 100.0),
            (3, None, True, 0.0),
            (4, None, True, None),
            (5, None, True, 50.0),
        ),
        invoices=invoices(
            (1, 1, 9, 9, 5, 1.0, 150.0),
            (2, 1, 8, 8, 4, 1.0, 100.0),
            (3, 1, 7, 7, 7, -1.0, -50.0),  # an open credit note
            (4, 2, 9, 9, 5, 1.0, 100.0),
            (5, 3, 9, 9, 5, 1.0, 999.0),
            (6, 4, 9, 9, 5, 1.0, 999.0),
        ),
        payments=payments((1, 4, 2, 5, 1.0)),
    )
    found, table, details = rated(history)
    assert details["credit_limit"].tolist() == pytest.approx([0.5, 1, np.nan, np.nan, 1], nan_ok=True)
    assert table["rating_compliance"].tolist() == pytest.approx([0.75, 1, 1, 1, 1])
    exceeded = told(found, "credit_limit_exceeded")
    assert exceeded.holds.tolist() == [True, False, False, False, False]
    assert exceeded.params["open"][0] == 200 and exceeded.params["limit"][0] == 100
    assert exceeded.records[0].tolist()[:3] == [2, 1, -1]


def test_a_tax_id_is_missed_where_most_peers_have_one_only():
    orders = [orders_of(n, [10], 100.0) for n in range(1, 5)]
    most = standing(*((n, None, n < 4, None) for n in range(1, 5)))
    found, table, details = rated(company(*orders, customers=most))
    assert details["tax_id"].tolist() == [1, 1, 1, 0]
    assert table["rating_compliance"].tolist() == [1, 1, 1, 0]
    assert told(found, "no_tax_id").holds.tolist() == [False, False, False, True]
    assert told(found, "no_tax_id").params["percent"][3] == 75
    few = standing(*((n, None, n < 2, None) for n in range(1, 5)))
    found, table, details = rated(company(*orders, customers=few))
    assert details["tax_id"].isna().all() and table["rating_compliance"].isna().all()
    assert not told(found, "no_tax_id").holds.any() and "tax_id" in found.lacks


def test_a_tax_id_nobody_told_of_is_not_missed():
    orders = [orders_of(n, [10], 100.0) for n in range(1, 6)]  # the fifth is known from its order alone
    most = standing(*((n, None, True if n < 4 else None, None) for n in range(1, 5)))
    found, table, details = rated(company(*orders, customers=most))
    assert details["tax_id"].tolist() == pytest.approx([1, 1, 1, np.nan, np.nan], nan_ok=True)
    assert table["rating_compliance"].isna().tolist() == [False] * 3 + [True] * 2
    assert not told(found, "no_tax_id").holds.any() and "tax_id" not in found.lacks


def test_integrity_is_the_mean_of_what_is_known():
    history = company(
        orders_of(1, [100, 70, 40], 100.0),
        orders_of(1, [30], -60.0),
        orders_of(2, [100, 70, 40], 100.0),
        orders_of(3, [40], 100.0),
        quotations=facts(
            "quotations",
            "quotation_id customer_id known outcome",
            (91, 1, 50, "cancelled"),
            (92, 1, 60, "cancelled"),
            (93, 1, 60, "open"),
            (94, 1, 400, "cancelled"),  # before the window
            (95, 3, 60, "cancelled"),
        ),
    )
    found, table, details = rated(history)
    assert details["offers"].tolist() == pytest.approx([3 / 5, 1, np.nan], nan_ok=True)
    assert details["goods"].tolist() == pytest.approx([0.8, 1, np.nan], nan_ok=True)
    assert table["rating_integrity"].tolist() == pytest.approx([0.7, 1, np.nan], nan_ok=True)
    cancels = told(found, "cancels_quotations")
    assert cancels.holds.tolist() == [True, False, False]
    assert cancels.records[0].tolist() == [91, 92, -1, -1, -1]
    assert [cancels.params[name][0] for name in ("cancelled", "orders")] == [2, 3]
    back = told(found, "returns_often")
    assert back.holds.tolist() == [True, False, False]
    assert back.params["percent"][0] == pytest.approx(20) and back.params["peers"][0] == pytest.approx(10)


def test_influence_counts_branches_and_the_share_of_the_format():
    history = company(
        *[orders_of(n, [10], amount) for n, amount in ((1, 100.0), (2, 300.0), (3, 350.0), (4, 250.0))],
        customers=standing(*((n, 1 if n < 3 else None, True, None) for n in range(1, 5))),
    )
    found, table, _ = rated(history)
    # shares: the group of 1 and 2 has 40 %, 3 has 35, 4 has 25; branches: 2, 2, 1, 1
    assert table["rating_influence"].tolist() == pytest.approx(
        [(3.5 / 4 + 3.5 / 4) / 2, (3.5 / 4 + 3.5 / 4) / 2, (2 / 4 + 1.5 / 4) / 2, (1 / 4 + 1.5 / 4) / 2]
    )
    group = told(found, "group_of_branches")
    assert group.holds.tolist() == [True, True, False, False]
    assert group.params["branches"][0] == 2 and group.records[0].tolist() == [2, 1, -1, -1, -1]
    assert told(found, "share_of_format").params["percent"].tolist() == [40, 40, 35, 25]
    assert found.lacks[-1] == "referrals" and "branches" not in found.lacks
    alone = company(*[orders_of(n, [10], 100.0 * n) for n in (1, 2)])
    found, table, _ = rated(alone)
    assert table["rating_influence"].tolist() == [0.5, 1] and "branches" in found.lacks


def test_the_share_of_a_group_is_of_the_format_of_the_branch():
    customers = standing((1, 1, True, None), (2, 1, True, None), (3, None, True, None)).assign(
        format_id=pd.array([5, pd.NA, 5], dtype="Int64")
    )
    history = company(*[orders_of(n, [10], 100.0) for n in (1, 2, 3)], customers=customers)
    found, _, _ = rated(history)
    assert told(found, "share_of_format").params["percent"].tolist() == [50, 100, 50]


def test_the_composite_rating_is_weighted_over_what_is_known():
    orders = [orders_of(n, [10], 100.0 * n) for n in range(1, 5)]
    customers = standing(*((n, None, n < 4, None) for n in range(1, 5)))
    weights = dict(zip(RATING_WEIGHTS, (0.6, 0.2, 1.0, 0.0), strict=True))
    _, table, _ = rated(company(*orders, customers=customers), POLICY.replace(**weights))
    assert table["rating_integrity"].isna().all()  # one order tells nothing of it
    expected = [
        100 * (0.6 * share + 0.2 * kept) / 0.8 for share, kept in ((0.25, 1), (0.5, 1), (0.75, 1), (1, 0))
    ]
    assert table["composite_rating"].tolist() == pytest.approx(expected)
    only = POLICY.replace(**dict.fromkeys(RATING_WEIGHTS, 0) | {"rating_weight_integrity": 1})
    _, table, _ = rated(company(*orders, customers=customers), only)
    assert table["composite_rating"].isna().all()


def test_ratings_keep_their_bounds_and_do_not_depend_on_rows_or_currency():
    history = trade()
    found, table, details = rated(history)
    for columns in (table.drop(columns="composite_rating"), details):
        assert columns.stack().dropna().between(0, 1).all()
    assert table["composite_rating"].between(0, 100).all()
    assert details.notna().any().all() and found.lacks == ["referrals"]
    mixed, mixed_table, _ = rated(shuffled(history))
    pd.testing.assert_frame_equal(mixed_table, table)
    yen, yen_table, _ = rated(in_currency(history, 160.0))
    pd.testing.assert_frame_equal(yen_table, table)
    for one, other, third in zip(found.evidence, mixed.evidence, yen.evidence, strict=True):
        assert (one.holds == other.holds).all() and (one.holds == third.holds).all()
        if one.records is not None:
            assert (one.records == other.records).all()
    assert {each.code for each in found.evidence} == set(rating.SENTENCES)
    for each in found.evidence:
        assert rating.SENTENCES[each.code].format_map({name: 7 for name in each.params})


def test_records_are_the_customers_own():
    history = trade()
    found, _, _ = rated(history)
    built, _ = taken(history)
    owner = {
        "pays_late": history.facts["invoices"].set_index("invoice_id")["customer_id"],
        "credit_limit_exceeded": history.facts["invoices"].set_index("invoice_id")["customer_id"],
        "cancels_quotations": history.facts["quotations"].set_index("quotation_id")["customer_id"],
        "returns_often": history.orders.set_index("order_id")["customer_id"],
    }
    for code, owners in owner.items():
        evidence = told(found, code)
        for row in np.flatnonzero(evidence.holds):
            ids = evidence.records[row][evidence.records[row] >= 0]
            assert len(ids) and set(owners[ids]) == {built.table["customer_id"][row]}


@pytest.mark.parametrize("missing", ["invoices", "payments", "deliveries", "quotations", "standing"])
def test_a_missing_dataset_leaves_scores_empty_and_never_bad(missing):
    history = trade()
    kept = {name: table for name, table in history.facts.items() if name != missing}
    customers = history.customers
    if missing == "standing":
        customers = customers[["customer_id", "format", "first_seen", "archived"]]
    gone = {
        "invoices": ["credit_limit", "payment"],
        "payments": ["credit_limit", "payment"],
        "quotations": ["offers"],
        "standing": ["tax_id", "credit_limit"],
    }.get(missing, [])
    _, _, whole = rated(history)
    facts_left = [kept] if missing == "standing" else [kept, kept | {missing: empty(FACTS[missing])}]
    for less in facts_left:
        found, table, details = rated(History(history.orders, customers=customers, facts=less))
        assert details[gone].isna().all().all()
        assert set(gone) <= set(found.lacks) and table["composite_rating"].notna().all()
        others = [
            name for name in details if name not in gone and (name != "goods" or missing != "deliveries")
        ]
        pd.testing.assert_frame_equal(details[others], whole[others])


def test_paying_another_invoice_late_never_raises_the_rating():
    base = [(n * 10 + i, n, 90, 90, 60, 1.0, 50.0) for n in (1, 2) for i in range(4)]
    paid = [(i, invoice, customer, 65, 50.0) for i, (invoice, customer, *_) in enumerate(base)]
    orders = [orders_of(n, [100, 60, 10], 100.0) for n in (1, 2)]
    _, before, _ = rated(company(*orders, invoices=invoices(*base), payments=payments(*paid)))
    more = invoices(*base, (99, 2, 90, 90, 60, 1.0, 10.0))
    _, after, _ = rated(company(*orders, invoices=more, payments=payments(*paid)))
    assert after.loc[2, "composite_rating"] < before.loc[2, "composite_rating"]
    assert after.loc[2, "rating_integrity"] == pytest.approx(200 / 210)
    assert after.loc[1].equals(before.loc[1])


def margins(margin, revenue, orders=2, formats=None):
    table = buyers(known_margin=margin, known_revenue=revenue, known_orders=orders)
    table["format"] = formats if formats is not None else table["format"]
    level, evidence = margin_level.classify(table, Peers(table["format"], POLICY))
    return np.where(level.isna(), None, level.astype(object)), evidence


def test_margin_level_against_the_median_of_peers():
    level, (above, below) = margins(
        [10.0, 20, 30, 99, -5, np.nan], [100.0, 100, 100, 100, 0, 0], [2, 2, 2, 1, 3, 0]
    )
    # one sale, no sales and none with a known margin are not judged
    assert level.tolist() == ["low", "high", "high", None, None, None]
    assert (
        below.holds.tolist() == [True] + [False] * 5
        and above.holds.tolist() == [False, True, True] + [False] * 3
    )
    assert [below.params[name][0] for name in ("percent", "peers")] == pytest.approx([10, 20])
    for evidence in (above, below):
        assert margin_level.SENTENCES[evidence.code].format_map({name: 7 for name in evidence.params})


def test_equal_margins_are_neither_high_nor_low_and_peers_decide():
    assert margins([0.1 * 3, 0.3], [1.0, 1.0])[0].tolist() == [None, None]
    assert margins([-10.0, -20.0], [100.0, 100.0])[0].tolist() == ["high", "low"]
    formats = ["shop"] * 30 + ["wholesale"] * 30
    level, _ = margins([5.0] * 29 + [6.0] + [50.0] * 29 + [40.0], [100.0] * 60, 2, formats)
    assert level[29] == "high" and level[59] == "low"


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30), st.randoms())
def test_margin_level_is_the_same_in_any_order_and_currency(rates, random):
    margin = np.array(rates)
    level, _ = margins(margin, np.full(len(margin), 100.0))
    scaled, _ = margins(margin * 160, np.full(len(margin), 16000.0))
    assert scaled.tolist() == level.tolist()
    order = random.sample(range(len(margin)), len(margin))
    mixed, _ = margins(margin[order], np.full(len(margin), 100.0))
    assert mixed.tolist() == level[order].tolist()
    known = [each for each in level if each]
    assert not known or {"high"} <= set(known)
