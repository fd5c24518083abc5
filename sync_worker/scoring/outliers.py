"""What single orders or customers may not decide for all: facts stay as they are, forecasts do not follow them.

A customer who once ordered for a thousand times what is usual must not be expected to do so again, nor may that one
order, or a few customers, make a season or a level for everybody.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sync_worker.scoring.features import Sales
from sync_worker.scoring.rhythm import Z90
from sync_worker.sentences import Sentence, sentence

#: Orders that are enough to tell what is far above them.
ORDERS = 50
#: So many orders of a company may be far above the others; where more are, large orders are its business.
EXCEPTIONS = 4
#: Orders that show, with the largest but `EXCEPTIONS`, how far amounts reach by themselves.
REACH = 20
#: At least so many times the largest that is no exception, and the largest of the customer's other days, an exception
#: is.
LARGEST_FACTOR = 3.0
#: A rate of value to sales counts as at most so far from the usual one, or so many robust standard deviations.
FARTHEST_RATE, RATE_DEVIATIONS = 1.0, 10.0
#: The most that a customer makes of a total that is to speak for all, and so many customers as make one whatever their
#: share.
SHARE, CUSTOMERS = 0.02, 3


def tame(sales: Sales) -> tuple[Sales, list[Sentence]]:
    """The sales to forecast from, and sentences where they are not as they were.

    Amounts as by `factors`, the worth with them; of the worth besides, rates that are far off all others are cut. It is
    a cleaning of the data, done once with all that is known today.
    """
    words = []
    tamed, counted = sales, factors(sales.row, sales.day, sales.amount)
    if counted is not None:
        worth = None if sales.worth is None else sales.worth * counted
        tamed = replace(sales, amount=sales.amount * counted, worth=worth)
        words.append(_far_above(sales, tamed))
    if tamed.worth is not None:
        worth = _usual_worth(tamed)
        off = np.flatnonzero(worth != tamed.worth)
        if len(off):
            words.append(_far_off(sales, worth, off))
            tamed = replace(tamed, worth=worth)
    return tamed, words


def factors(row: np.ndarray, day: np.ndarray, amount: np.ndarray) -> np.ndarray | None:
    """By what the amount of each sale counts less than it is, (k,); None where all count as they are.

    Up to `EXCEPTIONS` orders are exceptions: far above the largest of the others, by as much as these reach by
    themselves, and above what the customer bought on any other day. They count as that bound; returns of the
    customer count less as its orders do together, for they may be of that order, in parts too.

    Args:
        row, day, amount: (k,) customer, day and amount of each order or return, the last negative.
    """
    if np.count_nonzero(amount > 0) < ORDERS:
        return None
    largest = np.partition(amount, [-REACH, -EXCEPTIONS - 1])[[-REACH, -EXCEPTIONS - 1]]
    most = largest[1] * max(LARGEST_FACTOR, largest[1] / largest[0])
    counted = None
    for at in np.flatnonzero(amount > most):
        others = amount[(row == row[at]) & (day != day[at])]
        if amount[at] > LARGEST_FACTOR * others.max(initial=0):
            counted = np.ones(len(amount)) if counted is None else counted
            counted[at] = most / amount[at]
    if counted is None:
        return None
    for customer in np.unique(row[counted < 1]):
        own = row == customer
        bought = own & (amount > 0)
        counted[own & (amount < 0)] = (amount * counted)[bought].sum() / amount[bought].sum()
    return counted


def _usual_worth(sales: Sales) -> np.ndarray:
    """The worth of each sale, (k,), at a rate that is not far off all others: a cost price may be wrong."""
    sold = sales.amount != 0
    if np.count_nonzero(sold) < ORDERS:
        return sales.worth
    rate = np.divide(sales.worth, sales.amount, out=np.zeros(len(sold)), where=sold)
    low, usual, high = np.quantile(rate[sold], [0.1, 0.5, 0.9])
    reach = max(FARTHEST_RATE, RATE_DEVIATIONS * (high - low) / (2 * Z90))
    off = sold & (np.abs(rate - usual) > reach)
    return np.where(off, np.clip(rate, usual - reach, usual + reach) * sales.amount, sales.worth)


def _far_above(sales: Sales, tamed: Sales) -> Sentence:
    cut = np.flatnonzero((tamed.amount < sales.amount) & (sales.amount > 0))
    largest = cut[np.argmax(sales.amount[cut])]
    day, most = str(np.datetime64(int(sales.day[largest]), "D")), float(tamed.amount[largest])
    words = (
        f"{len(cut):,} orders are far above all others, up to {_figure(sales.amount[largest])} on {day}: forecasts and "
        f"the back-test count {_figure(most)} of such an order."
    )
    return sentence(
        "orders_far_above", words, count=len(cut), largest=sales.amount[largest], day=day, most=most
    )


def _far_off(sales: Sales, worth: np.ndarray, off: np.ndarray) -> Sentence:
    farthest = off[np.argmax(np.abs(sales.worth - worth)[off])]
    day = str(np.datetime64(int(sales.day[farthest]), "D"))
    words = (
        f"{len(off):,} orders have margins far off all others, up to {_figure(sales.worth[farthest])} of "
        f"{_figure(sales.amount[farthest])} on {day}: forecasts and the back-test count {_figure(worth[farthest])} "
        "of it; correct the cost of what was sold."
    )
    return sentence(
        "margins_far_off",
        words,
        count=len(off),
        day=day,
        margin=sales.worth[farthest],
        amount=sales.amount[farthest],
        most=worth[farthest],
    )


def _figure(amount: float) -> str:
    return f"{amount:,.{0 if abs(amount) >= 100 else 2}f}"


def shared_total(values: np.ndarray) -> float:
    """The sum of values, (n,) not negative, each cut where it would make more than its share of it."""
    share = max(SHARE, CUSTOMERS / max(np.count_nonzero(values), CUSTOMERS))
    largest = np.sort(values)[::-1][: int(1 / share)]
    rest = values.sum() - np.cumsum(largest) + largest  # without those larger than each
    bound = share * rest / np.maximum(1 - share * np.arange(len(largest)), share)
    within = np.flatnonzero(largest <= bound)
    return float(np.minimum(values, bound[within[0]]).sum() if len(within) else values.sum())
