"""How often customers buy and whether they still are customers: probability models of purchase histories.

All share one interface (see `TransactionModel`). `ModifiedBetaGeoNBD` is the default; the others are
alternatives to judge it by, or for shops where their assumption about gaps or dropout fits better.
"""

from sync_worker.scoring.transaction_models.base import TransactionModel
from sync_worker.scoring.transaction_models.beta_geo_nbd import BetaGeoNBD
from sync_worker.scoring.transaction_models.erlang_modified_beta_geo_nbd import ErlangModifiedBetaGeoNBD
from sync_worker.scoring.transaction_models.modified_beta_geo_nbd import ModifiedBetaGeoNBD
from sync_worker.scoring.transaction_models.pareto_nbd import ParetoNBD

__all__ = ["BetaGeoNBD", "ErlangModifiedBetaGeoNBD", "ModifiedBetaGeoNBD", "ParetoNBD", "TransactionModel"]
