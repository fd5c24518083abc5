import numpy as np
import pandas as pd
import pytest
from conftest import AS_OF, history_of, orders_of
from dealings import labels, taken
from rhythms import TODAY, customers, features_of, history_of_rhythms

from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import anomaly, tide


def judged(history, stage=None, policy=None):
    built = features_of(history)
    stage = pd.Categorical(["retention"] * len(built.table)) if stage is None else stage
    return anomaly.classify(built, stage, policy or Policy(), TODAY)


def weekly(customer, weeks, amount=100.0, since=0):
    """An order a week, the last one `since` days ago."""
    return orders_of(customer, since + 7 * np.arange(weeks), amount)


def test_a_customer_that_halves_by_the_clock_is_a_drop_since_then():
    # weekly for a year, then every third week for nine weeks
    history = history_of(orders_of(1, [*range(63, 430, 7), 56, 35, 14]), weekly(2, 60))
    found = judged(history)
    assert labels(found.table["anomaly"]) == ["drop", None]
    assert -75 <= found.table["anomaly_percent"][0] <= -50
    assert abs((AS_OF - found.table["anomaly_since"][0]).days - 60) <= 20
    assert found.table.loc[1].isna().all()
    drop = found.evidence[0]
    assert drop.code == "sudden_drop" and drop.holds.tolist() == [True, False]
    assert drop.params["percent"][0] == -found.table["anomaly_percent"][0]
    assert drop.params["orders"][0] < drop.params["expected"][0]
    assert (drop.records[0] > 0).all()


def test_larger_orders_are_a_surge_and_smaller_ones_a_drop():
    amounts = np.where(np.arange(60) < 6, 300.0, 100.0) * (1 + 0.1 * np.sin(np.arange(60)))
    history = history_of(weekly(1, 60, amounts), weekly(2, 60, amounts[::-1]), weekly(3, 60, 1e4 / amounts))
    found = judged(history).table
    assert labels(found["anomaly"]) == ["surge", None, "drop"]
    assert 150 <= found["anomaly_percent"][0] <= 250


def test_half_as_many_orders_of_twice_the_size_are_none():
    history = history_of(
        orders_of(1, [*range(70, 430, 7), *range(0, 70, 14)], [100.0] * 52 + [200.0] * 5), weekly(2, 60)
    )
    assert judged(history).table["anomaly"].isna().all()


def test_a_change_below_the_policy_is_none():
    amounts = np.where(np.arange(60) < 12, 70.0, 100.0) * (1 + 0.02 * np.sin(np.arange(60)))
    history = history_of(weekly(1, 60, amounts))
    assert judged(history, policy=Policy().replace(anomaly_percent_minimum=20)).table["anomaly"][0] == "drop"
    assert judged(history, policy=Policy().replace(anomaly_percent_minimum=40)).table["anomaly"].isna().all()


def test_too_little_history_and_the_lost_have_no_alarm():
    short = history_of(orders_of(1, [*range(100, 156, 7)]), weekly(2, 4))
    assert judged(short).table["anomaly"].isna().all()
    silent = history_of(weekly(1, 40, since=120))
    assert judged(silent).table["anomaly"].tolist() == ["drop"]
    assert judged(silent).table["anomaly_percent"].tolist() == [-100]
    assert judged(silent, pd.Categorical(["lost"])).table["anomaly"].isna().all()


def test_where_nobody_with_a_rhythm_ordered_for_years_there_is_none():
    old = weekly(1, 40, since=800)
    assert judged(history_of(old)).table["anomaly"].isna().all()
    young = [orders_of(n, [5 + n, 35 + n, 65 + n]) for n in range(2, 6)]
    assert judged(history_of(old, *young)).table["anomaly"].isna().all()


def test_what_began_long_ago_is_the_pattern():
    # a year ago from weekly to every third week
    history = history_of(orders_of(1, [*range(400, 700, 7), *range(0, 400, 21)]))
    assert judged(history).table["anomaly"].isna().all()


def test_returns_are_no_orders():
    parts = [weekly(1, 60), orders_of(1, [1, 2, 3], -50.0), orders_of(2, [5], -10.0)]
    assert judged(history_of(*parts)).table["anomaly"].isna().all()


