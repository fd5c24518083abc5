from datetime import timedelta

import psycopg2
from freezegun import freeze_time

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from ..safeguards import rule_sql
from .test_export_facts import InvoiceCase
from .test_service_policy import ServiceCase


class AgreementCase(ServiceCase):
    """A year from a hundred days ago, for 3650: ten a day."""

    def agree(self, partner=None, user=None, **values):
        return self.as_user("crm.value.agreement", user or self.env.user, self.alpha).create(
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
        advance = self.sell(500, 10)
        advance.order_line.is_downpayment = True
        self.sell(-100, 5)
        agreement._measure()
        self.assertEqual(agreement.sold, 900, "an advance is no sale, and what came back is none any more")

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

    def test_of_two_agreements_the_one_that_ends_first_is_told(self):
        self.rescore()
        self.agree(date_from=self.ago(-300), date_to=self.ago(-310))
        current = self.agree()
        self.env["crm.value.agreement"].search([]).sudo().write({"state": "behind"})
        self.env.flush_all()
        [(figures,)] = self.env.execute_query(
            SQL(
                "SELECT figures FROM (%s) found WHERE partner_id = %s",
                rule_sql("agreement_behind", SQL("crm_value_profile"), self.today),
                self.customer.id,
            )
        )
        self.assertEqual(figures["until"], str(current.date_to))

    def test_bad_input(self):
        self.agree()
        with self.assertRaisesRegex(ValidationError, "another agreement"):
            self.agree(date_from=self.ago(-10), date_to=self.ago(-900))
        self.agree(date_from=self.ago(900), date_to=self.ago(101))
        with self.assertRaises(ValidationError):
            self.agree(self.contact)
        self.customer3.company_id = self.beta
        with self.assertRaisesRegex(ValidationError, "another company"):
            self.agree(self.customer3)
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
        for forged in ({"sold": 9999}, {"overdue": 0}, {"state": "kept"}):
            with self.assertRaises(AccessError):
                agreement.with_user(self.manager).write(forged)
            with self.assertRaises(AccessError):
                self.agree(self.customer2, user=self.manager, **forged)
        self.assertEqual(self.agree(self.customer2, user=self.manager).state, "behind")
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
        self.pay(bill, 20, str(self.ago(12)))
        self.pay(bill, 50, str(self.ago(8)))
        agreement._measure()
        self.assertEqual(agreement.overdue, 0)
        agreement.payment_days = 30
        self.assertEqual((agreement.overdue, agreement.state), (50, "behind"), "paid, but two days late")
        agreement.payment_days = 28
        self.assertEqual(agreement.overdue, 50)
        agreement.payment_days = 27
        self.assertEqual(agreement.overdue, 70)
        agreement.payment_days = 0
        self.assertEqual(agreement.overdue, 0, "not agreed")

    def test_a_credit_note_is_no_late_payment(self):
        bill = self.bill(70, 40)
        credit = self.bill(70, 1, move_type="out_refund")
        lines = (bill | credit).line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        lines.reconcile()
        self.assertEqual(self.agree(payment_days=30).overdue, 0)

    def test_payment_is_measured_until_the_days_agreed_on_are_over(self):
        self.order(self.contact, 500, day=f"{self.ago(50)} 12:00:00")
        late, bill = self.bill(200, 20), self.bill(300, 20)
        over = {"date_to": self.ago(10), "payment_days": 30}
        agreement = self.agree(volume=500, **over)
        self.assertEqual((agreement.overdue, agreement.state), (0, "on_pace"))
        self.assertEqual(self.agree(self.customer2, volume=500, **over).state, "broken", "too little bought")
        self.pay(bill, 300, str(self.today))

        def state_in(days):
            with freeze_time(f"{self.ago(-days)} 12:00:00"):
                self.env["crm.value.agreement"]._measure_all(self.alpha)
            return agreement.overdue, agreement.state

        self.assertEqual(state_in(10), (0, "on_pace"))
        with self.env.cr.savepoint() as savepoint:
            self.assertEqual(state_in(11), (200, "broken"))
            savepoint.rollback()
        self.env.invalidate_all()
        self.pay(late, 200, str(self.today))
        self.assertEqual(state_in(20), (0, "on_pace"))
        self.assertEqual(state_in(21), (0, "kept"))

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
