"""The MBG/NBD model."""

from __future__ import annotations

from sync_worker.scoring.transaction_models.beta_geometric import BetaGeometric


class ModifiedBetaGeoNBD(BetaGeometric):
    """Modified beta-geometric/NBD model: Poisson purchases at a gamma rate; after each purchase, the first
    included, the customer leaves for good with a beta-distributed probability.

    See `TransactionModel` for arguments and `BetaGeometric` for the fitted parameters.

    Reference:
        Batislam, Denizel & Filiztekin (2007), "Empirical validation and comparison of models for customer
        base analysis", International Journal of Research in Marketing 24.
    """
