"""Statistics of the values of groups, for all groups at once."""

from __future__ import annotations

import numpy as np


def dense_rank(values: np.ndarray) -> np.ndarray:
    """The place of each value among the different ones, from 0, (k,) int64."""
    order = np.argsort(values)
    rank = np.empty(len(values), dtype="int64")
    rank[order] = np.cumsum(np.append(False, np.diff(values[order]) != 0)) if len(values) else 0
    return rank


def argsort(key: np.ndarray) -> np.ndarray:
    """As a stable `numpy.argsort` of whole numbers that are not negative: sorting values with the index in their lowest
    bits is several times faster than sorting an index, but has to fit into 64."""
    if (key[1:] >= key[:-1]).all():
        return np.arange(len(key))
    bits = len(key).bit_length()
    if int(key.max(initial=0)) >= 2 ** (63 - bits):
        return np.argsort(key, kind="stable")
    packed = (key.astype("int64") << bits) | np.arange(len(key))
    packed.sort()
    packed &= (1 << bits) - 1
    return packed


def argsort_by(key: np.ndarray, values: np.ndarray) -> np.ndarray:
    """As `numpy.lexsort((values, key))`, much faster where few share a key.

    Args:
        key: (k,) integers from 0.
    """
    order = argsort(key)
    ascending = key[order]
    same = np.append(ascending[1:] == ascending[:-1], False)
    shared = np.flatnonzero(same | np.append(False, same[:-1]))
    rows = order[shared]  # of equals the first one stays the first
    order[shared] = rows[np.lexsort((values[rows], key[rows]))]
    return order


def order(key: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """An order by group and, in it, by rank; of equals in both any may come first. Much faster than lexsort.

    Args:
        key: (k,) integers, at most 2^63 over the greatest rank.
        rank: (k,) integers from 0.
    """
    return np.argsort(key.astype("int64") * (int(rank.max(initial=0)) + 1) + rank)


def runs(ascending: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each run of equal values begins, and the number of the run that each value is in."""
    begins = np.append(True, ascending[1:] != ascending[:-1]) if len(ascending) else np.zeros(0, bool)
    return np.flatnonzero(begins), np.cumsum(begins) - 1


def entries(start: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The index of all entries of some groups, group by group, where those of a group stand side by side, (k,) int64.

    Args:
        start: (n + 1,) first entry of each group, and the end of the last one.
        groups: numbers of groups, below n.
    """
    count = start[groups + 1] - start[groups]
    skipped = start[groups] - (np.cumsum(count) - count)
    return np.repeat(skipped, count) + np.arange(count.sum())


def median(key: np.ndarray, values: np.ndarray, groups: int) -> np.ndarray:
    """The median of each group's values, (groups,) float64, NaN for a group without one.

    Args:
        key: (k,) number of the group of each value, below `groups`.
        values: (k,) without missing ones.
    """
    ordering = order(key, dense_rank(values))
    count = np.bincount(key, minlength=groups)
    end = np.cumsum(count)
    start = end - count
    ordered = np.append(values[ordering].astype(float), np.nan)
    low, high = start + (count - 1) // 2, start + count // 2
    return np.where(count > 0, (ordered[low] + ordered[np.minimum(high, len(values))]) / 2, np.nan)


def median_in_order(key: np.ndarray, values: np.ndarray, groups: int) -> np.ndarray:
    """As `median`, where the values stand group by group: groups of one size are looked at together.

    Args:
        key: (k,) ascending.
    """
    count = np.bincount(key, minlength=groups)
    start = np.cumsum(count) - count
    result = np.full(groups, np.nan)
    by_size = argsort(count)
    for same in np.split(by_size, np.flatnonzero(np.diff(count[by_size])) + 1):
        size = count[same[0]] if len(same) else 0
        if size:
            ordered = np.sort(values[start[same][:, None] + np.arange(size)], axis=1)
            result[same] = (ordered[:, (size - 1) // 2] + ordered[:, size // 2]) / 2
    return result


def mean(key: np.ndarray, values: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean of each group's values, NaN for a group without one, and how many there are; (groups,) each."""
    count = np.bincount(key, minlength=groups)
    total = np.bincount(key, values, minlength=groups)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan), count
