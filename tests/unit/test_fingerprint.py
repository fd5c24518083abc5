"""Whether a past is what it was is told by what was sold when, and by nothing else."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_worker.history.fingerprint import differing, fingerprint
from sync_worker.history.schema import History

UNTIL = pd.Timestamp("2026-06-29")
sales = st.lists(
    st.tuples(st.integers(1, 5), st.integers(0, 400), st.integers(-5_000, 500_000)), min_size=1, max_size=40
)


def company(rows, decimals=2, margins=None):
    """A history of (customer, days before `UNTIL`, amount in the smallest unit); customers 1 to 6 are known."""
    orders = pd.DataFrame(rows, columns=["customer_id", "ago", "units"])
    table = pd.DataFrame(
        {
            "order_id": np.arange(len(orders)) + 1,
            "customer_id": orders["customer_id"],
            "date": UNTIL - pd.to_timedelta(orders["ago"], unit="D"),
            "amount": orders["units"] / 10**decimals,
            "margin": margins,
        }
    )
    return History(table, customers=pd.DataFrame({"customer_id": range(1, 7)}))


def changed(before, now, decimals=2):
    found = [fingerprint(history, UNTIL, decimals) for history in (before, now)]
    return differing(*found).tolist()


@given(sales, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_their_numbers_tell_nothing(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert changed(company(rows), company(shuffled)) == []
    mixed = company(rows)
    mixed = replace(mixed, customers=mixed.customers.sample(frac=1, random_state=1))
    assert changed(company(rows), mixed) == []


@given(sales)
def test_neither_does_the_scale_of_the_currency_nor_what_is_lost_in_adding_up(rows):
    cents, yen = fingerprint(company(rows), UNTIL, 2), fingerprint(company(rows, 0), UNTIL, 0)
    assert cents.equals(yen)
    noisy = company(rows)
    noisy.orders["amount"] *= 1 + 1e-12
    assert changed(company(rows), noisy) == []


@given(sales, st.data())
def test_one_changed_sale_is_told_of_its_customer_and_of_nobody_else(rows, data):
    at = data.draw(st.integers(0, len(rows) - 1))
    customer, ago, units = rows[at]
    for other in (
        [*rows[:at], *rows[at + 1 :]],
        [*rows, (customer, ago, units)],
        [*rows[:at], (customer, ago, units + 1), *rows[at + 1 :]],
        [*rows[:at], (customer, ago + 1, units), *rows[at + 1 :]],
    ):
        assert changed(company(rows), company(other)) == [customer]
    moved = [*rows[:at], (6, ago, units), *rows[at + 1 :]]
    assert changed(company(rows), company(moved)) == [customer, 6]


def test_sales_that_change_places_are_a_change():
    assert changed(company([(1, 10, 500), (1, 20, 700)]), company([(1, 10, 700), (1, 20, 500)])) == [1]
    assert changed(company([(1, 10, 500)] * 2), company([(1, 10, 250)] * 4)) == [1]
    assert changed(company([(1, 10, 500), (1, 20, 0)]), company([(1, 10, 500)])) == [1]


def test_what_came_after_the_day_and_what_it_cost_is_no_change_of_the_past():
    rows = [(1, 10, 500), (2, 0, 300)]
    assert changed(company(rows), company([*rows, (1, -1, 900), (3, -5, 100)])) == []
    assert changed(company(rows), company(rows, margins=[1.0, 2.0])) == []


def test_a_customer_that_only_one_of_them_knows_is_not_compared():
    one = fingerprint(company([(1, 10, 500)]), UNTIL, 2)
    assert differing(one.iloc[1:], one).tolist() == []
    assert differing(one, one.iloc[1:]).tolist() == []
    without = one.assign(sales=0, mark=np.uint64(0))
    assert differing(without, one).tolist() == [1]  # known, and without a sale until now


def test_what_every_release_has_to_tell_alike():
    """Were the marks of a release others, everybody's past would seem to be corrected."""
    found = fingerprint(company([(1, 10, 500), (1, 20, 700), (2, 3, -99)]), UNTIL, 2)
    assert found["sales"].tolist() == [2, 1, 0, 0, 0, 0]
    assert found["mark"].tolist()[:3] == [9655892667268380024, 11203693316335230622, 0]


@pytest.mark.parametrize("kind", [int, str])
def test_customers_are_called_by_numbers_or_by_text(kind):
    orders = company([(1, 10, 500), (2, 9, 100)]).orders
    history = History(orders.assign(customer_id=orders["customer_id"].map(kind)))
    assert fingerprint(history, UNTIL, 2)["customer_id"].tolist() == [kind(1), kind(2)]
