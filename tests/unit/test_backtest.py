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
    assert set(keys) == set(result) and len(keys) == 7
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


def test_tracking_adds_up_to_the_whole_forecast(history, monkeypatch):
    kept = []
    summarise = module.summarise

    def keep(judged, *rest):
        kept.extend(judged)
        return summarise(judged, *rest)

    monkeypatch.setattr(module, "summarise", keep)
    result = backtest(history, AS_OF, POLICY, cutoffs=2)
    whole = pd.DataFrame(result["tracking"][-6:]).drop(columns="date").sum()
    assert whole["predicted"] == pytest.approx(kept[-1].told(kept[-1].chosen).orders.sum())
    assert whole["predicted_value"] == pytest.approx(kept[-1].expected_value.sum())
    assert whole["actual"] == kept[-1].outcome.orders.sum()
    told = sum(one["predicted_value"] for one in result["grades"][0]["deciles"]) / 10
    both = np.concatenate([trial.expected_value for trial in kept])
    assert told == pytest.approx(both.mean(), rel=0.02)  # deciles of nearly equal count
    auc = {one["name"]: one["auc"] for one in result["tiers"]}
    for name, area in auc.items():
        areas = []
        tried = [trial for trial in kept if name in trial.probabilities]
        if not tried:
            assert area is None and name == result["tier"]
            continue
        for trial in tried:
            active = trial.snapshot.active
            areas.append(module.auc(trial.outcome.churned[active], trial.probabilities[name][active]))
        assert area == pytest.approx(np.mean(areas))


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


@pytest.mark.parametrize(
    ("company", "words"),
    [
        ({"missing": "cutoffs"}, "too short to try the forecast"),
        ({"missing": "customers"}, "Too few customers were active"),
        ({"missing": "outcomes"}, "Too few customers stayed away"),
        ({"grade": "D"}, "no skill"),
        ({"grade": "C"}, "no better than a simple rule"),
        ({"grade": "C", "gain_low": 0.02, "ece": 0.13}, "off by 13%"),
        ({"grade": "A", "value_log_bias": np.log(1.3)}, "30% more than what came"),
        ({"grade": "A", "value_log_bias": np.log(0.7)}, "30% less than what came"),
    ],
)
def test_cautions_are_sentences(company, words):
    usual = {"missing": None, "grade": None, "value_log_bias": 0.1, "gain_low": -0.01, "ece": 0.02}
    (sentence,) = module._cautions(usual | company)
    assert words in sentence and sentence.endswith(".")


def test_a_good_grade_needs_no_caution():
    good = {"missing": None, "grade": "A", "value_log_bias": -0.19, "gain_low": 0.01, "ece": 0.02}
    assert module._cautions(good) == []
    assert module._cautions(good | {"value_log_bias": None}) == []
