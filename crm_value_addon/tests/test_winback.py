from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL
from odoo.tools.mail import html_to_inner_content

from ..winback_texts import action_text, result_text
from .test_service_policy import ServiceCase


class WinbackCase(ServiceCase):
    """Three customers that stay away: two who brought much, and a small one."""

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


@tagged("post_install", "-at_install")
class TestWinback(WinbackCase):
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
