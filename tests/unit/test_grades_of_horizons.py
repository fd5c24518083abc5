"""A company whose business formats have churn horizons of their own is judged within each."""

import numpy as np
import pytest
from graded import trial_of

from sync_worker.scoring.grades import grade


def memoryless(seed, n=2000):
    """Nothing is to be known of customers but that a third is judged by a horizon in which more come back."""
    rng = np.random.default_rng(seed)
    long = np.arange(n) % 3 == 0
    probability = np.where(long, 0.2, 0.7)
    return rng.random(n) < probability, probability, np.where(long, 120, 30)


@pytest.mark.parametrize("seed", range(3))
def test_that_more_come_back_in_a_longer_horizon_is_no_skill(seed):
    churned, probability, horizon = memoryless(seed)
    found = grade([trial_of(churned, probability, horizon=horizon)])
    assert found["grade"] == "D" and found["auc"] == 0.5
    assert found["base_brier"] == pytest.approx(found["brier"], abs=0.002) and found["horizon_days"] is None
    # the list takes the same share of each, and no one figure says where it ends
    assert found["found"] == pytest.approx(found["chance_found"], abs=1)
    assert found["rule"] == {"code": "recency", "params": {}}
    assert [step["found"] for step in found["lift"]] == pytest.approx(np.arange(1, 11) / 10, abs=0.03)


def test_within_each_horizon_skill_counts_as_before():
    rng = np.random.default_rng(3)
    _churned, usual, horizon = memoryless(3)
    probability = np.clip(usual + rng.uniform(-0.2, 0.2, len(usual)), 0, 1)
    churned = rng.random(len(usual)) < probability
    found = grade([trial_of(churned, probability, horizon=horizon)])
    parts = [
        grade([trial_of(churned[own], probability[own], horizon=int(horizon[own][0]))])
        for own in (horizon == 30, horizon == 120)
    ]
    assert found["grade"] == "A" and min(one["auc"] for one in parts) <= found["auc"]
    assert found["auc"] <= max(one["auc"] for one in parts)
    assert found["found"] > found["chance_found"] + 3
