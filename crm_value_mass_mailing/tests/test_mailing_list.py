from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import TransactionCase, new_test_user, tagged


@tagged("post_install", "-at_install")
class TestMailingList(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = new_test_user(
            cls.env, "cv_mailer", "mass_mailing.group_mass_mailing_user,crm_value_addon.group_viewer"
        )
        cls.partners = cls.env["res.partner"].create(
            [
                {"name": "Bakery, Smith & Sons", "email": "info@bakery.example"},
                {"name": "Gone", "email": "gone@mill.example"},
                {"name": "Silent"},
            ]
        )
        cls.list = cls.env["mailing.list"].create({"name": "Spring"})

    def add(self, partners):
        action = self.env.ref("crm_value_mass_mailing.res_partner_action_mailing_list").with_user(self.user)
        opened = action.with_context(
            active_model="res.partner", active_ids=partners.ids, active_id=partners[:1].id
        ).run()
        wizard = self.env["mailing.contact.import"].with_user(self.user).with_context(**opened["context"])
        wizard.create({"mailing_list_ids": [Command.set(self.list.ids)]}).action_import()

    def test_chosen_customers_come_on_the_list_once(self):
        gone = self.env["mailing.contact"].create(
            {
                "email": "gone@mill.example",
                "subscription_ids": [Command.create({"list_id": self.list.id, "opt_out": True})],
            }
        )
        for _time in range(2):
            self.add(self.partners)
        contacts = self.list.contact_ids
        self.assertEqual(
            sorted(contacts.mapped("email_normalized")), ["gone@mill.example", "info@bakery.example"]
        )
        self.assertEqual((contacts - gone).name, "Bakery, Smith & Sons")
        self.assertTrue(gone.subscription_ids.opt_out)

    def test_nobody_has_an_address(self):
        with self.assertRaisesRegex(UserError, "None of them has an e-mail address"):
            self.add(self.partners[2])

    def test_for_those_who_send_mailings(self):
        for user, offered in ((self.user, True), (new_test_user(self.env, "cv_seller_only"), False)):
            bindings = self.env["ir.actions.actions"].with_user(user).get_bindings("res.partner")
            names = [action["name"] for action in bindings.get("action", [])]
            self.assertEqual("Add to mailing list" in names, offered)
