"""Small histories whose labels can be worked out by hand."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from sync_worker.history.schema import History
from sync_worker.scoring.events import REACH

# Machines are noisy: how long a test takes says nothing of the rule.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

AS_OF = pd.Timestamp("2025-12-31")
#: The least that is a history, as a file may hold it.
ORDERS = pd.DataFrame(
    {"order_id": [1, 2], "customer_id": [7, 9], "date": ["2024-01-05", "2024-02-05"], "amount": [10.0, 5.0]}
)


def orders_of(customer, days_ago, amount=100.0, margin=np.nan):
    """Orders of one customer, so many days before `AS_OF`."""
    days_ago = np.atleast_1d(days_ago)
    return pd.DataFrame(
        {
            "customer_id": customer,
            "date": AS_OF - pd.to_timedelta(days_ago, unit="D"),
            "amount": np.broadcast_to(np.asarray(amount, float), days_ago.shape),
            "margin": np.broadcast_to(np.asarray(margin, float), days_ago.shape),
        }
    )


def history_of(*parts, lines=None, formats=None, **customers):
    """A history from `orders_of` parts; order ids count from 1."""
    orders = pd.concat(parts, ignore_index=True)
    orders["order_id"] = np.arange(len(orders)) + 1
    table = None
    if formats is not None:
        table = pd.DataFrame({"customer_id": list(formats), "format": list(formats.values()), **customers})
    return History(orders=orders, lines=lines, customers=table)


def uncomplaining(facts):
    """What `loyalty.classify` is told of buyers of whom no complaint is known."""
    n = len(facts.table)
    return {"last_complaint": np.full(n, -REACH), "mostly_returned": np.zeros(n, dtype=bool)}


def crowd(count, seed=0, start=1000, span=700, gap=40):
    """Customers who buy at random, so that a model can be fitted: about every `gap` days, half of them
    leave.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for customer in range(start, start + count):
        first = rng.integers(30, span)
        stop = first if rng.random() < 0.5 else rng.integers(1, first + 1)
        days = first - np.cumsum(np.maximum(rng.exponential(gap, 40), 1)).astype(int)
        days = np.unique(np.concatenate([[first], days[days >= first - stop]]))
        days = days[days >= 0]
        parts.append(orders_of(customer, days, np.round(np.exp(rng.normal(4, 0.7, len(days))), 2)))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="session")
def cdnow() -> Path:
    """The folder with the CDNOW data, the field's reference (see script/bootstrap)."""
    return _data("cdnow/CDNOW_master.txt")


@pytest.fixture(scope="session")
def completejourney() -> Path:
    """The folder with the Complete Journey data, a grocer's (see script/bootstrap)."""
    return _data("completejourney/transactions.parquet")


def _data(name):
    """The folder of a file of public data."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    file = Path(os.environ.get("CV_DATA") or Path(cache) / "crm-value" / "data") / name
    if not file.is_file():
        pytest.skip(f"no {file.name} in {file.parent}: run script/bootstrap, or set CV_DATA")
    return file.parent
