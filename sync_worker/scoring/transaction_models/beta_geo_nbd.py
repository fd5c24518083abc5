"""The BG/NBD model."""

from __future__ import annotations

from sync_worker.scoring.transaction_models.beta_geometric import BetaGeometric


class BetaGeoNBD(BetaGeometric):
    """Beta-geometric/NBD model: as the MBG/NBD, but nobody leaves after the first purchase.

    So every one-time buyer is alive for certain, and 1 - P(alive) is no churn probability; `p_no_purchase`
    is. See `TransactionModel` for arguments and `BetaGeometric` for the fitted parameters.

    Reference:
        Fader, Hardie & Lee (2005), "'Counting Your Customers' the Easy Way: An Alternative to the Pareto/NBD
        Model", Marketing Science 24.
    """

    _after_first = 0
