import numpy as np
import pandas as pd
import pytest
from conftest import AS_OF
from dealings import TODAY, ago, dataset, labels, taken

from sync_worker.history.schema import History
from sync_worker.policy import Policy, PolicyError
from sync_worker.scoring import interactions, lost_type
from sync_worker.scoring.lost_type import TYPES

#: The customer under test bought weekly from 830 days ago until it left; the others still do.
LEFT = 300
WEEKS = range(LEFT, LEFT + 530, 7)
OTHERS = range(2, 12)
CATEGORIES = ("a", "b", "c", "d")


def company(line=None, standing=None, margin=0.3, **facts):
    """Customer 1, lost, and ten who are not: everybody buys one of four products, at 10 each, every week.

    Args:
        line: function of (customer, days ago, category) to the changes of an order line, None = not bought.
        standing: columns of customer 1 among the customers.
    """
    orders, lines = [], []
    for customer in (1, *OTHERS):
        for days in WEEKS if customer == 1 else range(0, 830, 7):
            number = len(orders) + 1
            bought = []
            for category in CATEGORIES:
                changes = {} if line is None else line(customer, days, category)
                if changes is not None:
                    usual = {"quantity": 2.0, "price": 10.0, "discount": 0.0}
                    bought.append({"category": category, **usual, **changes})
            total = sum(each["quantity"] * each["price"] * (1 - each["discount"] / 100) for each in bought)
            orders.append((number, customer, days, total, total * margin))
            lines += [{"order_id": number, **each} for each in bought]
    table = pd.DataFrame(orders, columns=["order_id", "customer_id", "date", "amount", "margin"])
    table["date"] = ago(table["date"])
    goods = pd.DataFrame(lines)
    goods["amount"] = goods["quantity"] * goods["price"] * (1 - goods["discount"] / 100)
    goods["product_id"] = goods["category"]
    known = pd.DataFrame({"customer_id": [1, *OTHERS], "archived": False, "blocked": False})
    for name, value in (standing or {}).items():
        known.loc[0, name] = value
    return History(table, goods.drop(columns="price"), known, facts=facts)


def judged(history, policy=None, told=None):
    facts, peers, policy, stage, gap = taken(history, policy)
    assert np.asarray(stage, dtype=object)[0] == "lost"
    said = interactions.talk(history, facts.table["customer_id"])
    return lost_type.classify(facts, history, peers, policy, TODAY, stage, gap, said, told)


def type_of(history, **options):
    return judged(history, **options).table["lost_type"][0]


def points(history, **options):
    table = judged(history, **options).table
    return {name: table[f"points_{name}"][0] for name in TYPES if table[f"points_{name}"][0]}


def codes(history):
    return {each.code for each in judged(history).evidence if each.holds[0]}


def lost_lead(reason, closed=LEFT - 10, customer=1):
    columns = {"customer_id": [customer], "known": [closed + 20], "closed": [closed]}
    return dataset("leads", **columns, outcome=["lost"], lost_type=[reason])


def test_only_the_lost_have_a_type_and_without_evidence_it_is_undetermined():
    found = judged(company())
    assert labels(found.table["lost_type"]) == ["undetermined", *[None] * 10]
    assert found.table["lost_confidence"][0] == pytest.approx(0.2)
    assert found.table["lost_confidence"][1:].isna().all()
    assert not any(each.holds.any() for each in found.evidence)
    assert found.lacks == ["deliveries", "ratings", "messages", "activities", "leads"]


def test_blocked_by_us_is_dropped_and_archived_alone_says_nothing():
    blocked = company(standing={"blocked": True})
    assert type_of(blocked) == "deliberately_dropped"
    # three points against none: e^3 / (e^3 + 4)
    assert judged(blocked).table["lost_confidence"][0] == pytest.approx(0.834, abs=1e-3)
    archived = company(standing={"archived": True})
    assert type_of(archived) == "undetermined"
    assert points(archived) == {"deliberately_dropped": 1, "circumstances_changed": 1}
    assert codes(archived) == {"lost_archived"}


