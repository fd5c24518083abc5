import json
from dataclasses import replace
from importlib import import_module
from importlib.resources import files
from pkgutil import iter_modules

import numpy as np
import pandas as pd
import pytest
from conftest import AS_OF, crowd, history_of, orders_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator import World, simulate
from sync_worker import scoring
from sync_worker.history.columns import HistoryError
from sync_worker.history.facts import PREVIOUS
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import reasons as writing
from sync_worker.scoring.causes import Before
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.explanation import render
from sync_worker.scoring.pipeline import COLUMNS, score
from sync_worker.scoring.reasons import schema

NUMBERS = [
    "churn_probability",
    "p_alive",
    "expected_orders",
    "expected_value",
    "expected_value_low",
    "expected_value_high",
    "historical_value",
    "current_value",
    "potential_value",
    "lifetime_value",
]
LABELS = ["value_class", "value_segment", "loyalty_stage", "lifecycle_stage", "churn_risk", "confidence"]
ALLOWED = {
    "value_class": {"key", "growth", "standard", "unprofitable"},
    "value_segment": {
        *("key_stable", "key_at_risk", "promising", "new", "standard", "burden", "dormant"),
        *("lost_worth_winning_back", "lost", "prospect"),
    },
    "loyalty_stage": {"awareness", "approval", "preference", "loyalty"},
    "lifecycle_stage": {"selection", "acquisition", "won_back", "retention", "extension", "dormant", "lost"},
    "churn_risk": {"low", "medium", "high"},
    "confidence": {"enough", "thin", "none"},
}


@pytest.fixture(scope="module")
def shop():
    orders = crowd(300, seed=1)
    orders["order_id"] = np.arange(len(orders)) + 1
    rng = np.random.default_rng(2)
    number = rng.integers(1, 4, len(orders))
    of = np.repeat(np.arange(len(orders)), number)
    lines = pd.DataFrame(
        {
            "order_id": orders["order_id"].to_numpy()[of],
            "product_id": rng.integers(1, 200, len(of)),
            "category": rng.integers(1, 20, len(of)),
            "quantity": 1.0,
            "amount": orders["amount"].to_numpy()[of] / number[of],
            "discount": rng.choice([0.0, 0.0, 15.0], len(of)),
        }
    )
    ids = [*orders["customer_id"].unique(), 1]
    customers = pd.DataFrame({"customer_id": ids, "format_id": np.arange(len(ids)) % 3})
    return History(orders, lines, customers)


@pytest.fixture(scope="module")
def result(shop):
    return score(shop, AS_OF, Policy())


def check(customers):
    buyers = customers[customers["order_days"].notna()]
    assert np.isfinite(buyers[NUMBERS].to_numpy(float)).all()
    for name in LABELS:
        assert set(buyers[name]) <= ALLOWED[name], name
    for name in ("churn_probability", "p_alive"):
        assert buyers[name].between(0, 1).all()
    assert (buyers["expected_value_low"] <= buyers["expected_value"]).all()
    assert (buyers["expected_value"] <= buyers["expected_value_high"]).all()
    parts = buyers[["historical_value", "current_value", "potential_value"]].sum(axis=1)
    assert parts.to_numpy(float) == pytest.approx(buyers["lifetime_value"].to_numpy(float))
    assert customers["customer_id"].is_monotonic_increasing and customers["customer_id"].is_unique


def test_every_customer_has_one_row_with_the_documented_columns(shop, result):
    check(result.customers)
    assert result.customers["customer_id"].tolist() == sorted(shop.customers["customer_id"])
    assert list(result.customers) == ["format_id" if name == "format" else name for name in COLUMNS]
    assert result.summary["model"]["tier"] in {"mbg_nbd", "rhythm", "regression", "boosted"}
    assert sum(result.summary["counts"]["value_class"].values()) == 300
    assert json.dumps(result.summary)


