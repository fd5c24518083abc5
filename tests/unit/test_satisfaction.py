import numpy as np
import pandas as pd
import pytest
from conftest import AS_OF, history_of, orders_of
from dealings import TODAY, dataset, taken
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_worker.policy import Policy, PolicyError
from sync_worker.scoring import attitude, interactions, satisfaction, satisfaction_factors
from sync_worker.scoring.satisfaction import PEERS_WEIGHT


def rated(*ratings, customers=None):
    """A history of customers with ratings `(customer, days ago, rating)`."""
    customers = customers or sorted({customer for customer, _, _ in ratings})
    history = history_of(*(orders_of(customer, [400, 10]) for customer in customers))
    who, known, rating = zip(*ratings, strict=True)
    history.facts["ratings"] = dataset("ratings", customer_id=who, known=known, rating=rating)
    return history


def judged(history, policy=None):
    facts, peers, policy, *_ = taken(history, policy)
    return satisfaction.classify(facts, history, peers, policy, TODAY)


def crowd_of(*levels, each=6):
    """Customers from 100 on, each with as many recent ratings of one level."""
    return [(100 + i, day, level) for i, level in enumerate(levels) for day in range(1, each + 1)]


def test_the_mean_is_weighted_by_age_and_drawn_to_the_peers():
    history = rated((1, 0, 5), (1, 365, 2), *crowd_of(4, 4, 4, 4, 4, 4, 4, 2, each=4))
    found = judged(history).table
    # weights 1 and 1/2: (5 + 1) / 1.5 = 4; the nine means are 4 but for one of 2
    within = 5 / 25  # (5-4)^2 + (2-4)^2 = 5, over the freedom of 1 + 8 x 3
    means = np.array([4, *[4] * 7, 2])
    between = means.var() - within * np.mean([1 / 2, *[1 / 4] * 8])
    weight = np.clip(within / between, *PEERS_WEIGHT)
    assert found["rating"][0] == pytest.approx((6 + 4 * weight) / (1.5 + weight), abs=1e-9)


def test_levels_follow_the_policy():
    history = rated(*crowd_of(5, 3, 1))
    assert judged(history).table["satisfaction"].tolist() == ["satisfied", "neutral", "unsatisfied"]
    strict = Policy().replace(satisfied_from=4.9, unsatisfied_below=3.5)
    assert judged(history, strict).table["satisfaction"].tolist() == [
        "neutral",
        "unsatisfied",
        "unsatisfied",
    ]
    with pytest.raises(PolicyError, match="must be below"):
        Policy().replace(satisfied_from=2.0, unsatisfied_below=3.0)


def test_one_rating_or_old_ones_give_no_label():
    history = rated((1, 1, 5), (2, 1500, 5), (2, 1400, 5), *crowd_of(5, 1), customers=[1, 2, 3, 100, 101])
    found = judged(history).table
    assert found["satisfaction"].isna().tolist() == [True, True, True, False, False]


def test_a_rating_of_nothing_is_none():
    history = rated((1, 1, 0), (1, 2, np.nan), (1, 3, 5), *crowd_of(5, 1))
    assert judged(history).table["satisfaction"].isna()[0]


def test_the_evidence_counts_and_shows_the_newest_ratings():
    history = rated(*((1, day, rating) for day, rating in enumerate([5, 1, 5, 4, 3, 5, 5])), *crowd_of(3, 1))
    told = {each.code: each for each in judged(history).evidence}
    assert told["satisfied_ratings"].holds.tolist() == [True, False, False]
    figures = {name: values[0] for name, values in told["satisfied_ratings"].params.items()}
    assert figures == {"good": 5, "ratings": 7}
    assert told["satisfied_ratings"].records[0].tolist() == [1, 2, 3, 4, 5]
    assert told["mixed_ratings"].holds.tolist() == [False, True, False]


def test_without_ratings_nobody_is_judged():
    history = history_of(orders_of(1, [5]))
    found = judged(history)
    assert found.table.isna().all(axis=None)
    assert found.lacks == ["ratings"] and found.evidence == []
    # a dataset that holds none is not missing
    assert judged(rated((1, 1, 0))).lacks == []


