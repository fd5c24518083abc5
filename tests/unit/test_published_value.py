"""What is published of a company whose orders have margins of their own: the whole way from orders to scores."""

import numpy as np
import pandas as pd
import pytest
from conftest import AS_OF
from shops import TODAY, shop

from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import selection
from sync_worker.scoring.backtest import backtest
from sync_worker.scoring.pipeline import score

HORIZON = 90
CUTOFF = AS_OF - pd.Timedelta(days=HORIZON)
POLICY = Policy().replace(churn_horizon_days=HORIZON)


def orders_with_margins(seed):
    """Three hundred customers; a fifth of the orders is sent back two days later, with its margin."""
    rng = np.random.default_rng(seed)
    sold = shop(300, seed=seed, spread=0.4, leave=0.04, gap=30.0, span=1000)
    table = pd.DataFrame({"customer_id": sold.row + 1, "day": sold.day, "amount": sold.amount})
    table["margin"] = table["amount"] * rng.normal(0.3, 0.25, len(table))
    back = table[rng.random(len(table)) < 0.2]
    back = back.assign(day=back["day"] + 2, amount=-back["amount"], margin=-back["margin"])
    table = pd.concat([table, back[back["day"] <= TODAY]], ignore_index=True)
    table["order_id"] = np.arange(len(table)) + 1
    return table.assign(date=pd.to_datetime(table["day"], unit="D"))


@pytest.fixture(scope="module", params=range(3))
def company(request):
    """Orders, those until the cut-off as a history with lines, and the scores of that day."""
    table = orders_with_margins(request.param)
    known = table[table["date"] <= CUTOFF]
    lines = known.assign(
        product_id=known["order_id"] % 5, category=known["order_id"] % 5, quantity=1.0, discount=0.0
    )
    columns = ["order_id", "customer_id", "date", "amount", "margin"]

    def history():
        return History(known[columns].copy(), lines.copy())

    return table, history, score(history(), CUTOFF, POLICY)


def test_ranges_hold_four_in_five_margins(company):
    table, _history, scored = company
    found = scored.customers.set_index("customer_id")
    assert set(found["value_basis"]) == {"margin"}
    ahead = table[(table["date"] > CUTOFF) & (table["date"] <= AS_OF)]
    came = ahead.groupby("customer_id")["margin"].sum().reindex(found.index).fillna(0)
    held = (came >= found["expected_value_low"] - 1e-6) & (came <= found["expected_value_high"] + 1e-6)
    telling = found["churn_probability"] < 0.8
    assert held[telling].mean() == pytest.approx(0.8, abs=0.1)
    assert found["expected_value"].sum() == pytest.approx(came.sum(), rel=0.35)
    # of single orders at a rate of their own some lose money
    assert (found["expected_value_low"][telling] < 0).mean() > 0.05


def test_the_back_test_tells_margins(company):
    table, history, _scored = company
    result = backtest(history(), CUTOFF, POLICY, cutoffs=1)
    (cutoff,) = result["cutoffs"]
    start = pd.Timestamp(cutoff)
    ahead = table[(table["date"] > start) & (table["date"] <= start + pd.Timedelta(days=HORIZON))]
    known = table.loc[(table["date"] <= start) & (table["amount"] > 0), "customer_id"]
    came = ahead.loc[ahead["customer_id"].isin(known), "margin"].sum()
    assert sum(one["actual_value"] for one in result["tracking"]) == pytest.approx(came)
    deciles = result["grades"][0]["deciles"]
    size = known.nunique() / 10
    assert sum(one["actual_value"] for one in deciles) * size == pytest.approx(came, rel=0.05)
    bias = np.log(sum(one["predicted_value"] for one in result["tracking"]) / came)
    assert result["grades"][0]["value_log_bias"] == pytest.approx(bias, abs=0.01)


