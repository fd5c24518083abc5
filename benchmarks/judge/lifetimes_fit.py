"""Fits the classical models of the package `lifetimes`, in its own Python environment; imports nothing else of ours.

    python lifetimes_fit.py INPUT.npz FOLDER

Input: x, t_x, T, weight (identical customers in one row, time in weeks), horizon, and n, mean, spend_weight for the
spend model. Each model's results go to FOLDER/<model>.npz as soon as they are known, its troubles to
FOLDER/<model>.txt, so that a model that takes too long costs only itself.
"""

# ruff: noqa: N806 - T is the name in the literature
import sys
import warnings
from pathlib import Path

import numpy as np
from lifetimes import BetaGeoFitter, GammaGammaFitter, ModifiedBetaGeoFitter, ParetoNBDFitter

#: Ridge on the parameters, tried in turn until the optimiser converges.
PENALTIES = (0.0, 0.001, 0.01, 0.1)
#: Beyond this shape the spend model says that all customers spend the same: it is not identified.
Q_MAXIMUM = 1000.0


def main(source: str, folder: str) -> None:
    """Fits spend, BG/NBD, MBG/NBD and Pareto/NBD, the slowest last."""
    warnings.filterwarnings("ignore")
    given = dict(np.load(source))
    out = Path(folder)
    _attempt(out, "gamma_gamma", lambda penalty: _spend(given, penalty))
    _attempt(out, "bg_nbd", lambda penalty: _geometric(BetaGeoFitter(penalty), given))
    _attempt(out, "mbg_nbd", lambda penalty: _geometric(ModifiedBetaGeoFitter(penalty), given))
    _attempt(out, "pareto_nbd", lambda penalty: _pareto(ParetoNBDFitter(penalty), given))


def _attempt(out, name, fit):
    trouble = ""
    for penalty in PENALTIES:
        np.random.seed(0)  # the package draws where its optimiser starts
        try:
            results = fit(penalty)
        except Exception as error:  # ConvergenceError, ValueError, LinAlgError: all mean no model
            known = isinstance(error, ValueError)
            trouble = str(error).splitlines()[0][:80] if known else type(error).__name__
            continue
        if penalty:
            (out / f"{name}.txt").write_text(f"converged only with penalty {penalty:g}")
        np.savez(out / f".{name}.npz", **results)
        (out / f".{name}.npz").rename(out / f"{name}.npz")  # whole, or not there
        return
    (out / f"{name}.txt").write_text(f"not fitted with any penalty ({trouble})")


def _checked(probability, orders):
    if not np.isfinite(probability).all():
        raise ValueError("probabilities of heavy buyers are not finite")
    return {"no_purchase": np.clip(probability, 0, 1), "orders": np.asarray(orders, dtype=float)}


def _geometric(model, given):
    x, t_x, T, horizon = given["x"], given["t_x"], given["T"], float(given["horizon"])
    model.fit(x, t_x, T, weights=given["weight"])
    alive = np.asarray(model.conditional_probability_alive(x, t_x, T), dtype=float)
    # exact for BG and MBG: not alive, or alive without a purchase at the customer's gamma rate
    alpha, r = float(model.params_["alpha"]), float(model.params_["r"])
    some = -np.expm1(-(r + x) * np.log1p(horizon / (alpha + T)))
    orders = model.conditional_expected_number_of_purchases_up_to_time(horizon, x, t_x, T)
    return _checked(1 - alive * some, orders)


def _pareto(model, given):
    x, t_x, T, horizon = given["x"], given["t_x"], given["T"], float(given["horizon"])
    model.fit(x, t_x, T, weights=given["weight"])
    none = model.conditional_probability_of_n_purchases_up_to_time(0, horizon, x, t_x, T)
    orders = model.conditional_expected_number_of_purchases_up_to_time(horizon, x, t_x, T)
    return _checked(np.asarray(none, dtype=float), orders)


def _spend(given, penalty):
    model = GammaGammaFitter(penalty).fit(given["n"], given["mean"], weights=given["spend_weight"])
    p, q, v = (float(model.params_[name]) for name in "pqv")
    if not (np.isfinite([p, q, v]).all() and 1 < q < Q_MAXIMUM):
        raise ValueError("spend has no mean, or the same for all")
    return {"p": p, "q": q, "v": v}


if __name__ == "__main__":
    main(*sys.argv[1:])
