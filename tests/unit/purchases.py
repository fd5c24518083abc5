"""The purchase processes themselves, simulated, and the CDNOW data: what the models are judged against."""

# ruff: noqa: N803 - T is the name in the literature
import numpy as np
import pandas as pd

from sync_worker.scoring.transaction_models import (
    BetaGeoNBD,
    ErlangModifiedBetaGeoNBD,
    ModifiedBetaGeoNBD,
    ParetoNBD,
)

#: Near those of a real shop, in weeks; no model is at a limit where it would be another one.
PARAMETERS = {
    "bg": (BetaGeoNBD, {"r": 0.8, "alpha": 5.0, "a": 0.9, "b": 1.7}),
    "mbg": (ModifiedBetaGeoNBD, {"r": 0.8, "alpha": 5.0, "a": 0.9, "b": 1.7}),
    "erlang": (ErlangModifiedBetaGeoNBD, {"r": 1.2, "alpha": 3.0, "a": 0.9, "b": 2.5, "k": 3}),
    "pareto": (ParetoNBD, {"r": 0.8, "alpha": 6.0, "s": 0.7, "beta": 12.0}),
}


def model_with(name, **changed):
    """The model as if fitted, with its parameters of `PARAMETERS` or others."""
    kind, parameters = PARAMETERS[name]
    model = kind()
    for key, value in {**parameters, **changed}.items():
        setattr(model, f"{key}_", value)
    return model


def purchases(model, rate, leaving, until, rng, *, leaves_at_once):
    """Times of purchases after a first one at 0, (n, m) with inf where none is, and when the customer left.

    Args:
        rate: (n,) of the Poisson process's events.
        leaving: (n,) probability of leaving per purchase, or rate of leaving (Pareto/NBD).
        until: no purchase later than this is needed.
        leaves_at_once: whether the purchase at 0 can be the last.
    """
    n = len(rate)
    left = np.full(n, np.inf)
    if isinstance(model, ParetoNBD):
        left = rng.exponential(1, n) / leaving
    elif leaves_at_once:
        left[rng.random(n) < leaving] = 0
    now, times = np.zeros(n), []
    here = left > 0
    while here.any():
        now = now + rng.gamma(getattr(model, "k_", 1), 1, n) / rate
        here &= (now <= until) & (now <= left)
        times.append(np.where(here, now, np.inf))
        if not isinstance(model, ParetoNBD):
            goes = here & (rng.random(n) < leaving)
            left[goes] = now[goes]
            here &= ~goes
    return np.array(times or [np.full(n, np.inf)]).T, left


def simulate(model, n, T, seed=1):
    """x, t_x, and the sum of log gaps of customers that follow the model, over (0, T]."""
    rng = np.random.default_rng(seed)
    if isinstance(model, ParetoNBD):
        leaving = rng.gamma(model.s_, 1 / model.beta_, n)
    else:
        leaving = rng.beta(model.a_, model.b_, n)
    first = not isinstance(model, BetaGeoNBD | ParetoNBD)
    times, _ = purchases(
        model, rng.gamma(model.r_, 1 / model.alpha_, n), leaving, T, rng, leaves_at_once=first
    )
    known = np.isfinite(times)
    x, t_x = known.sum(axis=1), np.where(known, times, 0).max(axis=1)
    gaps = np.diff(np.where(known, times, 0), axis=1, prepend=0)
    return x.astype(float), t_x, np.log(np.where(known, gaps, 1)).sum(axis=1)


def futures(model, x, t_x, T, h, n=120_000, seed=2):
    """What customers with this history do next: how many were simulated, share alive at T, share without a
    purchase in (T, T + h], mean and standard deviation of the number of purchases in it.

    By drawing rate and dropout given the purchases up to t_x, simulating what follows, and keeping those
    silent from t_x to T: no formula of the models is used.
    """
    rng = np.random.default_rng(seed)
    rate = rng.gamma(model.r_ + getattr(model, "k_", 1) * x, 1 / (model.alpha_ + t_x), n)
    if isinstance(model, ParetoNBD):
        leaving = rng.gamma(model.s_, 1 / (model.beta_ + t_x), n)
    else:
        stayed = x if not isinstance(model, BetaGeoNBD) else max(x - 1, 0)
        leaving = rng.beta(model.a_, model.b_ + stayed, n)
    first = x > 0 or not isinstance(model, BetaGeoNBD)
    silence = T - t_x
    times, left = purchases(model, rate, leaving, silence + h, rng, leaves_at_once=first)
    silent = times[:, 0] > silence
    later = (times[silent] <= silence + h).sum(axis=1)
    return silent.sum(), (left[silent] > silence).mean(), (later == 0).mean(), later.mean(), later.std()


def summary_in_weeks(path, end):
    """x, t_x, T in weeks and the mean amount of repeat order-days, by customer of CDNOW's master file."""
    table = pd.read_csv(path, sep=r"\s+", header=None, skiprows=1, dtype=str)
    table = pd.DataFrame({"c": table[0], "date": pd.to_datetime(table[1]), "amount": table[3].astype(float)})
    days = table[table["date"] <= end].groupby(["c", "date"], as_index=False)["amount"].sum()
    span = days.groupby("c")["date"].agg(["min", "max", "size"])
    first = days["c"].map(span["min"])
    return pd.DataFrame(
        {
            "x": span["size"] - 1.0,
            "t_x": (span["max"] - span["min"]).dt.days / 7,
            "T": (pd.Timestamp(end) - span["min"]).dt.days / 7,
            "zbar": days[days["date"] > first].groupby("c")["amount"].mean(),
        }
    )
