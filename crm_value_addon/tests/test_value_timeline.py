from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestValueTimeline(CustomerValueCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls._product()

    def setUp(self):
        super().setUp()
        self.today = self.alpha._crm_value_today()
        for days in (400, 90, 30, 30):
            self.order(self.customer, day=f"{self.today - timedelta(days=days)} 12:00:00")
        self.order(self.contact, day=f"{self.today - timedelta(days=10)} 12:00:00")
        self.order(self.customer, company=self.beta, day=f"{self.today - timedelta(days=5)} 12:00:00")
        self.order(self.customer, state="draft", day=f"{self.today - timedelta(days=3)} 12:00:00")
        self.seller = self._user("cv_seller", "sales_team.group_sale_salesman", self.alpha)
        self.leader = self._user(
            "cv_leader", "sales_team.group_sale_salesman_all_leads", self.alpha | self.beta
        )

    def timeline(self, user=None, company=None, partner=None):
        records = self.as_user("res.partner", user or self.leader, company or self.alpha)
        return records.browse((partner or self.customer).id).read_value_timeline()

    def days(self, *ago):
        return [fields.Date.to_string(self.today - timedelta(days=days)) for days in ago]

    def test_days_with_orders(self):
        self.score([self.full(self.customer)])
        told = self.timeline()
        self.assertEqual(told["orders"], self.days(90, 30, 10))
        self.assertEqual((told["low"], told["high"]), ("2026-03-01", "2026-03-20"))
        self.assertIn("3 days in the last 365 days; next was due 03/01/2026 to 03/20/2026", told["text"])
        # A contact tells of its company.
        self.assertEqual(self.timeline(partner=self.contact)["orders"], told["orders"])

    def test_what_was_due_is_late_from_the_day_after(self):
        for high, words in ((self.today, "next expected"), (self.today - timedelta(days=1), "next was due")):
            low = self.today - timedelta(days=9)
            self.score([self.full(self.customer, expected_next_order_low=low, expected_next_order_high=high)])
            self.assertIn(words, self.timeline()["text"])

    def test_a_branch_that_is_a_customer_itself_has_its_own(self):
        branch = self.env["res.partner"].create(
            {"name": "Branch", "is_company": True, "parent_id": self.customer.id}
        )
        self.order(branch, day=f"{self.today - timedelta(days=20)} 12:00:00")
        self.score([self.full(self.customer), self.full(branch)])
        self.assertEqual(self.timeline()["orders"], self.days(90, 30, 10))
        self.assertEqual(self.timeline(partner=branch)["orders"], self.days(20))

    def test_days_are_those_of_the_company(self):
        self.alpha.partner_id.tz = "Asia/Tokyo"
        day = self.alpha._crm_value_today() - timedelta(days=2)
        # Late in the evening in Greenwich it is the next morning in Tokyo.
        self.order(self.unscored, day=f"{day} 20:00:00")
        self.score([self.full(self.unscored)])
        told = self.timeline(partner=self.unscored)["orders"]
        self.assertEqual(told, [fields.Date.to_string(day + timedelta(days=1))])

    def test_of_the_orders_only_those_of_the_reader(self):
        self.score([self.full(self.customer)])
        self.assertEqual(self.timeline(self.seller)["orders"], [])
        self.assertEqual(self.timeline(self.viewer)["orders"], [])

    def test_trend(self):
        self.score_on("2026-01-20", [self.full(self.customer, churn_probability=0.2)])
        self.score_on("2026-02-10", [self.full(self.customer, churn_probability=0.5)])
        self.assertEqual(
            self.timeline()["trend"], {"direction": "up", "text": "Risk up from 20 % on 01/31/2026"}
        )
        self.score_on("2026-02-11", [self.full(self.customer, churn_probability=0.17)])
        self.assertEqual(self.timeline()["trend"]["direction"], "same")
        self.score_on("2026-02-12", [self.full(self.customer, churn_probability=0.1)])
        told = self.timeline()
        self.assertEqual(told["trend"]["direction"], "down")
        self.assertEqual(told["month_ends"], [{"date": "2026-01-31", "risk": 0.2}])

    def test_no_trend_of_a_forecast_that_is_withheld(self):
        self.score_on("2026-01-20", [self.full(self.customer, churn_probability=0.2)])
        withheld = {"churn_risk": None, "churn_probability": None, "churn_withheld": "t"}
        self.score_on("2026-02-10", [self.full(self.customer, **withheld)])
        self.assertIsNone(self.timeline()["trend"])

    def test_who_is_not_scored_here(self):
        self.score([self.full(self.customer)])
        self.assertEqual(self.timeline(company=self.beta), {})
        self.assertEqual(self.timeline(partner=self.unscored), {})
        records = self.as_user("res.partner", self.leader, self.alpha)
        with self.assertRaises(UserError):
            records.browse(self.unscored.id).action_open_value_profile()
        opened = records.browse(self.contact.id).action_open_value_profile()
        self.assertEqual(opened["res_id"], self.profile(self.customer).id)

    def test_outsiders(self):
        self.score([self.full(self.customer)])
        for user in (self.employee, self.portal, self.sync):
            with self.assertRaises(AccessError):
                self.timeline(user)
            with self.assertRaises(AccessError):
                self.as_user("res.partner", user, self.alpha).browse(
                    self.customer.id
                ).action_open_value_profile()
