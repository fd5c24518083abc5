"""Customisation: what is in products kept for a customer, by hand, counted otherwise, and what never lowers it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from baskets import POLICY, TODAY, history_of_lines, known_of, lines_of, with_own_products
from conftest import AS_OF, history_of, orders_of
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import World, simulate
from sync_worker.policy import Policy
from sync_worker.scoring import customisation, features, groups, purchases

OWN = 50  # the product in question; everybody buys product 1
COLUMNS = ("customer_id", "days_ago", "product_id", "category", "quantity", "amount")


def lines(*rows, customers=30):
    """What everybody buys, 100 on each of three days, and some (customer, days ago, product, amount) beside it."""
    common = [(n, ago, 1, 1, 1.0, 100.0) for n in range(1, customers + 1) for ago in (10, 40, 70)]
    return lines_of([*common, *((n, ago, p, 2, 1.0, money) for n, ago, p, money in rows)], COLUMNS)


def measured(table, policy=POLICY, group=None, **options):
    """(n,) share by customer_id."""
    history = history_of_lines(table, **options)
    if group is not None:
        known = pd.DataFrame({"customer_id": sorted(table["customer_id"].unique()), "format": None})
        known["group_id"] = [group.get(each) for each in known["customer_id"]]
        history = replace(history, customers=known)
    bought, facts, _ = known_of(history, policy)
    ids = facts.table["customer_id"]
    found = customisation.measure(bought, facts, groups.of(history, ids), policy, TODAY)
    return pd.Series(found, ids)


THREE_DAYS = [(1, 10, OWN, 50.0), (1, 40, OWN, 50.0), (1, 70, OWN, 50.0)]


def test_by_hand():
    share = measured(lines(*THREE_DAYS))
    assert share[1] == pytest.approx(150 / 450)
    assert (share.drop(1) == 0).all()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([*THREE_DAYS[:2], (1, 40, OWN, 50.0)], 0),  # on two days only
        ([*THREE_DAYS, (2, 20, OWN, 37.5)], 150 / 450),  # 80 % of its sales, just
        # no less for the rounding of a sum
        ([*((1, ago, OWN, 0.44) for ago in (10, 40, 70)), (2, 20, OWN, 0.33)], 1.32 / 301.32),
        ([*THREE_DAYS, (2, 20, OWN, 38.0)], 0),
        ([*THREE_DAYS, (2, 500, OWN, 900.0)], 150 / 450),  # long before the window
        ([*THREE_DAYS, (1, 5, OWN, -50.0)], 100 / 400),  # some of it came back
        ([*THREE_DAYS, (1, 5, OWN, -150.0)], 0),  # all of it
        (
            [*THREE_DAYS, (2, 9, OWN, 60.0), (2, 5, OWN, -60.0)],
            150 / 450,
        ),  # another tried it and gave it back
        ([*THREE_DAYS, (1, 500, OWN, 900.0)], 150 / 450),
        ([*THREE_DAYS[:2], (1, 5, OWN, -10.0)], 0),  # to give back is not to buy
        ([*THREE_DAYS, (1, 500, 60, 100.0), (1, 20, 60, -100.0)], 150 / 450),  # bought before the window
        ([*THREE_DAYS, (3, 60, OWN, 60.0), (2, 500, OWN, 99.0), (2, 20, OWN, -99.0)], 0),
        ([(1, ago, OWN, 50.0) for ago in (10, 40, 365)], 0),  # the third day is a day before the window
        ([(1, ago, OWN, 50.0) for ago in (10, 40, 364)], 150 / 450),
        ([*THREE_DAYS, *((1, ago, 51, 25.0) for ago in (10, 40, 70))], 225 / 525),
        ([*THREE_DAYS, (1, 10, 51, 1000.0)], 150 / 1450),  # bought once by one customer: no sign of anything
    ],
)
def test_what_is_kept_for_a_customer(rows, expected):
    share = measured(lines(*rows))
    assert share[1] == pytest.approx(expected)
    assert share[2] == 0


def test_a_group_buys_as_one():
    rows = [(1, 10, OWN, 50.0), (1, 40, OWN, 50.0), (2, 70, OWN, 50.0)]
    assert (measured(lines(*rows)) == 0).all()
    share = measured(lines(*rows), group={1: 2, 2: 2})
    assert share[1] == pytest.approx(100 / 400) and share[2] == pytest.approx(50 / 350)
    assert (share.drop([1, 2]) == 0).all()
    # days that two branches share are one day
    assert (measured(lines(*rows[:2], (2, 40, OWN, 50.0)), group={1: 2, 2: 2}) == 0).all()
    # nor is anything left where one gives back what another bought
    assert (measured(lines(*THREE_DAYS, (2, 5, OWN, -150.0)), group={1: 2, 2: 2}) == 0).all()
    # what a branch gave back is taken off the sales of its group
    share = measured(lines(*THREE_DAYS, (2, 5, OWN, -50.0), (3, 5, OWN, 26.0)), group={1: 2, 2: 2})
    assert share[1] == 0


def test_it_is_empty_where_it_cannot_be_told():
    table = lines(*THREE_DAYS)
    assert measured(table.query("customer_id <= 29")).isna().all()  # too few to compare with
    assert (
        measured(table.query("customer_id <= 29"), Policy([{"key": "peers_minimum", "value": 29}]))
        .notna()
        .all()
    )
    twice = measured(table[(table["customer_id"] != 1) | (table["days_ago"] < 50)])
    assert np.isnan(twice[1]) and twice.drop(1).notna().all()
    old = table.assign(days_ago=table["days_ago"] + np.where(table["customer_id"] == 1, 400, 0))
    assert np.isnan(measured(pd.concat([old, lines_of([(31, d, 1) for d in (1, 2, 3)])]))[1])
    bought, facts, _ = known_of(history_of(*(orders_of(n, [90, 50, 5]) for n in range(1, 50))))
    assert np.isnan(customisation.measure(bought, facts, None, POLICY, TODAY)).all()


def test_sales_without_a_product_are_not_taken_for_common_ones():
    table = lines(*THREE_DAYS)
    common = (table["customer_id"] == 1) & (table["product_id"] == 1)
    some = table.assign(product_id=table["product_id"].mask(common & (table["days_ago"] == 10)))
    assert measured(some)[1] == pytest.approx(150 / 350)
    most = measured(table.assign(product_id=table["product_id"].mask(common)))
    assert np.isnan(most[1]) and (most.drop(1) == 0).all()


def test_a_customer_is_judged_in_its_own_window():
    # customer 2 looks at a month only; what it bought before counts against customer 1 all the same
    policy = Policy([{"key": "current_window_days", "value": 30, "format_id": "b"}])
    formats = {n: "b" if n == 2 else "a" for n in range(1, 31)}
    extra = [(2, ago, 1, 10.0) for ago in (1, 2, 3)]
    rows = [*THREE_DAYS, *extra]
    assert measured(lines(*rows), policy, formats=formats)[1] == pytest.approx(150 / 450)
    rows += [(2, 60, OWN, 100.0), (2, 20, 60, 5.0), (2, 21, 60, 5.0), (2, 22, 60, 5.0)]
    share = measured(lines(*rows), policy, formats=formats)
    assert share[1] == 0
    assert share[2] == pytest.approx(15 / (100 + 30 + 15))


def counted_otherwise(history, today, window=365):
    """The share of each customer by counting products one after the other."""
    table = history.lines.merge(history.orders[["order_id", "customer_id", "date"]], on="order_id")
    table = table[(today - table["date"]).dt.days < window]
    group = history.customers.set_index("customer_id")["group_id"]
    table = table.assign(group=table["customer_id"].map(group).fillna(table["customer_id"]))
    net = table.groupby(["group", "product_id"])["amount"].sum().clip(lower=0)
    bought = table[table["amount"] > 0]
    days = bought.groupby(["group", "product_id"])["date"].nunique().reindex(net.index).fillna(0)
    kept = net.index[(net > 0) & (net >= 0.8 * net.groupby("product_id").transform("sum")) & (days >= 3)]
    own = table.groupby(["customer_id", "group", "product_id"])["amount"].sum().clip(lower=0).reset_index()
    is_kept = pd.MultiIndex.from_frame(own[["group", "product_id"]]).isin(kept)
    inside = own["amount"].where(is_kept, 0).groupby(own["customer_id"]).sum()
    return inside / own.groupby("customer_id")["amount"].sum()


@pytest.fixture(scope="module")
def simulated():
    """A wholesaler where each tenth customer has its own version of what it buys in two categories."""
    return with_own_products(simulate(World(seed=12, customers=300)).history)


def of_simulated(history, day):
    facts = features.build(history, day, POLICY)
    today = int(day.timestamp() // 86400)
    ids = facts.table["customer_id"]
    found = customisation.measure(purchases.of(facts, history), facts, groups.of(history, ids), POLICY, today)
    return pd.Series(found, ids)


def test_counting_otherwise_gives_the_same(simulated):
    day = pd.Timestamp("2026-06-30")
    found = of_simulated(simulated, day)
    expected = counted_otherwise(simulated, day).reindex(found.index)
    told = found.notna()
    assert told.mean() > 0.5 and ((found > 0) & (found < 1)).sum() > 20
    assert found[told].to_numpy() == pytest.approx(expected[told].to_numpy())


def test_who_has_its_own_products_is_found_and_others_are_not(simulated):
    found = of_simulated(simulated, pd.Timestamp("2026-06-30")).dropna()
    has = found.index % 10 == 0
    assert has.sum() > 15
    assert (found[has] > 0).mean() > 0.7
    assert found[~has].quantile(0.9) < 0.05


@st.composite
def shops(draw):
    """Lines of 30 customers in a few products each, some returned."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    products = draw(st.integers(5, 120))
    rows = []
    for customer in range(1, 31):
        usual = rng.integers(1, products + 1, rng.integers(1, 4))
        for ago in rng.choice(400, rng.integers(3, 9), replace=False):
            for product in rng.choice(usual, rng.integers(1, 3)):
                money = np.round(rng.lognormal(3, 1), 2) * (-0.3 if rng.random() < 0.1 else 1)
                rows.append((customer, int(ago), int(product), 1, 1.0, money))
    group = {n: 1 for n in range(1, 4)} if draw(st.booleans()) else None
    return lines(*((n, ago, p + 1, money) for n, ago, p, _, _, money in rows)), group


