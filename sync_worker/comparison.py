"""What a run has to know of the one before, so that it can say why labels change (`scoring.causes`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from sync_worker import exports, kept, last_run
from sync_worker.config import Settings
from sync_worker.history.columns import HistoryError, as_day
from sync_worker.history.fingerprint import differing, fingerprint
from sync_worker.history.folder import read_folder
from sync_worker.history.schema import History
from sync_worker.last_run import About, LastRun
from sync_worker.policy import Policy, PolicyError, read_policy
from sync_worker.scoring import labelling
from sync_worker.scoring.causes import Before
from sync_worker.scoring.pipeline import score
from sync_worker.sentences import sentence

ANOTHER_RELEASE = sentence(
    "another_release",
    "The worker is of another release than at the last run, whose export is not kept: what the release alone changed "
    "counts as behaviour.",
)
NOT_KEPT = sentence(
    "last_run_not_kept",
    "What the last run read is not kept here: what corrected data or another model changed counts as behaviour.",
)


@dataclass(frozen=True)
class Comparison:
    """The run before, as it can be compared with.

    Attributes:
        last: None where there was none or nothing is kept of it.
        relabelled: customers whom this release would have called otherwise on what the run before read, (k,) ids.
        warnings: sentences about what cannot be told.
    """

    last: LastRun | None = None
    relabelled: pd.Series = field(default_factory=lambda: pd.Series(dtype="int64"))
    warnings: list[str] = field(default_factory=list)

    def before(self, history: History, policy: Policy, decimals: int) -> Before:
        """What there is to know of the run before, for a run by a policy on a history.

        Args:
            decimals: digits of the currency.
        """
        if self.last is None:
            return Before(policy=policy.before)
        about, customers = self.last.about, self.last.customers
        corrected = customers["customer_id"].iloc[:0]
        if (about.sales, about.decimals) == (policy.sales, decimals):
            now = fingerprint(history, as_day(about.until), decimals)
            corrected = differing(customers, now)
        return Before(
            policy=policy.before,
            tier=about.tier,
            known=customers["customer_id"],
            corrected=corrected,
            relabelled=self.relabelled,
        )


def begin(settings: Settings, database: str, run: dict[str, Any]) -> Comparison:
    """What is kept of the run before; after a change of release its data are labelled anew, before those of this run
    are read, so that not both are in memory."""
    if run["last_run"] is None:
        return Comparison()
    last = last_run.load(settings, database, run["company_id"], run["last_run"])
    if last is None:
        return Comparison(warnings=[NOT_KEPT])
    if last.about.writer == list(kept.WRITER):
        return Comparison(last)
    relabelled = _relabelled(settings, database, run, last)
    if relabelled is None:
        return Comparison(last, warnings=[ANOTHER_RELEASE])
    return Comparison(last, relabelled)


def of_run(
    run: dict[str, Any],
    marks: pd.DataFrame,
    scores: pd.DataFrame,
    tier: str | None,
    policy: Policy,
    decimals: int,
) -> LastRun:
    """What a run leaves to be compared with.

    Args:
        marks: `fingerprint`s of its history until `until_of` it.
        scores: of all customers (`pipeline.COLUMNS`).
        tier: the model it forecast by.
        decimals: digits of the currency.
    """
    about = About(
        writer=list(kept.WRITER),
        as_of=run["as_of"],
        until=f"{until_of(run, policy):%Y-%m-%d}",
        tier=tier,
        sales=policy.sales,
        decimals=decimals,
    )
    labels = scores.reindex(columns=["customer_id", *labelling.ALL])
    return LastRun(about, marks.merge(labels, on="customer_id", how="left"))


def until_of(run: dict[str, Any], policy: Policy) -> pd.Timestamp:
    """The last day whose sales have settled when a run reads them: what becomes of later ones is everyday business."""
    return as_day(run["as_of"]) - pd.Timedelta(days=policy.value("settling_days"))


def _relabelled(settings: Settings, database: str, run: dict[str, Any], last: LastRun) -> pd.Series | None:
    """The customers whom this release calls otherwise than the run before did, on what that one read and by its policy,
    (k,) ids; None where it cannot be told."""
    if last.about.tier is None:  # nobody had ordered: all were prospects
        return last.customers["customer_id"].iloc[:0]
    as_of = last.about.as_of
    folder = exports.find(settings, database, run["company_id"], run["last_run"], as_of)
    if folder is None:
        return None
    try:
        policy, history = read_policy(folder / exports.POLICY), read_folder(folder)
        now = score(history, as_of, policy, withhold=True, last_use=True).customers
    except (OSError, HistoryError, PolicyError):
        return None
    row = pd.Index(last.customers["customer_id"]).get_indexer(now["customer_id"])
    then = last.customers.iloc[np.maximum(row, 0)].reset_index(drop=True)
    known = [name for name in labelling.ALL if name in then]
    other = labelling.differ(then, now, known).any(axis=1).to_numpy() & (row >= 0)
    return now.loc[other, "customer_id"].reset_index(drop=True)
