import numpy as np
import pandas as pd
import pytest
from graded import chances, half, trial_of
from shops import TODAY, lottery, past_of, shop

from sync_worker.scoring import metrics, trials
from sync_worker.scoring.grades import KEYS, _letter, grade, withheld
from sync_worker.scoring.verdict import case

# --- letters ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("more", "letter"), [(0.0, "A"), (0.075, "B"), (0.15, "C"), (0.25, "D")])
def test_the_letter_of_a_forecast_that_ranks_well_is_its_calibration(more, letter):
    p, churned = chances()
    found = grade([trial_of(churned, p + more)])
    assert found["grade"] == letter and found["missing"] is None
    assert found["gain_low"] > 0 and found["auc_low"] > 0.6
    assert found["ece"] == pytest.approx(more, abs=0.03)
    assert (found["brier"] < found["base_brier"]) == (letter != "D")


def test_who_ranks_like_the_rule_gets_c_and_who_ranks_like_chance_d():
    p, churned = chances()
    same = grade([trial_of(churned, p, silence=29 * p)])
    assert same["grade"] == "C" and same["gain"] == 0 and same["rule_auc"] == same["auc"]
    rng = np.random.default_rng(2)
    drawn = grade([trial_of(churned, rng.permutation(p))])
    assert drawn["grade"] == "D" and drawn["auc"] == pytest.approx(0.5, abs=0.03)
    worse = grade([trial_of(churned, 0.8 - p)])
    assert worse["grade"] == "D" and worse["auc"] < 0.4


def entry(**changed):
    good = {
        "auc_low": 0.6,
        "brier": 0.1,
        "base_brier": 0.2,
        "gain_low": 0.01,
        "ece": 0.03,
        "ece_by_luck": 0.02,
    }
    return good | changed


@pytest.mark.parametrize(
    ("changed", "letter"),
    [
        ({}, "A"),
        ({"ece": 0.05}, "A"),
        ({"ece": 0.0501}, "B"),
        ({"ece": 0.10}, "B"),
        ({"ece": 0.1001}, "C"),
        ({"ece": 0.06, "ece_by_luck": 0.2}, "B"),  # it may be luck, which is no proof
        ({"ece": 0.2, "ece_by_luck": 0.2}, "B"),
        ({"ece": 0.2001, "ece_by_luck": 0.2}, "C"),
        ({"ece": 0.2, "ece_by_luck": 0.2, "gain_low": 0.0}, "C"),
        ({"gain_low": 0.0}, "C"),
        ({"gain_low": -0.1}, "C"),
        ({"auc_low": 0.5}, "D"),
        ({"auc_low": 0.4, "gain_low": 0.2}, "D"),
        ({"brier": 0.2}, "D"),
        ({"brier": 0.3}, "D"),
    ],
)
def test_thresholds_of_the_letters(changed, letter):
    assert _letter(entry(**changed)) == letter


@pytest.mark.parametrize("poorest", [0, 1, 2])
def test_a_policy_withholds_the_poorest_grades(poorest):
    told = {letter: withheld({"grade": letter}, poorest) for letter in "ABCD"}
    assert told == dict(zip("ABCD", [False, False, poorest > 1, poorest > 0], strict=True))
    assert not withheld({"grade": None}, poorest)


# --- no grade ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trials_of", "missing"),
    [
        ([], "cutoffs"),
        ([(29, 14)], "customers"),
        ([(30, 9)], "outcomes"),
        ([(30, 21)], "outcomes"),
        ([(30, 10)], None),
        ([(30, 20)], None),
        ([(15, 5), (15, 5)], None),
        ([(15, 5), (14, 5)], "customers"),
        ([(40, 0), (20, 20)], "outcomes"),  # nobody who left stands beside one who stayed
        ([(40, 1), (20, 20)], None),
    ],
)
def test_why_there_is_no_grade(trials_of, missing):
    made = [
        trial_of(half(n, gone), np.linspace(0.9, 0.1, n), day=TODAY - 60 * back)
        for back, (n, gone) in enumerate(trials_of)
    ][::-1]
    found = grade(made)
    assert found["missing"] == missing
    assert set(found) == set(KEYS)
    if missing:
        assert found["grade"] is None and found["auc"] is None and found["lift"] == []
        assert found["customers"] == (len(made[-1].outcome.churned) if made else None)
    else:
        assert found["grade"] in "ABCD"
        assert found["cutoff"] == str(np.datetime64(TODAY, "D"))


