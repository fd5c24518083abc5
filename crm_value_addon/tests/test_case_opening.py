from datetime import timedelta

import psycopg2

from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_case import RecoveryCase


@tagged("post_install", "-at_install", "crm_value_export")
class TestCaseOpening(RecoveryCase):
    def test_a_credit_note_opens_one_case_ever(self):
        note = self.credit_note(self.contact)
        self.invoice(self.customer2, 30, move_type="out_refund", day=str(self.ago(5)))
        self.post(self.invoice(self.customer2, 30, day=str(self.ago(5))))
        self.rescore()
        case = self.cases()
        self.assertEqual(
            (case.partner_id, case.company_id, case.kind, case.res_model, case.res_id),
            (self.customer, self.alpha, "return", "account.move", note.id),
        )
        self.assertEqual((case.occurred_on, case.known_on), (self.ago(5), self.ago(5)))
        self.assertEqual((case.state, case.cause, case.user_id), ("new", "unknown", self.seller))
        self.assertEqual(case.due_date, self.today + timedelta(days=3))
        self.assertEqual(case.text, "A credit note was issued.")
        self.assertEqual(case.record_name, note.display_name)
        self.rescore()
        self.assertEqual(self.cases(), case)
        case.state = "given_up"
        self.rescore()
        self.assertEqual(self.cases(), case, "also when it is over")

    def test_the_database_keeps_a_second_case_out(self):
        self.credit_note(self.customer)
        self.rescore()
        case = self.cases()
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.IntegrityError),
            self.env.cr.savepoint(),
        ):
            self.complaint(kind=case.kind, res_model=case.res_model, res_id=case.res_id)

    def test_only_what_is_recent(self):
        self.credit_note(self.customer, 30)
        self.credit_note(self.customer, 31)
        # Dated long ago and entered lately is known lately.
        late = self.credit_note(self.customer, 60)
        self.stamp(late, create_date=f"{self.ago(2)} 08:00:00")
        self.rescore()
        found = {(case.occurred_on, case.known_on) for case in self.cases()}
        self.assertEqual(found, {(self.ago(30), self.ago(30)), (self.ago(60), self.ago(2))})
        self.alpha.crm_value_case_window_days = 31
        self.rescore()
        self.assertEqual(len(self.cases()), 3)

    def test_none_by_themselves_when_so_set(self):
        self.credit_note(self.customer)
        self.alpha.crm_value_case_window_days = 0
        self.rescore()
        self.assertFalse(self.cases())

    def test_due_by_the_settings_of_the_company(self):
        self.alpha.crm_value_case_due_days = 10
        self.credit_note(self.customer)
        self.rescore()
        self.assertEqual(self.cases().due_date, self.today + timedelta(days=10))

    def test_only_customers_with_a_profile_and_without_objection(self):
        self.credit_note(self.unscored)
        self.credit_note(self.customer2)
        self.object(self.customer2)
        self.rescore()
        self.assertFalse(self.cases())

    def test_each_company_its_own(self):
        self._chart(self.beta)
        self.credit_note(self.customer)
        other = self.credit_note(self.customer, company=self.beta)
        self.rescore()
        self.assertEqual(self.cases().company_id, self.alpha)
        self.score([self.calm(self.customer)], self.beta)
        self.assertEqual(self.cases(company_id=self.beta.id).res_id, other.id)
        self.assertEqual(len(self.cases()), 2)
        self.assertFalse(
            self.cases(company_id=self.beta.id).user_id, "the salesperson is not of that company"
        )

    def test_of_a_branch_for_the_company_as_a_whole(self):
        self.credit_note(self.customer, company=self.branch)
        self.rescore()
        self.assertEqual(self.cases().company_id, self.alpha)

    def test_nobody_responsible(self):
        self.customer.user_id = False
        self.credit_note(self.customer)
        self.credit_note(self.customer2)
        self.seller.active = False
        self.rescore()
        self.assertEqual(len(self.cases()), 2)
        self.assertFalse(self.cases().user_id)

    def test_too_many_at_once_are_held_and_said(self):
        self.alpha.crm_value_alerts_at_once = 1
        self.credit_note(self.customer)
        self.credit_note(self.customer2)
        self.rescore()
        self.assertFalse(self.cases())
        self.assertIn("2 service cases at once would be opened for “Return”", self.last_run().warnings)
        self.alpha.crm_value_alerts_at_once = 2
        self.rescore()
        self.assertEqual(len(self.cases()), 2)
        self.assertFalse(self.last_run().warnings)

    def test_a_past_day_opens_none(self):
        self.credit_note(self.customer, 45)
        run = self.contract.claim_run(
            worker="test:1", company_id=self.alpha.id, kind="score", request=True, as_of=str(self.ago(40))
        )["run"]
        self.publish(run, [self.calm(self.customer)])
        self.close(run, 1)
        self.assertFalse(self.cases())

    def test_without_invoices(self):
        self.credit_note(self.customer)
        with self.without("account.move"):
            self.rescore()
        self.assertFalse(self.cases())

    def test_a_message_and_no_mail(self):
        self.credit_note(self.customer)
        mails = self.env["mail.mail"].search_count([])
        self.rescore()
        self.env.flush_all()
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)
        case = self.cases()
        self.assertEqual(case.message_partner_ids, self.seller.partner_id, "follows, and not the customer")
        self.assertFalse(case._message_get_default_recipients()[case.id].get("partner_ids"))
