"""How good a customer is for its business format: contribution, compliance, integrity, influence, and all together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sync_worker.history.schema import History
from sync_worker.policy import RATING_WEIGHTS, Policy
from sync_worker.scoring import conduct, groups
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.features import Features
from sync_worker.scoring.groups import Groups
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.receivables import Receivables
from sync_worker.scoring.returns import Returns
from sync_worker.scoring.value_class import worth

MEMBERS = 5
#: Share of a format's sales that is worth a sentence.
NOTICEABLE = 0.01

SENTENCES = conduct.SENTENCES | {
    "group_of_branches": "One of {branches} customers of the same group",
    "share_of_format": "Takes {percent} % of the sales of its business format",
}


@dataclass
class Rating:
    """The rating of each buyer.

    Attributes:
        table: a row per buyer: `value_percentile` (current + potential value among peers), `rating_contribution`
            (the same), `rating_compliance`, `rating_integrity`, `rating_influence` (0 to 1, NaN where nothing is
            known), `composite_rating` (0 to 100, their mean weighted by policy over what is known, NaN where no
            weight is on any of it).
        evidence: of the topic `rating`.
        lacks: what nobody has for want of data. `referrals` always: no dataset tells who recommended whom.
    """

    table: pd.DataFrame
    evidence: list[Evidence]
    lacks: list[str]


def classify(
    features: Features,
    history: History,
    peers: Peers,
    policy: Policy,
    today: int,
    *,
    value: pd.DataFrame,
    owed: Receivables | None,
    back: Returns,
) -> Rating:
    """The four scores and the composite rating.

    *Contribution*: percentile of current + potential value among peers. *Compliance*: mean of what is known of tax id
    and credit limit. *Integrity*: mean of what is known of payment, offers and goods. *Influence*: mean of the
    percentiles of the group's branches, where any customer has some, and of its share of the format's sales.

    Args:
        today: the as-of day, days since 1970-01-01.
        value: a row per buyer with `current_value`, `potential_value`.
        owed: of the buyers (`receivables.take`), None where not known.
        back: what they bought and returned (`returns.take`).
    """
    buyers = features.table
    kept = conduct.take(features, history, peers, policy, today, owed=owed, back=back)
    influence, told, lacks = _influence(buyers, groups.of(history, buyers["customer_id"]), peers)
    percentile = peers.percentile(worth(value))
    scores = pd.DataFrame(
        {
            "contribution": percentile,
            "compliance": kept.kept[["tax_id", "credit_limit"]].mean(axis=1),
            "integrity": kept.kept[["payment", "offers", "goods"]].mean(axis=1),
            "influence": influence,
        }
    )
    weights = np.column_stack([policy.column(key, buyers["format"]) for key in RATING_WEIGHTS])
    known = weights * scores.notna().to_numpy()
    weighed = (known * scores.fillna(0).to_numpy()).sum(axis=1)
    total = known.sum(axis=1)
    composite = np.divide(100 * weighed, total, out=np.full(len(buyers), np.nan), where=total > 0)
    table = scores.add_prefix("rating_").assign(value_percentile=percentile, composite_rating=composite)
    return Rating(table, [*kept.evidence, *told], [*kept.lacks, *lacks, "referrals"])


def _influence(
    buyers: pd.DataFrame, grouped: Groups | None, peers: Peers
) -> tuple[np.ndarray, list[Evidence], list[str]]:
    """The score, its evidence, and what is not known."""
    n = len(buyers)
    sales = np.clip(buyers["current_revenue"].to_numpy(), 0, None)
    code = np.arange(n) if grouped is None else grouped.code
    formats = pd.factorize(buyers["format"], use_na_sentinel=False)[0]
    of_format = np.bincount(formats, sales)[formats]
    # a group may have branches in several formats: its share is of the format of the branch
    together = pd.factorize(code * (formats.max(initial=0) + 1) + formats)[0]
    share = np.divide(np.bincount(together, sales)[together], of_format, out=np.zeros(n), where=of_format > 0)
    scores = [peers.percentile(share)]
    evidence = [
        Evidence("share_of_format", share >= NOTICEABLE, {"percent": np.floor(100 * share)}, strength=share)
    ]
    if grouped is None:
        return scores[0], evidence, ["branches"]
    size = grouped.size
    if size.max(initial=1) > 1:  # else nobody has branches, and it tells nothing
        scores.append(peers.percentile(size))
    records = _members(buyers["customer_id"], grouped, sales)
    evidence.append(Evidence("group_of_branches", size > 1, {"branches": size}, records, strength=0.5))
    return np.mean(scores, axis=0), evidence, []


def _members(customers: pd.Series, grouped: Groups, sales: np.ndarray) -> np.ndarray | None:
    """The largest customers of each customer's group, (n, MEMBERS), -1 = none; None where ids are no integers."""
    if not pd.api.types.is_integer_dtype(customers):
        return None
    order = np.lexsort((customers, -sales, grouped.code))
    code = grouped.code[order]
    place = np.arange(len(code)) - np.searchsorted(code, code)
    members = np.full((len(grouped.names), MEMBERS), -1, dtype="int64")
    first = place < MEMBERS
    members[code[first], place[first]] = customers.to_numpy()[order][first]
    return members[grouped.code]
