from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .test_case import RecoveryCase


@tagged("post_install", "-at_install")
class TestCaseAccess(RecoveryCase):
    """Who reads and writes service cases."""

    def test_who_may_read_and_write(self):
        case, other = self.complaint(), self.complaint(company=self.beta)
        for user in (self.viewer, self.user, self.manager):
            self.assertEqual(
                self.as_user("crm.value.case", user, self.alpha)
                .search([("id", "in", (case | other).ids)])
                .ids,
                case.ids,
            )
        viewed = case.with_user(self.viewer)
        self.assertEqual(viewed.kind, "complaint")
        viewed.message_post(body="Asked the warehouse")
        for call in (
            lambda: viewed.write({"cause": "us"}),
            lambda: viewed.read(["compensation_amount"]),
            lambda: viewed.create({"partner_id": self.customer.id}),
        ):
            with self.assertRaises(AccessError):
                call()
        case.with_user(self.user).write(
            {
                "cause": "us",
                "outcome": "Sent again",
                "compensation": "Discount",
                "compensation_amount": 12,
                "state": "resolved",
            }
        )
        self.assertEqual((case.cause, case.compensation_amount), ("us", 12))
        for user in (self.employee, self.portal, self.sync):
            with self.assertRaises(AccessError):
                case.with_user(user).read(["kind"])
        for user in (self.viewer, self.employee, self.sync):
            with self.assertRaises(AccessError):
                self.as_user("crm.value.case.report", user, self.alpha).search([])
        self.assertEqual(
            self.as_user("crm.value.case.report", self.user, self.alpha)
            .search([("id", "in", (case | other).ids)])
            .ids,
            case.ids,
        )

    def test_nobody_forges_what_only_runs_say(self):
        case = self.complaint()
        for user in (self.user, self.manager):
            for values in (
                {"partner_id": self.customer2.id},
                {"company_id": self.beta.id},
                {"kind": "low_rating"},
                {"res_model": "res.partner"},
                {"res_id": 1},
                {"known_on": "2020-01-01"},
                {"figures": {"rating": 1}},
                {"resolved_at": "2020-01-01 00:00:00"},
                {"cause": "us", "kind": "return"},
            ):
                with self.subTest(user=user.login, values=values), self.assertRaises(AccessError):
                    case.with_user(user).write(values)
            with self.assertRaises(AccessError):
                case.with_user(user).unlink()
            forged = self.as_user("crm.value.case", user, self.alpha).create(
                {
                    "partner_id": self.customer.id,
                    "company_id": self.alpha.id,
                    "kind": "low_rating",
                    "res_model": "account.move",
                    "res_id": 7,
                    "known_on": "2020-01-01",
                    "figures": {"rating": 1},
                    "resolved_at": "2020-01-01 00:00:00",
                    "create_date": "2020-01-01 00:00:00",
                }
            )
            self.assertEqual(
                (forged.kind, forged.res_model, forged.res_id, forged.figures, forged.resolved_at),
                ("complaint", False, 0, False, False),
            )
            self.assertEqual((forged.known_on, forged.create_date.year), (self.today, self.today.year))

    def test_the_document_opens_under_the_rights_of_the_reader(self):
        note = self.credit_note(self.customer)
        self.rescore()
        case = self.cases()
        bookkeeper = self._user("cv_books", "account.group_account_invoice", self.alpha)
        bookkeeper.group_ids = [Command.link(self.env.ref("crm_value_addon.group_viewer").id)]
        opened = self.as_user(case._name, bookkeeper, self.alpha).browse(case.id)
        self.assertEqual(opened.record_name, note.display_name)
        self.assertEqual(opened.action_open_record()["res_id"], note.id)
        hidden = self.as_user(case._name, self.viewer, self.alpha).browse(case.id)
        self.assertFalse(hidden.record_name)
        with self.assertRaises(AccessError):
            hidden.action_open_record()
        with self.assertRaises(UserError):
            self.complaint().action_open_record()
        self.stamp(case, res_model="no.such.model")
        self.assertFalse(case.record_name)
        with self.assertRaises(UserError):
            case.action_open_record()
