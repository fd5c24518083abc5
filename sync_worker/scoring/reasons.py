"""Reasons as text: their codes, which of them are told of a customer, and their JSON.

A reason is `{code, direction, contribution, params, model, record_ids}` as listed in reason_schema.json.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
#: Steps of a contribution in 1: four digits.
STEPS = 10_000


@cache
def schema() -> dict[str, dict[str, Any]]:
    """The reason codes: ``{code: {direction, params: {name: type}, model, invoiced}}``.

    `invoiced`, where it is given, is the model of the records where sales are counted from invoices.
    """
    return json.loads(files("sync_worker").joinpath("reason_schema.json").read_text(encoding="utf-8"))


@dataclass
class Told:
    """A reason and those of n buyers whom it may be given to: of most codes they are few.

    Attributes:
        rows: (k,) int32, row of each of them; ascending.
        params: (k,) whole numbers by name, or ids where they name a category.
        contribution: (k,) what it changes in the churn probability, NaN where no model tells.
        records: (k, m) record ids, -1 = none; None where there are none to show.
        strength: (k,) place among the reasons of its topic where there is no contribution; those with one have theirs.
    """

    code: str
    rows: np.ndarray
    params: dict[str, np.ndarray]
    contribution: np.ndarray
    records: np.ndarray | None
    strength: np.ndarray


def told(evidence: Evidence | Told) -> Told:
    """The customers whom a reason may be given to: a fact that speaks the other way for a customer is none. What is
    told already stays as it is."""
    if isinstance(evidence, Told):
        return evidence
    spec, holds, contribution = schema()[evidence.code], evidence.holds, evidence.contribution
    if contribution is not None and spec["direction"] == "up":
        holds = holds & ~(contribution < NOTICEABLE)
    elif contribution is not None and spec["direction"] == "down":
        holds = holds & ~(contribution > -NOTICEABLE)
    rows = np.flatnonzero(holds).astype("int32")
    records = evidence.records
    if records is not None:
        records = _narrow(records[rows])
    return Told(
        evidence.code,
        rows,
        {
            name: evidence.params[name][rows]
            if kind == "category"
            else _narrow(np.rint(np.nan_to_num(evidence.params[name][rows])).astype("int64"))
            for name, kind in spec["params"].items()
        },
        _each(np.nan if contribution is None else contribution, rows),
        records,
        _each(evidence.strength, rows),
    )


def _each(values: np.ndarray | float, rows: np.ndarray) -> np.ndarray:
    """The values of some rows, (k,) float64; one value for all is held once."""
    one = np.ndim(values) == 0
    return np.broadcast_to(float(values), rows.shape) if one else np.asarray(values, dtype=float)[rows]


def _narrow(values: np.ndarray) -> np.ndarray:
    """Integers in half the memory where they fit."""
    fits = not values.size or (values.min() >= -(2**31) and values.max() < 2**31)
    return values.astype("int32") if fits else values


def written(candidates: Sequence[Told], n: int, sales: str = "orders") -> pd.Series:
    """The strongest reasons of each of n customers as JSON text, (n,), topic by topic, of each at most `MOST`; `[]` of
    who has none.

    Args:
        sales: what they are counted from (`Policy.sales`), which says what the records are.
    """
    chunks = [pa.repeat(pa.scalar("[]", pa.large_string()), 0 if candidates else n)]
    for begin in range(0, n if candidates else 0, BLOCK):
        end = min(begin + BLOCK, n)
        chunks.append(_in_json(candidates, end - begin, *_strongest(candidates, begin, end), sales))
    return pd.Series(pd.arrays.ArrowStringArray(pa.chunked_array(chunks)))


def model_of(code: str, sales: str) -> str | None:
    """The model of the records of a reason, by what sales are counted from."""
    spec = schema()[code]
    return spec["invoiced"] if sales == "invoices" and "invoiced" in spec else spec["model"]


def among(candidates: Sequence[Told], at: np.ndarray) -> list[Told]:
    """The reasons of buyers as of their places among all customers, `at` (n,), ascending."""
    places = at.astype("int32")
    return [replace(one, rows=places[one.rows]) for one in candidates]


def _strongest(candidates: Sequence[Told], begin: int, end: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The reasons of each customer of a block, by customer and topic, the strongest first, at most `MOST` of each
    topic.

    Returns:
        Which customer, counted from the block's first, which candidate, and which place in it; (k,) each.
    """
    found, numbers, places, strengths = [], [], [], []
    for index, candidate in enumerate(candidates):
        part = slice(*np.searchsorted(candidate.rows, [begin, end]))
        gain = candidate.contribution[part]
        found.append(candidate.rows[part].astype("int64") - begin)
        numbers.append(np.full(len(gain), index))
        places.append(np.arange(part.start, part.stop))
        own = candidate.strength[part] - index / 1000
        strengths.append(np.where(np.isnan(gain), own, np.abs(gain)))
    row, number, place, strength = map(np.concatenate, (found, numbers, places, strengths))
    topics = [schema()[candidate.code]["topic"] for candidate in candidates]
    names = list(dict.fromkeys(topics))
    group = row * len(names) + np.array([names.index(topic) for topic in topics])[number]
    most = np.array([MOST.get(name, MOST_OF_OTHERS) for name in names])
    order = np.lexsort((-strength, group))
    row, number, place, group = row[order], number[order], place[order], group[order]
    count = np.bincount(group)
    kept = np.arange(len(row)) - (np.cumsum(count) - count)[group] < most[group % len(names)]
    return row[kept], number[kept], place[kept]


