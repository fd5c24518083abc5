"""What a draft would change is what two runs would tell differently, and is found without the second one."""

import pandas as pd
import pytest
from conftest import orders_of

from simulator import World, simulate
from sync_worker import preview
from sync_worker.history.columns import HistoryError, as_day
from sync_worker.history.schema import History
from sync_worker.kept import Kept
from sync_worker.policy import Policy, schema
from sync_worker.scoring.labelling import LABELS, relabel
from sync_worker.scoring.pipeline import score
from sync_worker.scoring.preparation import REFITTING, prepare

AS_OF = "2026-06-30"


@pytest.fixture(scope="module")
def history():
    return simulate(World(seed=8, customers=150)).history


@pytest.fixture(scope="module")
def kept(history):
    day = as_day(AS_OF)
    prepared = prepare(history.until(day), day, Policy(), lambda percent, step: None)[0]
    return Kept(prepared, relabel(prepared, Policy(), withhold=True), AS_OF)


def unread(_sales):
    raise AssertionError("there was no need to read anything")


def compared(read, kept, draft, active=None):
    steps = []
    found = preview.compare(
        read, kept, AS_OF, active or Policy(), draft, lambda percent, step: steps.append((percent, step))
    )
    assert [percent for percent, _ in steps] == sorted(percent for percent, _ in steps)
    return found


def truth(history, draft, names):
    """The customers whose labels differ between two whole scorings, and how."""
    before, after = (
        score(history, AS_OF, policy, withhold=True).customers.set_index("customer_id")[names]
        for policy in (Policy(), draft)
    )
    return {
        customer: {name: (before.at[customer, name], after.at[customer, name]) for name in names}
        for customer in before.index
        if (before.loc[customer].fillna("") != after.loc[customer].fillna("")).any()
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"key_share": 0.6},
        {"lost_days": 800, "dormant_days": 200},
        {"net_value_minimum": 4000},
        {"discount_rate": 1},
    ],
)
def test_thresholds_need_neither_data_nor_a_fit(history, kept, changes, monkeypatch):
    draft, names = Policy().replace(**changes), list(LABELS)
    expected = truth(history, draft, names)
    monkeypatch.setattr(preview, "prepare", unread)
    found = compared(unread, kept, draft)
    assert set(found.changed["customer_id"]) == set(expected)
    for row in found.changed.itertuples():
        for name in names:
            pair = getattr(row, f"before_{name}"), getattr(row, name)
            assert [str(each) for each in pair] == [str(each) for each in expected[row.customer_id][name]]
    assert found.result["changed"] == len(expected) and found.result["as_of"] == AS_OF


def test_moves_add_up_to_the_customers_that_change(history, kept):
    found = compared(unread, kept, Policy().replace(key_share=0.5, risk_high_from=0.5))
    for name in LABELS:
        moves = found.result["labels"][name]
        assert all(move["before"] != move["after"] for move in moves)
        differing = found.changed[f"before_{name}"].astype(str) != found.changed[name].astype(str)
        assert sum(move["customers"] for move in moves) == differing.sum()
        money = found.changed.loc[differing, ["current_value", "potential_value"]].sum().sum()
        assert sum(move["value"] for move in moves) == pytest.approx(money, abs=0.01 * len(moves) + 0.01)
    assert any(found.result["labels"].values())


def test_the_same_policy_changes_nobody(kept):
    found = compared(unread, kept, Policy())
    assert found.changed.empty and found.result["changed"] == 0
    assert not any(found.result["labels"].values())
    assert found.result["customers"] == len(kept.labels)


@pytest.mark.parametrize("key", sorted(REFITTING - {"sales_basis"}))
def test_a_window_or_horizon_is_fitted_anew(history, kept, key):
    draft = Policy().replace(**{key: 40})
    found = compared(lambda _sales: history, kept, draft)
    assert set(found.changed["customer_id"]) == set(truth(history, draft, list(LABELS)))


def test_what_is_kept_by_another_window_is_not_used(history, kept):
    active = Policy().replace(current_window_days=180)
    found = compared(lambda _sales: history, kept, active.replace(key_share=0.6), active)
    again = compared(lambda _sales: history, None, active.replace(key_share=0.6), active)
    assert found.result == again.result


def test_nothing_kept_is_read_and_prepared_once(history, kept):
    read = []
    found = compared(lambda sales: read.append(sales) or history, None, Policy().replace(key_share=0.6))
    assert found.result == compared(unread, kept, Policy().replace(key_share=0.6)).result
    assert read == ["orders"]


def test_value_and_lost_types_are_compared_where_their_rules_change(history, kept):
    draft = Policy().replace(value_type_lines=400, lost_type_confidence=0.99)
    found = compared(lambda _sales: history, kept, draft)
    names = [*LABELS, "value_type", "lost_type"]
    assert set(found.changed["customer_id"]) == set(truth(history, draft, names))
    assert found.result["labels"]["value_type"] and found.result["labels"]["lost_type"]
    assert set(schema()) - REFITTING >= preview.WHOLE_SCORING


def invoiced(history, share=0.4, only=()):
    """The history as invoices tell it: a part of each order's money, and whatever customers are invoiced alone."""
    orders = history.orders.assign(
        order_id=history.orders["order_id"] + 500_000, amount=history.orders["amount"] * share
    )
    return History(orders[~orders["customer_id"].isin(only)], customers=history.customers)


def test_sales_counted_from_something_else_are_read_of_both(history, kept):
    active, draft = Policy(), Policy().replace(sales_basis=1)
    by_value = kept.labels.sort_values("current_value")["customer_id"]
    never_invoiced = int(by_value.iloc[-1])
    invoices = invoiced(history, only=[never_invoiced])
    read = []

    def reader(sales):
        read.append(sales)
        return {"orders": history, "invoices": invoices}[sales]

    found = compared(reader, kept, draft, active)
    assert read == ["orders", "invoices"]
    assert found.result["customers"] == len(kept.labels)
    row = found.changed.set_index("customer_id").loc[never_invoiced]
    assert row["before_value_class"] == "key" and pd.isna(row["value_class"])
    assert (row["lifecycle_stage"], row["value_segment"]) == ("selection", "prospect")
    back = compared(reader, None, active, draft)
    assert set(back.changed["customer_id"]) == set(found.changed["customer_id"])
    assert back.changed.set_index("customer_id").loc[never_invoiced, "value_class"] == "key"


def test_what_was_kept_of_orders_says_nothing_of_invoices(history, kept):
    """The active policy counts from invoices since the last run: a draft of another threshold is read anew."""
    active = Policy().replace(sales_basis=1)
    read = []
    invoices = invoiced(history)
    found = compared(
        lambda sales: read.append(sales) or invoices, kept, active.replace(key_share=0.6), active
    )
    assert read == ["invoices"]
    assert found.result == compared(lambda _: invoices, None, active.replace(key_share=0.6), active).result


def test_where_nobody_has_bought_nobody_changes():
    orders = orders_of(1, [10], -5.0).assign(order_id=1)
    found = compared(lambda _sales: History(orders), None, Policy().replace(key_share=0.6))
    assert found.changed.empty and found.result["customers"] == 0
    with pytest.raises(HistoryError):
        compared(lambda _sales: History(orders_of(1, [-1000]).assign(order_id=1)), None, Policy())