# --- cases ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"grade": "A"}, "A"),
        ({"grade": "B"}, "B"),
        ({"grade": "C", "gain_low": 0.001, "gain_high": 0.1}, "off"),
        ({"grade": "C", "gain_low": 0.0, "gain_high": 0.1}, "no_difference"),
        ({"grade": "C", "gain_low": -0.1, "gain_high": 0.0}, "no_difference"),
        ({"grade": "C", "gain_low": -0.1, "gain_high": -0.001}, "rule_better"),
        ({"grade": "D", "auc_low": 0.501}, "worse_than_rate"),
        ({"grade": "D", "auc_low": 0.5}, "no_skill"),
        ({"grade": "D", "auc_low": 0.6, "gain_low": -0.2, "gain_high": -0.1}, "worse_than_rate"),
        ({"grade": None, "auc_low": None, "gain_low": None, "gain_high": None}, None),
        ({"grade": "C", "gain_low": None, "gain_high": None}, "no_difference"),
        ({"grade": "D", "auc_low": None}, "no_skill"),
    ],
)
def test_cases_of_a_letter(changed, found):
    assert case(entry() | {"gain_high": 0.2} | changed) == found


def test_a_case_is_that_of_the_company_that_is_graded():
    p, churned = chances()
    assert case(grade([trial_of(churned, p + 0.15)])) == "off"
    assert case(grade([trial_of(churned, p + 0.25)])) == "worse_than_rate"
    assert case(grade([trial_of(churned, p, silence=29 * p)])) == "no_difference"
    noise = np.random.default_rng(4).uniform(0, 0.4, len(p))
    assert case(grade([trial_of(churned, 0.5 * p + noise, silence=29 * p)])) == "rule_better"
    assert case(grade([trial_of(churned, np.random.default_rng(2).permutation(p))])) == "no_skill"


# --- whom it is of ----------------------------------------------------------------------------------------


def test_only_active_customers_are_judged():
    p, churned = chances(400)
    active = np.arange(400) % 4 == 0
    found = grade([trial_of(churned, p, active=active)])
    alone = grade([trial_of(churned[active], p[active], silence=None)])
    assert found["customers"] == 100 and found["churned"] == churned[active].sum()
    assert found["auc"] == pytest.approx(alone["auc"]) and found["brier"] == pytest.approx(alone["brier"])
    few = grade([trial_of(churned, p, active=np.arange(400) < 20)])
    assert few["missing"] == "customers" and few["customers"] == 20


def test_a_format_is_judged_by_its_own_customers():
    p, churned = chances(600)
    formats = np.where(np.arange(600) % 2, 7, 8)
    drawn = np.where(formats == 7, p, np.random.default_rng(3).permutation(p))
    trial = trial_of(churned, drawn, formats=pd.Series(formats, dtype="Int64"))
    good, poor = grade([trial], 7), grade([trial], 8)
    assert good["format"] == 7 and good["customers"] == 300 and good["grade"] in "AB"
    assert poor["grade"] == "D"
    assert good["churned"] + poor["churned"] == grade([trial])["churned"]
    assert grade([trial], 9)["missing"] == "customers"
    named = trial_of(churned, p, formats=["b" if one else None for one in formats == 7])
    assert grade([named], "b")["customers"] == 300


def test_a_grade_tells_the_one_horizon_of_those_it_judged():
    p, churned = chances(600)
    formats = np.where(np.arange(600) % 2, 7, 8)
    trial = trial_of(
        churned, p, formats=pd.Series(formats, dtype="Int64"), horizon=np.where(formats == 7, 14, 60)
    )
    assert [grade([trial], name, 90)["horizon_days"] for name in (None, 7, 8, 9)] == [None, 14, 60, 90]
    assert grade([], None, 90)["horizon_days"] == 90
    # whoever is not judged does not matter
    alike = trial_of(churned, p, active=formats == 7, horizon=np.where(formats == 7, 14, 60))
    assert grade([alike], None, 90)["horizon_days"] == 14


def test_a_rule_names_the_window_it_looked_at_and_not_the_horizon_of_the_format():
    p, churned = chances(100)
    trial = trial_of(churned, p, horizon=14)  # the snapshot's windows are of 60 days
    trial.rule = "last_period"
    assert grade([trial])["rule"] == {"code": "last_period", "params": {"order_days": 1, "window_days": 60}}


