"""How good a forecast was. Ties are settled by lot: tied customers count with their mean outcome."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

BINS = 10
TOP = 0.2
#: Rows of resamples held in memory at a time.
CHUNK = 100


def auc(score: np.ndarray, outcome: np.ndarray) -> float:
    """Probability that one with the outcome scores above one without; NaN where one kind is missing."""
    positive = int(outcome.sum())
    negative = len(outcome) - positive
    if not positive or not negative:
        return float("nan")
    ranks = rankdata(score)
    return float((ranks[outcome.astype(bool)].sum() - positive * (positive + 1) / 2) / (positive * negative))


def brier(probability: np.ndarray, outcome: np.ndarray) -> float:
    """Mean squared error of a probability."""
    return float(np.mean((probability - outcome) ** 2))


def calibration_error(probability: np.ndarray, outcome: np.ndarray) -> float:
    """ECE: gap between mean probability and share in ten bins of equal count, weighted by their sizes."""
    order = np.argsort(probability, kind="stable")
    happened = tie_mean(probability, outcome.astype(float))[order]
    error = 0.0
    for part, came in zip(
        np.array_split(probability[order], BINS), np.array_split(happened, BINS), strict=True
    ):
        error += abs(part.sum() - came.sum())
    return float(error / len(probability))


def calibration_by_chance(probability: np.ndarray, draws: int = 20) -> float:
    """The ECE of probabilities that are right: the mean over outcomes drawn by them."""
    rng = np.random.default_rng(0)
    drawn = (rng.random(len(probability)) < probability for _ in range(draws))
    return float(np.mean([calibration_error(probability, outcome) for outcome in drawn]))


def spearman(forecast: np.ndarray, actual: np.ndarray) -> float:
    """Rank correlation; NaN where one of them is constant."""
    a, b = rankdata(forecast), rankdata(actual)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def normalised_gini(forecast: np.ndarray, actual: np.ndarray) -> float:
    """Gini of the actual value ordered by the forecast, over that of the perfect order."""
    perfect = _gini(actual, actual)
    return _gini(forecast, actual) / perfect if perfect > 0 else float("nan")


def top_share(forecast: np.ndarray, actual: np.ndarray, share: float = TOP) -> float:
    """Share of all actual value at those who were forecast highest."""
    count = round(share * len(actual))
    total = actual.sum()
    best = np.argsort(-forecast, kind="stable")[:count]
    return float(tie_mean(forecast, actual)[best].sum() / total) if total > 0 else float("nan")


def decile_error(forecast: np.ndarray, actual: np.ndarray) -> float:
    """Mean absolute percentage error of the sums by decile of the forecast; deciles without value left out."""
    order = np.argsort(forecast, kind="stable")
    came = tie_mean(forecast, actual)[order]
    errors = [
        abs(said.sum() - was.sum()) / was.sum()
        for said, was in zip(np.array_split(forecast[order], BINS), np.array_split(came, BINS), strict=True)
        if was.sum() > 0
    ]
    return float(np.mean(errors)) if errors else float("nan")


def log_bias(forecast: np.ndarray, actual: np.ndarray) -> float:
    """Logarithm of the sum forecast over the actual sum: above 0 where too much was forecast."""
    if forecast.sum() <= 0 or actual.sum() <= 0:
        return float("nan")
    return float(np.log(forecast.sum() / actual.sum()))


def coverage(low: np.ndarray, high: np.ndarray, actual: np.ndarray) -> float:
    """Share of customers whose actual value lay within their interval, ends included."""
    slack = 1e-9 * (1 + np.abs(actual))  # sums of cents differ in the last digit
    return float(np.mean((low - slack <= actual) & (actual <= high + slack)))


def bootstrap_auc(scores: np.ndarray, outcome: np.ndarray, draws: int = 500, seed: int = 0) -> np.ndarray:
    """AUC of several scores on the same resamples of customers, shape (draws, scores).

    Args:
        scores: shape (scores, customers).
        outcome: shape (customers,), boolean.

    Resamples without both outcomes give NaN.
    """
    rng = np.random.default_rng(seed)
    size = len(outcome)
    orders = [np.argsort(score, kind="stable") for score in scores]
    starts = [
        np.flatnonzero(np.append(True, np.diff(score[order]) != 0))
        for score, order in zip(scores, orders, strict=True)
    ]
    results = []
    for begin in range(0, draws, CHUNK):
        rows = min(CHUNK, draws - begin)
        drawn = rng.integers(0, size, (rows, size)) + np.arange(rows)[:, None] * size
        times = np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size).astype(float)
        with_outcome = times * outcome
        result = np.empty((rows, len(scores)))
        for column, (order, start) in enumerate(zip(orders, starts, strict=True)):
            # by distinct score, lowest first: how many with and without the outcome
            positive = np.add.reduceat(with_outcome[:, order], start, axis=1)
            negative = np.add.reduceat(times[:, order], start, axis=1) - positive
            below = np.cumsum(negative, axis=1) - negative / 2
            pairs = positive.sum(axis=1) * negative.sum(axis=1)
            with np.errstate(invalid="ignore"):
                result[:, column] = (positive * below).sum(axis=1) / np.where(pairs > 0, pairs, np.nan)
        results.append(result)
    return np.concatenate(results)


def interval(values: np.ndarray, level: float = 0.9) -> tuple[float, float]:
    """The middle part of resampled values; NaN where none is known."""
    values = values[np.isfinite(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def tie_mean(key: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Each value replaced by the mean of those with the same key: the expectation if ties are drawn by lot."""
    _, where, count = np.unique(key, return_inverse=True, return_counts=True)
    return (np.bincount(where, values) / count)[where]


def _gini(forecast: np.ndarray, actual: np.ndarray) -> float:
    """Area between the share of value of the customers forecast highest and the diagonal, twice."""
    came = tie_mean(forecast, actual)[np.argsort(-forecast, kind="stable")]
    total = came.sum()
    if total <= 0:
        return float("nan")
    shares = np.cumsum(came) / total
    size = len(came)
    # trapezes between 0, 1/n, ..., 1
    return float(2 * (shares.sum() - 0.5) / size - 1)
