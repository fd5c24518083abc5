import numpy as np
import pandas as pd
import pytest
from conftest import orders_of
from dealings import TODAY, dataset, in_currency, shuffled

from sync_worker.history.schema import History
from sync_worker.scoring import prospects
from sync_worker.scoring.events import days_of


def company(won=12, lost=12, year=1200.0, formats="a", prospects_of=("a",), sources=None, revenue=None):
    """Newcomers of a format with a year of monthly orders after a won lead, lost leads of others, prospects with an
    open lead, and one customer who was there from the beginning."""
    parts, leads, known = [orders_of(1, [1500, 10], 1.0, 0.5)], [], [(1, "a")]
    customer = 1
    for number in range(won):
        customer += 1
        own = formats[number % len(formats)]
        parts.append(orders_of(customer, 500 - 30 * np.arange(12), year / 12, year / 24))
        leads.append((customer, 520, 500, "won", own, 1000.0))
        known.append((customer, own))
    for number in range(lost):
        customer += 1
        own = formats[number % len(formats)]
        leads.append((customer, 520, 500, "lost", own, 1000.0))
        known.append((customer, own))
    for own in prospects_of:
        customer += 1
        leads.append((customer, 5, np.nan, "pending", own, 1000.0))
        known.append((customer, own))
    table = pd.concat(parts, ignore_index=True)
    who, since, closed, outcome, source, worth = (list(column) for column in zip(*leads, strict=True))
    facts = dataset(
        "leads",
        customer_id=who,
        known=since,
        closed=closed,
        outcome=outcome,
        source_id=source if sources is None else sources(len(who)),
        expected_revenue=worth if revenue is None else revenue(len(who)),
    )
    customers = pd.DataFrame(known, columns=["customer_id", "format"])
    return History(table.assign(order_id=np.arange(len(table)) + 1), None, customers, facts={"leads": facts})


def expected(history, basis="revenue"):
    sold = history.orders[history.orders["amount"] > 0]
    first = pd.Series(days_of(sold["date"])).groupby(sold["customer_id"].to_numpy()).min()
    first_day = first.reindex(history.customers["customer_id"]).to_numpy(float)
    return prospects.expect(history, first_day, basis, TODAY)


def test_the_expectation_is_win_rate_times_first_year():
    found = expected(company())
    last = found.table.iloc[-1]
    # company (12 + 1) of 26; format half of ten and 12 of 24; source likewise: one half throughout
    assert last["expected_value"] == pytest.approx(600)
    assert last["expected_value_low"] < 600 < last["expected_value_high"]
    assert found.lacks == [] and len(found.table) == 13  # the lost ones are prospects still
    margin = expected(company(), "margin").table.iloc[-1]
    assert margin["expected_value"] == pytest.approx(300)


def test_one_order_of_a_newcomer_is_not_expected_of_every_prospect():
    history = company()
    more = orders_of(3, [400], 400_000.0, 200_000.0).assign(order_id=9999)
    history.orders = pd.concat([history.orders, more], ignore_index=True)
    # of three hundred, as the twelve others' twelfth: the first year of one was 1500
    told = expected(history).table["expected_value"].iloc[-1]
    assert told == pytest.approx((1200 * 11 + 1500) / 12 / 2)
    assert expected(history, "margin").table["expected_value"].iloc[-1] == pytest.approx(told / 2, rel=0.01)


def test_an_unknown_margin_is_at_the_rate_of_the_company():
    history = company()
    orders = history.orders
    newcomers = orders["customer_id"] > 1
    orders.loc[newcomers & (orders.index % 2 == 0), "margin"] = np.nan
    assert orders["margin"].isna().sum() > 50
    assert expected(history, "margin").table["expected_value"].iloc[-1] == pytest.approx(300)
    # goods that only came back are of no buyer, and not part of its rate
    returned = orders_of(2 + 12, [3], -5000.0, -1.0).assign(order_id=9999)
    history.orders = pd.concat([orders, returned], ignore_index=True)
    assert expected(history, "margin").table["expected_value"].iloc[-1] == pytest.approx(300)