def test_who_stopped_since_is_judged_by_the_newest_day_with_anybody():
    p, churned = chances(600)
    there, stopped = np.ones(600, bool), np.zeros(600, bool)
    days = [trial_of(churned, p, active=there), trial_of(churned, p, active=stopped, day=TODAY + 90)]
    told, alone = grade(days), grade(days[:1])
    assert told["cutoff"] == alone["cutoff"] and told["listed"] == alone["listed"] > 0
    assert told["customers"] == 600 and told["auc"] == alone["auc"]
    assert grade(days[1:])["missing"] == "customers" and grade(days[1:])["cutoff"] is None


# --- figures ----------------------------------------------------------------------------------------------


def test_the_story_of_the_latest_day_by_hand():
    n = 40
    churned = half(n, 20)
    p = np.linspace(0.9, 0.1, n)
    p[[0, 39]] = p[[39, 0]]  # the largest risk stays
    silence = np.where(np.arange(n) % 2, 20.0, 5.0) + np.arange(n) / 10
    latest = trial_of(churned, p, silence=silence)
    found = grade([trial_of(~churned, p, day=TODAY - 60), latest])
    assert (found["customers"], found["churned"], found["listed"]) == (40, 20, 8)
    # listed are 39, which stayed, and 1 to 7
    assert found["found"] == 7 and found["found_value"] == sum(range(2, 9))
    # of the rule: the odd ones from 25 up, which all stayed
    assert found["rule_found"] == 0 and found["rule_found_value"] == 0
    assert found["rule"] == {"code": "recency", "params": {"days": 22}}
    assert found["chance_found"] == pytest.approx(4)
    shares = metrics.captured(churned, latest.spent, p)
    assert [one["found"] for one in found["lift"]] == shares[0]
    assert [one["found_value"] for one in found["lift"]] == shares[1]
    assert [one["share"] for one in found["lift"]] == pytest.approx(np.arange(1, 11) / 10)
    assert found["lift"][-1]["rule_found"] == found["lift"][-1]["rule_found_value"] == 1


def test_the_story_does_not_depend_on_the_order_of_customers():
    """Two lengths of silence, and probabilities in steps of a fifth: many tie."""
    p, churned = chances(400)
    silence, told = np.floor(2 * p) * 10 + 5, np.round(5 * p) / 5
    spent = np.random.default_rng(6).integers(1, 500, 400)
    seen = []
    for seed in range(20):
        mixed = np.random.default_rng(seed).permutation(400)
        trial = trial_of(churned[mixed], told[mixed], silence=silence[mixed], spent=spent[mixed])
        seen.append(grade([trial]))
    names = ("found", "found_value", "rule_found", "rule_found_value", "lift", "rule")
    assert all(one[name] == seen[0][name] for one in seen for name in names)
    # 50 are listed: by the rule of the many who have been silent for 15 days, the longest there is
    last = silence == silence.max()
    assert last.sum() > 50 and seen[0]["rule"]["params"] == {"days": 15}
    assert seen[0]["rule_found"] == round(50 * churned[last].mean())
    assert seen[0]["rule_found_value"] == pytest.approx(50 * (spent * churned)[last].mean())


def test_what_is_found_among_those_who_tie_is_rounded_to_customers():
    """Of a hundred who tie 38 are gone: a list of twenty holds 7.6 of them."""
    spent = np.full(100, 10.0)
    found = grade([trial_of(half(100, 38), np.full(100, 0.4), silence=np.full(100, 9.0), spent=spent)])
    assert (found["listed"], found["found"], found["rule_found"]) == (20, 8, 8)
    assert found["found_value"] == pytest.approx(76)


