"""Net value by hand, and beside a day-by-day account."""

import numpy as np
import pandas as pd
import pytest
from companies import company, facts, owing, taken, trade
from conftest import orders_of
from dealings import TODAY, in_currency, shuffled
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_worker.history.facts import FACTS, empty
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import net_value, receivables, returns

PRICED = Policy().replace(activity_cost=20.0, message_cost=2.0, financing_rate=0.1, return_cost_share=0.1)


def found(history, policy=PRICED):
    built, _ = taken(history, policy)
    contacts = net_value.contacts(history, built.table, policy, TODAY)
    result = net_value.classify(built, policy, TODAY, contacts=contacts, **owing(built, history, policy))
    return result, result.table.set_index(built.table["customer_id"])


def invoices(*rows):
    return facts("invoices", "invoice_id customer_id known date due amount total", *rows)


def payments(*rows):
    return facts("payments", "payment_id invoice_id customer_id known amount", *rows)


def test_net_value_is_the_margin_less_what_it_costs_to_serve():
    history = company(
        orders_of(1, [400, 200, 100], 1000.0, 300.0),
        orders_of(1, [90], -200.0, -60.0),
        orders_of(2, [50], 1000.0, 300.0),
        # 1200 for 73 days after the due day at a tenth a year: 24
        invoices=invoices((7, 1, 203, 203, 173, 1000.0, 1200.0)),
        payments=payments((1, 7, 1, 100, 1200.0)),
        activities=facts("activities", "customer_id known", (1, 10), (1, 20), (1, 365), (2, 30), (9, 3)),
        messages=facts("messages", "customer_id known", (1, 10), (1, 11), (1, 12)),
    )
    result, table = found(history)
    one = table.loc[1]
    assert one[["returns_cost", "overdue_cost", "contact_cost"]].tolist() == pytest.approx([20, 24, 46])
    assert one["cost_to_serve"] == pytest.approx(90)
    assert one["net_value"] == pytest.approx(300 + 300 - 60 - 90)
    assert table.loc[2, ["cost_to_serve", "net_value"]].tolist() == pytest.approx([20, 280])
    assert result.lacks == []


def test_a_discount_is_in_the_margin_and_not_counted_again():
    lines = pd.DataFrame({"order_id": [1], "product_id": [5], "amount": [80.0], "discount": [20.0]})
    _, with_discount = found(company(orders_of(1, [10], 80.0, 30.0), lines=lines))
    assert with_discount.loc[1, "net_value"] == 30


def test_net_value_is_unknown_where_a_margin_is_and_the_cost_is_told_all_the_same():
    history = company(
        orders_of(1, [50], 100.0, 40.0),
        orders_of(1, [30], 50.0),  # these two without a margin cancel each other out in sales
        orders_of(1, [20], -50.0),
        orders_of(2, [400], 100.0, 40.0),  # nothing in the window
        orders_of(3, [400, 20], 100.0, [np.nan, 40.0]),  # unknown, but long ago
        activities=facts("activities", "customer_id known", (1, 10), (2, 10)),
    )
    _, table = found(history)
    assert table["net_value"].tolist() == pytest.approx([np.nan, np.nan, 40.0], nan_ok=True)
    assert table["cost_to_serve"].tolist() == pytest.approx([25, 20, 0])


def test_overdue_money_is_counted_by_balance_and_day_within_the_window():
    owed = receivables.take(
        company(
            orders_of(1, [1], 1.0),
            invoices=invoices(
                (1, 1, 500, 500, 400, 1.0, 100.0),  # paid in two parts, one before the window, one in it
                (2, 1, 60, 60, 30, 1.0, 50.0),  # open
                (3, 1, 60, 60, -10, 1.0, 50.0),  # not due yet
                (4, 1, 90, 90, None, 1.0, 10.0),  # due when it was made
                (5, 1, 90, 90, 90, -1.0, -80.0),  # an open credit note
                (6, 1, 90, 90, 80, 1.0, 40.0),  # paid before it was due
                (7, 1, 90, 90, 80, 1.0, 40.0),  # paid twice
            ),
            payments=payments(
                (1, 1, 1, 370, 30.0),
                (2, 1, 1, 345, 70.0),
                (3, 6, 1, 85, 40.0),
                (4, 7, 1, 75, 40.0),
                (5, 7, 1, 60, 40.0),
                (6, 99, 1, 60, 40.0),  # of an invoice that is not known
            ),
        ),
        pd.Series([1]),
    )
    assert owed.invoice_id.tolist() == [1, 2, 3, 4, 5, 6, 7]
    since = np.full(7, TODAY - 365.0)
    assert owed.overdue_days(since, TODAY).tolist() == [70 * 20, 50 * 30, 0, 10 * 90, 0, 0, 40 * 5]
    assert owed.open(TODAY).tolist() == [0, 50, 50, 10, -80, 0, 0]
    assert owed.open(TODAY - 350).tolist() == [70, 50, 50, 10, -80, 40, 40]