def test_more_leads_won_and_more_of_them_narrow_the_range():
    rate = (30 + 1) / (42 + 2)
    for _ in ("format", "source"):  # all are of one: each draws the rate further to what it was
        rate = (30 + 10 * rate) / (42 + 10)
    more = expected(company(won=30)).table["expected_value"].iloc[-1]
    assert more == pytest.approx(1200 * rate) and rate > 0.7
    few, many = (expected(company(won=n, lost=n)).table.iloc[-1] for n in (12, 120))
    width = [row["expected_value_high"] - row["expected_value_low"] for row in (few, many)]
    assert width[1] < width[0] / 2


def test_a_format_is_judged_by_its_own_as_far_as_it_has_any():
    history = company(won=40, lost=40, formats="ab", prospects_of=("a", "b", "c"))
    orders, customers = history.orders, history.customers
    large = customers.loc[customers["format"] == "b", "customer_id"]
    orders.loc[orders["customer_id"].isin(large), "amount"] *= 10
    table = expected(history).table.iloc[-3:]
    a, b, c = table["expected_value"]
    assert a == pytest.approx(0.5 * (20 * 1200 + 10 * 6600) / 30)
    assert b == pytest.approx(0.5 * (20 * 12000 + 10 * 6600) / 30)
    assert c == pytest.approx(0.5 * 6600)  # of a format without leads and newcomers it is like the company


def test_who_is_expected_to_bring_more_is_where_that_proved_right():
    rng = np.random.default_rng(3)

    def guesses(count):
        return np.exp(rng.normal(7, 1, count))

    history = company(won=60, prospects_of=("a", "a"), revenue=guesses)
    leads = history.facts["leads"].set_index("customer_id")["expected_revenue"].copy()
    leads.iloc[-2:] = [500.0, 5000.0]
    history.facts["leads"]["expected_revenue"] = leads.to_numpy()
    flat = expected(history).table["expected_value"].iloc[-2:]
    assert flat.iloc[1] == pytest.approx(
        flat.iloc[0], rel=0.05
    )  # first years are all alike: guesses say nothing
    orders = history.orders
    told = orders["customer_id"].map(leads / 1000).fillna(1)
    orders["amount"] *= told
    sloped = expected(history).table["expected_value"].iloc[-2:]
    assert 4 < sloped.iloc[1] / sloped.iloc[0] < 10


def test_too_little_to_expect_from_is_said():
    few = expected(company(won=5, lost=5))
    assert few.lacks == ["leads", "first_years"]
    assert list(few.table) == ["customer_id", *prospects.VALUES] and len(few.table) == 6
    assert few.table[[*prospects.VALUES]].isna().all(axis=None)
    none = company()
    del none.facts["leads"]
    assert expected(none).lacks == ["leads", "won"]
    assert expected(company(won=0, lost=30)).lacks == ["won", "first_years"]


def test_leads_of_customers_and_archived_ones_do_not_count():
    history = company()
    more = dataset("leads", customer_id=[1] * 50, known=[100] * 50, closed=[90] * 50, outcome=["lost"] * 50)
    history.facts["leads"] = pd.concat([history.facts["leads"], more], ignore_index=True)
    history.customers.loc[history.customers.index[-1], "archived"] = True
    found = expected(history).table
    assert len(found) == 12 and found["expected_value"].iloc[0] == pytest.approx(600)


def test_the_order_of_rows_and_the_currency_do_not_matter():
    history = company(won=30, lost=15, formats="ab", prospects_of=("a", "b"))
    found, mixed, other = (
        expected(each).table for each in (history, shuffled(history), in_currency(history, 0.01))
    )
    pd.testing.assert_frame_equal(found, mixed)
    money = [name for name in found if name.startswith("expected_")]
    np.testing.assert_allclose(found[money] * 0.01, other[money])


def test_a_loss_is_expected_where_newcomers_bring_losses():
    history = company()
    history.orders["margin"] = -history.orders["margin"]
    last = expected(history, "margin").table.iloc[-1]
    assert last["expected_value_low"] < last["expected_value"] < last["expected_value_high"] < 0
