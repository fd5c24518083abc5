"""Which churn model the company's own orders support, and which foretold their last stretch best."""

from __future__ import annotations

import numpy as np

from sync_worker.policy import Policy
from sync_worker.scoring import rhythm
from sync_worker.scoring.churn import ChurnModel, RhythmModel, Situation, TransactionTier
from sync_worker.scoring.features import Features, OrderDays
from sync_worker.scoring.peers import Peers
from sync_worker.scoring.transaction_models import ModifiedBetaGeoNBD

#: Below these no model can be told from a rule of thumb.
CUSTOMERS_MINIMUM = 50
DAYS_MINIMUM = 90
REPEAT_BUYERS_MINIMUM = 30
#: A tie must not switch models, and so labels, from run to run.
CLEARLY = 0.98
#: Weight of the ridge on the MBG/NBD's log-parameters in customers: it only speaks where the data hardly do.
RIDGE_CUSTOMERS = 2.0


def choose(
    features: Features, situation: Situation, policy: Policy, today: int
) -> tuple[ChurnModel, list[str]]:
    """The churn model to use, fitted on all orders, and sentences about the choice.

    With too few data the rule of thumb. Else MBG/NBD and the rhythm model are both fitted on the orders up
    to one churn horizon ago, and the rhythm model is taken if its Brier score since then is clearly
    smaller; where the history is too short for that, the MBG/NBD, unless its dropout is not identified.

    Args:
        situation: of each buyer, today.
        today: the as-of day, days since 1970-01-01.
    """
    lack = shortage(situation)
    if lack:
        model = RhythmModel(small=True).fit(situation)
        return model, [f"Churn follows a {model.words}, since {lack}."]
    horizon = policy.column("churn_horizon_days", features.table["format"])
    losses = _losses(features, policy, horizon, today)
    if losses and losses["rhythm"] < CLEARLY * losses["mbg_nbd"]:
        return RhythmModel().fit(situation), []
    transactions = fit_transactions(situation)
    if transactions.model.identified_:
        return transactions, []
    words = "Churn follows the rhythm model, since the orders do not show the MBG/NBD when customers leave."
    return RhythmModel().fit(situation), [words]


def shortage(situation: Situation) -> str:
    """Why the data are too few for a model, in words; "" where they are not."""
    customers, repeat = len(situation.x), int((situation.x > 0).sum())
    span = int(situation.T.max()) + 1
    if customers < CUSTOMERS_MINIMUM:
        return f"only {customers:,} customers have ordered, {CUSTOMERS_MINIMUM} are needed"
    if span < DAYS_MINIMUM:
        return f"the orders span only {span} days, {DAYS_MINIMUM} are needed"
    if repeat < REPEAT_BUYERS_MINIMUM:
        return f"only {repeat:,} customers ordered again, {REPEAT_BUYERS_MINIMUM} are needed"
    return ""


def fit_transactions(situation: Situation) -> TransactionTier:
    """The MBG/NBD with a ridge that keeps its parameters finite where the data do not."""
    model = ModifiedBetaGeoNBD(penalty=RIDGE_CUSTOMERS / len(situation.x))
    return TransactionTier(model.fit(situation.x, situation.t_x, situation.T))


def situation_at(days: OrderDays, peers: Peers, day: int, default_gap: float) -> Situation:
    """The situation of every customer at the end of a day, from order-days up to it."""
    first, last = days.day[days.start], days.day[days.last()]
    own = rhythm.learn(days, peers, default_gap).at(days.last())
    x = days.position[days.last()].astype(float)
    return Situation(x, (last - first).astype(float), (day - first).astype(float), own.mu, own.sigma)


def _losses(features, policy, horizon, today) -> dict[str, float]:
    """Brier score of each model over the last horizon, told before it; empty where it cannot be judged."""
    cut = today - int(horizon.max())
    days, rows = features.days.until(cut)
    if not len(rows):
        return {}
    formats = features.table["format"].iloc[rows].reset_index(drop=True)
    default_gap = float(policy.value("churn_horizon_days"))
    then = situation_at(days, Peers(formats, policy), cut, default_gap)
    ahead = horizon[rows]
    day = features.days.day
    returned = (day > cut) & (day <= cut + horizon[features.days.row])
    churned = ~np.isin(rows, features.days.row[returned])
    if shortage(then) or churned.all() or not churned.any():
        return {}
    models = (fit_transactions(then), RhythmModel().fit(then))
    return {
        model.name: float(np.square(churned - model.p_no_purchase(ahead, then)).mean()) for model in models
    }
