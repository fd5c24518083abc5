"""What a draft of the policy would change, found by the code of a run on the data of the last one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sync_worker.history.columns import as_day
from sync_worker.history.schema import History
from sync_worker.kept import Kept
from sync_worker.policy import Policy
from sync_worker.scoring import labelling
from sync_worker.scoring.pipeline import score
from sync_worker.scoring.preparation import REFITTING, prepare
from sync_worker.sentences import sentence

#: Keys of the policy that `labelling.TYPES` hang on, beside those of the other labels.
WHOLE_SCORING = frozenset(
    {
        "new_product_days",
        "peers_by_territory",
        "value_type_lines",
        "value_type_score",
        "value_type_margin",
        "late_grace_days",
        "unsatisfied_below",
        "lost_type_confidence",
    }
)

Report = Callable[[float, str], None]


@dataclass
class Preview:
    """What a draft changes.

    Attributes:
        changed: a row per customer with another label: `customer_id`, `format_id`, each label by the draft and as
            `before_<label>` by the active policy, `current_value` and `potential_value` by the draft.
        result: figures for the company, ready for JSON, as docs/contract.md says.
    """

    changed: pd.DataFrame
    result: dict[str, Any]


def compare(
    read: Callable[[str], History],
    left: Kept | None,
    as_of: str,
    active: Policy,
    draft: Policy,
    report: Report,
) -> Preview:
    """The labels of a company by two policies, on the same data: the same sales, unless the two count them from
    something else.

    Nothing is read or fitted where thresholds alone differ and the last run left what they rest on.

    Args:
        read: reads the history of the company, with the sales counted from what is named (`Policy.sales`).
        left: by the last run.
        as_of: the day to label as of where nothing is kept.
        report: called with percent done and the step.

    Raises:
        HistoryError: no customer is known on or before `as_of`.
    """
    differing = draft.differing(active)
    names = list(labelling.LABELS)
    if differing & WHOLE_SCORING or draft.sales != active.sales:
        names += labelling.TYPES
        before, after = _scored(read, as_of, active, draft, report)
    else:
        before, after, as_of = _labelled(read, left, as_of, active, draft, report)
    report(95, sentence("comparing", "Comparing"))
    return _compared(before, after, names, as_of)


def _labelled(read, left, as_of, active, draft, report) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """The labels of the buyers by both policies, and the day they are of."""
    refits = bool(REFITTING & draft.differing(active))
    if left is None or refits or REFITTING & left.prepared.policy.differing(active):
        day = as_day(as_of)
        history = read(active.sales).until(day)
        if not (history.orders["amount"] > 0).any():
            nobody = pd.DataFrame(columns=[*labelling.TOLD])
            return nobody, nobody, as_of
        prepared = prepare(history, day, active, _within(report, 0, 50))[0]
        left = Kept(prepared, labelling.relabel(prepared, active, withhold=True), as_of)
    prepared, before = left.prepared, left.labels
    if prepared.policy.differing(active):
        before = labelling.relabel(prepared, active, withhold=True)
    report(50, sentence("labelling_draft", "Labelling by the draft"))
    if refits:
        prepared = prepare(history, day, draft, _within(report, 50, 90))[0]
    return before, labelling.relabel(prepared, draft, withhold=True), left.as_of


def _within(report: Report, start: float, end: float) -> Report:
    """Reports a step's own 0 to 100 percent as `start` to `end`."""
    return lambda percent, step: report(start + percent * (end - start) / 100, step)


def _scored(read, as_of, active, draft, report) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The customers who are buyers by either policy, scored by both."""
    tables, history = [], read(active.sales)
    for start, policy in ((0, active), (47, draft)):
        if start and policy.sales != active.sales:
            history = read(policy.sales)
        progress = _within(report, start, start + 47)
        scored = score(history, as_of, policy, progress=progress, withhold=True)
        tables.append(scored.customers.rename(columns={"format_id": "format", "business_format": "format"}))
    # both readings know the same customers, unless one was made or deleted in between
    before, after = (table.set_index("customer_id", drop=False) for table in tables)
    both = before.index.intersection(after.index)
    before, after = before.loc[both], after.loc[both]
    buyers = (before["lifecycle_stage"] != "selection") | (after["lifecycle_stage"] != "selection")
    return before[buyers].reset_index(drop=True), after[buyers].reset_index(drop=True)


def _compared(before: pd.DataFrame, after: pd.DataFrame, names: list[str], as_of: str) -> Preview:
    changes = labelling.differ(before, after, names)
    money = after[["current_value", "potential_value"]].fillna(0).sum(axis=1)
    moves = {}
    for name in names:
        at = changes[name].to_numpy()
        moved = pd.DataFrame(
            {
                "before": before.loc[at, name].astype(object).to_numpy(),
                "after": after.loc[at, name].astype(object).to_numpy(),
                "value": money[at].to_numpy(),
            }
        )
        grouped = moved.groupby(["before", "after"], dropna=False)["value"].agg(["size", "sum"])
        moves[name] = [
            {
                "before": _code(codes[0]),
                "after": _code(codes[1]),
                "customers": int(n),
                "value": round(float(v), 2),
            }
            for codes, n, v in grouped.itertuples()
        ]
    rows = changes.any(axis=1).to_numpy()
    changed = after.loc[rows, ["customer_id", "format", *names, "current_value", "potential_value"]]
    changed = changed.rename(columns={"format": "format_id"})
    for name in names:
        changed[f"before_{name}"] = before.loc[rows, name].to_numpy()
    result = {"as_of": as_of, "customers": len(after), "changed": int(rows.sum()), "labels": moves}
    return Preview(changed.reset_index(drop=True), result)


def _code(label: Any) -> str | None:
    return None if pd.isna(label) else str(label)
