from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from shops import TODAY, past_of, sales_of, shop

from sync_worker.scoring import metrics, rules, trials
from sync_worker.scoring.distribution import SalesDistribution
from sync_worker.scoring.features import Sales
from sync_worker.scoring.rates import Rate
from sync_worker.scoring.seasonality import Season
from sync_worker.scoring.situation import Outcome
from sync_worker.scoring.trials import CLEARLY, SPREADS, Trial, choose, run, spread

N = 4000


def available(*names, identified=True, horizon=60.0):
    model = SimpleNamespace(identified_=identified)
    return {name: SimpleNamespace(tier=SimpleNamespace(model=model, horizon=horizon)) for name in names}


def trial_of(churned, horizon=60.0, **probabilities):
    churned = np.asarray(churned, dtype=bool)
    none = np.zeros(len(churned))
    probabilities = {
        name: np.broadcast_to(p, churned.shape).astype(float) for name, p in probabilities.items()
    }
    came = Outcome(churned, none, none, none)
    return Trial(None, None, came, none, available(*probabilities, horizon=horizon), probabilities, None)


# --- the tier ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "identified", "chosen"),
    [
        (["mbg_nbd", "rhythm", "transfer"], True, "transfer"),
        (["mbg_nbd", "rhythm", "transfer"], False, "transfer"),
        (["mbg_nbd", "rhythm", "transfer", "regression"], True, "regression"),
        (["mbg_nbd", "rhythm", "regression", "boosted"], True, "boosted"),
        (["mbg_nbd", "rhythm", "regression"], False, "regression"),
    ],
)
def test_without_trials_the_richest_tier_there_is_data_for(names, identified, chosen):
    assert choose([], available(*names, identified=identified)) == chosen


def test_another_tier_only_if_it_was_clearly_better_on_all_trials():
    def chosen(mbg, rhythm, regression):
        # of one who churned; Brier score (1 - p)^2
        losses = {"mbg_nbd": mbg, "rhythm": rhythm, "regression": regression}
        made = trial_of([True], **{name: 1 - np.sqrt(loss) for name, loss in losses.items()})
        return choose([made], available(*losses))

    assert chosen(0.2, 0.2, 0.2) == "regression"
    assert chosen(0.2 * CLEARLY + 1e-6, 0.2, 0.2) == "regression"
    assert chosen(0.2 * CLEARLY - 1e-6, 0.2, 0.2) == "mbg_nbd"
    assert chosen(0.15, 0.1, 0.2) == "rhythm"
    assert chosen(0.1, 0.1, 0.05) == "regression"


def test_what_others_teach_alone_is_not_chosen_where_the_own_past_teaches_a_regression():
    """However well it did: it is one vote of that. But it is tried, so that the two can be compared."""
    made = trial_of([True], mbg_nbd=0.1, rhythm=0.1, transfer=0.9, regression=0.5)
    assert choose([made], available("mbg_nbd", "rhythm", "transfer", "regression")) == "regression"


def test_all_trials_count_alike():
    one = trial_of([True], mbg_nbd=0.9, transfer=0.5)
    other = trial_of([True], mbg_nbd=0.2, transfer=0.5)
    assert choose([one, one], available("mbg_nbd", "transfer")) == "mbg_nbd"
    assert choose([one, other, other], available("mbg_nbd", "transfer")) == "transfer"


def test_a_regression_is_not_dropped_for_what_it_did_while_the_past_was_too_short_for_its_horizon():
    young = trial_of([True], horizon=37.0, mbg_nbd=0.6, rhythm=0.8, regression=0.3)
    grown = trial_of([True], mbg_nbd=0.6, rhythm=0.6, regression=0.6)
    tiers = available("mbg_nbd", "rhythm", "regression")
    assert choose([young, grown], tiers) == "regression"
    assert choose([young, trial_of([True], mbg_nbd=0.6, rhythm=0.65, regression=0.6)], tiers) == "rhythm"
    # the grown ones alone decide nothing against all
    better = trial_of([True], horizon=37.0, mbg_nbd=0.5, rhythm=0.1, regression=0.6)
    worse = trial_of([True], mbg_nbd=0.5, rhythm=0.9, regression=0.5)
    assert choose([worse], tiers) == "rhythm"
    assert choose([better, worse], tiers) == "regression"
    # nor does one that is best on all hide another that is clearly better on both
    one = trial_of([True], horizon=37.0, mbg_nbd=0.5, rhythm=0.9, regression=0.3)
    other = trial_of([True], mbg_nbd=0.6, rhythm=0.5, regression=0.5)
    assert choose([one, other], tiers) == "mbg_nbd"
    # of a company that is still too young all trials count
    assert choose([young, young], available("mbg_nbd", "rhythm", "regression", horizon=41.0)) == "rhythm"