def by_hand(ratings, customers, today_weight=365):
    """The shrunken mean of each customer, None without enough, computed one by one."""
    own = {}
    for customer in customers:
        mine = [(0.5 ** (day / today_weight), rating) for who, day, rating in ratings if who == customer]
        total = sum(weight for weight, _ in mine)
        mean = sum(weight * rating for weight, rating in mine) / total if mine else None
        own[customer] = (mine, total, mean)
    several = {c: each for c, each in own.items() if len(each[0]) >= 2}
    if several:
        freedom = sum(len(mine) - 1 for mine, _, _ in several.values())
        squares = sum((rating - mean) ** 2 for mine, _, mean in several.values() for _, rating in mine)
        within = max(squares / freedom, 0.05)
        means = [mean for _, _, mean in several.values()]
        between = np.var(means) - within * np.mean([1 / len(mine) for mine, _, _ in several.values()])
        peers, weight = np.median(means), min(max(within / max(between, 1e-9), 0.5), 5)
    result = []
    for customer in customers:
        mine, total, mean = own[customer]
        enough = len(mine) >= 2 and total >= 1
        result.append((mean * total + peers * weight) / (total + weight) if enough else None)
    return result


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 900), st.integers(1, 5)), min_size=1, max_size=30)
)
def test_the_means_are_those_computed_one_by_one(ratings):
    customers = [1, 2, 3, 4]
    found = judged(rated(*ratings, customers=customers)).table["rating"]
    for value, expected in zip(found, by_hand(ratings, customers), strict=True):
        assert np.isnan(value) if expected is None else value == pytest.approx(expected)


STAGES = pd.Categorical(
    ["loyalty", "preference", "approval", "awareness", "loyalty", "loyalty"],
    categories=["awareness", "approval", "preference", "loyalty"],
)
LEVELS = np.array(["satisfied", "unsatisfied", "satisfied", "unsatisfied", "neutral", None], dtype=object)


def test_attitudes_are_the_quadrants_and_neutral_ones_have_none():
    assert attitude.classify(STAGES, LEVELS).tolist() == [
        "loyal_satisfied",
        "loyal_unsatisfied",
        "satisfied_not_loyal",
        "neither",
        None,
        None,
    ]


def test_the_pivot_has_eight_cells_and_leaves_nobody_out():
    margin = np.array(["high", "low", "high", None, "low", "high"], dtype=object)
    money = np.array([1.0, 2, 4, 8, 16, np.nan])
    found = attitude.pivot(margin, STAGES, LEVELS, money)
    assert len(found["cells"]) == 8
    filled = {
        (cell["margin"], cell["loyalty"], cell["satisfaction"]): cell["money"]
        for cell in found["cells"]
        if cell["customers"]
    }
    assert filled == {("high", "high", "high"): 1, ("low", "high", "low"): 2, ("high", "low", "high"): 4}
    assert found["outside"] == {
        "neutral": {"customers": 1, "money": 16},
        "unknown": {"customers": 2, "money": 8},
    }


@given(st.lists(st.tuples(*(st.integers(0, 4) for _ in range(3)), st.integers(-9, 9)), max_size=40))
def test_the_pivot_is_a_partition(rows):
    margin, stage, level, money = (np.array([row[i] for row in rows], dtype=int) for i in range(4))
    margin = np.array(["high", "low", None, "high", "low"], dtype=object)[margin]
    stage = pd.Categorical.from_codes(stage % 4, ["awareness", "approval", "preference", "loyalty"])
    level = np.array(["satisfied", "neutral", "unsatisfied", None, None], dtype=object)[level]
    found = attitude.pivot(margin, stage, level, money)
    parts = [*found["cells"], *found["outside"].values()]
    assert sum(part["customers"] for part in parts) == len(rows)
    assert sum(part["money"] for part in parts) == money.sum()


def test_satisfaction_by_class_counts_everybody():
    classes = pd.Categorical(["key", "key", "key", "growth"], categories=["key", "growth", "standard"])
    found = attitude.by_value_class(classes, LEVELS[[0, 1, 5, 4]], np.array([5, 1, np.nan, 3]))
    assert found[0] == {
        "value_class": "key",
        "customers": 3,
        "satisfied": 1,
        "neutral": 0,
        "unsatisfied": 1,
        "unknown": 1,
        "rating": 3.0,
    }
    assert found[1]["neutral"] == 1 and found[2]["customers"] == 0 and found[2]["rating"] is None


