"""Models that learnt from the past of a simulated shop."""

from shops import TODAY, past_of

from sync_worker.scoring.hybrid import HybridTier
from sync_worker.scoring.sales_regression import SalesRegression

HORIZON = 60
DAY = TODAY - HORIZON


class Learnt:
    """Models of a shop whose customers place a small last order before they leave."""

    def __init__(self, sales):
        self.past = past = past_of(sales, today=DAY, horizon=HORIZON)
        self.snapshot, self.base = past.moment(DAY)
        self.situation = self.snapshot.situation
        self.came = past.outcome(self.snapshot, HORIZON)
        self.lessons = past.lessons(DAY)
        self.tiers = {kind: self.tier(boosted=kind) for kind in (False, True)}
        self.sales = {kind: SalesRegression(self.base, self.lessons, boosted=kind) for kind in (False, True)}

    def tier(self, *, boosted, lessons=None, situation=None):
        known = lessons or self.lessons, situation or self.situation
        return HybridTier(self.base, *known, boosted=boosted)
