from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from ..policy_schema import POLICY_SCHEMA
from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestRules(CustomerValueCase):
    def told(self, user=None, company=None, format_id=None):
        return self.as_user("crm.value.rules", user or self.user, company or self.alpha).read_rules(format_id)

    def rule(self, data, key):
        return next(rule for rule in data["rules"] if rule["key"] == key)

    def meaning(self, data, label, name):
        values = next(each["values"] for each in data["labels"] if each["label"] == label)
        return next(each["meaning"] for each in values if each["name"] == name)

    def activate(self, company, rules):
        version = self.env["crm.value.policy.version"].create(
            {"company_id": company.id, "rule_ids": [Command.create(rule) for rule in rules]}
        )
        version.action_activate()
        return version

    def test_every_value_and_every_rule_is_told(self):
        data = self.told()
        for label in data["labels"]:
            for value in label["values"]:
                if label["label"] != "value_type" or value["name"] != "Undetermined":
                    self.assertTrue(value["meaning"], (label["label"], value["name"]))
        self.assertEqual([rule["key"] for rule in data["rules"]], list(POLICY_SCHEMA))
        self.assertFalse(any(rule["own"] for rule in data["rules"]))

    def test_thresholds_are_those_in_force(self):
        restaurants = self.env["crm.value.format"].create({"name": "Restaurants", "code": "restaurants"})
        version = self.activate(
            self.alpha,
            [
                {"key": "risk_high_from", "value": "0.77"},
                {"key": "risk_high_from", "value": "0.88", "format_id": restaurants.id},
            ],
        )
        data = self.told()
        self.assertEqual(data["policy"]["number"], version.number)
        self.assertIn("77 %", self.meaning(data, "churn_risk", "High"))
        self.assertTrue(self.rule(data, "risk_high_from")["own"])
        data = self.told(format_id=restaurants.id)
        self.assertIn("88 %", self.meaning(data, "churn_risk", "High"))
        self.assertNotIn("77 %", self.meaning(self.told(company=self.beta), "churn_risk", "High"))

    def test_who_reads_makes_no_policy(self):
        versions = self.env["crm.value.policy.version"]
        of_beta = [("company_id", "=", self.beta.id)]
        self.assertFalse(versions.search(of_beta))
        data = self.told(company=self.beta)
        self.assertIsNone(data["policy"])
        self.assertEqual([rule["key"] for rule in data["rules"]], list(POLICY_SCHEMA))
        self.assertFalse(versions.search(of_beta))

    def test_viewers_see_no_amounts(self):
        self.activate(
            self.alpha, [{"key": "key_rule", "value": "1"}, {"key": "key_value_minimum", "value": "4321"}]
        )
        self.assertIn("4,321", self.meaning(self.told(), "value_class", "Key (A)"))
        data = self.told(self.viewer)
        self.assertEqual(data["rules"], [])
        self.assertNotIn("4,321", str(data))

    def test_who_may_not(self):
        for user in (self.employee, self.portal, self.sync):
            with self.assertRaises(AccessError):
                self.told(user)
        with self.assertRaises(UserError):
            self.told(format_id=99999999)