def served(raters, bad_when_late=True, seed=0):
    """Customers with a delivery and a rating each month, every third delivery late; ratings follow that, or chance."""
    rng = np.random.default_rng(seed)
    rows = [
        (customer, 30 * month, month % 3 == 0) for customer in range(1, raters + 1) for month in range(12)
    ]
    customer, days, late = (np.array(column) for column in zip(*rows, strict=True))
    bad = late if bad_when_late else rng.random(len(rows)) < 1 / 3
    history = history_of(*(orders_of(each, [400, 1]) for each in range(1, raters + 1)))
    # a look back of 60 days would see three deliveries: keep them apart by rating on the day itself
    history.facts["deliveries"] = dataset(
        "deliveries",
        order_id=np.arange(len(rows)),
        customer_id=customer,
        known=days,
        promised=days + 3 * late,
        demanded=np.full(len(rows), 4.0),
        delivered=np.full(len(rows), 4.0),
    )
    history.facts["ratings"] = dataset(
        "ratings", customer_id=customer, known=days, rating=np.where(bad, 1, 5)
    )
    return history


def effects(history, chosen=None):
    facts, _, policy, *_ = taken(history)
    chosen = np.ones(len(facts.table), dtype=bool) if chosen is None else chosen
    said = interactions.talk(history, facts.table["customer_id"])
    found = satisfaction_factors.factors(facts, history, said, policy, chosen)
    return {each["factor"]: each for each in found}


def test_what_comes_with_bad_ratings_matters_and_what_does_not_does_not():
    found = effects(served(30))
    assert found["late"]["effect"] > 0.3 and found["late"]["matters"]
    assert found["short"]["effect"] == 0 and not found["short"]["matters"]
    assert found["late"]["good"] == 240 and found["late"]["bad"] == 120
    assert not effects(served(30, bad_when_late=False))["late"]["matters"]


def test_the_bad_ratings_behind_a_factor_are_named_the_newest_first():
    history = served(30)
    found = effects(history)["late"]
    given = history.facts["ratings"].set_index("rating_id")
    named = given.loc[found["rating_ids"]]
    assert len(named) == satisfaction_factors.NAMED
    assert (named["rating"] == 1).all() and named["known"].is_monotonic_decreasing
    assert effects(history)["short"]["rating_ids"] == []  # there was none of it


def test_a_delivery_that_promised_nothing_is_not_in_time():
    history = served(30)
    given = history.facts["deliveries"]
    unknown = given.assign(promised=pd.NaT, demanded=np.nan, delivered=np.nan)
    history.facts["deliveries"] = pd.concat(
        [given, unknown.assign(delivery_id=unknown["delivery_id"] + 9999)]
    )
    expected = effects(served(30))
    assert effects(history) == expected
    assert expected["late"]["bad_mean"] > 0


def test_an_answer_after_the_rating_was_not_known_when_it_was_given():
    history = served(30)
    given = history.facts["ratings"]
    day = TODAY - (AS_OF - given["known"]).dt.days.to_numpy()
    bad = (given["rating"] == 1).to_numpy()
    # asked at noon of the day of the rating, answered a day later: half a day had been waited
    noon = day * 24.0 + 12
    history.facts["messages"] = dataset(
        "messages",
        customer_id=np.repeat(given["customer_id"].to_numpy(), 2),
        known=TODAY - (np.repeat(day, 2) + np.tile([0, 1], len(day))),
        hours=(noon[:, None] + [0, 24]).ravel(),
        direction=np.tile(["in", "out"], len(day)),
    )
    found = effects(history)["answer"]
    count = np.where((day - day.min()) < 30, 1, 2)  # of 60 days, but the first rating has none before it
    expected = ((12 + 24 * (count - 1)) / count)[bad].mean()
    assert found["bad_mean"] == pytest.approx(expected, abs=0.01)


def test_few_ratings_or_raters_claim_nothing():
    few = effects(served(4))["late"]
    assert few["effect"] is None and not few["matters"] and few["bad"] == 16
    history = served(30)
    assert effects(history, np.arange(30) < 4)["late"]["effect"] is None


def test_factors_need_ratings():
    history = served(6)
    del history.facts["ratings"]
    assert effects(history) == {}
