"""A simulated shop, as it is read run by run: what the tests of causes are about."""

from functools import cache

from simulator import World, simulate
from sync_worker.history.schema import History

AS_OF = "2026-06-30"


@cache
def shop():
    return simulate(World(seed=5, customers=160)).history


def fresh(history):
    """As it is read: nothing that a run lets go of is missing in the next."""
    return History(
        history.orders, history.lines, history.customers, history.products, history.previous, history.facts
    )