def test_columns_are_those_of_the_contract_and_of_the_documentation(result):
    root = files("sync_worker").joinpath("..")
    contract = root.joinpath("docs/contract.md").read_text(encoding="utf-8").split("## Published columns")[1]
    documented = root.joinpath("docs/columns.md").read_text(encoding="utf-8")
    for name in result.customers:
        assert f"`{name}`" in contract or name == "customer_id", name
        assert f"`{name}`" in documented, name
    for name, values in ALLOWED.items():
        assert all(f"`{value}`" in documented for value in values), name


def test_prospects_have_labels_and_no_numbers(result):
    prospect = result.customers.set_index("customer_id").loc[1]
    assert prospect[["lifecycle_stage", "value_segment", "loyalty_stage"]].tolist() == [
        "selection",
        "prospect",
        "awareness",
    ]
    assert prospect[NUMBERS].isna().all() and pd.isna(prospect["value_class"])
    assert not prospect["burden"] and prospect["reasons"] == "[]"


def test_the_result_does_not_depend_on_the_order_of_rows(shop, result):
    mixed = History(
        shop.orders.sample(frac=1, random_state=1),
        shop.lines.sample(frac=1, random_state=2),
        shop.customers.sample(frac=1, random_state=3),
    )
    pd.testing.assert_frame_equal(score(mixed, AS_OF, Policy()).customers, result.customers)


def test_the_result_does_not_depend_on_the_currency(shop, result):
    orders = shop.orders.assign(amount=shop.orders["amount"] * 160, margin=shop.orders["margin"] * 160)
    yen = score(History(orders, shop.lines, shop.customers), AS_OF, Policy()).customers
    pd.testing.assert_frame_equal(yen[LABELS], result.customers[LABELS])
    money = [name for name in NUMBERS if name.endswith("value") or "_value_" in name]
    ratio = yen[money].to_numpy(float) / 160
    assert ratio == pytest.approx(result.customers[money].to_numpy(float), rel=1e-4, abs=1e-6, nan_ok=True)


def test_a_past_date_gives_what_it_gave_then(shop):
    cut = AS_OF - pd.Timedelta(days=100)
    then = shop.orders[shop.orders["date"] <= cut]
    known = shop.customers["customer_id"].isin([*then["customer_id"], 1])
    lines = shop.lines[shop.lines["order_id"].isin(then["order_id"])]
    alone = score(History(then, lines, shop.customers[known]), cut, Policy())
    later = score(shop, cut, Policy())
    pd.testing.assert_frame_equal(alone.customers, later.customers)
    assert any("dated after" in words for words in later.warnings)


def test_horizon_and_risk_bands_come_from_the_policy(shop, result):
    longer = score(shop, AS_OF, Policy().replace(churn_horizon_days=180)).customers
    assert longer["churn_probability"].mean() < result.customers["churn_probability"].mean()
    strict = score(shop, AS_OF, Policy().replace(risk_medium_from=0.02, risk_high_from=0.03)).customers
    buyers = strict[strict["order_days"].notna()]
    expected = np.select(
        [buyers["churn_probability"] >= 0.03, buyers["churn_probability"] >= 0.02], [2, 1], 0
    )
    assert buyers["churn_risk"].map({"low": 0, "medium": 1, "high": 2}).tolist() == expected.tolist()


