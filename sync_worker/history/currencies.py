"""Whether the amounts of a file are in several currencies: it has no column for one, but may hold one all the same."""

from __future__ import annotations

import pandas as pd

COLUMN = "currency"
#: So many are named.
NAMED = 3


def warnings(table: pd.DataFrame) -> list[str]:
    """A sentence where the column `COLUMN` of a table, in capitals or not, holds several currencies, else none."""
    found = [table[name] for name in table if str(name).strip().lower() == COLUMN]
    if not found:
        return []
    values = (str(value).strip().upper() for value in found[0].dropna().unique())
    currencies = [*dict.fromkeys(filter(None, values))]
    if len(currencies) < 2:
        return []
    named = ", ".join(currencies[:NAMED]) + (", …" if len(currencies) > NAMED else "")
    return [
        f"The column {COLUMN} names several ({named}), and amounts are added up as they are: if they are in these "
        "currencies, convert them to one first."
    ]
