"""BG/NBD, MBG/NBD and Pareto/NBD with Gamma-Gamma: fitted by `lifetimes` in a process of its own.

Without that environment the product's own transaction models stand in, which makes the bar softer: they share the
code that is judged. The result says which were used.
"""

# ruff: noqa: N806 - T is the name in the literature
from __future__ import annotations

import importlib
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.judge.cut import Cut

WEEK = 7.0
#: Seconds for all models of one setting; what is not fitted by then does not take part.
SECONDS = 120
MODELS = {"bg_nbd": "BG/NBD", "mbg_nbd": "MBG/NBD", "pareto_nbd": "Pareto/NBD"}
OWN_CLASSES = {"bg_nbd": "BetaGeoNBD", "mbg_nbd": "ModifiedBetaGeoNBD", "pareto_nbd": "ParetoNBD"}
SCRIPT = Path(__file__).with_name("lifetimes_fit.py")


@dataclass
class Classical:
    """What the classical models say of each customer of a cut.

    Attributes:
        no_purchase: by model, P(no order-day within the horizon).
        value: by model, expected value; a model whose expected orders are not finite is missing here.
        notes: sentences about models that did not converge.
    """

    no_purchase: dict[str, np.ndarray] = field(default_factory=dict)
    orders: dict[str, np.ndarray] = field(default_factory=dict)
    value: dict[str, np.ndarray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def fit(cut: Cut, python: Path | None) -> Classical:
    """Fits the models on what was known at the cut-off.

    Args:
        python: interpreter of an environment with `lifetimes`; None for the product's own models.
    """
    x = cut.order_days - 1.0
    given = np.c_[x, (cut.last - cut.first) / WEEK, cut.tenure / WEEK]
    # identical customers in one row: the likelihood needs them once
    rows, where, weight = np.unique(given, axis=0, return_inverse=True, return_counts=True)
    where = where.ravel()
    # net, so that returns count; the first order-day too, unlike in the papers: it tells one-time buyers apart
    n, mean = cut.order_days.astype(float), cut.total / cut.order_days
    usable = mean > 0
    if python is None:
        raw = _by_own_models(rows, weight, cut.horizon / WEEK)
        spend, note = None, "mean spend drawn to the mean of all instead of Gamma-Gamma"
    else:
        raw, spend, note = _by_lifetimes(python, rows, weight, cut.horizon / WEEK, n[usable], mean[usable])
    result = Classical(notes=[*raw.notes, *([note] if note else [])])
    worth = _expected_spend(spend, n, np.maximum(mean, 0), usable)
    for name, probability in raw.no_purchase.items():
        result.no_purchase[name] = probability[where]
        orders = raw.orders[name][where]
        if np.isfinite(orders).all():
            result.orders[name] = orders
            result.value[name] = orders * worth
        else:
            result.notes.append(f"{MODELS[name]}, value left out: expected orders are not finite")
    return result


def _expected_spend(spend, n, mean, usable):
    overall = float(mean[usable].mean()) if usable.any() else 0.0
    if spend is None:
        return (n * mean + 2 * overall) / (n + 2)
    p, q, v = spend
    # Fader & Hardie (2013): the posterior mean
    return p * (v + n * mean) / (p * n + q - 1)


def _by_lifetimes(python, rows, weight, horizon, n, mean):
    """Results by row, the parameters of the spend model or None, and a sentence about it or None."""
    result = Classical()
    spending, times = np.unique(np.c_[n, mean], axis=0, return_counts=True)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "input.npz")
        np.savez(
            source,
            x=rows[:, 0],
            t_x=rows[:, 1],
            T=rows[:, 2],
            weight=weight,
            horizon=horizon,
            n=spending[:, 0],
            mean=spending[:, 1],
            spend_weight=times,
        )
        late = "not fitted"
        try:
            command = [str(python), str(SCRIPT), str(source), folder]
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
            if done.returncode:
                late = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        except subprocess.TimeoutExpired:
            late = f"not done within {SECONDS} s"
        for name, title in MODELS.items():
            found, trouble = Path(folder, f"{name}.npz"), Path(folder, f"{name}.txt")
            if trouble.exists():
                result.notes.append(f"{title} {trouble.read_text()}")
            if found.exists():
                with np.load(found) as values:
                    result.no_purchase[name], result.orders[name] = values["no_purchase"], values["orders"]
            elif not trouble.exists():
                result.notes.append(f"{title} {late}")
        found, trouble = Path(folder, "gamma_gamma.npz"), Path(folder, "gamma_gamma.txt")
        note = f"Gamma-Gamma {trouble.read_text()}" if trouble.exists() else None
        if not found.exists():
            return result, None, f"{note or 'Gamma-Gamma ' + late}, mean spend drawn to the mean of all"
        with np.load(found) as values:
            return result, tuple(float(values[name]) for name in "pqv"), note


def _by_own_models(rows, weight, horizon):
    module = importlib.import_module("sync_worker.scoring.transaction_models")
    result = Classical()
    x, t_x, T = rows.T
    for name, class_name in OWN_CLASSES.items():
        if not hasattr(module, class_name):
            result.notes.append(f"{MODELS[name]} left out: neither lifetimes nor a model of our own")
            continue
        model = getattr(module, class_name)().fit(x, t_x, T, sample_weight=weight)
        result.no_purchase[name] = model.p_no_purchase(horizon, x, t_x, T)
        result.orders[name] = model.expected_orders(horizon, x, t_x, T)
    return result
