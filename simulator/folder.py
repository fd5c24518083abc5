"""A simulation as a folder of Parquet files (docs/columns.md), the truth among them."""

from __future__ import annotations

from pathlib import Path

from simulator.truth import Simulation
from sync_worker.history.folder import write_folder


def write(simulation: Simulation, folder: Path) -> None:
    """Writes `orders`, `lines`, `customers`, `products` and each fact, which the worker reads, and `truth` and
    `truth_price_rises`, which it does not. Files of these names are replaced.

    Raises:
        OSError: the folder cannot be made or written to.
    """
    write_folder(simulation.history, folder)
    for name, table in (("truth", simulation.truth), ("truth_price_rises", simulation.price_rises)):
        table.to_parquet(folder / f"{name}.parquet", index=False)
