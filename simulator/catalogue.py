"""What is on offer: products with their introduction, prices with announced rises, promotions, seasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulator.world import NEW_DAYS, STEP_DAYS, World

#: List price of the lines of a category against its middle one.
TIERS = np.array([0.68, 0.85, 1.0, 1.22, 1.6])


@dataclass
class Catalogue:
    """Prices and products by day. C categories, L lines in each, G generations of a line.

    A generation replaces the one before as the current product `NEW_DAYS` after its introduction; the older ones
    stay on offer.

    Attributes:
        introduced: (C, L, G) day, many before the history.
        product_id: (C, L, G) int64, 0 where the generation comes after the history's end.
        price: (C, L, G) list price without rises; `cost` likewise what we pay.
        rises: `category`, `announced`, `day`, `percent`.
        index: (C, days) list price against that of the first day.
        cost_index: (C, days) as `index`: a rise passes on what our own purchases cost more.
        current: (steps, C, L) the current generation; `newest` the newest one on offer.
        promotion: (steps, C, L) percent off, 0 = none.
        season: (C, 12) demand of a month against the mean.
        basics: (C,) bool, the categories nearly everybody needs.
    """

    introduced: np.ndarray
    product_id: np.ndarray
    price: np.ndarray
    cost: np.ndarray
    rises: pd.DataFrame
    index: np.ndarray
    cost_index: np.ndarray
    current: np.ndarray
    newest: np.ndarray
    promotion: np.ndarray
    season: np.ndarray
    basics: np.ndarray

    def products(self, world: World) -> pd.DataFrame:
        """`product_id`, `category` (from 1), `introduced`."""
        offered = self.product_id > 0
        category = np.broadcast_to(np.arange(len(self.price))[:, None, None] + 1, self.price.shape)
        return pd.DataFrame(
            {
                "product_id": self.product_id[offered],
                "category": category[offered],
                "introduced": world.dates(self.introduced[offered]),
            }
        )


def make(world: World) -> Catalogue:
    rng = world.random("catalogue")
    c, lines = world.categories, world.lines
    # Four renewals before the history, so that there are old lines on its first day.
    generations = 4 + world.days // world.renewal_days + 2
    spacing = rng.integers(world.renewal_days - 90, world.renewal_days + 91, (c, lines, generations))
    first = -rng.integers(3 * world.renewal_days, 4 * world.renewal_days, (c, lines))
    introduced = first[:, :, None] + np.cumsum(spacing, axis=2) - spacing[:, :, :1]
    offered = introduced < world.days
    product_id = np.zeros(introduced.shape, dtype="int64")
    product_id[offered] = np.arange(offered.sum()) + 1
    middle = np.exp(rng.uniform(np.log(3), np.log(40), c))
    tiers = np.interp(np.linspace(0, 4, lines), np.arange(5), TIERS)
    better = 1.05 ** np.arange(generations)  # each generation is a little better and dearer
    price = middle[:, None, None] * tiers[:, None] * better * np.exp(rng.normal(0, 0.04, introduced.shape))
    rate = rng.uniform(0.26, 0.40, c)[:, None, None] + 0.02 * (np.arange(lines)[:, None] - lines // 2)
    rises, index, cost_index = _rises(world, rng)
    steps = np.arange(0, world.days, STEP_DAYS)
    newest = (introduced[None] <= steps[:, None, None, None]).sum(axis=3) - 1
    current = (introduced[None] + NEW_DAYS <= steps[:, None, None, None]).sum(axis=3) - 1
    peak, amplitude = rng.uniform(0, 12, c), rng.uniform(0.05, 0.4, c)
    months = np.arange(12)
    promoted = rng.random((len(steps), c, lines)) < 0.10
    return Catalogue(
        introduced=introduced,
        product_id=product_id,
        price=np.round(price, 2),
        cost=np.round(price * (1 - rate), 2),
        rises=rises,
        index=index,
        cost_index=cost_index,
        current=current,
        newest=newest,
        promotion=np.where(promoted, rng.integers(2, 6, promoted.shape) * 5.0, 0.0),
        season=1 + amplitude[:, None] * np.cos(2 * np.pi * (months - peak[:, None]) / 12),
        basics=np.arange(c) < c // 3,
    )


def _rises(world: World, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """One rise a year for each category, in one of two rounds (April and October), as price lists change."""
    days = np.arange(world.days)
    dates = (days + world.first).astype("datetime64[D]")
    month, of_month = world.month(days), (dates - dates.astype("datetime64[M]")).astype(int)
    rounds = days[np.isin(month, (3, 9)) & (of_month == 0)]
    rounds = rounds[rounds >= world.notice_days]
    index = np.ones((world.categories, world.days))
    cost_index = index.copy()
    rows = []
    for day in rounds:
        chosen = np.flatnonzero(np.arange(world.categories) // 2 % 2 == (month[day] == 9))
        # usually 3 to 7 %, in a fifth of the cases a shock
        percent = np.where(
            rng.random(len(chosen)) < 0.2,
            rng.integers(10, 15, len(chosen)),
            rng.integers(3, 8, len(chosen)),
        )
        index[chosen, day:] *= (1 + percent / 100)[:, None]
        cost_index[chosen, max(day - 60, 0) :] *= (1 + percent / 100)[:, None]
        rows += [
            (category + 1, day - world.notice_days, day, p)
            for category, p in zip(chosen, percent, strict=True)
        ]
    rises = pd.DataFrame(rows, columns=["category", "announced", "day", "percent"]).astype("int64")
    return rises, index, cost_index


def around_rises(world: World, catalogue: Catalogue) -> tuple[np.ndarray, np.ndarray]:
    """(C, days) bool: a rise of the category is announced and not yet there; and (C, days) percent of the last
    rise in the quarter after it, else 0.
    """
    ahead = np.zeros(catalogue.index.shape, dtype=bool)
    after = np.zeros(catalogue.index.shape)
    for rise in catalogue.rises.itertuples():
        ahead[rise.category - 1, rise.announced : rise.day] = True
        after[rise.category - 1, rise.day : rise.day + 90] = rise.percent
    return ahead, after
