"""Service strategy: by points, and never more than a hook for whom we earn nothing with."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from baskets import with_own_products

from simulator import World, simulate
from sync_worker.policy import Policy
from sync_worker.scoring import service_strategy
from sync_worker.scoring.explanation import render
from sync_worker.scoring.pipeline import score
from sync_worker.scoring.reasons import schema

POLICY = Policy()
CLASSES = ("key", "growth", "standard", "unprofitable")
STAGES = ("awareness", "approval", "preference", "loyalty")
SHARES = (np.nan, 0.0, 0.004, 0.1999, 0.2, 0.34, 1.0)


def table_of(rows):
    """(table, customisation) of (class, stage, share, burden)."""
    columns = ["value_class", "loyalty_stage", "customisation", "burden"]
    table = pd.DataFrame(rows, columns=columns).assign(format=None)
    for name, values in (("value_class", CLASSES), ("loyalty_stage", STAGES)):
        table[name] = pd.Categorical(table[name], values)
    return table, table.pop("customisation").to_numpy(float)


def strategy(*row, policy=POLICY):
    return service_strategy.classify(*table_of([row]), policy)[0]


def rows_of(customers):
    return customers[["value_class", "loyalty_stage", "customisation", "burden"]].itertuples(index=False)


EVERYBODY = table_of([*itertools.product(CLASSES, STAGES, SHARES, (False, True))])


@pytest.mark.parametrize(
    ("value_class", "loyal", "customised", "expected"),
    [
        ("key", False, False, "zipper"),
        ("key", False, True, "velcro"),
        ("key", True, False, "velcro"),
        ("key", True, True, "velcro"),
        ("growth", False, False, "hook"),
        ("growth", False, True, "zipper"),
        ("growth", True, False, "zipper"),
        ("growth", True, True, "velcro"),
        ("standard", False, False, "hook"),
        ("standard", False, True, "hook"),
        ("standard", True, False, "hook"),
        ("standard", True, True, "zipper"),
        ("unprofitable", False, False, "hook"),
        ("unprofitable", True, True, "hook"),
    ],
)
def test_points(value_class, loyal, customised, expected):
    for stage in STAGES[2:] if loyal else STAGES[:2]:
        for share in (0.2, 0.5) if customised else (0.1999, 0.0, np.nan):
            assert strategy(value_class, stage, share, False) == expected


def test_size_buys_no_concessions():
    table, share = EVERYBODY
    found = service_strategy.classify(table, share, POLICY)
    poor = table["burden"] | (table["value_class"] == "unprofitable")
    assert (found[poor] == "hook").all()
    assert set(found[~poor]) == set(service_strategy.STRATEGIES)


def test_more_of_anything_never_takes_back_what_we_grant():
    """A better class but for unprofitable, a higher stage or more customisation never lowers the strategy."""
    table, share = EVERYBODY
    found = service_strategy.classify(table, share, POLICY)
    rank = table.assign(share=np.nan_to_num(share), rank=found.codes)
    rank["points"] = -rank["value_class"].cat.codes.astype(int)
    for changed in ("points", "share"):
        same = [name for name in ("points", "loyalty_stage", "share", "burden") if name != changed]
        ordered = rank.sort_values(changed, kind="stable").groupby(same, observed=True)["rank"]
        assert (ordered.diff().fillna(0) >= 0).all()
    ordered = rank.sort_values("loyalty_stage").groupby(["points", "share", "burden"])["rank"]
    assert (ordered.diff().fillna(0) >= 0).all()


def test_from_where_a_customer_is_customised_is_a_matter_of_policy():
    policy = Policy(
        [{"key": "customised_from", "value": 0.5}, {"key": "customised_from", "value": 0.1, "format_id": "b"}]
    )
    table, share = table_of([("growth", "loyalty", 0.34, False)] * 2)
    table["format"] = ["a", "b"]
    assert [*service_strategy.classify(table, share, policy)] == ["zipper", "velcro"]


def test_everybody_is_told_one_reason_with_the_figures():
    table, share = EVERYBODY
    evidence = service_strategy.evidence(table, share, POLICY)
    assert (np.sum([each.holds for each in evidence], axis=0) == 1).all()
    assert (
        {each.code for each in evidence}
        == {code for code, spec in schema().items() if spec["topic"] == "strategy"}
        == set(service_strategy.SENTENCES)
    )


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            ("key", "loyalty", 0.348, False),
            "Key, loyal, 34 % of its sales in products kept for it (counts from 20 %)",
        ),
        (
            ("growth", "approval", 0.1999, False),
            "Growth, not loyal, 19 % of its sales in products kept for it",
        ),
        (
            ("standard", "preference", 0.004, False),
            "Standard, loyal, 1 % of its sales in products kept for it",
        ),
        (("key", "awareness", 0.0, False), "Key, not loyal, no product known to be kept for it"),
        (("growth", "loyalty", np.nan, False), "Growth, loyal, no product known to be kept for it"),
        (("key", "loyalty", 0.9, True), "Large, but leaves too little: size must not buy concessions"),
        (("unprofitable", "loyalty", 0.9, False), "Unprofitable: leaves too little for concessions"),
    ],
)
def test_words(row, words):
    (each,) = [each for each in service_strategy.evidence(*table_of([row]), POLICY) if each.holds[0]]
    params = {name: int(each.params[name][0]) for name in schema()[each.code]["params"]}
    assert render({"code": each.code, "params": params}).startswith(words)


def test_of_a_scored_company():
    """Every buyer has a strategy that its own columns give, and its reason among the others; prospects have none."""
    history = with_own_products(simulate(World(seed=5, customers=250)).history, every=5, categories=8)
    customers = score(history, "2026-06-30", POLICY).customers
    buyers, prospects = (customers[customers["order_days"].notna() == known] for known in (True, False))
    assert len(prospects) and prospects[["service_strategy", "customisation"]].isna().all(axis=None)
    assert buyers["service_strategy"].tolist() == [strategy(*row) for row in rows_of(buyers)]
    without = [strategy(*row[:2], 0.0, row[3]) for row in rows_of(buyers)]
    assert (
        buyers["service_strategy"] != without
    ).sum() >= 3  # and would have another but for its own products
    assert set(buyers["service_strategy"]) == set(service_strategy.STRATEGIES)
    assert buyers.loc[buyers["lifecycle_stage"].isin(["dormant", "lost"]), "service_strategy"].notna().all()
    for reasons in buyers["reasons"]:
        told = [each for each in json.loads(reasons) if schema()[each["code"]]["topic"] == "strategy"]
        assert len(told) == 1 and told[0]["record_ids"] == []