def test_evidence_is_told_the_strongest_first_and_two_of_a_topic(monkeypatch):
    spec = {"direction": "value", "topic": "rating", "params": {"late": "integer"}, "model": "account.move"}
    names = ["a", "b", "c", "d"]
    monkeypatch.setattr(writing, "schema", lambda: dict.fromkeys(names, spec))
    records = np.array([[8, -1], [7, 6]])
    candidates = [
        writing.told(
            Evidence(name, np.array([True, name == "a"]), {"late": np.array([4, 2])}, records, strength)
        )
        for name, strength in zip(names, [0.1, np.array([0.5, 0]), 0.2, np.array([0.4, 9.0])], strict=True)
    ]
    told = [json.loads(text) for text in writing.written(candidates, 2)]
    assert [[reason["code"] for reason in reasons] for reasons in told] == [["b", "d"], ["a"]]
    assert told[1][0]["record_ids"] == [7, 6] and told[1][0]["params"] == {"late": 2}
    monkeypatch.setattr(writing, "BLOCK", 1)
    assert [json.loads(text) for text in writing.written(candidates, 2)] == told
    spec["params"] = {}
    bare = [writing.told(Evidence("a", np.array([True, False]), {}))]
    assert json.loads(writing.written(bare, 2)[0])[0]["params"] == {}
    assert writing.written(bare, 2)[1] == "[]"


def test_what_speaks_the_other_way_is_not_told(monkeypatch):
    spec = {"topic": "churn", "params": {}, "model": None}
    codes = {"up": {**spec, "direction": "up"}, "down": {**spec, "direction": "down"}}
    monkeypatch.setattr(writing, "schema", lambda: codes)
    contribution = np.array([0.2, -0.2, np.nan, 0.001, -0.001])
    for code, expected in (("up", [0, 2]), ("down", [1, 2])):
        assert (
            writing.told(Evidence(code, np.ones(5, bool), {}, contribution=contribution)).rows.tolist()
            == expected
        )


@given(st.integers(0, 2**31 - 1))
@settings(max_examples=20)
def test_reasons_are_those_of_looking_at_each_customer(seed):
    rng = np.random.default_rng(seed)
    codes = [code for code, spec in schema().items() if spec["topic"] in ("churn", "rating", "lost")]
    n = 40
    evidence = [
        (
            Evidence(
                code,
                rng.random(n) < 0.4,
                {name: rng.integers(-5, 2**33, n) for name in schema()[code]["params"]},
                rng.integers(-1, 9, (n, 3)) if schema()[code]["model"] else None,
                rng.random(n),
            ),
            np.where(rng.random(n) < 0.5, np.nan, rng.normal(0, 0.1, n)),
        )
        for code in codes
    ]
    texts = writing.written([writing.told(replace(one, contribution=gain)) for one, gain in evidence], n)
    for row in range(n):
        held = []
        for index, (one, gain) in enumerate(evidence):
            direction = schema()[one.code]["direction"]
            against = {"up": gain[row] < 0.005, "down": gain[row] > -0.005}.get(direction, False)
            if one.holds[row] and not against:
                own = one.strength[row] - index / 1000
                held.append((own if np.isnan(gain[row]) else abs(gain[row]), one.code))
        expected = []
        for topic, most in (("churn", 5), ("rating", 2), ("lost", 2)):
            of_topic = sorted((pair for pair in held if schema()[pair[1]]["topic"] == topic), reverse=True)
            expected += [code for _, code in of_topic[:most]]
        assert sorted(reason["code"] for reason in json.loads(texts[row])) == sorted(expected)


def test_reasons_follow_the_schema(shop, result):
    codes, owner = schema(), shop.orders.set_index("order_id")["customer_id"]
    for row in result.customers.itertuples():
        reasons = json.loads(row.reasons)
        topics = [codes[reason["code"]]["topic"] for reason in reasons]
        together = [topic for place, topic in enumerate(topics) if topics[:place][-1:] != [topic]]
        assert len(together) == len(set(together)), "the reasons of a topic stand together"
        assert all(topics.count(topic) <= (5 if topic == "churn" else 2) for topic in together)
        weights = [abs(r["contribution"]) for r in reasons if r["contribution"] is not None]
        assert weights == sorted(weights, reverse=True)
        for reason in reasons:
            spec = codes[reason["code"]]
            assert set(reason) == {"code", "direction", "contribution", "params", "model", "record_ids"}
            assert reason["direction"] == spec["direction"]
            assert {k: type(v).__name__ for k, v in reason["params"].items()} == {
                k: "int" for k in spec["params"]
            }
            assert reason["model"] == spec["model"]
            assert len(reason["record_ids"]) <= 5
            assert set(owner[reason["record_ids"]]) <= {row.customer_id}
            if reason["contribution"] is not None:
                assert reason["contribution"] * {"up": 1, "down": -1}[reason["direction"]] >= 0
            assert render(reason) != reason["code"]


