from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..customer_history import MOST_ENTRIES
from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestChange(CustomerValueCase):
    """The timeline of a customer."""

    def changes(self, user=None, partner=None, company=None):
        """``[(day, label, from, to, cause)]``, the latest first."""
        records = self.as_user("crm.value.change", user or self.user, company or self.alpha)
        records.invalidate_model()
        return [
            (str(row.date), row.label, self.code(row.from_value), self.code(row.to_value), row.cause)
            for row in records.search([("partner_id", "=", (partner or self.customer).id)])
        ]

    def code(self, value):
        return value and value.split(":")[1]

    def page(self, user=None, company=None):
        records = self.as_user("res.partner", user or self.user, company or self.alpha)
        records.invalidate_model()
        return records.browse(self.customer.id).value_page["history"]

    def test_states(self):
        self.score_on("2026-01-10", [self.full(self.customer, loyalty_stage=None)])
        self.score_on("2026-01-20", [self.full(self.customer, loyalty_stage=None, current_value=9)])
        self.score_on(
            "2026-02-10", [self.full(self.customer, churn_risk=None, value_class="key", cause="model")]
        )
        self.assertEqual(
            self.changes(),
            [
                ("2026-02-10", "churn_risk", "low", False, "model"),
                ("2026-02-10", "loyalty_stage", False, "approval", "model"),
                ("2026-02-10", "value_class", "standard", "key", "model"),
                ("2026-01-10", "churn_risk", False, "low", "behaviour"),
                ("2026-01-10", "lifecycle_stage", False, "retention", "behaviour"),
                ("2026-01-10", "value_segment", False, "standard", "behaviour"),
                ("2026-01-10", "value_class", False, "standard", "behaviour"),
            ],
        )

    def test_overrides(self):
        self.score_on("2026-01-10", [self.full(self.customer)])
        override = self.override_on("2026-01-12", self.customer, "key")
        self.override_on("2026-01-15", self.customer, "high", "churn_risk", date_until="2026-01-31")
        self.override_on("2026-01-15", self.customer, "lost", "value_segment", date_from="2026-05-01")
        with freeze_time("2026-01-13 12:00:00"):
            self.assertEqual(self.changes()[0], ("2026-01-12", "value_class", "standard", "key", "override"))
        self.score_on("2026-02-10", [self.full(self.customer, value_class="growth")])
        with freeze_time("2026-02-20 12:00:00"):
            override.action_end()
            self.assertEqual(
                self.changes()[:5],
                [
                    ("2026-02-20", "value_class", "key", "growth", "override"),
                    ("2026-02-10", "value_class", "standard", "growth", "behaviour"),
                    ("2026-02-01", "churn_risk", "high", "low", "override"),
                    ("2026-01-15", "churn_risk", "low", "high", "override"),
                    ("2026-01-12", "value_class", "standard", "key", "override"),
                ],
            )

    def test_override_withdrawn_before_it_began(self):
        self.score_on("2026-01-10", [self.full(self.customer)])
        override = self.override_on("2026-01-12", self.customer, "key", date_from="2026-03-01")
        with freeze_time("2026-01-13 12:00:00"):
            override.action_end()
        self.assertNotIn("override", [change[-1] for change in self.changes()])

    def test_page(self):
        self.score_on("2026-01-10", [self.full(self.customer)])
        self.score_on(
            "2026-02-10", [self.full(self.customer, value_class="key", churn_risk="high", cause="policy")]
        )
        with freeze_time("2026-02-12 13:00:00"):
            override = self.override_on("2026-02-12", self.customer, "growth")
            override.user_id = self.manager
            latest, second, first = self.page()
        self.assertEqual(
            latest,
            {
                "date": "02/12/2026",
                "cause": "Override",
                "note": f"{self.manager.name}, known better, until 12/31/2026",
                "changes": [{"label": "Value Class", "from": "Key (A)", "to": "Growth (B)"}],
            },
        )
        number = self.history(self.customer)[-1].policy_number
        self.assertEqual(
            second,
            {
                "date": "02/10/2026",
                "cause": "Policy",
                "note": f"policy version {number}",
                "changes": [
                    {"label": "Value Class", "from": "Standard (C)", "to": "Key (A)"},
                    {"label": "Churn Risk", "from": "Low", "to": "High"},
                ],
            },
        )
        self.assertEqual(
            [change["label"] for change in first["changes"]],
            ["Value Class", "Value Segment", "Loyalty Stage", "Life-Cycle Stage", "Churn Risk"],
        )
        self.assertEqual({change["from"] for change in first["changes"]}, {""})
        with freeze_time("2026-02-12 13:00:00"):
            note = self.page(self.viewer)[0]["note"]
        self.assertEqual(note, "until 12/31/2026")
        self.assertEqual(self.profile(self.customer).page["history"], self.page())

    def test_page_is_compact(self):
        for day in range(1, 28):
            churn_risk = "low" if day % 2 else "high"
            self.score_on(f"2026-01-{day:02}", [self.full(self.customer, churn_risk=churn_risk)])
        history = self.page()
        self.assertEqual(len(history), MOST_ENTRIES)
        self.assertEqual(history[0]["date"], "01/27/2026")

    def test_page_without_a_profile(self):
        records = self.as_user("res.partner", self.user, self.alpha)
        self.assertEqual(records.browse(self.unscored.id).value_page, False)

    def test_merged_histories_stay_apart(self):
        self.score_on("2026-01-10", [self.full(self.customer, value_class="key"), self.full(self.customer2)])
        self.score_on(
            "2026-01-20", [self.full(self.customer, value_class="growth"), self.full(self.customer2)]
        )
        number = self.customer.id
        with freeze_time("2026-01-25 12:00:00"):
            self.env["base.partner.merge.automatic.wizard"].create({})._merge(
                (self.customer | self.customer2).ids, self.customer2, extra_checks=False
            )
        self.score_on("2026-02-10", [self.full(self.customer2, value_class="unprofitable")])
        history = self.history(self.customer2)
        self.assertEqual(history.mapped("merged_from"), [number, 0, number, 0])
        self.assertEqual(
            [change for change in self.changes(partner=self.customer2) if change[1] == "value_class"],
            [
                ("2026-02-10", "value_class", "standard", "unprofitable", "merge"),
                ("2026-01-20", "value_class", "key", "growth", "behaviour"),
                ("2026-01-10", "value_class", False, "standard", "behaviour"),
                ("2026-01-10", "value_class", False, "key", "behaviour"),
            ],
        )

    def test_companies(self):
        self.score_on("2026-01-10", [self.full(self.customer)], self.alpha)
        self.score_on("2026-01-11", [self.full(self.customer, value_class="key")], self.beta)
        self.assertEqual({change[0] for change in self.changes(company=self.beta)}, {"2026-01-11"})
        self.assertEqual({change[0] for change in self.changes(company=self.branch)}, {"2026-01-10"})
        self.assertEqual([entry["date"] for entry in self.page(company=self.beta)], ["01/11/2026"])
        row = self.as_user("crm.value.change", self.user, self.beta).search([], limit=1)
        self.env.invalidate_all()
        foreign = self.as_user("crm.value.change", self.user, self.alpha).browse(row.id)
        self.assertEqual(foreign.read(["date"]), [])

    def test_by_whom_and_why_are_not_for_viewers(self):
        self.score_on("2026-01-10", [self.full(self.customer)])
        self.override_on("2026-01-12", self.customer, "key")
        row = self.as_user("crm.value.change", self.viewer, self.alpha).search([], limit=1)
        self.assertEqual(row.cause, "override")
        for name in ("user_id", "reason"):
            with self.subTest(field=name), self.assertRaises(AccessError):
                row.read([name])

    def test_objection_leaves_nothing(self):
        self.score_on("2026-01-10", [self.full(self.customer)])
        self.override_on("2026-01-12", self.customer, "key")
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        self.assertEqual(self.changes(), [])

    def test_views_of_their_own(self):
        self.score_on("2026-01-10", [self.full(self.customer)])
        self.score_on("2026-02-10", [self.full(self.customer)])
        for user, measure in ((self.user, "lifetime_value"), (self.viewer, "churn_probability")):
            partner = self.as_user("res.partner", user, self.branch).browse(self.contact.id)
            profile = self.as_user("crm.value.profile", user, self.alpha).browse(
                self.profile(self.customer).id
            )
            for record in (partner, profile):
                changes = record.action_open_value_history("changes")
                values = record.action_open_value_history("values")
                self.assertEqual(
                    (changes["name"], values["name"]), ("History of Customer 0", "Values of Customer 0")
                )
                self.assertEqual(values["context"]["graph_measure"], measure)
                for action, count in ((changes, 5), (values, 1)):
                    rows = record.env[action["res_model"]].search(action["domain"])
                    self.assertEqual((len(rows), rows.partner_id), (count, self.customer))
                for what in ("else", None, ["changes"]):
                    with self.subTest(what=what), self.assertRaises(UserError):
                        record.action_open_value_history(what)
        for user in (self.employee, self.portal):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.as_user("res.partner", user).browse(self.customer.id).action_open_value_history(
                    "changes"
                )
