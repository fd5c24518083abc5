import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import AS_OF
from shops import TODAY, history_from, shop

from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import backtest as module
from sync_worker.scoring import metrics
from sync_worker.scoring import past as past_module
from sync_worker.scoring.backtest import backtest
from sync_worker.scoring.pipeline import score
from sync_worker.scoring.plain import plain
from sync_worker.scoring.trials import TIERS

TEXT = (Path(module.__file__).parents[2] / "docs/backtest.md").read_text(encoding="utf-8")
POLICY = Policy().replace(churn_horizon_days=60)


def documented(heading):
    """Keys of the table after a heading, and the names within each key's meaning."""
    rows = re.findall(r"^\| (`[^|]+) \| [^|]+ \| ([^|]+) \|$", TEXT.split(heading)[1], flags=re.M)
    if "Each of" not in heading:
        stop = next(i for i, (keys, _words) in enumerate(rows) if "`warnings`" in keys)
        rows = rows[: stop + 1]
    return {
        key: set(re.findall(r"`(\w+)`", words))
        for keys, words in rows
        for key in re.findall(r"`(\w+)`", keys)
    }


@pytest.fixture(scope="module")
def history():
    plain = history_from(shop(320, seed=1, parting=0.3))
    ids = plain.customers["customer_id"]
    return History(
        plain.orders, None, pd.DataFrame({"customer_id": ids, "format_id": np.where(ids < 12, 3, ids % 2)})
    )


@pytest.fixture(scope="module")
def result(history):
    return backtest(history, AS_OF, POLICY)


def test_the_keys_are_the_documented_ones(result):
    keys = documented("## The result")
    assert set(keys) == set(result) and len(keys) == 8
    assert keys["sample"] == {"customers", "of"}
    for name in ("tiers", "tracking"):
        assert result[name]
        for one in result[name]:
            assert set(one) == keys[name], name
    of_grades = documented("Each of `grades`:")
    assert result["grades"][0]["grade"]
    for entry in result["grades"]:
        assert set(entry) == set(of_grades)
        for name in ("calibration", "lift", "deciles"):
            assert len(entry[name]) == 10
            assert all(set(one) == of_grades[name] for one in entry[name]), name
        assert set(entry["rule"]) == of_grades["rule"]


def test_the_values_are_those_of_json(result):
    assert json.loads(json.dumps(result, allow_nan=False)) == result

    def check(value):
        if isinstance(value, dict):
            for key, one in value.items():
                assert type(key) is str
                check(one)
        elif type(value) is list:
            for one in value:
                check(one)
        else:
            assert value is None or type(value) in {str, int, float, bool}

    check(result)
    for entry in result["grades"]:
        whole = ("customers", "churned", "listed", "found", "rule_found")
        assert all(type(entry[name]) is int for name in whole)
        for name in ("auc", "auc_low", "auc_high", "rule_auc", "brier", "base_brier", "ece", "coverage"):
            assert 0 <= entry[name] <= 1, name


def test_what_is_no_number_is_null():
    given = {"a": float("nan"), "b": [np.float64("inf"), np.int64(3)], "c": (np.float64(0.5), np.bool_(True))}
    found = plain(given)
    assert found == {"a": None, "b": [None, 3], "c": [0.5, True]}
    assert [type(one) for one in found["c"]] == [float, bool]


def test_cutoffs_are_as_many_as_asked_for(history, result):
    assert len(result["cutoffs"]) == 6
    days = [str(np.datetime64(TODAY - 60 * k, "D")) for k in range(6, 0, -1)]
    assert result["cutoffs"] == days
    assert backtest(history, AS_OF, POLICY, cutoffs=2)["cutoffs"] == days[-2:]
    assert result["horizon_days"] == 60
    assert result["grades"][0]["cutoff"] == days[-1]


