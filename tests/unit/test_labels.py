"""Rules worked out by hand: loyalty, life cycle, class, segment."""

import numpy as np
import pandas as pd
import pytest
from conftest import AS_OF, crowd, history_of, orders_of, uncomplaining
from hypothesis import example, given, settings
from hypothesis import strategies as st
from monthly import MONTHLY, facts_of

from sync_worker.policy import Policy
from sync_worker.scoring import lifecycle, loyalty, segment, value_class
from sync_worker.scoring.peers import Peers, smallest_set

TODAY = int(AS_OF.timestamp() // 86400)
POLICY = Policy()


def loyalty_of(*parts, p_alive=1.0, policy=POLICY, **options):
    facts, rhythms = facts_of(*parts, policy=policy, **options)
    stages = loyalty.classify(
        facts, rhythms, lambda at: np.full(len(at), p_alive), TODAY, policy, **uncomplaining(facts)
    )
    return dict(zip(facts.table["customer_id"], stages, strict=True))


def lifecycle_of(*parts, policy=POLICY, **options):
    facts, rhythms = facts_of(*parts, policy=policy, **options)
    stages = lifecycle.classify(facts, rhythms, policy)
    return dict(zip(facts.table["customer_id"], stages["lifecycle_stage"], strict=True))


def test_loyalty_stages_by_order_days():
    stages = loyalty_of(
        *MONTHLY,
        orders_of(101, [20]),
        orders_of(102, [50, 20]),
        orders_of(104, [110, 80, 50, 20]),
        orders_of(107, [200, 170, 140, 110, 80, 50, 20]),
        orders_of(108, [20, 20, 20, 20, 20, 20, 20]),  # one day
    )
    assert [stages[n] for n in (101, 102, 104, 107, 108)] == [
        "awareness",
        "approval",
        "preference",
        "loyalty",
        "awareness",
    ]


def test_a_broken_cadence_and_a_doubtful_life_cost_the_stage():
    silent = orders_of(107, [380, 350, 320, 290, 260, 230, 200])
    assert loyalty_of(*MONTHLY, silent)[107] == "approval"
    regular = orders_of(107, [200, 170, 140, 110, 80, 50, 20])
    assert loyalty_of(*MONTHLY, regular, p_alive=0.5)[107] == "preference"


def test_a_quiet_week_does_not_break_a_daily_cadence():
    daily = [orders_of(n, range(20 + n, 80)) for n in range(1, 20)]
    assert loyalty_of(*daily, orders_of(101, range(10, 60)))[101] == "loyalty"
    assert loyalty_of(*daily, orders_of(101, range(20, 60)))[101] == "approval"
    strict = Policy([{"key": "cadence_broken_days", "format_id": None, "value": 5}])
    assert loyalty_of(*daily, orders_of(101, range(10, 60)), policy=strict)[101] == "approval"


def test_a_shrinking_breadth_costs_preference():
    days = [200, 170, 140, 110, 80, 50, 20]
    history = history_of(*MONTHLY, orders_of(107, days))
    ids = history.orders.loc[history.orders["customer_id"] == 107].sort_values("date")["order_id"].to_list()
    broad = [(order, category) for order in ids[:3] for category in "abcde"] + [
        (order, "a") for order in ids[3:]
    ]
    lines = pd.DataFrame(broad, columns=["order_id", "category"]).assign(amount=10.0)
    assert loyalty_of(*MONTHLY, orders_of(107, days), lines=lines)[107] == "approval"
    kept = lines.assign(category="a")
    assert loyalty_of(*MONTHLY, orders_of(107, days), lines=kept)[107] == "loyalty"


days_ago = st.lists(st.integers(0, 900), min_size=1, max_size=25, unique=True)
BASE = crowd(40, seed=3)


@settings(max_examples=60)
@given(days_ago, st.integers(1, 6), st.data())
def test_more_and_more_recent_orders_never_lower_a_loyalty_stage(days, count, data):
    newest = min(days)
    more = data.draw(st.lists(st.integers(0, newest), min_size=1, max_size=count, unique=True))
    # the same customer twice in one company, once with the further orders
    stages = loyalty_of(BASE, orders_of(1, days), orders_of(2, sorted({*days, *more})))
    assert loyalty.STAGES.index(stages[2]) >= loyalty.STAGES.index(stages[1])


def test_lifecycle_stages():
    stages = lifecycle_of(
        *MONTHLY,
        orders_of(201, [20]),
        orders_of(202, [50, 20]),
        orders_of(203, [260, 230, 200, 170, 140, 110]),  # usual gap 30: dormant after 90 days
        orders_of(204, [460, 430, 400, 370, 340, 310, 280]),
        orders_of(205, [700, 670, 640, 610, 20]),  # back after 590 days
        orders_of(206, [700, 670, 640, 610, 50, 20]),  # and bought again
        orders_of(207, [500, 400, 300, 200, 150, 120, 90, 60, 30, 5], amount=[100] * 4 + [200] * 6),
        orders_of(208, [20], amount=-50.0),
    )
    assert stages == {
        **{n: "retention" for n in range(1, 20)},
        201: "acquisition",
        202: "retention",
        203: "dormant",
        204: "lost",
        205: "won_back",
        206: "retention",
        207: "extension",
    }


def test_lifecycle_follows_the_policy():
    orders = [*MONTHLY, orders_of(203, [260, 230, 200, 170, 140, 110])]
    assert lifecycle_of(*orders, policy=POLICY.replace(dormant_days=120))[203] == "retention"
    assert lifecycle_of(*orders, policy=POLICY.replace(lost_days=100))[203] == "lost"
    formats = {n: 5 for n in range(1, 20)} | {203: 6}
    of_format = Policy([{"key": "dormant_days", "format_id": 6, "value": 120}])
    assert lifecycle_of(*orders, policy=of_format, formats=formats)[203] == "retention"


def buyers(**columns):
    size = len(next(iter(columns.values())))
    table = {
        "format": [None] * size,
        "order_days": 3,
        "current_order_days": 3,
        "current_revenue": 100.0,
        "current_value": 100.0,
        "potential_value": 0.0,
        "potential_revenue": 0.0,
        "next_value": 50.0,
        "known_margin": np.nan,
        "known_revenue": 0.0,
        "known_orders": 0,
        "loyalty_stage": "approval",
        "lifecycle_stage": "retention",
    }
    return pd.DataFrame(table | columns)


def rule(key, value, format_id=None):
    return {"key": key, "format_id": format_id, "value": value}


def classify(table, policy=POLICY, cost_to_serve=0.0, before=None):
    net_value = (table["known_margin"] - cost_to_serve).to_numpy()
    return value_class.classify(table, Peers(table["format"], policy), policy, net_value, before)


def test_key_is_the_smallest_set_that_carries_the_share():
    # 100 in total: 50 + 30 reach 80
    table = buyers(current_value=[5.0, 50, 10, 30, 3, 2])
    assert (classify(table)["value_class"] == "key").tolist() == [False, True, False, True, False, False]
    ninety = POLICY.replace(key_share=0.9)
    assert (classify(table, ninety)["value_class"] == "key").sum() == 3
    assert classify(table)["value_rank"].tolist() == [4, 1, 3, 2, 5, 6]


def test_key_is_judged_among_peers_of_a_large_format_and_in_the_company_for_a_small_one():
    small_shops, wholesale = np.full(30, 1.0), np.full(35, 1000.0)
    table = buyers(
        current_value=np.concatenate([small_shops, wholesale, [900.0, 2.0]]),
        format=["shop"] * 30 + ["wholesale"] * 35 + ["rare"] * 2,
    )
    key = classify(table)["value_class"] == "key"
    assert key[:30].sum() == 24  # four in five of equal shops
    assert key[30:65].sum() == 28
    # in the company: 35,932 in total, 29 of 1,000 carry 80 %, so 900 is not among them
    assert key[65:].tolist() == [False, False]


def test_growth_needs_index_potential_and_expected_growth():
    table = buyers(
        current_value=[1000.0, 40, 40, 40, 40, 40],
        current_revenue=[1000.0, 40, 40, 40, 40, 40],
        potential_value=[3000.0, 100, 100, 100, 10, 100],
        next_value=[500.0, 60, 30, 60, 60, 60],
        current_order_days=[9, 8, 8, 1, 8, 8],
        loyalty_stage=["loyalty", "loyalty", "loyalty", "awareness", "loyalty", "loyalty"],
        lifecycle_stage=["retention"] * 5 + ["dormant"],
    )
    assert classify(table)["value_class"].tolist() == [
        "key",
        "growth",
        "standard",  # expected to shrink
        "standard",  # low index
        "standard",  # low potential
        "standard",  # dormant
    ]


def test_unprofitable_needs_a_known_margin_and_a_low_potential_and_burden_a_large_customer():
    table = buyers(
        current_value=[-50.0, -5, 10, 500, -5, 60],
        current_revenue=[800.0, 30, 30, 900, 30, 60],
        known_revenue=[800.0, 30, 0, 900, 30, 60],
        known_margin=[-50.0, -5, np.nan, 500, -5, 60],
        known_orders=[3, 3, 0, 3, 3, 3],
        potential_value=[-100.0, -9, 10, 900, 30, 20],
        potential_revenue=[1500.0, 20, 20, 1500, 60, 40],
        next_value=0.0,
    )
    result = classify(table)
    assert result["value_class"].tolist() == [
        "key",  # large: size does not excuse it, nor does it cost the class
        "unprofitable",
        "standard",  # margin not known
        "key",
        "standard",  # negative, but of potential
        "standard",
    ]
    assert result["burden"].tolist() == [True, False, False, False, False, False]


def test_cost_to_serve_makes_a_small_customer_unprofitable_and_a_large_one_a_burden():
    table = buyers(
        current_value=[500.0, 30, 10, 40],
        current_revenue=[900.0, 60, 60, 60],
        known_revenue=[900.0, 60, 0, 60],
        known_margin=[500.0, 30, np.nan, 40],
        known_orders=[3, 3, 0, 3],
        potential_value=[900.0, 10, 10, 20],
        potential_revenue=[1500.0, 20, 20, 40],
        next_value=0.0,
    )
    cheap = classify(table, cost_to_serve=np.array([499.0, 29, 999, 39]))
    assert cheap["value_class"].tolist() == ["key", "standard", "standard", "standard"]
    assert not cheap["burden"].any()
    assert cheap["net_rate"].tolist() == pytest.approx([1 / 900, 1 / 60, np.nan, 1 / 60], nan_ok=True)
    dear = classify(table, cost_to_serve=np.array([501.0, 31, 999, 41]))
    # what is not known, and what has potential, is no loss
    assert dear["value_class"].tolist() == ["key", "unprofitable", "standard", "standard"]
    assert dear["burden"].tolist() == [True, False, False, False]


def test_key_by_value_does_not_ask_what_others_are_worth():
    table = buyers(
        current_value=[5.0, 50, 10, 30, -1, -2],
        current_revenue=[50.0, 500, 100, 300, 310, 290],
        known_margin=[5.0, 50, 10, 30, -1, -2],
        known_revenue=[50.0, 500, 100, 300, 310, 290],
    )
    by_value = Policy([rule("key_rule", 1), rule("key_value_minimum", 30.0)])
    found = classify(table, by_value)
    # the usual rate is a tenth: revenue of 300 is worth 30, so the last but one is large, and a burden
    assert (found["value_class"] == "key").tolist() == [False, True, False, True, True, False]
    assert found["burden"].tolist() == [False, False, False, False, True, False]
    of_format = Policy([rule("key_rule", 1, "shop"), rule("key_value_minimum", 10.0, "shop")])
    table["format"] = ["shop"] * 3 + [None] * 3
    # the others by the company's share: 50 and 30 carry it, and so do the two at a loss by revenue
    assert (classify(table, of_format)["value_class"] == "key").tolist() == [
        False,
        True,
        True,
        True,
        True,
        True,
    ]


def test_value_index_is_renormalised_where_the_margin_is_not_known():
    table = buyers(
        current_revenue=[10.0, 20, 30],
        current_order_days=[1, 2, 3],
        known_revenue=[0.0, 20, 30],
        known_margin=[np.nan, 10, 3],
    )
    index = value_class.value_index(table, Peers(table["format"], POLICY), POLICY)
    third = 1 / 3
    loyal = 2 / 3  # all three tied
    assert index == pytest.approx(
        [(third + third + loyal) / 3, (2 * third + 2 * third + 1 + loyal) / 4, (1 + 1 + 0.5 + loyal) / 4]
    )
    only_margin = POLICY.replace(weight_frequency=0, weight_volume=0, weight_loyalty=0)
    index = value_class.value_index(table, Peers(table["format"], only_margin), only_margin)
    assert index == pytest.approx([third, 1, 0.5])


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.floats(0.5, 0.95))
@example([5e-324, 5e-324], 0.625)
@example([5e-324, 5e-324], 0.75)
def test_smallest_set_carries_the_share_and_is_smallest(values, share):
    values = np.array(values)
    chosen = smallest_set(values, share)
    # the smallest numbers there are cannot be multiplied by a share
    units = np.clip(values, 0, None)
    units /= max(units.max(), 5e-324)
    total, positive = units.sum(), units[units > 0]
    assert units[chosen].sum() >= share * total * (1 - 1e-8)
    assert (units[chosen] > 0).all()
    if chosen.any():
        assert np.sort(positive)[::-1][: chosen.sum() - 1].sum() < share * total
        assert (smallest_set(values * 4, share) == chosen).all()


