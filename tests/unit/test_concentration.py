"""Concentration, customer equity and portraits: of the company, not of one customer."""

import json

import numpy as np
import pandas as pd
import pytest
from companies import company, taken, trade
from conftest import orders_of
from dealings import in_currency, shuffled
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_worker.scoring import concentration, equity, groups, portraits
from sync_worker.scoring.groups import Groups


def test_figures_by_hand():
    assert concentration.figures(np.array([50.0, 30, 20, -5])) == {
        "top_1": 0.5,
        "top_5": 1.0,
        "top_10": 1.0,
        "hhi": 0.38,
        "gini": 0.2,
        "customers_for_80_percent": 2,
    }
    assert concentration.figures(np.full(4, 7.0))["gini"] == 0
    assert set(concentration.figures(np.array([-1.0])).values()) == {None}


def test_losses_are_of_the_total_of_all_and_branches_roll_up():
    grouped = Groups(np.array([0, 1, 0, 2]), np.array([7, "b", 9], dtype=object))
    found = concentration.summarise(pd.Series([1, 2, 3, 4]), np.array([40.0, 60, 30, -30]), grouped, "margin")
    assert found["basis"] == "margin"
    assert found["customers"]["losses"] == [
        {"id": 2, "value": 60.0, "percent": 60.0},
        {"id": 1, "value": 40.0, "percent": 40.0},
        {"id": 3, "value": 30.0, "percent": 30.0},
    ]
    assert found["customers"]["top_1"] == round(60 / 130, 4)
    assert found["groups"]["losses"] == [
        {"id": 7, "value": 70.0, "percent": 70.0},
        {"id": "b", "value": 60.0, "percent": 60.0},
    ]
    assert found["groups"]["top_1"] == round(70 / 130, 4)
    assert json.dumps(found)


def test_nothing_is_said_of_groups_that_are_not_known_or_of_nothing():
    ids, values = pd.Series([1, 2]), np.array([10.0, 10.0])
    alone = Groups(np.array([0, 1]), np.array([1, 2], dtype=object))
    assert concentration.summarise(ids, values, None, "revenue")["groups"] is None
    assert concentration.summarise(ids, values, alone, "revenue")["groups"] is None
    poor = concentration.summarise(ids, np.array([10.0, -20.0]), None, "margin")["customers"]
    assert poor["losses"] == [{"id": 1, "value": 10.0, "percent": None}]
    none = concentration.summarise(ids, np.array([-1.0, 0.0]), None, "margin")["customers"]
    assert none["losses"] == [] and none["lorenz"] == [] and none["gini"] is None


positive = st.lists(st.floats(-100, 1e5), min_size=1, max_size=250)


@given(positive, st.randoms())
def test_the_lorenz_curve_is_convex_and_its_area_is_the_gini(values, random):
    values = np.array([round(v, 2) for v in values])
    points = np.array(concentration.lorenz(values)).reshape(-1, 2)
    found = concentration.figures(values)
    mixed = np.array(random.sample(values.tolist(), len(values)))
    assert concentration.lorenz(mixed) == points.tolist() and concentration.figures(mixed) == found
    if not (values > 0).any():
        assert len(points) == 0
        return
    assert len(points) <= 101
    assert points[0].tolist() == [0, 0] and points[-1].tolist() == [1, 1]
    assert (points[:, 1] <= points[:, 0] + 1e-4).all() and (np.diff(points, axis=0) >= 0).all()
    area = np.trapezoid(points[:, 1], points[:, 0])
    assert 1 - 2 * area == pytest.approx(found["gini"], abs=0.02)
    assert 0 <= found["hhi"] <= 1 and found["top_1"] <= found["top_5"] <= found["top_10"] <= 1


def test_groups_follow_the_customers_and_one_without_is_its_own():
    customers = pd.DataFrame(
        {"customer_id": [1, 2, 3, 4], "group_id": pd.array([9, pd.NA, 9, 2], dtype="Int64")}
    )
    history = company(*[orders_of(n, [10], 100.0) for n in (1, 2, 3, 4)], customers=customers)
    found = groups.of(history, pd.Series([4, 3, 2, 1]))
    assert found.size.tolist() == [2, 2, 2, 2]  # 4 belongs to 2, which is its own
    assert found.names[found.code].tolist() == [2, 9, 2, 9]
    assert found.total(np.array([1.0, 2, 3, 4])).tolist() == [4, 6]
    assert groups.of(company(orders_of(1, [10], 1.0)), pd.Series([1])) is None


def state(*rows):
    return pd.DataFrame(rows, columns=equity.COLUMNS)


