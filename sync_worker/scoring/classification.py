"""Every label of a customer besides churn, value class, loyalty and life cycle, and what follows for the company."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import (
    concentration,
    equity,
    groups,
    margin_level,
    next_class,
    portraits,
    rating,
)
from sync_worker.scoring.evidence import Evidence
from sync_worker.scoring.features import Features
from sync_worker.scoring.net_value import NetValue
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.receivables import Receivables
from sync_worker.scoring.returns import Returns

#: Columns of the result that are found here, in order; docs/columns.md says what each means.
COLUMNS = (
    "cost_to_serve",
    "net_value",
    "next_class_gap",
    "margin_level",
    "value_percentile",
    "composite_rating",
    "rating_contribution",
    "rating_compliance",
    "rating_integrity",
    "rating_influence",
)
#: Of these, the ones written as text.
TEXTS = ("margin_level",)


@dataclass
class Kept:
    """What is known of the buyers before their order-days and sales are let go.

    Attributes:
        figures: of `portraits.take`.
        owed: of `receivables.take`.
        back: of `returns.take`.
    """

    figures: pd.DataFrame
    owed: Receivables | None
    back: Returns


@dataclass
class Classification:
    """Labels with what speaks for them.

    Attributes:
        table: a row per buyer with `COLUMNS`.
        evidence: reasons of all topics.
        company: results for the whole company by their names in docs/contract.md; ready for JSON.
        lacks: what could not be told for want of data.
    """

    table: pd.DataFrame
    evidence: list[Evidence] = field(default_factory=list)
    company: dict[str, Any] = field(default_factory=dict)
    lacks: list[str] = field(default_factory=list)


def classify(
    features: Features,
    history: History,
    peers: Peers,
    policy: Policy,
    today: int,
    *,
    kept: Kept,
    served: NetValue,
) -> Classification:
    """Classifies the buyers.

    Args:
        features: its table has the labels and values found so far.
        today: the as-of day, days since 1970-01-01.
        served: of `net_value.classify`.
    """
    table = features.table
    rated = rating.classify(
        features, history, peers, policy, today, value=table, owed=kept.owed, back=kept.back
    )
    missing = next_class.classify(table, peers, policy)
    level, level_evidence = margin_level.classify(table, peers)
    found = pd.DataFrame(
        {
            "cost_to_serve": served.table["cost_to_serve"].to_numpy(),
            "net_value": served.table["net_value"].to_numpy(),
            "next_class_gap": np.maximum(missing.gap, 0.0),
            "margin_level": level,
            **{name: rated.table[name].to_numpy() for name in COLUMNS if name in rated.table},
        }
    )
    return Classification(
        table=found[[*COLUMNS]],
        evidence=[*served.evidence, *rated.evidence, *missing.evidence, *level_evidence],
        company={
            "portraits": portraits.describe(table, kept.figures),
            "concentration": concentration.summarise(
                table["customer_id"],
                table["current_value"].to_numpy(float),
                groups.of(history, table["customer_id"]),
                features.basis,
            ),
            "equity": equity.bridge(history.previous, table),
        },
        lacks=[*served.lacks, *rated.lacks],
    )
