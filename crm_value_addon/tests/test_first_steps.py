from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestFirstSteps(CustomerValueCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls._product()

    def setUp(self):
        super().setUp()
        a, b, c, _d = self.partners
        a.write({"vat": "X1", "email": "shop@example.com", "user_id": self.user.id})
        b.write({"vat": " X1", "email": "Shop@example.com "})
        c.vat = "/"
        self.order(a)
        self.order(b, amount=0)
        self.order(self.contact, day="2126-01-01 12:00:00")
        self.order(c, company=self.beta)

    def steps(self, user=None, company=None):
        return self.as_user("crm.value.step", user or self.manager, company or self.alpha)

    def told(self, **which):
        data = self.steps(**which).read_steps()
        return {step["key"]: step for step in data["steps"]}, {
            item["key"]: item for item in data["checklist"]
        }

    def findings(self, **which):
        steps, _checklist = self.told(**which)
        return {note["open"]: note["text"] for note in steps["quality"]["notes"]}

    def opened(self, finding):
        action = self.steps().open_finding(finding)
        return self.env[action["res_model"]].search(action["domain"])

    def test_what_a_manager_may_tick(self):
        steps, _checklist = self.told()
        self.assertEqual(
            {key for key, step in steps.items() if step["tickable"]}, {"policy", "formats", "quality"}
        )
        for key, step in steps.items():
            if step["tickable"]:
                self.steps().tick(key, True)
                self.assertTrue(self.told()[0][key]["done"], key)

    def test_findings_open_what_the_reader_may_read(self):
        steps, _checklist = self.told()
        opened = {note["open"] for note in steps["quality"]["notes"]}
        self.assertEqual(opened, {"same_tax_id", "same_email", "no_salesperson", None})
        with self.assertRaises(AccessError):
            self.steps().open_finding("without_amount")

    def test_findings(self):
        self.manager.group_ids |= self.env.ref("sales_team.group_sale_salesman_all_leads")
        a, b, _c, _d = self.partners
        found = self.findings()
        self.assertEqual(
            {key: "".join(filter(str.isdigit, text)) for key, text in found.items()},
            {
                "same_tax_id": "1",
                "same_email": "1",
                "no_salesperson": "1",
                "without_amount": "1",
                "in_future": "1",
            },
        )
        self.assertEqual(self.opened("same_tax_id"), a | b)
        self.assertEqual(self.opened("same_email"), a | b)
        self.assertEqual(self.opened("no_salesperson"), b)
        self.assertEqual(self.opened("without_amount").partner_id, b)
        self.assertEqual(self.opened("in_future").partner_id, self.contact)
        self.assertEqual(set(self.findings(company=self.beta)), {"no_salesperson"})

    def test_formats(self):
        steps, _checklist = self.told()
        self.assertFalse(steps["formats"]["done"])
        self.assertEqual(self.opened("no_format"), self.partners[:2])
        industry = self.env["res.partner.industry"].create({"name": "Bakers"})
        self.env["crm.value.format"].create(
            {"name": "Bakeries", "code": "bakeries", "industry_ids": [Command.link(industry.id)]}
        )
        self.partners[:2].industry_id = industry
        steps, _checklist = self.told()
        self.assertTrue(steps["formats"]["done"])
        self.assertEqual(steps["formats"]["notes"], [])

    def test_a_history_that_begins_with_a_migration(self):
        steps, _checklist = self.told()
        self.assertNotIn("migration", steps["quality"]["text"])
        old = self.env["res.partner"].create([{"name": f"Old {i}"} for i in range(20)])
        for partner in old:
            self.order(partner, day="2025-03-01 12:00:00")
        steps, _checklist = self.told()
        self.assertIn("migration", steps["quality"]["text"])
        self.assertIn("91", steps["quality"]["text"])

    def test_accounts_of_workers(self):
        steps, _checklist = self.told()
        self.assertFalse(steps["worker"]["done"])
        self.assertIn("no API key", steps["worker"]["notes"][0]["text"])
        self.env["res.users.apikeys"].with_user(self.sync)._generate(
            "rpc", "worker", fields.Datetime.add(fields.Datetime.now(), days=30)
        )
        steps, _checklist = self.told()
        self.assertTrue(steps["worker"]["done"])
        self.sync.group_ids |= self.env.ref("sales_team.group_sale_salesman")
        steps, _checklist = self.told()
        self.assertFalse(steps["worker"]["done"])
        self.assertIn("more rights", steps["worker"]["notes"][0]["text"])

    def test_first_scores(self):
        steps, checklist = self.told()
        self.assertFalse(steps["run"]["done"] or steps["result"]["done"] or checklist["tracking"]["done"])
        self.score([self.full(self.customer)])
        steps, checklist = self.told()
        self.assertTrue(steps["run"]["done"] and steps["result"]["done"] and checklist["tracking"]["done"])
        steps, _checklist = self.told(company=self.beta)
        self.assertFalse(steps["run"]["done"])

    def test_ticks(self):
        self.steps().tick("policy", True)
        self.steps().tick("policy", True)
        self.steps().tick("training", True)
        steps, checklist = self.told()
        self.assertTrue(steps["policy"]["done"] and checklist["training"]["done"])
        self.assertIn(self.manager.name, checklist["training"]["by"])
        steps, checklist = self.told(company=self.beta)
        self.assertFalse(steps["policy"]["done"] or checklist["training"]["done"])
        self.steps().tick("training", False)
        self.assertFalse(self.told()[1]["training"]["done"])

    def test_people_act_on_scores(self):
        self.score([self.full(self.customer)])
        self.assertFalse(self.told()[1]["acting"]["done"])
        self.env["crm.value.override"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.alpha.id,
                "label": "value_class",
                "value": "key",
                "reason": "known better",
                "date_until": "2126-12-31",
            }
        )
        self.assertTrue(self.told()[1]["acting"]["done"])

    def test_before_the_first_order(self):
        company = self.env["res.company"].create({"name": "Gamma"})
        self.manager.company_ids |= company
        data = self.as_user("crm.value.step", self.manager, company).read_steps()
        self.assertIn("no confirmed order", data["steps"][2]["text"])
        self.assertIsNone(data["run"])

    def test_only_managers(self):
        for user in (self.user, self.viewer, self.employee, self.portal, self.sync):
            steps = self.steps(user)
            for ask in (
                steps.read_steps,
                lambda steps=steps: steps.tick("policy", True),
                lambda steps=steps: steps.open_finding("no_format"),
                lambda steps=steps: steps.create({"company_id": self.alpha.id, "key": "policy"}),
            ):
                with self.assertRaises(AccessError):
                    ask()
        with self.assertRaises(AccessError):
            self.steps().create({"company_id": self.alpha.id, "key": "policy"})

    def test_what_there_is_not(self):
        with self.assertRaises(UserError):
            self.steps().tick("data", True)
        with self.assertRaises(UserError):
            self.steps().open_finding("names")
