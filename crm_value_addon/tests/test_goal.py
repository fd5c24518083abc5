from datetime import date, datetime, timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged

from ..goal_metrics import bounded, forecast, on_track
from .test_goal_figures import FIRST, LAST, GoalCase


@tagged("post_install", "-at_install")
class TestGoal(GoalCase):
    def counted(self, *days, target=20, **values):
        for day in days:
            self.lead(day)
        return self.goal("opportunities", target, **values)

    def test_runs_of_today_measure(self):
        goal = self.counted("2026-03-02", "2026-03-11")
        self.stages("2026-03-11", "retention")
        self.stages("2026-03-11", "retention")
        self.assertEqual(self.measures(goal), [("2026-03-10", 1.0), ("2026-03-11", 2.0)])
        self.stages("2026-03-12", "retention", company=self.beta)
        self.assertEqual(len(goal.measure_ids), 2, "a run of another company")
        # A run of a past day measures nothing.
        with freeze_time("2026-03-15 12:00:00"):
            self.env["crm.value.run"].sudo()._request_past(self.alpha, date(2026, 3, 13))
            run = self.claim()
            self.publish(run, [self.whole(self.customer)])
            self.close(run, 1)
        self.assertEqual(len(self.measures(goal)), 2)

    def test_over_and_final(self):
        reached = self.counted("2026-03-02", "2026-03-31", target=2)
        missed = self.goal("opportunities", 3)
        self.assertEqual(self.on("2026-03-10", reached, "state"), "on_track")
        # Not measured on its last day: it is missed as far as anybody knows, until the next run.
        self.assertEqual(self.on("2026-04-01", reached, "state"), "missed")
        self.stages("2026-04-05", "retention")
        for goal, state in ((reached, "reached"), (missed, "missed")):
            self.assertEqual(self.measures(goal), [("2026-03-10", 1.0), ("2026-03-31", 2.0)])
            told = self.on("2026-04-05", goal, "state", "forecast_text", "actual_text")
            self.assertEqual(told, [state, "", "2"])
        # What is found out later changes nothing.
        self.lead("2026-03-30")
        self.stages("2026-04-06", "retention")
        self.assertEqual(self.measures(reached)[-1], ("2026-03-31", 2.0))

    def test_final_of_labels_is_of_the_last_day(self):
        self.stages("2026-02-28", "retention", "retention")
        goal = self.goal("retention", 0.9, day="2026-03-01")
        self.stages("2026-03-20", "lost", "retention")
        self.stages("2026-04-02", "retention", "retention")
        self.assertEqual(self.measures(goal)[-1], ("2026-03-31", 0.5))
        self.assertEqual(self.on("2026-04-02", goal, "state"), "missed")

    def test_last_measure_stands_of_what_is_not_kept(self):
        satisfaction = ["satisfied", "unsatisfied"]
        self.stages("2026-03-09", *["retention"] * 2, satisfaction=satisfaction)
        goal = self.goal("satisfied", 0.8)
        self.stages("2026-03-31", *["retention"] * 2, satisfaction=["satisfied"] * 2)
        self.stages("2026-04-01", *["retention"] * 2, satisfaction=["unsatisfied"] * 2)
        self.assertEqual(self.measures(goal), [("2026-03-10", 0.5), ("2026-03-31", 1.0)])
        self.assertEqual(self.on("2026-04-01", goal, "state"), "reached")

    def test_month_ends_before_it_was_set_are_told(self):
        self.stages("2026-01-31", "retention", "retention", "retention", "retention")
        self.stages("2026-02-20", "retention", "retention", "retention", "lost")
        self.stages("2026-03-10", "retention", "retention", "lost", "lost")
        goal = self.goal("retention", 0.2, date_from="2026-02-01", date_to="2026-04-30", day="2026-04-10")
        told = [("2026-02-28", 0.75), ("2026-03-31", 0.5), ("2026-04-10", 0.5)]
        self.assertEqual(self.measures(goal), told)
        # Least squares by hand, over days before the end.
        days = [-61, -30, -20]
        mean = sum(days) / 3
        slope = sum((x - mean) * (y - 1.75 / 3) for x, (_day, y) in zip(days, told, strict=True))
        slope /= sum((x - mean) ** 2 for x in days)
        self.assertAlmostEqual(self.on("2026-04-10", goal, "forecast"), 1.75 / 3 - slope * mean)
        self.assertEqual(self.on("2026-04-10", goal, "state"), "on_track")

    def test_no_data_is_not_zero(self):
        goal = self.goal("retention", 0.5)
        names = ("state", "actual_text", "forecast_text", "measured_on", "course", "progress")
        self.assertEqual(self.on("2026-03-10", goal, *names), ["no_data", "", "", False, False, 0])
        later = self.goal("retention", 0.5, date_from="2026-03-20")
        self.assertEqual(self.on("2026-03-10", later, "state"), "upcoming")
        self.stages("2026-03-11", "retention")
        self.assertFalse(self.measures(later), "it has not begun")
        self.assertEqual(self.on("2026-04-10", goal, "state"), "no_data")

    def test_a_target_of_another_metric_is_let_go(self):
        """A form that showed 0.9 opportunities as 1, and then said that 1 is the least, would be a riddle."""
        with freeze_time("2026-03-10 12:00:00"):
            form = Form(self.as_user("crm.value.goal", self.manager, self.alpha))
            form.metric, form.target = "retention", 0.9
            form.metric = "reactivation"
            self.assertEqual(form.target, 0.9)
            form.metric = "opportunities"
            self.assertEqual(form.target, 0)
            form.target = 20
            form.metric = "margin"
            self.assertEqual(form.target, 0)

    def test_a_margin_that_nobody_keeps_is_said_to_be_so(self):
        kept = "margin" in self.env["sale.order.line"]._fields
        told = self.env["crm.value.goal"].new({"metric": "margin"}).definition
        self.assertEqual("switch on the margins" in told, not kept)

    def test_search_by_state_and_owner(self):
        ahead = self.counted("2026-03-02", target=2)
        behind = self.goal("opportunities", 500)
        empty = self.goal("retention", 0.5, user_id=self.user.id)
        with freeze_time("2026-03-10 12:00:00"):
            goals = self.as_user("crm.value.goal", self.user, self.alpha)
            for domain, found in (
                ([("state", "=", "on_track")], ahead),
                ([("state", "!=", "on_track")], behind | empty),
                ([("state", "in", ("behind", "no_data"))], behind | empty),
                ([("state", "=", "missed")], goals),
                ([("user_id", "=", self.user.id)], empty),
            ):
                self.assertEqual(set(goals.search(domain).ids), set(found.ids), domain)

    def test_course_has_what_is_drawn(self):
        goal = self.counted("2026-03-02", "2026-03-11")
        self.stages("2026-03-11", "retention")
        course = self.on("2026-03-11", goal, "course")
        self.assertEqual(
            [(each["x"], each["y"], each["text"]) for each in course["points"]], [(9, 1, "1"), (10, 2, "2")]
        )
        self.assertEqual((course["days"], course["target"], course["unit"]), (30, 20, "count"))
        self.assertAlmostEqual(course["forecast"], 2 * 31 / 11)
        self.assertEqual(
            course["text"], "2 so far, against a target of 20. At this pace it will be 6 at the end."
        )

    def test_before(self):
        for day in ("2026-02-01", "2026-02-27", "2026-01-29", "2026-01-28"):
            self.lead(day)
        goal = self.goal("opportunities", 20)
        # March has 31 days, and so has the period before: from 29 January on.
        self.assertIn("It was 3 in 01/29/2026 to 02/28/2026", self.on("2026-03-10", goal, "attainable"))
        self.assertIn("Not known", self.on("2026-03-10", self.goal("retention", 0.5), "attainable"))
        # The form asks before anything is saved, and only of what is the reader's own.
        with freeze_time("2026-03-10 12:00:00"):
            values = {
                "company_id": self.alpha.id,
                "metric": "opportunities",
                "date_from": FIRST,
                "date_to": LAST,
            }
            goals = self.as_user("crm.value.goal", self.manager)
            self.assertIn("It was 3", goals.new(values).attainable)
            stranger = self._user("cv_stranger", "crm_value_addon.group_manager", self.beta)
            self.assertFalse(self.as_user("crm.value.goal", stranger).new(values).attainable)
            self.assertFalse(goals.new({**values, "date_to": "2026-01-01"}).attainable)
            self.assertFalse(goals.new({**values, "date_to": False}).attainable)

    def test_bad_input(self):
        for metric, target, values in (
            ("retention", 1.2, {}),
            ("retention", 0, {}),
            ("retention", -0.1, {}),
            ("retention", float("nan"), {}),
            ("margin", 1.01, {}),
            ("opportunities", 0, {}),
            ("opportunities", float("inf"), {}),
            ("lead_days", -1, {}),
            ("order_cost", 0, {}),
            ("retention", 0.5, {"date_to": "2026-02-28"}),
            ("retention", 0.5, {"date_from": "0001-01-01"}),
            ("retention", 0.5, {"date_to": "9999-12-31"}),
            ("retention", 0.5, {"date_from": "2100-01-01", "date_to": "2100-01-31"}),
            ("retention", 0.5, {"company": self.branch}),
        ):
            with (
                self.subTest(metric=metric, target=target, **values),
                self.assertRaises(ValidationError),
                self.env.cr.savepoint(),
            ):
                self.goal(metric, target, **values)
        self.goal("lead_days", 0)
        self.goal("retention", 1, date_to=FIRST)

    def test_what_is_reached_already_is_refused(self):
        self.stages(
            "2026-02-28",
            *["retention"] * 4,
            loyalty_stage=["loyalty", "loyalty", "approval", "approval"],
            satisfaction=["satisfied", "neutral", None, None],
            cost_to_serve=[10, 10, 10, 10],
        )
        for partner in self.partners:
            self.order(partner, day="2026-02-01 12:00:00")
        for metric, reached, asked in (
            ("loyalty", 0.5, 0.55),
            ("satisfied", 0.5, 0.55),
            ("order_cost", 10, 9),
        ):
            with self.subTest(metric=metric):
                with self.assertRaisesRegex(ValidationError, "reached already"), self.env.cr.savepoint():
                    self.goal(metric, reached)
                goal = self.goal(metric, asked)
                with self.assertRaises(ValidationError), self.env.cr.savepoint():
                    goal.target = reached
        # Reached since it was set: that is what it was set for.
        satisfied = self.goal("satisfied", 0.8)
        self.stages("2026-03-11", *["retention"] * 4, satisfaction=["satisfied"] * 4)
        with freeze_time("2026-03-11 12:00:00"):
            satisfied.target = 0.75
        self.assertEqual(self.on("2026-03-11", satisfied, "state"), "on_track")
        # A stranger learns nothing of a company by asking for a goal of it.
        stranger = self._user("cv_stranger", "crm_value_addon.group_manager", self.beta)
        with self.assertRaises(AccessError):
            self.goal("loyalty", 0.5, user=stranger)

    def test_no_goal_is_given_to_a_company_that_is_not_the_writers(self):
        loyal = {"loyalty_stage": ["loyalty", "approval"]}
        for company in (self.alpha, self.beta):
            self.stages("2026-02-28", "retention", "retention", company=company, **loyal)
            self.stages("2026-03-09", "retention", "lost", company=company, **loyal)
        own = self._user("cv_own", "crm_value_addon.group_manager", self.alpha)
        goal = self.goal("retention", 0.9, user=own)
        # By its measures, or by being told that it is reached already, it would tell a figure of Beta.
        for user, companies in ((own, self.alpha), (self.manager, self.alpha)):
            mine = self.as_user("crm.value.goal", user, companies).browse(goal.id)
            for values in ({}, {"metric": "loyalty", "target": 0.5}):
                with self.assertRaises(AccessError), self.env.cr.savepoint():
                    mine.write({"company_id": self.beta.id, **values})
        self.assertEqual(goal.company_id, self.alpha)
        self.assertEqual(self.measures(goal), [("2026-03-10", 0.5)])
        # Whose both companies are may.
        with freeze_time("2026-03-11 12:00:00"):
            self.as_user("crm.value.goal", self.manager).browse(goal.id).company_id = self.beta
        self.assertEqual(self.measures(goal.sudo()), [("2026-03-11", 0.5)])

    def test_another_metric_is_measured_anew(self):
        goal = self.counted("2026-03-02", "2026-03-20")
        self.stages("2026-03-25", "retention")
        self.assertEqual(len(self.measures(goal)), 2)
        with freeze_time("2026-03-26 12:00:00"):
            goal.date_to = "2026-03-22"
            self.assertEqual(self.measures(goal), [("2026-03-10", 1.0), ("2026-03-22", 2.0)])
            goal.date_to = "2026-04-22"
            self.assertEqual(self.measures(goal), [("2026-03-10", 1.0), ("2026-03-26", 2.0)])
            goal.write({"metric": "retention", "target": 0.5})
            self.assertEqual(self.measures(goal), [])
            self.assertEqual(self.on("2026-03-26", goal, "state"), "no_data")

    def test_who_may_see_and_change(self):
        goal = self.counted("2026-03-02")
        self.assertTrue(self.on("2026-03-10", goal, "state"))
        for user in (self.user, self.viewer, self.employee, self.portal, self.sync):
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    goal.with_user(user).target = 3
                with self.assertRaises(AccessError):
                    goal.with_user(user).metric = "retention"
                with self.assertRaises(AccessError):
                    goal.with_user(user).unlink()
                if user != self.user:
                    with self.assertRaises(AccessError):
                        goal.with_user(user).read(["target"])
        self.assertEqual(len(goal.measure_ids), 1)
        stranger = self._user("cv_stranger", "crm_value_addon.group_manager", self.beta)
        self.assertFalse(self.as_user("crm.value.goal", stranger).search([]))
        self.assertFalse(self.as_user("crm.value.goal.measure", stranger).search([]))
        # Measures are nobody's to write.
        for user in (self.manager, self.env.ref("base.user_admin")):
            measures = self.as_user("crm.value.goal.measure", user, self.alpha)
            with self.assertRaises(AccessError):
                measures.create({"goal_id": goal.id, "date": LAST, "actual": 99})
            with self.assertRaises(AccessError):
                measures.browse(goal.measure_ids.id).actual = 99
            with self.assertRaises(AccessError):
                measures.browse(goal.measure_ids.id).unlink()
        goal.with_user(self.manager).unlink()
        self.assertFalse(self.env["crm.value.goal.measure"].sudo().search([]))

    def test_forecast_and_pace(self):
        first, last = date(2026, 1, 1), date(2026, 1, 31)

        def days(*measures):
            return [(date(2026, 1, day), actual) for day, actual in measures]

        self.assertIsNone(forecast("retention", days((1, 1.0), (11, 0.9)), first, last))
        self.assertAlmostEqual(forecast("retention", days((1, 1.0), (11, 0.9), (21, 0.8)), first, last), 0.7)
        self.assertEqual(forecast("reactivation", days((1, 0.2), (2, 0.5), (3, 0.8)), first, last), 1.0)
        self.assertEqual(forecast("lead_days", days((1, 9), (2, 6), (3, 3)), first, last), 0.0)
        self.assertEqual(bounded("margin", -0.2), -0.2)
        self.assertEqual(forecast("opportunities", days((10, 5)), first, last), 15.5)
        self.assertIsNone(forecast("opportunities", [], first, last))
        # 90 % at the end: 95 % is on the way half-way, 94 % is not.
        for actual, expected in ((0.96, True), (0.94, False), (0.85, False)):
            self.assertEqual(on_track("retention", days((15, actual)), 0.9, first, last), expected, actual)
        # From 20 days to 10: after a third of the way 16.7 are on it.
        for actual, expected in ((16, True), (18, False)):
            self.assertEqual(on_track("lead_days", days((1, 20), (11, actual)), 10, first, last), expected)
        # From 5 days to 10 at most: what is there already is to be held.
        for actual, expected in ((9, True), (11, False)):
            self.assertEqual(on_track("lead_days", days((1, 5), (11, actual)), 10, first, last), expected)
        self.assertFalse(on_track("lead_days", days((31, 20)), 10, first, last), "no day is left")

    def test_days_of_measures_are_dates(self):
        goal = self.counted("2026-03-02")
        self.assertNotIsInstance(goal.measure_ids.date, datetime)
        self.assertEqual(goal.measure_ids.date, FIRST + timedelta(days=9))