def test_large_formats_have_their_own_grade(result):
    assert [entry["format"] for entry in result["grades"]] == [None, 0, 1]  # format 3 has 11 customers
    assert sum(entry["customers"] for entry in result["grades"][1:]) < result["grades"][0]["customers"]
    formats = backtest(history_from(shop(60, seed=1)), AS_OF, POLICY)["grades"]
    assert [entry["format"] for entry in formats] == [None]


def test_tracking_follows_the_totals_of_the_latest_horizon(history, result):
    cut = pd.Timestamp(result["cutoffs"][-1])
    orders = history.orders
    bought = orders[orders["amount"] > 0]
    known = bought.loc[bought["date"] <= cut, "customer_id"].unique()
    assert len(result["tracking"]) == 6 * len(result["cutoffs"])
    latest = result["tracking"][-6:]
    assert [pd.Timestamp(one["date"]) for one in latest] == [
        cut + pd.Timedelta(days=10 * step) for step in range(1, 7)
    ]
    since = cut
    for one in latest:
        within = (orders["date"] > since) & (orders["date"] <= one["date"])
        then = orders[within & orders["customer_id"].isin(known)]
        since = one["date"]
        days = then[then["amount"] > 0].drop_duplicates(["customer_id", "date"])
        assert one["actual"] == len(days)
        assert one["actual_value"] == pytest.approx(then["amount"].sum())
    for name in ("predicted", "predicted_value"):
        told = [one[name] for one in latest]
        assert all(np.array(told) > 0.1 * sum(told))  # no step out of the way


@pytest.fixture
def kept(monkeypatch):
    """The trials of the back-tests that are made."""
    trials = []
    summarise = module.summarise

    def keep(judged, *rest):
        trials.extend(judged)
        return summarise(judged, *rest)

    monkeypatch.setattr(module, "summarise", keep)
    return trials


def test_tracking_adds_up_to_the_whole_forecast(history, kept):
    result = backtest(history, AS_OF, POLICY, cutoffs=2)
    whole = pd.DataFrame(result["tracking"][-6:]).drop(columns="date").sum()
    assert whole["predicted"] == pytest.approx(kept[-1].told(kept[-1].chosen).orders.sum())
    assert whole["predicted_value"] == pytest.approx(kept[-1].expected_value.sum())
    assert whole["actual"] == kept[-1].outcome.orders.sum()
    told = sum(one["predicted_value"] for one in result["grades"][0]["deciles"]) / 10
    both = np.concatenate([trial.expected_value for trial in kept])
    assert told == pytest.approx(both.mean(), rel=0.02)  # deciles of nearly equal count


SHORT = Policy([*POLICY.rules, {"key": "churn_horizon_days", "format_id": 1, "value": 15}])


def test_tracking_counts_each_customer_within_its_own_horizon(history, kept):
    """Of format 1, which looks 15 days ahead where the others look 60, nothing counts after the second period."""
    tracking = backtest(history, AS_OF, SHORT, cutoffs=1)["tracking"]
    [trial] = kept
    own = np.where(trial.snapshot.formats == 1, 15, 60)
    assert trial.horizon.tolist() == own.tolist()
    assert [one["date"] for one in tracking] == [
        str(np.datetime64(TODAY - 60 + end, "D")) for end in range(10, 61, 10)
    ]
    customers = np.asarray(history.customers["customer_id"])[trial.snapshot.rows]
    horizons = dict(zip(customers, own, strict=True))
    orders = history.orders[history.orders["customer_id"].isin(horizons)]
    after = (orders["date"] - pd.Timestamp(trial.snapshot.day, unit="D")).dt.days
    told, value = trial.told(trial.chosen).orders, trial.expected_value

    def ahead(days):
        return trial.forecast.orders_ahead(days.astype(float), trial.snapshot.situation)

    for step, one in enumerate(tracking):
        begin, end = (np.minimum(10 * number, own) for number in (step, step + 1))
        within = (after > 10 * step) & (
            after <= np.minimum(10 * step + 10, orders["customer_id"].map(horizons))
        )
        came = orders[within]
        bought = came[came["amount"] > 0].drop_duplicates(["customer_id", "date"])
        assert one["actual"] == len(bought)
        assert one["actual_value"] == pytest.approx(came["amount"].sum())
        earlier = ahead(begin) / ahead(own) if step else 0
        share = ahead(end) / ahead(own) - earlier
        assert one["predicted"] == pytest.approx((told * share).sum())
        assert one["predicted_value"] == pytest.approx((value * share).sum())
    whole = pd.DataFrame(tracking).drop(columns="date").sum()
    assert whole["predicted"] == pytest.approx(told.sum())
    assert whole["predicted_value"] == pytest.approx(value.sum())
    assert whole["actual"] == trial.outcome.orders.sum()
    assert whole["actual_value"] == pytest.approx(trial.outcome.value.sum())


