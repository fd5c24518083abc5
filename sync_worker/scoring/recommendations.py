"""What to offer a customer next: cross-sell gaps and replacements due, in one short list."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa

from sync_worker.scoring.purchases import Purchases
from sync_worker.scoring.reasons import lists

MOST = 5
#: Customers whose texts are written at once: as objects they take several times the memory of the result.
BLOCK = 20_000


def combine(gaps: pd.DataFrame, due: pd.DataFrame, purchases: Purchases) -> pd.Series:
    """At most `MOST` recommendations of each customer as JSON text, the best of either kind in turn.

    Args:
        gaps: `cross_sell.gaps`.
        due: `replacement.due`.

    Returns:
        (n,) text: a list of `{"category_id", "kind", "strength", "due"}`; `[]` where there is none.
    """
    kinds = [_ranked(gaps, "cross_sell"), _ranked(due, "replacement")]
    table = pd.concat([kind for kind in kinds if len(kind)] or kinds, ignore_index=True)
    order = np.lexsort((table["kind"], table["rank"], table["row"]))
    table = table.iloc[order]
    table = table[table.groupby("row").cumcount().to_numpy() < MOST]
    ids = [json.dumps(value.item() if hasattr(value, "item") else value) for value in purchases.categories]
    row, n = table["row"].to_numpy("int64"), purchases.customers
    blocks = []
    for begin in range(0, n, BLOCK):
        part = slice(*np.searchsorted(row, [begin, begin + BLOCK]))
        count = np.bincount(row[part] - begin, minlength=min(BLOCK, n - begin))
        blocks.append(_written(table.iloc[part], ids, np.cumsum(count)))
    texts = pa.chunked_array(blocks, pa.large_string())
    return pd.Series(pd.arrays.ArrowStringArray(texts))


def _written(table: pd.DataFrame, ids: list[str], end: np.ndarray) -> pa.Array:
    """The recommendations of some customers, those of each up to its `end`, as JSON lists."""
    texts = [
        f'{{"category_id":{ids[number]},"kind":"{kind}","strength":{strength!r},"due":{day}}}'
        for number, kind, strength, day in zip(
            table["category"].to_numpy("int64").tolist(),
            table["kind"].tolist(),
            table["strength"].round(3).tolist(),
            _days(table["due"].to_numpy(float)),
            strict=True,
        )
    ]
    return lists(pa.array(texts, pa.large_string()), end)


def _ranked(table: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The best `MOST` of each customer; tables come in the order of rank."""
    rank = table.groupby("row").cumcount()
    table = table.assign(rank=rank, kind=kind)[rank < MOST]
    return table.reindex(columns=["row", "category", "strength", "due", "rank", "kind"])


def _days(days: np.ndarray) -> list[str]:
    known = ~np.isnan(days)
    texts = np.full(len(days), "null", dtype=object)
    texts[known] = [f'"{day}"' for day in np.datetime_as_string(days[known].astype("datetime64[D]"))]
    return texts.tolist()
