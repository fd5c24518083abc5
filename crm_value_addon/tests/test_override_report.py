from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestOverrideReport(CustomerValueCase):
    """Whether the engine came to agree with people, and what happened."""

    def scored(self, day, *partners, company=None, **values):
        with freeze_time(f"{day} 12:00:00"):
            self.score([self.full(partner, **values) for partner in partners or [self.customer]], company)

    def override(self, day, label="value_class", value="key", partner=None, until="2026-12-31", user=None):
        with freeze_time(f"{day} 12:00:00"):
            return self.as_user("crm.value.override", user or self.manager, self.alpha).create(
                {
                    "partner_id": (partner or self.customer).id,
                    "label": label,
                    "value": value,
                    "reason": "I know it",
                    "date_until": until,
                }
            )

    def end(self, day, override):
        with freeze_time(f"{day} 12:00:00"):
            override.action_end()

    def row(self, override, day="2026-03-01"):
        with freeze_time(f"{day} 12:00:00"):
            self.env.invalidate_all()
            row = self.env["crm.value.override.report"].browse(override.id)
            told = (row.computed_then, row.computed_later, row.fared, row.happened, row.proved)
            own = ("computed_then", "computed_later", "fared", "happened", "proved")
            self.assertEqual(tuple(override.sudo()[name] for name in own), told)
            return {name: value for name, value in zip(own, told, strict=True)}

    def fared(self, override, day="2026-03-01"):
        return self.row(override, day)["fared"]

    def test_agreed_while_it_holds(self):
        self.scored("2026-01-10")
        override = self.override("2026-01-11")
        self.assertEqual(self.row(override)["computed_then"], "standard")
        self.assertEqual(self.fared(override), "open")
        self.scored("2026-02-10", value_class="key")
        row = self.row(override)
        self.assertEqual((row["computed_then"], row["computed_later"]), ("standard", "key"))
        self.assertEqual(row["fared"], "agreed")

    def test_what_was_said_then_is_of_the_moment_and_not_of_the_day(self):
        self.scored("2026-01-10")
        override = self.override("2026-01-10")
        self.scored("2026-01-10", value_class="key")
        self.assertEqual(self.row(override)["computed_then"], "standard")
        self.assertEqual(self.fared(override), "agreed")

    def test_its_end_counts_and_not_what_came_later(self):
        self.scored("2026-01-10")
        override = self.override("2026-01-11")
        self.end("2026-02-01", override)
        self.scored("2026-02-10", value_class="key")
        self.assertEqual(self.row(override)["computed_later"], "standard")
        self.assertEqual(self.fared(override), "kept")

    def test_agreed_at_its_end_and_changed_its_mind_later(self):
        self.scored("2026-01-10")
        override = self.override("2026-01-11")
        self.scored("2026-01-20", value_class="key")
        self.end("2026-02-01", override)
        self.scored("2026-02-10", value_class="growth")
        self.assertEqual(self.row(override)["computed_later"], "key")
        self.assertEqual(self.fared(override), "agreed")

    def test_one_that_expired_ended_on_its_last_day(self):
        self.scored("2026-01-10")
        override = self.override("2026-01-11", until="2026-01-31")
        self.scored("2026-02-05", value_class="key")
        with freeze_time("2026-02-10 12:00:00"):
            self.env["crm.value.override"]._cron_expire()
        self.assertEqual(self.fared(override), "kept")

    def test_long_enough_is_the_churn_horizon_of_the_policy(self):
        self.scored("2026-01-10")
        override = self.override("2026-01-11")
        self.assertEqual(self.fared(override, "2026-04-10"), "open")
        self.assertEqual(self.fared(override, "2026-04-11"), "kept")
        draft = self.env["crm.value.policy.version"].create({"company_id": self.alpha.id})
        self.env["crm.value.policy.rule"].create(
            {"version_id": draft.id, "key": "churn_horizon_days", "value": "30"}
        )
        self.assertEqual(self.fared(override, "2026-02-10"), "open")
        draft.action_activate()
        self.assertEqual(self.fared(override, "2026-02-09"), "open")
        self.assertEqual(self.fared(override, "2026-02-10"), "kept")

    def test_who_said_the_same_does_not_count(self):
        self.scored("2026-01-10", value_class="key")
        override = self.override("2026-01-11")
        self.assertEqual(self.fared(override), "same")
        groups = self.env["crm.value.override.report"].formatted_read_group([], [], ["agreed_share:avg"])
        self.assertIs(groups[0]["agreed_share:avg"], False)

    def test_ended_on_its_first_day_was_a_mistake(self):
        self.scored("2026-01-10")
        override = self.override("2026-01-11")
        self.end("2026-01-11", override)
        self.assertFalse(self.fared(override))

    def test_what_cannot_be_told(self):
        unknown = self.override("2026-01-11", partner=self.unscored)
        self.assertFalse(self.row(unknown)["computed_then"])
        self.assertEqual(self.fared(unknown, "2026-12-01"), "open")
        self.end("2026-12-02", unknown)
        self.assertFalse(self.fared(unknown, "2026-12-03"))

    def test_every_label_is_compared_with_its_own(self):
        values = {
            "value_class": ("standard", "key"),
            "value_segment": ("standard", "key_stable"),
            "loyalty_stage": ("approval", "loyalty"),
            "lifecycle_stage": ("retention", "extension"),
            "churn_risk": ("low", "high"),
            "value_type": ("haggler", "pioneer"),
            "lost_type": ("price_seeker", "lured_by_competitor"),
        }
        self.scored("2026-01-10", **{label: before for label, (before, _after) in values.items()})
        overrides = {
            label: self.override("2026-01-11", label, after) for label, (_before, after) in values.items()
        }
        self.scored("2026-01-20", **{label: after for label, (_before, after) in values.items()})
        for ended in (False, True):
            for label, (before, after) in values.items():
                with self.subTest(label=label, ended=ended):
                    row = self.row(overrides[label])
                    self.assertEqual((row["computed_then"], row["computed_later"]), (before, after))
            for override in overrides.values():
                if not ended:
                    self.end("2026-02-01", override)

    def test_what_happened(self):
        self.scored("2026-01-10", last_order_date="2025-10-01")
        for label, value, after, expected in (
            ("lifecycle_stage", "retention", "ordered", "right"),
            ("lifecycle_stage", "retention", "lost", "wrong"),
            ("lifecycle_stage", "lost", "ordered", "wrong"),
            ("lifecycle_stage", "lost", "lost", "right"),
            ("value_segment", "key_stable", "lost", "wrong"),
            ("value_segment", "lost", "ordered", "wrong"),
            ("churn_risk", "low", "lost", "wrong"),
            ("churn_risk", "low", "ordered", "right"),
            ("churn_risk", "high", "ordered", "wrong"),
            ("churn_risk", "medium", "ordered", False),
            ("value_class", "key", "ordered", False),
            ("lost_type", "price_seeker", "lost", False),
            ("churn_risk", "low", "neither", False),
        ):
            with self.subTest(label=label, value=value, after=after):
                override = self.override("2026-01-11", label, value)
                stage = "lost" if after == "lost" else "retention"
                last = "2026-02-02" if after == "ordered" else "2025-10-01"
                self.scored("2026-02-20", lifecycle_stage=stage, last_order_date=last)
                row = self.row(override)
                self.assertEqual(row["happened"], after if after != "neither" else False)
                self.assertEqual(row["proved"], expected)
                override.sudo().unlink()
                self.scored("2026-02-21", last_order_date="2025-10-01")

    def test_shares_by_label_and_person(self):
        partners = self.customer | self.customer2 | self.customer3
        self.scored("2026-01-10", *partners)
        other = self._user("cv_manager2", "crm_value_addon.group_manager", self.alpha)
        self.override("2026-01-11", partner=self.customer)
        self.override("2026-01-11", partner=self.customer2, user=other)
        self.override("2026-01-11", partner=self.customer3)
        self.override("2026-01-11", "churn_risk", "medium", partner=self.customer3)
        with freeze_time("2026-02-10 12:00:00"):
            self.score(
                [
                    self.full(self.customer, value_class="key"),
                    self.full(self.customer2),
                    self.full(self.customer3),
                ]
            )
        with freeze_time("2026-07-01 12:00:00"):
            report = self.as_user("crm.value.override.report", self.manager, self.alpha)
            self.assertCountEqual(
                report._read_group([], ["label"], ["agreed_share:avg", "__count"]),
                [("value_class", 1 / 3, 3), ("churn_risk", 0.0, 1)],
            )
            shares = dict(
                report._read_group([("label", "=", "value_class")], ["user_id"], ["agreed_share:avg"])
            )
            self.assertEqual(
                {user.login: share for user, share in shares.items()},
                {
                    "cv_manager": 0.5,
                    "cv_manager2": 0.0,
                },
            )
            groups = report.formatted_read_group([], ["fared"], ["__count", "right_share:avg"])
            self.assertEqual({group["fared"]: group["__count"] for group in groups}, {"agreed": 1, "kept": 3})

    def test_who_may_see_it(self):
        self.scored("2026-01-10")
        override = self.override("2026-01-11")
        for user in (self.portal, self.employee, self.viewer, self.sync):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.as_user("crm.value.override.report", user).search([])
        self.assertEqual(
            self.as_user("crm.value.override.report", self.user, self.alpha).search([]).ids, override.ids
        )
        self.assertFalse(self.as_user("crm.value.override.report", self.user, self.beta).search([]))