def test_each_grade_has_the_horizon_of_its_format(history, result):
    assert [entry["horizon_days"] for entry in result["grades"]] == [60, 60, 60]
    short = backtest(history, AS_OF, SHORT, cutoffs=1)
    assert short["horizon_days"] == 60
    assert [entry["horizon_days"] for entry in short["grades"]] == [None, 60, 15]


def test_models_are_compared_on_the_same_trials_and_active_customers(history, kept):
    backtest(history, AS_OF, POLICY, cutoffs=4)
    kept[0].probabilities.pop("boosted")  # then there was too little to learn it from
    compared = module._tiers(kept, None)
    assert [one["name"] for one in compared] == list(TIERS)
    masks = [trial.snapshot.active for trial in kept[1:]]
    churned = [trial.outcome.churned[mask] for trial, mask in zip(kept[1:], masks, strict=True)]
    weights = np.array([1 / (1 / came.sum() + 1 / (~came).sum()) for came in churned])
    for one in compared:
        told = [trial.probabilities[one["name"]] for trial in kept[1:]]
        p = [each[mask] for each, mask in zip(told, masks, strict=True)]
        areas = [metrics.auc(*pair) for pair in zip(churned, p, strict=True)]
        assert one["auc"] == pytest.approx(weights @ areas / weights.sum())
        off = np.concatenate(p) - np.concatenate(churned)
        assert one["brier"] == pytest.approx((off**2).mean())
        assert one["chosen"] is False


def test_a_model_that_no_trial_had_is_told_as_untried(history, kept):
    chosen = backtest(history, AS_OF, POLICY, cutoffs=1)["tier"]
    [trial] = kept
    forecast = trial.forecasts[chosen]
    trial.probabilities.pop(chosen)
    *compared, last = module._tiers(kept, forecast)
    assert chosen not in {one["name"] for one in compared} and not any(one["chosen"] for one in compared)
    assert last == {"name": chosen, "words": forecast.words, "brier": None, "auc": None, "chosen": True}


def test_a_sample_is_told_as_one(history, result, monkeypatch):
    assert result["sample"] is None
    assert not any("sample" in words for words in result["warnings"])
    monkeypatch.setattr(past_module, "SAMPLE", 250)
    sampled = backtest(history, AS_OF, POLICY, cutoffs=1)
    assert sampled["sample"] == {"customers": 250, "of": 320}
    assert "those of a sample of 250 of the 320 customers." in sampled["warnings"][-1]
    assert sampled["warnings"][-1].params == {"customers": 250, "all": 320}
    assert sampled["grades"][0]["customers"] < result["grades"][0]["customers"]
    short = history.until(AS_OF - pd.Timedelta(days=700))
    nobody = backtest(short, AS_OF - pd.Timedelta(days=700), POLICY)
    assert nobody["sample"] is None


