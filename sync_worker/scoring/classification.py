"""Every label of a customer besides churn, value class, loyalty and life cycle, and what follows for the company."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from sync_worker.history.facts import rows_of
from sync_worker.history.schema import History
from sync_worker.policy import Policy
from sync_worker.scoring import (
    attitude,
    channel,
    concentration,
    cross_sell,
    customisation,
    demand,
    groups,
    habits,
    interactions,
    labelling,
    lost_type,
    margin_level,
    memory,
    next_class,
    percentiles,
    points,
    promises,
    purchases,
    rating,
    recommendations,
    replacement,
    satisfaction,
    satisfaction_factors,
    service_strategy,
    share_of_customer,
    value_class,
    value_type,
    value_type_clusters,
)
from sync_worker.scoring.anomaly import Anomalies
from sync_worker.scoring.features import Features
from sync_worker.scoring.net_value import NetValue
from sync_worker.scoring.peers import Peers, peers_of
from sync_worker.scoring.reasons import Told, told
from sync_worker.scoring.receivables import Receivables
from sync_worker.scoring.returns import Returns
from sync_worker.scoring.trials import Trial

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
    *(f"percentile_{name}" for name in percentiles.CRITERIA),
    "value_type",
    "recommendations",
    "replacement_due",
    "share_of_customer",
    "customisation",
    "service_strategy",
    "satisfaction",
    "attitude",
    "promise_kept",
    "last_contact_date",
    "response_hours",
    "initiator",
    "preferred_channel",
    "anomaly",
    "anomaly_percent",
    "anomaly_since",
    "lost_type",
)
#: Of these, the ones written as text, and as days.
TEXTS = (
    "margin_level",
    "value_type",
    "recommendations",
    "service_strategy",
    "satisfaction",
    "attitude",
    "initiator",
    "preferred_channel",
    "anomaly",
    "lost_type",
)
DAYS = ("replacement_due", "last_contact_date", "anomaly_since")
#: Facts that are looked at after the buyers are classified.
LATER = ("leads",)


@dataclass
class Kept:
    """What is taken from the buyers' order-days and sales before they are let go.

    Attributes:
        portraits: of `portraits.describe`.
        owed: of `receivables.take`.
        back: of `returns.take`.
        changes: of `anomaly.classify`.
    """

    portraits: list[dict[str, Any]]
    owed: Receivables | None
    back: Returns
    changes: Anomalies


@dataclass
class Found:
    """Labels with what speaks for them.

    Attributes:
        table: columns of `COLUMNS`, a row per buyer.
        besides: `labelling.TYPES` by each of the policies and models asked for besides, a row per buyer.
        evidence: reasons of all topics.
        company: results for the whole company by their names in docs/contract.md; ready for JSON.
        lacks: what could not be told for want of data.
    """

    table: pd.DataFrame
    besides: list[pd.DataFrame] = field(default_factory=list)
    evidence: list[Told] = field(default_factory=list)
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
    trials: Sequence[Trial],
    besides: Sequence[labelling.Labelled] = (),
) -> Found:
    """Classifies the buyers.

    Args:
        features: its table has the labels and values found so far.
        history: is left without its lines and facts (but `LATER`), which take more memory than all else.
        today: the as-of day, days since 1970-01-01.
        served: of `net_value.classify`.
        trials: what was forecast on earlier days, for the range of demand.
        besides: the buyers by other policies or models, for whose types is asked too.
    """
    value = _value(features, history, peers, policy, today, kept=kept, served=served)
    _empty(history, "invoices", "payments", "quotations")
    relation = _relation(features, history, peers, policy, today, kept=kept, besides=besides)
    # last, for want of memory: nobody looks at the lines after it
    products = _products(features, history, peers, policy, today, trials=trials, besides=besides)
    parts = [value, products, relation]
    table = pd.concat([part.table for part in parts], axis=1)
    table["attitude"] = attitude.classify(
        features.table["loyalty_stage"], np.asarray(table["satisfaction"], object)
    )
    company = {name: result for part in parts for name, result in part.company.items()}
    company["attitude_pivot"] = attitude.pivot(
        np.asarray(table["margin_level"], object),
        features.table["loyalty_stage"],
        np.asarray(table["satisfaction"], object),
        features.table["current_value"].to_numpy(float),
    )
    kept_for_it = table["customisation"].to_numpy(float)
    table["service_strategy"] = service_strategy.classify(features.table, kept_for_it, policy)
    evidence = [one for part in parts for one in part.evidence]
    evidence += map(told, service_strategy.evidence(features.table, kept_for_it, policy))
    lacks = list(dict.fromkeys(lack for part in parts for lack in part.lacks))
    types = [pd.concat(of, axis=1) for of in zip(products.besides, relation.besides, strict=True)]
    return Found(table[[*COLUMNS]], types, evidence, company, lacks)


def _value(features, history, peers, policy, today, *, kept, served) -> Found:
    """What a customer leaves, what it lacks to the next class, and how it rates."""
    table = features.table
    rated = rating.classify(
        features, history, peers, policy, today, value=table, owed=kept.owed, back=kept.back
    )
    missing = next_class.classify(table, peers, policy, remembered=memory.kept(history.previous, policy))
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
    found = pd.concat([found, percentiles.among_peers(table, rated.table, peers)], axis=1)
    ids = table["customer_id"]
    company = {
        "portraits": kept.portraits,
        "concentration": concentration.summarise(
            ids, table["current_value"].to_numpy(float), groups.of(history, ids), features.basis
        ),
    }
    evidence = [*value_class.evidence(table, policy), *served.evidence, *rated.evidence, *missing.evidence]
    evidence += level_evidence
    lacks = [*served.lacks, *rated.lacks]
    return Found(found, evidence=[*map(told, evidence)], company=company, lacks=lacks)


def _products(features, history, peers, policy, today, *, trials, besides) -> Found:
    """What the purchases tell: value type, what to offer next, the share of the customer, customisation, demand."""
    table, n = features.table, len(features.table)
    bought = purchases.of(features, history)
    history.lines, history.facts = (
        None,
        {name: history.facts[name] for name in LATER if name in history.facts},
    )
    gaps = cross_sell.gaps(bought, features, peers, policy)
    due = replacement.due(bought, features, peers, policy, today)
    share = share_of_customer.estimate(bought, features, peers, policy, today)
    together = groups.of(history, table["customer_id"])
    kept_for_it = customisation.measure(bought, features, together, policy, today)
    next_day = replacement.next_due(due, n, today)
    expected = table["expected_net"].to_numpy(float)
    past = demand.earlier(trials, n)
    demanded = demand.expect(bought, features, expected, past, peers, policy, today)
    evidence = [
        *map(told, cross_sell.evidence(gaps, bought)),
        *map(told, replacement.evidence(due, bought, today)),
        *map(told, share_of_customer.evidence(share, features, peers, policy)),
    ]
    lacks = ["lines"] if history.lines is None else []
    # habits last, in place of all purchases: the two together would take most memory of all
    bought = bought.part(bought.bought & (bought.product >= 0))
    observed = habits.observe(bought, peers, policy.column("new_product_days", table["format"]), today)
    types = _value_types(observed, features, peers, policy, table)
    found = pd.DataFrame(
        {
            "value_type": types["value_type"].array,
            "recommendations": recommendations.combine(gaps, due, bought),
            "replacement_due": pd.to_datetime(next_day, unit="D").astype("datetime64[s]"),
            "share_of_customer": share["share_of_customer"].to_numpy(),
            "customisation": kept_for_it,
        }
    )
    evidence = [*map(told, value_type.evidence(observed, types, features, policy)), *evidence]
    company = {
        "demand": demanded,
        "value_type_agreement": value_type_clusters.agreement(observed, types),
    }
    others = [_value_type_by(other, policy, observed, bought, features, today) for other in besides]
    return Found(found, others, evidence, company, lacks)


def _value_type_by(other, policy, observed, bought, features, today) -> pd.DataFrame:
    """The value types by another policy or model; habits that it would see alike are not looked for again."""
    peers = peers_of(features.table, other.policy)
    if other.policy.differing(policy) & {"new_product_days", "peers_minimum", "peers_by_territory"}:
        days = other.policy.column("new_product_days", features.table["format"])
        observed = habits.observe(bought, peers, days, today)
    return _value_types(observed, features, peers, other.policy, other.table)[["value_type"]]


def _value_types(observed, features, peers, policy, values) -> pd.DataFrame:
    parts = values[["historical_value", "current_value", "potential_value"]]
    return value_type.classify(observed, features, peers, policy, parts)


def _relation(features, history, peers, policy, today, *, kept, besides) -> Found:
    """How we get on with a customer: satisfaction, promises, contact, channel, sudden changes, why it was lost."""
    tied = points.evidence(features, history, policy, today)
    _empty(history, "points")
    content = satisfaction.classify(features, history, peers, policy, today)
    word = promises.classify(features, history, policy, today)
    said = interactions.talk(history, features.table["customer_id"])
    _empty(history, "messages", "activities")
    contact = interactions.classify(features, history, said, peers, policy, today)
    way = channel.classify(features, history, today)
    _empty(history, "order_details")
    by_hand = _told(features, history)

    def lost_by(one: labelling.Labelled, peers: Peers) -> lost_type.LostTypes:
        stage, gap = one.table["lifecycle_stage"], one.table["typical_gap"]
        return lost_type.classify(features, history, peers, one.policy, today, stage, gap, said, by_hand)

    lost = lost_by(labelling.Labelled(policy, features.table), peers)
    others = [lost_by(other, peers_of(features.table, other.policy)).table for other in besides]
    parts = [content, word, contact, way, kept.changes, lost]
    found = pd.concat([part.table.reset_index(drop=True) for part in parts], axis=1)
    return Found(
        found[[name for name in COLUMNS if name in found]],
        [other[["lost_type"]] for other in others],
        [*map(told, tied), *(told(one) for part in parts for one in part.evidence)],
        {
            "satisfaction_by_class": attitude.by_value_class(
                features.table["value_class"],
                np.asarray(found["satisfaction"], object),
                found["rating"].to_numpy(float),
            ),
            "satisfaction_factors": satisfaction_factors.factors(
                features, history, said, policy, (features.table["value_class"] == "key").to_numpy()
            ),
            "promises_by_salesperson": word.salespeople,
        },
        [lack for part in (content, word, contact, way, lost) for lack in part.lacks],
    )


def _empty(history: History, *names: str) -> None:
    """Lets go of the rows of facts that nobody looks at any more; that they are known stays known."""
    for name in names:
        if name in history.facts:
            history.facts[name] = history.facts[name].iloc[:0].copy()


def _told(features: Features, history: History) -> np.ndarray | None:
    """The lost type that a person has said of each buyer, None where nobody has."""
    if history.previous is None:
        return None
    said = history.previous["lost_type_by_hand"].to_numpy(object)
    at = rows_of(features.table["customer_id"], history.previous["customer_id"])
    return np.where((at >= 0) & pd.notna(said[at]), said[at], None) if len(said) else None
