"""Whether a history ends long before the day it is looked at, as an export does that nobody made anew.

Then every customer is silent since, and seems further gone than it is.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sync_worker.sentences import sentence

#: Days without an order that are long, and how many times the longest pause of the last year they have to be.
LONG, TIMES = 30, 3
#: Of the pauses: a shop that closes for a season does so a little earlier or later each year.
YEAR = 400


def warnings(dates: pd.Series, as_of: pd.Timestamp) -> list[str]:
    """A sentence where the newest order is long before a day, else none.

    Args:
        dates: of all orders; one after `as_of`, which may be a stray one, is not looked at.
    """
    dates = dates[dates <= as_of]
    newest = dates.max()
    silence = (as_of - newest).days
    if not silence > LONG:  # of no orders it is NaN
        return []
    pause = _longest_pause(dates, newest)
    if pause is None or silence <= TIMES * pause:
        return []
    last, day = f"{newest:%Y-%m-%d}", f"{as_of:%Y-%m-%d}"
    words = (
        f"The newest order is dated {last}, {silence} days before {day}, though in the year before it no pause "
        f"between days with orders was longer than {pause} days: customers look further gone than they are if later "
        "orders are missing; add these, or choose an earlier day."
    )
    return [sentence("orders_stale", words, newest=last, days=silence, day=day, pause=pause)]


def _longest_pause(dates: pd.Series, newest: pd.Timestamp) -> int | None:
    """The most days from one day with orders to the next in the last year of a history; None of a single one."""
    days = np.unique(dates.to_numpy().astype("datetime64[D]"))
    pauses = np.diff(days[days > newest.to_datetime64() - np.timedelta64(YEAR, "D")])
    return int(pauses.max().astype(int)) if len(pauses) else None