def test_payments_of_nobody_s_invoices_leave_all_of_them_unpaid():
    owed = receivables.take(
        company(
            orders_of(1, [1], 1.0),
            invoices=invoices((1, 1, 60, 60, 30, 1.0, 50.0)),
            payments=payments((1, 99, 1, 20, 50.0)),
        ),
        pd.Series([1]),
    )
    assert owed.open(TODAY).tolist() == [50]
    assert owed.overdue_days(np.array([TODAY - 365.0]), TODAY).tolist() == [50 * 30]


amounts = st.integers(1, 5)
settled = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), amounts), max_size=12)


@settings(max_examples=80)
@given(st.lists(st.tuples(st.integers(0, 60), amounts), min_size=1, max_size=4), settled, st.integers(1, 60))
def test_overdue_money_is_what_an_account_of_every_day_gives(billed, paid, window):
    owed = receivables.take(
        company(
            orders_of(1, [1], 1.0),
            invoices=invoices(*((i, 1, 60, 60, due, 1.0, total) for i, (due, total) in enumerate(billed))),
            payments=payments((0, 0, 1, 60, 0.0), *((9, i, 1, day, amount) for i, day, amount in paid)),
        ),
        pd.Series([1]),
    )
    expected = []
    for invoice, (due, total) in enumerate(billed):
        money_days = 0
        for day in range(min(due, window) - 1, -1, -1):  # days ago, the due day itself is not late
            # what was paid on a day is not owed on it from its end; late money counts until the day it came
            until = sum(a for i, d, a in paid if i == invoice and d > day)
            money_days += max(total - until, 0)
        expected.append(money_days)
    got = owed.overdue_days(np.full(len(billed), TODAY - float(window)), TODAY)
    assert got.tolist() == pytest.approx(expected)


def test_what_came_back_counts_once_though_two_documents_tell_of_it():
    history = company(
        orders_of(1, [100], 1000.0),  # order 1: a quarter of it came back, seen twice
        orders_of(1, [60], -250.0),
        orders_of(2, [100], 600.0),  # order 3: half came back, seen as goods only
        orders_of(3, [500, 100], 600.0),  # order 4: came back before the window
        deliveries=facts(
            "deliveries",
            "delivery_id order_id customer_id known delivered is_return",
            (1, 1, 1, 95, 20.0, False),
            (2, 1, 1, 92, 20.0, False),
            (3, 1, 1, 60, 10.0, True),
            (4, 3, 2, 95, 8.0, False),
            (5, 3, 2, 90, 4.0, True),
            (6, 4, 3, 490, 8.0, False),
            (7, 4, 3, 480, 8.0, True),
            (8, None, 3, 80, 8.0, True),  # of no order: its value is not known
            (9, 5, 3, 80, 8.0, True),  # never sent
        ),
    )
    built, _ = taken(history)
    back = returns.take(built, history, PRICED, TODAY)
    assert back.value.tolist() == [250, 300, 0]
    assert back.share.tolist() == pytest.approx([0.25, 0.5, 0])
    assert [[i for i in ids if i >= 0] for ids in back.orders.tolist()] == [[2, 1], [3], []]


