"""When customers order, and what: orders and their lines."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.catalogue import Catalogue, around_rises
from simulator.customers import Customers
from simulator.world import (
    CLOSED,
    CURRENT,
    FORMATS,
    NEW,
    OLD,
    PRICE,
    STEP_DAYS,
    VALUE_TYPES,
    World,
)

#: Orders looked at together, so that 100,000 customers need no more memory than a few.
BLOCK = 100_000


def times(world: World, customers: Customers) -> pd.DataFrame:
    """`order_id` (from 1, by day), `customer` (row), `day`; one order a day at most, on working days.

    Gaps are Gamma, in a time that runs faster in the format's season and, from an anomaly or a slowing on, by its
    factor.
    """
    rng = world.random("times")
    table = customers.table
    n = len(table)
    clock = [_season_clock(world, each.december) for each in FORMATS]
    form = table["format"].to_numpy()
    start, gap, shape = (table[name].to_numpy(float) for name in ("start", "gap", "shape"))
    stop = np.minimum(table["leave"].to_numpy(), world.days)
    # an anomaly is half in how often, half in how much; nobody has one and leaves
    speed = np.sqrt(table["anomaly_factor"].to_numpy()) * table["slow_factor"].to_numpy()
    change = np.minimum(table["anomaly_day"], table["slow_day"]).clip(upper=world.days).to_numpy()

    def at(day):
        found = np.empty(n)
        for code, hours in enumerate(clock):
            mine = form == code
            found[mine] = np.interp(day[mine], np.arange(world.days + 1), hours)
        return found

    begin, end, turn = at(start), at(stop), at(change)
    expected = np.maximum(end - begin, 0) * np.maximum(speed, 1) / gap
    draws = np.ceil(expected + 5 * np.sqrt(expected) + 6).astype("int64")
    row = np.repeat(np.arange(n), draws)
    step = rng.standard_gamma(shape[row]) / shape[row] * gap[row]
    first = np.cumsum(draws) - draws
    # who was there before the history is met somewhere within a gap; a newcomer orders on its first day
    step[first] = np.where(start > 0, 0, rng.random(n) * gap)
    total = np.cumsum(step)
    moment = begin[row] + total - (total[first] - step[first])[row]
    late = moment > turn[row]
    moment = np.where(late, turn[row] + (moment - turn[row]) / speed[row], moment)
    kept = moment < end[row]
    row, moment = row[kept], moment[kept]
    day = np.empty(len(row), dtype="int64")
    for code, hours in enumerate(clock):
        mine = form[row] == code
        # (1e-6: a midnight stays on its own side of the rounding)
        day[mine] = np.floor(np.interp(moment[mine], hours, np.arange(world.days + 1)) + 1e-6)
    day = day + np.choose(world.weekday(day), (0, 0, 0, 0, 0, 2, 1))
    kept = day < stop[row]
    orders = pd.DataFrame({"customer": row[kept], "day": day[kept]}).drop_duplicates()
    orders = orders.sort_values(["day", "customer"], ignore_index=True)
    orders.insert(0, "order_id", np.arange(len(orders)) + 1)
    return orders


def _season_clock(world: World, december: float) -> np.ndarray:
    """(days + 1) the time that has run by each midnight, one a day on average."""
    month = world.month(np.arange(world.days))
    pace = np.select([month == 11, month == 10, month == 0], [december, 1 + (december - 1) / 3, 0.9], 1.0)
    return np.append(0, np.cumsum(pace / pace.mean()))


def lines(world: World, catalogue: Catalogue, customers: Customers, orders: pd.DataFrame) -> pd.DataFrame:
    """`order_id`, `customer`, `day`, `category` (from 0), `product_id`, `quantity`, `price` (unit), `discount`
    (percent), `amount`, `cost` (of the line); sorted by order.
    """
    rng = world.random("lines")
    favourite = _favourites(world, catalogue, customers, rng)
    surroundings = around_rises(world, catalogue)
    parts = [
        _block(world, catalogue, customers, orders.iloc[at : at + BLOCK], favourite, surroundings, rng)
        for at in range(0, len(orders), BLOCK)
    ]
    return pd.concat(parts, ignore_index=True)


def _favourites(world, catalogue, customers, rng) -> tuple[np.ndarray, np.ndarray]:
    """(n, C) the line of each category a customer comes back to, and the generation it got used to."""
    kind = customers.table["value_type"].to_numpy()
    shares = np.cumsum(_tier_shares(world.lines), axis=1)
    n, c = customers.weight.shape
    line = np.empty((n, c), dtype="int16")
    for category in range(c):
        line[:, category] = (rng.random(n)[:, None] > shares[kind]).sum(axis=1)
    step = customers.table["start"].to_numpy() // STEP_DAYS
    newest_old = catalogue.current[step[:, None], np.arange(c), line] - 1
    generation = np.floor(rng.random((n, c)) * (newest_old + 1))
    return line, np.clip(generation, 0, None).astype("int16")


def _tier_shares(count: int) -> np.ndarray:
    """(types, L) share of each line in the purchases of a value type."""
    place = np.linspace(0, 4, count)
    pull = [-each.strictness * (place - each.tier) ** 2 for each in VALUE_TYPES]
    share = np.exp(pull)
    return share / share.sum(axis=1, keepdims=True)


def _block(world, catalogue, customers, orders, favourite, surroundings, rng) -> pd.DataFrame:
    table = customers.table
    owner, day = orders["customer"].to_numpy(), orders["day"].to_numpy()
    at, category = _categories(world, catalogue, customers, owner, day, surroundings, rng)
    owner, day = owner[at], day[at]
    kind = _acted_type(table, owner, rng)
    line, promoted = _line(catalogue, kind, category, day, favourite[0][owner, category], rng)
    generation = _generation(
        catalogue,
        kind,
        category,
        day,
        line,
        favourite[0][owner, category],
        favourite[1][owner, category],
        rng,
        owner,
    )
    of = {
        name: np.array([getattr(each, name) for each in VALUE_TYPES])[kind]
        for name in ("negotiates", "ahead", "sensitivity")
    }
    # --- price and discount
    form = table["format"].to_numpy()[owner]
    base = catalogue.price[category, line, generation]
    price = base * catalogue.index[category, day]
    price = np.round(price * np.array([each.price_factor for each in FORMATS])[form], 2)
    low, high = (np.array([each.discount[side] for each in VALUE_TYPES])[kind] for side in (0, 1))
    agreed = np.round(low + (high - low) * rng.random(len(owner)))
    seeks = table["cause"].to_numpy()[owner] == PRICE
    discount = np.where(rng.random(len(owner)) < np.where(seeks, 0.8, of["negotiates"]), agreed, 0)
    discount = np.maximum(np.maximum(discount, promoted), table["concession"].to_numpy()[owner])
    # --- quantity: money by the prices it is used to, so that a rise is paid and not saved
    money = _money(table, owner, day, rng)
    money = money * catalogue.season[category, world.month(day)]
    ahead, after = surroundings[0][category, day], surroundings[1][category, day]
    money = np.where(ahead, money * of["ahead"], money)
    stocked = np.where((after > 0) & (of["ahead"] > 1), 0.4, 1)
    money = money * stocked * np.maximum(1 - of["sensitivity"] * after / 100, 0.3)
    quantity = np.maximum(np.round(money / base), 1)
    amount = np.round(quantity * price * (1 - discount / 100), 2)
    cost = np.round(
        quantity * catalogue.cost[category, line, generation] * catalogue.cost_index[category, day], 2
    )
    return pd.DataFrame(
        {
            "order_id": orders["order_id"].to_numpy()[at],
            "customer": owner,
            "day": day,
            "category": category,
            "product_id": catalogue.product_id[category, line, generation],
            "quantity": quantity,
            "price": price,
            "discount": discount,
            "amount": amount,
            "cost": cost,
        }
    )


def _acted_type(table, owner, rng) -> np.ndarray:
    """The customer's own type, or now and then anybody's."""
    own = table["value_type"].to_numpy()[owner]
    shares = [each.share for each in VALUE_TYPES]
    other = rng.choice(len(VALUE_TYPES), len(owner), p=shares)
    return np.where(rng.random(len(owner)) < table["type_strength"].to_numpy()[owner], own, other)


def _categories(world, catalogue, customers, owner, day, surroundings, rng):
    """The categories of each order: (position of the order, category), sorted, none twice."""
    kind = customers.table["value_type"].to_numpy()[owner]
    form = customers.table["format"].to_numpy()[owner]
    weight = customers.weight[owner]
    ahead = np.array([each.ahead for each in VALUE_TYPES])[kind]
    with np.errstate(divide="ignore"):
        pull = np.log(weight * catalogue.season[:, world.month(day)].T)
    pull += np.where(surroundings[0][:, day].T & (ahead > 1)[:, None], 1.0, 0)
    pull[customers.moved[owner] <= day[:, None]] = -np.inf
    left = np.isfinite(pull).sum(axis=1)
    had = (weight > 0).sum(axis=1)
    usual = np.array([each.lines for each in FORMATS])[form]
    # who buys half of it elsewhere has half the lines
    count = 1 + rng.poisson((usual - 1) * left / had)
    count = np.minimum(count, left)
    order = np.argsort(-(pull + rng.gumbel(size=pull.shape)), axis=1)
    chosen = np.zeros(pull.shape, dtype=bool)
    np.put_along_axis(chosen, order, np.arange(pull.shape[1])[None, :] < count[:, None], axis=1)
    brings = np.array([each.complements for each in VALUE_TYPES])[kind]
    matching = chosen[:, np.arange(pull.shape[1]) ^ 1] & (customers.moved[owner] > day[:, None])
    chosen |= matching & (rng.random(pull.shape) < brings[:, None])
    return np.nonzero(chosen)


def _line(catalogue, kind, category, day, favourite, rng):
    """The line bought, and the percentage it is on promotion for (0 = not)."""
    step = day // STEP_DAYS
    count = catalogue.current.shape[2]
    share = _tier_shares(count)[kind]
    promotion = catalogue.promotion[step, category]
    eager = np.array([each.promotion for each in VALUE_TYPES])[kind]
    share = share * np.where(promotion > 0, eager[:, None], 1)
    # who looks for what is new looks where there is something new
    seeks = np.array([each.ages[NEW] for each in VALUE_TYPES])[kind] > 0.5
    fresh = catalogue.newest[step, category] > catalogue.current[step, category]
    share = share * np.where(fresh & seeks[:, None], 6, 1)
    bounds = np.cumsum(share, axis=1)
    line = (rng.random(len(kind))[:, None] * bounds[:, -1:] > bounds).sum(axis=1)
    habit = np.array([each.habit for each in VALUE_TYPES])[kind]
    line = np.where(rng.random(len(kind)) < habit, favourite, line)
    return line, promotion[np.arange(len(line)), line]


def _generation(catalogue, kind, category, day, line, favourite_line, favourite_generation, rng, owner):
    """Old, current or new product of the line, where it has one."""
    step = day // STEP_DAYS
    current = catalogue.current[step, category, line]
    newest = catalogue.newest[step, category, line]
    ages = np.cumsum([each.ages for each in VALUE_TYPES], axis=1)[kind]
    age = (rng.random(len(kind))[:, None] > ages).sum(axis=1)
    # the nostalgic come back to their favourites after seasons with something else
    nostalgic = kind == [each.name for each in VALUE_TYPES].index("nostalgic")
    away = nostalgic & ((owner * 7 + day // 120) % 3 == 0)
    age = np.where(away & (age == OLD), CURRENT, age)
    old = np.floor(rng.random(len(kind)) * current)
    old = np.where(line == favourite_line, np.minimum(favourite_generation, current - 1), old)
    return np.select(
        [age == OLD, age == CURRENT], [np.maximum(old, 0), np.maximum(current, 0)], newest
    ).astype("int64")


def _money(table, owner, day, rng) -> np.ndarray:
    """What a line is worth at the customer's usual prices: its order's value over its format's usual lines."""
    usual = np.array([each.lines for each in FORMATS])[table["format"].to_numpy()[owner]]
    money = table["order_value"].to_numpy()[owner] / usual * np.exp(rng.normal(0, 0.35, len(owner)))
    years = (day - np.maximum(table["start"].to_numpy()[owner], 0)) / 365
    money = money * np.clip(1 + table["growth"].to_numpy()[owner], 0.5, 1.5) ** years
    changed = day >= table["anomaly_day"].to_numpy()[owner]
    money = np.where(changed, money * np.sqrt(table["anomaly_factor"].to_numpy()[owner]), money)
    # half of those who give up their trade wind it down over a quarter
    winding = (table["cause"].to_numpy()[owner] == CLOSED) & (table["customer_id"].to_numpy()[owner] % 2 == 0)
    left = table["leave"].to_numpy()[owner] - day
    return np.where(winding & (left < 90), money * (0.4 + 0.6 * left / 90), money)
