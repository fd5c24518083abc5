"""The simulated company: the data are what the truth says."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal

from simulator import World, simulate
from simulator.world import LOST_TYPES, VALUE_TYPES

WORLD = World(seed=7, customers=1500)
END = pd.Timestamp(WORLD.end)


@pytest.fixture(scope="module")
def company():
    return simulate(WORLD)


@pytest.fixture(scope="module")
def sales(company):
    """Lines of sales (no returns) with the order's customer, date and price."""
    lines = company.history.lines.assign(price=company.order_prices["price"])
    orders = company.history.orders[["order_id", "customer_id", "date"]]
    products = company.history.products[["product_id", "introduced"]]
    lines = lines[lines["quantity"] > 0].merge(orders, on="order_id").merge(products, on="product_id")
    truth = company.truth[["customer_id", "value_type", "lost_type", "leave_date", "gap_days"]]
    return lines.merge(truth, on="customer_id")


@pytest.fixture(scope="module")
def orders(company):
    """Orders (no returns) with the truth of their customer."""
    table = company.history.orders
    return table[table["amount"] > 0].merge(company.truth, on="customer_id")


def delivered(company):
    table = company.history.facts["deliveries"]
    return table[~table["is_return"]].merge(company.truth, on="customer_id")


def test_a_seed_gives_the_same_company_again_and_another_seed_another():
    small = World(seed=3, customers=60)
    one, again = simulate(small), simulate(small)
    other = simulate(dataclasses.replace(small, seed=4))
    assert_frame_equal(one.truth, again.truth)
    assert_frame_equal(one.history.lines, again.history.lines)
    for name, table in one.history.facts.items():
        assert_frame_equal(table, again.history.facts[name])
    assert not one.truth["order_value"].equals(other.truth["order_value"])


def test_documents_tie_each_delivery_and_invoice_to_its_order(company):
    """As many as the facts have, on the same days; what came back names a sale that was delivered before."""
    table, facts = company.documents, company.history.facts
    assert sorted(table["order_id"]) == sorted(company.history.orders["order_id"])
    done = table[table["done"].notna()].sort_values(["done", "order_id"])
    assert_array_equal(np.sort(done["done"]), np.sort(facts["deliveries"]["known"]))
    assert done["delivered"].sum() == facts["deliveries"]["delivered"].sum()
    billed = table[table["invoice_id"] > 0].set_index("invoice_id").sort_index()
    bills = facts["invoices"].set_index("invoice_id").sort_index()
    assert_array_equal(billed.index, bills.index)
    assert_array_equal(billed["due"], bills["due"])
    assert_array_equal(billed["return_of"] > 0, bills["amount"] < 0)
    back = table[table["return_of"] > 0]
    sold = table.set_index("order_id")["done"]
    assert (back["done"].to_numpy() > sold[back["return_of"]].to_numpy()).all()


def test_every_fact_is_there_and_within_the_history(company):
    history = company.history
    assert history.warnings == []
    for name, table in history.facts.items():
        assert len(table) > 100, name
        assert table.iloc[:, 0].is_unique, name
        assert table["known"].between(END - pd.Timedelta(days=WORLD.days - 1), END).all(), name
        assert table["customer_id"].isin(history.customers["customer_id"]).all(), name
    assert history.orders["date"].max() <= END
    assert (history.orders["date"].dt.day_of_week < 5).all()
    assert set(company.truth["customer_id"]) == set(history.orders["customer_id"])


def test_lines_add_up_to_their_orders(company):
    sums = company.history.lines.groupby("order_id")["amount"].sum()
    orders = company.history.orders.set_index("order_id")
    assert np.allclose(sums.reindex(orders.index), orders["amount"], atol=0.005)


def test_nobody_orders_before_it_comes_or_once_it_has_left(orders):
    assert not (orders["date"] >= orders["leave_date"]).any()
    assert not (orders["date"] < orders["start_date"]).any()
    last = orders.groupby("customer_id")["date"].max()
    gone = orders.drop_duplicates("customer_id").set_index("customer_id")
    silent = (gone["leave_date"] - last).dt.days / gone["gap_days"]
    assert silent.median() < 1.5  # the leave date is where the orders end, not somewhere


