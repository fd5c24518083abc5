import numpy as np
import pytest
from conftest import history_of, orders_of
from dealings import TODAY, dataset, taken
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_worker.policy import Policy
from sync_worker.scoring import promises


def dealt(deliveries=(), details=(), customers=(1, 2)):
    """A history with deliveries `(customer, order, done, promised, demanded, delivered, is_return)` and order details
    `(customer, order, known, salesperson, quoted, invoiced)`."""
    history = history_of(*(orders_of(each, [400, 10]) for each in customers))
    for name, rows, columns in (
        (
            "deliveries",
            deliveries,
            ("customer_id", "order_id", "known", "promised", "demanded", "delivered", "is_return"),
        ),
        (
            "order_details",
            details,
            ("customer_id", "order_id", "known", "salesperson_id", "quoted", "invoiced"),
        ),
    ):
        if rows:
            values = [list(column) for column in zip(*rows, strict=True)]
            history.facts[name] = dataset(name, **dict(zip(columns, values, strict=True)))
    return history


def judged(history, policy=None):
    facts, _, policy, *_ = taken(history, policy)
    return promises.classify(facts, history, policy, TODAY)


def counts(found, row=0):
    """What the evidence counts of one customer: promises, and those broken by kind that is known."""
    told = {each.code: each.params for each in found.evidence}
    names = {"late_deliveries": "late", "short_deliveries": "short", "invoiced_above_quoted": "orders"}
    broken = {name: told[code][name][row] for code, name in names.items() if code in told}
    return {"promises": told["promises_kept"]["promises"][row], **broken}


GOOD = (1, 11, 10, 10, 5, 5, False)


def test_each_kind_of_promise_counts_once():
    history = dealt(
        [
            GOOD,
            (1, 12, 20, 22, 5, 5, False),  # two days late
            (1, 13, 30, 30, 5, 4, False),  # short
            (1, 14, 40, 45, 5, 4, True),  # a return promises nothing
            (1, 15, 500, 510, 5, 1, False),  # before the window
        ],
        [
            (1, 11, 10, 7, 100.0, 100.4),
            (1, 12, 20, 7, 100.0, 101.0),
            (1, 13, 30, 8, 100.0, 0.0),
        ],
    )
    found = judged(history)
    # six promises of deliveries (three of a day, three of a quantity) and two of a price: three broken
    assert counts(found) == {"promises": 8, "late": 1, "short": 1, "orders": 1}
    assert found.table["promise_kept"].tolist() == pytest.approx([5 / 8, np.nan], nan_ok=True)
    assert counts(found, 1)["promises"] == 0
    told = {each.code: each for each in found.evidence}
    late = told["late_deliveries"]
    assert late.holds.tolist() == [True, False]
    assert [late.params[name][0] for name in ("late", "deliveries", "days")] == [1, 3, 2]
    assert late.records[0].tolist() == [2, -1, -1, -1, -1]
    assert told["short_deliveries"].records[0, 0] == 3
    assert told["invoiced_above_quoted"].records[0, 0] == 12
    assert not told["promises_kept"].holds.any()


def test_grace_and_the_other_side_not_known():
    late = dealt([GOOD, (1, 12, 20, 22, 5, 5, False), (1, 13, 30, np.nan, np.nan, 2, False)])
    assert judged(late).table["promise_kept"][0] == 3 / 4
    assert judged(late, Policy().replace(late_grace_days=2)).table["promise_kept"][0] == 1
    assert counts(judged(late))["promises"] == 4


def test_few_promises_give_no_share():
    found = judged(dealt([GOOD]))
    assert np.isnan(found.table["promise_kept"][0]) and counts(found)["promises"] == 2
    assert found.lacks == ["order_details"]
    kept = judged(dealt([GOOD, (1, 12, 9, 9, 1, 1, False)]))
    assert {each.code for each in kept.evidence if each.holds[0]} == {"promises_kept"}