def test_every_reason_code_has_a_sentence():
    modules = [import_module(f"{scoring.__name__}.{each.name}") for each in iter_modules(scoring.__path__)]
    sentences = {}
    for module in modules:
        sentences |= getattr(module, "SENTENCES", {})
    assert set(sentences) == set(schema())
    for code, spec in schema().items():
        assert sentences[code].format_map(dict.fromkeys(spec["params"], 7))
    sentence = render({"code": "late_against_rhythm", "params": {"days_since": 94, "typical_gap": 21}})
    assert sentence == "Last order 94 days ago; usually orders every 21 days"


def test_a_late_customer_is_told_so_with_its_figures():
    late = orders_of(1, range(94, 500, 21))
    found = score(history_of(crowd(80, seed=4), late), AS_OF, Policy()).customers.set_index("customer_id")
    reasons = {r["code"]: r for r in json.loads(found.loc[1, "reasons"])}
    assert reasons["late_against_rhythm"]["params"]["days_since"] == 94
    assert reasons["late_against_rhythm"]["params"]["typical_gap"] == pytest.approx(21, abs=2)
    assert reasons["late_against_rhythm"]["contribution"] > 0
    assert found.loc[1, "expected_next_order"] < AS_OF


def test_margins_measure_value_where_they_are_known():
    parts = [orders_of(n, [400, 100, 20], 100.0, 30.0) for n in range(1, 60)]
    found = score(history_of(*parts, orders_of(99, [50], 100.0, np.nan)), AS_OF, Policy())
    customers = found.customers.set_index("customer_id")
    assert set(customers["value_basis"]) == {"margin"}
    assert customers.loc[1, ["historical_value", "current_value"]].tolist() == [30, 60]
    assert customers.loc[99, "current_value"] == pytest.approx(30)
    assert any("no margin" in words for words in found.warnings)
    few = [orders_of(n, [400, 100, 20]) for n in range(1, 60)]
    found = score(history_of(*few, orders_of(99, [50], 100.0, 10.0)), AS_OF, Policy())
    assert set(found.customers["value_basis"]) == {"revenue"}
    assert any("Margins are known for" in words for words in found.warnings)


def test_returns_lower_value_and_are_no_purchase():
    sale, back = orders_of(1, [40], 100.0), orders_of(1, [10], -30.0)
    found = score(history_of(sale, back, orders_of(2, [40, 10], 100.0)), AS_OF, Policy()).customers
    assert found["current_value"].tolist() == [70, 200]
    assert found["order_days"].tolist() == [1, 2]
    assert found["last_order_date"].iloc[0] == AS_OF - pd.Timedelta(days=40)
    only = history_of(orders_of(1, [10], -30.0))
    everyone = score(only, AS_OF, Policy())
    assert everyone.customers["value_segment"].tolist() == ["prospect"]
    assert "all are prospects" in " ".join(everyone.warnings)


def test_small_companies_are_judged_by_rules_and_told_so():
    found = score(history_of(orders_of(1, [100, 70, 40, 10]), orders_of(2, [300])), AS_OF, Policy())
    check(found.customers)
    assert found.summary["model"]["tier"] == "rules"
    assert set(found.customers["confidence"]) == {"none"}
    assert any("only 2 customers have ordered" in words for words in found.warnings)
    first, second = found.customers["churn_probability"]
    assert first < second


