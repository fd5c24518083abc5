"""`python -m simulator FOLDER`: a simulated company as Parquet files that `sync-worker score FOLDER` reads."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from simulator.folder import write
from simulator.truth import simulate
from simulator.world import World


def main(arguments: list[str] | None = None) -> int:
    usual = World()
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder to write, made where it is missing")
    parser.add_argument("--seed", type=int, default=usual.seed, help="the same seed gives the same company")
    parser.add_argument("--customers", type=int, default=usual.customers)
    parser.add_argument("--days", type=int, default=usual.days, help="length of the history")
    parser.add_argument("--end", default=usual.end, help="last day, YYYY-MM-DD")
    parser.add_argument(
        "--tempo",
        type=float,
        default=usual.tempo,
        help="orders against the usual number; 0.07 gives 2 M lines for 100,000 customers",
    )
    options = vars(parser.parse_args(arguments))
    folder = options.pop("folder")
    started = time.monotonic()
    try:
        simulation = simulate(World(**options))
        write(simulation, folder)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    history = simulation.history
    print(
        f"{len(simulation.truth):,} customers, {len(history.orders):,} orders and {len(history.lines):,} lines until "
        f"{simulation.world.end} in {folder}, after {time.monotonic() - started:.1f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
