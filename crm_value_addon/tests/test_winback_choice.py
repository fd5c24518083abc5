import random

from odoo.tests import BaseCase, tagged

from ..winback_choice import choose
from ..winback_effect import effect, wilson

TERMS = {
    "margin_rate": 0.5,
    "lift": 1.0,
    "saved": 0.2,
    "contact_cost": 10.0,
    "offer_cost": 0.0,
    "budget": 1000.0,
    "control_share": 0.0,
}


def gone(partner, sales, chance=0.1, kind="lost"):
    return {"partner_id": partner, "kind": kind, "sales": sales, "chance": chance}


@tagged("post_install", "-at_install")
class TestWinbackChoice(BaseCase):
    """Computed by hand."""

    def test_value_times_chance_against_cost(self):
        (line,) = choose([gone(1, 1000)], TERMS, "seed")
        # As many again come back as do by themselves: a tenth, of 1000 at a margin of a half.
        self.assertAlmostEqual(line["gain"], 0.1)
        self.assertAlmostEqual(line["expected_return"], 50.0)
        self.assertAlmostEqual(line["cost"], 10.0)
        (line,) = choose([gone(1, 1000, 0.6, "at_risk")], TERMS, "seed")
        self.assertAlmostEqual(line["expected_return"], 0.6 * 0.2 * 500)
        # An offer is paid to who orders: to who stays anyway too.
        (line,) = choose([gone(1, 1000, 0.6, "at_risk")], {**TERMS, "offer_cost": 10}, "seed")
        self.assertAlmostEqual(line["cost"], 10 + 10 * (0.4 + 0.12))

    def test_nobody_certain_is_made_more_so(self):
        (line,) = choose([gone(1, 1000, 0.8)], {**TERMS, "lift": 3.0}, "seed")
        self.assertAlmostEqual(line["gain"], 0.2)

    def test_who_does_not_pay_is_left_out(self):
        self.assertEqual(choose([gone(1, 200)], TERMS, "seed"), [])
        self.assertEqual(len(choose([gone(1, 201)], TERMS, "seed")), 1)

    def test_the_budget_is_never_exceeded_and_the_best_come_first(self):
        candidates = [gone(n, 500 + n) for n in range(100)]
        for budget in (0, 5, 10, 95, 10**6):
            lines = choose(candidates, {**TERMS, "budget": budget}, "seed")
            self.assertLessEqual(sum(line["cost"] for line in lines), budget)
            self.assertEqual(len(lines), min(budget // 10, 100))
            taken = [line["partner_id"] for line in lines]
            self.assertEqual(taken, sorted(taken, reverse=True))
        self.assertEqual(choose([], TERMS, "seed"), [])

    def test_some_are_left_alone_by_lot(self):
        candidates = [gone(n, 1000) for n in range(2000)]
        terms = {**TERMS, "budget": 10**6, "control_share": 0.2}
        lines = choose(candidates, terms, "seed")
        alone = {line["partner_id"] for line in lines if line["arm"] == "control"}
        self.assertAlmostEqual(len(alone) / 2000, 0.2, delta=0.03)
        shuffled = random.Random(1).sample(candidates, len(candidates))
        self.assertEqual(choose(shuffled, terms, "seed"), lines, "whatever the order of rows")
        other = {
            line["partner_id"] for line in choose(candidates, terms, "other") if line["arm"] == "control"
        }
        self.assertNotEqual(alone, other)
        free = choose(candidates, {**terms, "contact_cost": 0.0, "budget": 0.0}, "seed")
        self.assertEqual(len(free), 2000, "what costs nothing is within any budget")
        self.assertEqual(
            choose(candidates[:3], {**terms, "control_share": 1.0}, "seed"), [], "nobody to act on"
        )
        # Those left alone cost nothing and do not use up the budget.
        few = choose(candidates, {**terms, "budget": 100}, "seed")
        self.assertEqual(sum(line["arm"] == "act" for line in few), 10)


@tagged("post_install", "-at_install")
class TestWinbackEffect(BaseCase):
    def arm(self, customers, ordered, sales=None):
        sales = [100.0] * ordered if sales is None else sales
        return {
            "customers": customers,
            "ordered": ordered,
            "sales": sum(sales),
            "squares": sum(each**2 for each in sales),
        }

    def test_published_intervals(self):
        # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10.
        for (a, m, b, n), (low, high) in {
            (56, 70, 48, 80): (0.0524, 0.3339),
            (9, 10, 3, 10): (0.1705, 0.8090),
            (10, 10, 0, 20): (0.6791, 1.0),
            (5, 56, 0, 29): (-0.0381, 0.1926),
        }.items():
            found = effect(self.arm(m, a), self.arm(n, b))
            self.assertAlmostEqual(found["low"], low, delta=2e-4)
            self.assertAlmostEqual(found["high"], high, delta=2e-4)

    def test_wilson(self):
        # Of 81 of 263, Newcombe (1998), Statistics in Medicine 17, 857-872.
        _share, low, high = wilson(81, 263)
        self.assertAlmostEqual(low, 0.2553, delta=1e-4)
        self.assertAlmostEqual(high, 0.3662, delta=1e-4)

    def test_an_effect_that_is_there_is_found_and_none_where_there_is_none(self):
        lot = random.Random(7)

        def found(p_acted, p_alone, trials=300):
            count = 0
            for _trial in range(trials):
                acted = sum(lot.random() < p_acted for _ in range(400))
                alone = sum(lot.random() < p_alone for _ in range(200))
                count += effect(self.arm(400, acted), self.arm(200, alone))["found"]
            return count / trials

        self.assertGreater(found(0.25, 0.1), 0.95)
        self.assertLess(found(0.1, 0.1), 0.08)

    def test_sales_for_each_customer(self):
        found = effect(self.arm(4, 2, [100.0, 300.0]), self.arm(2, 1, [50.0]))
        self.assertAlmostEqual(found["sales"], 400 / 4 - 50 / 2)
        variance = ((100**2 + 300**2) - 400**2 / 4) / 3 / 4 + (50**2 - 50**2 / 2) / 1 / 2
        self.assertAlmostEqual(found["sales_high"] - found["sales"], 1.96 * variance**0.5)
        self.assertTrue(found["few"])

    def test_one_customer_does_not_tell_how_much_sales_vary(self):
        found = effect(self.arm(40, 20), self.arm(1, 0))
        self.assertEqual(found["sales"], 50)
        self.assertEqual((found["sales_low"], found["sales_high"]), (None, None))

    def test_nobody_left_alone(self):
        self.assertIsNone(effect(self.arm(5, 1), self.arm(0, 0)))
