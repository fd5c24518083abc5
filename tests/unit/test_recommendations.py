"""Cross-sell gaps and replacements due, by hand and beside brute force."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from baskets import POLICY, TODAY, history_of_lines, known_of, lines_of, renumbered, shop
from conftest import history_of, orders_of
from scipy import sparse

from sync_worker.policy import Policy
from sync_worker.scoring import cross_sell, reasons, recommendations, replacement
from sync_worker.scoring.explanation import render


def gaps_of(table, policy=POLICY, **options):
    bought, facts, peers = known_of(history_of_lines(table, **options), policy)
    found = cross_sell.gaps(bought, facts, peers, policy)
    return found.assign(
        customer=facts.table["customer_id"].to_numpy()[found["row"]],
        name=bought.categories[found["category"]],
    )


def due_of(table, policy=POLICY, **options):
    bought, facts, peers = known_of(history_of_lines(table, **options), policy)
    found = replacement.due(bought, facts, peers, policy, TODAY)
    return found.assign(
        customer=facts.table["customer_id"].to_numpy()[found["row"]],
        name=bought.categories[found["category"]],
    )


def holders(*sets):
    """Customers numbered from 1, one order each, a line in every category of its set."""
    return lines_of([(n + 1, 10, c, c) for n, own in enumerate(sets) for c in sorted(own)])


PAIRS = [{1, 2}] * 20 + [{3, 4}] * 20


def test_what_goes_with_what_it_buys_is_named_and_nothing_it_has():
    found = gaps_of(holders(*PAIRS, {1}, {3}))
    by = found[found["customer"] == 41]
    assert by["name"].iloc[0] == 2
    assert 1 not in by["name"].tolist()
    assert gaps_of(holders(*PAIRS, {1}, {3})).query("customer == 42")["name"].iloc[0] == 4
    assert found["strength"].between(0, 1).all()
    assert found.groupby("customer").size().max() <= cross_sell.MOST


def test_nothing_is_named_that_it_bought_before():
    table = shop(80)
    own = set(zip(table["customer_id"], table["category"], strict=True))
    found = gaps_of(table)
    assert len(found) and not own & set(zip(found["customer"], found["name"], strict=True))


def test_the_share_is_that_of_similar_customers():
    found = gaps_of(holders(*PAIRS, {1}))
    row = found[(found["customer"] == 41) & (found["name"] == 2)].iloc[0]
    assert row["share"] == pytest.approx(20 / 41)  # too few customers for classes of size
    rare = Policy([{"key": "cross_sell_share", "format_id": None, "value": 0.6}])
    assert not len(gaps_of(holders(*PAIRS, {1}), rare))


def test_similar_customers_are_as_many_as_are_compared():
    # 24 buy for 10, 24 for 20 and 12 for more: of equals none is parted, so the two classes are of 24 and 36
    rows = [(n, 10, 1, 1, 1, 10.0) for n in range(1, 49)] + [
        (n, 10, 1, 1, 1, 10.0 * n) for n in range(49, 61)
    ]
    rows += [(n, 9, 2, 2, 1, 10.0) for n in range(1, 25)]
    bought, facts, peers = known_of(history_of_lines(lines_of(rows)))
    found = cross_sell.gaps(bought, facts, peers, POLICY)
    (told,) = cross_sell.evidence(found, bought)
    assert facts.table["customer_id"][told.holds].tolist() == list(range(49, 61))
    assert set(told.params["peers"][told.holds]) == {36} and set(told.params["percent"][told.holds]) == {67}
    assert set(told.params["category"][told.holds]) == {2}


def test_the_gap_told_is_the_first_that_is_recommended_though_another_is_commoner():
    # all but the last two buy 9; who buys 1 buys 2 as well
    table = holders(*[{1, 2, 9}] * 15, *[{3, 9}] * 30, {1}, {3})
    bought, facts, peers = known_of(history_of_lines(table))
    found = cross_sell.gaps(bought, facts, peers, POLICY)
    (told,) = cross_sell.evidence(found, bought)
    recommended = recommendations.combine(found, replacement.due(bought, facts, peers, POLICY, 0), bought)
    for row in np.flatnonzero(told.holds):
        first = json.loads(recommended[row])[0]["category_id"]
        assert told.params["category"][row] == first
        share = found[(found["row"] == row) & (bought.categories[found["category"]] == first)]["share"].iloc[
            0
        ]
        assert told.params["percent"][row] == round(100 * share)
    assert told.params["category"][45] == 2


def test_categories_are_named_by_the_ids_of_the_history_whatever_these_are():
    table = holders(*PAIRS, {1}).assign(category=lambda lines: lines["category"].map("Tins “{}”".format))
    bought, facts, peers = known_of(history_of_lines(table))
    found = cross_sell.gaps(bought, facts, peers, POLICY)
    (told,) = cross_sell.evidence(found, bought)
    [reason] = json.loads(reasons.written([reasons.told(told)], len(facts.table))[40])
    assert reason["params"]["category"] == "Tins “2”"
    assert render(reason) == "49 % of 41 similar customers buy in category Tins “2”, it does not"


def test_customers_of_another_format_do_not_count():
    formats = {n: "a" if n <= 40 else "b" for n in range(1, 81)}
    found = gaps_of(holders(*[{1, 2}] * 39, {1}, *[{1, 3}] * 39, {1}), formats=formats)
    assert found.query("customer == 40")["name"].tolist() == [2]
    assert found.query("customer == 80")["name"].tolist() == [3]


def test_weights_are_ridge_regressions_without_the_own_category():
    rng = np.random.default_rng(0)
    held = (rng.random((60, 6)) < 0.4).astype(float)
    weights = cross_sell._weights(sparse.csr_array(held))
    for target in range(6):
        others = [c for c in range(6) if c != target]
        x, y = held[:, others], held[:, target]
        expected = np.linalg.solve(x.T @ x + cross_sell.RIDGE * 60 * np.eye(5), x.T @ y)
        assert weights[others, target] == pytest.approx(expected)
        assert weights[target, target] == 0


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_neither_the_order_of_rows_nor_the_currency_matters(scale):
    table = shop(80)
    first = gaps_of(table)[["customer", "name", "share", "strength"]]
    changed = table.assign(amount=table["amount"] * scale).sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(first, gaps_of(changed)[["customer", "name", "share", "strength"]])
    columns = ["customer", "name", "interval", "due", "strength"]
    pd.testing.assert_frame_equal(due_of(table)[columns], due_of(changed)[columns])


def test_without_categories_nothing_is_named_and_nothing_fails():
    table = shop(40).assign(category=None)
    assert not len(gaps_of(table))
    assert not len(due_of(table))
    bought, facts, peers = known_of(history_of(orders_of(7, [9, 3])))
    empty = (
        cross_sell.gaps(bought, facts, peers, POLICY),
        replacement.due(bought, facts, peers, POLICY, TODAY),
    )
    assert recommendations.combine(*empty, bought).tolist() == ["[]"]
    assert np.isnan(replacement.next_due(empty[1], 1, TODAY)).all()
    assert not any(one.holds.any() for one in replacement.evidence(empty[1], bought, TODAY))
    assert not any(one.holds.any() for one in cross_sell.evidence(empty[0], bought))


MONTHLY = [(n, days, 1, 1) for n in range(1, 41) for days in (100 + n, 70 + n, 40 + n)]


def test_the_interval_is_the_own_median_shrunken_to_the_peers():
    own = [(99, days, 1, 1) for days in (140, 80, 20)]  # two gaps of 60 beside the peers' 30
    found = due_of(lines_of([*MONTHLY, *own])).query("customer == 99").iloc[0]
    expected = round(
        float(np.exp((2 * np.log(60) + replacement.PEERS_GAPS * np.log(30)) / (2 + replacement.PEERS_GAPS)))
    )
    assert found["interval"] == expected
    assert found["due"] == TODAY - 20 + expected


def test_one_purchase_is_due_by_the_peers_interval_only_where_they_buy_again():
    again = due_of(lines_of([*MONTHLY, (99, 10, 1, 1)])).query("customer == 99")
    assert again["due"].tolist() == [TODAY + 20]
    once = [(n, 50, 2, 2) for n in range(1, 41)]
    assert not len(due_of(lines_of([*MONTHLY, *once, (99, 10, 2, 2)])).query("customer == 99"))


def test_a_category_given_up_is_not_due_but_that_of_a_lost_customer_is():
    lost = [(98, days, 1, 1) for days in (460, 430, 400)]
    gave_up = [(99, days, 1, 1) for days in (460, 430, 400)] + [(99, 5, 3, 3)]
    found = due_of(lines_of([*MONTHLY, *lost, *gave_up]))
    assert found.query("customer == 98")["due"].tolist() == [TODAY - 370]
    assert 1 not in found.query("customer == 99")["name"].tolist()


def test_the_next_replacement_is_the_first_to_come_else_the_latest_missed():
    found = pd.DataFrame(
        {"row": [0, 0, 0, 1, 1], "due": [TODAY - 9, TODAY + 5, TODAY + 2, TODAY - 40, TODAY - 4]}
    )
    assert replacement.next_due(found, 3, TODAY)[:2].tolist() == [TODAY + 2, TODAY - 4]
    assert np.isnan(replacement.next_due(found, 3, TODAY)[2])


def test_evidence_tells_the_interval_and_shows_the_last_order():
    table = lines_of([*MONTHLY, (99, 10, 1, 1)])
    history = history_of_lines(table)
    bought, facts, peers = known_of(history)
    found = replacement.due(bought, facts, peers, POLICY, TODAY)
    overdue, soon = replacement.evidence(found, bought, TODAY)
    at = facts.table["customer_id"].tolist().index(99)
    assert not overdue.holds[at] and soon.holds[at]
    assert (soon.params["interval"][at], soon.params["days"][at]) == (30, 20)
    assert soon.params["category"][at] == 1
    last = history.orders.query("customer_id == 99")["order_id"].iloc[0]
    assert soon.records[at].tolist() == [last]
    late = facts.table["customer_id"].tolist().index(15)  # bought 55 days ago, every 30
    assert overdue.params["days"][late] == 25


def test_sales_at_the_counter_are_no_records_but_leave_those_of_others():
    history = history_of_lines(lines_of(MONTHLY))
    last = history.orders.groupby("customer_id")["order_id"].max()
    counter = {each: -each if each == last[3] else each for each in history.orders["order_id"]}
    bought, facts, peers = known_of(renumbered(history, counter))
    found = replacement.due(bought, facts, peers, POLICY, TODAY)
    for each in replacement.evidence(found, bought, TODAY):
        expected = np.where(facts.table["customer_id"] == 3, -1, last[facts.table["customer_id"]])
        assert (each.records[:, 0] == expected)[each.holds].all()
    named = renumbered(history, {each: f"S{each}" for each in history.orders["order_id"]})
    bought, facts, peers = known_of(named)
    found = replacement.due(bought, facts, peers, POLICY, TODAY)
    assert all(each.records is None for each in replacement.evidence(found, bought, TODAY))


def test_both_kinds_are_listed_in_turn_and_at_most_five():
    gaps = pd.DataFrame({"row": [0] * 5 + [1], "category": [0, 1, 2, 3, 4, 0], "share": 0.5, "strength": 0.4})
    due = pd.DataFrame({"row": [0] * 4, "category": [5, 6, 7, 8], "strength": 0.9, "due": TODAY})
    bought, _, _ = known_of(history_of_lines(holders(set(range(10, 20)), {1}, {2})))
    lists = [json.loads(text) for text in recommendations.combine(gaps, due, bought)]
    assert [len(one) for one in lists] == [5, 1, 0]
    assert [one["kind"] for one in lists[0]] == ["cross_sell", "replacement"] * 2 + ["cross_sell"]
    assert lists[0][1] == {
        "category_id": int(bought.categories[5]),
        "kind": "replacement",
        "strength": 0.9,
        "due": "2025-12-31",
    }
    assert lists[0][0]["due"] is None


def test_replacements_are_those_of_a_loop_over_customers():
    table = shop(60, seed=4)
    history = history_of_lines(table)
    bought, facts, peers = known_of(history)
    found = replacement.due(bought, facts, peers, POLICY, TODAY)
    days = {}
    for row, category, day in zip(bought.row, bought.category, bought.day, strict=True):
        days.setdefault((int(row), int(category)), set()).add(int(day))
    gaps = {pair: np.diff(sorted(own)) for pair, own in days.items()}
    expected = {}
    for (row, category), own in gaps.items():
        of_peers = np.concatenate([g for (_, c), g in gaps.items() if c == category])
        share = np.mean([len(g) > 0 for (_, c), g in gaps.items() if c == category])
        usual = np.log(np.median(of_peers)) if len(of_peers) >= 30 else None
        if not (len(own) >= 2 or (usual is not None and share >= 0.5)):
            continue
        mine = np.median(np.log(own)) if len(own) else 0.0
        centre = mine if usual is None else np.median(np.log(of_peers))
        interval = max(round(float(np.exp((len(own) * mine + 2 * centre) / (len(own) + 2)))), 1)
        last = max(days[row, category])
        seen = facts.table["last_day"][row]
        if seen - last <= 2 * interval and last + interval - TODAY <= 90:
            expected[row, category] = last + interval
    assert dict(zip(zip(found["row"], found["category"], strict=True), found["due"], strict=True)) == expected


def test_no_warning_and_no_failure_on_bad_lines():
    table = shop(40)
    table.loc[::7, "amount"] = 0.0
    table.loc[::5, "category"] = np.nan
    table.loc[::11, "amount"] = -5.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, due = gaps_of(table), due_of(table)
    assert found["strength"].notna().all() and due["strength"].notna().all()