def test_of_kinds_not_known_there_are_no_counts():
    prices = [(1, each, 10, 7, 100.0, 100.0) for each in (11, 12, 13)]
    found = judged(dealt((), prices))
    assert found.table["promise_kept"][0] == 1 and counts(found) == {"promises": 3, "orders": 0}
    (person,) = found.salespeople
    assert (person["late"], person["short"], person["overcharged"], person["share"]) == (None, None, 0, 1)
    told = next(each.code for each in found.evidence if each.holds[0])
    assert promises.SENTENCES[told].format(promises=3) == "All 3 promises kept"
    assert counts(judged(dealt([GOOD]))) == {"promises": 2, "late": 0, "short": 0}


def test_without_datasets_nothing_is_known():
    found = judged(dealt())
    assert found.table.isna().all(axis=None)
    assert found.salespeople == [] and found.lacks == ["deliveries", "order_details"]
    assert not any(each.holds.any() for each in found.evidence)


def test_salespeople_are_told_by_the_orders_they_sold():
    history = dealt(
        [GOOD, (2, 12, 20, 22, 5, 4, False), (2, 99, 1, 1, 1, 1, False)],
        [(1, 11, 10, 7, 100.0, 100.0), (2, 12, 20, 8, 100.0, 100.0), (2, 13, 20, None, 10.0, 20.0)],
    )
    found = judged(history).salespeople
    assert found == [
        {
            "salesperson_id": 7,
            "promises": 3,
            "late": 0,
            "short": 0,
            "overcharged": 0,
            "kept": 3,
            "share": 1.0,
            "delivery_ids": [],
            "order_ids": [],
        },
        {
            "salesperson_id": 8,
            "promises": 3,
            "late": 1,
            "short": 1,
            "overcharged": 0,
            "kept": 1,
            "share": 0.3333,
            "delivery_ids": [2],  # late and short, and named once
            "order_ids": [],
        },
    ]


def test_broken_promises_are_named_the_newest_first_and_not_all():
    late = [(1, 11, days, days + 1, 1, 1, False) for days in range(150, 0, -1)]
    prices = [(1, 11, 10, 7, 100.0, 100.0), (1, 13, 30, 7, 10.0, 20.0), (1, 14, 20, 7, 10.0, 20.0)]
    (person,) = judged(dealt(late, prices)).salespeople
    assert person["late"] == 150
    assert person["delivery_ids"] == list(range(150, 50, -1))
    assert person["order_ids"] == [14, 13]
    assert all(type(each) is int for each in person["delivery_ids"])  # as JSON needs it


delivery = st.tuples(
    st.integers(1, 2),
    st.integers(1, 9),
    st.integers(0, 500),
    st.integers(0, 500),
    st.integers(0, 5),
    st.integers(0, 5),
    st.booleans(),
)


@settings(max_examples=40)
@given(st.lists(delivery, min_size=1, max_size=25))
def test_counts_are_those_of_looking_at_each_delivery(deliveries):
    found = judged(dealt(deliveries))
    for row, customer in enumerate((1, 2)):
        own = [d for d in deliveries if d[0] == customer and not d[6] and d[2] < 365]
        late = sum(promised > known for _, _, known, promised, *_ in own)
        counted = [d for d in own if d[4] > 0]
        short = sum(d[5] < d[4] for d in counted)
        total = len(own) + len(counted)
        assert counts(found, row) == {"promises": total, "late": late, "short": short}
        share = (total - late - short) / total if total >= 3 else np.nan
        assert found.table["promise_kept"][row] == pytest.approx(share, nan_ok=True)


def test_text_ids_of_salespeople_are_kept():
    history = dealt([GOOD], [(1, 11, 10, "s7", 100.0, 100.0)])
    assert [each["salesperson_id"] for each in judged(history).salespeople] == ["s7"]
    assert type(judged(history).salespeople[0]["promises"]) is int  # as JSON needs it
