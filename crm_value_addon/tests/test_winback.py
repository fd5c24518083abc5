import random
from datetime import timedelta
from unittest.mock import patch

import psycopg2

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, tagged
from odoo.tools import SQL, mute_logger
from odoo.tools.mail import html_to_inner_content

from .. import winback_choice
from ..winback_choice import choose
from ..winback_effect import effect, wilson
from ..winback_texts import action_text, result_text
from .test_service_policy import ServiceCase

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


@tagged("post_install", "-at_install")
class TestWinback(ServiceCase):
    def setUp(self):
        super().setUp()
        self.seller = self._user("cv_seller", "sales_team.group_sale_salesman_all_leads", self.alpha)
        self.partners.user_id = self.seller
        a, b, c, _d = self.partners
        self.last = self.ago(200)
        for partner, amount in ((a, 4000), (b, 3000), (c, 100)):
            for days in (0, 100, 500):
                self.order(partner, amount, day=f"{self.last - timedelta(days=days)} 12:00:00")
        self.lose()

    def lose(self, **values):
        """Score: the first is lost, the second dormant, the third lost and small."""
        a, b, c, _d = self.partners
        stay_away = {"lifecycle_stage": "lost", "last_order_date": str(self.last)}
        self.score(
            [
                self.calm(a, **{**stay_away, "lost_type": "price_seeker", **values}),
                self.calm(b, **{**stay_away, "lifecycle_stage": "dormant"}),
                self.calm(c, **stay_away),
            ]
        )

    def plan(self, user=None, **values):
        plans = self.as_user("crm.value.winback", user or self.manager, self.alpha)
        return plans.create(
            {
                "name": "Spring",
                "company_id": self.alpha.id,
                "budget": 1000,
                "contact_cost": 10,
                "margin_rate": 0.5,
                "assumed_chance": 0.1,
                "lift": 1.0,
                "control_share": 0.0,
                **values,
            }
        )

    def test_customers_by_value_chance_and_cost(self):
        a, b, _c, _d = self.partners
        plan = self.plan()
        plan.action_fill()
        self.assertEqual(plan.line_ids.partner_id, a | b, "the small one is not worth a contact")
        line = plan.line_ids.filtered(lambda line: line.partner_id == a)
        # Two orders of 4000 in the year before the last one, at a margin of a half.
        self.assertAlmostEqual(line.value, 4000)
        self.assertAlmostEqual(line.chance, 0.1)
        self.assertAlmostEqual(line.expected_return, 400)
        self.assertIn("fair price", line.action)
        self.assertEqual((plan.act_count, plan.expected_cost, plan.expected_return), (2, 20, 700))
        self.assertIn("is assumed", plan.chance_basis)
        plan.budget = 15
        plan.action_fill()
        self.assertEqual(plan.line_ids.partner_id, a)

    def test_chances_are_those_of_the_own_past(self):
        lost = [(self.ago(120), "lost", partner.id) for partner in self.partners[:2]]
        for day, stage, partner in lost:
            self.env.cr.execute(
                """INSERT INTO crm_value_snapshot (partner_id, company_id, date, lifecycle_stage)
                   VALUES (%s, %s, %s, %s)""",
                [partner, self.alpha.id, day, stage],
            )
        self.order(self.customer, 10, day=f"{self.ago(60)} 12:00:00")
        self.order(self.customer2, 10, day=f"{self.ago(10)} 12:00:00")  # after the window
        plan = self.plan(window_days=90)
        plan.action_fill()
        line = plan.line_ids.filtered(lambda line: line.partner_id == self.customer)
        # One of two, and as if two of twenty.
        self.assertAlmostEqual(line.chance, (1 + 20 * 0.1) / 22)
        self.assertIn("Of 2 who were lost", plan.chance_basis)
        self.assertIn("1 came back", plan.chance_basis)
        self.assertIn("Nobody was dormant then: 10 % is assumed", plan.chance_basis)

    def test_chances_of_the_dormant_are_told_too(self):
        self.env.cr.execute(
            """INSERT INTO crm_value_snapshot (partner_id, company_id, date, lifecycle_stage)
               VALUES (%s, %s, %s, 'dormant')""",
            [self.customer2.id, self.alpha.id, self.ago(120)],
        )
        plan = self.plan()
        plan.action_fill()
        self.assertIn("Of 1 who were dormant", plan.chance_basis)
        self.assertIn("Nobody was lost then", plan.chance_basis)
        plan = self.plan(takes_lost=False)
        plan.action_fill()
        self.assertIn("Of 1 who were dormant", plan.chance_basis)
        self.assertNotIn("lost", plan.chance_basis)

    def test_what_came_back_and_what_is_no_sale_is_no_value(self):
        a, _b, _c, _d = self.partners
        self.order(a, -1000, day=f"{self.last - timedelta(days=3)} 12:00:00")
        order = self.order(a, 50, day=f"{self.last - timedelta(days=3)} 12:00:00")
        order.order_line.is_downpayment = True
        plan = self.plan()
        plan.action_fill()
        line = plan.line_ids.filtered(lambda line: line.partner_id == a)
        self.assertAlmostEqual(line.value, (2 * 4000 - 1000) * 0.5)

    def test_who_may_leave(self):
        a, _b, _c, _d = self.partners
        at_risk = {"lifecycle_stage": "retention", "lost_type": None, "churn_risk": "high"}
        self.lose(**at_risk, churn_probability=0.8)
        plan = self.plan(takes_lost=False, takes_dormant=False, saved=0.25)
        plan.action_fill()
        self.assertEqual(plan.line_ids.partner_id, a)
        self.assertAlmostEqual(plan.line_ids.expected_return, 4000 * 0.8 * 0.25)
        self.lose(lifecycle_stage="retention", churn_risk=None, churn_probability=None, churn_withheld="t")
        with self.assertRaisesRegex(UserError, "no such customer"):
            plan.action_fill()

    def test_who_is_not_gone_after(self):
        _a, b, _c, _d = self.partners
        for values in (
            {"lost_type": "deliberately_dropped"},
            {"value_class": "unprofitable"},
            {"burden": "t"},
        ):
            self.lose(**values)
            plan = self.plan()
            plan.action_fill()
            self.assertEqual(plan.line_ids.partner_id, b, values)

    def test_who_has_no_class_may_be_worth_it(self):
        a, b, _c, _d = self.partners
        self.lose(value_class=None)
        plan = self.plan()
        plan.action_fill()
        self.assertEqual(plan.line_ids.partner_id, a | b)

    def test_start_opens_activities_and_drops_who_ordered(self):
        a, b, _c, _d = self.partners
        b.user_id = False
        plan = self.plan()
        with self.assertRaises(UserError):
            plan.action_start()
        plan.action_fill()
        plan.action_start()
        first, second = plan.line_ids.sudo()
        self.assertEqual(first.activity_id.user_id, self.seller)
        self.assertEqual(first.activity_id.summary, "Spring")
        self.assertFalse(second.activity_id, "nobody is responsible")
        with self.assertRaises(UserError):
            plan.action_fill()
        self.order(a, 700, day=str(fields.Datetime.now()))
        self.lose()
        self.assertEqual((first.sales, plan.ordered_count), (700, 1))
        self.assertFalse(first.activity_id.exists(), "who ordered is not called")
        self.assertEqual(self.env["res.partner"].search(plan.action_open_customers()["domain"]), b)

    def test_activities_only_with_who_may_be_seen_and_in_the_own_language(self):
        a, b, _c, _d = self.partners
        self.env["res.lang"]._activate_lang("fr_FR")
        self.seller.lang = "fr_FR"
        self.env["ir.rule"].create(
            {
                "name": "One customer is hidden",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {b.id} if user.id == {self.seller.id} else 0)]",
            }
        )
        plan = self.plan()
        plan.action_fill()
        plan.action_start()
        activity = plan.line_ids.sudo().activity_id
        self.assertEqual((activity.user_id, activity.res_id), (self.seller, a.id))
        in_french = action_text(self.env(context={"lang": "fr_FR"}), "lost", "price_seeker")
        self.assertIn(in_french, html_to_inner_content(activity.note))

    def test_many_activities_are_opened_at_once(self):
        plan = self.plan()
        plan.action_fill()
        activities = type(self.env["mail.activity"])
        with patch.object(activities, "create", autospec=True, side_effect=activities.create) as create:
            plan.action_start()
        self.assertEqual([len(call.args[1]) for call in create.call_args_list], [2])
        self.assertEqual(len(plan.line_ids.sudo().activity_id), 2)

    def test_nobody_is_in_two_plans(self):
        first, second = self.plan(), self.plan()
        first.action_fill()
        second.action_fill()
        first.action_start()
        with self.assertRaisesRegex(UserError, "another plan"):
            second.action_start()
        with self.assertRaisesRegex(UserError, "None of 1 customers"):
            second.action_fill()

    def test_who_is_left_alone_is_in_no_other_plan_either(self):
        a, b, _c, _d = self.partners
        for arm in ("act", "control"):
            first, second = self.plan(), self.plan()
            first.action_fill()
            second.action_fill()
            for plan, shared in ((first, arm), (second, "control")):
                for line in plan.line_ids.sudo():
                    line.arm = shared if line.partner_id == b else "act"
            first.line_ids.filtered(lambda line: line.partner_id == a).unlink()
            if arm == "control":
                first.line_ids.sudo().create(
                    {
                        "plan_id": first.id,
                        "partner_id": self.unscored.id,
                        "kind": "lost",
                        "arm": "act",
                    }
                )
            first.action_start()
            with self.assertRaisesRegex(UserError, "Customer 1 are in another plan"):
                second.action_start()
            first.action_stop()

    def test_a_plan_is_judged_when_its_days_are_over(self):
        a, b, _c, _d = self.partners
        plan = self.plan(window_days=30)
        plan.action_fill()
        plan.action_start()
        plan.line_ids.sudo().filtered(lambda line: line.partner_id == b).arm = "control"
        plan.sudo().started_at = fields.Datetime.now() - timedelta(days=20)
        self.order(a, 500, day=f"{self.ago(10)} 12:00:00")
        self.lose()
        self.assertEqual((plan.state, plan.result_text), ("running", ""))
        plan.sudo().started_at = fields.Datetime.now() - timedelta(days=40)
        self.lose()
        self.assertEqual(plan.state, "done")
        self.assertIn("Of 1 acted on 1 ordered, of 1 similar ones left alone 0.", plan.result_text)
        self.assertIn("may be chance", plan.result_text)
        self.assertIn("small numbers", plan.result_text)
        # What comes after its days does not count.
        self.assertEqual(plan.result["acted"]["sales"], 500)

    def test_when_it_ordered_is_told_in_days_of_the_company(self):
        a, b, _c, _d = self.partners
        self.alpha.partner_id.tz = "Pacific/Auckland"
        plan = self.plan()
        plan.action_fill()
        plan.action_start()
        plan.sudo().started_at = fields.Datetime.now() - timedelta(days=20)
        self.order(a, 500, day=f"{self.ago(10)} 20:00:00")
        self.order(a, -100, day=f"{self.ago(8)} 08:00:00")
        self.order(b, -100, day=f"{self.ago(8)} 08:00:00")
        self.lose()
        first, second = plan.line_ids
        self.assertEqual((first.ordered_on, first.sales), (self.ago(9), 400))
        self.assertEqual((second.ordered_on, second.sales), (False, 0), "who gives back does not order")

    def test_sales_by_the_policy(self):
        _a, b, _c, _d = self.partners
        with patch.object(
            type(self.env["crm.value.sync"]),
            "_sales_sql",
            lambda _sync, _company: SQL(
                """SELECT %s AS customer, %s::timestamp AS moment, %s::date AS day, 4800 AS amount""",
                b.id,
                f"{self.last} 12:00:00",
                self.last,
            ),
        ):
            plan = self.plan()
            plan.action_fill()
        self.assertEqual(plan.line_ids.partner_id, b)
        self.assertAlmostEqual(plan.line_ids.value, 2400)

    def test_a_plan_is_stopped_early(self):
        plan = self.plan()
        plan.action_fill()
        plan.action_start()
        activity = plan.line_ids.sudo().activity_id
        plan.action_stop()
        self.assertEqual(plan.state, "done")
        self.assertFalse(activity.exists())
        self.assertIn("Nobody was left alone", plan.result_text)
        with self.assertRaises(UserError):
            plan.action_stop()

    def test_bad_input(self):
        with self.assertRaisesRegex(UserError, "budget of nothing"):
            self.plan(budget=0).action_fill()
        with self.assertRaisesRegex(UserError, "costs more"):
            self.plan(contact_cost=500).action_fill()
        with self.assertRaisesRegex(UserError, r"below what the first customer costs.*25\.50"):
            self.plan(budget=25, contact_cost=25.5).action_fill()
        with (
            patch.object(winback_choice, "_lot", lambda _seed, _partner: 0.1),
            self.assertRaisesRegex(UserError, "All 2 customers worth it would be left alone"),
        ):
            self.plan(control_share=0.2).action_fill()
        with self.assertRaisesRegex(UserError, "whom to take"):
            self.plan(takes_lost=False, takes_dormant=False, takes_at_risk=False).action_fill()
        plan = self.plan()
        plan.action_fill()
        plan.action_start()
        with self.assertRaises(UserError):
            plan.unlink()
        with self.assertRaises(UserError):
            plan.line_ids.unlink()

    def test_who_is_chosen_stays_when_nobody_can_be_chosen(self):
        plan = self.plan()
        plan.action_fill()
        chosen, base = plan.line_ids, plan.base
        self.lose(burden="t")
        self.env.cr.execute("UPDATE crm_value_profile SET burden = TRUE")
        # Without a savepoint: what is written before it fails would be kept by who catches that.
        try:
            plan.action_fill()
        except UserError as error:
            self.assertIn("no such customer", str(error))
        self.assertEqual((plan.line_ids, plan.base), (chosen, base))

    def test_another_question_needs_another_choice(self):
        plan = self.plan().with_context(allowed_company_ids=(self.alpha | self.beta).ids)
        for changed in (
            {"takes_lost": False},
            {"takes_dormant": False},
            {"takes_at_risk": False},
            {"budget": 900},
            {"contact_cost": 9},
            {"offer_cost": 1},
            {"margin_rate": 0.4},
            {"lift": 0.9},
            {"saved": 0.2},
            {"assumed_chance": 0.2},
            {"control_share": 0.1},
            {"window_days": 80},
            {"company_id": self.beta.id},
        ):
            with self.subTest(changed=changed):
                plan.write({"takes_lost": True, "takes_dormant": True, "company_id": self.alpha.id})
                plan.action_fill()
                self.assertTrue(plan.line_ids)
                plan.write(changed)
                self.assertFalse(plan.line_ids)
                self.assertFalse(plan.base)
                self.assertFalse(plan.chance_basis)
                with self.assertRaisesRegex(UserError, "Choose the customers first"):
                    plan.action_start()
        plan.company_id = self.alpha
        plan.action_fill()
        chosen = plan.line_ids
        plan.write({"name": "Summer", "user_id": self.user.id})
        self.assertEqual(plan.line_ids, chosen)

    def test_nobody_forges_what_a_plan_became(self):
        plan = self.plan()
        plan.action_fill()
        forged = {
            "state": "running",
            "started_at": fields.Datetime.now(),
            "base": {"lost": {"customers": 1, "back": 1}},
            "result": {"acted": {}},
        }
        for name, value in forged.items():
            with self.subTest(name=name):
                with self.assertRaises(AccessError):
                    plan.write({name: value})
                with self.assertRaises(AccessError):
                    self.plan(**{name: value})
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.IntegrityError),
            self.env.cr.savepoint(),
        ):
            plan.sudo().state = "running"
            self.env.flush_all()
        plan.invalidate_recordset()
        plan.action_start()
        copied = plan.copy()
        self.assertEqual((copied.state, copied.started_at, copied.base), ("draft", False, False))

    def test_terms_stay_once_it_has_begun(self):
        plan = self.plan()
        plan.action_fill()
        plan.action_start()
        for changed in (
            {"takes_lost": False},
            {"budget": 1},
            {"contact_cost": 1},
            {"offer_cost": 1},
            {"window_days": 1},
            {"control_share": 0.3},
            {"margin_rate": 0.1},
            {"assumed_chance": 0.9},
            {"lift": 3},
            {"saved": 0.9},
            {"company_id": self.beta.id},
        ):
            with self.subTest(changed=changed), self.assertRaisesRegex(UserError, "its terms stay"):
                plan.write(changed)
        plan.name = "Summer"
        self.assertTrue(plan.line_ids)

    def test_sales_are_told_as_what_they_are(self):
        def told(sales_low, sales_high, low=0.1, high=0.3):
            found = {
                **{"share": 0.2, "low": low, "high": high, "found": low > 0, "few": False},
                **{"sales": 40.0, "sales_low": sales_low, "sales_high": sales_high},
            }
            arm = {"customers": 50, "ordered": 20}
            result = {"acted": arm, "alone": arm, "effect": found}
            return result_text(self.env, result, self.alpha.currency_id)

        self.assertIn("difference of $\N{NO-BREAK SPACE}40 in sales for each customer (between", told(10, 70))
        self.assertNotIn("chance", told(10, 70))
        self.assertIn("is not more than chance", told(-10, 90))
        self.assertIn("is not more than chance", told(-10, 90, low=-0.1))
        self.assertIn("sales cannot be compared", told(None, None))

    def test_an_objecting_customer_leaves_the_plan(self):
        a, b, _c, _d = self.partners
        plan = self.plan()
        plan.action_fill()
        plan.action_start()
        activity = plan.line_ids.sudo().filtered(lambda line: line.partner_id == a).activity_id
        self.env["crm.value.objection"].create({"partner_id": a.id})
        self.env.invalidate_all()
        self.assertEqual(plan.line_ids.partner_id, b)
        self.assertFalse(activity.exists())

    def test_merged_customers_are_in_it_once(self):
        a, b, _c, _d = self.partners
        plan = self.plan()
        plan.action_fill()
        self.env["base.partner.merge.automatic.wizard"].create({})._merge((a | b).ids, a, [])
        self.env.invalidate_all()
        self.assertEqual(plan.line_ids.partner_id, a)

    def test_merged_customers_of_a_plan_that_runs(self):
        a, b, _c, _d = self.partners
        plan = self.plan()
        plan.action_fill()
        plan.action_start()
        by_customer = {line.partner_id: line for line in plan.line_ids.sudo()}
        by_customer[a].arm = "control"
        gone, kept = by_customer[a].activity_id, by_customer[b].activity_id
        self.assertTrue(gone and kept)
        self.env["base.partner.merge.automatic.wizard"].create({})._merge((a | b).ids, a, [])
        self.env.invalidate_all()
        self.assertEqual((plan.line_ids.partner_id, plan.line_ids.arm), (a, "act"), "one was contacted")
        self.assertFalse(gone.exists())
        self.assertEqual(kept.exists().res_id, a.id)

    def test_an_objection_takes_away_what_was_done_of_a_plan(self):
        a, _b, _c, _d = self.partners
        plan = self.plan()
        plan.action_fill()
        plan.action_start()
        before = a.message_ids
        activity = plan.line_ids.sudo().filtered(lambda line: line.partner_id == a).activity_id
        activity.action_feedback("called")
        self.assertTrue(a.message_ids - before)
        self.env["crm.value.objection"].create({"partner_id": a.id})
        self.assertFalse(a.message_ids - before)
        self.assertFalse(activity.exists())

    def test_who_may_plan(self):
        plan = self.plan()
        plan.action_fill()
        for button in ("action_fill", "action_start", "action_stop"):
            with self.assertRaises(AccessError):
                getattr(plan.with_user(self.user), button)()
        self.assertTrue(plan.with_user(self.user).name)
        with self.assertRaises(AccessError):
            plan.line_ids.with_user(self.manager).write({"cost": 0})
        for user in (self.viewer, self.employee, self.portal, self.sync):
            with self.assertRaises(AccessError):
                plan.with_user(user).read(["name"])
        beta = self.as_user("crm.value.winback", self.manager, self.beta)
        self.assertFalse(beta.search([("id", "=", plan.id)]))