def test_one_tier_is_chosen_and_it_is_the_one_of_a_scoring_run(history, result):
    chosen = [one["name"] for one in result["tiers"] if one["chosen"]]
    assert chosen == [result["tier"]]
    assert result["tier"] in TIERS
    scored = score(history, AS_OF, POLICY)
    past = scored.summary["backtest"]
    assert past["tier"] == scored.summary["model"]["tier"]
    assert past["cutoffs"] == result["cutoffs"][-3:]
    # the same latest cut-off: the same customers, of whom the same ones did not come back
    mine, theirs = past["grades"][0], result["grades"][0]
    assert [mine[k] for k in ("customers", "churned", "listed")] == [
        theirs[k] for k in ("customers", "churned", "listed")
    ]


def test_the_same_history_gives_the_same_result(history, result):
    assert backtest(history, AS_OF, POLICY) == result
    mixed = History(history.orders.sample(frac=1, random_state=1), None, history.customers)
    assert backtest(mixed, AS_OF, POLICY) == result


def test_what_is_dated_later_is_left_out(history):
    day = AS_OF - pd.Timedelta(days=200)
    then = history.orders[history.orders["date"] <= day]
    customers = history.customers[history.customers["customer_id"].isin(then["customer_id"])]
    alone = backtest(History(then, None, customers), day, POLICY, cutoffs=2)
    later = backtest(history, day, POLICY, cutoffs=2)
    assert [*later.pop("warnings")][1:] == alone.pop("warnings")
    assert later == alone


def test_progress_is_told(history):
    told = []
    backtest(history, AS_OF, POLICY, cutoffs=1, progress=lambda percent, words: told.append((percent, words)))
    percents = [percent for percent, _words in told]
    assert percents == sorted(percents) and percents[-1] == 100 and all(words for _percent, words in told)


USUAL = {
    "missing": None,
    "grade": None,
    "value_log_bias": 0.1,
    "auc_low": 0.45,
    "gain_low": -0.01,
    "gain_high": 0.01,
    "ece": 0.02,
}


@pytest.mark.parametrize(
    ("company", "words"),
    [
        ({"missing": "cutoffs"}, "too short to try the forecast"),
        ({"missing": "customers"}, "Too few customers were active"),
        ({"missing": "outcomes"}, "Too few customers stayed away"),
        ({"grade": "D"}, "no skill"),
        (
            {"grade": "D", "auc_low": 0.51},
            "better than chance on this company's own past, but its probabilities were worse",
        ),
        ({"grade": "C"}, "neither clearly better nor clearly worse than the best simple rule"),
        ({"grade": "C", "gain_high": -0.001}, "The best simple rule ranked customers better"),
        ({"grade": "C", "gain_low": 0.02, "ece": 0.13}, "off by 13%"),
        ({"grade": "A", "value_log_bias": np.log(1.3)}, "30% more than what came"),
        ({"grade": "A", "value_log_bias": np.log(0.7)}, "30% less than what came"),
    ],
)
def test_cautions_are_sentences(company, words):
    (sentence,) = module._cautions(USUAL | company, None)
    assert words in sentence and sentence.endswith(".")


def test_a_good_grade_needs_no_caution():
    good = USUAL | {"grade": "A", "value_log_bias": -0.19, "gain_low": 0.01}
    assert module._cautions(good, None) == []
    assert module._cautions(good | {"value_log_bias": None}, None) == []


def test_a_bias_of_value_is_a_warning_for_the_company_alone(history, monkeypatch):
    """Of a format it is a figure of its grade."""

    def graded(judged, format_id=None, horizon_days=None):
        return module_grade(judged, format_id, horizon_days) | {
            "value_log_bias": 0.0 if format_id is None else 2.0
        }

    module_grade = module.grade
    monkeypatch.setattr(module, "grade", graded)
    result = backtest(history, AS_OF, POLICY, cutoffs=1)
    assert [entry["value_log_bias"] for entry in result["grades"]] == [0, 2, 2]
    assert not any("expected value came to" in words for words in result["warnings"])
