"""How good a forecast was. Arrays are (n,); `churned` is bool, probabilities and scores are of churning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

#: Half the width of a two-sided 90 % interval in standard errors.
Z_90 = 1.6448536269514722


@dataclass(frozen=True)
class Ranking:
    """Areas under the ROC curve of two scores on the same customers, with the variance of their estimates.

    Attributes:
        auc, other: of the score and of the one it is compared with.
        variance, gain_variance: of `auc`, and of `auc - other`.
    """

    auc: float
    other: float
    variance: float
    gain_variance: float


def auc(churned: np.ndarray, score: np.ndarray) -> float:
    """Chance that a churned customer scores above one who stayed, ties counting half; NaN without both."""
    gone = int(churned.sum())
    stayed = len(churned) - gone
    if not gone or not stayed:
        return float("nan")
    return float((rankdata(score)[churned].sum() - gone * (gone + 1) / 2) / (gone * stayed))


def compare(churned: np.ndarray, score: np.ndarray, other: np.ndarray) -> Ranking:
    """Two scores' AUC with the covariance of DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44.

    NaN where nobody churned or nobody stayed.
    """
    gone, stayed = int(churned.sum()), int((~churned).sum())
    if not gone or not stayed:
        return Ranking(*[float("nan")] * 4)
    placed = [_placements(churned, values) for values in (score, other)]
    above = np.array([one[0] for one in placed])
    below = np.array([one[1] for one in placed])
    areas = above.mean(axis=1)
    covariance = np.cov(above, ddof=min(1, gone - 1)) / gone + np.cov(below, ddof=min(1, stayed - 1)) / stayed
    gain = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    return Ranking(float(areas[0]), float(areas[1]), float(covariance[0, 0]), float(max(gain, 0.0)))


def auc_weights(outcomes: Sequence[np.ndarray]) -> np.ndarray:
    """What the AUC of each of several sets of customers counts in their mean, (sets,), of sum 1; NaN where no set has
    both outcomes, which gives it 0.

    Each counts by its number of pairs of one who churned and one who stayed over their sum, to which the precision
    of an AUC is about proportional.
    """
    gone = np.array([churned.sum() for churned in outcomes], dtype=float)
    customers = np.array([len(churned) for churned in outcomes], dtype=float)
    telling = gone * (customers - gone) / np.maximum(customers, 1)
    return telling / telling.sum() if telling.any() else np.full(len(telling), np.nan)


def mean_auc(outcomes: Sequence[np.ndarray], scores: Sequence[np.ndarray]) -> float:
    """The AUC over several sets of customers, weighted by what each tells; NaN where no set has both outcomes."""
    areas = [auc(churned, score) for churned, score in zip(outcomes, scores, strict=True)]
    return float(auc_weights(outcomes) @ np.nan_to_num(areas))


def brier(churned: np.ndarray, probability: np.ndarray) -> float:
    """Mean squared error of the probability."""
    return float(np.square(probability - churned).mean())


def calibration(churned: np.ndarray, probability: np.ndarray, bins: int = 10) -> list[dict[str, float]]:
    """Bins of equal count by rising probability: `predicted` and `actual` share churned, `customers`."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return [
        {
            "predicted": float(probability[part].mean()),
            "actual": float(churned[part].mean()),
            "customers": len(part),
        }
        for part in parts
    ]


def expected_calibration_error(churned: np.ndarray, probability: np.ndarray) -> float:
    """Mean distance of predicted and actual share over ten bins of equal count."""
    bins = calibration(churned, probability)
    return sum(b["customers"] * abs(b["predicted"] - b["actual"]) for b in bins) / len(churned)


def calibration_error_by_luck(probability: np.ndarray, draws: int = 200) -> float:
    """The calibration error that right probabilities stay within nineteen times in twenty: large among few customers.

    Args:
        draws: times that outcomes are drawn by the probabilities, always the same ones.
    """
    rng, ascending = np.random.default_rng(0), np.sort(probability)
    starts = np.unique([part[0] for part in np.array_split(np.arange(len(ascending)), 10) if len(part)])

    def error() -> float:
        came = rng.random(len(ascending)) < ascending
        return float(np.abs(np.add.reduceat(ascending - came, starts)).sum()) / len(ascending)

    return float(np.quantile([error() for _ in range(draws)], 0.95))


def among_most_at_risk(amount: np.ndarray, score: np.ndarray, counts: np.ndarray | int) -> np.ndarray:
    """The sum of `amount` over so many customers of the highest score, of the shape of `counts`.

    Where a score ties, the mean over all orders of those who share it: their number in the data says nothing.
    """
    _levels, level = np.unique(-score, return_inverse=True)
    customers, sums = (np.cumsum(np.bincount(level, weights)) for weights in (None, amount))
    return np.interp(counts, np.append(0, customers), np.append(0.0, sums))


def captured(churned: np.ndarray, money: np.ndarray, score: np.ndarray, steps: int = 10) -> list[list[float]]:
    """Shares of the churned customers, and of their money, among the 1/steps, 2/steps, ... most at risk; ties as in
    `among_most_at_risk`."""
    counts = np.ceil(np.arange(1, steps + 1) * len(score) / steps)
    amounts = churned, np.where(churned, money, 0.0)
    found, value = (among_most_at_risk(amount, score, counts) for amount in amounts)
    return [(found / max(found[-1], 1)).tolist(), (value / max(value[-1], 1e-300)).tolist()]


def _placements(churned: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each churned customer the share of the others below it, for each other the share above it."""
    gone, stayed = score[churned], score[~churned]
    ranks = rankdata(np.concatenate([gone, stayed]))
    m, k = len(gone), len(stayed)
    above = (ranks[:m] - rankdata(gone)) / k
    below = 1 - (ranks[m:] - rankdata(stayed)) / m
    return above, below