def test_a_negative_net_value_is_a_sign_that_we_chose_so():
    history = company()
    history.orders.loc[history.orders["customer_id"] == 1, "margin"] = -1.0
    assert points(history) == {"deliberately_dropped": 2}
    assert points(history, policy=Policy().replace(net_value_minimum=-1e6)) == {"deliberately_dropped": 1}
    history.orders.loc[history.orders["customer_id"] == 1, "margin"] = np.nan
    assert points(history) == {}


def credited(days, amount, margin):
    """The company whose customer 1 got a credit note so many days ago."""
    history = company()
    note = pd.DataFrame({"order_id": [99999], "customer_id": [1], "date": ago([days])})
    history.orders = pd.concat([history.orders, note.assign(amount=amount, margin=margin)], ignore_index=True)
    return history


def test_what_was_credited_after_it_left_is_none_of_the_margin_of_its_last_year():
    assert points(credited(LEFT + 1, -500.0, -2000.0)) == {"deliberately_dropped": 2}
    assert points(credited(LEFT - 30, -500.0, -2000.0)) == {}


def test_of_a_year_without_sales_no_share_of_them_is_told():
    history = credited(LEFT + 1, -9000.0, -2700.0)
    assert points(history) == {"deliberately_dropped": 2}
    assert codes(history) == set()


@pytest.mark.parametrize("reason", TYPES)
def test_a_lead_lost_about_then_tells_its_reason(reason):
    history = company(leads=lost_lead(reason))
    assert points(history) == {reason: 2 if reason == "price_seeker" else 3}
    assert type_of(history) == ("undetermined" if reason == "price_seeker" else reason)
    told = next(each for each in judged(history).evidence if each.holds[0])
    assert told.code == lost_type.LEAD_CODES[reason]
    assert told.params["days_since"][0] == LEFT - 10 and told.records[0].tolist() == [1]


def test_leads_long_before_or_after_or_of_others_tell_nothing():
    for lead in (
        lost_lead("lured_by_competitor", LEFT + 200),
        lost_lead("lured_by_competitor", LEFT - 181),
        lost_lead("lured_by_competitor", customer=2),
        lost_lead("lured_by_competitor").assign(outcome="won"),
        lost_lead("too busy"),
    ):
        assert points(company(leads=lead)) == {}


def test_the_newest_lead_counts():
    leads = pd.concat([lost_lead("lured_by_competitor", LEFT + 20), lost_lead("circumstances_changed")])
    assert type_of(company(leads=leads.assign(lead_id=[1, 2]))) == "circumstances_changed"


def deliveries(late_at_the_end, short=False):
    """A delivery a week of everybody; those of customer 1 in its last weeks late (or short)."""
    rows = [(1, days) for days in WEEKS] + [(other, days) for other in OTHERS for days in range(0, 830, 7)]
    customer, days = (np.array(column) for column in zip(*rows, strict=True))
    failed = (customer == 1) & (days < LEFT + 7 * late_at_the_end)
    return dataset(
        "deliveries",
        customer_id=customer,
        known=days,
        promised=days + 4 * (failed & (not short)),
        demanded=np.full(len(rows), 5.0),
        delivered=np.where(failed & short, 2.0, 5.0),
    )


@pytest.mark.parametrize("short", [False, True])
def test_many_late_or_short_deliveries_at_the_end_drove_it_away(short):
    history = company(deliveries=deliveries(4, short))
    assert type_of(history) == "unintentionally_dropped"
    told = next(each for each in judged(history).evidence if each.holds[0])
    assert told.code == "lost_failures"
    assert told.params["failed"][0] == 4 and told.records[0].tolist() == [1, 2, 3, 4, -1]
    assert points(company(deliveries=deliveries(1, short))) == {}


def test_a_delivery_within_the_days_of_grace_is_in_time():
    history = company(deliveries=deliveries(4))
    assert points(history, policy=Policy().replace(late_grace_days=3)) == {"unintentionally_dropped": 3}
    assert points(history, policy=Policy().replace(late_grace_days=4)) == {}