def test_goods_come_back_to_an_order_though_sales_are_counted_from_invoices():
    """Ids of orders and invoices clash: invoice 3 is of customer 1, order 3 of customer 2."""
    history = company(
        orders_of(1, [100], 1000.0),  # invoice 1
        orders_of(1, [60], -250.0),  # credit note 2
        orders_of(1, [50], 5000.0),  # invoice 3
        orders_of(2, [99], 600.0),  # invoice 4
        deliveries=facts(
            "deliveries",
            "delivery_id order_id customer_id known delivered is_return",
            (1, 2, 1, 95, 20.0, False),
            (2, 2, 1, 60, 6.0, True),  # of order 2: 300 of 1,000; the credit note says 250
            (3, 3, 2, 95, 8.0, False),
            (4, 3, 2, 90, 4.0, True),  # of order 3: half of 500; no credit note yet
        ),
        order_details=facts(
            "order_details", "order_id customer_id known quoted", (2, 1, 100, 1000.0), (3, 2, 99, 500.0)
        ),
    )
    built, _ = taken(history)
    policy = PRICED.replace(sales_basis=1)
    back = returns.take(built, history, policy, TODAY)
    assert back.value.tolist() == [300, 250]
    assert back.share.tolist() == pytest.approx([300 / 6000, 250 / 600])
    # only invoices are opened, and goods came back to an order
    assert [[i for i in ids if i >= 0] for ids in back.orders.tolist()] == [[2], []]
    del history.facts["order_details"]
    assert returns.take(built, history, policy, TODAY).value.tolist() == [250, 0]


def test_without_a_sign_of_returns_they_are_not_known():
    for history in (
        company(orders_of(1, [10], 100.0)),
        company(orders_of(1, [10], 100.0), deliveries=empty(FACTS["deliveries"])),
    ):
        built, _ = taken(history)
        back = returns.take(built, history, PRICED, TODAY)
        assert np.isnan(back.value).all() and np.isnan(back.share).all()
        result, table = found(history)
        assert result.lacks == ["returns", "overdue", "activities", "messages"]
        assert table.loc[1, ["cost_to_serve", "net_value"]].isna().all()
    free, _ = found(history, Policy())
    assert free.lacks == ["returns", "overdue"]  # what costs nothing is not missed


@pytest.mark.parametrize("missing", ["invoices", "payments", "deliveries", "activities", "messages"])
def test_a_missing_dataset_makes_its_part_unknown_and_no_other(missing):
    history = trade()
    part = {"deliveries": None, "invoices": "overdue_cost", "payments": "overdue_cost"}.get(
        missing, "contact_cost"
    )
    kept = {name: table for name, table in history.facts.items() if name != missing}
    _, whole = found(history)
    for less in (kept, kept | {missing: empty(FACTS[missing])}):
        result, table = found(History(history.orders, customers=history.customers, facts=less))
        others = [name for name in ("returns_cost", "overdue_cost", "contact_cost") if name != part]
        if missing == "deliveries":  # returns of a negative amount are known from the orders
            assert (table["returns_cost"] <= whole["returns_cost"] + 1e-9).all() and result.lacks == []
            others.remove("returns_cost")
        pd.testing.assert_frame_equal(table[others], whole[others])
        if part == "overdue_cost":
            assert table[part].isna().all() and result.lacks == ["overdue"]
        elif part and less is kept:
            assert (table[part] < whole[part]).any() and result.lacks == [missing]
        parts = table[["returns_cost", "overdue_cost", "contact_cost"]]
        assert table["cost_to_serve"].to_numpy() == pytest.approx(parts.sum(axis=1).to_numpy())


def test_order_of_rows_and_currency_make_no_difference():
    history = trade()
    _, table = found(history)
    assert table["net_value"].notna().any() and table["cost_to_serve"].gt(0).all()
    pd.testing.assert_frame_equal(found(shuffled(history))[1], table)
    result, first = found(history, Policy())
    scaled, second = found(in_currency(history, 160.0), Policy())
    pd.testing.assert_frame_equal(second / 160, first)
    for before, after in zip(result.evidence, scaled.evidence, strict=True):
        assert (before.holds == after.holds).all()