@pytest.mark.parametrize(("n", "listed"), [(34, 6), (35, 7), (249, 49), (250, 50), (251, 50), (900, 50)])
def test_listed_are_a_fifth_at_most_fifty(n, listed):
    assert grade([trial_of(half(n, n // 2), np.linspace(0.9, 0.1, n))])["listed"] == listed


def test_area_and_interval_are_means_over_trials_weighted_by_what_each_tells():
    (p, one), (q, other) = chances(300, 1), chances(80, 2)
    alone = trial_of(np.zeros(50, bool), np.full(50, 0.2), day=TODAY - 180)  # tells nothing
    made = [alone, trial_of(one, p, day=TODAY - 60), trial_of(other, q)]
    found = grade(made)
    areas, weights = [], []
    for trial in made[1:]:
        rule = trial.snapshot.situation.silence
        areas.append(metrics.compare(trial.outcome.churned, trial.probability, rule))
        gone = trial.outcome.churned.sum()
        weights.append(gone * (len(rule) - gone) / len(rule))
    w = np.array(weights) / sum(weights)
    assert found["auc"] == pytest.approx(w @ [a.auc for a in areas])
    assert found["rule_auc"] == pytest.approx(w @ [a.other for a in areas])
    assert found["gain"] == pytest.approx(found["auc"] - found["rule_auc"])
    error = 1.6448536 * np.sqrt(w**2 @ [a.variance for a in areas])
    assert found["auc_low"] == pytest.approx(found["auc"] - error)
    assert found["auc_high"] == pytest.approx(found["auc"] + error)
    gain_error = 1.6448536 * np.sqrt(w**2 @ [a.gain_variance for a in areas])
    assert found["gain_high"] - found["gain"] == pytest.approx(gain_error)
    assert found["gain"] - found["gain_low"] == pytest.approx(gain_error)
    churned, told = np.concatenate([np.zeros(50, bool), one, other]), np.concatenate([[0.2] * 50, p, q])
    assert found["brier"] == pytest.approx(np.square(told - churned).mean())
    assert found["base_brier"] == pytest.approx(churned.mean() * (1 - churned.mean()))
    assert found["ece"] == pytest.approx(metrics.expected_calibration_error(churned, told))
    assert [one["customers"] for one in found["calibration"]] == [43] * 10


def test_money_is_of_all_customers_known_at_the_cutoffs():
    p, churned = chances(100)
    active = np.arange(100) < 80
    made = [trial_of(churned, p, active=active), trial_of(churned, p)]
    found = grade(made)
    told, came = np.tile(100 * (1 - p), 2), np.tile(np.where(churned, 0, 100.0), 2)
    assert found["value_log_bias"] == pytest.approx(np.log(told.sum() / came.sum()))
    # the interval runs from above nothing to less than twice the mean
    assert found["coverage"] == pytest.approx(1 - churned.mean())
    order = np.argsort(told, kind="stable").reshape(10, 20)
    assert [one["predicted_value"] for one in found["deciles"]] == pytest.approx(told[order].mean(axis=1))
    assert [one["actual_value"] for one in found["deciles"]] == pytest.approx(came[order].mean(axis=1))


def test_net_negative_sales_have_no_bias_on_the_log_scale():
    p, churned = chances(100)
    trial = trial_of(churned, p)
    trial.outcome.value[0] = -1e9
    assert grade([trial])["value_log_bias"] is None


def test_who_returned_more_than_it_bought_carries_nothing():
    p, churned = chances(400)
    spent = np.where(np.arange(400) % 3 == 0, -500.0, 100.0)
    found = grade([trial_of(churned, p, spent=spent)])
    listed = np.argsort(-p, kind="stable")[: found["listed"]]
    assert found["found_value"] == pytest.approx((churned & (spent > 0))[listed].sum() * 100)
    for name in ("found_value", "rule_found_value"):
        shares = [step[name] for step in found["lift"]]
        assert shares == sorted(shares) and shares[0] >= 0 and shares[-1] == pytest.approx(1)
    nothing = grade([trial_of(churned, p, spent=np.full(400, -5.0))])
    assert nothing["found_value"] == 0 and {step["found_value"] for step in nothing["lift"]} == {0}


# --- companies --------------------------------------------------------------------------------------------


def graded(sales, horizon, most=3):
    return grade(trials.run(past_of(sales, horizon=horizon), most))


@pytest.mark.parametrize("seed", range(5))
def test_where_every_order_goes_to_a_customer_drawn_by_lot_no_skill_is_claimed(seed):
    """As many orders by customer and year as in a well-known sample of a retailer that was drawn by lot."""
    found = graded(lottery(300, 1900, seed=seed), 90)
    assert found["grade"] in {"C", "D"}
    assert found["auc"] == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("seed", range(2))
def test_a_strong_signal_gets_an_a(seed):
    found = graded(shop(900, seed=seed, spread=1.2, leave=0.02, parting=0.5, gap=40.0), 60, most=2)
    assert found["grade"] == "A"
    assert found["gain_low"] > 0 and found["found"] > 1.3 * found["chance_found"]
