import psycopg2
from freezegun import freeze_time

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..labels import LABELS
from .common import CustomerValueCase, unpack


@tagged("post_install", "-at_install")
@freeze_time("2026-01-10 12:00:00")
class TestOverride(CustomerValueCase):
    def setUp(self):
        super().setUp()
        self.score([self.full(self.customer), self.full(self.customer2)], self.alpha)
        self.score([self.full(self.customer)], self.beta)

    def override(self, user=None, **values):
        return self.as_user("crm.value.override", user or self.manager, self.alpha).create(
            {
                "partner_id": self.customer.id,
                "label": "value_class",
                "value": "key",
                "reason": "strategic",
                "date_until": "2026-02-10",
                **values,
            }
        )

    def labels(self, company=None):
        profile = self.profile(self.customer, company)
        return profile.computed_value_class, profile.effective_value_class

    def test_effective_beside_computed(self):
        self.override()
        self.assertEqual(self.labels(), ("standard", "key"))
        self.assertEqual(self.labels(self.beta), ("standard", "standard"))
        self.assertEqual(self.customer.value_class, "key")
        self.assertEqual(self.customer.search([("value_class", "=", "key")]), self.customer | self.contact)

    def test_values(self):
        for label, selection in LABELS.items():
            with self.assertRaises(ValidationError):
                self.override(label=label, value="unheard of")
            override = self.override(label=label, value=selection[0][0])
            self.assertEqual(self.profile(self.customer)[f"effective_{label}"], selection[0][0])
            override.action_end()

    def test_dates_customer_and_company(self):
        for values in (
            {"date_from": "2026-03-01"},
            {"partner_id": self.contact.id},
            {"company_id": self.branch.id},
        ):
            with self.subTest(**values), self.assertRaises(ValidationError):
                self.override(**values)

    def test_default_company_of_a_branch_is_its_root(self):
        override = self.as_user("crm.value.override", self.manager, self.branch, self.alpha).create(
            {
                "partner_id": self.customer.id,
                "label": "value_class",
                "value": "key",
                "reason": "r",
                "date_until": "2026-02-10",
            }
        )
        self.assertEqual(override.company_id, self.alpha)

    def test_a_last_day_that_is_over_is_refused(self):
        for dates in ({"date_until": "2026-01-09", "date_from": "2026-01-01"}, {"date_until": "2026-01-09"}):
            with self.subTest(**dates), self.assertRaises(ValidationError):
                self.override(**dates)
        with self.assertRaises(ValidationError) as refused:
            self.override(date_until="2026-01-09", date_from="2026-01-01")
        self.assertIn("The last day, 01/09/2026, is over already", str(refused.exception))
        override = self.override(date_until="2026-01-10", date_from="2026-01-01")
        with self.assertRaises(ValidationError):
            override.date_until = "2026-01-09"

    def test_reason_of_one_that_is_over_can_change(self):
        override = self.override()
        with freeze_time("2026-03-01 12:00:00"):
            override.reason = "was strategic"
            self.env["crm.value.override"]._cron_expire()
            override.reason = "was said to be strategic"

    def vanish(self, override):
        """As if the value had been taken out of the selection since."""
        self.env.flush_all()
        self.env.cr.execute("UPDATE crm_value_override SET value = 'gone' WHERE id = %s", [override.id])
        self.env.invalidate_all()

    def test_a_value_that_is_no_more_is_not_shown_and_ends(self):
        override = self.override()
        self.vanish(override)
        self.score([self.full(self.customer, value_class="growth"), self.full(self.customer2)])
        self.assertEqual(self.labels(), ("growth", "growth"))
        self.assertFalse(override.ended_at)
        override.reason = "still"
        self.assertEqual(self.labels(), ("growth", "growth"))
        override.web_read({"value": {}, "value_options": {}, "fared": {}})
        self.env["crm.value.override"]._cron_expire()
        self.assertTrue(override.ended_at)
        self.override(value="key")
        self.assertEqual(self.labels(), ("growth", "key"))

    def test_a_label_that_is_no_more_ends_and_does_no_harm(self):
        override = self.override()
        self.env.flush_all()
        self.env.cr.execute("UPDATE crm_value_override SET label = 'gone' WHERE id = %s", [override.id])
        self.env.invalidate_all()
        self.override(label="churn_risk", value="high")
        self.score([self.full(self.customer, value_class="growth"), self.full(self.customer2)])
        profile = self.profile(self.customer)
        self.assertEqual((profile.effective_value_class, profile.effective_churn_risk), ("growth", "high"))
        override.web_read({"label": {}, "value": {}, "value_options": {}, "fared": {}})
        self.env["crm.value.override"]._cron_expire()
        self.assertTrue(override.ended_at)
        self.assertEqual(self.labels(), ("growth", "growth"))
        self.assertEqual(profile.effective_churn_risk, "high")

    def test_a_run_after_the_last_day_gives_the_label_back_before_the_cron_does(self):
        override = self.override()
        with freeze_time("2026-02-11 00:30:00"):
            self.score([self.full(self.customer, churn_risk="high"), self.full(self.customer2)])
            self.assertEqual(self.labels(), ("standard", "standard"))
            self.assertFalse(override.ended_at)
            # meanwhile another can be stated
            with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.IntegrityError), self.cr.savepoint():
                self.override(value="growth", date_until="2026-03-01")
            self.env["crm.value.override"]._cron_expire()
            self.override(value="growth", date_until="2026-03-01")
            self.assertEqual(self.labels(), ("standard", "growth"))

    def test_options_follow_the_label(self):
        for label, selection in LABELS.items():
            record = self.env["crm.value.override"].new({"label": label, "value": "gone"})
            self.assertEqual([tuple(each) for each in record.value_options], selection)
            record._onchange_label()
            self.assertFalse(record.value)
        self.assertFalse(self.env["crm.value.override"].new({}).value_options)

    def test_every_label_outlives_a_run_and_is_given_back(self):
        """The word of a person wins in the next run, and for the worker too where it is told why one was lost."""
        said = {
            "value_class": "key",
            "value_segment": "key_at_risk",
            "loyalty_stage": "loyalty",
            "lifecycle_stage": "lost",
            "churn_risk": "high",
            "value_type": "pioneer",
            "lost_type": "lured_by_competitor",
        }
        self.assertEqual(set(said), set(LABELS))
        for label, value in said.items():
            self.override(label=label, value=value)
        computed = {"lifecycle_stage": "dormant", "lost_type": "price_seeker", "value_type": "haggler"}
        with freeze_time("2026-01-20 12:00:00"):
            self.score([self.full(self.customer, **computed), self.full(self.customer2)])
        profile = self.profile(self.customer)
        for label, value in said.items():
            self.assertEqual(profile[f"effective_{label}"], value)
        self.assertEqual(profile.computed_lost_type, "price_seeker")
        with freeze_time("2026-01-21 12:00:00"):
            page = self.contract.export_history(dataset="profiles", company_id=self.alpha.id)
            rows = [dict(zip(page["columns"], row, strict=True)) for row in unpack(page)]
        self.assertEqual(
            {int(row["customer_id"]): row["lost_type_by_hand"] for row in rows},
            {self.customer.id: "lured_by_competitor", self.customer2.id: ""},
        )
        with freeze_time("2026-02-11 12:00:00"):
            self.env["crm.value.override"]._cron_expire()
            page = self.contract.export_history(dataset="profiles", company_id=self.alpha.id)
        self.assertNotIn("lured_by_competitor", str(unpack(page)))
        profile.invalidate_recordset()
        for label in LABELS:
            self.assertEqual(profile[f"effective_{label}"], profile[f"computed_{label}"])

    def test_one_in_force(self):
        self.override()
        with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.IntegrityError):
            self.override(value="growth")

    def test_end(self):
        override = self.override()
        override.action_end()
        self.assertEqual(self.labels(), ("standard", "standard"))
        self.assertTrue(override.ended_at)
        self.override(value="growth")
        self.assertEqual(self.labels(), ("standard", "growth"))
        self.assertEqual(
            self.env["crm.value.override"].search_count([("partner_id", "=", self.customer.id)]), 2
        )

    def test_expires_after_its_last_day(self):
        override = self.override()
        with freeze_time("2026-02-10 23:30:00"):
            self.env["crm.value.override"]._cron_expire()
            self.assertEqual(self.labels(), ("standard", "key"))
        with freeze_time("2026-02-11 00:30:00"):
            self.env["crm.value.override"]._cron_expire()
        self.assertEqual(self.labels(), ("standard", "standard"))
        self.assertTrue(override.ended_at)

    def test_begins_on_its_first_day(self):
        self.override(date_from="2026-01-20")
        self.assertEqual(self.labels(), ("standard", "standard"))
        with freeze_time("2026-01-20 12:00:00"):
            self.env["crm.value.override"]._cron_expire()
            self.assertEqual(self.labels(), ("standard", "key"))

    def test_days_are_the_companys(self):
        self.alpha.partner_id.tz = "Asia/Tokyo"
        with freeze_time("2026-01-10 20:00:00"):
            override = self.override()
            self.assertEqual(str(override.date_from), "2026-01-11")
            self.assertEqual(self.labels(), ("standard", "key"))
            override.action_end()
        override = self.override(date_until="2026-01-11")
        with freeze_time("2026-01-11 20:00:00"):
            self.env["crm.value.override"]._cron_expire()
        self.assertTrue(override.ended_at)

    def test_cron_is_installed(self):
        cron = self.env.ref("crm_value_addon.ir_cron_expire_overrides")
        cron.method_direct_trigger()
        self.assertTrue(cron.active)

    def test_survives_a_run(self):
        self.override()
        self.score([self.full(self.customer, value_class="growth"), self.full(self.customer2)])
        self.assertEqual(self.labels(), ("growth", "key"))

    def test_only_managers_and_in_their_own_name(self):
        for user in (self.portal, self.employee, self.viewer, self.user, self.sync):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.override(user)
        override = self.override(
            user_id=self.user.id, ended_at="2026-01-01 00:00:00", computed_then="unprofitable"
        )
        self.assertEqual(override.user_id, self.manager)
        self.assertEqual(override.computed_then, "standard")
        self.assertFalse(override.ended_at)
        for user in (self.portal, self.employee, self.viewer, self.user, self.sync):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                override.with_user(user).action_end()

    def test_only_reason_and_end_change(self):
        override = self.override()
        override.write({"reason": "still strategic", "date_until": "2026-03-10"})
        for values in (
            {"value": "growth"},
            {"label": "churn_risk", "value": "low"},
            {"partner_id": self.customer2.id},
            {"company_id": self.beta.id},
            {"user_id": self.user.id},
            {"ended_at": False},
            {"computed_then": "growth"},
        ):
            with self.subTest(**values), self.assertRaises(AccessError):
                override.write(values)
        with self.assertRaises(AccessError):
            override.unlink()

    def test_deleting_gives_the_label_back(self):
        self.override().sudo().unlink()
        self.assertEqual(self.labels(), ("standard", "standard"))

    def test_other_companies_are_hidden(self):
        override = self.override()
        beta_only = self.as_user("crm.value.override", self.manager, self.beta)
        self.assertFalse(beta_only.search([]))
        with self.assertRaises(AccessError):
            beta_only.browse(override.id).action_end()
        with self.assertRaises(AccessError):
            beta_only.create(
                {
                    "partner_id": self.customer2.id,
                    "company_id": self.alpha.id,
                    "label": "value_class",
                    "value": "key",
                    "reason": "r",
                    "date_until": "2026-02-10",
                }
            )