def test_a_season_of_all_is_nobodys_anomaly():
    # each customer orders about weekly, and nobody in the last month but every third week
    rng = np.random.default_rng(2)
    days = [np.concatenate([np.arange(30, 500, 7), [5, 26]]) + rng.integers(0, 3) for _ in range(150)]
    history = history_of(*(orders_of(1 + i, each, 100.0) for i, each in enumerate(days)))
    assert judged(history).table["anomaly"].notna().mean() < 0.05
    alone = history_of(orders_of(1, days[0], 100.0), *(weekly(2 + i, 70) for i in range(150)))
    assert judged(alone).table["anomaly"][0] == "drop"


def test_the_tide_leaves_out_the_customer_itself_and_few_make_none():
    row = np.repeat([0, 1], 30)
    age = np.tile(np.arange(29, -1, -1) * 10, 2)
    found = tide.learn(row, age, np.zeros(60), 2, *np.ones((2, 2), dtype=bool))
    assert np.allclose(found.pace, 1, atol=0.1) and np.allclose(found.worth, 1)
    busy = np.concatenate([np.arange(0, 30, 1)[::-1]])
    row, age = np.append(row, np.full(30, 2)), np.append(age, busy)
    moved = tide.learn(row, age, np.zeros(90), 3, *np.ones((2, 3), dtype=bool))
    assert np.allclose(moved.pace[2], found.pace[0], atol=0.1)


def test_elapsed_time_is_the_integral_of_the_pace():
    moved = tide.Tide(np.array([[2.0, 0.5, 1.0]]), np.ones((1, 3)))
    ages = np.array([0, 10, 30, 45, 60, 100])
    assert moved.elapsed(np.zeros(6, dtype=int), ages).tolist() == [0, 20, 60, 67.5, 75, 115]


#: Rhythms of customers: gap in days, Gamma shape, spread of log amounts, days of history.
STATIONARY = [
    (gap, shape, spread, span)
    for shape in (0.6, 1.0, 3.0, 20.0)
    for gap, span in ((4, 300), (10, 1000), (25, 400), (45, 1400))
    for spread in (0.2, 0.9)
]


@pytest.fixture(scope="module")
def stationary():
    """250 customers of each stationary rhythm in one company, their anomalies, and which rhythm each has."""
    rng = np.random.default_rng(5)
    parts = [
        customers(250, gap=gap, shape=shape, spread=spread, span=span, rng=rng)
        for gap, shape, spread, span in STATIONARY
    ]
    history, sizes = history_of_rhythms(*parts)
    return judged(history).table["anomaly"], np.repeat(np.arange(len(parts)), sizes)


def test_at_most_one_in_twenty_alarms_is_false(stationary):
    alarm, rhythm = stationary
    assert len(alarm) == 250 * len(STATIONARY)
    assert alarm.notna().mean() <= 0.05
    assert alarm.notna().mean() >= 0.01  # a rule that never speaks has none either
    # in no rhythm much more often than that: 0.05 and three standard errors of 250
    assert alarm.notna().groupby(rhythm).mean().max() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 250)


#: Changes that can be known: gap, shape and spread as above, factors of how often and how much, orders expected since.
CHANGES = [
    (10, 4.0, 0.3, 0.3, 1.0, 8),  # order-days down by 70 %
    (15, 10.0, 0.5, 0.4, 1.0, 8),  # by the clock, down by 60 %
    (5, 1.0, 0.5, 0.2, 1.0, 24),  # at random: more of them are needed
    (10, 3.0, 0.4, 1.0, 0.35, 8),  # as many, smaller orders
    (12, 3.0, 0.4, 0.5, 0.5, 10),  # a bit of both
    (10, 3.0, 0.4, 2.8, 1.0, 6),  # more orders
    (15, 3.0, 0.4, 1.8, 1.8, 6),  # and larger ones
]
EACH = 80


@pytest.fixture(scope="module")
def changed():
    """`EACH` customers of each change, among many more who stay as they are: what all do is a season."""
    rng = np.random.default_rng(8)
    parts = [
        customers(
            EACH,
            gap=gap,
            shape=shape,
            spread=spread,
            span=700,
            rng=rng,
            since=orders * gap,
            often=often,
            much=much,
        )
        for gap, shape, spread, often, much, orders in CHANGES
    ]
    steady = customers(2000, gap=12, shape=3, spread=0.5, span=700, rng=rng)
    return judged(history_of_rhythms(*parts, steady)[0])


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_nine_in_ten_changes_that_can_be_known_are_found(changed, number):
    *_, often, much, _orders = CHANGES[number]
    found = changed.table[number * EACH : (number + 1) * EACH]
    assert (found["anomaly"] == ("drop" if often * much < 1 else "surge")).mean() >= 0.9


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_the_percentage_and_the_day_are_about_right(changed, number):
    gap, *_, often, much, orders = CHANGES[number]
    found = changed.table[number * EACH : (number + 1) * EACH].dropna()
    percent = 100 * (often * much - 1)
    assert found["anomaly_percent"].median() == pytest.approx(percent, rel=0.3)
    days = (AS_OF - found["anomaly_since"]).dt.days
    assert days.median() == pytest.approx(orders * gap, rel=0.4)


