"""What moves all customers at once, seasons above all: how a month was for the others, told to each.

The index of a month is the order-days of the others over those their own mean rates promise, drawn towards 1 as if
`DOUBT` more order-days had come as promised (Gamma-Poisson shrinkage). So few customers make no season, and nobody's
own change is taken for one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Days of a bin of the index.
MONTH = 30
#: Order-days as promised that are added to each bin.
DOUBT = 50.0


@dataclass
class Tide:
    """How fast time ran for each of n customers, and how much its orders were worth, by age in months.

    Attributes:
        pace: (n, b) order-days of the others over those promised; column 0 is the last `MONTH` days.
        worth: (n, b) amount of an order of the others over their own usual one.
    """

    pace: np.ndarray
    worth: np.ndarray

    def elapsed(self, row: np.ndarray, age: np.ndarray) -> np.ndarray:
        """The days since an age of so many days if all days were alike, (q,)."""
        passed = np.cumsum(self.pace, axis=1) * MONTH
        bins = np.minimum(age // MONTH, self.pace.shape[1] - 1)
        before = np.where(bins > 0, passed[row, np.maximum(bins - 1, 0)], 0.0)
        return before + (age - bins * MONTH) * self.pace[row, bins]

    def usual(self, row: np.ndarray, age: np.ndarray, log_amount: np.ndarray) -> np.ndarray:
        """The log of amounts (q,) as it would be in a month like any other."""
        bins = np.minimum(age // MONTH, self.pace.shape[1] - 1)
        return log_amount - np.log(self.worth[row, bins])


def learn(row: np.ndarray, age: np.ndarray, log_amount: np.ndarray, n: int, here: np.ndarray) -> Tide:
    """The tide that each customer was in.

    Args:
        row: (m,) customer of each order-day, ascending; every customer has one.
        age: (m,) days before today, descending within a customer.
        log_amount: (m,) log of what was bought.
        here: (n,) bool, whether the customer still orders: whoever left promises nothing after its last order.
    """
    bins = int(age.max(initial=0)) // MONTH + 1
    start = np.searchsorted(row, np.arange(n))
    last = np.append(start, len(row))[1:] - 1
    begin, end = age[start].astype(float), np.where(here, 0.0, age[last])
    # the first order-day begins what is looked at: it is not one of those that its rate promises
    later = np.append(False, row[1:] == row[:-1])
    at = row * bins + age // MONTH
    came = np.bincount(at[later], minlength=n * bins).reshape(n, bins)
    rate = np.divide(came.sum(axis=1), begin - end, out=np.zeros(n), where=begin > end)
    edges = np.arange(bins) * MONTH
    # in place, since customers times months are the largest tables of a run
    promised = np.minimum(edges + MONTH, begin[:, None])
    promised -= np.maximum(edges, end[:, None])
    np.clip(promised, 0, None, out=promised)
    promised *= rate[:, None]
    pace = _others(came, DOUBT)
    pace /= _others(promised, DOUBT)
    del came, promised

    count = np.bincount(at, minlength=n * bins).reshape(n, bins)
    usual = np.add.reduceat(log_amount, start) / (last - start + 1)
    above = np.bincount(at, log_amount - usual[row], minlength=n * bins).reshape(n, bins)
    worth = _others(above)
    worth /= _others(count, DOUBT)
    return Tide(pace, np.exp(worth, out=worth))


def _others(values: np.ndarray, more: float = 0.0) -> np.ndarray:
    """The sum over all other customers and so much more, (n, b) float64."""
    result = np.subtract(values.sum(axis=0), values, dtype=float)
    result += more
    return result
