"""Models whose customers leave after a purchase, each with a beta-distributed probability of its own."""

# ruff: noqa: N803, N806 - T is the name in the literature, and t would be another thing
from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, expit, gammaln, hyp2f1
from sklearn.utils.validation import check_is_fitted

from sync_worker.scoring.transaction_models.base import DROPOUT_MINIMUM, LOG_BOUND, TransactionModel
from sync_worker.scoring.transaction_models.rows import Customers, Rows, combinations

#: Events summed at most, see `_orders_summed`; and the share of the mean that a further term may add where the
#: sum ends, looked at after so many terms.
TERMS, TAIL, CHECK = 1001, 1e-10, 8
#: Of r, alpha, a, b; alpha in mean tenures.
START = np.log([1.0, 1.0, 1.0, 2.0])


class BetaGeometric(TransactionModel):
    """Purchases at a gamma rate, dropout after each with a beta probability: the common part.

    The rate is that of a Poisson process of which every `k`-th event is a purchase, the first purchase
    counting as one: gaps are Erlang-k. With k = 1 purchases themselves are Poisson.

    Attributes:
        r_, alpha_: shape and rate of the gamma distribution of the events' rates (alpha in the unit of time).
        a_, b_: parameters of the beta distribution of the dropout probability.
    """

    #: 1 if a customer can leave after the first purchase too, else 0
    _after_first = 1

    @property
    def _k(self) -> int:
        return 1

    def _alive(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        now, shape = self.alpha_ + T, self.r_ + self._k * x
        odds = shape * (np.log(self.alpha_ + t_x) - np.log(now))
        odds += self._log_phases(shape, T - t_x, now) - np.log(self.a_)
        if self._after_first:
            return expit(odds + np.log(self.b_ + x))
        return np.where(x > 0, expit(odds + np.log(self.b_ + np.maximum(x, 1) - 1)), 1.0)

    def _no_purchase(self, h: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """1 - P(alive) (1 - Q), where Q is the probability of an alive customer's silence to go on."""
        return 1 + self._alive(x, t_x, T) * np.expm1(self._log_silence_goes_on(h, x, t_x, T))

    def _log_phases(self, shape: np.ndarray, silence: np.ndarray, now: np.ndarray) -> np.ndarray | float:
        """ln S, see `silent_phases`."""
        return np.log(silent_phases(self._k, shape, silence, now).total) if self._k > 1 else 0.0

    def _log_silence_goes_on(
        self, h: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray
    ) -> np.ndarray:
        """ln P(no purchase in (T, T + h] | x, t_x, T, alive at T), exact.

        With A = alpha + T, s = T - t_x and n = r + k x it is (A / (A + h))^n S(s + h, A + h) / S(s, A), the
        gamma mixture of the survival functions of an Erlang-k gap; S = 1 for k = 1, see `silent_phases`.
        """
        now, shape, silence = self.alpha_ + T, self.r_ + self._k * x, T - t_x
        goes_on = -shape * np.log1p(h / now)
        goes_on += self._log_phases(shape, silence + h, now + h) - self._log_phases(shape, silence, now)
        return np.minimum(goes_on, 0)

    def _orders(self, h: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """P(alive) times the mean number of purchases of the alive."""
        return self._alive(x, t_x, T) * self._orders_alive(h, x, t_x, T)

    def expected_orders(self, h: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> np.ndarray:
        check_is_fitted(self)
        columns = [np.asarray(values, dtype=float) for values in np.broadcast_arrays(h, x, t_x, T)]
        # without phases the alive do not remember when they last bought
        few = combinations(*(columns[i].ravel() for i in (0, 1, 3))) if self._k == 1 else None
        if few is None:
            return self._predict(self._orders, *columns)
        one, which = few
        mean = self._predict(self._orders_alive, *(values.ravel()[one] for values in columns))
        return self.p_alive(*columns[1:]) * mean[which].reshape(columns[0].shape)

    def _orders_alive(self, h: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """The mean number of purchases in h of those alive at T.

        For k = 1 in closed form, and summed where that loses its digits; for k > 1 summed, and in closed form (an
        approximation) where that takes too many terms. It is at least the probability of a purchase and at most
        the mean without dropout.
        """
        now, shape = self.alpha_ + T, self.r_ + self._k * x
        past = silent_phases(self._k, shape, T - t_x, now).mean
        least = -np.expm1(self._log_silence_goes_on(h, x, t_x, T))
        most = ((shape + past) * h / now + past) / self._k
        stays = self.b_ + x + self._after_first
        mean = self._orders_closed(h, shape + past, stays, now)
        usable = (mean >= least * (1 - 1e-6)) & (mean <= most * (1 + 1e-6))
        mean = np.where(usable, mean, most)
        rows = shape * np.log1p(h / now) < 600  # else the first term of the sum underflows
        if self._k == 1:
            rows &= ~usable
        columns = (values[rows] for values in (h, shape, stays, now, T - t_x))
        summed = self._orders_summed(*columns)
        mean[rows] = np.where(np.isnan(summed), mean[rows], summed)
        return np.clip(mean, least, most)

    def _orders_closed(self, h: np.ndarray, m: np.ndarray, n: np.ndarray, now: np.ndarray) -> np.ndarray:
        """Mean of (1 - exp(-rate p h / k)) / p, the purchases in h if alive for k = 1; not finite or out of all
        bounds where digits are lost.

        Given alive, p is Beta(a, n) and the rate Gamma(m, A = `now`). The mean is (a + n - 1) / (a - 1) * (1 -
        z'^m 2F1(m, n; a + n - 1; z)) with z = h / (k A + h), z' = 1 - z (Fader, Hardie & Lee 2005, eq. 10).
        Euler's identity gives the same with the exponent a - 1, whose parameters do not grow with x; the form
        with the smaller exponents is taken row by row.
        """
        a = _off(self.a_, 1.0)
        c = _off(a + n - 1, 0.0)  # can be 0 for one-time buyers of the BG/NBD
        now = self._k * now
        z, log_rest = h / (now + h), -np.log1p(h / now)
        plain = np.abs(m) + np.abs(n) <= np.abs(c - m) + abs(a - 1)
        first = np.where(plain, m, c - m)
        second = np.where(plain, n, a - 1)
        exponent = np.where(plain, m, a - 1)
        with np.errstate(invalid="ignore", over="ignore"):  # checked by the caller
            return c / (a - 1) * (1 - np.exp(exponent * log_rest) * hyp2f1(first, second, c, z))

    def _orders_summed(
        self, h: np.ndarray, shape: np.ndarray, n: np.ndarray, now: np.ndarray, silence: np.ndarray
    ) -> np.ndarray:
        """Mean number of purchases in h given alive, exact for every k; NaN where it takes too many terms.

        With j of the k events of the gap past (probability: term j of `silent_phases` over their sum), the
        events N in h are negative binomial with shape n + j and z = h / (A + h). Purchase i happens if N >= i
        k - j and the customer did not leave at one before, for which E[(1 - p)^(i - 1)] is a product, p being
        Beta(a, n). So the mean is the sum over i and j of that times P(j, N >= i k - j): no term is negative.
        """
        k, phases = self._k, silent_phases(self._k, shape, silence, now)
        result, z = np.full(len(h), np.nan), h / (now + h)
        shape = shape + np.arange(k)[:, None]
        reach = np.stack(phases.terms) / phases.total  # P(j, N >= event), here event = 0
        exactly = reach * np.exp(-shape * np.log1p(h / now))  # P(j, N = event)
        mean, stay, active = np.zeros(len(h)), np.ones(len(h)), np.arange(len(h))
        for event in range(1, TERMS):
            if not len(active):
                break
            reach = np.maximum(reach - exactly, 0)
            exactly = exactly * ((shape + (event - 1)) / event * z)
            before, j = (event - 1) // k, -event % k
            mean += stay * reach[j]
            if j == 0:  # the last of the phases for which the next purchase is this one
                stay = stay * (n + before) / (self.a_ + n + before)
            if event % CHECK == 0:
                going = stay * reach.sum(axis=0) > TAIL * mean
                result[active[~going]] = mean[~going]
                active, mean, stay, z, n = (values[going] for values in (active, mean, stay, z, n))
                reach, exactly, shape = (values[:, going] for values in (reach, exactly, shape))
        return result

    def _fit(self, customers: Customers) -> Self:
        return self._take(*self._maximise(START, customers), customers)

    def _take(self, found: np.ndarray, loglik: float, customers: Customers) -> Self:
        """Sets the fitted attributes from log-parameters and log-likelihood, times in mean tenures."""
        self.n_customers_ = customers.n
        self.r_, alpha, self.a_, self.b_ = (float(v) for v in np.exp(found))
        self.alpha_ = alpha * customers.unit
        # the density of times scales with the unit, once per event of the Poisson process
        self.loglik_ = loglik - self._k * customers.purchases * float(np.log(customers.unit))
        at_bound = np.abs(found).max() > LOG_BOUND - 1e-3
        self.identified_ = bool(not at_bound and self.a_ / (self.a_ + self.b_) >= DROPOUT_MINIMUM)
        return self

    def _loglik(self, rows: Rows, log_parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Log-likelihood of all rows and its gradient by the log-parameters, shape (4,).

        lnG(r + k x) - lnG(r) + r ln alpha + lnBeta(a, b + x + f) - lnBeta(a, b)
        + ln(A^-(r + k x) S + a / (b + x - 1 + f) B^-(r + k x)) with A = alpha + T, B = alpha + t_x and f = 1
        if customers can leave after the first purchase; else f = 0 and without the last term where x = 0.
        Batislam et al. (2007), Fader, Hardie & Lee (2005, eq. 6), Platzer & Reutterer (2016); S see
        `silent_phases`. What only depends on the data is left out.
        """
        k, f = self._k, self._after_first
        r, alpha, a, b = np.exp(log_parameters)
        distinct, count = rows.distinct, rows.count
        shapes = r + k * distinct
        can_leave = (distinct + f) > 0
        stayed = np.where(can_leave, b + distinct - 1 + f, 1.0)
        log_leave = np.where(can_leave, np.log(a) - np.log(stayed), -np.inf)
        value = by_r = by_alpha = 0.0
        gone_by_x = np.zeros(len(distinct))
        for where, t_x, T, weight in rows.blocks(self._block):
            now, last, shape = alpha + T, alpha + t_x, shapes[where]
            log_now = np.log(now)
            longer = log_now - np.log(last)
            # log-odds of having left; the likelihood is that of staying times (1 + odds)
            odds = log_leave[where] + shape * longer
            stay = -shape * log_now
            stay_by_r, stay_by_alpha = -log_now, -shape / now
            left_by_r, left_by_alpha = longer, shape / now - shape / last
            if k > 1:
                phases = silent_phases(k, shape, T - t_x, now)
                log_phases, mean_phase = np.log(phases.total), phases.mean / now
                odds -= log_phases
                stay += log_phases
                stay_by_r += phases.by_shape
                stay_by_alpha -= mean_phase
                left_by_r = longer - phases.by_shape
                left_by_alpha += mean_phase
            # logistic function and ln(1 + odds) from one exponential; several times faster than the
            # library's functions
            small = np.exp(-np.abs(odds))
            gone = weight * np.where(odds > 0, 1, small) / (1 + small)
            value += weight @ (stay + np.maximum(odds, 0) + np.log1p(small))
            by_r += weight @ stay_by_r + gone @ left_by_r
            by_alpha += weight @ stay_by_alpha + gone @ left_by_alpha
            gone_by_x += np.bincount(where, gone, len(distinct))
        end = b + distinct + f
        value += count @ (
            gammaln(shapes)
            - gammaln(r)
            + gammaln(end)
            - gammaln(a + end)
            + gammaln(a + b)
            - gammaln(b)
            + r * np.log(alpha)
        )
        common = digamma(a + b) - digamma(a + end)
        by_r += count @ (digamma(shapes) - digamma(r) + np.log(alpha))
        by_alpha += count.sum() * r / alpha
        by_a = count @ common + gone_by_x.sum() / a
        by_b = count @ (common + digamma(end) - digamma(b)) - gone_by_x @ (1 / stayed)
        return float(value), np.array([r * by_r, alpha * by_alpha, a * by_a, b * by_b])


class Phases(NamedTuple):
    """See `silent_phases`."""

    terms: list[np.ndarray]
    total: np.ndarray
    by_shape: np.ndarray
    mean: np.ndarray


def silent_phases(k: int, shape: np.ndarray, silence: np.ndarray, now: np.ndarray) -> Phases:
    """The events of the Poisson process that can have happened in a silence without making a purchase.

    With rates Gamma(n, A) the mixture of exp(-rate s) (rate s)^j / j! over rates is proportional to the term
    j, (s / A)^j n (n + 1) ... (n + j - 1) / j!; at most k - 1 events fit in.

    Args:
        shape: n = r + k x.
        silence: s = T - t_x.
        now: A = alpha + T.

    Returns:
        The k terms, their sum S, the derivative of ln S by n, and the mean number of events (minus the
        derivative of ln S by ln A).
    """
    term, total = np.ones_like(shape), np.ones_like(shape)
    terms = [term]
    log_by_shape, by_shape, mean = np.zeros_like(shape), np.zeros_like(shape), np.zeros_like(shape)
    share = silence / now
    for j in range(1, k):
        term = term * share * (shape + j - 1) / j
        log_by_shape += 1 / (shape + j - 1)
        terms.append(term)
        total += term
        by_shape += term * log_by_shape
        mean += j * term
    return Phases(terms, total, by_shape / total, mean / total)


def _off(value, point: float):
    """The value, moved if it is too close to a removable singularity to be computed with."""
    return np.where(np.abs(value - point) > 1e-6, value, point + 1e-6)
