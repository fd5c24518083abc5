from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged

from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestSnapshot(CustomerValueCase):
    """What every customer was like when a month ended."""

    def snapshots(self, partner=None, company=None):
        domain = [("company_id", "=", (company or self.alpha).id)]
        if partner:
            domain.append(("partner_id", "=", partner.id))
        return self.env["crm.value.snapshot"].search(domain, order="date, partner_id")

    def days(self, *args):
        return [str(day) for day in self.snapshots(*args).mapped("date")]

    def test_first_run_of_a_month_keeps_the_month_before(self):
        wholesale = self.env.ref("crm_value_addon.crm_value_format_wholesale")
        self.score_on("2026-01-10", [self.full(self.customer, current_value=1), self.full(self.customer2)])
        self.score_on(
            "2026-01-31",
            [
                self.full(self.customer, format_id=wholesale.id, churn_probability=0.4),
                self.full(self.customer2),
            ],
        )
        self.assertFalse(self.snapshots())
        self.score_on("2026-02-01", [self.full(self.customer, value_class="key", current_value=9)])
        kept, other = self.snapshots()
        self.assertEqual((kept.partner_id, other.partner_id), (self.customer, self.customer2))
        self.assertEqual(
            kept.read(
                [
                    "date",
                    "value_class",
                    "value_segment",
                    "loyalty_stage",
                    "lifecycle_stage",
                    "churn_risk",
                    "value_type",
                    "lost_type",
                    "confidence",
                    "churn_probability",
                    "historical_value",
                    "current_value",
                    "potential_value",
                    "lifetime_value",
                ]
            )[0],
            {
                "id": kept.id,
                "date": fields.Date.to_date("2026-01-31"),
                "value_class": "standard",
                "value_segment": "standard",
                "loyalty_stage": "approval",
                "lifecycle_stage": "retention",
                "churn_risk": "low",
                "value_type": False,
                "lost_type": False,
                "confidence": "enough",
                "churn_probability": 0.4,
                "historical_value": 1000,
                "current_value": 500,
                "potential_value": 250,
                "lifetime_value": 1750,
            },
        )
        self.assertEqual((kept.format_id, kept.currency_id), (wholesale, self.alpha.currency_id))
        self.score_on("2026-02-02", [self.full(self.customer)])
        self.assertEqual(self.days(), ["2026-01-31"] * 2)

    def test_months_without_a_run(self):
        self.score_on("2026-01-10", [self.full(self.customer)])
        self.score_on("2026-04-20", [self.full(self.customer)])
        self.score_on("2026-05-01", [self.full(self.customer)])
        self.assertEqual(self.days(), ["2026-01-31", "2026-04-30"])

    def test_twice_is_once(self):
        self.score_on("2026-01-10", [self.full(self.customer)])
        with freeze_time("2026-02-10 12:00:00"):
            run = self.env["crm.value.run"].browse(self.claim()["id"]).sudo()
            for _time in range(2):
                self.env["crm.value.snapshot"]._take(run)
        self.assertEqual(self.days(), ["2026-01-31"])

    def test_other_runs_keep_nothing(self):
        self.score_on("2026-01-10", [self.full(self.customer)])
        with freeze_time("2026-02-10 12:00:00"):
            self.backtest(self.grade())
            self.claim(kind="preview")
        self.assertFalse(self.snapshots())

    def test_run_that_fails_and_is_tried_again(self):
        self.score_on("2026-01-10", [self.full(self.customer)])
        with freeze_time("2026-02-10 12:00:00"):
            run = self.claim()
            self.publish(run, [self.full(self.customer)])
            self.contract.close_run(run_id=run["id"], token=run["token"], state="failed")
        self.assertEqual(self.days(), ["2026-01-31"])
        self.score_on("2026-02-11", [self.full(self.customer, value_class="key")])
        self.assertEqual(self.days(), ["2026-01-31"])
        self.assertEqual(self.snapshots().value_class, "standard")

    def test_who_objects_while_a_run_goes_on(self):
        self.score_on("2026-01-10", [self.full(self.customer)])
        with freeze_time("2026-02-10 12:00:00"):
            self.claim()
            self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        self.assertFalse(self.snapshots())

    def test_unknown_is_not_zero(self):
        self.score_on("2026-01-10", [{"partner_id": self.customer.id, "value_segment": "prospect"}])
        self.score_on("2026-02-10", [self.full(self.customer)])
        self.env.cr.execute("SELECT current_value, churn_probability, value_class FROM crm_value_snapshot")
        self.assertEqual(self.env.cr.fetchall(), [(None, None, None)])

    def test_labels_are_those_people_saw(self):
        self.score_on("2026-01-10", [self.full(self.customer), self.full(self.customer2)])
        ended = self.override_on("2026-01-12", self.customer, "key")
        with freeze_time("2026-02-01 02:00:00"):
            ended.action_end()
        self.override_on("2026-02-01", self.customer2, "key")
        self.score_on("2026-02-01", [self.full(self.customer), self.full(self.customer2)])
        self.assertEqual(self.snapshots().mapped("value_class"), ["key", "standard"])

    def test_an_override_that_ended_by_the_month_end(self):
        self.score_on("2026-01-10", [self.full(self.customer), self.full(self.customer2)])
        ended = self.override_on("2026-01-12", self.customer, "key")
        self.override_on("2026-01-12", self.customer2, "growth", date_until="2026-01-30")
        with freeze_time("2026-01-31 20:00:00"):
            ended.action_end()
        self.score_on("2026-02-01", [self.full(self.customer), self.full(self.customer2)])
        self.assertEqual(self.snapshots().mapped("value_class"), ["standard", "standard"])

    def test_days_are_the_companys(self):
        self.alpha.partner_id.tz = "Asia/Tokyo"
        self.score_on("2026-01-10", [self.full(self.customer)])
        with freeze_time("2026-01-31 14:00:00"):
            self.score([self.full(self.customer)])
        self.assertFalse(self.snapshots())
        with freeze_time("2026-01-31 20:00:00"):
            self.score([self.full(self.customer)])
        self.assertEqual(self.days(), ["2026-01-31"])

    def test_companies_have_their_own(self):
        self.score_on("2026-01-10", [self.full(self.customer)], self.alpha)
        self.score_on("2026-01-10", [self.full(self.customer, value_class="key")], self.beta)
        self.score_on("2026-02-10", [self.full(self.customer)], self.beta)
        self.assertFalse(self.snapshots())
        kept = self.snapshots(self.customer, self.beta)
        self.assertEqual((kept.value_class, kept.currency_id), ("key", self.beta.currency_id))

    def test_merged_customers_leave_one(self):
        self.score_on("2026-01-10", [self.full(self.customer, value_class="key"), self.full(self.customer2)])
        self.score_on("2026-02-10", [self.full(self.customer), self.full(self.customer3)])
        self.score_on(
            "2026-03-10", [self.full(self.customer), self.full(self.customer2), self.full(self.customer3)]
        )
        self.assertEqual(len(self.snapshots()), 4)
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            (self.customer | self.customer2 | self.customer3).ids, self.customer2, extra_checks=False
        )
        january, february = self.snapshots()
        self.assertEqual(january.partner_id | february.partner_id, self.customer2)
        # In January of itself and another, in February of two others.
        self.assertEqual(
            (january.value_class, january.current_value, january.lifetime_value), ("standard", 1000, 3500)
        )
        self.assertEqual((february.value_class, february.current_value), ("standard", 1000))

    def test_merge_keeps_the_unknown(self):
        prospects = [
            {"partner_id": each.id, "value_segment": "prospect"} for each in (self.customer, self.customer2)
        ]
        self.score_on("2026-01-10", prospects)
        self.score_on("2026-02-10", prospects)
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            (self.customer | self.customer2).ids, self.customer2, extra_checks=False
        )
        self.env.cr.execute("SELECT current_value FROM crm_value_snapshot")
        self.assertEqual(self.env.cr.fetchall(), [(None,)])

    def test_deleted_customer(self):
        self.score_on("2026-01-10", [self.full(self.customer), self.full(self.customer2)])
        self.score_on("2026-02-10", [self.full(self.customer), self.full(self.customer2)])
        self.customer2.unlink()
        self.assertEqual(self.snapshots().partner_id, self.customer)