def test_only_tiers_that_every_trial_had_are_compared():
    old = trial_of([True], mbg_nbd=0.5, rhythm=0.4)
    new = trial_of([True], mbg_nbd=0.5, rhythm=0.4, regression=0.1)
    # the regression did badly, but only once: it is not judged yet
    assert choose([old, new], available("mbg_nbd", "rhythm", "regression")) == "regression"
    assert choose([new, new], available("mbg_nbd", "rhythm", "regression")) == "mbg_nbd"
    # a tier that is not to be had today is not chosen
    best = trial_of([True], mbg_nbd=0.5, rhythm=0.4, transfer=0.5, regression=0.9)
    assert choose([best], available("mbg_nbd", "rhythm", "transfer")) == "transfer"


@pytest.mark.parametrize("names", [["mbg_nbd", "rhythm", "transfer"], ["mbg_nbd", "rhythm", "regression"]])
def test_an_unidentified_mbg_nbd_is_passed_over_however_well_it_did(names):
    made = trial_of([True], **{**dict.fromkeys(names, 0.3), "mbg_nbd": 0.95})
    assert choose([made], available(*names, identified=True)) == "mbg_nbd"
    assert choose([made], available(*names, identified=False)) == names[-1]


# --- the spread -------------------------------------------------------------------------------------------


def rate_of(mean):
    return Rate(mean, 0.0, mean, mean)


def sales_trial(seed, true=1.0, zero=0.3, mean=100.0, relative=0.5, n=N):
    """Customers whose sales have `true` times the variance that is told."""
    rng = np.random.default_rng(seed)
    bought = rng.random(n) >= zero
    shape = 1 / (true * relative)
    sales = np.where(bought, rng.gamma(shape, mean / shape, n), 0.0)
    full = np.full(n, 1.0)
    told = SalesDistribution(zero * full, mean * full, relative * full, full)
    came = Outcome(~bought, bought * 1.0, sales, sales)
    made = Trial(
        None, None, came, 60 * full, {"mbg_nbd": None}, {"mbg_nbd": zero * full}, rate_of(full), "mbg_nbd"
    )
    made._told["mbg_nbd"] = told
    return made


@pytest.mark.parametrize("true", [0.25, 0.6, 1.0, 2.2, 4.0])
def test_the_spread_makes_intervals_hold_four_in_five_of_those_not_seen_yet(true):
    past = [sales_trial(seed, true, zero=0.02) for seed in range(2)]
    factor = spread(past, "mbg_nbd")
    assert factor == pytest.approx(true, rel=0.35)
    later = sales_trial(9, true, zero=0.02)
    assert later.covered("mbg_nbd", factor).mean() == pytest.approx(0.8, abs=0.02)
    if true != 1:
        assert abs(later.covered("mbg_nbd", 1.0).mean() - 0.8) > 0.04


def test_who_surely_does_not_buy_says_nothing_about_the_spread():
    sure = sales_trial(1, zero=0.97)
    assert spread([sure], "mbg_nbd") == 1
    mixed = sales_trial(2, 2.2, zero=0.02, n=500)
    crowd = [sure, mixed]
    assert spread(crowd, "mbg_nbd") == spread([mixed], "mbg_nbd") > 1.5


def test_too_few_customers_leave_the_spread_alone():
    assert spread([], "mbg_nbd") == 1
    assert spread([sales_trial(1, 4.0, zero=0.02, n=29)], "mbg_nbd") == 1
    assert spread([sales_trial(1, 4.0, zero=0.02, n=60)], "rhythm") == 1


# --- runs -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sales():
    return shop(260, seed=1, parting=0.2)


@pytest.fixture(scope="module")
def judged(sales):
    return run(past_of(sales), 4)


def test_trials_are_the_last_horizons_oldest_first(sales, judged):
    assert [trial.snapshot.day for trial in judged] == [TODAY - 60 * k for k in (4, 3, 2, 1)]
    assert [len(run(past_of(sales), most)) for most in (1, 0)] == [1, 0]
    told = []
    run(past_of(sales), 2, told.append)
    assert told == [0.5, 1]


def test_each_trial_has_the_outcome_of_its_horizon(sales, judged):
    for trial in judged:
        day, rows = trial.snapshot.day, trial.snapshot.rows
        then = (sales.day > day) & (sales.day <= day + 60) & (sales.amount > 0)
        assert trial.outcome.churned.tolist() == (~np.isin(rows, sales.row[then])).tolist()
        assert set(trial.horizon) == {60}
        for name, forecast in trial.forecasts.items():
            expected = forecast.p_no_purchase(60.0, trial.snapshot.situation)
            assert trial.probabilities[name] == pytest.approx(expected)
            assert ((trial.probabilities[name] >= 0) & (trial.probabilities[name] <= 1)).all()


