"""A simulation as a folder of Parquet files (docs/columns.md), the truth among them."""

from __future__ import annotations

from pathlib import Path

from simulator.truth import Simulation


def write(simulation: Simulation, folder: Path) -> None:
    """Writes `orders`, `lines`, `customers`, `products` and each fact, which the worker reads, and `truth` and
    `truth_price_rises`, which it does not. Files of these names are replaced.

    Raises:
        OSError: the folder cannot be made or written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    history = simulation.history
    tables = {
        "orders": history.orders,
        "lines": history.lines,
        "customers": history.customers.rename(columns={"format": "business_format"}),
        "products": history.products,
        **history.facts,
        "truth": simulation.truth,
        "truth_price_rises": simulation.price_rises,
    }
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
