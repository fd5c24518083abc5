"""Win-back plans against a company whose truth is known: an effect that was put in is found, none where none was."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulator import World, simulate

ADDON = Path(__file__).parents[2] / "crm_value_addon"
WINDOW = 90
TERMS = {
    "margin_rate": 0.3,
    "lift": 1.0,
    "saved": 0.1,
    "contact_cost": 0.01,
    "offer_cost": 0.0,
    "budget": 1e9,
    "control_share": 0.3,
}
LOTS = 100


def pure(name):
    """A module of the addon that knows nothing of Odoo, without the addon."""
    spec = importlib.util.spec_from_file_location(name, ADDON / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


choose, effect = pure("winback_choice").choose, pure("winback_effect").effect


@pytest.fixture(scope="module")
def gone():
    """Customers silent for twice their usual gap: what they bought in a year, and what they order by themselves.

    Most of them have left for good; of others the truth is that they are late, and come back by themselves.
    """
    company = simulate(World(seed=11, customers=4000))
    orders = company.history.orders[company.history.orders["amount"] > 0]
    cut_off = orders["date"].max() - pd.Timedelta(days=WINDOW)
    before = orders[orders["date"] <= cut_off]
    last = before.groupby("customer_id")["date"].max()
    truth = company.truth.set_index("customer_id")
    gap = truth["gap_days"].reindex(last.index)
    silent = last.index[(cut_off - last).dt.days > 2 * gap]
    year = before[before["date"] > before["customer_id"].map(last) - pd.Timedelta(days=364)]
    after = orders[orders["date"] > cut_off].groupby("customer_id")["amount"].sum()
    table = pd.DataFrame(
        {
            "sales": year.groupby("customer_id")["amount"].sum().reindex(silent, fill_value=0.0),
            "later": after.reindex(silent, fill_value=0.0),
        }
    )
    left = truth["leave_date"].reindex(silent) <= cut_off
    assert len(table) > 500
    assert table.loc[left.to_numpy(), "later"].sum() == 0
    assert 20 < (table["later"] > 0).sum() < len(table) / 2
    return table


def judged(gone, seed, brought_back):
    """The effect of a plan that in truth brings back a share of those contacted who would not have ordered."""
    candidates = [
        {"partner_id": customer, "kind": "lost", "sales": sales, "chance": 0.05}
        for customer, sales in gone["sales"].items()
        if sales > 1
    ]
    lines = choose(candidates, TERMS, seed)
    rng = np.random.default_rng(seed)
    arms = {arm: {"customers": 0, "ordered": 0, "sales": 0.0, "squares": 0.0} for arm in ("act", "control")}
    for line in lines:
        amount = gone["later"][line["partner_id"]]
        if line["arm"] == "act" and amount == 0 and rng.random() < brought_back:
            amount = line["sales"] / 4
        arm = arms[line["arm"]]
        arm["customers"] += 1
        arm["ordered"] += amount > 0
        arm["sales"] += amount
        arm["squares"] += amount**2
    return effect(arms["act"], arms["control"])


def test_an_effect_that_was_put_in_is_found(gone):
    told = [judged(gone, seed, brought_back=0.15) for seed in range(LOTS)]
    true = 0.15 * (gone["later"] == 0).mean()
    assert np.mean([one["found"] and one["share"] > 0 for one in told]) > 0.95
    assert np.mean([one["share"] for one in told]) == pytest.approx(true, abs=0.01)
    assert np.mean([one["low"] <= true <= one["high"] for one in told]) > 0.92
    assert not any(one["few"] for one in told)


def test_none_is_found_where_none_was(gone):
    told = [judged(gone, seed, brought_back=0.0) for seed in range(LOTS)]
    # Of 100 lots 5 % are 5; more than 13 come about once in two thousand times.
    assert sum(one["found"] for one in told) <= 13
    assert np.mean([one["share"] for one in told]) == pytest.approx(0, abs=0.01)
    assert np.mean([one["sales_low"] <= 0 <= one["sales_high"] for one in told]) > 0.9


def test_an_effect_too_small_for_so_few_customers_is_not_claimed(gone):
    few = gone.sample(60, random_state=1)
    told = [judged(few, seed, brought_back=0.02) for seed in range(LOTS)]
    assert np.mean([one["found"] for one in told]) < 0.1
    assert any(one["few"] for one in told)
