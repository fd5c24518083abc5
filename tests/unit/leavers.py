"""A churn model and a spend model whose process is known, to try distributions of sales on."""

import numpy as np

from sync_worker.scoring.spend import GammaGamma


class Leavers:
    """Order-days with a rate Gamma(1 + x, T), of customers who have left with the probability `left`."""

    name = words = "rate"

    def __init__(self, left):
        self.left = left

    def p_alive(self, s):
        return np.full(len(s), 1 - self.left)

    def p_no_purchase(self, h, s):
        return 1 - (1 - self.left) * (1 - (s.T / (s.T + h)) ** (1 + s.x))

    def expected_orders(self, h, s):
        return (1 - self.left) * (1 + s.x) * h / s.T


def spend_model(p=4.0, shape=25.0, n=10.0):
    """Amounts Gamma(p) around means that are inverse Gamma(shape) with a mean of 40."""
    model = GammaGamma()
    model.p_, model.q_, model.fallback_ = p, shape - p * n, ""
    model.population_mean_, model.gamma_ = 40.0, 0.0
    return model
