"""What single orders or customers may not decide for all: facts stay as they are, forecasts do not follow them.

A customer who once ordered for a thousand times what is usual must not be expected to do so again, nor may that one
order, or a few customers, make a season or a level for everybody.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sync_worker.scoring.features import Sales
from sync_worker.sentences import Sentence, sentence

#: So many orders of a company may be far above the others; where more are, large orders are its business.
EXCEPTIONS = 4
#: Forecasts count an order as at most so many times the largest that is none of these.
LARGEST_FACTOR = 3.0
#: The most that a customer makes of a total that is to speak for all, and so many customers as make one whatever their
#: share.
SHARE, CUSTOMERS = 0.02, 3


def tame(sales: Sales) -> tuple[Sales, list[Sentence]]:
    """The sales to forecast from, and a sentence where they are not as they were.

    Amounts, of returns too, are cut at `LARGEST_FACTOR` times the fifth largest order, and the worth with them: a
    cleaning of the data, done once with all that is known today.
    """
    ordered = int(np.count_nonzero(sales.amount > 0))
    if ordered <= EXCEPTIONS:
        return sales, []
    place = len(sales.amount) - 1 - EXCEPTIONS
    most = LARGEST_FACTOR * float(np.partition(sales.amount, place)[place])
    size = np.abs(sales.amount)
    if not (size > most).any():
        return sales, []
    factor = np.minimum(1, most / np.maximum(size, most))
    worth = None if sales.worth is None else sales.worth * factor
    largest = int(np.argmax(sales.amount))
    above = int(np.count_nonzero(sales.amount > most))
    if not above:  # a return alone
        return replace(sales, amount=sales.amount * factor, worth=worth), []
    day = str(np.datetime64(int(sales.day[largest]), "D"))
    words = (
        f"{above:,} orders are far above all others, up to {sales.amount[largest]:,.0f} on {day}: forecasts "
        f"and the back-test count {most:,.0f} of such an order."
    )
    told = sentence("orders_far_above", words, count=above, largest=sales.amount[largest], day=day, most=most)
    return replace(sales, amount=sales.amount * factor, worth=worth), [told]


def shared_total(values: np.ndarray) -> float:
    """The sum of values, (n,) not negative, each cut where it would make more than its share of it."""
    share = max(SHARE, CUSTOMERS / max(np.count_nonzero(values), CUSTOMERS))
    largest = np.sort(values)[::-1][: int(1 / share)]
    rest = values.sum() - np.cumsum(largest) + largest  # without those larger than each
    bound = share * rest / np.maximum(1 - share * np.arange(len(largest)), share)
    within = np.flatnonzero(largest <= bound)
    return float(np.minimum(values, bound[within[0]]).sum() if len(within) else values.sum())
