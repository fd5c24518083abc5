"""Seconds of fitting, predicting and of the whole scoring, and the memory it takes.

    PYTHONPATH=. python benchmarks/scoring_speed.py [--customers 100000] [--fit 1000000] [--plain | --facts]

Scoring runs in a process of its own, so that its memory is not that of making the history. `--plain` scores orders
alone, 4.6 a customer: no lines, margins and formats, and no boosting. `--facts` scores the simulator's company, which
has every dataset of the contract.

The history is simulated with a seed: gamma purchase rates, a tenth of the customers leave after each order,
lognormal amounts, about three lines an order.
"""

from __future__ import annotations

import argparse
import pickle
import tempfile
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from simulator import World
from simulator import simulate as simulated
from sync_worker.history.schema import History
from sync_worker.memory import give_back_large_arrays
from sync_worker.policy import Policy
from sync_worker.scoring import trials
from sync_worker.scoring.pipeline import score
from sync_worker.scoring.spend import GammaGamma
from sync_worker.scoring.transaction_models import (
    BetaGeoNBD,
    ErlangModifiedBetaGeoNBD,
    ModifiedBetaGeoNBD,
    ParetoNBD,
)

AS_OF = np.datetime64("2026-11-21")
DAYS = 1500


def buyers(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, t_x, T in days of customers that follow the MBG/NBD with the parameters of CDNOW."""
    tenure = rng.integers(1, 1000, n).astype(float)
    rate, dropout = rng.gamma(0.64, 1 / 51, n), np.maximum(rng.beta(0.81, 1.23, n), 1e-9)
    repeats = rng.geometric(dropout) - 1.0
    end = rng.gamma(np.maximum(repeats, 1e-9)) / rate  # of the last purchase before leaving
    alive = end > tenure
    x = np.where(
        alive, rng.binomial(np.maximum(repeats - 1, 0).astype("int64"), tenure / end.clip(tenure)), repeats
    )
    last = np.where(alive, tenure * rng.random(n) ** (1 / np.maximum(x, 1)), end)
    return x, np.where(x > 0, np.floor(last), 0.0), tenure


def simulate(customers: int, seed: int = 1) -> History:
    """About six orders a customer over four years, with lines in 60 categories."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, DAYS, customers)
    wanted = 1 + rng.geometric(0.12, customers)
    mean_gap = rng.gamma(2, 45, customers)
    owner = np.repeat(np.arange(customers), wanted)
    start = np.cumsum(wanted) - wanted
    gaps = np.maximum(rng.exponential(mean_gap[owner]), 1).astype(int)
    gaps[start] = first
    day = np.cumsum(gaps)
    day -= (day - gaps)[start][owner]
    known = day <= DAYS
    owner, day = owner[known], day[known]
    amount = np.round(np.exp(rng.normal(4, 0.5, len(day)) + rng.normal(0, 0.8, customers)[owner]), 2)
    returned = rng.random(len(day)) < 0.03
    orders = pd.DataFrame(
        {
            "order_id": np.arange(len(day)) + 1,
            "customer_id": owner + 1,
            "date": AS_OF - DAYS + day.astype("timedelta64[D]"),
            "amount": np.where(returned, -amount, amount),
            "margin": amount * rng.uniform(0.1, 0.5, len(day)),
        }
    )
    number = rng.integers(1, 6, len(orders))
    of = np.repeat(np.arange(len(orders)), number)
    category = rng.integers(0, 60, len(of))
    lines = pd.DataFrame(
        {
            "order_id": orders["order_id"].to_numpy()[of],
            "product_id": category * 100 + rng.integers(0, 100, len(of)),
            "category": category,
            "quantity": 1.0,
            "amount": orders["amount"].to_numpy()[of] / number[of],
            "discount": np.where(rng.random(len(of)) < 0.2, 10.0, 0.0),
        }
    )
    formats = pd.DataFrame({"customer_id": np.arange(customers) + 1, "format": rng.integers(1, 6, customers)})
    return History(orders, lines, formats)


def timed(what: str, function: Callable[[], object]) -> object:
    """Runs a function and prints its seconds."""
    begin = time.perf_counter()
    result = function()
    print(f"{what:<58}{time.perf_counter() - begin:8.2f} s")
    return result


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=100_000, help="of the whole scoring")
    parser.add_argument("--fit", type=int, default=1_000_000, help="customers of the models alone")
    parser.add_argument("--plain", action="store_true", help="orders alone, without boosting")
    parser.add_argument(
        "--facts", action="store_true", help="a company with every dataset; its scoring alone"
    )
    options = parser.parse_args()
    if options.facts:
        scored_apart(timed(f"simulate {options.customers:,} customers", partial(company, options.customers)))
        return

    rng = np.random.default_rng(2)
    n = options.fit
    x, t_x, tenure = buyers(n, rng)
    mean = np.exp(rng.normal(4, 1, n))
    models = {
        "MBG/NBD": ModifiedBetaGeoNBD(),
        "BG/NBD": BetaGeoNBD(),
        "MBG/CNBD-k, k of 1 to 4": ErlangModifiedBetaGeoNBD(),
        "MBG/CNBD-k, k = 2": ErlangModifiedBetaGeoNBD(k=2),
        "Pareto/NBD": ParetoNBD(),
    }
    for name, model in models.items():
        timed(f"{name} fit, {n:,} customers", partial(model.fit, x, t_x, tenure))
        timed("  P(no purchase), P(alive)", partial(model.p_no_purchase, 90, x, t_x, tenure))
        timed("  expected orders", partial(model.expected_orders, 90, x, t_x, tenure))
    spend = GammaGamma()
    timed("Gamma-Gamma fit", lambda: spend.fit(x + 1, mean))
    timed("  expected spend", lambda: spend.expected_spend(x + 1, mean))

    history = timed(f"simulate {options.customers:,} customers", lambda: simulate(options.customers))
    if options.plain:
        history = History(
            history.orders.drop(columns="margin").sample(int(4.6 * options.customers), random_state=0)
        )
    scored_apart(history, options.plain)


