from pathlib import Path

import numpy as np
import pytest

from sync_worker.scoring import rules
from sync_worker.scoring.situation import Situation


def five(**changes):
    """Five customers; the first is the best by every rule, the last the worst."""
    facts = {
        "x": [9, 6, 3, 1, 0],
        "t_x": [340, 300, 200, 100, 0],
        "T": [335 + 10, 335, 300, 280, 335],
        "mu": np.log([40, 40, 40, 40, 40]),
        "sigma": [0.5] * 5,
        "recent_orders": [4, 3, 2, 1, 0],
        "recent_spend": [400, 300, 200, 100, 0],
        "mean_spend": [100, 90, 80, 70, 60],
    } | changes
    return Situation(**{name: np.array(values, dtype=float) for name, values in facts.items()})


def scores(code, **changes):
    return rules.scores(five(**changes))[code].tolist()


def test_every_rule_ranks_the_worst_customer_highest():
    found = rules.scores(five())
    assert set(found) == {"recency", "lateness", "rfm_score", "last_period", "low_spend", "run_rate"}
    for code, score in found.items():
        assert (np.diff(score) > 0).all(), code


def test_recency_is_the_silence():
    assert scores("recency") == [5, 35, 100, 180, 335]
    assert rules.threshold("recency", 35.0, 60) == {"days": 35}


def test_lateness_is_the_silence_by_the_own_usual_gap():
    found = scores("lateness", mu=np.log([10, 7, 100, 90, 335]))
    assert found == pytest.approx([0.5, 5, 1, 2, 1])
    assert rules.threshold("lateness", 0.5, 60) == {"percent": 50}
    assert rules.threshold("lateness", 2.004, 60) == {"percent": 200}


def test_rfm_adds_three_steps_of_one_to_five():
    assert scores("rfm_score") == [-15, -12, -9, -6, -3]
    # the second has the most frequent orders, the first the longest silence
    found = scores("rfm_score", x=[6, 9, 3, 1, 0], t_x=[0, 300, 200, 100, 0], T=[345, 335, 300, 280, 335])
    # recency steps 1, 5, 4, 3, 2; frequency 4, 5, 3, 2, 1; money 700, 900, 320, 140, 60: 4, 5, 3, 2, 1
    assert found == [-9, -15, -10, -7, -4]
    assert rules.threshold("rfm_score", -9.0, 60) == {"score": 9}


def test_equal_customers_have_equal_rfm_scores():
    same = {"x": [1] * 5, "t_x": [50] * 5, "T": [90] * 5, "mean_spend": [10] * 5}
    assert len(set(scores("rfm_score", **same))) == 1


def test_last_period_and_low_spend_look_at_the_last_horizon():
    assert scores("last_period", recent_orders=[2, 0, 1, 4, 3]) == [-2, 0, -1, -4, -3]
    assert rules.threshold("last_period", -2.0, 60) == {"order_days": 2, "window_days": 60}
    assert scores("low_spend", recent_spend=[10.4, 0, 5, 7, 8]) == [-10.4, 0, -5, -7, -8]
    assert rules.threshold("low_spend", -10.4, 14.0) == {"amount": 10, "window_days": 14}


def test_run_rate_is_order_days_a_year_and_a_newcomer_is_not_the_busiest():
    found = scores("run_rate", x=[9, 0, 3, 1, 0], t_x=[0] * 5, T=[335.25, 0, 335.25, 335.25, 335.25])
    assert found == pytest.approx([-10, -365.25 / 30, -4, -2, -1])
    often = scores("run_rate", x=[29, 0, 0, 0, 0], T=[300, 0, 0, 0, 0], t_x=[300, 0, 0, 0, 0])
    assert often[0] < often[1]
    assert rules.threshold("run_rate", -12.4, 60) == {"order_days": 12}


def test_figures_are_whole_numbers_of_python():
    for code, score in rules.scores(five()).items():
        for value in rules.threshold(code, score[2], 60.0).values():
            assert type(value) is int and value >= 0, code


def test_each_rule_and_its_figure_are_documented():
    text = (Path(rules.__file__).parents[2] / "docs/backtest.md").read_text(encoding="utf-8")
    for code in rules.RULES:
        row = next(line for line in text.splitlines() if line.startswith(f"| `{code}`"))
        assert all(f"`{name}`" in row for name in rules.threshold(code, 1.0, 60))