@pytest.mark.parametrize(
    ("value", "stage", "risk", "flags", "expected"),
    [
        ("key", "retention", "low", {}, "key_stable"),
        ("key", "extension", "medium", {}, "key_stable"),
        ("key", "retention", "high", {}, "key_at_risk"),
        ("key", "dormant", "low", {}, "key_at_risk"),
        ("key", "acquisition", "low", {}, "new"),
        ("key", "lost", "high", {"worth_winning_back": True}, "lost_worth_winning_back"),
        ("standard", "lost", "high", {}, "lost"),
        ("key", "retention", "low", {"burden": True}, "burden"),
        ("unprofitable", "retention", "low", {}, "burden"),
        ("unprofitable", "dormant", "high", {}, "dormant"),
        ("growth", "retention", "low", {}, "promising"),
        ("growth", "won_back", "low", {}, "new"),
        ("standard", "acquisition", "high", {}, "new"),
        ("standard", "dormant", "high", {}, "dormant"),
        ("standard", "retention", "high", {}, "standard"),
        (None, "selection", None, {}, "prospect"),
    ],
)
def test_segment_table(value, stage, risk, flags, expected):
    row = {"value_class": value, "lifecycle_stage": stage, "churn_risk": risk}
    row |= {"burden": False, "worth_winning_back": False} | flags
    assert segment.classify(pd.DataFrame([row])).tolist() == [expected]


def test_there_are_at_most_ten_segments():
    assert len(segment.SEGMENTS) == 10


def test_worth_winning_back_are_the_lost_who_carried_most():
    table = pd.DataFrame(
        {
            "lifecycle_stage": ["lost", "lost", "lost", "retention"],
            "historical_value": [700.0, 150, 50, 9000],
            "current_value": [100.0, 0, 0, 0],
        }
    )
    assert segment.worth_winning_back(table, POLICY).tolist() == [True, False, False, False]
