from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from shops import TODAY, past_of, sales_of, shop, with_lines

from sync_worker.policy import Policy
from sync_worker.scoring import base_models, trials
from sync_worker.scoring.attribution import (
    AHEAD,
    GROUPS,
    SURELY,
    _aged,
    _facts,
    _situation,
    after_an_order,
    contributions,
    days_left,
)
from sync_worker.scoring.churn import RhythmModel
from sync_worker.scoring.forecast import Forecast
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.seasonality import NO_SEASON, Season
from sync_worker.scoring.situation import Situation, take

HORIZON = 60.0
TIERS = ["rules", "mbg_nbd", "rhythm", "transfer", "regression", "boosted", "in season"]


class Company:
    def __init__(self):
        self.sales = shop(300, seed=1, parting=0.3)
        row = np.append(self.sales.row, [3, 7])
        day = np.append(self.sales.day, [TODAY - 4, TODAY - 90])
        self.sales = with_lines(sales_of(row, day, np.append(self.sales.amount, [-30.0, -500.0])))
        self.past = past_of(self.sales)
        snapshot, base = self.past.moment(TODAY)
        self.situation = snapshot.situation
        found = trials.forecasts(base, self.past.lessons(TODAY), NO_SEASON, self.situation, HORIZON)
        rules = RhythmModel(small=True).fit(self.situation)
        found["rules"] = Forecast(rules, base_models.fit_spend(self.situation))
        found["in season"] = replace(found["regression"], season=Season(0.4))
        self.forecasts = found
        self.horizon = np.full(len(self.situation), HORIZON)
        formats = pd.Series(np.where(np.arange(len(self.situation)) < 100, 1, 2))
        self.peers = Peers(formats, Policy())
        self.asked = np.random.default_rng(0).permutation(len(self.situation))[:80]
        self._booked = {}

    def booked(self, days):
        """The situation of each customer of `asked` after an order of it alone so many days from now."""
        if days not in self._booked:
            found = [self._after(row, TODAY + days) for row in self.asked]
            names = [field.name for field in fields(Situation)]
            joined = {name: np.concatenate([getattr(one, name) for one in found]) for name in names}
            self._booked[days] = Situation(**joined)
        return self._booked[days]

    def _after(self, row, day):
        sales, amount = self.sales, self.situation.mean_spend[row]
        booked = sales_of(
            np.append(sales.row, row), np.append(sales.day, day), np.append(sales.amount, amount)
        )
        found = take(with_lines(booked), self.past.formats, day, 60, self.past.policy)
        return found.situation.part([row])


@pytest.fixture(scope="module")
def company():
    return Company()


@pytest.fixture(params=TIERS)
def forecast(request, company):
    return company.forecasts[request.param]


def told(company, forecast):
    actual = forecast.p_no_purchase(company.horizon, company.situation)
    return contributions(forecast, company.situation, company.horizon, company.peers, actual)


def usual_facts(company, situation):
    """The facts of each customer's typical peer."""
    usual = {name: company.peers.median(values) for name, values in _facts(situation).items()}
    return usual | {"x": np.floor(usual["x"])}


def test_the_groups_are_all_the_facts_of_a_situation():
    names = [name for group in GROUPS.values() for name in group]
    stand_for = {"silence": "t_x", "returned": "revenue"}
    told = {field.name for field in fields(Situation)} - {
        "worth"
    }  # which the chance of an order does not rest on
    assert sorted(stand_for.get(name, name) for name in names) == sorted(told)


def test_contributions_and_the_typical_customer_add_up_to_the_probability(company, forecast):
    s, horizon = company.situation, company.horizon
    typical = forecast.p_no_purchase(horizon, _situation(usual_facts(company, s)))
    # peers share their typical customer
    assert len(np.unique(typical[:100])) == len(np.unique(typical[100:])) == 1
    whole = typical + sum(told(company, forecast).values())
    assert whole == pytest.approx(forecast.p_no_purchase(horizon, s), abs=1e-12)


