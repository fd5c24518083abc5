"""What holds for every module on the relation with customers, on a simulated company whose truth is known."""

import copy
import dataclasses

import numpy as np
import pandas as pd
import pytest
from conftest import uncomplaining
from dealings import in_currency, shuffled, without
from pandas.testing import assert_frame_equal

from simulator import World, simulate
from sync_worker.history.facts import FACTS, empty
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import (
    anomaly,
    attitude,
    channel,
    features,
    interactions,
    lifecycle,
    lost_type,
    loyalty,
    promises,
    prospects,
    rhythm,
    satisfaction,
    satisfaction_factors,
)
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.reasons import schema

WORLD = World(seed=31, customers=220)
END = pd.Timestamp(WORLD.end)
TODAY = int(END.timestamp() // 86400)


@dataclasses.dataclass
class Judged:
    """All that the modules say: tables with a row per buyer, company-level results, evidence."""

    tables: dict
    results: dict
    evidence: list


def judge(history):
    policy = Policy()
    facts = features.build(history, END, policy)
    peers = Peers(facts.table["format"], policy)
    rhythms = rhythm.learn(facts.days, peers, 90.0)
    own = rhythms.at(facts.days.last())
    stage = lifecycle.classify(facts, rhythms, policy)["lifecycle_stage"]
    alive = lambda at: np.ones(len(at))  # noqa: E731
    loyal = loyalty.classify(facts, rhythms, alive, TODAY, policy, **uncomplaining(facts))
    said = interactions.talk(history, facts.table["customer_id"])
    found = {
        "satisfaction": satisfaction.classify(facts, history, peers, policy, TODAY),
        "promises": promises.classify(facts, history, policy, TODAY),
        "interactions": interactions.classify(facts, history, said, peers, policy, TODAY),
        "channel": channel.classify(facts, history, TODAY),
        "anomaly": anomaly.classify(facts, stage, policy, TODAY),
        "lost": lost_type.classify(facts, history, peers, policy, TODAY, stage, own.typical(), said),
    }
    level = found["satisfaction"].table["satisfaction"].to_numpy(object)
    money = facts.table["current_value"].to_numpy()
    margin = np.where(money > np.median(money), "high", "low").astype(object)
    everybody = np.ones(len(money), dtype=bool)
    first = facts.table.set_index("customer_id")["first_day"]
    first_day = first.reindex(history.customers["customer_id"]).to_numpy(float)
    return Judged(
        {name: each.table for name, each in found.items()}
        | {"prospects": prospects.expect(history, first_day, facts.basis, TODAY).table}
        | {"attitude": pd.DataFrame({"attitude": attitude.classify(loyal, level)})},
        {
            "pivot": attitude.pivot(margin, loyal, level, np.rint(money)),
            "factors": satisfaction_factors.factors(facts, history, said, policy, everybody),
            "salespeople": found["promises"].salespeople,
        },
        [each for one in found.values() for each in one.evidence],
    )


@pytest.fixture(scope="module")
def history():
    return simulate(WORLD).history


@pytest.fixture(scope="module")
def judged(history):
    return judge(history)


def assert_same(one, other, money=1.0):
    assert one.tables.keys() == other.tables.keys()
    for name, table in one.tables.items():
        expected = table.copy()
        for column in table:
            if column.startswith("expected_value"):
                expected[column] = table[column] * money
        assert_frame_equal(expected, other.tables[name], rtol=1e-9, check_index_type=False)
    for first, second in zip(one.evidence, other.evidence, strict=True):
        assert first.code == second.code
        assert (first.holds == second.holds).all(), first.code
        if first.records is not None:
            assert (first.records[first.holds] == second.records[first.holds]).all(), first.code


def test_the_order_of_the_rows_does_not_matter(history, judged):
    mixed = judge(shuffled(history))
    assert_same(judged, mixed)
    assert judged.results == mixed.results


def test_the_currency_does_not_matter(history, judged):
    other = judge(in_currency(history, 0.01))
    assert_same(judged, other, money=0.01)
    assert judged.results["factors"] == other.results["factors"]


def test_judging_again_gives_the_same_and_changes_no_fact(history, judged):
    before = {name: table.copy() for name, table in history.facts.items()}
    assert_same(judged, judge(history))
    for name, table in before.items():
        assert_frame_equal(table, history.facts[name])


def test_every_kind_of_thing_is_said_of_somebody(judged):
    assert judged.tables["satisfaction"]["satisfaction"].nunique() == 3
    assert judged.tables["interactions"]["initiator"].nunique() == 3
    assert judged.tables["channel"]["preferred_channel"].nunique() == 3
    assert judged.tables["attitude"]["attitude"].nunique() == 4
    assert judged.tables["promises"]["promise_kept"].between(0, 1).any()
    assert judged.tables["lost"]["lost_type"].nunique() >= 4
    assert len(judged.results["salespeople"]) >= 4


def test_figures_are_whole_and_records_those_of_the_customer(history, judged):
    facts = features.build(history, END, Policy())
    ids = facts.table["customer_id"].to_numpy()
    owners = {
        "stock.picking": history.facts["deliveries"].set_index("delivery_id")["customer_id"],
        "rating.rating": history.facts["ratings"].set_index("rating_id")["customer_id"],
        "crm.lead": history.facts["leads"].set_index("lead_id")["customer_id"],
        "sale.order": history.orders.set_index("order_id")["customer_id"],
    }
    sentences = {}
    for module in (satisfaction, promises, interactions, channel, anomaly, lost_type):
        sentences |= module.SENTENCES
    for each in judged.evidence:
        spec = schema()[each.code]
        assert set(each.params) == set(spec["params"]), each.code
        sentences[each.code].format_map({name: int(np.rint(v[0])) for name, v in each.params.items()})
        for name, values in each.params.items():
            assert np.isfinite(values[each.holds]).all(), (each.code, name)
        assert each.holds.dtype == bool
        if each.records is None:
            continue
        shown = each.records[each.holds]
        assert spec["model"] in owners, each.code
        for place in range(shown.shape[1]):
            has = shown[:, place] >= 0
            assert (owners[spec["model"]].loc[shown[has, place]].to_numpy() == ids[each.holds][has]).all()
    assert {code for code in sentences} <= set(schema())


@pytest.mark.parametrize("name", [*FACTS, "lines", "standing"])
def test_a_missing_dataset_leaves_gaps_and_no_error(history, judged, name):
    less = judge(without(history, name))
    # a label of anything else stays as it is
    for module, table in judged.tables.items():
        if name not in NEEDS.get(module, ()):
            assert_frame_equal(table, less.tables[module])
    # nothing is told of records that are not there
    assert {model for model in (RECORDS.get(name),) if model} <= models_told(judged) - models_told(less)
    for module, column in (GAPS.get(name) or {}).items():
        assert less.tables[module][column].isna().all(), (module, column)


def models_told(judged):
    return {schema()[each.code]["model"] for each in judged.evidence if each.holds.any()}


LOST = ("deliveries", "ratings", "messages", "activities", "leads", "lines", "standing")
NEEDS = {
    "satisfaction": ("ratings",),
    "attitude": ("ratings", "lines"),
    "promises": ("deliveries", "order_details"),
    "interactions": ("messages", "activities"),
    "channel": ("order_details",),
    "lost": LOST,
    "prospects": ("leads",),
}
RECORDS = {"deliveries": "stock.picking", "ratings": "rating.rating", "leads": "crm.lead"}
GAPS = {
    "ratings": {"satisfaction": "satisfaction", "attitude": "attitude"},
    "order_details": {"channel": "preferred_channel"},
    "leads": {"prospects": "expected_value"},
    "messages": {"interactions": "initiator"},
}


def test_empty_datasets_are_as_good_as_none(history):
    bare = without(history, *FACTS, "lines", "standing")
    hollow = copy.copy(bare)
    hollow.facts = {name: empty(columns) for name, columns in FACTS.items()}
    assert_same(judge(bare), judge(hollow))


def test_bad_data_is_no_error():
    days = pd.date_range("2024-01-01", END, freq="20D")
    rows = [(1, day, 10.0, -5.0) for day in days] + [(2, day, -3.0, np.nan) for day in days[:4]]
    rows += [(3, days[0], 0.0, 0.0), (4, days[0], 50.0, np.nan), *[(5, day, 7.0, 1.0) for day in days[:20]]]
    orders = pd.DataFrame(rows, columns=["customer_id", "date", "amount", "margin"])
    orders["order_id"] = np.arange(len(orders)) + 1
    lines = pd.DataFrame(
        {
            "order_id": [*orders["order_id"], 9999],
            "product_id": None,
            "category": np.where(np.arange(len(orders) + 1) % 3 == 0, None, "a"),
            "quantity": np.where(np.arange(len(orders) + 1) % 4 == 0, 0.0, 1.0),
            "amount": np.where(np.arange(len(orders) + 1) % 5 == 0, 0.0, 5.0),
            "discount": np.where(np.arange(len(orders) + 1) % 7 == 0, 100.0, np.nan),
        }
    )
    known = pd.DataFrame({"customer_id": [1, 2, 3, 4, 5, 6], "format": ["x", "x", None, "y", None, "z"]})
    facts = {}
    for name, columns in FACTS.items():
        table = empty(columns).reindex(range(4))
        table["customer_id"], table["known"] = [1, 5, 2, 77], days[:4]
        for column, kind in columns.items():
            if kind == "flag":
                table[column] = False
        facts[name] = table
    found = judge(History(orders, lines, known, facts=facts))
    assert len(found.tables["lost"]) == 3  # who only returned, or bought for nothing, is no buyer
    assert found.tables["prospects"]["customer_id"].tolist() == [2, 3, 6]
    assert found.tables["promises"]["promise_kept"].isna().all()


# --- against the truth

COMPANIES = [World(seed=seed, customers=2000) for seed in (21, 22, 23)]


@pytest.fixture(scope="module")
def truth():
    """The buyers of three larger companies: what is true of each beside what is said of it (`..._said`), and whether
    its change of habit is `knowable`."""
    parts = []
    for world in COMPANIES:
        company = simulate(world)
        said = judge(company.history)
        facts = features.build(company.history, END, Policy())
        true = company.truth.set_index("customer_id").loc[facts.table["customer_id"]].reset_index()
        names = ("anomaly", "lost", "satisfaction", "interactions", "promises")
        told = pd.concat([said.tables[name] for name in names], axis=1).add_suffix("_said")
        parts.append(true.assign(knowable=knowable(true, company.history)).join(told))
    return pd.concat(parts, ignore_index=True)


def test_lost_types_claimed_are_right_four_times_in_five(truth):
    table = truth
    claimed = table[table["lost_type_said"].isin(lost_type.TYPES)]
    lost = table["lost_type_said"].notna().sum()
    right = claimed["lost_type_said"] == claimed["lost_type"]
    assert right.mean() >= 0.8
    assert len(claimed) >= 0.35 * lost  # and claimed often enough to be of use
    by_type = right.groupby(claimed["lost_type_said"].astype(str)).mean()
    assert set(by_type.index) == set(lost_type.TYPES)
    assert by_type.min() >= 0.8


def knowable(table, history):
    """Anomalies that one who knew rhythm, dispersion, day and size would call one nine times in ten at the same alarm.

    The truth has half of a factor in how often and half in how much.
    """
    orders = history.orders[history.orders["amount"] > 0]
    began = orders["customer_id"].map(table.set_index("customer_id")["anomaly_date"])
    orders = orders[~(orders["date"] >= began)]
    spread = np.log(orders["amount"]).groupby(orders["customer_id"]).std()
    spread = spread.reindex(table["customer_id"]).to_numpy()
    factor = np.sqrt(table["anomaly_factor"].to_numpy())
    expected = (END - table["anomaly_date"]).dt.days.to_numpy() / table["gap_days"].to_numpy()
    came = expected * factor
    often = 2 * (came * np.log(factor) - (came - expected)) * table["gap_shape"].to_numpy()
    much = np.log(factor) ** 2 * came / spread**2
    return np.sqrt(often + much) >= np.sqrt(anomaly.ALARM) + 1.2816


def test_sudden_changes_are_found_and_seldom_imagined(truth):
    table = truth
    changed = table["anomaly_date"].notna()
    steady = table["leave_date"].isna() & ~changed
    assert table.loc[steady, "anomaly_said"].notna().mean() <= 0.05
    right = table["anomaly_said"] == np.where(table["anomaly_factor"] < 1, "drop", "surge")
    known = changed & table["knowable"]
    assert known.sum() >= 150
    assert right[known].mean() >= 0.9


def test_satisfaction_and_initiative_are_recovered(truth):
    table = truth
    known = table["satisfaction_said"].notna()
    assert known.mean() > 0.5
    assert (table["satisfaction_said"] == table["satisfaction"])[known].mean() > 0.85
    told = table["initiator_said"].isin(["us", "customer"])
    assert (table["initiator_said"] == table["initiator"])[told].mean() > 0.9
    kept = table.groupby("satisfaction")["promise_kept_said"].mean()
    assert kept["unsatisfied"] < kept["neutral"] < kept["satisfied"]


def test_what_makes_bad_ratings_is_found():
    history = simulate(COMPANIES[0]).history
    facts = features.build(history, END, Policy())
    key = (facts.table["current_value"] > facts.table["current_value"].quantile(0.8)).to_numpy()
    said = interactions.talk(history, facts.table["customer_id"])
    found = satisfaction_factors.factors(facts, history, said, Policy(), key)
    assert {each["factor"] for each in found if each["matters"]} >= {"late", "short"}
    assert not next(each for each in found if each["factor"] == "discount")["matters"]
