import psycopg2

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Date
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CustomerValueCase, unpack


@tagged("post_install", "-at_install")
class TestObjection(CustomerValueCase):
    def traces(self, partner):
        counts = []
        for table in (
            "crm_value_profile",
            "crm_value_history",
            "crm_value_snapshot",
            "crm_value_override",
            "crm_value_staging",
        ):
            scored = "value_class IS NOT NULL" if table == "crm_value_staging" else "TRUE"
            self.env.cr.execute(
                f"SELECT count(*) FROM {table} WHERE partner_id = %s AND {scored}", [partner.id]
            )
            counts.append(self.env.cr.fetchone()[0])
        return counts

    def test_erases_everything_in_every_company(self):
        both = [self.full(self.customer), self.full(self.customer2)]
        for company in (self.alpha, self.beta):
            self.score_on("2026-01-10", both, company)
            self.score_on("2026-02-10", both, company)
        self.env["crm.value.override"].create(
            [
                {
                    "partner_id": partner.id,
                    "label": "value_class",
                    "value": "key",
                    "reason": "r",
                    "date_until": Date.add(Date.today(), days=9),
                }
                for partner in self.customer | self.customer2
            ]
        )
        self.publish(self.claim(self.alpha), both)
        self.env.flush_all()
        self.assertEqual(self.traces(self.customer), [2, 2, 3, 1, 1])
        self.assertEqual(self.customer.value_class, "key")
        self.as_user("crm.value.objection", self.manager, self.beta).create({"partner_id": self.customer.id})
        self.assertEqual(self.traces(self.customer), [0, 0, 0, 0, 0])
        self.assertEqual(self.traces(self.customer2), [2, 2, 3, 1, 1])
        self.assertFalse(self.customer.value_class)
        self.assertFalse(self.contact.value_class)

    def test_erases_what_a_contact_had_as_a_customer(self):
        self.score([self.full(self.customer), self.full(self.customer2)])
        self.customer2.write({"parent_id": self.customer.id, "is_company": False})
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        self.assertEqual(self.traces(self.customer2), [0, 0, 0, 0, 0])

    def test_recorded_for_another_customer(self):
        self.score([self.full(self.customer), self.full(self.customer2)])
        objection = self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        objection.partner_id = self.customer2
        self.assertEqual(self.traces(self.customer2), [0, 0, 0, 0, 0])

    def test_blocks_publication_and_export(self):
        self.score([self.full(self.customer2)])
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        self.assertEqual(self.publish(self.claim(), [self.full(self.customer)])["objecting"], 1)
        page = self.contract.export_history(dataset="profiles", company_id=self.alpha.id)
        self.assertEqual([row[0] for row in unpack(page)], [str(self.customer2.id)])

    def test_no_override_of_who_objected(self):
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        with self.assertRaises(ValidationError):
            self.env["crm.value.override"].create(
                {
                    "partner_id": self.customer.id,
                    "label": "value_class",
                    "value": "key",
                    "reason": "r",
                    "date_until": Date.add(Date.today(), days=9),
                }
            )

    def test_of_a_company_not_of_its_contact(self):
        with self.assertRaises(ValidationError):
            self.env["crm.value.objection"].create({"partner_id": self.contact.id})

    def test_once(self):
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.IntegrityError):
            self.env["crm.value.objection"].create({"partner_id": self.customer.id})

    def test_only_managers_record_it_and_in_their_own_name(self):
        for user in (self.portal, self.employee, self.viewer, self.user, self.sync):
            with self.assertRaises(AccessError):
                self.as_user("crm.value.objection", user).create({"partner_id": self.customer.id})
            with self.assertRaises(AccessError):
                self.as_user("crm.value.objection", user).search([])
        objection = self.as_user("crm.value.objection", self.manager).create(
            {"partner_id": self.customer.id, "user_id": self.user.id}
        )
        self.assertEqual(objection.user_id, self.manager)

    def test_withdrawn(self):
        objection = self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        objection.with_user(self.manager).unlink()
        self.assertEqual(self.publish(self.claim(), [self.full(self.customer)])["ok"], 1)
