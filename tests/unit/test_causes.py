"""Why labels change: told by another policy or model on the same data."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from causes_shop import AS_OF, fresh, shop

from sync_worker.history.columns import as_day
from sync_worker.policy import Policy
from sync_worker.scoring import causes, labelling, trials, value_type
from sync_worker.scoring.causes import Before, Otherwise
from sync_worker.scoring.labelling import differ, relabel
from sync_worker.scoring.pipeline import score
from sync_worker.scoring.preparation import prepare

# ------------------------------------------------------------------ the rule


def ids(*numbers):
    return pd.Series(numbers, dtype="int64")


def test_the_policy_comes_before_the_data_and_those_before_the_model():
    before = Before(known=ids(1, 2, 3, 4, 5, 6), corrected=ids(2, 3, 6), relabelled=ids(3, 4))
    otherwise = Otherwise(by_policy=ids(1, 2), by_model=ids(5, 6, 7))
    found = causes.told(ids(1, 2, 3, 4, 5, 6, 7, 8), before, otherwise)
    assert list(found) == [
        "policy", "policy", "data", "model", "model", "data", "behaviour", "behaviour",
    ]  # fmt: skip
    assert set(causes.told(ids(1, 2), Before(), Otherwise())) == {"behaviour"}


# ------------------------------------------------------------- another model


@pytest.fixture(scope="module")
def history():
    return shop()


def table_of(history, before=None, policy=None, as_of=AS_OF):
    return score(history, as_of, policy or Policy(), withhold=True, before=before).customers


def prefer(monkeypatch, tier):
    monkeypatch.setattr(trials, "choose", lambda _judged, _available: tier)


@pytest.mark.parametrize("before", ["rhythm", "rules"])
def test_what_the_tier_of_the_last_run_would_tell_otherwise_changed_by_the_model(
    history, monkeypatch, before
):
    monkeypatch.setattr(value_type, "PART_WEIGHT", 0.0)  # types do not hang on the forecast
    prefer(monkeypatch, "mbg_nbd")
    day = as_day(AS_OF)
    prepared = prepare(history.until(day), day, Policy(), lambda percent, step: None, before)[0]
    assert (prepared.forecast.name, prepared.other.name) == ("mbg_nbd", before)
    known = history.customers["customer_id"]
    found = table_of(history, Before(tier=before, known=known)).set_index("customer_id")
    told = relabel(replace(prepared, forecast=prepared.other, expected=None), Policy(), withhold=True)
    other = differ(relabel(prepared, Policy(), withhold=True), told).any(axis=1)
    assert 0 < other.sum() < len(other)
    of_buyers = found.loc[told["customer_id"], "cause"]
    assert (of_buyers.to_numpy() == np.where(other, "model", "behaviour")).all()
    # who is new has not changed; and nothing is asked of a tier that is the same, or that nobody knows
    assert set(table_of(history, Before(tier=before))["cause"]) == {"behaviour"}
    for tier in ("mbg_nbd", None, "of_tomorrow"):
        assert set(table_of(history, Before(tier=tier, known=known))["cause"]) == {"behaviour"}


@pytest.mark.parametrize(
    ("changed", "label"),
    [
        ({"value_type_score": 0.3}, "value_type"),
        ({"value_type_margin": 0.0}, "value_type"),
        ({"new_product_days": 30}, "value_type"),
        ({"lost_type_confidence": 0.95}, "lost_type"),
        ({"lost_factor": 20.0}, "lost_type"),
        ({"value_horizon_years": 1, "discount_rate": 0.5}, "value_type"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_types_that_the_last_policy_would_tell_otherwise_changed_by_the_policy(history, changed, label):
    last = Policy().replace(**changed)
    then, now = table_of(fresh(history), policy=last), table_of(fresh(history), Before(policy=last))
    assert (then[label].fillna("") != now[label].fillna("")).any()
    other = differ(then, now, labelling.ALL).any(axis=1)
    assert (now["cause"] == np.where(other, "policy", "behaviour")).all()


def test_types_that_the_last_model_would_tell_otherwise_changed_by_the_model(history, monkeypatch):
    monkeypatch.setattr(value_type, "PART_WEIGHT", 3.0)  # a forecast that matters
    prefer(monkeypatch, "rhythm")
    then = table_of(fresh(history))
    prefer(monkeypatch, "mbg_nbd")
    now = table_of(fresh(history), Before(tier="rhythm", known=history.customers["customer_id"]))
    only_types = ~differ(then, now).any(axis=1) & differ(then, now, labelling.TYPES).any(axis=1)
    assert only_types.any()
    other = differ(then, now, labelling.ALL).any(axis=1)
    assert (now["cause"] == np.where(other, "model", "behaviour")).all()


def test_the_other_forecast_is_not_kept_for_previews(history, monkeypatch):
    prefer(monkeypatch, "mbg_nbd")
    left = []
    score(
        history,
        AS_OF,
        Policy(),
        before=Before(tier="rhythm"),
        keep=lambda prepared, _labels: left.append(prepared.other),
    )
    assert left == [None]


def test_a_prospect_whose_only_order_was_cancelled_changed_by_the_data(history):
    prospect = history.customers["customer_id"][
        ~history.customers["customer_id"].isin(history.orders["customer_id"])
    ].iloc[0]
    found = table_of(history, Before(known=ids(prospect), corrected=ids(prospect)))
    assert found.set_index("customer_id")["cause"].value_counts().to_dict() == {
        "behaviour": len(found) - 1,
        "data": 1,
    }
    assert found.loc[found["customer_id"] == prospect, "cause"].item() == "data"
