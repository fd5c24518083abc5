"""Complaints: what tells that a customer was not content, with the day it became known.

Two words count, each of a person: a low rating of the customer's, and the lost reason of a lead that says we failed it.
Goods sent back name no cause, so they count only where they are most of what was bought (`mostly_returned`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import satisfaction
from sync_worker.scoring.events import REACH, days_of, take
from sync_worker.scoring.evidence import Evidence, newest
from sync_worker.scoring.features import Features
from sync_worker.scoring.returns import Returns

#: The lost type of a lead that is a complaint.
FAILED = "unintentionally_dropped"
#: Share of all its purchases from which sending back speaks against us: most of them. A half is one in any currency,
#: whatever its sums are rounded to.
MOSTLY = 0.5 * (1 - 1e-9)

SENTENCES = {
    "low_rating_stands": "Rated us badly {days_since} days ago; order-days since {order_days}, approval takes {needed}",
    "failed_lead_stands": "A lead was lost {days_since} days ago because we failed it; order-days since {order_days}, "
    "approval takes {needed}",
    "mostly_returned": "Sent back {percent} % of all it bought: no approval",
    "no_complaint": "No complaint in {ratings} ratings, nor otherwise",
    "never_rated": "Gave no rating: that nothing is known against us does not say it was content",
}


@dataclass
class Complaints:
    """What the buyers said of us; (k,) each.

    Attributes:
        row: the customer; nobody's are left out.
        day: when it became known, days since 1970-01-01.
        rating: 1 to 5; NaN = a lead that was lost because we failed the customer.
        record: id of the rating or lead, -1 where ids are no whole numbers.
        asked: whether the company has any ratings, so that who gave none can be told from who could not.
    """

    row: np.ndarray
    day: np.ndarray
    rating: np.ndarray
    record: np.ndarray
    asked: bool

    def bad(self, policy: Policy, formats: pd.Series) -> np.ndarray:
        """Which of them are complaints, (k,) bool: by `unsatisfied_below` of each customer's format."""
        return np.isnan(self.rating) | (self.rating < policy.column("unsatisfied_below", formats)[self.row])

    def last(self, policy: Policy, formats: pd.Series) -> np.ndarray:
        """The day of each buyer's last complaint, (n,) int64; a day before all others without any.

        Args:
            formats: (n,) of the buyers.
        """
        bad, last = self.bad(policy, formats), np.full(len(formats), -REACH)
        np.maximum.at(last, self.row[bad], self.day[bad])
        return last


def read(history: History, customers: pd.Series) -> Complaints:
    """What `customers` (unique) said of us by the end of the history."""
    rated, leads = satisfaction.ratings(history, customers), take(history, "leads", customers)
    parts = []
    if rated is not None:
        parts.append((rated.row, rated.day, rated.numbers("rating"), _ids(rated.table["rating_id"])))
    if leads is not None:
        told = leads.table["outcome"].eq("lost") & leads.table["lost_type"].eq(FAILED)
        told = (told & leads.table["closed"].notna()).to_numpy(bool)
        closed, ids = days_of(leads.table["closed"])[told], _ids(leads.table["lead_id"])[told]
        parts.append((leads.row[told], closed, np.full(len(closed), np.nan), ids))
    nothing = (np.zeros(0, "int64"), np.zeros(0, "int64"), np.zeros(0), np.zeros(0, "int64"))
    return Complaints(
        *(np.concatenate(columns) for columns in zip(nothing, *parts, strict=True)), rated is not None
    )


def mostly_returned(back: Returns) -> np.ndarray:
    """Whether most of all that a buyer bought came back, (n,) bool."""
    return np.nan_to_num(back.share_ever) >= MOSTLY


def order_days_since(features: Features, last: np.ndarray) -> np.ndarray:
    """Order-days after a day of each buyer, (n,); `features` with its `days`."""
    days = features.days
    return np.bincount(days.row[days.day > last[days.row]], minlength=len(last))


def evidence(
    said: Complaints, features: Features, back: Returns, policy: Policy, today: int
) -> list[Evidence]:
    """Why a buyer's repeat purchases are approval or not; of those at neither stage beyond nothing is told.

    Args:
        features: with `days`, and `loyalty_stage` in its table.
        back: what was sent back.
        today: the as-of day, days since 1970-01-01.
    """
    table, n = features.table, len(features.table)
    formats = table["format"]
    bad, last = said.bad(policy, formats), said.last(policy, formats)
    since, needed = order_days_since(features, last), policy.column("approval_order_days", formats)
    stage = table["loyalty_stage"].astype(object).to_numpy()
    barred = (stage == "awareness") & (table["order_days"].to_numpy() >= needed)
    stands = barred & (last > -REACH) & (since < needed)
    figures = {"days_since": np.where(stands, today - last, 0), "order_days": since, "needed": needed}
    on_last_day = last[said.row] == said.day
    result = []
    for code, kind in (
        ("low_rating_stands", ~np.isnan(said.rating)),
        ("failed_lead_stands", np.isnan(said.rating)),
    ):
        chosen = bad & kind
        holds = stands & (np.bincount(said.row[chosen & on_last_day], minlength=n) > 0)
        records = newest(said.row[chosen], said.record[chosen], said.day[chosen], n)
        result.append(Evidence(code, holds, figures, records, 1.0))
    returned = {"percent": 100 * np.nan_to_num(back.share_ever)}
    result.append(Evidence("mostly_returned", barred & mostly_returned(back), returned, back.orders, 0.9))
    ratings = np.bincount(said.row[~np.isnan(said.rating)], minlength=n)
    approves = stage == "approval"
    result.append(
        Evidence(
            "no_complaint", approves & (ratings > 0) & (last == -REACH), {"ratings": ratings}, strength=0.3
        )
    )
    silent = approves & (ratings == 0) & (last == -REACH) & said.asked
    result.append(Evidence("never_rated", silent, {}, strength=0.2))
    return result


def _ids(ids: pd.Series) -> np.ndarray:
    return ids.to_numpy("int64") if pd.api.types.is_integer_dtype(ids) else np.full(len(ids), -1)
