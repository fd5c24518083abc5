"""Histories that no model was made for: each is scored with a stated confidence, or refused in words."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from conftest import AS_OF, crowd, history_of, orders_of
from shops import TODAY, history_from, sales_of, shop

from sync_worker.history.columns import LARGEST_AMOUNT
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import history_start
from sync_worker.scoring.backtest import backtest
from sync_worker.scoring.pipeline import score

NUMBERS = [
    *("churn_probability", "p_alive", "expected_orders"),
    *("expected_value", "expected_value_low", "expected_value_high"),
    *("historical_value", "current_value", "potential_value", "lifetime_value"),
]


def many(count, days, amount=100.0):
    return pd.concat([orders_of(customer, days, amount) for customer in range(1, count + 1)])


def once(count):
    rng = np.random.default_rng(0)
    return pd.concat([orders_of(customer, [rng.integers(0, 700)]) for customer in range(1, count + 1)])


def month(count):
    rng = np.random.default_rng(0)
    days = (np.unique(rng.integers(0, 30, 4)) for _ in range(count))
    return pd.concat([orders_of(customer + 1, own) for customer, own in enumerate(days)])


def with_outlier(orders):
    amount = orders["amount"].to_numpy(copy=True)
    amount[len(amount) // 3] = 1e9
    return orders.assign(amount=amount)


SHOP = crowd(150, seed=3)
RETURNED = pd.concat([orders_of(c, [300, 200, 20], [10.0, 10.0, -500.0]) for c in range(1, 61)])
HISTORIES = {
    "one customer": orders_of(1, [100, 50, 3]),
    "one order": orders_of(1, [10]),
    "one customer, daily": orders_of(1, np.arange(900)),
    "one-time buyers": once(120),
    "perfectly regular": many(60, np.arange(0, 900, 30)),
    "constant amounts": SHOP.assign(amount=50.0),
    "a single day": many(60, [0]),
    "one month": month(60),
    "an outlier": with_outlier(SHOP),
    "all returns": SHOP.assign(amount=-5.0),
    "net-negative customers": pd.concat([SHOP, RETURNED]),
    "only net-negative customers": RETURNED,
    "migrated": SHOP[SHOP["date"] >= AS_OF - pd.Timedelta(days=300)],
    "all first orders on one day": pd.concat(
        [SHOP, orders_of(0, [800]), many(120, [750]).assign(amount=9.0)]
    ),
    "duplicate rows": pd.concat([SHOP, SHOP]),
    "future rows": pd.concat([SHOP, orders_of(1, [-10, -400])]),
    "only zero amounts": SHOP.assign(amount=0.0),
    "some zero amounts": pd.concat([SHOP, crowd(60, seed=4, start=5000).assign(amount=0.0)]),
    "amounts of next to nothing": SHOP.assign(amount=1e-7),
    "enormous amounts": SHOP.assign(amount=SHOP["amount"] * LARGEST_AMOUNT / SHOP["amount"].max()),
    "a return years before": pd.concat([SHOP, orders_of(1000, [3000], -5.0)]),
    "an order decades ago": pd.concat([SHOP, orders_of(1, [16_000])]),
    "an unset date": pd.concat([SHOP, orders_of(1, [20_000])]),
}


@pytest.fixture(params=HISTORIES, scope="module")
def tried(request):
    """Name, scores and back-test of a history, made with every numerical warning an error."""
    history = history_of(HISTORIES[request.param])
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        return request.param, score(history, AS_OF, Policy()), backtest(history, AS_OF, Policy(), cutoffs=3)


def test_scores_are_numbers_with_a_stated_confidence(tried):
    name, scored, _past = tried
    customers = scored.customers
    buyers = customers[customers["order_days"].notna()]
    assert np.isfinite(buyers[NUMBERS].to_numpy(float)).all()
    for column in ("churn_probability", "p_alive"):
        assert buyers[column].between(0, 1).all()
    assert (
        buyers["p_alive"] >= 1 - buyers["churn_probability"]
    ).all()  # who orders again is still a customer
    assert set(customers["confidence"]) <= {"enough", "thin", "none"}
    if scored.summary["model"]["tier"] in {None, "rules"}:
        assert set(customers["confidence"]) == {"none"}
    if name in {"all returns", "only zero amounts"}:
        assert not len(buyers) and set(customers["value_segment"]) == {"prospect"}
        assert scored.warnings == ["No customer has an order of a positive amount yet: all are prospects."]
    else:
        assert len(buyers) and (buyers["expected_value_low"] <= buyers["expected_value_high"]).all()
        # where all are alike nothing sets a customer apart
        assert buyers["reasons"].ne("[]").mean() > (0.1 if name == "perfectly regular" else 0.9)


def test_the_backtest_grades_or_says_why_not(tried):
    name, scored, past = tried
    json.dumps(past, allow_nan=False)
    json.dumps(scored.summary, allow_nan=False)
    company = past["grades"][0]
    assert (company["grade"] is None) == (company["missing"] is not None)
    if company["missing"]:
        assert len([words for words in past["warnings"] if "how good" in words or "judge" in words]) == 1
    short = {"one customer", "one order", "one-time buyers", "a single day", "one month", "only zero amounts"}
    if name in short:
        assert company["missing"] == "cutoffs" and past["tier"] == "rules"


def warnings_of(orders, **policy):
    return score(history_of(orders), AS_OF, Policy().replace(**policy)).warnings


def test_too_little_data_is_told():
    assert any(
        "only 60 customers" not in words and "span only 1 day," in words
        for words in warnings_of(many(60, [0]))
    )
    assert any("span only 30 days" in words for words in warnings_of(month(60)))
    assert any("only 0 customers ordered again" in words for words in warnings_of(once(60)))


def test_where_nobody_ever_left_it_is_told_that_nobody_did():
    """It is not that the history were too short."""
    past = backtest(history_of(HISTORIES["perfectly regular"]), AS_OF, Policy(), cutoffs=3)
    assert len(past["cutoffs"]) == 3
    assert past["grades"][0]["missing"] == "outcomes"
    (words,) = [words for words in past["warnings"] if "how good" in words]
    assert words.startswith("Too few customers stayed away")


@pytest.mark.parametrize("count", [60, 150, 350])
def test_one_order_of_a_billion_leaves_the_others_as_they_were(count):
    """With few customers and with regressions."""
    orders = crowd(count, seed=1)
    plain, wild = (
        score(history_of(which), AS_OF, Policy()).customers for which in (orders, with_outlier(orders))
    )
    other = (wild["lifetime_value"] < 1e8).to_numpy()
    assert other.sum() == count - 1
    for column in ("expected_value", "potential_value"):
        ratio = (wild[column] / plain[column])[other]
        assert ratio.median() == pytest.approx(1, rel=0.15), column
        assert ratio.max() < 4, column
    change = (wild["churn_probability"] - plain["churn_probability"])[other]
    assert change.abs().max() < 0.1


@pytest.mark.parametrize("before", [300, 330, 360])
@pytest.mark.parametrize("count", [1, 4])
def test_large_orders_a_year_ago_make_nobody_else_spend_more(before, count):
    """The days of a season: ninety from a year before."""
    orders = crowd(200, seed=2, span=1300)
    regular = orders["customer_id"].value_counts().index[:count]
    day = AS_OF - pd.Timedelta(days=before)
    more = pd.DataFrame(
        {"customer_id": regular, "date": day, "amount": 1e5, "order_id": -np.arange(count) - 1}
    )
    plain, wild = (
        score(history_of(which), AS_OF, Policy()).customers for which in (orders, pd.concat([orders, more]))
    )
    other = ~plain["customer_id"].isin(regular).to_numpy()
    ratio = (wild["expected_value"] / plain["expected_value"])[other]
    assert ratio.median() == pytest.approx(1, rel=0.2)


def test_an_order_of_a_billion_is_named_and_no_ground_for_another():
    orders = with_outlier(crowd(350, seed=1))
    scored = score(history_of(orders), AS_OF, Policy())
    (words,) = [words for words in scored.warnings if "far above" in words]
    day = orders.loc[orders["amount"] == 1e9, "date"].iloc[0]
    assert words.startswith(f"1 order is far above all others, up to 1,000,000,000 on {day:%Y-%m-%d}: ")
    row = scored.customers.set_index("customer_id").loc[orders.loc[orders["amount"].idxmax(), "customer_id"]]
    assert row["current_value"] + row["historical_value"] > 9e8
    # three years hold twelve times the 90 days
    assert (
        0
        < row["potential_value"]
        < 12 * max(row["expected_value"], 10 * scored.customers["expected_value"].max())
    )
    assert row["potential_value"] < 1e6


def test_duplicates_and_later_rows_change_no_probability():
    plain = score(history_of(SHOP), AS_OF, Policy())
    for more in (SHOP, orders_of(1000, [-10, -400])):
        other = score(history_of(pd.concat([SHOP, more])), AS_OF, Policy())
        assert other.customers["churn_probability"].to_numpy() == pytest.approx(
            plain.customers["churn_probability"].to_numpy(), abs=1e-6
        )
    assert any("2 orders dated after 2025-12-31 were left out" in words for words in other.warnings)


def test_a_format_of_one_customer_is_compared_with_the_company():
    orders = crowd(120, seed=5)
    orders["order_id"] = np.arange(len(orders)) + 1
    ids = orders["customer_id"].unique()
    formats = np.where(ids == ids[0], 9, np.where(ids == ids[1], 8, 1))
    history = History(orders, None, pd.DataFrame({"customer_id": ids, "format_id": formats}))
    rule = {"key": "churn_horizon_days", "format_id": 9, "value": 30}
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        scored = score(history, AS_OF, Policy([rule])).customers
        past = backtest(history, AS_OF, Policy([rule]), cutoffs=2)
    assert np.isfinite(scored[NUMBERS].to_numpy(float)).all()
    assert [entry["format"] for entry in past["grades"]] == [None, 1]
    everyone_alone = history_of(orders, formats=dict(zip(ids, ids, strict=True)))
    assert np.isfinite(score(everyone_alone, AS_OF, Policy()).customers[NUMBERS].to_numpy(float)).all()


# --- a history that starts at a migration -----------------------------------------------------------------

PILE = "first order in the first 4 weeks"


def cut(sales, days):
    late = sales.day > TODAY - days
    return sales_of(sales.row[late], sales.day[late], sales.amount[late])


def piles(sales):
    history = history_from(sales)
    told = [words for words in score(history, AS_OF, Policy()).warnings if PILE in words]
    assert told == [
        words for words in backtest(history, AS_OF, Policy(), cutoffs=1)["warnings"] if PILE in words
    ]
    return told


def test_a_history_that_starts_at_a_migration_is_told_once():
    whole = shop(300, seed=1, span=1100, leave=0.05)
    assert piles(whole) == []
    (words,) = piles(cut(whole, 400))
    assert words.endswith("longer than is known.") and words.split("%")[0].isdigit()


@pytest.mark.parametrize(
    ("first", "told"),
    [
        ([0] * 60, True),  # all on one day
        ([*range(28)] * 2, True),  # all in the first weeks
        ([*range(0, 400, 4)], False),  # as many all the time
        ([0] * 20 + [*range(30, 390, 5)], True),
        ([0] * 14 + [*range(30, 390, 5)] + [200] * 40, False),  # not a large share
        ([*range(0, 112, 2)], False),  # a cohort of a quarter, then none: nobody was there before
        ([0] * 29, False),  # too few to tell
        ([int(day) for day in 400 * np.sqrt(np.linspace(0, 1, 100))], False),  # a growing company
    ],
)
def test_first_orders_that_pile_up(first, told):
    first = np.array(first)
    assert bool(history_start.warnings(1000 + first, 1400)) == told


def test_a_short_history_has_no_usual_rate():
    assert history_start.warnings(np.zeros(60, dtype=int), 110) == []
    assert history_start.warnings(np.zeros(60, dtype=int), 111)