def test_no_order_by_the_date_is_refused():
    with pytest.raises(HistoryError, match="choose a later date"):
        score(history_of(orders_of(1, [10])), "2020-01-01", Policy())


def test_progress_is_told():
    told = []
    score(history_of(orders_of(1, [10])), AS_OF, Policy(), progress=lambda p, words: told.append((p, words)))
    assert [p for p, _ in told] == sorted(p for p, _ in told) and told[-1][0] == 100
    assert all(words for _, words in told)


order = st.tuples(st.integers(1, 8), st.integers(0, 1200), st.floats(-1e7, 1e7))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(order, min_size=1, max_size=40))
def test_any_small_history_is_scored_without_a_gap(orders):
    parts = [orders_of(customer, [days], round(amount, 2)) for customer, days, amount in orders]
    check(score(history_of(*parts), AS_OF, Policy()).customers)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 5), st.integers(1, 400), st.sampled_from([1e-6, 1.0, 1e9]), st.integers(50, 70))
def test_degenerate_bases_are_scored_without_a_gap(orders, gap, amount, customers):
    """All alike: the same order-days and amounts for everybody."""
    parts = [orders_of(n, np.arange(orders) * gap, amount) for n in range(1, customers)]
    check(score(history_of(*parts), AS_OF, Policy()).customers)


def test_a_company_without_orders_has_prospects_only():
    customers = pd.DataFrame({"customer_id": [1, 2], "first_seen": ["2024-01-05", "2024-02-01"]})
    orders = pd.DataFrame({"order_id": [], "customer_id": [], "date": [], "amount": []})
    result = score(History(orders=orders, customers=customers), "2024-03-01", Policy())
    assert list(result.customers["value_segment"]) == ["prospect", "prospect"]
    assert result.customers["churn_probability"].isna().all()
    assert result.customers["lifetime_value"].isna().all()


def test_where_sales_are_invoices_reasons_open_those():
    policy = Policy().replace(sales_basis=1)
    history = simulate(World(seed=5, customers=120)).history
    told = [
        reason
        for text in score(history, "2026-06-30", policy).customers["reasons"]
        for reason in json.loads(text)
        if reason["record_ids"]
    ]
    models = {reason["code"]: reason["model"] for reason in told}
    of_sales = {code for code in models if "invoiced" in schema()[code]}
    assert len(of_sales) > 5 and {models[code] for code in of_sales} == {"account.move"}
    assert all(models[code] == schema()[code]["model"] for code in set(models) - of_sales)
    # how it ordered is told by its orders
    assert {models.get(code, "sale.order") for code in ("prefers_channel", "shifts_channel")} == {
        "sale.order"
    }


def test_what_changes_where_sales_are_counted_anew_is_the_policy_s_doing(shop):
    for before, now, cause in (
        (Policy(), Policy().replace(sales_basis=1), "policy"),
        (Policy().replace(sales_basis=1), Policy(), "policy"),
        (Policy().replace(sales_basis=1), Policy().replace(sales_basis=1), "behaviour"),
    ):
        scored = score(shop, AS_OF, now, before=Before(policy=before))
        assert set(scored.customers["cause"]) == {cause}
        assert any("what changed customer equity" in each for each in scored.warnings) == (cause == "policy")


def test_values_of_other_sales_are_no_opening_of_equity(shop):
    """What the last run made of orders is nothing that invoices have grown or declined from."""
    last = score(shop, AS_OF, Policy()).customers
    history = replace(shop, previous=last.reindex(columns=[*PREVIOUS]).assign(as_of=AS_OF))
    same = score(history, AS_OF, Policy()).summary["equity"]
    assert same["opening"] == same["closing"] > 0
    recounted = score(
        history, AS_OF, Policy().replace(sales_basis=1), before=Before(policy=Policy())
    ).summary["equity"]
    assert recounted["opening"] is None and recounted["growth"] is None
    assert recounted["closing"] == same["closing"]
