"""One setting: forecasts of all competitors, and their figures."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.judge import boosting, classical, metrics
from benchmarks.judge.cut import Cut, Ledger
from benchmarks.judge.rules import RULES
from sync_worker.history.file import history_from_table
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring.pipeline import score

OURS = "ours"
TITLES = {
    OURS: "ours",
    **classical.MODELS,
    "boosting": "boosting, one window",
    "boosting_several": "boosting, several",
    **{rule: rule.replace("_", " ") for rule in RULES},
}
#: Fewest customers of either outcome for a figure among the active.
OUTCOMES = 10
#: What the interval of the value claims to cover.
COVERAGE = 0.8


@dataclass
class Forecast:
    """What one competitor says of each customer of a cut.

    Attributes:
        kind: `ours`, `classical`, `boosting` or `rule`.
        risk: higher is more at risk; a probability unless the kind is `rule`.
        value: expected value within the horizon, or what ranks by it; None where there is none.
    """

    kind: str
    risk: np.ndarray
    value: np.ndarray | None = None
    orders: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None


@dataclass
class Prepared:
    """A data set in the forms that judging needs.

    Attributes:
        history: as the product gets it; `plain`, the same without margins, so that value is in revenue.
        ledger: order-days and revenue; `margins`, the same with margin as money, or None.
    """

    history: History
    plain: History
    ledger: Ledger
    margins: Ledger | None
    customers: int = field(init=False)

    def __post_init__(self) -> None:
        self.customers = len(self.ledger.ids)

    @classmethod
    def of(cls, rows: pd.DataFrame) -> Prepared:
        """From rows with the worker's column names."""
        history = history_from_table(rows)
        known = history.orders["margin"].notna().all()
        plain = history_from_table(rows.drop(columns="margin")) if "margin" in rows else history
        return cls(
            history, plain, Ledger(history.orders), Ledger(history.orders, "margin") if known else None
        )


def ours(history: History, cutoff: str, cut: Cut) -> tuple[Forecast, pd.DataFrame]:
    """The product's forecast by its public interface, in the order of the cut's customers.

    Raises:
        ValueError: a customer or a number is missing.
    """
    policy = Policy().replace(churn_horizon_days=cut.horizon)
    table = score(history.until(cutoff), cutoff, policy).customers.set_index("customer_id").reindex(cut.ids)
    names = [
        "churn_probability",
        "expected_value",
        "expected_orders",
        "expected_value_low",
        "expected_value_high",
    ]
    numbers = table[names].to_numpy(float)
    if not np.isfinite(numbers).all():
        missing = [name for name, bad in zip(names, ~np.isfinite(numbers).all(axis=0), strict=True) if bad]
        raise ValueError(f"our scores as of {cutoff} lack numbers: {', '.join(missing)}")
    return Forecast(OURS, *numbers.T), table


def judge(prepared: Prepared, cutoff: str, horizon: int, python: Path | None, draws: int) -> dict[str, Any]:
    """All figures of a setting, ready for JSON."""
    cut = prepared.ledger.cut(cutoff, horizon)
    notes: list[str] = []
    begin = time.perf_counter()
    product, table = ours(prepared.history, cutoff, cut)
    seconds = time.perf_counter() - begin
    in_margin = None
    if (table["value_basis"] == "margin").any():
        in_margin = _in_margin(prepared, cutoff, horizon, product)
        # judged in revenue as the others are: value by the same history without margins
        revenue, _ = ours(prepared.plain, cutoff, cut)
        product.value, product.low, product.high = revenue.value, revenue.low, revenue.high
    forecasts = {OURS: product}
    old = classical.fit(cut, python)
    notes += old.notes
    for name, probability in old.no_purchase.items():
        forecasts[name] = Forecast("classical", probability, old.value.get(name), old.orders.get(name))
    for name, windows in (("boosting", 1), ("boosting_several", boosting.WINDOWS)):
        boosted = boosting.forecast(prepared.ledger, cut, windows)
        if boosted is None:
            notes.append(f"{TITLES[name]}, left out as the history is too short to train")
        else:
            forecasts[name] = Forecast("boosting", *boosted)
    for name, rule in RULES.items():
        risk = rule(cut)
        forecasts[name] = Forecast("rule", risk, -risk)
    figures = {name: measure(forecast, cut) for name, forecast in forecasts.items()}
    return {
        "cutoff": cutoff,
        "horizon_days": horizon,
        "customers": len(cut),
        "active": int(cut.active.sum()),
        "active_window_days": cut.window,
        "churn_rate": float(cut.churned.mean()),
        "churn_rate_active": float(cut.churned[cut.active].mean()) if cut.active.any() else None,
        "year_before_known": cut.year_before_known,
        "seconds": seconds,
        "models": figures,
        "gains": gains(forecasts, figures, cut, draws),
        "in_margin": in_margin,
        "notes": notes,
    }


