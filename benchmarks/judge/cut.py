"""What was known of each customer at a cut-off, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

#: Customers silent for longer than this many days may still be active if the shop's gaps are long.
ACTIVE_MINIMUM = 30
YEAR = 365


@dataclass
class Cut:
    """Facts at the end of the day `at`, one entry per customer with an order-day by then, sorted by id.

    An order-day has at least one order of a positive amount. Days count from 1970; money is net sales.

    Attributes:
        at, horizon, start: cut-off, days ahead that are judged, first order-day of the history.
        ids: customer ids.
        order_days, first, last: number of order-days by the cut-off, the first and the last one.
        usual_gap: median of the own gaps between order-days; NaN with one order-day.
        total, first_total: net sales by the cut-off, and those until the end of the first order-day.
        recent_order_days, recent_total: the same within one horizon before the cut-off.
        window: silence in days up to which a customer counts as active.
        active: at least two order-days, the last one within `window` before the cut-off.
        churned: no order-day within the horizon after the cut-off.
        orders_after: order-days within it.
        actual: net sales within it, returns subtracted.
    """

    at: int
    horizon: int
    start: int
    ids: np.ndarray
    order_days: np.ndarray
    first: np.ndarray
    last: np.ndarray
    usual_gap: np.ndarray
    total: np.ndarray
    first_total: np.ndarray
    recent_order_days: np.ndarray
    recent_total: np.ndarray
    window: float
    active: np.ndarray
    churned: np.ndarray
    orders_after: np.ndarray
    actual: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def silence(self) -> np.ndarray:
        """Days since the last order-day."""
        return self.at - self.last

    @property
    def tenure(self) -> np.ndarray:
        """Days since the first order-day."""
        return self.at - self.first

    @property
    def year_before_known(self) -> bool:
        """Whether the same season a year before lies within the history."""
        return self.start <= self.at - YEAR + 1


class Ledger:
    """Order-days and net sales of a history, to be cut at many days."""

    def __init__(self, orders: pd.DataFrame, money: str = "amount") -> None:
        """From a table of orders with `customer_id`, `date`, `amount` and the column named by `money`."""
        self.ids, customer = np.unique(orders["customer_id"].to_numpy(), return_inverse=True)
        self.money_customer = customer
        self.money_day = orders["date"].to_numpy().astype("datetime64[D]").astype("int64")
        self.money = orders[money].to_numpy(float)
        bought = orders["amount"].to_numpy(float) > 0
        pairs = np.unique(np.c_[customer[bought], self.money_day[bought]], axis=0)  # by customer, then day
        self.customer, self.day = pairs[:, 0], pairs[:, 1]

    def cut(self, at: str | int, horizon: int) -> Cut:
        """The facts at a day, given in ISO or in days since 1970."""
        at = day_number(at)
        known = self.day <= at
        customer, day = self.customer[known], self.day[known]
        who, begin, order_days = np.unique(customer, return_index=True, return_counts=True)
        end = begin + order_days - 1
        first, last = day[begin], day[end]
        within = customer[1:] == customer[:-1]
        gaps = pd.Series(np.diff(day)[within])
        usual = gaps.groupby(customer[1:][within]).median().reindex(who).to_numpy()
        window = active_window(gaps.to_numpy())
        size = len(self.ids)

        def money(after: int, until: int) -> np.ndarray:
            inside = (self.money_day > after) & (self.money_day <= until)
            return np.bincount(self.money_customer[inside], self.money[inside], size)[who]

        def days(after: int, until: int) -> np.ndarray:
            inside = (self.day > after) & (self.day <= until)
            return np.bincount(self.customer[inside], minlength=size)[who]

        first_of_all = np.full(size, at)
        first_of_all[who] = first
        early = self.money_day <= first_of_all[self.money_customer]
        orders_after = days(at, at + horizon)
        return Cut(
            at=at,
            horizon=horizon,
            start=int(self.day.min()),
            ids=self.ids[who],
            order_days=order_days,
            first=first,
            last=last,
            usual_gap=usual,
            total=money(-(2**60), at),
            first_total=np.bincount(self.money_customer[early], self.money[early], size)[who],
            recent_order_days=days(at - horizon, at),
            recent_total=money(at - horizon, at),
            window=window,
            active=(order_days >= 2) & (at - last <= window),
            churned=orders_after == 0,
            orders_after=orders_after,
            actual=money(at, at + horizon),
        )


def active_window(gaps: np.ndarray) -> float:
    """Days of silence up to which a customer is active: 30, or the 90th percentile of all gaps if larger."""
    return max(float(np.percentile(gaps, 90)), ACTIVE_MINIMUM) if len(gaps) else float(ACTIVE_MINIMUM)


def day_number(day: str | int) -> int:
    """Days since 1970 of an ISO date."""
    return day if isinstance(day, int) else int(np.datetime64(day, "D").astype("int64"))