def test_tier_spread_and_rule_of_a_trial_come_from_the_ones_before_it(judged):
    assert judged[0].spread == 1
    for number, trial in enumerate(judged):
        assert trial.chosen == choose(judged[:number], trial.forecasts)
        assert trial.spread == spread(judged[:number], trial.chosen)
        assert trial.spread in SPREADS


def test_nothing_of_a_trial_depends_on_what_came_later(sales, judged):
    """All sales after the day of the third of four trials are exchanged by others."""
    day = judged[2].snapshot.day
    late = sales.day > day
    rng = np.random.default_rng(0)
    moved = np.where(late, rng.integers(day + 1, TODAY + 1, len(late)), sales.day)
    order = np.lexsort([moved, sales.row])
    amount = np.where(late, rng.gamma(1, 300, len(late)), sales.amount)[order]
    changed = run(past_of(Sales(sales.row, moved[order], amount)), 4)
    assert len(changed) == 4
    for mine, theirs in zip(changed[:3], judged[:3], strict=True):
        assert (mine.chosen, mine.spread, mine.rule) == (theirs.chosen, theirs.spread, theirs.rule)
        assert set(mine.probabilities) == set(theirs.probabilities)
        for name, probability in mine.probabilities.items():
            assert probability.tolist() == theirs.probabilities[name].tolist()
        assert mine.expected_value.tolist() == theirs.expected_value.tolist()
        assert mine.spent.tolist() == theirs.spent.tolist()
    # and the outcome, which is what came later, does
    assert changed[2].outcome.sales.tolist() != judged[2].outcome.sales.tolist()


def test_when_a_trial_is_made_nothing_later_is_asked_for(sales, monkeypatch):
    past, asked, after = past_of(sales), [], []

    class Asked(type(past)):
        def moment(self, day, horizon=None):
            asked.append(day)
            return super().moment(day, horizon)

        def seen(self, day):
            asked.append(day)
            return super().seen(day)

    def recorded(name):
        real = getattr(trials, name)

        def record(earlier, *rest):
            after.append((name, len(earlier)))
            return real(earlier, *rest)

        monkeypatch.setattr(trials, name, record)

    recorded("choose")
    recorded("spread")
    past = Asked(sales, past.formats, past.policy, TODAY)
    days, latest = past.trial_days(3), []
    made = run(past, 3, lambda _part: (latest.append(max(asked)), asked.clear()))
    assert latest == days == [trial.snapshot.day for trial in made]
    assert after == [(name, number) for number in range(3) for name in ("choose", "spread")]


def test_the_rule_is_the_one_that_ranked_best_on_cutoffs_with_a_known_outcome(judged):
    for trial in judged:
        day, past, means = trial.snapshot.day, trial.past, {}
        for code in rules.RULES:
            areas = []
            for snapshot, _base, came in past.seen(day):
                assert snapshot.day + 60 <= day
                active = snapshot.active
                areas.append(
                    metrics.auc(came.churned[active], rules.scores(snapshot.situation)[code][active])
                )
            means[code] = np.nanmean(areas)
        assert trial.rule == max(means, key=means.get)
    assert judged[-1].rule == "low_spend"  # whose last order was small has left


def test_without_cutoffs_before_it_a_trial_has_the_plainest_rule():
    past = past_of(shop(200, seed=4, span=160, gap=8.0), horizon=60)
    trial = run(past, 1)[0]
    past.seen = lambda day: []
    assert trials._best_rule(past, trial.snapshot.day) == "recency"


def test_intervals_of_a_company_hold_about_four_in_five_of_who_may_buy():
    held = []
    for seed in range(11, 17):  # of two shops the share differs by .04 from that of the next two
        for trial in run(past_of(shop(300, seed=seed)), 4)[1:]:
            telling = trial.probability < 0.8
            held += trial.held[telling].tolist()
    assert len(held) > 1500
    assert np.mean(held) == pytest.approx(0.8, abs=0.05)


def test_money_of_a_trial(judged):
    trial = judged[-1]
    situation, past = trial.snapshot.situation, trial.past
    window = np.full(len(situation), 365.0)
    assert trial.spent.tolist() == past.spent(trial.snapshot, window).tolist()
    sales = trial.forecast.expected_sales(trial.horizon, situation)
    assert trial.expected_sales == pytest.approx(sales)
    assert trial.expected_value == pytest.approx(sales * trial.rate.mean)
    assert trial.rate.mean == pytest.approx(1)  # nothing was returned
    assert trial.expected_value.sum() == pytest.approx(trial.outcome.value.sum(), rel=0.35)


