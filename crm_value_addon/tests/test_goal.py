from datetime import date, datetime, timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from ..goal_metrics import bounded, forecast, on_track
from .common import CustomerValueCase

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)


class GoalCase(CustomerValueCase):
    """Five customers scored on the last of February; goals are of March."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls._product()
        cls.restaurants = cls.env["crm.value.format"].create({"name": "Restaurants", "code": "restaurants"})
        cls.seller = cls._user("cv_seller", "sales_team.group_sale_salesman", cls.alpha)
        cls.five = cls.partners | cls.env["res.partner"].create({"name": "Customer 5"})

    def stages(self, day, *stages, company=None, **columns):
        """Score customers, one for each stage of the life cycle; ``columns`` hold a value for each."""
        rows = [
            self.whole(partner, lifecycle_stage=stage, **{name: of[i] for name, of in columns.items()})
            for i, (partner, stage) in enumerate(zip(self.five, stages, strict=False))
        ]
        return self.score_on(day, rows, company)

    def goal(self, metric, target, day="2026-03-10", company=None, user=None, **values):
        with freeze_time(f"{day} 12:00:00"):
            return self.as_user("crm.value.goal", user or self.manager).create(
                {
                    "company_id": (company or self.alpha).id,
                    "metric": metric,
                    "target": target,
                    "date_from": FIRST,
                    "date_to": LAST,
                    **values,
                }
            )

    def on(self, day, goal, *names):
        """Fields of a goal as a user reads them on a day; the only one bare."""
        with freeze_time(f"{day} 12:00:00"):
            self.env.invalidate_all()
            record = self.as_user("crm.value.goal", self.user).browse(goal.id)
            told = [record[name] for name in names]
        return told[0] if len(told) == 1 else told

    def measures(self, goal):
        self.env.invalidate_all()
        return [(str(each.date), round(each.actual, 4)) for each in goal.measure_ids]

    def lead(self, created, won=None, ordered=(), company=None, **values):
        """An opportunity made on a day, won on another, with confirmed orders."""
        company = company or self.alpha
        lead = self.env["crm.lead"].create(
            {"name": "Lead", "type": "opportunity", "company_id": company.id, **values}
        )
        if won:
            lead.action_set_won()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_lead SET create_date = %s, date_closed = %s WHERE id = %s",
            [f"{created} 12:00:00", won and f"{won} 12:00:00", lead.id],
        )
        lead.invalidate_recordset()
        for day in ordered:
            self.order(self.customer, company=company, day=f"{day} 12:00:00", opportunity_id=lead.id)
        return lead


@tagged("post_install", "-at_install")
class TestGoalFigures(GoalCase):
    """Each metric against numbers counted by hand."""

    def test_retention(self):
        # Active at the start: the first three. A prospect and a lost one are none of it.
        self.stages("2026-02-28", "retention", "extension", "won_back", "selection", "lost")
        self.stages("2026-03-10", "retention", "dormant", "acquisition", "acquisition", "won_back")
        goal = self.goal("retention", 0.5)
        self.assertEqual(self.measures(goal), [("2026-03-10", 0.6667)])
        # Ten of 31 days are gone, and more than a third of what may be lost: 83.9 % would be on the way.
        self.assertEqual(self.on("2026-03-10", goal, "actual_text", "state"), ["66.7 %", "behind"])
        # A goal of February begins with what was so at the end of January: nothing is known of that.
        self.assertEqual(self.measures(self.goal("retention", 0.5, date_from="2026-02-01")), [])

    def test_retention_of_key_customers(self):
        classes = ["key", "key", "standard", "standard", "key"]
        self.stages(
            "2026-02-28", "retention", "retention", "retention", "retention", "dormant", value_class=classes
        )
        # Who becomes key later is none of it; who is key no more still is.
        now = ["standard", "key", "key", "key", "key"]
        self.stages("2026-03-10", "retention", "lost", "retention", "retention", "retention", value_class=now)
        self.assertEqual(self.measures(self.goal("key_retention", 0.9)), [("2026-03-10", 0.5)])

    def test_reactivation(self):
        self.stages("2026-02-28", "dormant", "lost", "lost", "dormant", "retention")
        self.stages("2026-03-10", "won_back", "lost", "lost", "dormant", "retention")
        goal = self.goal("reactivation", 0.5)
        self.assertEqual(self.measures(goal), [("2026-03-10", 0.25)])
        # Ten of 31 days are gone: 0.16 would be on the straight way.
        self.assertEqual(self.on("2026-03-10", goal, "state"), "on_track")
        goal.target = 0.9
        self.assertEqual(self.on("2026-03-10", goal, "state"), "behind")

    def test_what_people_said_counts(self):
        self.stages("2026-02-28", "retention", "retention")
        self.stages("2026-03-10", "retention", "dormant")
        self.override_on("2026-03-11", self.customer2, "retention", label="lifecycle_stage")
        goal = self.goal("retention", 0.5, day="2026-03-12")
        self.assertEqual(self.measures(goal), [("2026-03-12", 1.0)])

    def test_share_at_loyalty(self):
        loyalty = ["loyalty", "preference", "loyalty", None, "loyalty"]
        # The third is lost, of the fourth nothing is known.
        self.stages(
            "2026-02-28", "retention", "retention", "lost", "retention", "retention", loyalty_stage=loyalty
        )
        self.assertEqual(self.measures(self.goal("loyalty", 0.9)), [("2026-03-10", 0.6667)])

    def test_days_from_lead_to_order(self):
        for values in (
            {"created": "2026-02-20", "won": "2026-03-02", "ordered": ["2026-03-05", "2026-03-02"]},  # 10
            {"created": "2026-03-01", "won": "2026-03-09", "ordered": ["2026-03-05"]},  # 4
            {
                "created": "2026-03-06",
                "won": "2026-03-07",
                "ordered": ["2026-03-01"],
            },  # 0: it was there before
            {"created": "2026-03-01", "won": "2026-03-08"},  # won without an order
            {"created": "2026-01-01", "won": "2026-02-20", "ordered": ["2026-02-20"]},  # won before
            {"created": "2026-03-01", "ordered": ["2026-03-09"]},  # not won
            {"created": "2025-03-01", "won": "2026-03-09", "ordered": ["2026-03-09"], "company": self.beta},
        ):
            self.lead(**values)
        goal = self.goal("lead_days", 3)
        self.assertEqual(self.measures(goal), [("2026-03-10", 4.0)])
        self.assertEqual(self.on("2026-03-10", goal, "actual_text", "direction"), ["4.0 days", "down"])

    def test_cost_per_order(self):
        costs = [40, 20, None, 0]
        self.stages("2026-03-10", *["retention"] * 4, cost_to_serve=costs)
        for partner, day, amount in (
            (self.contact, "2026-03-01", 100),
            (self.customer, "2025-03-11", 100),
            (self.customer, "2025-03-10", 100),  # before the window of 365 days
            (self.customer2, "2026-03-10", 100),
            (self.customer2, "2026-03-09", -100),  # a return
            (self.customer3, "2026-03-09", 100),  # whose cost is not known
        ):
            self.order(partner, amount, day=f"{day} 12:00:00")
        self.order(self.customer, company=self.beta, day="2026-03-09 12:00:00")
        goal = self.goal("order_cost", 5)
        self.assertEqual(self.measures(goal), [("2026-03-10", 20.0)])
        self.assertIn("20.00", self.on("2026-03-10", goal, "actual_text"))

    def test_cost_per_order_in_the_window_of_the_format(self):
        rule = {"key": "current_window_days", "value": "30", "format_id": self.restaurants.id}
        version = self.as_user("crm.value.policy.version", self.manager, self.alpha).create(
            {"company_id": self.alpha.id, "rule_ids": [Command.create(rule)]}
        )
        version.action_activate()
        self.stages(
            "2026-03-10", *["retention"] * 2, cost_to_serve=[30, 30], format_id=[self.restaurants.id, None]
        )
        for partner in self.five[:2]:
            for day in ("2026-03-09", "2026-01-09"):
                self.order(partner, day=f"{day} 12:00:00")
        self.assertEqual(self.measures(self.goal("order_cost", 1)), [("2026-03-10", 20.0)])

    def test_new_opportunities(self):
        for day in ("2026-03-01", "2026-03-02", "2026-03-10", "2026-02-28", "2026-03-11"):
            self.lead(day)
        self.lead("2026-03-03", company=self.beta)
        self.lead("2026-03-03", type="lead")
        converted = self.lead("2026-01-01")
        self.env.cr.execute(
            "UPDATE crm_lead SET date_conversion = '2026-03-04' WHERE id = %s", [converted.id]
        )
        lost = self.lead("2026-03-04")
        lost.action_set_lost()
        goal = self.goal("opportunities", 20)
        self.assertEqual(self.measures(goal), [("2026-03-10", 5.0)])
        # 5 in 10 of 31 days
        told = self.on("2026-03-10", goal, "forecast", "forecast_text", "state")
        self.assertEqual(told, [15.5, "16", "behind"])

    def test_days_are_the_companys(self):
        self.alpha.partner_id.tz = "Asia/Taipei"
        lead = self.lead("2026-02-28")
        self.env.cr.execute(
            "UPDATE crm_lead SET create_date = '2026-02-28 17:00:00' WHERE id = %s", [lead.id]
        )
        self.assertEqual(self.measures(self.goal("opportunities", 20))[-1], ("2026-03-10", 1.0))

    def test_satisfied_customers(self):
        satisfaction = ["satisfied", "neutral", "unsatisfied", None, "satisfied"]
        self.stages("2026-03-10", *["retention"] * 5, satisfaction=satisfaction)
        goal = self.goal("satisfied", 0.8)
        self.assertEqual(self.measures(goal), [("2026-03-10", 0.5)])
        # It is not kept as it was: of a past day nothing can be told.
        over = self.goal("satisfied", 0.8, date_from="2026-01-01", date_to="2026-02-15")
        self.assertEqual(self.on("2026-03-10", over, "state"), "no_data")

    def test_margin_rate(self):
        if "margin" not in self.env["sale.order.line"]._fields:
            goal = self.goal("margin", 0.3)
            self.order(self.customer, 100, day="2026-03-02 12:00:00")
            self.assertEqual(self.on("2026-03-10", goal, "state"), "no_data")
            return
        for amount, cost, day in ((100, 60, "02"), (300, 240, "10"), (500, 0, "05"), (100, 10, "11")):
            self.order(self.customer, amount, day=f"2026-03-{day} 12:00:00", line={"purchase_price": cost})
        self.order(self.customer, 100, self.beta, day="2026-03-05 12:00:00", line={"purchase_price": 1})
        # (40 + 60) / 400: of one the cost is not known, one comes later.
        self.assertEqual(self.measures(self.goal("margin", 0.3)), [("2026-03-10", 0.25)])

    def test_of_a_format_and_of_a_salesperson(self):
        self.five[:2].user_id = self.seller
        formats = [self.restaurants.id, None, self.restaurants.id]
        self.stages("2026-02-28", *["retention"] * 3, format_id=formats)
        self.stages(
            "2026-03-10", "lost", "retention", "retention", format_id=formats, loyalty_stage=["approval"] * 3
        )
        for partner, user in zip(self.five[:2], (self.seller, self.manager), strict=True):
            self.lead("2026-03-02", partner_id=partner.id, user_id=user.id)
        own = {"format_id": self.restaurants.id}
        mine = {"salesperson_id": self.seller.id}
        for metric, scope, expected in (
            ("retention", own, 0.5),
            ("retention", mine, 0.5),
            ("retention", own | mine, 0.0),
            ("retention", {}, 0.6667),
            ("opportunities", own, 1.0),
            ("opportunities", mine, 1.0),
            ("opportunities", {}, 2.0),
        ):
            with self.subTest(metric=metric, scope=scope):
                goal = self.goal(metric, 1, **scope)
                self.assertEqual(self.measures(goal), [("2026-03-10", expected)])
                self.assertEqual("Restaurants" in goal.display_name, "format_id" in scope)

    def test_each_company_for_itself(self):
        self.stages("2026-02-28", "retention", "retention")
        self.stages("2026-02-28", "retention", company=self.beta)
        self.stages("2026-03-10", "lost", "retention")
        self.stages("2026-03-10", "retention", company=self.beta)
        self.assertEqual(self.measures(self.goal("retention", 0.9)), [("2026-03-10", 0.5)])
        goal = self.goal("retention", 0.9, company=self.beta)
        self.assertEqual(self.measures(goal), [("2026-03-10", 1.0)])
        self.assertTrue(goal.with_user(self.user).display_name)
        # Orders and leads of a branch are its company's.
        self.lead("2026-03-02", company=self.branch)
        self.assertEqual(self.measures(self.goal("opportunities", 9)), [("2026-03-10", 1.0)])

    def test_gone_and_objecting_customers(self):
        self.stages("2026-02-28", "retention", "retention", "retention", "retention")
        self.stages("2026-03-10", "retention", "lost", "retention", "retention")
        goal = self.goal("retention", 0.9)
        self.assertEqual(self.measures(goal), [("2026-03-10", 0.75)])
        self.env["crm.value.objection"].create({"partner_id": self.customer3.id})
        self.lead("2026-03-02", partner_id=self.customer3.id)
        self.stages("2026-03-12", "retention", "lost")  # the fourth is scored no more
        self.assertEqual(self.measures(goal)[-1], ("2026-03-12", 0.5))
        self.assertEqual(self.measures(self.goal("opportunities", 9))[-1][1], 0.0)
        self.customer2.unlink()
        self.stages("2026-03-13", "retention")
        self.assertEqual(self.measures(goal)[-1], ("2026-03-13", 1.0))

    def test_queries_do_not_grow_with_customers(self):
        def queries(stages):
            self.stages("2026-02-28", *stages)
            goal = self.goal("retention", 0.5)
            counted = []
            for metric in dict(goal._fields["metric"].selection):
                scope = {"format_id": self.restaurants.id, "salesperson_id": self.seller.id}
                with freeze_time("2026-03-10 12:00:00"):
                    other = goal.new({"company_id": self.alpha.id, "metric": metric, **scope})
                    before = self.env.cr.sql_log_count
                    other._figure(FIRST, LAST)
                    counted.append(self.env.cr.sql_log_count - before)
            goal.unlink()
            return counted

        queries(["retention"])
        few = queries(["retention"])
        self.assertEqual(queries(["retention"] * 5), few)
        self.assertLess(max(few), 12)


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
