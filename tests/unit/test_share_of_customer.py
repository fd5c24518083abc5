"""Share of customer: an estimate that follows what was hidden from it, and is silent where it must be."""

import numpy as np
import pandas as pd
import pytest
from baskets import POLICY, TODAY, history_of_lines, known_of, lines_of
from conftest import history_of, orders_of
from scipy import sparse

from sync_worker.scoring import share_of_customer


def town(customers=120, seed=0, categories=10):
    """(lines, share bought from us by customer): everyone needs all categories by its size; the second half buys some
    categories elsewhere."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(4, 0.8, customers))
    rows, true = [], []
    for customer in range(customers):
        need = size[customer] * np.linspace(1, 2, categories) * np.exp(rng.normal(0, 0.2, categories))
        kept = np.ones(categories, bool)
        if customer >= customers // 2:
            kept = rng.permutation(categories) < rng.integers(2, 8)
        true.append(need[kept].sum() / need.sum())
        for day in (10, 60, 110, 160):
            rows += [(customer + 1, day, c, c, 1.0, need[c]) for c in np.flatnonzero(kept)]
    return lines_of(rows), np.array(true)


def estimate(table, policy=POLICY, **options):
    bought, facts, peers = known_of(history_of_lines(table, **options), policy)
    found = share_of_customer.estimate(bought, facts, peers, policy, TODAY)
    return found.assign(customer=facts.table["customer_id"]), facts, peers


def test_the_estimate_follows_what_is_bought_elsewhere():
    table, true = town()
    share = estimate(table)[0]["share_of_customer"].to_numpy()
    assert np.corrcoef(share, true)[0, 1] > 0.7
    assert np.median(share[:60]) > 0.8
    assert share[60:].mean() < share[:60].mean() - 0.15
    assert ((share > 0) & (share <= 1)).all()


def test_need_is_what_a_peer_of_the_same_rank_spends():
    # three peers of equal balance and one who buys nothing in the second category
    spend = sparse.csr_array(np.array([[10.0, 20, 5], [20.0, 40, 10], [30.0, 60, 15], [40.0, 0, 20]]))
    needed = share_of_customer._needed(spend)
    assert (needed[:3] >= [35, 70, 105]).all()  # never less than it buys
    # ranks: .875 in the first and third; the peer at that rank in the second spends 60
    assert needed[3] == pytest.approx(40 + 60 + 20)


def test_a_category_few_peers_buy_is_needed_by_few():
    table, _ = town()
    rare = table.query("customer_id == 1").assign(category=99, product_id=99)
    more = estimate(pd.concat([table, rare]))[0]["share_of_customer"]
    assert more[5] == pytest.approx(estimate(table)[0]["share_of_customer"][5], abs=0.02)


def test_it_is_empty_where_it_cannot_be_told():
    table, _ = town()
    assert estimate(table.query("customer_id <= 20"))[0]["share_of_customer"].isna().all()  # too few peers
    assert estimate(table.query("category < 2"))[0]["share_of_customer"].isna().all()  # too few categories
    once = table[(table["customer_id"] != 3) | (table["days_ago"] == 10)]
    assert np.isnan(estimate(once)[0]["share_of_customer"][2])
    old = table.assign(days_ago=table["days_ago"] + np.where(table["customer_id"] == 4, 400, 0))
    assert np.isnan(estimate(old)[0]["share_of_customer"][3])
    bought, facts, peers = known_of(history_of(*(orders_of(n, [90, 5]) for n in range(1, 50))))
    assert share_of_customer.estimate(bought, facts, peers, POLICY, TODAY)["share_of_customer"].isna().all()


def test_a_format_too_small_is_not_judged_by_another_trade():
    table, _ = town()
    formats = {n: "a" if n <= 110 else "b" for n in range(1, 121)}
    found = estimate(table, formats=formats)[0]
    assert found.query("customer > 110")["share_of_customer"].isna().all()
    assert found.query("customer <= 110")["share_of_customer"].notna().all()


@pytest.mark.parametrize("scale", [1.0, 1e5])
def test_neither_the_order_of_rows_nor_the_currency_matters(scale):
    table, _ = town()
    first = estimate(table)[0]["share_of_customer"]
    changed = table.assign(amount=table["amount"] * scale).sample(frac=1, random_state=2)
    assert estimate(changed)[0]["share_of_customer"].to_numpy() == pytest.approx(first.to_numpy())


def test_evidence_tells_the_estimate_and_the_gap_in_a_year():
    table, _ = town()
    found, facts, peers = estimate(table)
    (one,) = share_of_customer.evidence(found, facts, peers, POLICY)
    at = 100
    assert one.params["percent"][at] == round(100 * found["share_of_customer"][at])
    gap = found["expected_spend"][at] * (1 - found["share_of_customer"][at])
    assert one.params["amount"][at] == round(gap)
    assert one.params["peers"][at] == 120