@pytest.fixture(scope="module")
def grocer(completejourney):
    """Days and amounts of the households of a real grocer who came often enough: (customer, days before the last day,
    amount), sorted."""
    columns = ["household_id", "transaction_timestamp", "sales_value"]
    lines = pd.read_parquet(completejourney / "transactions.parquet", columns=columns)
    day = lines["transaction_timestamp"].dt.normalize()
    visits = lines.groupby(["household_id", day])["sales_value"].sum().reset_index()
    visits = visits[visits["sales_value"] > 0]
    visits.columns = ["customer_id", "date", "amount"]
    ago = (visits["date"].max() - visits["date"]).dt.days
    visits = visits.assign(ago=ago.to_numpy()).groupby("customer_id").filter(lambda own: len(own) > 8)
    return visits.sort_values(["customer_id", "date"], ignore_index=True)


def stirred(visits, rng, together):
    """The visits with the gaps of each household in another order, `together` at a time, on a circle that is cut
    anywhere: what it did is as it was, and nothing changed."""
    parts = []
    for customer, own in visits.groupby("customer_id"):
        gaps = np.append(-np.diff(own["ago"]), max(own["ago"].iloc[-1], 1))
        pieces = np.array_split(np.arange(len(gaps)), -(-len(gaps) // together))
        rng.shuffle(pieces)
        order = np.concatenate(pieces)
        start = np.append(0, np.cumsum(gaps[order])[:-1])
        ago = (rng.integers(gaps.sum()) - start) % gaps.sum()
        dates = AS_OF - pd.to_timedelta(ago, unit="D")
        amount = own["amount"].to_numpy()[order]
        parts.append(pd.DataFrame({"customer_id": customer, "date": dates, "amount": amount}))
    orders = pd.concat(parts, ignore_index=True)
    return History(orders.assign(order_id=np.arange(len(orders)) + 1))


@pytest.fixture(scope="module")
def as_it_was(grocer):
    dates = AS_OF - pd.to_timedelta(grocer["ago"], unit="D")
    built, _, policy, stage, _ = taken(
        History(grocer.assign(date=dates, order_id=np.arange(len(grocer)) + 1))
    )
    return anomaly.classify(built, stage, policy, TODAY)


@pytest.mark.parametrize("together", [1, 4])  # one by one, and a run of four as it was
def test_at_most_one_in_twenty_alarms_of_real_customers_is_false(grocer, as_it_was, together):
    """By the border of the company as it is, which is above that of simulated customers."""
    built, _, policy, stage, _ = taken(stirred(grocer, np.random.default_rng(3), together))
    found = anomaly.classify(built, stage, policy, TODAY).evidence[0].strength
    strength = np.where(stage == "lost", 0.0, found)
    assert len(strength) > 2000
    assert 0.01 <= (strength > as_it_was.border).mean() <= 0.05
    assert (strength > anomaly.ALARM).mean() > 0.05


def test_of_real_customers_more_changed_than_chance_explains(as_it_was):
    assert as_it_was.table["anomaly"].notna().mean() > 0.1


def test_few_customers_those_who_changed_beyond_doubt_and_those_who_left_set_no_border(changed):
    assert changed.border < anomaly.ALARM + 0.5  # a fifth of them changed
    rng = np.random.default_rng(4)
    steady = customers(400, gap=12, shape=3, spread=0.5, span=700, rng=rng)
    row, ago, amount = customers(200, gap=12, shape=3, spread=0.5, span=400, rng=rng)
    built, _, policy, stage, _ = taken(history_of_rhythms(steady, (row, ago + 300, amount))[0])
    assert (stage == "lost").sum() >= 190
    assert anomaly.classify(built, stage, policy, TODAY).border < anomaly.ALARM + 0.5
    assert judged(history_of(*(weekly(n, 40) for n in range(1, 50)))).border == anomaly.ALARM
