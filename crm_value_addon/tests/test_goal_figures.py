from datetime import date

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

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

    def test_margin_rate_where_costs_are_not_kept(self):
        if "margin" in self.env["sale.order.line"]._fields:
            self.skipTest("sale_margin is installed; see TestGoalMargin")
        self.order(self.customer, 100, day="2026-03-02 12:00:00")
        self.assertEqual(self.on("2026-03-10", self.goal("margin", 0.3), "state"), "no_data")

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


@tagged("post_install", "-at_install", "-standard", "crm_value_export")
class TestGoalMargin(GoalCase):
    """Where sale_margin is installed: in the database of optional modules (`script/test`)."""

    def test_margin_rate(self):
        self.customer.user_id = self.seller
        for amount, cost, day in ((100, 60, "02"), (300, 240, "10"), (500, 0, "05"), (100, 10, "11")):
            self.order(
                self.customer,
                amount,
                day=f"2026-03-{day} 12:00:00",
                user_id=self.manager.id,
                line={"purchase_price": cost},
            )
        self.order(self.customer, 100, self.beta, day="2026-03-05 12:00:00", line={"purchase_price": 1})
        self.order(self.customer, 200, day="2026-02-28 12:00:00", line={"purchase_price": 1})
        # (40 + 60) / 400: of one the cost is not known, one comes later, one is of another company, one before.
        goal = self.goal("margin", 0.3)
        self.assertEqual(self.measures(goal), [("2026-03-10", 0.25)])
        self.assertIn("It was 99.5 %", self.on("2026-03-10", goal, "attainable"))
        self.assertEqual(self.measures(self.goal("margin", 0.3, salesperson_id=self.seller.id)), [])
        own = self.goal("margin", 0.3, salesperson_id=self.manager.id)
        self.assertEqual(self.measures(own), [("2026-03-10", 0.25)])