@settings(max_examples=25)
@given(shops(), st.integers(0, 1000), st.sampled_from([1e-4, 0.37, 1e6]))
def test_neither_the_order_of_rows_nor_the_currency_matters(shop, seed, scale):
    table, group = shop
    first = measured(table, group=group)
    changed = table.assign(amount=table["amount"] * scale).sample(frac=1, random_state=seed)
    pd.testing.assert_series_equal(measured(changed, group=group), first)
    assert first.dropna().between(0, 1).all()


@settings(max_examples=30)
@given(shops(), st.integers(1, 30), st.integers(1, 360), st.floats(0.01, 1e6))
def test_more_sales_that_nobody_else_makes_never_lower_it(shop, customer, ago, money):
    table, group = shop
    new = [(customer, ago + each, 9999, 1, 1.0, money) for each in range(3)]
    before = measured(table, group=group)
    after = measured(pd.concat([table, lines_of(new, COLUMNS)]), group=group)
    assert after[customer] > before[customer] - 1e-12 or np.isnan(before[customer])
    assert after[customer] > 0
    more = measured(
        pd.concat([table, lines_of([*new, (customer, ago, 9999, 1, 1.0, money)], COLUMNS)]), group=group
    )
    assert more[customer] >= after[customer] - 1e-12
    # and what others buy of it never raises it
    other = customer % 30 + 1
    shared = measured(
        pd.concat([table, lines_of([*new, (other, 5, 9999, 1, 1.0, money)], COLUMNS)]), group=group
    )
    assert shared[customer] <= after[customer] + 1e-12


def test_the_day_of_the_test_is_the_day_of_the_history():
    assert int(AS_OF.timestamp() // 86400) == TODAY