def test_the_bridge_by_hand():
    before = state(
        (1, 100.0, "retention"),  # grows
        (2, 100.0, "retention"),  # shrinks
        (3, 100.0, "dormant"),  # is lost, its history stays
        (4, 40.0, "lost"),  # is won back
        (5, 30.0, "lost"),  # stays lost
        (6, 70.0, "retention"),  # is gone
        (7, None, "selection"),  # buys
        (9, 5.0, "retention"),  # as it was
    )
    now = state(
        (1, 130.0, "extension"),
        (2, 80.5, "retention"),
        (3, 60.0, "lost"),
        (4, 90.0, "won_back"),
        (5, 29.0, "lost"),
        (7, 20.25, "acquisition"),
        (8, 11.0, "acquisition"),  # new
        (9, 5.0, "retention"),
        (10, None, "selection"),
    )
    assert equity.bridge(before, now) == {
        "opening": 445.0,
        "acquired": 31.25,
        "won_back": 50.0,
        "growth": 30.0,
        "decline": 20.5,
        "lost": 110.0,
        "closing": 425.75,
        "customers": {
            "opening": 7,
            "acquired": 2,
            "won_back": 1,
            "growth": 1,
            "decline": 2,
            "lost": 2,
            "unchanged": 1,
            "closing": 8,
        },
    }


def test_without_a_previous_state_there_is_a_closing_only():
    found = equity.bridge(None, state((1, 10.0, "retention"), (2, None, "selection")))
    assert found["closing"] == 10.0 and found["opening"] is None and found["lost"] is None
    assert found["customers"]["closing"] == 1 and found["customers"]["acquired"] is None
    empty = equity.bridge(state(), state((1, 10.0, "retention")))
    assert (empty["opening"], empty["acquired"], empty["closing"]) == (0, 10, 10)


def test_the_bridge_adds_up_beyond_64_bits():
    now = state(*((customer, 1e15, "retention") for customer in range(200)))
    found = equity.bridge(now.assign(lifetime_value=-1e15), now, decimals=3)
    assert (found["opening"], found["growth"], found["closing"]) == (-2e17, 4e17, 2e17)


def test_a_value_that_cannot_be_does_not_keep_the_bridge_from_being_told():
    found = equity.bridge(state((1, 1e300, "retention")), state((1, 10.0, "retention")))
    assert found["closing"] == 10
    assert found["opening"] == pytest.approx(found["decline"])


def test_the_last_run_is_compared_where_it_measured_alike():
    before = state((1, 10.0, "retention"), (2, None, "selection"))
    for basis in (["margin", None], [None, None], pd.Categorical(["margin", None])):
        told = before.assign(value_basis=basis)
        state_before, warnings = equity.before(told, "margin")
        assert state_before is told and warnings == []
    found, (words,) = equity.before(before.assign(value_basis=["revenue", None]), "margin")
    assert found is None and "revenue at the last run and in margin now" in words
    for none in (None, before.iloc[:0].assign(value_basis=None)):
        assert equity.before(none, "margin") == (None, [])
    assert (
        equity.basis(None) is None and equity.basis(before.assign(value_basis=["margin", None])) == "margin"
    )


stages = st.sampled_from(
    ["selection", "acquisition", "won_back", "retention", "extension", "dormant", "lost"]
)
values = st.one_of(st.none(), st.floats(-1e9, 1e9))
states = st.dictionaries(st.integers(1, 15), st.tuples(values, stages), max_size=15)


@settings(max_examples=200)
@given(states, states, st.sampled_from([0, 2, 3]), st.booleans())
def test_the_bridge_closes_in_the_smallest_unit(before, now, decimals, as_text):
    before, now = (state(*((c, *row) for c, row in table.items())) for table in (before, now))
    if as_text:
        now["customer_id"] = now["customer_id"].astype(str)
    found = equity.bridge(before, now, decimals)
    units = {name: round(found[name] * 10**decimals) for name in ("opening", "closing", *equity.CHANGES)}
    inflow = units["opening"] + units["acquired"] + units["won_back"] + units["growth"]
    assert inflow - units["decline"] - units["lost"] == units["closing"]
    assert units["growth"] >= 0 and units["decline"] >= 0
    exact = sum(round(v, decimals) for v in now["lifetime_value"].dropna())
    assert found["closing"] == pytest.approx(exact, rel=1e-12, abs=len(now) * 0.51 * 10**-decimals)
    counts = found["customers"]
    gone = counts["opening"] + counts["acquired"] - counts["closing"]
    assert 0 <= gone <= counts["lost"]
    assert json.dumps(found)
    mixed = equity.bridge(before.sample(frac=1, random_state=1), now.sample(frac=1, random_state=2), decimals)
    assert mixed == found
    same = equity.bridge(now, now, decimals)
    assert same["closing"] == same["opening"] and not any(same[name] for name in equity.CHANGES)