def test_a_typical_customer_between_one_order_and_two_has_one(company):
    s, forecast = company.situation, company.forecasts["mbg_nbd"]
    two = s.part([np.flatnonzero(s.x == 0)[0], np.flatnonzero(s.x == 1)[0]])
    horizon, peers = company.horizon[:2], Peers(pd.Series([None, None], dtype=object), Policy())
    actual = forecast.p_no_purchase(horizon, two)
    parts = contributions(forecast, two, horizon, peers, actual)
    silent = np.full(2, two.silence.mean())
    once = two.but(x=np.zeros(2), t_x=np.zeros(2), T=silent)
    assert actual - sum(parts.values()) == pytest.approx(forecast.p_no_purchase(horizon, once))


def test_the_facts_taken_apart_and_put_together_are_the_situation(company):
    """Else the last step of the sum would hide what the facts do not tell."""
    again = _situation(_facts(company.situation))
    for field in fields(Situation):
        if field.name == "worth":  # which the chance of an order does not rest on
            continue
        mine, theirs = getattr(again, field.name), getattr(company.situation, field.name)
        if field.name == "revenue":
            theirs = np.clip(theirs, 0, None)  # who returned more than it bought has returned all
        assert mine == pytest.approx(theirs, abs=1e-6), field.name


def test_swapping_one_group_by_hand_gives_the_change_that_is_told(company, forecast):
    """With all groups but one typical, that one makes the whole difference, in the first order and the last."""
    s, horizon = company.situation, company.horizon
    usual = usual_facts(company, s)
    start = forecast.p_no_purchase(horizon, _situation(usual))
    for name, group in GROUPS.items():
        mixed = _situation(usual | {fact: _facts(s)[fact] for fact in group})
        actual = forecast.p_no_purchase(horizon, mixed)
        parts = _told_against(company, forecast, mixed, usual, actual)
        assert actual - sum(parts.values()) == pytest.approx(start, abs=1e-12)
        # where the silence is longer than the usual time with us, that grows with it
        fits = (usual["T"] == mixed.T) | (name == "frequency")
        assert fits.mean() > 0.7
        assert parts[name][fits] == pytest.approx((actual - start)[fits], abs=1e-9), name
        for other in set(GROUPS) - {name}:
            assert parts[other][fits] == pytest.approx(0, abs=1e-9), (name, other)


def _told_against(company, forecast, situation, usual, actual):
    """Contributions of customers against the typical ones of the company."""

    class InOrder:
        """Medians are asked for fact by fact, in the order of the facts."""

        def __init__(self):
            self.names = iter(_facts(situation))
            self.group = company.peers.group

        def median(self, _values):
            return usual[next(self.names)]

    return contributions(forecast, situation, company.horizon, InOrder(), actual)


def test_steps_are_averaged_over_the_order_of_the_groups_and_its_reverse(company):
    forecast, s, horizon = company.forecasts["boosted"], company.situation, company.horizon
    parts = told(company, forecast)
    own, usual = _facts(s), usual_facts(company, s)

    def with_groups(*names):
        facts = usual | {fact: own[fact] for name in names for fact in GROUPS[name]}
        return forecast.p_no_purchase(horizon, _situation(facts))

    first = with_groups("frequency", "pace") - with_groups("frequency")
    reverse = with_groups("timing", "returns", "breadth", "spend", "pace")
    reverse -= with_groups("timing", "returns", "breadth", "spend")
    assert parts["pace"] == pytest.approx((first + reverse) / 2, abs=1e-9)


def test_a_fact_the_model_does_not_know_contributes_nothing(company):
    for name in ("mbg_nbd", "rhythm", "rules"):
        parts = told(company, company.forecasts[name])
        for group in ("pace", "spend", "breadth", "returns"):
            assert parts[group] == pytest.approx(0, abs=1e-9), (name, group)
        assert np.abs(parts["timing"]).max() > 0.1