def measure(forecast: Forecast, cut: Cut) -> dict[str, Any]:
    """The figures of one competitor; those it has no forecast for are missing."""
    active, churned = cut.active, cut.churned
    result: dict[str, Any] = {"kind": forecast.kind, "auc": metrics.auc(forecast.risk, churned)}
    enough = judgeable(cut)
    if enough:
        result["auc_active"] = metrics.auc(forecast.risk[active], churned[active])
    if forecast.kind != "rule":
        result["brier"] = metrics.brier(forecast.risk, churned)
        result["ece"] = metrics.calibration_error(forecast.risk, churned)
        if forecast.kind == OURS:
            result["ece_chance"] = metrics.calibration_by_chance(forecast.risk)
        if enough:
            result["ece_active"] = metrics.calibration_error(forecast.risk[active], churned[active])
    if forecast.value is not None:
        positive = np.maximum(cut.actual, 0)  # a net return ranks with none
        result["spearman"] = metrics.spearman(forecast.value, positive)
        result["ngini"] = metrics.normalised_gini(forecast.value, positive)
        result["top_share"] = metrics.top_share(forecast.value, positive)
        if forecast.kind != "rule":
            result["decile_error"] = metrics.decile_error(forecast.value, positive)
            result["log_bias"] = metrics.log_bias(forecast.value, cut.actual)
    if forecast.orders is not None:
        result["orders_log_bias"] = metrics.log_bias(forecast.orders, cut.orders_after.astype(float))
    if forecast.low is not None:
        result["coverage"] = metrics.coverage(forecast.low, forecast.high, cut.actual)
        # no interval from nothing upwards covers less than the share of those who buy nothing
        result["coverage_honest"] = float(np.maximum(forecast.risk, COVERAGE).mean())
        if active.any():
            result["coverage_active"] = metrics.coverage(
                forecast.low[active], forecast.high[active], cut.actual[active]
            )
    return result


def judgeable(cut: Cut) -> bool:
    """Whether enough of the active churned and stayed for figures among them."""
    churned = cut.churned[cut.active]
    return bool(min(churned.sum(), (~churned).sum()) >= OUTCOMES)


def gains(
    forecasts: dict[str, Forecast], figures: dict[str, dict], cut: Cut, draws: int
) -> dict[str, dict[str, Any]]:
    """AUC of ours less that of the best competitor picked in hindsight, with 90 % intervals."""
    everyone = np.ones(len(cut), dtype=bool)
    wanted = {
        "classical": ("auc", everyone, ("classical",)),
        "anything": ("auc", everyone, ("classical", "boosting", "rule")),
    }
    if judgeable(cut):
        wanted["rule_active"] = ("auc_active", cut.active, ("rule",))
    result = {}
    for key, (figure, who, kinds) in wanted.items():
        candidates = [name for name, one in forecasts.items() if one.kind in kinds]
        if not candidates:
            continue
        best = max(candidates, key=lambda name: figures[name][figure])
        scores = np.array([forecasts[OURS].risk[who], forecasts[best].risk[who]])
        drawn = metrics.bootstrap_auc(scores, cut.churned[who], draws)
        low, high = metrics.interval(drawn[:, 0] - drawn[:, 1])
        result[key] = {
            "best": best,
            "auc": figures[best][figure],
            "gain": figures[OURS][figure] - figures[best][figure],
            "low": low,
            "high": high,
            "significantly_below": bool(high < 0),
        }
    return result


def _in_margin(prepared: Prepared, cutoff: str, horizon: int, product: Forecast) -> dict[str, float] | None:
    """How the value in margin, which users see, came out."""
    if prepared.margins is None:
        return None
    actual = prepared.margins.cut(cutoff, horizon).actual
    return {
        "forecast": float(product.value.sum()),
        "actual": float(actual.sum()),
        "spearman": metrics.spearman(product.value, actual),
        "coverage": metrics.coverage(product.low, product.high, actual),
    }


def guard(prepared: Prepared, cutoff: str, horizon: int, draws: int) -> dict[str, Any]:
    """Figures of a history without skill to be had: AUC should not differ from a half."""
    cut = prepared.ledger.cut(cutoff, horizon)
    product, _ = ours(prepared.history, cutoff, cut)
    result = {
        "cutoff": cutoff,
        "horizon_days": horizon,
        "customers": len(cut),
        "active": int(cut.active.sum()),
        "churn_rate": float(cut.churned.mean()),
        "brier": metrics.brier(product.risk, cut.churned),
        "base_brier": float(cut.churned.mean() * (1 - cut.churned.mean())),
        "ece": metrics.calibration_error(product.risk, cut.churned),
        "best_rule_auc": max(metrics.auc(rule(cut), cut.churned) for rule in RULES.values()),
    }
    for name, who in (("auc", np.ones(len(cut), dtype=bool)), ("auc_active", cut.active)):
        if name == "auc" or judgeable(cut):
            drawn = metrics.bootstrap_auc(product.risk[None, who], cut.churned[who], draws)
            low, high = metrics.interval(drawn[:, 0])
            result[name] = {
                "auc": metrics.auc(product.risk[who], cut.churned[who]),
                "low": low,
                "high": high,
                "skill": bool(low > 0.5),
            }
    return result


def leaks(prepared: Prepared, cutoff: str, horizon: int) -> list[str]:
    """Columns of the result that change when later orders are in the history; there should be none."""
    policy = Policy().replace(churn_horizon_days=horizon)
    cut = score(prepared.history.until(cutoff), cutoff, policy).customers
    whole = score(prepared.history, cutoff, policy).customers
    if len(cut) != len(whole):
        return ["customer_id"]
    return [name for name in cut if not cut[name].equals(whole[name])]
