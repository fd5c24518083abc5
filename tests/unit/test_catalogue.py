"""Since when products have been in the catalogue, by hand."""

import numpy as np
from baskets import TODAY, history_of_lines, known_of, lines_of, steady

from sync_worker.scoring import catalogue


def introductions(rows, **options):
    bought, _, _ = known_of(history_of_lines(lines_of(rows), **options))
    since = catalogue.introduced(bought, TODAY)
    return dict(zip(bought.products.tolist(), (TODAY - since).tolist(), strict=True))


def test_a_product_sold_from_the_start_is_old_and_a_later_one_new():
    since = introductions(steady(1, range(0, 600, 10)) + steady(2, range(0, 300, 10)))
    assert since == {1: np.inf, 2: 290}


def test_of_a_slow_seller_nobody_can_say_when_it_came():
    since = introductions([*steady(1, range(0, 600, 10)), (1, 250, 3, 1), (2, 60, 3, 1), (1, 9, 4, 1)])
    assert np.isnan(since[3]) and np.isnan(since[4])
    # nor of one that a single customer buys
    assert np.isnan(introductions(steady(1, range(0, 600, 10)) + steady(4, range(0, 300, 10), (1,)))[4])


def test_a_known_day_counts_where_it_is_credible():
    rows = steady(1, range(0, 600, 10)) + steady(2, range(0, 300, 10)) + steady(3, range(0, 600, 10))
    since = introductions(rows, products={1: 900, 2: 320, 3: 100})
    assert since == {1: 900, 2: 320, 3: np.inf}  # 3 was sold before the day it is said to be of


def test_the_day_of_an_import_says_only_by_then():
    rows = [row for product in range(20) for row in steady(product, range(0, 300, 10))]
    since = introductions(rows, products={product: 310 for product in range(20)})
    assert set(since.values()) == {np.inf}
