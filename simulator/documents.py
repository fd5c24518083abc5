"""Which delivery and which invoice belong to which order: what files of facts, a table for each, do not say."""

from __future__ import annotations

import pandas as pd

from simulator.world import World


def documents(world: World, served: pd.DataFrame, back: pd.DataFrame, billed: pd.DataFrame) -> pd.DataFrame:
    """A row per order, returns among them: `order_id`, `return_of` (0 = none), `promised` (missing for returns),
    `done` (missing = not delivered yet), `demanded`, `delivered`, `overbilled` (share), `invoice_id` (0 = none yet),
    `invoiced`, `due`.
    """
    sold = pd.DataFrame(
        {
            "order_id": served["order_id"],
            "return_of": 0,
            "promised": world.dates(served["promised"]),
            "done": world.dates(served["delivered_day"]),
            "demanded": served["demanded"],
            "delivered": served["delivered"],
            "overbilled": served["overbilled"],
        }
    )
    returned = pd.DataFrame(
        {
            "order_id": back["order_id"],
            "return_of": back["return_of"],
            "promised": world.dates(back["day"] * float("nan")),
            "done": world.dates(back["day"]),
            "demanded": -back["quantity"],
            "delivered": -back["quantity"],
            "overbilled": 0.0,
        }
    )
    bills = billed[["order_id", "invoice_id", "date", "due"]].rename(columns={"date": "invoiced"})
    table = pd.concat([sold, returned], ignore_index=True).merge(bills, on="order_id", how="left")
    return table.assign(invoice_id=table["invoice_id"].fillna(0).astype("int64"))
