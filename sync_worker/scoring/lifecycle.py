"""Where a customer is on its way with us, from selection to lost."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sync_worker.policy import Policy
from sync_worker.scoring import labels
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.features import Features
from sync_worker.scoring.memory import held
from sync_worker.scoring.rhythm import Rhythm

STAGES = ("selection", "acquisition", "won_back", "retention", "extension", "dormant", "lost")

#: What `settled` looks at besides what is found here.
SETTLED_BY = (
    "format",
    "silence",
    "recent_spend",
    "earlier_spend",
    "recent_orders",
    "earlier_orders",
    "recent_breadth",
    "earlier_breadth",
)

SENTENCES = {
    "stage_near_border": "Close to the border of another stage of the life cycle, within the {noise} % that count as "
    "noise: what it was before decides",
}


def classify(
    features: Features, rhythm: Rhythm, policy: Policy, before: pd.Series | None = None
) -> pd.DataFrame:
    """The life-cycle stage of each buyer (a customer without an order is in *selection*).

    *Lost* and *dormant*: silence over `lost_factor` (`dormant_factor`) times its own long gap and over
    `lost_days` (`dormant_days`). Else *acquisition*: fewer than `approval_order_days` order-days; *won
    back*: as few since it came back from a silence that was *lost* by the same rule, judged by what was
    known of it then. Else *retention*, or *extension* where spend in the last comparison window is at
    least `extension_ratio` times that of the window before, orders fell in both, and the breadth did not
    shrink.

    Args:
        rhythm: after each order-day, (m,).
        before: the stage of the last run, missing where it is not known; None: of nobody (`settled`).

    Returns:
        `lifecycle_stage` (categorical), `stage_by_rule`, which is what it would be without memory, `dormant_after` and
        `lost_after` (days of silence), `comeback_silence` (days of silence before a won-back customer's return, else
        NaN).
    """
    table, days, formats = features.table, features.days, features.table["format"]
    column = {
        key: policy.column(key, formats)
        for key in ("lost_factor", "lost_days", "dormant_factor", "dormant_days", "approval_order_days")
    }
    last = days.last()
    long, silence = rhythm.long(), table["silence"].to_numpy()
    lost_after = np.maximum(column["lost_factor"][days.row] * long, column["lost_days"][days.row])
    lost = silence > lost_after[last]
    dormant_after = np.maximum(column["dormant_factor"] * long[last], column["dormant_days"])
    dormant = silence > dormant_after

    gap = np.diff(days.day, prepend=days.day[:1])
    returned = (days.position > 0) & (gap > np.append(0.0, lost_after[:-1]))
    comeback = np.maximum.reduceat(np.where(returned, np.arange(len(gap)), -1), days.start)
    since = np.where(comeback >= 0, last - comeback + 1, np.inf)
    won_back = since < column["approval_order_days"]

    new = table["order_days"].to_numpy() < column["approval_order_days"]
    stage = labels.first(
        [lost, dormant, new, won_back, _extended(table, policy, np.zeros(len(table), dtype="int8"))],
        ["lost", "dormant", "acquisition", "won_back", "extension"],
        "retention",
    )
    silence_before = np.where(stage == "won_back", gap[np.maximum(comeback, 0)], np.nan)
    found = {"stage_by_rule": stage, "dormant_after": dormant_after, "lost_after": lost_after[last]}
    return pd.DataFrame(
        {
            "lifecycle_stage": settled(table[[*SETTLED_BY]].assign(**found), policy, before),
            **found,
            "comeback_silence": silence_before,
        }
    )


def settled(table: pd.DataFrame, policy: Policy, before: pd.Series | None) -> pd.Categorical:
    """The stage of each customer after what it was before, (n,).

    Between *retention* and *extension* spend has to pass the border by `hysteresis_value` of it; an extended customer
    may lose as much of its breadth. Who was dormant or lost stays so until its silence is as much shorter than the
    border, as an order makes it; nobody is told so later than by the rule. A silence only grows, but the long gap of
    who ordered once or twice is mostly that of its peers, and moves with their orders.

    Args:
        table: `SETTLED_BY`, and `stage_by_rule`, `dormant_after` and `lost_after` of `classify`.
    """
    by_rule = table["stage_by_rule"].array
    if before is None or not before.notna().any():
        return by_rule
    noise = policy.column("hysteresis_value", table["format"])
    extended = _extended(table, policy, held(before, ["extension"], ["retention"]))
    kept = {
        name: table["silence"].to_numpy()
        > table[f"{name}_after"].to_numpy() * (1 - noise * before.isin(stages))
        for name, stages in {"lost": ["lost"], "dormant": ["dormant", "lost"]}.items()
    }
    either = by_rule.isin(["retention", "extension"])
    code = {name: by_rule.categories.get_loc(name) for name in ("lost", "dormant", "extension", "retention")}
    conditions = [kept["lost"].to_numpy(), kept["dormant"].to_numpy(), either & extended, either]
    return pd.Categorical.from_codes(
        np.select(conditions, [*code.values()], by_rule.codes).astype("int8"), by_rule.categories
    )


def evidence(table: pd.DataFrame, policy: Policy) -> list[Evidence]:
    """What says that the last run's stage decided.

    Args:
        table: with what `classify` returns.
    """
    moved = (table["lifecycle_stage"].astype(object) != table["stage_by_rule"].astype(object)).to_numpy()
    noise = np.ceil(100 * policy.column("hysteresis_value", table["format"]) - 1e-9)
    return [Evidence("stage_near_border", moved, {"noise": noise})]


def _extended(table: pd.DataFrame, policy: Policy, was: np.ndarray) -> np.ndarray:
    """Who is extended, (n,), `was` being whether it was so before (`memory.held`)."""
    noise = policy.column("hysteresis_value", table["format"])
    ratio = policy.column("extension_ratio", table["format"]) * (1 - was * noise)
    earlier, recent = table["earlier_spend"].to_numpy(), table["recent_spend"].to_numpy()
    deeper = (earlier > 0) & (recent >= ratio * earlier)
    both = (table["earlier_orders"].to_numpy() > 0) & (table["recent_orders"].to_numpy() > 0)
    # not: narrower; a breadth that is not known does not speak against it, and a steady one lets a customer in
    least = table["earlier_breadth"].to_numpy() * (1 - (was > 0) * noise)
    return deeper & both & ~(table["recent_breadth"].to_numpy() < least)
