"""Value types: the habits by hand, and types that are known to be there."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from baskets import POLICY, TODAY, history_of_lines, known_of, lines_of, renumbered, shop, steady
from conftest import history_of, orders_of
from hypothesis import given, settings
from hypothesis import strategies as st
from types_shop import trade

from sync_worker.scoring import habits, signals, value_type, value_type_clusters

PARTS = {"historical_value": 1.0, "current_value": 1.0, "potential_value": 1.0}


def of_products(bought):
    """What habits are told from: purchases of known products, no returns."""
    return bought.part(bought.bought & (bought.product >= 0))


def observed(table, policy=POLICY, **options):
    """(habits, features, peers)"""
    bought, facts, peers = known_of(history_of_lines(table, **options), policy)
    new = policy.column("new_product_days", facts.table["format"])
    return habits.observe(of_products(bought), peers, new, TODAY), facts, peers


def typed(seen, facts, peers, policy=POLICY):
    return value_type.classify(seen, facts, peers, policy, pd.DataFrame(PARTS, index=facts.table.index))


def share(name, table, customer=7, **options):
    """What is told as evidence of a habit of one customer, and in how many purchases it was seen."""
    seen, facts, _ = observed(table, **options)
    at = facts.table["customer_id"].tolist().index(customer)
    return seen.signals[name].share[at], seen.signals[name].seen[at]


@pytest.fixture(scope="module")
def known_trade():
    table, truth = trade()
    seen, facts, peers = observed(table)
    labels = typed(seen, facts, peers)
    return table, facts.table["customer_id"].map(truth).to_numpy(), seen, facts, peers, labels


def test_new_and_old_products_are_judged_at_the_time_of_the_order():
    crowd = steady(1, range(0, 900, 10)) + steady(2, range(0, 500, 10))
    rows = [*crowd, (7, 450, 2, 1), (7, 100, 2, 1), (7, 95, 1, 1), (7, 600, 1, 1)]
    assert share("new", lines_of(rows)) == (0.25, 4)  # the second of product 2 came 390 days after it was new
    assert share("old", lines_of(rows)) == (0.75, 4)


def test_settled_counts_purchases_with_a_choice():
    rows = [(7, 90, 1, 1), (7, 80, 1, 1), (7, 70, 2, 1), (7, 70, 5, 9), (7, 60, 1, 1)]
    assert share("settled", lines_of(rows)) == (pytest.approx(2 / 3), 3)


def test_an_old_favourite_is_one_that_was_left_for_others():
    favourite = [(7, day, 1, 1) for day in (800, 790, 780, 770)]
    others = [(7, day, 2 + n, 1) for n, day in enumerate((700, 650, 600, 590))]
    back = [(7, 500, 1, 1), (7, 490, 1, 1)]
    assert share("returning", lines_of([*favourite, *others, *back])) == (pytest.approx(2 / 9), 9)
    assert share("returning", lines_of([*favourite, *back]))[0] == 0  # a pause, but for nothing else
    soon = [(7, day + 160, product, c) for _, day, product, c in back]
    assert share("returning", lines_of([*favourite, *others, *soon]))[0] == 0


def test_the_price_position_is_the_rank_within_category_and_time():
    price = [(1, 10, 1, 1, 1, 10.0), (2, 10, 2, 1, 1, 20.0), (3, 10, 3, 1, 1, 30.0), (7, 10, 4, 1, 2, 80.0)]
    other = [(1, 10, 9, 2, 1, 500.0), (7, 10, 8, 2, 1, 10.0)]
    assert share("price", lines_of(price)) == (0.875, 1)  # 40 a piece: the dearest of four
    assert share("price", lines_of(price + other))[0] == pytest.approx((0.875 + 0.25) / 2)
    # the shelf price counts: what was bought cheaply may be dear
    reduced = [(1, 10, 1, 1, 1, 10.0, 0.0), (7, 10, 4, 1, 1, 8.0, 60.0)]
    assert share("price", lines_of(reduced))[0] == 0.75
    assert share("discount", lines_of(reduced)) == (1.0, 1)


def test_without_a_usable_price_nothing_is_said_of_prices():
    rows = [
        (7, 10, 1, 1, 0.0, 10.0),
        (7, 9, 1, 1, np.nan, 10.0),
        (1, 9, 2, 1, 1.0, 5.0),
        (7, 8, 2, 1, 1.0, 0.0),
    ]
    table = lines_of(rows)
    table["quantity"] = [0.0, np.nan, 1.0, 1.0]
    seen, _, _ = observed(table)
    assert seen.signals["price"].seen.tolist() == [1, 0]


def priced(quantities, customer=7, rises_at=200):
    """Purchases of a product whose price rises by half so many days ago, by days ago to quantity."""
    return [(customer, day, 1, 1, q, q * (10.0 if day > rises_at else 15.0)) for day, q in quantities.items()]


def test_buying_less_after_a_rise_is_seen_in_quantities():
    crowd = [row for c in (1, 2, 3) for row in priced(dict.fromkeys(range(0, 400, 5), 2.0), c)]
    table = lines_of(crowd + priced({300: 4.0, 270: 4.0, 150: 2.0}))
    cut, seen = share("reaction", table)
    assert cut == pytest.approx(np.log(2)) and seen == 1  # one of its purchases came after a rise
    more, _ = share("reaction", lines_of(crowd + priced({300: 4.0, 270: 4.0, 150: 8.0})))
    assert more == pytest.approx(-np.log(2))


def test_buying_more_after_a_price_fell_is_no_reaction_to_rises():
    def fallen(quantities, customer=7):
        return [(customer, day, 1, 1, q, q * (15.0 if day > 200 else 10.0)) for day, q in quantities.items()]

    crowd = [row for c in (1, 2, 3) for row in fallen(dict.fromkeys(range(0, 400, 5), 2.0), c)]
    seen, _, _ = observed(lines_of(crowd + fallen({300: 2.0, 270: 2.0, 150: 8.0})))
    assert not seen.signals["reaction"].seen.any() and not seen.shown["reaction"].any()


def test_an_unknown_discount_is_no_full_price_where_others_are_known():
    rows = [(1, 10, 1, 1, 1, 10.0, 0.0), (7, 10, 4, 1, 1, 8.0, 60.0), (7, 9, 2, 1, 1, 30.0, 0.0)]
    table = lines_of(rows)
    table["discount"] = [0.0, 60.0, np.nan]
    assert share("price", table) == (0.75, 1)
    # where none is known the price paid is the price
    assert share("price", table.assign(discount=np.nan))[1] == 2


def test_basics_are_what_half_of_the_peers_buy():
    rows = [(n, 10, 1, 1) for n in range(1, 5)] + [(n, 10, 2, 2) for n in (1, 2)]
    rows += [(1, 9, 2, 2), (3, 10, 3, 3), (7, 10, 1, 1), (7, 9, 3, 3), (7, 8, 3, 3), (7, 7, 2, 2)]
    # categories 1, 2 and 3 are bought by five, three and two of five
    assert share("basic", lines_of(rows)) == (0.5, 4)


def test_buying_ahead_is_a_larger_order_just_before_a_rise():
    begins = TODAY - (TODAY // 30) * 30 + 30 * 6  # prices are compared by months of 30 days
    crowd = [row for c in (1, 2, 3) for row in priced(dict.fromkeys(range(0, 400, 5), 2.0), c, begins)]
    ahead = priced({350: 2.0, 320: 2.0, begins + 15: 6.0}, rises_at=begins)
    assert share("ahead", lines_of(crowd + ahead)) == (pytest.approx(np.log(3)), 1)
    assert (
        share("ahead", lines_of(crowd + priced({350: 2.0, 320: 2.0, begins + 80: 6.0}, rises_at=begins)))[1]
        == 0
    )


def test_moving_up_is_the_later_half_against_the_earlier():
    ladder = [(c, day, p, 1, 1, 10.0 * p) for c in (1, 2) for day in range(0, 400, 10) for p in (1, 2, 3, 4)]
    up = [(7, 390, 1, 1, 1, 10.0), (7, 310, 1, 1, 1, 10.0), (7, 100, 4, 1, 1, 40.0), (7, 20, 4, 1, 1, 40.0)]
    moved, seen = share("upgrade", lines_of(ladder + up))
    assert moved == pytest.approx(0.75, abs=0.02) and seen == 4
    down = [(c, 400 - day, p, k, q, a) for c, day, p, k, q, a in up]
    assert share("upgrade", lines_of(ladder + down))[0] == pytest.approx(-0.75, abs=0.02)


def test_complements_are_what_goes_together_above_chance():
    rows = []
    for day in range(40):
        rows += [(1, day, 1, 1), (1, day, 2, 2)] if day % 2 else [(2, day, 3, 3), (2, day, 4, 4)]
        rows += [(3, day, 5 + day % 4, 5 + day % 4)]
    rows += [(7, 9, 1, 1), (7, 9, 2, 2), (7, 8, 1, 1), (7, 8, 6, 6)]
    assert share("complement", lines_of(rows)) == (0.5, 4)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1)), min_size=1, max_size=60))
def test_standing_is_the_random_effects_formula(rows):
    owner, values = np.array([r for r, _ in rows]), np.array([v for _, v in rows])
    count = np.bincount(owner, minlength=6)
    mean = np.array([values[owner == c].mean() if count[c] else np.nan for c in range(6)])
    squares = np.array([((values[owner == c] - mean[c]) ** 2).sum() if count[c] else 0.0 for c in range(6)])
    z = signals.standing(mean, count, squares)
    known = [c for c in range(6) if count[c]]
    free = sum(count[c] - 1 for c in known)
    if len(known) < 2 or free == 0:
        assert (z == 0).all()
        return
    within = sum(squares[c] for c in known) / free
    n = sum(count[c] for c in known)
    centre = sum(count[c] * mean[c] for c in known) / n
    q = sum(count[c] * (mean[c] - centre) ** 2 for c in known)
    between = (q - (len(known) - 1) * within) / (n - sum(count[c] ** 2 for c in known) / n)
    if between <= 1e-12:
        assert (z == 0).all()
        return
    middle = np.median([mean[c] for c in known])
    for c in known:
        own = between / (between + within / count[c]) * (mean[c] - middle) / np.sqrt(between)
        assert z[c] == pytest.approx(np.clip(own, -3, 3), abs=1e-6)


def test_chance_alone_makes_nobody_stand_out():
    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(300), 30)
    values = (rng.random(9000) < 0.3).astype(float)
    mean = np.bincount(owner, values) / 30
    squares = np.bincount(owner, (values - mean[owner]) ** 2)
    assert (np.abs(signals.standing(mean, np.full(300, 30), squares)) < 1).mean() > 0.98


def test_what_is_usual_is_that_of_the_category_and_time():
    stratum, period = np.array([0] * 40 + [1] * 2), np.zeros(42, dtype=int)
    values = np.array([1.0] * 20 + [0.0] * 20 + [1.0, 1.0])
    overall = 22 / 42
    expected = (20 + 20 * overall) / 60, (2 + 20 * overall) / 22
    assert signals.usual(stratum, period, values)[[0, 41]] == pytest.approx(expected)


def test_known_types_are_recovered_and_the_neutral_mostly_left_alone(known_trade):
    _, truth, _, _, _, labels = known_trade
    told = labels["value_type"].to_numpy()
    claimed = told != value_type.UNDETERMINED
    assert (told == truth)[claimed].mean() >= 0.8
    for name in value_type.CELLS:
        found = (told == truth)[truth == name].mean()
        # these two buy old products here, as the laggards and the nostalgic do
        assert found >= (0.3 if name in ("pragmatist", "achiever") else 0.6), name
    assert claimed[truth == "none"].mean() <= 0.15


def test_evidence_belongs_to_the_customer_and_says_what_the_type_says(known_trade):
    table, _, seen, facts, _, labels = known_trade
    owner = history_of_lines(table).orders.set_index("order_id")["customer_id"]
    found = list(value_type.evidence(seen, labels, facts, POLICY))
    assert {one.code for one in found} == set(value_type.SENTENCES)
    explained = np.zeros(len(labels), dtype=bool)
    for one in found:
        explained |= one.holds
        for row in np.flatnonzero(one.holds)[:5]:
            assert value_type.SENTENCES[one.code].format_map({k: int(v[row]) for k, v in one.params.items()})
            if one.records is not None:
                ids = one.records[row][one.records[row] >= 0]
                assert len(ids) and (owner[ids] == facts.table["customer_id"][row]).all()
        if {"percent", "usual"} <= set(one.params):
            difference = (one.params["percent"] - one.params["usual"])[one.holds]
            assert (difference < 0).all() if one.code == "buys_cheap_products" else (difference > 0).all()
    assert explained.mean() > 0.97


def test_sales_at_the_counter_are_no_records_but_leave_those_of_others(known_trade):
    table, seen = known_trade[0], known_trade[2]
    history = history_of_lines(table)
    everybody = np.ones(len(seen.lines), dtype=bool)

    def records(order_ids):
        bought, facts, peers = known_of(renumbered(history, order_ids))
        new = POLICY.column("new_product_days", facts.table["format"])
        return habits.observe(of_products(bought), peers, new, TODAY).records("old", everybody)

    ids = history.orders["order_id"]
    counter = records({each: -each if each % 3 == 0 else each for each in ids})
    usual = seen.records("old", everybody)
    assert (counter % 3 != 0)[counter >= 0].all() and (counter >= -1).all()
    assert ((counter[:, 0] >= 0) == (usual[:, 0] >= 0)).mean() > 0.9
    assert records({each: f"S{each}" for each in ids}) is None


def test_never_from_one_order_nor_from_few_lines(known_trade):
    table = known_trade[0]
    pioneers = table[table["customer_id"].between(91, 105)]
    once = pioneers.assign(customer_id=999, days_ago=5)
    seen, facts, peers = observed(pd.concat([table, once], ignore_index=True))
    result = typed(seen, facts, peers).iloc[-1]
    assert facts.table["customer_id"].iloc[-1] == 999 and seen.lines[-1] >= 20
    assert result["value_type"] == value_type.UNDETERMINED and result["lack"] == "lines"
    strict = POLICY.replace(value_type_lines=500)
    assert (typed(*known_trade[2:5], strict)["lack"] == "lines").all()


def test_ambiguous_and_weak_evidence_leave_it_undetermined(known_trade):
    seen, facts, peers = known_trade[2:5]
    labels = typed(seen, facts, peers, POLICY.replace(value_type_margin=3))
    assert (labels["lack"] == "margin").any() and not (labels["value_type"] == "laggard").any()
    assert (
        typed(seen, facts, peers, POLICY.replace(value_type_score=4))["value_type"] == "undetermined"
    ).mean() > 0.9


def test_time_and_benefit_alone_make_no_haggler(known_trade):
    seen, facts, peers = known_trade[2:5]
    at = int(np.flatnonzero(known_trade[5]["value_type"] == "haggler")[0])
    changed = dict(seen.signals)
    for name in ("reaction", "lower"):
        z = seen.signals[name].z.copy()
        z[at] = 0.0
        changed[name] = dataclasses.replace(seen.signals[name], z=z)
    for name in ("old", "discount"):
        z = seen.signals[name].z.copy()
        z[at] = 3.0
        changed[name] = dataclasses.replace(seen.signals[name], z=z)
    seen = dataclasses.replace(seen, signals=changed)
    labels = typed(seen, facts, peers, POLICY.replace(value_type_margin=0))
    assert labels["score"][at] >= 2 and labels["lack"][at] == "own"
    told = {one.code: one.holds[at] for one in value_type.evidence(seen, labels, facts, POLICY)}
    assert told["type_lacks_habit"] and not told["type_undecided"]


def test_too_few_days_with_orders_are_a_reason(known_trade):
    seen, facts, peers = known_trade[2:5]
    strict = POLICY.replace(preference_order_days=50, loyalty_order_days=51)
    labels = typed(seen, facts, peers, strict)
    told = {one.code: one for one in value_type.evidence(seen, labels, facts, strict)}
    enough = seen.lines >= POLICY.value("value_type_lines")
    assert (told["type_needs_days"].holds == enough).all() and enough.any()
    assert (told["type_needs_lines"].holds == ~enough).all()
    figures = told["type_needs_days"].params
    assert (figures["order_days"] == facts.table["order_days"]).all() and (figures["needed"] == 50).all()


def test_the_dominant_part_of_value_decides_between_near_equals(known_trade):
    seen, facts, peers = known_trade[2:5]
    first = known_trade[5]
    time = {name: one for name, (one, _) in value_type.CELLS.items()}
    past = (first["value_type"].map(time) == "past") & (first["second"].map(time) == "present")
    at = int(np.flatnonzero(past)[0])
    rng = np.random.default_rng(0)
    parts = pd.DataFrame({name: rng.uniform(0.5, 1.5, len(first)) for name in PARTS})
    margins = []
    for historical in (0.1, 1.0, 50.0):
        parts.loc[at, "historical_value"] = historical
        margins.append(value_type.classify(seen, facts, peers, POLICY, parts)["margin"][at])
    assert margins == sorted(margins) and margins[0] < margins[2]


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_neither_the_order_of_rows_nor_the_currency_matters(known_trade, scale):
    table, labels = known_trade[0], known_trade[5]
    changed = table.assign(amount=table["amount"] * scale).sample(frac=1, random_state=5)
    again = typed(*observed(changed))
    assert again["value_type"].tolist() == labels["value_type"].tolist()
    assert again["score"].to_numpy() == pytest.approx(labels["score"].to_numpy(), abs=1e-6)


def test_customers_who_choose_at_random_have_no_type():
    seen, facts, peers = observed(shop(200, orders=20))
    labels = typed(seen, facts, peers)
    assert (labels["value_type"] == value_type.UNDETERMINED).mean() > 0.95
    assert value_type_clusters.agreement(seen, labels) is None


@pytest.mark.parametrize("missing", ["category", "product_id", "discount", "quantity"])
def test_each_column_may_be_missing(known_trade, missing):
    table = known_trade[0].assign(**{missing: np.nan})
    seen, facts, peers = observed(table)
    labels = typed(seen, facts, peers)
    assert list(value_type.evidence(seen, labels, facts, POLICY))
    assert labels["score"].notna().all()
    if missing == "product_id":
        assert (labels["lack"] == "lines").all()
    if missing == "quantity":
        assert not set(labels["value_type"]) & {"achiever", "haggler", "far_sighted"}


def test_without_lines_every_type_is_undetermined():
    bought, facts, peers = known_of(history_of(*(orders_of(n, [90, 60, 30, 5]) for n in range(1, 5))))
    seen = habits.observe(of_products(bought), peers, np.full(4, 180.0), TODAY)
    labels = typed(seen, facts, peers)
    assert labels["lack"].tolist() == ["lines"] * 4
    needs = [one for one in value_type.evidence(seen, labels, facts, POLICY) if one.holds.any()]
    assert [one.code for one in needs] == ["type_needs_lines"]
    assert value_type_clusters.agreement(seen, labels) is None


def test_clusters_agree_with_types_that_are_there_and_not_with_types_drawn_by_lot(known_trade):
    seen, labels = known_trade[2], known_trade[5]
    found = value_type_clusters.agreement(seen, labels)
    assert found == value_type_clusters.agreement(seen, labels)  # seeded
    told = labels["value_type"] != value_type.UNDETERMINED
    assert found["customers"] == told.sum() == sum(map(sum, found["table"].values()))
    assert found["adjusted_rand"] > 0.4
    drawn = labels.assign(value_type=np.random.default_rng(0).permutation(labels["value_type"]))
    assert abs(value_type_clusters.agreement(seen, drawn)["adjusted_rand"]) < 0.1