def company(customers: int) -> History:
    """About five orders a customer over five years, with lines, and about fifty facts of every kind."""
    return simulated(World(seed=1, customers=customers, tempo=0.07)).history


def scored_apart(history: History, plain: bool = False) -> None:
    """Scores a history in a process of its own, whose memory is looked at."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "history"
        file.write_bytes(pickle.dumps(history))
        process = get_context("spawn").Process(target=measure, args=(file, plain))
        process.start()
        process.join()


def measure(file: Path, plain: bool) -> None:
    """Scores a pickled history and prints the seconds of each step and the memory."""
    give_back_large_arrays()
    if plain:
        trials.ROWS["boosted"] = 10**12  # customers that it takes
    with file.open("rb") as opened:
        histories = [pickle.load(opened)]
    history = histories[0]
    size = f"{len(history.orders):,} orders, {0 if history.lines is None else len(history.lines):,} lines"
    size += f", {sum(map(len, history.facts.values())):,} facts"
    as_of = history.orders["date"].max()
    give_back_large_arrays(len(history.customers))
    del history  # the scoring lets go of what it has looked at
    before = peak()
    steps: list[tuple[float, str]] = []
    begin = time.process_time()

    def step_done(_: int, step: str) -> None:
        steps.append((time.process_time(), step))

    score(histories.pop(), as_of, Policy(), progress=step_done, last_use=True)
    end = time.process_time()
    print(f"{'whole scoring, ' + size:<58}{end - begin:8.2f} s of processor")
    for (at, step), (following, _) in zip(steps, [*steps[1:], (end, "")], strict=True):
        print(f"  {step:<56}{following - at:8.2f} s")
    print(f"peak memory {peak():,.0f} MB (before scoring {before:,.0f} MB)")


def peak() -> float:
    """The most memory that this process had until now, in MB; what `resource` tells includes its parent's."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
