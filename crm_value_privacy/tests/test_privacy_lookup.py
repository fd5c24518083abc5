from odoo.exceptions import UserError
from odoo.fields import Date
from odoo.tests import tagged

from odoo.addons.crm_value_addon.tests.common import CustomerValueCase

KEPT = {
    "crm.value.profile",
    "crm.value.history",
    "crm.value.override",
    "crm.value.staging",
    "crm.value.concentration.loss",
}


@tagged("post_install", "-at_install")
class TestPrivacyLookup(CustomerValueCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.email = "jane.doe@customer.example"
        cls.admin = cls._user("cv_admin", "base.group_system", cls.alpha)

    def setUp(self):
        super().setUp()
        rows = [self.full(self.customer), self.full(self.customer2)]
        self.score(rows, self.alpha)
        self.score(rows, self.beta)
        for partner in self.customer | self.customer2:
            self.env["crm.value.override"].create(
                {
                    "partner_id": partner.id,
                    "label": "value_class",
                    "value": "key",
                    "reason": "r",
                    "date_until": Date.add(Date.today(), days=9),
                }
            )
            run = self.env["crm.value.run"].search([], limit=1)
            self.env["crm.value.concentration.loss"]._insert(
                run, [{"scope": "customers", "partner_id": partner.id, "amount": 1, "share": 0.1}]
            )
        self.run = self.claim(self.alpha)
        self.publish(self.run, rows)

    def lookup(self):
        wizard = self.as_user("privacy.lookup.wizard", self.admin).create(
            {"name": self.customer.name, "email": self.customer.email}
        )
        wizard.action_lookup()
        return wizard.line_ids

    def ours(self, lines, model=None):
        return lines.filtered(
            lambda line: line.res_model == model if model else line.res_model.startswith("crm.value.")
        )

    def left(self, partner):
        """Names of the models that still keep something of a partner."""
        self.env.flush_all()
        models = self.env["crm.value.objection"]._kept_models()
        names = {
            model._name for model in models if model.sudo().search_count([("partner_id", "=", partner.id)])
        }
        self.env.cr.execute(
            "SELECT FROM crm_value_staging WHERE partner_id = %s AND lifetime_value IS NOT NULL", [partner.id]
        )
        return names | ({"crm.value.staging"} if self.env.cr.rowcount else set())

    def test_finds_all_that_is_kept_of_one_customer(self):
        self.assertEqual(self.left(self.customer), KEPT)
        lines = self.ours(self.lookup())
        self.assertEqual(set(lines.mapped("res_model")), KEPT)
        self.assertEqual(len(self.ours(lines, "crm.value.profile")), 2)
        for line in lines:
            record = self.env[line.res_model].sudo().browse(line.res_id)
            self.env.cr.execute(f"SELECT partner_id FROM {record._table} WHERE id = %s", [record.id])
            self.assertEqual(self.env.cr.fetchone()[0], self.customer.id)

    def test_a_model_that_names_customers_is_never_forgotten(self):
        names = {model._name for model in self.env["crm.value.objection"]._kept_models()}
        self.assertLessEqual(KEPT - {"crm.value.staging"} | {"crm.value.preview"}, names)

    def test_erasing_a_profile_records_an_objection(self):
        lines = self.lookup()
        self.ours(lines, "crm.value.profile")[0].action_unlink()
        self.assertEqual(self.left(self.customer), set())
        self.assertEqual(self.left(self.customer2), KEPT)
        objection = self.env["crm.value.objection"].search([("partner_id", "=", self.customer.id)])
        self.assertEqual((objection.user_id, objection.date), (self.admin, Date.context_today(objection)))
        self.assertTrue(objection.ground)
        gone = self.ours(lines).filtered(lambda line: line.res_model != "crm.value.staging")
        self.assertTrue(all(gone.mapped("is_unlinked")))
        self.assertIn("recorded the objection", lines.wizard_id.execution_details)
        self.assertIn("recorded the objection", lines.wizard_id.log_id.execution_details)
        self.close(self.run, 2)
        self.assertEqual(self.left(self.customer), set())

    def test_erasing_what_is_past(self):
        lines = self.lookup()
        for model in ("crm.value.history", "crm.value.override", "crm.value.concentration.loss"):
            self.ours(lines, model).mapped(lambda line: line.action_unlink())
        self.assertEqual(self.left(self.customer), {"crm.value.profile", "crm.value.staging"})
        self.assertEqual(self.profile(self.customer).effective_value_class, "standard")
        self.assertFalse(self.env["crm.value.objection"].search([("partner_id", "=", self.customer.id)]))

    def test_erasing_a_row_of_a_run_under_way(self):
        self.ours(self.lookup(), "crm.value.staging").action_unlink()
        self.assertEqual(self.left(self.customer), set())
        self.assertEqual(self.close(self.run, 2)["refused"], 1)

    def test_the_objection_is_found_and_stays(self):
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        lines = self.lookup()
        line = self.ours(lines, "crm.value.objection")
        self.assertEqual(line.res_id, self.env["crm.value.objection"].search([]).id)
        with self.assertRaises(UserError):
            line.action_unlink()

    def test_all_at_once(self):
        lines = self.lookup()
        lines.action_unlink_all()
        self.assertFalse(self.customer.exists())
        self.assertTrue(all(lines.mapped("is_unlinked")))
        self.assertFalse(self.env["crm.value.objection"].search([("partner_id", "=", self.customer.id)]))

    def test_all_at_once_but_the_contact(self):
        """As for a customer with orders, whom Odoo does not delete."""
        self.env["crm.value.objection"].create({"partner_id": self.customer2.id})
        lines = self.ours(self.lookup())
        lines.action_unlink_all()
        self.assertEqual(self.left(self.customer), set())
        found = self.ours(self.lookup())
        self.assertEqual(set(found.mapped("res_model")), {"crm.value.objection", "crm.value.staging"})
        found.action_unlink_all()

    def test_one_that_is_no_customer_any_more(self):
        lines = self.ours(self.lookup(), "crm.value.profile")
        self.customer.write({"parent_id": self.customer3.id, "is_company": False})
        for line in lines:
            line.action_unlink()
        self.assertNotIn("crm.value.profile", self.left(self.customer))
        self.assertFalse(self.env["crm.value.objection"].search([]))
