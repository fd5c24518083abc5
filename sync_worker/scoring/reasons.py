"""Reasons as text: their codes, which of them are told of a customer, and their JSON.

A reason is `{code, direction, contribution, params, model, record_ids}` as listed in reason_schema.json.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sync_worker.scoring.evidence import Evidence

#: Reasons told of a topic, at most.
MOST = {"churn": 5}
MOST_OF_OTHERS = 2
#: Customers whose reasons are written at once: the pieces of JSON take several times the memory of the result.
BLOCK = 20_000
#: Contributions that would be rounded away are none.
NOTICEABLE = 0.005


@cache
def schema() -> dict[str, dict[str, Any]]:
    """The reason codes: ``{code: {direction, params: {name: type}, model}}``."""
    return json.loads(files("sync_worker").joinpath("reason_schema.json").read_text(encoding="utf-8"))


def written(candidates: Sequence[Evidence]) -> pd.Series:
    """The strongest reasons of each customer as JSON text, (n,), topic by topic, of each at most `MOST`."""
    n = len(candidates[0].holds)
    blocks = [slice(begin, begin + BLOCK) for begin in range(0, n, BLOCK)]
    return _series([_in_json(candidates, rows, *_strongest(candidates, rows)) for rows in blocks])


def among(reasons: pd.Series, at: np.ndarray) -> pd.Series:
    """The reasons of the buyers among all customers, of whom the others have none.

    They are placed a chunk at a time, since they are the greater part of the result.

    Args:
        at: (customers,) row of each in `reasons`, ascending but for -1: not a buyer.
    """
    if not len(reasons):
        return _series([pa.array(["[]"] * len(at), pa.large_string())])
    if not (at < 0).any():
        return reasons
    texts = pa.array(reasons)
    chunks = texts.chunks[::-1] if isinstance(texts, pa.ChunkedArray) else [texts]
    del reasons, texts
    ends = np.searchsorted(np.maximum.accumulate(at), np.cumsum([len(chunk) for chunk in reversed(chunks)]))
    placed, before = [], 0
    for begin, end in zip([0, *ends[:-1]], ends, strict=True):
        chunk, rows = chunks.pop(), at[begin:end]  # gone as soon as it is placed
        placed.append(chunk.take(pa.array(rows - before, mask=rows < 0)).fill_null("[]"))
        before += len(chunk)
    return _series(placed)


def _series(chunks: Sequence[pa.LargeStringArray]) -> pd.Series:
    return pd.Series(pd.arrays.ArrowStringArray(pa.chunked_array(chunks, pa.large_string())))


def _speaking(candidate: Evidence, rows: slice) -> np.ndarray:
    """The customers of a block whom a reason may be given to, bool: a fact that speaks the other way for a customer
    is none."""
    direction, gain = schema()[candidate.code]["direction"], _gain(candidate, rows)
    if direction == "up":
        return candidate.holds[rows] & ~(gain < NOTICEABLE)
    if direction == "down":
        return candidate.holds[rows] & ~(gain > -NOTICEABLE)
    return candidate.holds[rows]


def _gain(candidate: Evidence, rows: slice) -> np.ndarray:
    """The contributions of a reason to a block, NaN where there is none."""
    if candidate.contribution is None:
        return np.full(len(candidate.holds[rows]), np.nan)
    return candidate.contribution[rows]


def _strongest(candidates: Sequence[Evidence], rows: slice) -> tuple[np.ndarray, np.ndarray]:
    """The reasons of each customer of a block, by customer and topic, the strongest first, at most `MOST` of each
    topic.

    Returns:
        Which customer, counted from the block's first, and which candidate; (k,) each.
    """
    found, numbers, strengths = [], [], []
    for index, candidate in enumerate(candidates):
        chosen = np.flatnonzero(_speaking(candidate, rows))
        gain, own = _gain(candidate, rows)[chosen], candidate.strength
        if isinstance(own, np.ndarray):
            own = own[rows][chosen]
        found.append(chosen)
        numbers.append(np.full(len(chosen), index))
        strengths.append(np.where(np.isnan(gain), own - index / 1000, np.abs(gain)))
    row, number, strength = np.concatenate(found), np.concatenate(numbers), np.concatenate(strengths)
    topics = [schema()[candidate.code]["topic"] for candidate in candidates]
    names = list(dict.fromkeys(topics))
    group = row * len(names) + np.array([names.index(topic) for topic in topics])[number]
    most = np.array([MOST.get(name, MOST_OF_OTHERS) for name in names])
    order = np.lexsort((-strength, group))
    row, number, group = row[order], number[order], group[order]
    count = np.bincount(group)
    kept = np.arange(len(row)) - (np.cumsum(count) - count)[group] < most[group % len(names)]
    return row[kept], number[kept]


def _in_json(
    candidates: Sequence[Evidence], rows: slice, row: np.ndarray, number: np.ndarray
) -> pa.LargeStringArray:
    """The reasons of each customer of a block as a JSON list, from what `_strongest` returns."""
    ids: dict[int, pa.Array] = {}  # most candidates show the same records
    texts, places = [], []
    for index, candidate in enumerate(candidates):
        at = np.flatnonzero(number == index)
        records = candidate.records
        if records is not None and id(records) not in ids:
            ids[id(records)] = _id_lists(records[rows])
        texts.append(_as_json(candidate, rows, row[at], None if records is None else ids[id(records)]))
        places.append(at)
    order = np.empty(len(row), dtype="int64")
    order[np.concatenate(places)] = np.arange(len(row))
    customers = len(candidates[0].holds[rows])
    ends = np.cumsum(np.bincount(row, minlength=customers))
    return _lists(pa.concat_arrays(texts).take(pa.array(order)), ends)


def _as_json(candidate: Evidence, rows: slice, row: np.ndarray, ids: pa.Array | None) -> pa.LargeStringArray:
    """A reason as JSON for some customers of a block.

    Args:
        row: (k,) which customers, counted from the block's first.
        ids: lists of the record ids of all customers of the block, as JSON; None where there are none.
    """
    spec = schema()[candidate.code]
    model = json.dumps(None if ids is None else spec["model"])
    pieces = [f'{{"code":"{candidate.code}","direction":"{spec["direction"]}","contribution":']
    pieces.append(_contributions(_gain(candidate, rows)[row]))
    pieces.append(',"params":{')
    for place, name in enumerate(spec["params"]):
        figures = np.rint(np.nan_to_num(candidate.params[name][rows][row])).astype("int64")
        pieces += [f'{"," if place else ""}"{name}":', pa.array(figures).cast(pa.large_string())]
    pieces += [f'}},"model":{model},"record_ids":', "[]" if ids is None else ids.take(pa.array(row)), "}"]
    return _joined(*pieces)


def _contributions(values: np.ndarray) -> pa.LargeStringArray:
    """Contributions as JSON numbers of four digits: few enough of them to write each once."""
    steps = np.rint(values * 10_000)
    distinct, which = np.unique(steps, return_inverse=True)  # all that are not a number become one
    written = ["null" if np.isnan(step) else repr(step / 10_000) for step in distinct.tolist()]
    return pa.array(written, pa.large_string()).take(pa.array(which))


def _id_lists(records: np.ndarray) -> pa.LargeStringArray:
    """The record ids of each customer as a JSON list, (n, k) with -1 for none."""
    known = records >= 0
    texts = pa.array(records[known]).cast(pa.large_string())
    return _lists(texts, np.cumsum(known.sum(axis=1)))


def _lists(texts: pa.LargeStringArray, ends: np.ndarray) -> pa.LargeStringArray:
    """JSON lists of the texts up to each end, (n,)."""
    listed = pa.LargeListArray.from_arrays(np.append(0, ends), texts)
    return _joined("[", pc.binary_join(listed, pa.scalar(",", pa.large_string())), "]")


def _joined(*pieces: str | pa.LargeStringArray) -> pa.LargeStringArray:
    """Texts end to end, row by row; those that are one text are the same in each row."""
    columns = [pa.scalar(one, pa.large_string()) if isinstance(one, str) else one for one in pieces]
    return pc.binary_join_element_wise(*columns, pa.scalar("", pa.large_string()))