def portrayed(history, classes):
    built, _ = taken(history)
    return portraits.describe(built.table.assign(value_class=classes), portraits.take(built))


def test_a_portrait_by_hand():
    history = company(
        orders_of(1, [90, 60, 40], [100.0, 300.0, 200.0], [10.0, 30.0, 20.0]),
        orders_of(2, [50, 40], 60.0, 30.0),
        orders_of(2, [40], 20.0, 4.0),  # the same day
        orders_of(3, [10], 1000.0, 100.0),
        customers=pd.DataFrame(
            {"customer_id": [1, 2, 3], "format_id": pd.array([4, 4, pd.NA], dtype="Int64")}
        ),
        lines=pd.DataFrame(
            {
                "order_id": [1, 2, 3, 4, 5],
                "category": ["a", "b", "a", "a", "a"],
                "amount": [100.0, 300.0, 200.0, 60.0, 60.0],
                "discount": [0.0, 5.0, 0.0, 0.0, 0.0],
            }
        ),
    )
    found = portrayed(history, ["key", "standard", "key"])
    assert [(each["format"], each["value_class"], each["customers"]) for each in found] == [
        (4, None, 2),
        (4, "key", 1),
        (4, "standard", 1),
        (None, None, 1),
        (None, "key", 1),
    ]
    whole, key, standard, other, _ = found
    assert key | {"apart": None} == {
        "format": 4,
        "value_class": "key",
        "customers": 1,
        "basket": 200.0,
        "rhythm_days": 25.0,
        "margin_rate": 0.1,
        "discount_share": 0.5,
        "breadth": 2.0,
        "apart": None,
    }
    assert standard["basket"] == 70 and standard["rhythm_days"] == 10
    assert standard["margin_rate"] == round(64 / 140, 4)
    assert (
        whole["basket"] == 135
        and whole["margin_rate"] == round(124 / 740, 4)
        and whole["discount_share"] == 0.25
    )
    assert other["rhythm_days"] is None and other["discount_share"] is None and other["breadth"] is None
    assert all(each["apart"] == [] for each in found)  # of one customer nothing is said
    assert json.dumps(found)


def test_what_sets_a_class_apart():
    rng = np.random.default_rng(1)
    parts, classes = [], []
    for customer in range(60):
        key = customer % 3 == 0
        days = np.arange(5, 300, 10 if key else 30)
        amount = rng.uniform(300, 500, len(days)) if key else rng.uniform(80, 120, len(days))
        parts.append(orders_of(customer, days, amount, amount * 0.3))
        classes.append("key" if key else "standard")
    found = {each["value_class"]: each for each in portrayed(company(*parts), classes)}
    # margins are alike, nobody has lines, and the rhythm of the larger class is the format's
    codes = {
        "key": {"larger_basket": "basket", "orders_more_often": "rhythm_days"},
        "standard": {"smaller_basket": "basket"},
    }
    for name, told in codes.items():
        apart = {each["code"]: (each["value"], each["format_value"]) for each in found[name]["apart"]}
        assert apart == {code: (found[name][figure], found[None][figure]) for code, figure in told.items()}
    assert found["standard"]["basket"] < found[None]["basket"] < found["key"]["basket"]
    assert found["standard"]["rhythm_days"] == found[None]["rhythm_days"] > found["key"]["rhythm_days"]


def test_portraits_of_any_company_count_everyone_once():
    history = trade()
    built, _ = taken(history)
    rng = np.random.default_rng(3)
    classes = rng.choice(["key", "growth", "standard", "unprofitable"], len(built.table)).astype(object)
    found = portrayed(history, classes)
    wholes = [each for each in found if each["value_class"] is None]
    assert sum(each["customers"] for each in wholes) == len(built.table)
    for whole in wholes:
        own = [each for each in found if each["format"] == whole["format"] and each["value_class"]]
        assert sum(each["customers"] for each in own) == whole["customers"]
    assert portrayed(shuffled(history), classes) == found
    yen = portrayed(in_currency(history, 160.0), classes)
    for one, other in zip(found, yen, strict=True):
        assert other["basket"] == pytest.approx(one["basket"] * 160, abs=0.02)
        assert [each["code"] for each in other["apart"]] == [each["code"] for each in one["apart"]]
    few = [each for each in found if each["value_class"] and each["customers"] < portraits.ENOUGH]
    assert all(each["apart"] == [] for each in few)
    assert all(len(each["apart"]) <= portraits.MOST for each in found)
