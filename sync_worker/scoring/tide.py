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
#: Customers looked at at once.
BLOCK = 4_000


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


def learn(
    row: np.ndarray, age: np.ndarray, log_amount: np.ndarray, n: int, here: np.ndarray, asked: np.ndarray
) -> Tide:
    """The tide that some customers were in, which all of them make.

    Customers times months would be the largest tables of a run: they are added up a block of customers at a time.

    Args:
        row: (m,) customer of each order-day, ascending; every customer has one.
        age: (m,) days before today, descending within a customer.
        log_amount: (m,) log of what was bought.
        here: (n,) bool, whether the customer still orders: whoever left promises nothing after its last order.
        asked: (n,) bool, the customers to tell it of, in their order.
    """
    bins = int(age.max(initial=0)) // MONTH + 1
    start = np.searchsorted(row, np.arange(n + 1))
    usual = np.add.reduceat(log_amount, start[:-1]) / np.diff(start)
    totals = [np.zeros(bins) for _ in range(4)]
    kept = []
    for begin in range(0, n, BLOCK):
        customers = slice(begin, min(begin + BLOCK, n))
        days = slice(start[begin], start[customers.stop])
        above = log_amount[days] - usual[row[days]]
        tables = _by_month(row[days] - begin, age[days], above, here[customers], bins)
        # on top of the sum so far, so that it is the same whatever the blocks are
        totals = [np.vstack([total, one]).sum(axis=0) for one, total in zip(tables, totals, strict=True)]
        came, promised, count, above = (one[asked[customers]] for one in tables)
        kept.append(
            (came.astype("int8"), promised, count.astype("int8"), above)
        )  # order-days of `MONTH` days
    all_came, all_promised, all_count, all_above = totals
    pace, worth = (np.empty((np.count_nonzero(asked), bins)) for _ in range(2))
    end = len(pace)
    while kept:  # each gone as soon as it is looked at
        came, promised, count, above = kept.pop()
        rows = slice(end - len(came), end)
        pace[rows] = (all_came - came + DOUBT) / (all_promised - promised + DOUBT)
        worth[rows] = np.exp((all_above - above) / (all_count - count + DOUBT))
        end = rows.start
    return Tide(pace, worth)


def _by_month(
    row: np.ndarray, age: np.ndarray, above: np.ndarray, here: np.ndarray, bins: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """By customer and month, (n, bins) float64 each: order-days that came after the first, those that its own rate
    promised, all order-days, and the sum of what they were `above` its usual one."""
    n = len(here)
    start = np.searchsorted(row, np.arange(n))
    last = np.append(start, len(row))[1:] - 1
    begin, end = age[start].astype(float), np.where(here, 0.0, age[last])
    # the first order-day begins what is looked at: it is not one of those that its rate promises
    later = np.append(False, row[1:] == row[:-1])
    at = row * bins + age // MONTH
    came = np.bincount(at[later], minlength=n * bins).reshape(n, bins).astype(float)
    rate = np.divide(came.sum(axis=1), begin - end, out=np.zeros(n), where=begin > end)
    edges = np.arange(bins) * MONTH
    promised = np.minimum(edges + MONTH, begin[:, None])
    promised -= np.maximum(edges, end[:, None])
    np.clip(promised, 0, None, out=promised)
    promised *= rate[:, None]
    count = np.bincount(at, minlength=n * bins).reshape(n, bins).astype(float)
    return came, promised, count, np.bincount(at, above, minlength=n * bins).reshape(n, bins)
