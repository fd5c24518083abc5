"""Whether a history starts later than its customers did, as after a move to another system.

Then many of them seem to be new in its first weeks, and their time with us is not fully known (left-censored).
"""

from __future__ import annotations

import numpy as np

from sync_worker.sentences import sentence

#: The first weeks, and as many periods after them as tell how many new customers are usual: a quarter.
WEEKS, AFTER = 4, 3
#: A large share of all customers, and so many times as many as is usual.
SHARE, TIMES = 0.15, 2.0
CUSTOMERS_MINIMUM = 30


def warnings(first_day: np.ndarray, today: int) -> list[str]:
    """A sentence where first orders pile up on the first weeks of a history, else none.

    Args:
        first_day: (n,) day of each customer's first order.
        today: the as-of day.
    """
    span = 7 * WEEKS
    if len(first_day) < CUSTOMERS_MINIMUM or today - first_day.min() + 1 < span * (1 + AFTER):
        return []
    period = (first_day - first_day.min()) // span
    early, usual = int((period == 0).sum()), ((period > 0) & (period <= AFTER)).sum() / AFTER
    share = early / len(first_day)
    if share < SHARE or early < TIMES * usual:
        return []
    words = (
        f"{share:.0%} of the customers have their first order in the first {WEEKS} weeks of the history, far more "
        "than in the weeks after: it seems to start later than they did, so their time with you may be longer than "
        "is known."
    )
    return [sentence("history_starts_late", words, share=share, weeks=WEEKS)]