@pytest.mark.parametrize("thin", [0.05, 0.4])
def test_ranges_of_a_value_in_margin_hold_as_many_as_those_of_sales(thin):
    """Where every order has a rate of its own, sales alone do not tell how wide a range of the margin must be."""
    rng = np.random.default_rng(5)
    held = []
    for seed in range(11, 15):
        sold = shop(300, seed=seed, spread=0.3, leave=0.02, gap=20.0)
        rate = rng.normal(0.3, thin, len(sold.amount))
        for trial in run(past_of(replace(sold, worth=sold.amount * rate)), 4)[1:]:
            telling = trial.probability < 0.8
            held += trial.held[telling].tolist()
            assert trial.rate.mean.mean() == pytest.approx(0.3, abs=0.05)
            assert trial.expected_value.sum() == pytest.approx(trial.outcome.value.sum(), rel=0.35)
    assert np.mean(held) == pytest.approx(0.8, abs=0.05)


def test_a_value_at_no_rate_or_a_negative_one_lies_within_its_range_too():
    trial = sales_trial(1, zero=0.02)
    held = trial.covered("mbg_nbd", 1.0)
    for rate in (0.4, -0.4):
        trial.rate, trial.outcome = (
            rate_of(np.full(N, rate)),
            replace(trial.outcome, value=rate * trial.outcome.sales),
        )
        assert (trial.covered("mbg_nbd", 1.0) == held).all()
    trial.rate = rate_of(np.zeros(N))
    assert (trial.covered("mbg_nbd", 1.0) == (trial.outcome.value == 0)).all()


def test_a_company_of_whose_customers_none_churned_or_came_back_is_tried_too():
    rows = [(row, TODAY - day, 10.0) for row in range(60) for day in range(0, 400, 7)]
    steady = run(past_of(sales_of(*zip(*rows, strict=True))), 3)
    assert [trial.outcome.churned.any() for trial in steady] == [False] * 3
    assert max(trial.probability.max() for trial in steady) < 0.2
    closed = run(past_of(shop(150, seed=1, until=TODAY - 70)), 1)
    assert [trial.outcome.churned.all() for trial in closed] == [True]


def test_each_tier_needs_rows_and_outcomes_to_learn_from(sales):
    past = past_of(sales)
    snapshot, base = past.moment(TODAY - 60)
    lessons = past.lessons(TODAY - 60)

    def forecasts(which):
        return trials.forecasts(base, which, trials.learn(past, TODAY), snapshot.situation, 60.0)

    assert list(forecasts([])) == ["mbg_nbd", "rhythm", "transfer"]

    def names(count, gone):
        lesson = lessons[0]
        rows = np.resize(np.arange(len(lesson.situation)), count)
        came = lesson.outcome.part(rows)
        churned = np.arange(count) < gone
        cut = type(lesson)(
            lesson.situation.part(rows), base, Outcome(churned, came.orders, came.sales, came.value), 60.0
        )
        return list(forecasts([cut]))[2:]

    assert names(199, 99) == ["transfer"]
    assert names(200, 19) == names(200, 181) == ["transfer"]
    assert names(200, 20) == names(399, 200) == ["transfer", "regression"]
    assert names(400, 49) == ["transfer", "regression"]
    assert names(400, 50) == ["transfer", "regression", "boosted"]


def test_tiers_are_fitted_to_the_customers_and_the_horizon_to_be_forecast(sales):
    past = past_of(sales)
    snapshot, base = past.moment(TODAY)
    lessons, situation = past.lessons(TODAY), snapshot.situation
    season = Season(0.4)
    found = trials.forecasts(base, lessons, season, situation, 60.0)
    assert all(forecast.season is season for forecast in found.values())
    alone = trials.TransferTier(base, situation, 60.0).p_no_purchase(60.0, situation)
    assert found["transfer"].tier.p_no_purchase(60.0, situation).tolist() == alone.tolist()
    own = trials.HybridTier(base, lessons, situation, boosted=False)
    assert found["regression"].tier.p_no_purchase(60.0, situation).tolist() == (
        own.p_no_purchase(60.0, situation).tolist()
    )


def test_formats_are_judged_on_their_own_horizon(sales):
    past = past_of(sales)
    formats = pd.Series(np.arange(len(past.formats)) % 2)
    rule = {"key": "churn_horizon_days", "format_id": 1, "value": 120}
    policy = type(past.policy)([*past.policy.rules, rule])
    trial = run(type(past)(sales, formats, policy, TODAY), 1)[0]
    assert trial.snapshot.day == TODAY - 120
    longer = (trial.snapshot.formats == 1).to_numpy()
    assert set(trial.horizon[longer]) == {120} and set(trial.horizon[~longer]) == {60}
    assert trial.outcome.churned[longer].mean() < trial.outcome.churned[~longer].mean() - 0.05