def test_the_next_order_is_expected_after_today_unless_it_is_overdue(company):
    table, _history, scored = company
    found = scored.customers.set_index("customer_id")
    told = found[found["expected_next_order"].notna()]
    silence = (CUTOFF - told["last_order_date"]).dt.days
    overdue = told["expected_next_order_high"] < CUTOFF
    quiet = ~overdue & (silence > told["usual_gap"].astype(float))
    assert quiet.sum() > 10 and overdue.sum() > 10
    for name in ("expected_next_order", "expected_next_order_low", "expected_next_order_high"):
        assert (told.loc[~overdue, name] > CUTOFF).all() and (told.loc[overdue, name] < CUTOFF).all()
    days = table[(table["amount"] > 0) & (table["date"] <= CUTOFF)].groupby("customer_id")["date"]
    often = found.index[found["order_days"] >= 10]
    gaps = pd.Series(
        {who: np.median(np.diff(np.unique(days.get_group(who))).astype("timedelta64[D]")) for who in often}
    )
    gaps = gaps / pd.Timedelta(days=1)
    assert (found.loc[often, "usual_gap"].astype(float) / gaps[often]).median() == pytest.approx(1, abs=0.2)
    assert found.loc[found["order_days"] < 2, "usual_gap"].isna().all()


def in_revenue(table):
    """The history of a table without its margins, each order a line of one of five categories."""
    lines = table.assign(
        product_id=table["order_id"] % 5, category=table["order_id"] % 5, quantity=1.0, discount=0.0
    )
    return History(table.assign(margin=np.nan).drop(columns=["day"]), lines)


def test_demand_is_net_of_what_is_sent_back(company):
    table, _history, _scored = company
    scored = score(in_revenue(table[table["date"] <= CUTOFF]), CUTOFF, POLICY)
    told, value = scored.summary["demand"], scored.customers["expected_value"].sum()
    assert told["expected"] / told["level"] == pytest.approx(value, rel=0.05)
    # the level is that of net sales on three earlier days, drawn half-way to 1, and some came of customers to come then
    bias = scored.summary["backtest"]["grades"][0]["value_log_bias"]
    assert 1 < told["level"] / np.exp(-bias / 2) < 1.18


def with_one_order(table, amount, days_before, category):
    """One order of a customer of few, and lines with it."""
    customer = table["customer_id"].value_counts().index[-1]
    date = CUTOFF - pd.Timedelta(days=days_before)
    more = {"customer_id": customer, "date": date, "amount": amount, "order_id": 10**6 + category}
    return pd.concat([table, pd.DataFrame([more])], ignore_index=True)


@pytest.mark.parametrize("days_before", [30, 200])
def test_one_order_makes_no_demand(days_before):
    known = orders_with_margins(1)
    known = known[known["date"] <= CUTOFF]
    wild = with_one_order(known, 400_000.0, days_before, category=2)
    plain, found = (score(in_revenue(each), CUTOFF, POLICY).summary["demand"] for each in (known, wild))
    assert found["expected"] == pytest.approx(plain["expected"], rel=0.1)
    of_two = [{row["category_id"]: row["expected"] for row in one["rows"]}[2] for one in (plain, found)]
    assert of_two[1] == pytest.approx(of_two[0], rel=0.25)


def test_forecasts_and_back_tests_are_made_of_what_single_large_orders_count(monkeypatch):
    known = orders_with_margins(1)
    known = with_one_order(known[known["date"] <= CUTOFF], 400_000.0, 200, category=2)
    largest, choose = [], selection.choose

    def chosen(sales, *args, **options):
        largest.append(sales.amount.max())
        return choose(sales, *args, **options)

    monkeypatch.setattr(selection, "choose", chosen)
    told = [
        score(in_revenue(known), CUTOFF, POLICY).warnings,
        backtest(in_revenue(known), CUTOFF, POLICY, cutoffs=1)["warnings"],
    ]
    assert len(largest) == 2 and max(largest) < 5000
    assert all(any("far above all others" in words for words in each) for each in told)


@pytest.mark.parametrize("parts", [1, 20])
def test_an_order_sent_back_in_parts_leaves_no_loss_to_be_expected(parts):
    table = orders_with_margins(1)
    known = table[table["date"] <= CUTOFF].drop(columns=["day"])
    customer = known["customer_id"].value_counts().index[0]
    dates = CUTOFF - pd.to_timedelta([50] + [40] * parts, unit="D")
    amount = np.array([40_000.0] + [-40_000.0 / parts] * parts)
    more = pd.DataFrame({"customer_id": customer, "date": dates, "amount": amount, "margin": 0.3 * amount})
    wild = pd.concat([known, more.assign(order_id=-np.arange(len(more)) - 1)])
    plain, found = (score(History(each.copy()), CUTOFF, POLICY).customers for each in (known, wild))
    assert found["expected_value"].sum() == pytest.approx(plain["expected_value"].sum(), rel=0.1)
    mine = found.set_index("customer_id").loc[customer]
    assert mine["expected_value"] > -100 and mine["potential_value"] > -500
