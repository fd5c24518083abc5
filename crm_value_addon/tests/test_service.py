from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .test_analysis import AnalysisCase


@tagged("post_install", "-at_install")
class TestService(AnalysisCase):
    """Promises by salesperson and what satisfaction depends on, with the records behind."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.boss = cls._user("cv_boss", "sales_team.group_sale_manager", cls.alpha | cls.beta | cls.branch)
        cls.seller = cls._user("cv_seller", "sales_team.group_sale_salesman", cls.alpha)

    def promise(self, **values):
        return {
            "salesperson_id": self.seller.id,
            "promises": 40,
            "kept": 36,
            "late": 3,
            "short": 1,
            "overcharged": None,
            "share": 0.9,
            "delivery_ids": [],
            "order_ids": [],
            **values,
        }

    def factor(self, **values):
        return {
            "factor": "late",
            "effect": 0.31,
            "good": 60,
            "bad": 24,
            "good_mean": 0.1,
            "bad_mean": 0.4,
            "customers": 31,
            "matters": True,
            "rating_ids": [],
            **values,
        }

    def test_promises_are_kept_per_run_and_unknown_is_not_zero(self):
        run = self.analysis(
            promises_by_salesperson=[self.promise(), self.promise(share=None, promises=2, kept=2)]
        )
        self.assertFalse(run.warnings)
        row, few = self.rows(run, "crm.value.promise").sorted("promises", reverse=True)
        self.assertEqual(
            (row.user_id, row.promises, row.kept, row.late, row.short), (self.seller, 40, 36, 3, 1)
        )
        self.assertEqual((row.untold, few.untold), (["overcharged"], ["overcharged", "share"]))
        self.assertIn((None,), self.raw(run, "crm.value.promise", "overcharged"))

    def test_who_is_gone_is_passed_over_and_what_is_odd_named(self):
        run = self.analysis(
            promises_by_salesperson=[
                self.promise(salesperson_id=2**30),
                self.promise(salesperson_id="x"),
                self.promise(late=-1),
                self.promise(delivery_ids=7),
                self.promise(),
            ],
            satisfaction_factors=[
                self.factor(factor="of_tomorrow"),
                self.factor(bad_mean=1.5),
                self.factor(matters="yes"),
                self.factor(),
            ],
        )
        self.assertEqual(len(self.rows(run, "crm.value.promise")), 1)
        self.assertEqual(len(self.rows(run, "crm.value.factor")), 1)
        for named in (
            "promises_by_salesperson[1].salesperson_id",
            "promises_by_salesperson[2].late",
            "promises_by_salesperson[3].delivery_ids",
            "satisfaction_factors[1].bad_mean",
            "satisfaction_factors[2].matters",
        ):
            self.assertIn(named, run.warnings)
        self.assertNotIn("[0]", run.warnings)

    def test_the_very_orders_open_as_far_as_the_reader_may_see_them(self):
        own, other = self.env["sale.order"].create(
            [{"partner_id": each.id, "company_id": self.alpha.id} for each in (self.customer, self.customer2)]
        )
        own.user_id, other.user_id = self.seller, self.boss
        run = self.analysis(
            promises_by_salesperson=[self.promise(overcharged=2, order_ids=[own.id, other.id, 0, "1", True])]
        )
        row = self.rows(run, "crm.value.promise")
        self.assertEqual(row.order_ids, [own.id, other.id])
        self.assertNotIn("order_ids", str(run.result), "in the table alone, which an objection reaches")
        shown = self.as_user("crm.value.promise", self.boss, self.alpha).browse(row.id)
        self.assertTrue(shown.has_orders)
        self.assertFalse(shown.has_deliveries)
        action = shown.action_open_orders()
        self.assertEqual(set(action["domain"][0][2]), {own.id, other.id})
        with self.assertRaises(UserError):
            shown.action_open_deliveries()
        (own | other).sudo().action_cancel()
        (own | other).sudo().unlink()
        with self.assertRaises(UserError):
            shown.action_open_orders()

    def test_promises_are_for_sales_managers_and_factors_for_who_sees_amounts(self):
        run = self.analysis(promises_by_salesperson=[self.promise()], satisfaction_factors=[self.factor()])
        foreign = self.analysis(company=self.beta, promises_by_salesperson=[self.promise()])
        row, factor = self.rows(run, "crm.value.promise"), self.rows(run, "crm.value.factor")
        boss = self.as_user("crm.value.promise", self.boss, self.alpha)
        self.assertEqual(boss.search([]).run_id.sudo(), run)
        self.assertEqual(
            self.as_user("crm.value.promise", self.boss, self.beta).search([]).run_id.sudo(), foreign
        )
        self.assertEqual(
            self.as_user("crm.value.factor", self.user, self.alpha).search([]).run_id.sudo(), run
        )
        for user in (self.seller, self.portal, self.employee, self.viewer, self.sync):
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    self.env["crm.value.promise"].with_user(user).browse(row.id).read(["share"])
                with self.assertRaises(AccessError):
                    self.env["crm.value.promise"].with_user(user).browse(row.id).action_open_orders()
        for user in (self.portal, self.employee, self.viewer, self.sync):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env["crm.value.factor"].with_user(user).browse(factor.id).read(["effect"])

    def test_factors_tell_what_is_not_known(self):
        run = self.analysis(
            satisfaction_factors=[
                self.factor(),
                self.factor(factor="answer", effect=None, bad_mean=None, good_mean=30),
            ]
        )
        late, answer = self.rows(run, "crm.value.factor").sorted("factor", reverse=True)
        self.assertEqual((late.factor, late.matters, late.untold), ("late", True, []))
        self.assertEqual(answer.untold, ["effect", "bad_mean"])
        with self.assertRaises(UserError):
            self.as_user("crm.value.factor", self.user, self.alpha).browse(late.id).action_open_ratings()
