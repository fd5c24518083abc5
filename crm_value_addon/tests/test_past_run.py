from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestPastRun(CustomerValueCase):
    """Runs as of days that are over write history as if they had been made then, and never behind what is there."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.alpha | cls.beta).partner_id.tz = "UTC"
        cls.startClassPatcher(freeze_time("2026-07-15 12:00:00"))

    def claim_as_of(self, day, company=None, **values):
        params = {"company_id": (company or self.alpha).id, "request": True, "as_of": day, **values}
        return self.contract.claim_run(worker="test:1", **params)["run"]

    def score_as_of(self, day, records, company=None):
        run = self.claim_as_of(day, company)
        self.publish(run, records)
        self.close(run, len(records))
        return self.env["crm.value.run"].browse(run["id"])

    def scored(self, company=None):
        (told,) = [
            each for each in self.contract.describe()["companies"] if each["id"] == (company or self.alpha).id
        ]
        return told["scored"]

    def test_history_is_dated_by_the_day_of_the_run(self):
        self.assertIsNone(self.scored())
        run = self.score_as_of("2026-04-30", [self.full(self.customer), self.full(self.customer2)])
        self.assertEqual(str(run.as_of), "2026-04-30")
        self.score_as_of(
            "2026-05-31", [self.full(self.customer, value_class="key"), self.full(self.customer2)]
        )
        self.assertEqual(self.scored(), "2026-05-31")
        self.score([self.full(self.customer, value_class="key")])
        self.assertEqual(self.scored(), "2026-07-15")
        states = [
            (str(state.valid_from), state.valid_to and str(state.valid_to), state.value_class)
            for state in self.history(self.customer)
        ]
        self.assertEqual(states, [("2026-04-30", "2026-05-31", "standard"), ("2026-05-31", False, "key")])
        gone = self.history(self.customer2)
        self.assertEqual((str(gone.valid_from), str(gone.valid_to)), ("2026-04-30", "2026-07-15"))

    def test_each_month_end_is_kept(self):
        for day, value_class in (("2026-04-30", "standard"), ("2026-05-31", "key"), ("2026-06-30", "growth")):
            self.score_as_of(day, [self.full(self.customer, value_class=value_class)])
        self.score([self.full(self.customer)])
        snapshots = self.env["crm.value.snapshot"].search([("company_id", "=", self.alpha.id)], order="date")
        self.assertEqual(
            [(str(each.date), each.value_class) for each in snapshots],
            [("2026-04-30", "standard"), ("2026-05-31", "key"), ("2026-06-30", "growth")],
        )

    def test_movement_between_two_past_days(self):
        self.score_as_of("2026-04-30", [self.full(self.customer)])
        self.score_as_of("2026-05-31", [self.full(self.customer, value_class="key", current_value=900)])
        self.score([self.full(self.customer)])
        moved = (
            self.env["crm.value.movement"]
            .with_context(movement_from="2026-04-30", movement_to="2026-05-31")
            .search([("partner_id", "=", self.customer.id)])
        )
        self.assertEqual(
            (moved.from_label, moved.to_label, moved.direction, moved.cause, moved.change_value),
            ("value_class:standard", "value_class:key", "up", "behaviour", 400),
        )

    def test_nothing_is_written_behind_a_later_run(self):
        self.score_as_of("2026-05-31", [self.full(self.customer)])
        for day in ("2026-05-30", "2026-04-30"):
            with self.assertRaisesRegex(UserError, r"\[scored-later\].*reaches to 2026-05-31.*" + day):
                self.claim_as_of(day)
        self.assertTrue(self.claim_as_of("2026-05-31"), "the same day again")
        self.assertTrue(self.claim_as_of("2026-04-30", self.beta), "another company")

    def test_nothing_is_written_behind_a_merge(self):
        self.score_as_of("2026-05-31", [self.full(self.customer), self.full(self.customer2)])
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            [self.customer.id, self.customer2.id], self.customer
        )
        with self.assertRaisesRegex(UserError, r"\[scored-later\].*reaches to 2026-07-15"):
            self.claim_as_of("2026-06-30")
        self.score([self.full(self.customer)])

    def test_days_that_cannot_be(self):
        for day, words in (
            ("2026-07-16", "not over yet"),
            ("tomorrow", "not a day"),
            ("2026-02-30", "not a day"),
            (7, "not a day"),
        ):
            with self.assertRaisesRegex(UserError, words):
                self.claim_as_of(day)
        for values in ({"kind": "backtest"}, {"request": False}, {"company_id": None}):
            with self.assertRaisesRegex(UserError, "day of its own"):
                self.claim_as_of("2026-05-31", **values)

    def test_today_is_no_past_day(self):
        run = self.claim_as_of("2026-07-15")
        self.assertEqual((run["as_of"], run["parameters"]), ("2026-07-15", {}))

    def test_today_is_that_of_the_company(self):
        self.alpha.partner_id.tz = "Pacific/Auckland"
        with freeze_time("2026-07-15 22:00:00"):
            self.assertEqual(self.claim_as_of("2026-07-16")["parameters"], {})
            self.assertEqual(self.claim_as_of("2026-07-15", self.beta)["parameters"], {})

    def test_the_active_policy_is_that_of_all(self):
        version = self.env["crm.value.policy.version"].create({"company_id": self.alpha.id})
        version.action_activate()
        run = self.claim_as_of("2026-05-31")
        self.assertEqual(run["policy"]["version_id"], version.id)

    def test_an_abandoned_run_of_its_day_is_taken_up(self):
        run = self.claim_as_of("2026-05-31")
        with freeze_time("2026-07-15 12:10:00"):
            again = self.claim_as_of("2026-05-31")
        self.assertEqual((again["id"], again["attempt"], again["as_of"]), (run["id"], 2, "2026-05-31"))

    def test_an_abandoned_run_of_another_day_ends(self):
        for first, second, as_of in (
            ("2026-05-31", "2026-06-30", "2026-06-30"),
            (None, "2026-06-30", "2026-06-30"),
            ("2026-05-31", None, "2026-07-15"),
        ):
            with self.subTest(first=first, second=second):
                run = self.claim_as_of(first) if first else self.claim()
                with freeze_time("2026-07-15 12:10:00"):
                    other = self.claim_as_of(second) if second else self.claim()
                self.assertNotEqual(other["id"], run["id"])
                self.assertEqual(other["as_of"], as_of)
                left = self.env["crm.value.run"].browse(run["id"])
                self.assertEqual((left.state, left.error), ("failed", "Its worker left it unfinished."))
                self.contract.close_run(run_id=other["id"], token=other["token"], state="failed")

    def test_the_schedule_does_not_come_between_two_days(self):
        self.alpha.crm_value_interval_hours = 24
        self.score_as_of("2026-05-31", [self.full(self.customer)])
        serving = {"worker": "serve:1", "company_id": self.alpha.id}
        self.assertIsNone(self.contract.claim_run(**serving)["run"])
        # Nobody went on: the company is not to stay as it was then.
        with freeze_time("2026-07-15 13:01:00"):
            run = self.contract.claim_run(**serving)["run"]
        self.assertEqual(run["as_of"], "2026-07-15")

    def test_a_requested_run_waits_behind_the_past(self):
        self.as_user("crm.value.run", self.manager, self.alpha).action_request()
        self.score_as_of("2026-05-31", [self.full(self.customer)])
        with freeze_time("2026-07-15 12:01:00"):
            waiting = self.claim()
            self.assertEqual(waiting["as_of"], "2026-07-15")
            self.publish(waiting, [self.full(self.customer)])
            self.close(waiting, 1)
        # It has the smaller number and is the last nevertheless.
        self.assertEqual(self.claim()["last_run"], waiting["id"])

    def test_people_see_of_which_day_scores_are(self):
        self.score_as_of("2026-05-31", [self.full(self.customer)])
        partner = self.as_user("res.partner", self.viewer, self.alpha).browse(self.customer.id)
        self.assertEqual(str(partner.scored_at), "2026-06-01 00:00:00")
        self.score([self.full(self.customer)])
        partner.invalidate_recordset()
        self.assertEqual(str(partner.scored_at), "2026-07-15 12:00:00")