def test_every_kind_of_truth_occurs(company):
    truth = company.truth
    assert set(truth["lost_type"].dropna()) == set(LOST_TYPES)
    assert truth["lost_type"].notna().equals(truth["leave_date"].notna())
    assert set(truth["value_type"]) == {each.name for each in VALUE_TYPES}
    assert truth["value_type"].value_counts().min() > 60
    assert {"satisfied", "neutral", "unsatisfied"} == set(truth["satisfaction"])
    assert (truth["anomaly_factor"] < 1).sum() > 10
    assert (truth["anomaly_factor"] > 1).sum() > 10
    assert truth["anomaly_date"].notna().equals(truth["anomaly_factor"] != 1)
    assert truth.loc[truth["anomaly_date"].notna(), "lost_type"].isna().all()


def test_prices_change_by_the_announced_rises_and_only_then(company, sales):
    # list prices by product and format's contract: those met between two rises are one
    formats = company.truth.set_index("customer_id")["format"]
    contract = sales["customer_id"].map(formats).map({"chain": 0.94, "wholesale": 0.96}).fillna(1.0)
    index = pd.Series(1.0, index=sales.index)
    for rise in company.price_rises.itertuples():
        hit = (sales["category"] == rise.category) & (sales["date"] >= rise.date)
        index[hit] *= 1 + rise.percent / 100
    basic = sales["price"] / contract / index
    spread = basic.groupby(sales["product_id"]).agg(lambda prices: prices.max() - prices.min())
    assert spread.max() < 0.02
    assert (company.price_rises["date"] - company.price_rises["announced"]).dt.days.eq(42).all()
    assert len(company.price_rises) > 60


def test_products_are_bought_from_their_introduction_on(sales):
    assert (sales["date"] >= sales["introduced"]).all()


def test_amounts_are_quantity_times_price_less_discount(sales):
    worth = sales["quantity"] * sales["price"] * (1 - sales["discount"] / 100)
    assert np.allclose(worth, sales["amount"], atol=0.006)


def test_value_types_do_what_their_cell_says(company, sales):
    age = (sales["date"] - sales["introduced"]).dt.days
    # the rank of a price among those paid in its category
    place = sales.groupby("category")["price"].rank(pct=True)
    coming = pd.Series(False, index=sales.index)
    for rise in company.price_rises.itertuples():
        within = (sales["date"] >= rise.announced) & (sales["date"] < rise.date)
        coming |= within & (sales["category"] == rise.category)
    facts = pd.DataFrame(
        {
            "old": age > 700,
            "new": age < 200,
            "place": place,
            "reduced": sales["discount"] > 0,
            "ahead": sales["amount"].where(coming, 0) / sales["amount"].mean(),
        }
    ).groupby(sales["value_type"])
    mean = facts.mean().T
    past, future = ["laggard", "haggler", "nostalgic"], ["pioneer", "far_sighted", "perfectionist"]
    economic, psychological = (
        ["haggler", "value_for_money", "far_sighted"],
        ["nostalgic", "achiever", "perfectionist"],
    )
    others = list(set(mean.columns) - set(past) - set(future))
    assert mean.loc["old", past].min() > 2 * mean.loc["old", [*others, *future]].max()
    assert mean.loc["new", future].min() > 2 * mean.loc["new", others].max()
    assert mean.loc["place", economic].max() < mean.loc["place", psychological].min() - 0.2
    assert (
        mean.loc["reduced", ["haggler", "value_for_money"]].min()
        > 1.4 * mean.loc["reduced", psychological].max()
    )
    share = sales["amount"].where(coming, 0).groupby(sales["value_type"]).sum()
    share /= sales.groupby("value_type")["amount"].sum()
    assert share["far_sighted"] > 2 * share.drop("far_sighted").max()
    breadth = sales.groupby(["value_type", "customer_id"])["category"].nunique().groupby("value_type").mean()
    assert breadth["perfectionist"] > breadth["laggard"] + 3
    assert breadth["pragmatist"] > breadth["laggard"] + 3