def test_evidence_names_the_records_of_a_noticeable_cost():
    history = company(
        orders_of(1, [100, 50], 1000.0, 300.0),  # orders 1, 2
        orders_of(1, [40], -500.0, -150.0),  # order 3
        orders_of(2, [30], 1000.0, 300.0),
        invoices=invoices(
            (7, 1, 90, 90, 60, 1.0, 1200.0), (8, 1, 40, 40, 20, 1.0, 600.0), (9, 2, 20, 20, -5, 1.0, 9.0)
        ),
        payments=payments((1, 7, 1, 50, 1200.0)),
        activities=facts("activities", "customer_id known", *[(1, 5)] * 3),
    )
    result, table = found(history)
    told = {e.code: e for e in result.evidence}
    assert set(told) == set(net_value.SENTENCES)
    assert told["returns_cost"].holds.tolist() == [True, False]
    assert told["returns_cost"].records[0].tolist() == [3, -1, -1, -1, -1]
    assert told["returns_cost"].params["amount"][0] == pytest.approx(50)
    # 1200 for 10 days, 600 for 20: 24,000 money-days; 6.6 of 1,500 is under one in a hundred
    assert table.loc[1, "overdue_cost"] == pytest.approx(24_000 * 0.1 / 365)
    assert not told["overdue_cost"].holds[0]
    dear, _ = found(history, PRICED.replace(financing_rate=0.5))
    late = {e.code: e for e in dear.evidence}["overdue_cost"]
    assert late.holds.tolist() == [True, False]
    assert late.records[0].tolist() == [8, 7, -1, -1, -1] and late.params["invoices"][0] == 2
    contact = told["contact_cost"]
    assert contact.holds[0] and contact.params["contacts"][0] == 3 and contact.records is None
    for code, evidence in told.items():
        assert net_value.SENTENCES[code].format_map({name: 7 for name in evidence.params})


def test_contacts_that_cost_nothing_are_not_said_to_cost():
    history = company(
        orders_of(1, [100], 100.0, 30.0),
        activities=facts("activities", "customer_id known", *[(1, 5)] * 3),
        messages=facts("messages", "customer_id known", *[(1, 6)] * 4),
    )
    for prices, contacts in (({"message_cost": 0.0}, 3), ({"activity_cost": 0.0}, 4), ({}, 7)):
        told = {each.code: each for each in found(history, PRICED.replace(**prices))[0].evidence}
        assert told["contact_cost"].holds[0] and told["contact_cost"].params["contacts"][0] == contacts


def test_text_ids_have_no_records():
    history = trade(10)
    orders = history.orders.assign(customer_id=history.orders["customer_id"].astype(str))
    orders["order_id"] = "o" + orders["order_id"].astype(str)
    invoiced = history.facts["invoices"].assign(
        invoice_id=lambda table: "i" + table["invoice_id"].astype(str),
        customer_id=lambda table: table["customer_id"].astype(str),
    )
    paid = history.facts["payments"].assign(
        invoice_id=lambda table: "i" + table["invoice_id"].astype(str),
        customer_id=lambda table: table["customer_id"].astype(str),
    )
    result, table = found(History(orders, facts={"invoices": invoiced, "payments": paid}))
    assert [each.records for each in result.evidence] == [None] * 3
    assert table["overdue_cost"].sum() > 0


def test_more_overdue_money_never_costs_less():
    base = [(i, 1 + i % 3, 100, 100, 90 - i, 1.0, 50.0 + i) for i in range(9)]
    orders = [orders_of(customer, [10], 100.0, 30.0) for customer in (1, 2, 3)]
    paid = payments((1, 0, 1, 80, 10.0))
    _, before = found(company(*orders, invoices=invoices(*base), payments=paid))
    _, after = found(company(*orders, invoices=invoices(*base, (99, 2, 50, 50, 40, 1.0, 5.0)), payments=paid))
    assert after.loc[2, "overdue_cost"] == pytest.approx(before.loc[2, "overdue_cost"] + 5 * 40 * 0.1 / 365)
    assert after.loc[2, "net_value"] < before.loc[2, "net_value"]
    assert after.drop(2).equals(before.drop(2))


def test_customers_with_returns_only_are_no_buyers():
    history = company(
        orders_of(1, [10], 100.0, 30.0),
        orders_of(2, [10], -100.0, -30.0),
        messages=facts("messages", "customer_id known", (2, 3)),
    )
    _, table = found(history)
    assert table.index.tolist() == [1] and table.loc[1, "cost_to_serve"] == 0