def test_deliveries_that_promised_nothing_known_are_not_counted():
    unknown = deliveries(4)
    nothing = unknown["known"] < AS_OF - pd.Timedelta(days=LEFT + 14)
    nothing &= unknown["customer_id"] == 1
    unknown.loc[nothing, "promised"] = pd.NaT
    unknown.loc[nothing, "demanded"] = np.nan
    told = next(each for each in judged(company(deliveries=unknown)).evidence if each.holds[0])
    # of the last weeks' four late ones three are known to be
    assert (told.params["failed"][0], told.params["deliveries"][0]) == (3, 3)


def test_what_was_usual_drove_nobody_away():
    always = deliveries(0)
    always["promised"] = always["known"] - pd.to_timedelta(4, unit="D")
    assert points(company(deliveries=always)) == {}


def test_low_ratings_and_late_answers_count():
    ratings = dataset(
        "ratings",
        customer_id=[1, 1, 1, *([2, 3] * 20)],
        known=[LEFT, LEFT + 5, LEFT - 10, *range(40)],
        rating=[1, 2, 1, *[5] * 40],
    )
    assert points(company(ratings=ratings)) == {"unintentionally_dropped": 3}
    hours = (TODAY - np.array([LEFT, LEFT + 20, LEFT + 40])) * 24.0
    asked, answered = [(1, hour, "in") for hour in hours], [(1, hour + 200, "out") for hour in hours[:1]]
    others = [(2, (TODAY - 400 + 5 * i) * 24.0, "in") for i in range(60)]
    others += [(2, hour + 2, "out") for _, hour, _ in others]
    who, hour, way = zip(*asked, *answered, *others, strict=True)
    messages = dataset(
        "messages",
        customer_id=who,
        hours=hour,
        direction=way,
        known=TODAY - np.floor(np.array(hour) / 24),
    )
    assert "lost_unanswered" in codes(company(messages=messages))


def test_a_rating_of_nothing_is_none_and_the_policy_says_which_are_low():
    def points_of(rating, policy=None):
        ratings = dataset(
            "ratings",
            customer_id=[1, 1, 1, *([2, 3] * 20)],
            known=[LEFT, LEFT + 5, LEFT - 10, *range(40)],
            rating=[rating, rating, rating, *[5] * 40],
        )
        return points(company(ratings=ratings), policy=policy)

    assert points_of(0) == points_of(np.nan) == points_of(3) == {}
    assert points_of(3, Policy().replace(unsatisfied_below=3.5)) == {"unintentionally_dropped": 3}
    assert points_of(2, Policy().replace(unsatisfied_below=2.0)) == {}


def test_our_silence_is_a_weak_sign_for_two_types():
    days = [LEFT + 100 + 10 * i for i in range(20)]
    history = company(activities=dataset("activities", customer_id=[1] * 20, known=days))
    assert points(history) == {"deliberately_dropped": 1, "unintentionally_dropped": 1}
    told = next(each for each in judged(history).evidence if each.holds[0])
    assert (told.code, told.params["days"][0], told.params["typical_gap"][0]) == ("lost_let_alone", 100, 10)


def elsewhere(customer, days, category):
    moved = customer == 1 and category in "ab" and days < LEFT + 100
    return None if moved else {}


def test_usual_categories_bought_no_more_were_bought_elsewhere():
    history = company(elsewhere)
    assert type_of(history) == "lured_by_competitor"
    told = next(each for each in judged(history).evidence if each.holds[0])
    assert (told.code, told.params["categories"][0], round(told.params["percent"][0])) == (
        "lost_share",
        2,
        50,
    )


def test_a_category_that_nobody_buys_any_more_was_not_bought_elsewhere():
    def ended(customer, days, category):
        return None if category in "ab" and days < LEFT + 100 else {}

    assert points(company(ended)) == {}


