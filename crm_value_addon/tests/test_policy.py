from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..policy_schema import POLICY_SCHEMA
from ..policy_texts import policy_label, policy_meaning, policy_unit
from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestPolicy(CustomerValueCase):
    def version(self, rules=(), **values):
        return self.as_user("crm.value.policy.version", self.manager, self.alpha, self.beta).create(
            {
                "company_id": self.alpha.id,
                "rule_ids": [
                    Command.create({"key": key, "value": value, "format_id": fmt and fmt.id})
                    for key, value, fmt in rules
                ],
                **values,
            }
        )

    def test_texts_are_those_of_the_schema(self):
        for key, spec in POLICY_SCHEMA.items():
            with self.subTest(key=key):
                told = [text(self.env, key) for text in (policy_label, policy_meaning, policy_unit)]
                self.assertEqual(told, [spec["label"], spec["meaning"], spec["unit"]])

    def test_defaults_are_in_bounds_and_in_order(self):
        for key, spec in POLICY_SCHEMA.items():
            with self.subTest(key=key):
                self.assertLessEqual(spec["minimum"], spec["default"])
                self.assertLessEqual(spec["default"], spec["maximum"])
        self.version().action_activate()

    def test_bounds(self):
        for key, spec in POLICY_SCHEMA.items():
            for edge in ("minimum", "maximum", "default"):
                self.version([(key, f"{spec[edge]!r}", None)])
            for bad in (spec["minimum"] - 1, spec["maximum"] + 1):
                with self.subTest(key=key, bad=bad), self.assertRaises(ValidationError):
                    self.version([(key, str(bad), None)])

    def test_no_numbers(self):
        for value in ("many", "nan", "inf", "-inf", "0,5", "0x10", "1e400", "30; DROP TABLE x"):
            with self.subTest(value=value), self.assertRaises(ValidationError):
                self.version([("discount_rate", value, None)])
        for value in ("30.5", "3e1", "thirty"):
            with self.subTest(value=value), self.assertRaises(ValidationError):
                self.version([("churn_horizon_days", value, None)])

    def test_rule_once_per_format(self):
        fmt = self.env.ref("crm_value_addon.crm_value_format_wholesale")
        self.version([("discount_rate", "0.2", None), ("discount_rate", "0.3", fmt)])
        for owner in (None, fmt):
            with mute_logger("odoo.sql_db"), self.assertRaises(Exception) as caught, self.cr.savepoint():
                self.version([("discount_rate", "0.2", owner), ("discount_rate", "0.3", owner)])
            self.assertIn("crm_value_policy_rule_once", str(caught.exception))

    def test_thresholds_out_of_order(self):
        for rules in (
            [("risk_medium_from", "0.7", None)],
            [("risk_high_from", "0.3", None)],
            [("dormant_days", "500", None)],
            [("dormant_factor", "4.0", None)],
            [("approval_order_days", "9", None)],
            [("loyalty_order_days", "4", None)],
            [(key, "0", None) for key in POLICY_SCHEMA if key.startswith("weight_")],
            [(key, "0", None) for key in POLICY_SCHEMA if key.startswith("rating_weight_")],
            [("key_rule", "1", None)],
        ):
            version = self.version(rules)
            with self.subTest(rules=rules), self.assertRaises(ValidationError):
                version.action_activate()
            self.assertEqual(version.state, "draft")

    def test_thresholds_out_of_order_within_a_format(self):
        fmt = self.env.ref("crm_value_addon.crm_value_format_wholesale")
        rules = [("risk_high_from", "0.5", None), ("risk_medium_from", "0.6", fmt)]
        with self.assertRaises(ValidationError):
            self.version(rules).action_activate()
        self.version([*rules, ("risk_high_from", "0.8", fmt)]).action_activate()

    def test_weights_that_sum_to_zero_within_a_format(self):
        """Three are zero for the company, the fourth for the format."""
        fmt = self.env.ref("crm_value_addon.crm_value_format_wholesale")
        for kind in ("weight_", "rating_weight_"):
            *company, last = (key for key in POLICY_SCHEMA if key.startswith(kind))
            rules = [(key, "0", None) for key in company]
            version = self.version([*rules, (last, "0", fmt)])
            with self.subTest(kind=kind), self.assertRaisesRegex(ValidationError, "above zero"):
                version.action_activate()
            self.assertEqual(version.state, "draft")
            self.version([*rules, (last, "0", fmt), (company[0], "0.5", fmt)]).action_activate()

    def test_inheritance_is_by_absence(self):
        wholesale = self.env.ref("crm_value_addon.crm_value_format_wholesale")
        other = self.env.ref("crm_value_addon.crm_value_format_other")
        version = self.version([("discount_rate", "0.2", None), ("discount_rate", "0", wholesale)])
        self.assertEqual(version._values(wholesale)["discount_rate"], 0)
        self.assertEqual(version._values(other)["discount_rate"], 0.2)
        self.assertEqual(
            version._values(other)["churn_horizon_days"], POLICY_SCHEMA["churn_horizon_days"]["default"]
        )
        rules = {(rule["key"], rule["format_id"]): rule["value"] for rule in version._export_rules()}
        self.assertEqual(rules, {("discount_rate", None): 0.2, ("discount_rate", wholesale.id): 0})

    def test_activation(self):
        first, second = self.version(), self.version()
        first.action_activate()
        self.assertEqual((first.state, first.activated_by_id), ("active", self.manager))
        second.action_activate()
        self.assertEqual((first.state, second.state), ("superseded", "active"))
        for version in (first, second):
            with self.assertRaises(UserError):
                version.action_activate()
        self.assertEqual(self.env["crm.value.policy.version"]._get_active(self.alpha), second)

    def test_numbers_count_per_company(self):
        numbers = [self.version().number for _ in range(2)]
        self.assertEqual(numbers, [1, 2])
        self.assertEqual(self.version(company_id=self.beta.id).number, 1)

    def test_first_run_makes_the_default_policy(self):
        run = self.claim()
        version = self.env["crm.value.policy.version"].browse(run["policy"]["version_id"])
        self.assertEqual((version.state, version.number, run["policy"]["rules"]), ("active", 1, []))
        self.claim(kind="backtest")
        self.assertEqual(
            self.env["crm.value.policy.version"].search_count([("company_id", "=", self.alpha.id)]), 1
        )

    def test_run_carries_the_rules(self):
        self.version([("churn_horizon_days", "60", None)]).action_activate()
        self.assertEqual(
            self.claim()["policy"]["rules"], [{"key": "churn_horizon_days", "format_id": None, "value": 60}]
        )

    def test_active_and_superseded_do_not_change(self):
        version = self.version([("discount_rate", "0.2", None)])
        version.action_activate()
        draft = self.version([("discount_rate", "0.3", None)])
        for state in ("active", "superseded"):
            if state == "superseded":
                self.version().action_activate()
            self.assertEqual(version.state, state)
            rule = version.rule_ids
            for change in (
                lambda: version.write({"note": "x"}),
                lambda: version.write({"rule_ids": [Command.clear()]}),
                lambda: version.write({"company_id": self.beta.id}),
                lambda rule=rule: rule.write({"value": "0.4"}),
                lambda rule=rule: rule.unlink(),
                lambda: version.rule_ids.create(
                    {"version_id": version.id, "key": "key_share", "value": "0.7"}
                ),
                lambda: draft.rule_ids.write({"version_id": version.id, "key": "key_share", "value": "0.7"}),
                version.unlink,
            ):
                with self.assertRaises(UserError), self.cr.savepoint():
                    change()
        self.assertEqual(version.rule_ids.value, "0.2")

    def test_state_and_number_are_not_for_people(self):
        version = self.version(
            [("risk_medium_from", "0.9", None)], state="active", number=77, activated_by_id=self.user.id
        )
        self.assertEqual((version.state, version.number), ("draft", 1))
        self.assertFalse(version.activated_by_id)
        for values in ({"state": "active"}, {"number": 5}, {"activated_at": "2020-01-01 00:00:00"}):
            with self.subTest(**values), self.assertRaises(UserError):
                version.write(values)

    def test_duplicate_is_a_draft_with_the_rules(self):
        version = self.version([("discount_rate", "0.2", None)])
        version.action_activate()
        copy = version.copy()
        self.assertEqual((copy.state, copy.number, copy.rule_ids.value), ("draft", 2, "0.2"))
        self.assertFalse(copy.activated_at)
        copy.rule_ids.value = "0.3"
        copy.unlink()
        self.assertEqual(version.rule_ids.value, "0.2")

    def test_format_with_rules_cannot_be_deleted(self):
        fmt = self.env["crm.value.format"].create({"name": "Brief", "code": "brief"})
        version = self.version([("discount_rate", "0.2", fmt)])
        version.action_activate()
        with mute_logger("odoo.sql_db"), self.assertRaises(Exception), self.cr.savepoint():  # noqa: B017
            fmt.unlink()
            self.env.flush_all()
        self.assertEqual(len(version.rule_ids), 1)

    def test_branch_has_no_policy_of_its_own(self):
        with self.assertRaises(ValidationError):
            self.env["crm.value.policy.version"].create({"company_id": self.branch.id})

    def test_who_may_what(self):
        version = self.version([("discount_rate", "0.2", None)])
        for user in (self.portal, self.employee, self.viewer, self.sync):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                version.with_user(user).read(["number"])
        version.with_user(self.user).read(["number"])
        for call in (
            lambda: version.with_user(self.user).action_activate(),
            lambda: version.with_user(self.user).write({"note": "x"}),
            lambda: version.rule_ids.with_user(self.user).write({"value": "0.3"}),
            lambda: version.with_user(self.user).copy(),
        ):
            with self.assertRaises(AccessError):
                call()
        beta_only = self.as_user("crm.value.policy.version", self.manager, self.beta)
        self.assertFalse(beta_only.search([("company_id", "=", self.alpha.id)]))
        with self.assertRaises(AccessError):
            beta_only.browse(version.id).action_activate()
        with self.assertRaises(AccessError):
            beta_only.browse(version.id).rule_ids.read(["value"])
