"""How strongly a habit shows in a customer's purchases, beside its peers' and beside chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sync_worker.scoring.peers import Peers

#: Purchases of a stratum that the whole period's rate counts as.
STRATUM_WEIGHT = 20.0
CLIP = 3.0
#: Differences smaller than this (3 points of a share or a price range, 3 % of a quantity) nobody would notice, however
#: certain they are.
NOTICEABLE = 0.03


@dataclass
class Signal:
    """A habit, by customer; arrays are (n,).

    Attributes:
        share: mean of what was seen before anything was taken off, for the evidence; NaN = nothing seen.
        usual: what it would have been by what was usual in these categories then.
        seen: how many purchases it was seen in.
        excess: mean over the units of what was seen less what was usual then; NaN = nothing seen.
        z: `excess` against the peers, in standard deviations of the customers, shrunken towards 0 by how little
            was seen; 0 where nothing was seen, the peers do not differ by more than chance, or it differs by less
            than `NOTICEABLE`.
    """

    share: np.ndarray
    usual: np.ndarray
    seen: np.ndarray
    excess: np.ndarray
    z: np.ndarray


def usual(stratum: np.ndarray, period: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The mean of `values` in each purchase's stratum, drawn towards that of its period where few are in it, (k,).

    Args:
        stratum, period: (k,) numbers from 0; a stratum lies within one period.
    """
    overall = np.bincount(period, values) / np.maximum(np.bincount(period), 1)
    count = np.bincount(stratum)
    total = np.bincount(stratum, values)
    mean = overall[period]
    return (total[stratum] + STRATUM_WEIGHT * mean) / (count[stratum] + STRATUM_WEIGHT)


def measure(
    row: np.ndarray, unit: np.ndarray, values: np.ndarray, excess: np.ndarray, *, customers: int, peers: Peers
) -> Signal:
    """A habit from single purchases.

    Lines of an order are not independent of one another: so the mean of each unit counts once.

    Args:
        row: (k,) customer of each purchase.
        unit: (k,) number of what is independent, of one customer each: mostly the order.
        values: (k,) what is told as evidence.
        excess: (k,) what is judged.
    """
    if not len(row):  # the same of everybody: held once
        nothing, none, even = (np.broadcast_to(one, customers) for one in (np.nan, 0, 0.0))
        return Signal(nothing, nothing, none, nothing, even)
    seen = np.bincount(row, minlength=customers)
    with np.errstate(invalid="ignore"):
        share = np.bincount(row, values, minlength=customers) / seen
        expected = np.bincount(row, values - excess, minlength=customers) / seen
    if (np.diff(unit) >= 0).all():
        number = np.cumsum(np.append(False, np.diff(unit) != 0))
    else:
        number = np.unique(unit, return_inverse=True)[1]
    mean = np.bincount(number, excess) / np.bincount(number)
    owner = np.zeros(len(mean), dtype="int64")
    owner[number] = row
    units = np.bincount(owner, minlength=customers)
    with np.errstate(invalid="ignore"):
        own = np.bincount(owner, mean, minlength=customers) / units
    squares = np.bincount(owner, (mean - np.nan_to_num(own)[owner]) ** 2, minlength=customers)
    z = np.zeros(customers)
    for _, rows, decided in peers.groups():
        z[rows[decided]] = standing(own[rows], units[rows], squares[rows])[decided]
    z[np.abs(np.nan_to_num(own - peers.median(own))) < NOTICEABLE] = 0.0
    return Signal(share, expected, seen, own, z)


def standing(mean: np.ndarray, count: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Each mean against all, in standard deviations between customers, shrunken by its own error; clipped to
    +-`CLIP`.

    A random-effects model: means differ by true differences (variance t) and by chance (s / count). Where the
    means differ no more than chance would have them, all are 0. Reference: DerSimonian & Laird (1986),
    "Meta-analysis in clinical trials", Controlled Clinical Trials 7.

    Args:
        mean: (n,) NaN where the count is 0.
        count: (n,) observations behind each mean.
        squares: (n,) sums of squares around the own mean.
    """
    known = count > 0
    free = np.maximum(count - 1, 0).sum()
    result = np.zeros(len(mean))
    if known.sum() < 2 or not free:
        return result
    within = squares[known].sum() / free
    weight, value = count[known].astype(float), mean[known]
    centre = np.average(value, weights=weight)
    between = (weight * (value - centre) ** 2).sum() - (known.sum() - 1) * within
    between /= weight.sum() - (weight**2).sum() / weight.sum()
    if not between > 1e-12:
        return result
    shrunken = between / (between + within / weight) * (value - np.median(value))
    result[known] = np.clip(shrunken / np.sqrt(between), -CLIP, CLIP)
    return result
