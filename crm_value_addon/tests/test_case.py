from datetime import timedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Datetime
from odoo.tests import Form, tagged

from .test_export_facts import InvoiceCase
from .test_service_policy import ServiceCase


class RecoveryCase(ServiceCase, InvoiceCase):
    """Scored customers of a salesperson, and what goes wrong for them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Not of the tests that count the messages of a case.
        cls.env = cls.env(context={**cls.env.context, "tracking_disable": False})
        cls.seller = cls._user("cv_seller", "sales_team.group_sale_salesman_all_leads", cls.alpha)
        cls.partners.user_id = cls.seller

    def cases(self, *customers, **values):
        domain = [("partner_id", "in", [customer.id for customer in customers])] if customers else []
        domain += [(name, "=", value) for name, value in values.items()]
        return self.env["crm.value.case"].search(
            [("company_id", "in", (self.alpha | self.beta).ids), *domain], order="id"
        )

    def credit_note(self, partner, days_ago=5, **values):
        return self.post(
            self.invoice(partner, 30, move_type="out_refund", day=str(self.ago(days_ago)), **values)
        )

    def complaint(self, partner=None, company=None, **values):
        return self.env["crm.value.case"].create(
            {
                "partner_id": (partner or self.customer).id,
                "company_id": (company or self.alpha).id,
                **values,
            }
        )

    def last_run(self, company=None):
        return self.env["crm.value.run"].search(
            [("company_id", "=", (company or self.alpha).id)], order="id desc", limit=1
        )


@tagged("post_install", "-at_install")
class TestCase(RecoveryCase):
    def test_a_complaint_in_one_click(self):
        contacts = self.as_user("res.partner", self.user, self.alpha).browse(self.contact.id)
        action = contacts.action_new_value_complaint()
        form = Form(
            self.as_user("crm.value.case", self.user, self.alpha).with_context(**action["context"]),
            view="crm_value_addon.crm_value_case_view_form_complaint",
        )
        form.description = "Wrong colour"
        case = form.save()
        self.assertEqual(
            (case.partner_id, case.company_id, case.kind, case.state, case.cause),
            (self.customer, self.alpha, "complaint", "new", "unknown"),
        )
        self.assertEqual(
            (case.occurred_on, case.known_on, case.due_date, case.user_id),
            (self.today, self.today, self.today + timedelta(days=3), self.seller),
        )
        self.assertEqual(case.text, "Wrong colour")
        self.assertEqual((contacts.value_case_count, contacts.value_case_open_count), (1, 1))
        case.state = "resolved"
        contacts.invalidate_recordset()
        self.assertEqual((contacts.value_case_count, contacts.value_case_open_count), (1, 0))
        found = self.env["crm.value.case"].search(contacts.action_open_value_cases()["domain"])
        self.assertEqual(found, case.sudo())
        for user in (self.viewer, self.employee):
            with self.assertRaises(AccessError):
                contacts.with_user(user).action_new_value_complaint()
        self.object(self.customer)
        with self.assertRaises(UserError):
            contacts.action_new_value_complaint()

    def test_what_makes_no_case(self):
        self.customer3.company_id = self.beta
        for values in (
            {"partner": self.contact},
            {"company": self.branch},
            {"partner": self.customer3},
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self.complaint(**values)
        self.object(self.customer2)
        with self.assertRaises(ValidationError):
            self.complaint(self.customer2)

    def test_when_it_was_resolved(self):
        case = self.complaint()
        self.assertFalse(case.resolved_at or case.order_after)
        case.state = "resolved"
        self.assertTrue(case.resolved_at)
        case.state = "working"
        self.assertFalse(case.resolved_at)
        case.state = "given_up"
        self.assertFalse(case.resolved_at)
        self.assertTrue(self.complaint(state="resolved").resolved_at)

    def resolved(self, partner, days_ago, hours, **values):
        """A complaint resolved so many days ago, so many hours after it was opened."""
        case = self.complaint(partner, state="resolved", **values)
        moment = Datetime.now() - timedelta(days=days_ago)
        self.stamp(case, resolved_at=moment, create_date=moment - timedelta(hours=hours))
        return case

    def test_how_it_was_recovered(self):
        due, over = {"due_date": self.today}, {"due_date": self.ago(200)}
        again = self.resolved(self.customer, 100, 6, **due)
        later = self.resolved(self.customer2, 100, 12, cause="carrier", **over)
        never = self.resolved(self.customer3, 100, 30, user_id=self.manager.id, **due)
        recent = self.resolved(self.customer3, 10, 1, user_id=self.manager.id, **due)
        soon = self.resolved(self.customer2, 10, 2, user_id=self.viewer.id, **due)
        given_up = self.complaint(self.customer3, state="given_up", user_id=self.manager.id)
        waiting = self.complaint(self.customer3)
        overdue = self.complaint(self.customer3, due_date=self.ago(1))
        now = Datetime.now()
        self.order(self.customer, day=now - timedelta(days=101), company=self.branch)
        self.order(self.contact, day=now - timedelta(days=11), company=self.branch)
        self.order(self.customer2, day=now - timedelta(days=9))
        self.order(self.customer2, day=now - timedelta(days=50), company=self.beta)
        self.order(self.customer2, day=now - timedelta(days=50), state="draft")
        report = self.as_user("crm.value.case.report", self.user, self.alpha)
        cases = again | later | never | recent | soon | given_up | waiting | overdue
        rows = {row.id: row for row in report.search([("id", "in", cases.ids)])}
        self.assertEqual(
            [(rows[case.id].order_after, rows[case.id].resolution_hours) for case in cases],
            [
                ("ordered", 6),
                ("none", 12),
                ("none", 30),
                ("open", 1),
                ("ordered", 2),
                (False, 0),
                (False, 0),
                (False, 0),
            ],
        )
        self.assertEqual(cases.mapped("order_after"), [rows[case.id].order_after for case in cases])
        self.assertEqual(again.resolution_hours, 6)
        groups = report._read_group(
            [("id", "in", cases.ids)],
            ["user_id"],
            ["__count", "resolution_hours:avg", "in_time:avg", "order_after_share:avg"],
            order="user_id",
        )
        told = {
            user: [None if figure is False else figure for figure in figures] for user, *figures in groups
        }
        # The salesperson: 6 and 12 hours, in time one of three (one late, one overdue), ordered after one of two.
        self.assertEqual(told[self.seller], [4, 9, 1 / 3, 0.5])
        # The manager: 30 and 1 hours, in time two of three, and no order after the one that is long ago.
        self.assertEqual(told[self.manager], [3, 15.5, 2 / 3, 0])
        # Who ordered at once counts when the days are over, as those do who did not.
        self.assertEqual(told[self.viewer], [1, 2, 1, None])
        causes = report._read_group([("id", "in", cases.ids)], ["cause"], ["__count"])
        self.assertEqual(dict(causes), {"carrier": 1, "unknown": 7})

    def test_the_order_just_before_90_days_counts_and_the_one_after_does_not(self):
        resolved = Datetime.now() - timedelta(days=120)
        case = self.complaint(state="resolved")
        self.stamp(case, resolved_at=resolved)
        order = self.order(self.customer)
        for moment, told in (
            (resolved, "none"),
            (resolved + timedelta(seconds=1), "ordered"),
            (resolved + timedelta(days=90), "ordered"),
            (resolved + timedelta(days=90, seconds=1), "none"),
        ):
            order.date_order = moment
            case.invalidate_recordset()
            self.assertEqual(case.order_after, told, moment - resolved)

    def test_what_came_after_is_a_sale_as_the_policy_counts_them(self):
        case = self.resolved(self.customer, 30, 1)
        day = str(self.ago(10))
        self.order(self.contact, -100, day=f"{day} 12:00:00")
        bill = self.invoice(self.contact, day=day, due=day)
        self.post(bill)
        self.assertEqual(case.order_after, "open", "what comes back is no order, and orders count")
        version = self.env["crm.value.policy.version"].create(
            {"company_id": self.alpha.id, "rule_ids": [Command.create({"key": "sales_basis", "value": "1"})]}
        )
        version.action_activate()
        case.invalidate_recordset()
        self.assertEqual(case.order_after, "ordered")
        self.assertEqual(self.env["crm.value.case.report"].browse(case.id).order_after, "ordered")

    def test_without_a_due_date_nothing_is_in_time_or_late(self):
        case = self.complaint(state="resolved", due_date=False)
        report = self.env["crm.value.case.report"]
        [(in_time,)] = report._read_group([("id", "=", case.id)], [], ["in_time:array_agg"])
        self.assertEqual(in_time, [None])

    def test_in_the_time_of_the_company(self):
        self.alpha.partner_id.tz = "Pacific/Auckland"
        case = self.complaint(state="resolved", due_date="2026-03-10")
        for moment, in_time in (("2026-03-10 10:59:00", 1), ("2026-03-10 11:00:00", 0)):
            self.stamp(case, resolved_at=moment)
            self.assertEqual(self.env["crm.value.case.report"].browse(case.id).in_time, in_time, moment)

    # ------------------------------------------------------------------ safeguards

    def repeated(self, partner=None):
        return self.env["crm.value.alert"].search(
            [("partner_id", "=", (partner or self.customer).id), ("rule", "=", "repeated_failures")]
        )

    def test_repeated_failures_warn_early(self):
        self.policy(watched=True)
        first = self.complaint()
        self.complaint(self.customer3)
        self.complaint(self.customer3)
        self.rescore()
        self.assertFalse(self.repeated())
        self.assertFalse(self.repeated(self.customer3), "of a class without safeguards")
        second = self.complaint(cause="customer")
        self.rescore()
        self.assertFalse(self.repeated(), "that was its own doing")
        second.cause = "carrier"
        first.occurred_on = self.ago(90)
        self.rescore()
        self.assertFalse(self.repeated(), "too long ago")
        first.occurred_on = self.ago(89)
        self.rescore()
        alert = self.repeated()
        self.assertEqual(alert.state, "open")
        self.assertIn("2 times within 90 days", alert.text)
        self.assertEqual(alert.activity_id.user_id, self.seller)
        self.complaint()
        self.rescore()
        self.assertEqual(len(self.repeated()), 1)
        self.assertIn("3 times", alert.text)
        (second | first).write({"cause": "customer"})
        self.rescore()
        self.assertEqual(alert.state, "ended")

    def test_cases_of_another_company_do_not_count(self):
        self.policy(watched=True)
        self.complaint()
        self.complaint(company=self.beta)
        self.rescore()
        self.assertFalse(self.repeated())

    def test_a_call_about_a_case_is_a_contact(self):
        self.policy(contact_days=30)
        self.rescore(last_contact_date=str(self.ago(40)))
        case = self.complaint()
        case.activity_schedule("mail.mail_activity_data_call", user_id=self.env.uid).action_feedback("talked")
        self.assertEqual(self.profile(self.customer).contact_due, self.today + timedelta(days=30))

    # --------------------------------------------------------------------- privacy

    def test_nothing_is_kept_of_who_objects(self):
        case, other = self.complaint(), self.complaint(self.customer2)
        as_contact = self.complaint(self.customer3)
        self.customer3.write({"parent_id": self.customer.id, "is_company": False})
        for each in (case, other, as_contact):
            each.message_post(body="Zyxwvut")
            each.message_subscribe(partner_ids=self.manager.partner_id.ids)
            self.env["ir.attachment"].create({"name": "photo", "res_model": each._name, "res_id": each.id})
            each.activity_schedule("mail.mail_activity_data_call", user_id=self.env.uid)
            each.activity_schedule("mail.mail_activity_data_todo", user_id=self.env.uid).action_feedback()
        gone = {
            "mail.message": "model",
            "mail.activity": "res_model",
            "mail.followers": "res_model",
            "ir.attachment": "res_model",
        }

        def traces(each):
            return {
                model: self.env[model]
                .with_context(active_test=False)
                .search_count([(column, "=", "crm.value.case"), ("res_id", "=", each)])
                for model, column in gone.items()
            }

        self.assertTrue(all(traces(case.id).values()))
        ids = (case.id, as_contact.id)
        self.object(self.customer)
        self.assertFalse((case | as_contact).exists())
        for each in ids:
            self.assertEqual(set(traces(each).values()), {0})
        self.assertTrue(other.exists() and all(traces(other.id).values()))

    def test_with_the_customer_go_its_cases(self):
        case = self.complaint()
        case.message_post(body="Zyxwvut")
        number = case.id
        self.contact.unlink()
        self.customer.unlink()
        self.assertFalse(case.exists())
        self.assertFalse(
            self.env["mail.message"].search([("model", "=", "crm.value.case"), ("res_id", "=", number)])
        )

    def test_merged_customers_keep_all_cases(self):
        cases = self.complaint() | self.complaint(self.customer2, description="Late again")
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.customer | self.customer2).ids, self.customer, [])
        self.assertEqual(cases.exists().partner_id, self.customer)
        self.assertEqual(len(cases.exists()), 2)

    # ---------------------------------------------------------------------- access