def _in_json(
    candidates: Sequence[Told],
    customers: int,
    row: np.ndarray,
    number: np.ndarray,
    place: np.ndarray,
    sales: str,
) -> pa.LargeStringArray:
    """The reasons of each customer of a block as a JSON list, from what `_strongest` returns."""
    at = np.argsort(number.astype("int16"), kind="stable")  # 16 bits: a radix sort
    texts = [pa.array([], pa.large_string())]
    for index, part in enumerate(np.split(place[at], np.cumsum(np.bincount(number))[:-1])):
        if len(part):
            texts.append(_as_json(candidates[index], part, model_of(candidates[index].code, sales)))
    order = np.empty(len(row), dtype="int64")
    order[at] = np.arange(len(row))
    ends = np.cumsum(np.bincount(row, minlength=customers))
    return lists(pa.concat_arrays(texts).take(pa.array(order)), ends)


def _as_json(candidate: Told, at: np.ndarray, of: str | None) -> pa.LargeStringArray:
    """A reason as JSON for some of its customers: (k,) places in it; `of` is the model of its records."""
    spec, records = schema()[candidate.code], candidate.records
    model = json.dumps(None if records is None else of)
    pieces = [f'{{"code":"{candidate.code}","direction":"{spec["direction"]}","contribution":']
    pieces.append(_contributions(candidate.contribution[at]))
    pieces.append(',"params":{')
    for place, name in enumerate(spec["params"]):
        pieces += [f'{"," if place else ""}"{name}":', _values(candidate.params[name][at])]
    ids = "[]" if records is None else _id_lists(records[at])
    return _joined(*pieces, f'}},"model":{model},"record_ids":', ids, "}")


def _values(values: np.ndarray) -> pa.LargeStringArray:
    """Whole numbers, or ids of whatever kind, as JSON."""
    if np.issubdtype(values.dtype, np.integer):
        return pa.array(values).cast(pa.large_string())
    which, distinct = pd.factorize(values)
    return pa.array([json.dumps(each) for each in distinct.tolist()], pa.large_string()).take(pa.array(which))


def _contributions(values: np.ndarray) -> pa.LargeStringArray:
    """Contributions as JSON numbers of four digits."""
    known = ~np.isnan(values)
    if not known.any():
        return pa.repeat(pa.scalar("null", pa.large_string()), len(values))
    steps = np.rint(np.where(known, values, 0.0) * STEPS).astype("int64")
    return _written_steps().take(pa.array(np.where(known, steps + STEPS, 2 * STEPS + 1)))


@cache
def _written_steps() -> pa.LargeStringArray:
    """All changes of a probability from -1 to 1 of four digits, each once, and what stands for none."""
    written = [repr(step / STEPS) for step in range(-STEPS, STEPS + 1)]
    return pa.array([*written, "null"], pa.large_string())


def _id_lists(records: np.ndarray) -> pa.LargeStringArray:
    """The record ids of each customer as a JSON list, (n, k) with -1 for none."""
    known = records >= 0
    texts = pa.array(records[known]).cast(pa.large_string())
    return lists(texts, np.cumsum(known.sum(axis=1)))


def lists(texts: pa.LargeStringArray, ends: np.ndarray) -> pa.LargeStringArray:
    """JSON lists of the texts up to each end, (n,)."""
    listed = pa.LargeListArray.from_arrays(np.append(0, ends), texts)
    return _joined("[", pc.binary_join(listed, pa.scalar(",", pa.large_string())), "]")


def _joined(*pieces: str | pa.LargeStringArray) -> pa.LargeStringArray:
    """Texts end to end, row by row; those that are one text are the same in each row."""
    columns = [pa.scalar(one, pa.large_string()) if isinstance(one, str) else one for one in pieces]
    return pc.binary_join_element_wise(*columns, pa.scalar("", pa.large_string()))
