from datetime import timedelta

import psycopg2

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_export_facts import InvoiceCase
from .test_service_policy import ServiceCase


class AgreementCase(ServiceCase):
    """A year from a hundred days ago, for 3650: ten a day."""

    def agree(self, partner=None, **values):
        return self.env["crm.value.agreement"].create(
            {
                "partner_id": (partner or self.customer).id,
                "company_id": self.alpha.id,
                "date_from": self.ago(100),
                "date_to": self.ago(100) + timedelta(days=364),
                "volume": 3650,
                "incentive": "Free delivery",
                **values,
            }
        )


@tagged("post_install", "-at_install")
class TestAgreement(AgreementCase):
    def sell(self, amount, days, **values):
        return self.order(self.contact, amount, day=f"{self.ago(days)} 12:00:00", **values)

    def test_pace(self):
        self.sell(999, 50)
        self.sell(500, 101)  # before it began
        self.sell(500, 20, company=self.beta)
        self.sell(500, 20, state="draft")
        agreement = self.agree()
        self.assertEqual((agreement.sold, agreement.state), (999, "behind"))
        self.assertAlmostEqual(agreement.forecast, 999 * 3.65)
        self.sell(1, 10)
        agreement._measure()
        self.assertEqual((agreement.sold, agreement.state), (1000, "on_pace"))
        agreement.volume = 3660
        self.assertEqual(agreement.state, "behind")

    def test_kept_or_broken_when_it_is_over(self):
        self.sell(500, 50)
        over = {"date_to": self.ago(1), "volume": 500}
        self.assertEqual(self.agree(**over).state, "kept")
        self.assertEqual(self.agree(self.customer2, **over).state, "broken")

    def test_who_falls_behind_alerts_the_salesperson(self):
        self.policy(watched=True)
        self.partners.user_id = self._user("cv_seller", "sales_team.group_sale_salesman", self.alpha)
        self.env["res.partner"].create({"name": "Boss", "parent_id": self.customer.id})
        self.agree()
        self.sell(365, 2)
        self.rescore()
        alert = self.env["crm.value.alert"].search([("rule", "=", "agreement_behind")])
        self.assertEqual((alert.partner_id, alert.state), (self.customer, "open"))
        self.assertIn("It bought 10 % of what was agreed on", alert.text)
        self.sell(5000, 1)
        self.rescore()
        self.assertEqual(alert.state, "ended")

    def test_bad_input(self):
        self.agree()
        with self.assertRaisesRegex(ValidationError, "another agreement"):
            self.agree(date_from=self.ago(-10), date_to=self.ago(-900))
        self.agree(date_from=self.ago(900), date_to=self.ago(101))
        with self.assertRaises(ValidationError):
            self.agree(self.contact)
        for bad in ({"volume": 0}, {"date_to": self.ago(101)}, {"payment_days": -1}):
            with (
                self.subTest(bad=bad),
                mute_logger("odoo.sql_db"),
                self.assertRaises(psycopg2.IntegrityError),
                self.env.cr.savepoint(),
            ):
                self.agree(self.customer2, **bad)

    def test_who_objects_is_no_longer_measured(self):
        self.sell(500, 10)
        agreement = self.agree()
        self.assertTrue(agreement.sold)
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        self.assertEqual((agreement.volume, agreement.sold, agreement.state), (3650, 0, False))
        self.env["crm.value.agreement"]._measure_all(self.alpha)
        self.assertEqual((agreement.sold, agreement.state), (0, False))

    def test_who_may_see_and_agree(self):
        agreement = self.agree()
        self.assertTrue(agreement.with_user(self.user).volume)
        with self.assertRaises(AccessError):
            agreement.with_user(self.user).volume = 1
        agreement.with_user(self.manager).volume = 2
        for user in (self.viewer, self.employee, self.portal, self.sync):
            with self.assertRaises(AccessError):
                agreement.with_user(user).read(["volume"])


@tagged("post_install", "-at_install", "crm_value_export")
class TestAgreementInvoices(InvoiceCase, AgreementCase):
    def bill(self, amount, days, **values):
        day = str(self.ago(days))
        return self.post(self.invoice(self.contact, amount, day=day, due=day, **values))

    def test_terms_of_payment(self):
        bill = self.bill(70, 40)
        agreement = self.agree(payment_days=30)
        self.assertEqual((agreement.overdue, agreement.state), (70, "behind"))
        agreement.payment_days = 45
        self.assertEqual(agreement.overdue, 0)
        agreement.payment_days = 30
        self.pay(bill, 70, str(self.today))
        agreement._measure()
        self.assertEqual(agreement.overdue, 0)

    def test_sales_from_invoices_by_policy(self):
        self.order(self.contact, 9999, day=f"{self.ago(10)} 12:00:00")
        self.bill(1500, 50)
        self.bill(400, 20, move_type="out_refund")
        agreement = self.agree()
        self.assertEqual(agreement.sold, 9999)
        version = self.env["crm.value.policy.version"].create(
            {"company_id": self.alpha.id, "rule_ids": [Command.create({"key": "sales_basis", "value": "1"})]}
        )
        version.action_activate()
        agreement._measure()
        self.assertEqual(agreement.sold, 1100)