def test_late_deliveries_are_late(company):
    deliveries = delivered(company)
    late = (deliveries["known"] > deliveries["promised"]).groupby(deliveries["customer_id"]).sum()
    short = (deliveries["delivered"] < deliveries["demanded"]).groupby(deliveries["customer_id"]).sum()
    truth = company.truth.set_index("customer_id")
    assert late.reindex(truth.index, fill_value=0).equals(truth["late"].rename(None))
    assert short.reindex(truth.index, fill_value=0).equals(truth["short"].rename(None))
    rate = truth.groupby("satisfaction")["late"].sum() / truth.groupby("satisfaction")["orders"].sum()
    assert rate["satisfied"] < 0.06 < rate["neutral"] < 0.15 < rate["unsatisfied"]
    assert (deliveries["known"] >= deliveries["promised"] - pd.Timedelta(days=4)).mean() > 0.99


def test_ratings_tell_satisfaction(company):
    ratings = company.history.facts["ratings"].merge(company.truth, on="customer_id")
    assert ratings["rating"].between(1, 5).all()
    mean = ratings.groupby("satisfaction")["rating"].mean()
    assert mean["satisfied"] > 4.2 > mean["neutral"] > 2.7 > mean["unsatisfied"]


def test_returns_are_credited_and_come_after_their_delivery(company):
    history = company.history
    back = history.orders[history.orders["amount"] < 0]
    invoices, deliveries = history.facts["invoices"], history.facts["deliveries"]
    assert len(back) == deliveries["is_return"].sum() == (invoices["amount"] < 0).sum()
    assert np.isclose(back["amount"].sum(), invoices.loc[invoices["amount"] < 0, "amount"].sum())
    returned = deliveries[deliveries["is_return"]]
    sent = deliveries[~deliveries["is_return"]].set_index("order_id")["known"]
    assert (returned["known"].to_numpy() > sent[returned["order_id"]].to_numpy()).all()
    assert (returned["delivered"] > 0).all()


def test_invoices_are_of_what_was_delivered_and_paid_as_the_truth_says(company):
    facts = company.history.facts
    paid = facts["payments"].groupby("invoice_id")["amount"].sum()
    invoices = facts["invoices"].merge(company.truth[["customer_id", "pays"]], on="customer_id")
    settled = invoices["invoice_id"].map(paid).fillna(0)
    assert (settled.abs() <= invoices["total"].abs() + 0.01).all()
    last = invoices["invoice_id"].map(facts["payments"].groupby("invoice_id")["known"].max())
    full = np.isclose(settled, invoices["total"]) & (invoices["amount"] > 0)
    delay = (last - invoices["due"]).dt.days[full].groupby(invoices["pays"]).median()
    assert delay["on_time"] <= 0
    assert 5 < delay["late"] < 25 < delay["badly"]
    details = facts["order_details"]
    done = facts["deliveries"].loc[~facts["deliveries"]["is_return"], "order_id"]
    assert set(details.loc[details["invoiced"] > 0, "order_id"]) == set(done)


