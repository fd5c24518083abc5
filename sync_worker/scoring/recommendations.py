"""What to offer a customer next: cross-sell gaps and replacements due, in one short list."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from sync_worker.scoring.purchases import Purchases

MOST = 5


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
    category = table["category"].to_numpy("int64")
    texts = [
        f'{{"category_id":{ids[number]},"kind":"{kind}","strength":{strength!r},"due":{day}}}'
        for number, kind, strength, day in zip(
            category.tolist(),
            table["kind"].tolist(),
            table["strength"].round(3).tolist(),
            _days(table["due"].to_numpy(float)),
            strict=True,
        )
    ]
    end = np.cumsum(np.bincount(table["row"].to_numpy("int64"), minlength=purchases.customers))
    begin = np.append(0, end[:-1])
    joined = ["[" + ",".join(texts[a:b]) + "]" for a, b in zip(begin, end, strict=True)]
    return pd.Series(joined, dtype=object)


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
