"""A trade whose customers choose by a value type of their own: a known truth to recover."""

import numpy as np
import pandas as pd

CATEGORIES, LADDER, SPAN = 8, 5, 1080
#: Days between a product's price rises, and between new products of a category.
RISE, NOVELTY = 200, 120


def trade(each=15, neutral=150, seed=0):
    """(lines, true type by customer): `each` customers of every type, and `neutral` ones ("none")."""
    rng = np.random.default_rng(seed)
    types = ["laggard", "haggler", "nostalgic", "pragmatist", "value_for_money", "achiever"]
    types += ["pioneer", "far_sighted", "perfectionist"]
    truth = [name for name in types for _ in range(each)] + ["none"] * neutral
    rows = [row for number, name in enumerate(truth) for row in _customer(number + 1, name, rng)]
    columns = ("customer_id", "days_ago", "product_id", "category", "quantity", "amount", "discount")
    return pd.DataFrame(rows, columns=list(columns)), dict(enumerate(truth, start=1))


def _customer(customer, name, rng):
    days = np.unique(np.sort(rng.integers(0, SPAN, rng.integers(25, 40))))
    own = rng.choice(CATEGORIES, 4, replace=False)
    dear = 3 if name == "nostalgic" else 0
    favourites = {int(c): int(rng.integers(dear, LADDER)) for c in own}
    last_price = {}
    for day in days:
        chosen = set(rng.choice(own, rng.integers(1, 4), replace=False).tolist())
        if name == "perfectionist" or rng.random() < 0.3:  # even and odd go together
            chosen |= {c ^ 1 for c in chosen}
        for category in sorted(chosen):
            step = _product(name, category, day, favourites.get(category, 0), rng)
            product = category * 100 + step
            # a ladder of prices among the old products, the middle of it among the new
            shelf = 10.0 * (1 + (step if step < LADDER else 2)) * 1.1 ** ((day + 37 * product) // RISE)
            left = RISE - (day + 37 * product) % RISE
            quantity = float(rng.integers(2, 5))
            if name == "haggler" and shelf > last_price.get(product, np.inf):
                quantity = 1.0
            elif name == "far_sighted" and left <= 40:
                quantity *= 3
            last_price[product] = shelf
            chance = {"value_for_money": 0.9, "haggler": 0.8, "achiever": 0.0}.get(name, 0.4)
            discount = 10.0 if rng.random() < chance else 0.0
            yield (
                customer,
                SPAN - day,
                product,
                category,
                quantity,
                quantity * shelf * (1 - discount / 100),
                discount,
            )


def _product(name, category, day, favourite, rng):
    """The number of the product within its category: old ones by price, then new ones by age."""
    age, new = (day + 13 * category) % NOVELTY, LADDER + (day + 13 * category) // NOVELTY
    usual = int(rng.choice([1, 1, 1, 2, 2, 0, 3, 4]))
    if name == "pioneer" and day > NOVELTY:
        return new if age < 100 and rng.random() < 0.7 else usual
    if name == "nostalgic":
        return favourite if (day // 250) % 2 == 0 else (favourite + int(rng.integers(1, LADDER))) % LADDER
    if name in ("laggard", "haggler", "far_sighted"):
        # whose prices are to be compared buys the same again
        return favourite if name == "laggard" or rng.random() < 0.6 else usual
    if name == "perfectionist":
        return new if day > NOVELTY and rng.random() < 0.5 else min(int(LADDER * day / SPAN), LADDER - 1)
    if name in ("pragmatist", "value_for_money", "achiever"):
        return int(rng.choice({"pragmatist": [1], "value_for_money": [0, 1], "achiever": [3, 4]}[name]))
    return new if day > NOVELTY and rng.random() < 0.15 else usual