def test_causes_leave_their_traces_before_the_leaving(company, orders, sales):
    truth = company.truth.set_index("customer_id")
    margin = orders.groupby("lost_type")[["margin", "amount"]].sum()
    rate = margin["margin"] / margin["amount"]
    assert rate["deliberately_dropped"] < 0.05
    assert rate.drop("deliberately_dropped").min() > 0.15
    # driven away: the last six orders fail much more often than those of other leavers
    deliveries = delivered(company)
    last = deliveries.groupby("customer_id")["known"].rank(ascending=False, method="first") <= 6
    failed = (deliveries["known"] > deliveries["promised"]) | (
        deliveries["delivered"] < deliveries["demanded"]
    )
    failed = failed[last].groupby(deliveries["lost_type"]).mean()
    assert failed["unintentionally_dropped"] > 2 * failed.drop("unintentionally_dropped").max()
    # lured: category after category is missing in the orders before the last one, in no other case
    month = ((sales["leave_date"] - sales["date"]).dt.days // 30).rename("month")
    breadth = (
        sales.groupby(["lost_type", "order_id", month])
        .size()
        .groupby(["lost_type", "month"])
        .mean()
        .unstack()
    )
    fading = breadth[[0, 1]].mean(axis=1) / breadth[[9, 10, 11]].mean(axis=1)
    assert fading["lured_by_competitor"] < 0.75
    assert fading.drop("lured_by_competitor").min() > 0.85
    # price seekers go within a look or two after a rise
    rounds = np.unique(company.price_rises["date"])
    seekers = truth[truth["lost_type"] == "price_seeker"]
    after = seekers["leave_date"].to_numpy() - rounds[np.searchsorted(rounds, seekers["leave_date"]) - 1]
    assert (after / np.timedelta64(1, "D") <= 1.5 * seekers["gap_days"] + 1).all()
    blocked = company.history.customers.set_index("customer_id")["blocked"].reindex(truth.index)
    assert blocked.groupby(truth["lost_type"]).mean()["deliberately_dropped"] > 0.6
    assert not blocked[truth["lost_type"].isna()].any()


def test_anomalies_have_their_size(company, orders):
    mine = orders[orders["anomaly_date"].notna()]
    after = mine["date"] >= mine["anomaly_date"]
    first = mine.groupby("customer_id")["date"].min()
    truth = company.truth.set_index("customer_id").loc[first.index]
    spent = mine.groupby(["customer_id", after])["amount"].sum().unstack(fill_value=0)
    before_days = (truth["anomaly_date"] - first).dt.days
    now = spent[True] / ((END - truth["anomaly_date"]).dt.days + 1)
    ratio = now / (spent[False] / before_days) / truth["anomaly_factor"]
    assert 0.8 < ratio.median() < 1.3
    assert ratio.between(0.3, 3).mean() > 0.9


def test_distributions_are_plausible(company, orders):
    total = orders.groupby("customer_id")["amount"].sum().sort_values(ascending=False)
    assert 0.6 < total.head(len(total) // 5).sum() / total.sum() < 0.9
    assert 0.15 < orders["margin"].sum() / orders["amount"].sum() < 0.4
    assert (orders["margin"] < 0).mean() < 0.05
    assert 15 < orders.groupby("customer_id").size().median() < 80
    assert 0.2 < company.truth["lost_type"].notna().mean() < 0.5
    december = orders[orders["date"].dt.month == 12].groupby(orders["date"].dt.year)["amount"].sum()
    february = orders[orders["date"].dt.month == 2].groupby(orders["date"].dt.year)["amount"].sum()
    assert december[2024] > 1.03 * february[2025]


def test_leads_tell_why_and_prospects_never_bought(company):
    history = company.history
    leads = history.facts["leads"].merge(company.truth[["customer_id", "lost_type"]], on="customer_id", how="left",
                                         suffixes=("", "_true"))  # fmt: skip
    assert set(leads["outcome"]) == {"won", "lost", "pending"}
    assert leads.loc[leads["outcome"] != "lost", "lost_type"].isna().all()
    assert leads["closed"].isna().equals(leads["outcome"] == "pending")
    told = leads[leads["lost_type"].notna() & leads["lost_type_true"].notna()]
    assert 0.5 < (told["lost_type"] == told["lost_type_true"]).mean() < 0.98
    strangers = set(history.customers["customer_id"]) - set(company.truth["customer_id"])
    assert len(strangers) == round(WORLD.customers * WORLD.prospects)
    assert (leads.loc[leads["customer_id"].isin(strangers), "outcome"] != "won").all()


def test_large_bases_are_sparse():
    world = World(customers=3000, tempo=0.07)
    assert 15 < len(simulate(world).history.lines) / world.customers < 25


@pytest.mark.parametrize("wrong", [{"customers": 0}, {"days": 300}, {"tempo": 0}, {"categories": 7}])
def test_a_world_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="A world needs"):
        World(**wrong)