def test_a_basket_that_nobody_has_contributes_nothing(company, forecast):
    s = company.situation.but(categories=company.situation.x * 0, lines=company.situation.x * 0)
    actual = forecast.p_no_purchase(company.horizon, s)
    parts = contributions(forecast, s, company.horizon, company.peers, actual)
    assert (parts["breadth"] == 0).all()
    typical = forecast.p_no_purchase(company.horizon, _situation(usual_facts(company, s)))
    assert typical + sum(parts.values()) == pytest.approx(actual, abs=1e-12)


def test_breadth_contributes_where_the_model_looks_at_it(company):
    parts = told(company, company.forecasts["regression"])
    assert np.abs(parts["breadth"]).max() > 0


def test_silence_speaks_for_churn_and_a_recent_order_against_it(company):
    parts = told(company, company.forecasts["mbg_nbd"])
    order = np.argsort(company.situation.silence)
    assert parts["timing"][order[-20:]].min() > 0 > parts["timing"][order[:20]].max()


# --- what an order would change ---------------------------------------------------------------------------


def test_an_order_changes_these_facts_and_no_others(company, forecast):
    s = company.situation
    for days in (7, 45):
        aged, gap = _aged(s, HORIZON, days), np.log(s.silence + days)
        # the spread of the gaps so far, which counts as three and as those after the first, and the new one's part
        squares = s.sigma**2 * (np.maximum(s.x - 1, 0) + 3) + (gap - s.mu) ** 2 * s.x / (s.x + 1)
        by_hand = Situation(
            x=s.x + 1,
            t_x=s.T + days,
            T=s.T + days,
            mu=s.mu + (gap - s.mu) / (s.x + 1 + np.where(gap > s.mu, 0.5, 5.0)),
            sigma=np.clip(np.sqrt(squares / (s.x + 3)), 0.05, 1.5),
            latest_orders=aged.latest_orders + 1,
            recent_orders=aged.recent_orders + 1,
            before_orders=aged.before_orders,
            earlier_orders=aged.earlier_orders,
            recent_spend=aged.recent_spend + s.mean_spend,
            before_spend=aged.before_spend,
            mean_spend=s.mean_spend,
            last_spend=s.mean_spend,
            revenue=s.revenue + s.mean_spend,
            categories=s.categories,
            lines=s.lines,
        )
        expected = forecast.p_no_purchase(company.horizon, by_hand)
        assert after_an_order(forecast, s, company.horizon, days, window=HORIZON) == pytest.approx(
            expected, abs=1e-12
        )


@pytest.mark.parametrize("days", [1, 15, 30, 45, 60, 90, 200])
def test_orders_of_late_grow_older_until_the_next(company, days):
    """As counted of a customer who ordered every day until today for one unit of money, by windows of 60 days whatever
    its own horizon is."""
    windows = {
        "latest_orders": (0, 20),
        "recent_orders": (0, 60),
        "before_orders": (60, 120),
        "earlier_orders": (120, 240),
        "recent_spend": (0, 60),
        "before_spend": (60, 120),
    }

    def counted(ages):
        return {name: float(((ages >= a) & (ages < b)).sum()) for name, (a, b) in windows.items()}

    now, later = counted(np.arange(240)), counted(np.arange(240) + days)
    today = company.situation.part([0])
    today = today.but(
        t_x=today.T, mean_spend=np.ones(1), **{name: np.array([count]) for name, count in now.items()}
    )
    found = _aged(today, 60.0, days)
    # the newest order of each day lies at its begin, the others evenly: off by one at most
    assert {name: getattr(found, name)[0] for name in windows} == pytest.approx(later, abs=1.0)


def test_the_newest_order_lies_where_the_silence_begins(company):
    """One order 50 days ago: it leaves the window of 60 days within ten, not little by little."""
    one = company.situation.part([0])
    nothing = dict.fromkeys(("latest_orders", "before_orders", "earlier_orders", "before_spend"), np.zeros(1))
    one = one.but(
        T=np.full(1, 50.0), t_x=np.zeros(1), recent_orders=np.ones(1), recent_spend=np.full(1, 8.0), **nothing
    )
    for days, recent in ((5, 1), (9, 1), (10, 0), (45, 0)):
        found = _aged(one, 60.0, days)
        assert (found.recent_orders[0], found.before_orders[0]) == (recent, 1 - recent)
        assert (found.recent_spend[0], found.before_spend[0]) == (8 * recent, 8 - 8 * recent)