def test_one_who_lives_on_discounts_and_left_when_prices_rose():
    def offers(customer, days, category):
        rise = 1.1 if days < LEFT + 14 else 1.0
        return {"price": 10.0 * rise, "discount": 10.0 if customer == 1 else 0.0}

    history = company(offers)
    assert points(history) == {"price_seeker": 3}
    assert type_of(history) == "price_seeker"
    assert codes(history) == {"lost_discounts", "lost_price_rise"}

    def for_all(customer, days, category):
        return {**offers(customer, days, category), "discount": 10.0}

    # where everybody buys at a discount more is needed than that; a rise alone drives nobody away
    assert points(company(for_all))["price_seeker"] == 3
    assert points(company(lambda *a: {**offers(*a), "discount": 0.0})) == {}


def test_who_bought_once_or_twice_has_no_habits_to_tell_by():
    """One purchase, all of it at a discount, before prices rose."""

    def line(customer, days, category):
        up = 1.2 if days < LEFT + 20 else 1.0
        return {"discount": 40.0 if customer == 1 else 0.0, "price": 10.0 * up}

    history = company(line)
    assert type_of(history) == "price_seeker"
    for order_days, expected in ((3, "price_seeker"), (2, "undetermined"), (1, "undetermined")):
        few = company(line)
        own = few.orders.query("customer_id == 1")["order_id"].iloc[order_days:]
        few.orders = few.orders[~few.orders["order_id"].isin(own)].reset_index(drop=True)
        few.lines = few.lines[~few.lines["order_id"].isin(own)].reset_index(drop=True)
        assert type_of(few) == expected, order_days
        assert ("lost_discounts" in codes(few)) == (order_days == 3)


def test_less_of_everything_is_a_change_of_its_circumstances():
    def winding_down(customer, days, category):
        jitter = 0.1 * ((days + ord(category)) % 5)
        return {"quantity": (0.5 if customer == 1 and days < LEFT + 60 else 2.0) * (1 + jitter)}

    history = company(winding_down)
    assert points(history) == {"circumstances_changed": 2}
    assert type_of(company(winding_down, {"archived": True})) == "undetermined"
    lead = lost_lead("circumstances_changed")
    assert type_of(company(winding_down, leads=lead)) == "circumstances_changed"


def test_signs_for_two_types_leave_it_undetermined():
    both = company(elsewhere, {"blocked": True})
    assert points(both) == {"deliberately_dropped": 3, "lured_by_competitor": 3}
    assert type_of(both) == "undetermined"


def test_a_persons_word_wins():
    history = company(standing={"blocked": True})
    told = ["circumstances_changed", *[None] * 10]
    found = judged(history, told=told)
    assert found.table["lost_type"][0] == "circumstances_changed"
    assert found.table["lost_confidence"][0] == 1
    assert {each.code for each in found.evidence if each.holds[0]} == {"lost_told", "lost_blocked"}
    # not of one who is not lost, nor what is no type
    assert labels(judged(history, told=[None, "price_seeker", *[None] * 9]).table["lost_type"])[1] is None
    assert type_of(history, told=["no idea", *[None] * 10]) == "deliberately_dropped"


def test_the_confidence_needed_is_the_policys():
    history = company(leads=lost_lead("price_seeker"))
    # two points against none: e^2 / (e^2 + 4)
    assert judged(history).table["lost_confidence"][0] == pytest.approx(0.649, abs=1e-3)
    assert type_of(history, policy=Policy().replace(lost_type_confidence=0.6)) == "price_seeker"


def test_a_tie_may_not_be_told():
    with pytest.raises(PolicyError):
        Policy().replace(lost_type_confidence=0.5)


def test_nobody_lost_has_no_type():
    history = company()
    facts, peers, policy, stage, gap = taken(history)
    nobody = pd.Categorical(["retention"] * len(stage))
    found = lost_type.classify(facts, history, peers, policy, TODAY, nobody, gap, None)
    assert found.table["lost_type"].isna().all()
    assert not any(each.holds.any() for each in found.evidence)
