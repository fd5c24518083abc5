"""How far classifications find what is true of a simulated company.

    PYTHONPATH=. python benchmarks/classification_truth.py [--customers 1000] [--seeds 11 12 13]

Printed by seed: the share of lost types told that are right, of knowable sudden changes found and of customers without
one that are alarmed about, of value types and satisfaction told that are right, and how many are told.
"""

from __future__ import annotations

import argparse

import pandas as pd
from rich.console import Console
from rich.table import Table

from simulator import World, simulate
from sync_worker.policy import Policy
from sync_worker.scoring.pipeline import score

#: A change is knowable with so many order-days before, and so many usual gaps since.
ORDER_DAYS = 10
GAPS_SINCE = 5


def found(world: World) -> dict[str, float]:
    """Shares by name, 0 to 1, of one simulated company."""
    simulation = simulate(world)
    truth = simulation.truth.set_index("customer_id")
    scored = (
        score(simulation.history, world.end, Policy()).customers.set_index("customer_id").loc[truth.index]
    )

    told_lost = scored["lost_type"].notna() & (scored["lost_type"] != "undetermined")
    told_type = scored["value_type"].notna() & (scored["value_type"] != "undetermined")
    rated = scored["satisfaction"].notna()
    here = truth["leave_date"].isna() & (scored["order_days"] >= ORDER_DAYS)
    changed = truth["anomaly_date"].notna()
    gaps = (pd.Timestamp(world.end) - truth["anomaly_date"]).dt.days / truth["gap_days"]
    right = (scored["anomaly"] == "drop") & (truth["anomaly_factor"] < 1)
    right |= (scored["anomaly"] == "surge") & (truth["anomaly_factor"] > 1)
    lost = told_lost & truth["lost_type"].notna()
    return {
        "lost type: right": (scored["lost_type"] == truth["lost_type"])[lost].mean(),
        "lost type: told": lost.sum() / (scored["lifecycle_stage"] == "lost").sum(),
        "sudden change: found": right[here & changed & (gaps >= GAPS_SINCE)].mean(),
        "sudden change: false alarms": scored["anomaly"].notna()[here & ~changed].mean(),
        "value type: right": (scored["value_type"] == truth["value_type"])[told_type].mean(),
        "value type: told": told_type.mean(),
        "satisfaction: right": (scored["satisfaction"] == truth["satisfaction"])[rated].mean(),
        "satisfaction: told": rated.mean(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=1000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    options = parser.parse_args()
    columns = {seed: found(World(seed=seed, customers=options.customers)) for seed in options.seeds}
    table = Table(title=f"{options.customers:,} simulated customers")
    for name in ("what", *(f"seed {seed}" for seed in columns)):
        table.add_column(name, justify="left" if name == "what" else "right")
    for name in columns[options.seeds[0]]:
        table.add_row(name, *(f"{shares[name]:.3f}" for shares in columns.values()))
    Console().print(table)


if __name__ == "__main__":
    main()
