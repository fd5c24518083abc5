"""Customers who order once a month, and what a history shows of its customers."""

from conftest import AS_OF, history_of, orders_of

from sync_worker.policy import Policy
from sync_worker.scoring import features, rhythm
from sync_worker.scoring.peers import Peers

MONTHLY = [orders_of(n, range(10 + n, 300, 30)) for n in range(1, 20)]


def facts_of(*parts, policy=None, today=AS_OF, **options):
    """The facts, and the rhythms after each order-day."""
    policy = policy or Policy()
    facts = features.build(history_of(*parts, **options), today, policy)
    rhythms = rhythm.learn(facts.days, Peers(facts.table["format"], policy), 60.0)
    return facts, rhythms
