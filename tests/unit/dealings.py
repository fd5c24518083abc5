"""What customers deal with us besides ordering: small datasets, days counted back from `AS_OF`."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
from conftest import AS_OF

from sync_worker.history.facts import FACTS, STANDING
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import features, lifecycle, rhythm
from sync_worker.scoring.peers import Peers

TODAY = int(AS_OF.timestamp() // 86400)
MONEY = {"amount", "margin", "total", "quoted", "invoiced", "expected_revenue", "credit_limit"}


def ago(days):
    """The dates so many days before `AS_OF`, negative ones after it."""
    return AS_OF - pd.to_timedelta(np.asarray(days, dtype=float), unit="D")


def dataset(name, **columns):
    """A dataset of these columns, days given as days ago; ids count from 1, other columns are empty."""
    count = len(next(iter(columns.values())))
    table = {}
    for place, (column, kind) in enumerate(FACTS[name].items()):
        if column in columns:
            given = pd.Series(columns[column])
            table[column] = pd.Series(ago(given)) if kind == "day" else given
        elif place == 0:
            table[column] = np.arange(count) + 1
        else:
            empty = {"day": pd.NaT, "flag": False, "number": np.nan}
            table[column] = pd.Series([empty.get(kind)] * count)
    return pd.DataFrame(table)


def taken(history, policy=None):
    """Features, peers, policy, life-cycle stages and usual gaps of a history as of `AS_OF`."""
    policy = policy or Policy()
    built = features.build(history, AS_OF, policy)
    peers = Peers(built.table["format"], policy)
    rhythms = rhythm.learn(built.days, peers, 90.0)
    stage = lifecycle.classify(built, rhythms, policy)["lifecycle_stage"]
    return built, peers, policy, stage, rhythms.at(built.days.last()).typical()


def labels(column):
    """The labels of a column, None where there is none."""
    return [None if pd.isna(each) else each for each in column]


def without(history, *names):
    """The history as if these datasets did not exist; `lines` and `standing` are two of them."""
    less = copy.copy(history)
    less.facts = {name: table for name, table in history.facts.items() if name not in names}
    if "lines" in names:
        less.lines = None
    if "standing" in names:
        less.customers = history.customers.drop(columns=[c for c in STANDING if c in history.customers])
    return less


def shuffled(history, seed=0):
    """The same history, every table in another order."""

    def mixed(table):
        return None if table is None else table.sample(frac=1, random_state=seed)

    tables = (mixed(table) for table in (history.orders, history.lines, history.customers, history.products))
    return History(*tables, facts={name: mixed(table) for name, table in history.facts.items()})


def in_currency(history, rate):
    """The same history in a currency of which `rate` make one."""

    def converted(table):
        columns = {} if table is None else {name: table[name] * rate for name in table if name in MONEY}
        return None if table is None else table.assign(**columns)

    tables = (converted(table) for table in (history.orders, history.lines, history.customers))
    facts = {name: converted(table) for name, table in history.facts.items()}
    return History(*tables, products=history.products, facts=facts)