def test_orders_before_take_their_own_amounts_along(company):
    """The last order-day, for 9 units of money, 50 days ago, one for 5 units 70 days ago, and 3 units each before."""
    one = company.situation.part([0]).but(T=np.full(1, 150.0), t_x=np.full(1, 100.0))
    facts = {"latest_orders": 0, "recent_orders": 1, "before_orders": 1, "earlier_orders": 2}
    facts |= {"recent_spend": 9, "before_spend": 5, "mean_spend": 3}
    one = one.but(**{name: np.array([float(value)]) for name, value in facts.items()})
    found = _aged(one, 60.0, 20)
    assert (found.recent_orders[0], found.recent_spend[0]) == (0, 0)
    # two thirds of the window before are still in it
    assert found.before_spend[0] == pytest.approx(9 + 5 * 2 / 3)
    assert found.before_orders[0] == pytest.approx(1 + 2 / 3)
    assert found.earlier_orders[0] == pytest.approx(1 / 3 + 2 * 100 / 120)


@pytest.mark.parametrize("days", [7, 15, 30, 45, 60])
def test_an_order_changes_the_probability_about_as_if_it_had_come(company, forecast, days):
    """As when it is booked and its customer looked at again on that day; of the MBG/NBD exactly. What is promised is
    kept, also by an order that comes sooner."""
    rows, h = company.asked, company.horizon[company.asked]
    s = company.situation.part(rows)
    came = forecast.p_no_purchase(h, company.booked(days))
    told = after_an_order(forecast, s, h, days, window=HORIZON)
    if forecast.name == "mbg_nbd":
        assert told == pytest.approx(came, abs=1e-9)
    assert -0.01 < (told - came).mean() < 0.08
    risky = forecast.p_no_purchase(h, s) >= 0.4
    promised = risky & (days_left(forecast, s, h, np.full(len(s), 0.4), window=HORIZON) >= days)
    assert promised.sum() > 3
    assert (came[promised] < 0.4).all()


def test_days_left_are_the_most_within_which_an_order_is_enough(company, forecast):
    rng = np.random.default_rng(0)
    n = len(company.situation)
    horizon = rng.choice([10.0, 30.0, 60.0, 120.0], n)
    below = rng.choice([0.2, 0.3, 0.4, 0.7], n)
    found = days_left(forecast, company.situation, horizon, below, window=HORIZON)
    for place in range(0, n, 7):
        one = company.situation.part([place])
        enough = [
            days
            for days in AHEAD
            if days <= horizon[place]
            and after_an_order(forecast, one, horizon[[place]], days, window=HORIZON)[0]
            < below[place] - SURELY
        ]
        until = [days for number, days in enumerate(AHEAD) if enough[: number + 1] == [*AHEAD[: number + 1]]]
        assert found[place] == max(until, default=0)
    assert (found[horizon < 7] == 0).all() and (found <= horizon).all() and (found > 0).any()


def test_an_order_sooner_is_enough_too(company, forecast):
    below = np.full(len(company.situation), 0.4)
    found = days_left(forecast, company.situation, company.horizon, below, window=HORIZON)
    for days in AHEAD:
        rows = found >= days
        told = after_an_order(forecast, company.situation, company.horizon, days, window=HORIZON)
        assert (told[rows] < 0.4).all()


def test_no_threshold_no_days(company):
    n = len(company.situation)
    forecast = company.forecasts["mbg_nbd"]
    given = forecast, company.situation, company.horizon
    assert days_left(*given, np.zeros(n), window=HORIZON).tolist() == [0] * n
    assert days_left(*given, np.full(n, 1.1), window=HORIZON).tolist() == [60] * n
