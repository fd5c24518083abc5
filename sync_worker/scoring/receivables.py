"""What customers owe and owed: invoices against what was settled of them, day by day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.history.facts import rows_of
from sync_worker.history.schema import History
from sync_worker.scoring.events import days_of
from sync_worker.scoring.evidence import newest

#: A balance of this part of an invoice is rounding.
ROUNDING = 1e-6


@dataclass
class Receivables:
    """Posted invoices and credit notes of the buyers, sorted by customer and id.

    Attributes:
        row: (k,) int64, row of the customer.
        invoice_id: (k,) as in the history.
        due: (k,) int64, days since 1970-01-01; the invoice's own day where none was agreed.
        total: (k,) float64 with tax, negative for a credit note.
        paid_for: (p,) int64, index of the invoice of each settlement.
        paid_day: (p,) int64, days since 1970-01-01.
        paid: (p,) float64, what it took off the balance; together never more than the total.
    """

    row: np.ndarray
    invoice_id: np.ndarray
    due: np.ndarray
    total: np.ndarray
    paid_for: np.ndarray
    paid_day: np.ndarray
    paid: np.ndarray

    def open(self, day: np.ndarray | int) -> np.ndarray:
        """The balances at the end of a day, (k,), negative for a credit note; `day` may be one per invoice."""
        by_then = self.paid_day <= np.broadcast_to(day, len(self.row))[self.paid_for]
        balance = self.total - self._per_invoice(self.paid * by_then)
        return np.where(np.abs(balance) <= ROUNDING * np.abs(self.total), 0.0, balance)

    def overdue_days(self, since: np.ndarray, today: int) -> np.ndarray:
        """Money times days that it was overdue, (k,): from the day after the due day, or after `since` (k,)
        where that is later, until it was paid or `today`. Credit notes are never overdue."""
        start = np.maximum(self.due, since)
        late = self._per_invoice(self.paid * np.maximum(self.paid_day - start[self.paid_for], 0))
        late += self.open(today) * np.maximum(today - start, 0)
        return np.where(self.total > 0, late, 0.0)

    def newest(self, chosen: np.ndarray, n: int) -> np.ndarray | None:
        """The last due of the invoices in a mask (k,), by customer as `evidence.newest`; None where ids are no
        integers."""
        if not np.issubdtype(self.invoice_id.dtype, np.integer):
            return None
        return newest(self.row[chosen], self.invoice_id[chosen], self.due[chosen], n)

    def _per_invoice(self, values: np.ndarray) -> np.ndarray:
        # counted of nothing it would be whole numbers
        return np.bincount(self.paid_for, values, minlength=len(self.row)).astype(float)


def take(history: History, customers: pd.Series) -> Receivables | None:
    """The receivables of `customers`; None where nothing can be said of them: no invoices are known, or no payment
    of any customer is, so that payments are kept elsewhere and every invoice would seem unpaid."""
    invoices, payments = history.facts.get("invoices"), history.facts.get("payments")
    if invoices is None or payments is None or invoices.empty or payments.empty:
        return None
    invoices = invoices.assign(row=rows_of(invoices["customer_id"], customers))
    invoices = invoices[(invoices["row"] >= 0) & invoices["invoice_id"].notna() & invoices["total"].notna()]
    if not invoices["invoice_id"].is_unique:
        invoices = invoices.sort_values(["total", "row"]).drop_duplicates("invoice_id")
    identity = pd.factorize(invoices["invoice_id"], sort=True)[0]
    invoices = invoices.iloc[np.argsort(invoices["row"].to_numpy() * len(invoices) + identity)]
    due = invoices["due"].fillna(invoices["date"]).fillna(invoices["known"])
    total = invoices["total"].to_numpy()

    index = pd.Index(invoices["invoice_id"]).get_indexer(payments["invoice_id"])
    kept = (index >= 0) & payments["amount"].notna().to_numpy()
    of, day = index[kept].astype("int64"), days_of(payments["known"])[kept]
    amount = payments["amount"].to_numpy()[kept]
    earliest = day.min(initial=0)
    order = np.lexsort((amount, of * (day.max(initial=0) - earliest + 1) + (day - earliest)))
    of, day, amount = of[order], day[order], amount[order]
    so_far = pd.Series(amount).groupby(of).cumsum().to_numpy()
    # what was paid twice, or more than was asked for, is no money lent to us
    so_far = np.clip(so_far, np.minimum(total, 0)[of], np.maximum(total, 0)[of])
    first = np.append(True, of[1:] != of[:-1])[: len(of)]
    paid = np.where(first, so_far, np.diff(so_far, prepend=0.0))
    return Receivables(
        row=invoices["row"].to_numpy(dtype="int64"),
        invoice_id=invoices["invoice_id"].to_numpy(),
        due=days_of(due),
        total=total,
        paid_for=of,
        paid_day=day,
        paid=paid,
    )
