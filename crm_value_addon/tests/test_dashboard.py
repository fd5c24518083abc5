import math

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestDashboard(CustomerValueCase):
    """Computed by hand: three customers in Alpha, one in Beta."""

    def setUp(self):
        super().setUp()
        a, b, c, d = self.partners
        a.user_id = self.user
        self.team = self.env["crm.team"].create({"name": "North", "member_ids": [Command.link(self.user.id)]})
        self.score_on(
            "2026-01-20",
            [
                self.whole(a, **self.worth(700), value_segment="key_stable", value_class="key"),
                self.whole(b, **self.worth(200), value_segment="standard", value_class="standard"),
            ],
        )
        self.score_on(
            "2026-02-10",
            [
                self.whole(
                    a,
                    **self.worth(600, 0.5),
                    value_segment="key_at_risk",
                    value_class="key",
                    churn_risk="high",
                ),
                self.whole(
                    b,
                    **self.worth(300, 0.1),
                    value_segment="standard",
                    value_class="standard",
                    satisfaction="satisfied",
                ),
                self.whole(
                    c,
                    **self.worth(100, 0.9),
                    value_segment="lost",
                    value_class="standard",
                    lifecycle_stage="lost",
                    satisfaction=None,
                ),
            ],
        )
        self.score_on("2026-02-10", [self.whole(d, **self.worth(5000))], company=self.beta)

    def worth(self, current, p=0.25):
        return {"current_value": current, "lifetime_value": 2 * current, "churn_probability": p}

    def dashboard(self, user=None, company=None):
        return self.as_user("crm.value.dashboard", user or self.user, company or self.alpha)

    def opened(self, action, user=None):
        records = self.as_user(action["res_model"], user or self.user, self.alpha).with_context(
            **action["context"]
        )
        return records.search(action["domain"]).partner_id

    def test_overview(self):
        data = self.dashboard().read_overview()
        self.assertEqual(data["currency_id"], self.alpha.currency_id.id)
        self.assertEqual(data["basis"], "Revenue")
        total = data["total"]
        self.assertEqual(
            (total["customers"], total["current_value"], total["lifetime_value"]), (3, 1000, 2000)
        )
        # The lost customer is not at risk: it is gone.
        self.assertEqual(total["risky"], 2)
        self.assertAlmostEqual(total["at_risk"], 0.5 * 600 + 0.1 * 300)
        self.assertAlmostEqual(total["leaving"], 0.6)
        self.assertAlmostEqual(total["spread"], math.sqrt(0.25 * 600**2 + 0.09 * 300**2))
        self.assertEqual(data["key_at_risk"]["customers"], 1)
        self.assertEqual(
            [(row["value"], row["customers"], row["current_value"]) for row in data["segments"]],
            [("key_at_risk", 1, 600), ("standard", 1, 300), ("lost", 1, 100)],
        )
        self.assertEqual(
            [(row["name"], row["risky"], row["at_risk"]) for row in data["at_risk"]["user"]],
            [(self.user.name, 1, 300), ("Without a salesperson", 1, 30)],
        )
        self.assertEqual(data["at_risk"]["team"][0]["name"], "North")
        self.assertEqual(
            [
                (row["value"], {part["value"]: part["customers"] for part in row["parts"]})
                for row in data["satisfaction"]
            ],
            [
                ("key", {"satisfied": 0, "neutral": 0, "unsatisfied": 1}),
                ("standard", {"satisfied": 1, "neutral": 0, "unsatisfied": 0}),
            ],
        )

    def test_concentration_is_that_of_the_last_run(self):
        self.assertIsNone(self.dashboard().read_overview()["concentration"])
        run = self.env["crm.value.run"].search(
            [("company_id", "=", self.alpha.id), ("state", "=", "done")], order="id desc", limit=1
        )
        curve = [[0, 0], [0.3333, 0.1], [0.6667, 0.4], [1, 1]]
        figures = {"top_10": 1.0, "customers_for_80_percent": 2, "lorenz": curve, "losses": []}
        result = {"concentration": {"basis": "revenue", "customers": figures, "groups": None}}
        self.env["crm.value.analysis"]._record_analysis(run, result)
        data = self.dashboard().read_overview()
        self.assertEqual(data["concentration"], {"carriers": 2, "top_10": 1.0, "curve": curve})
        self.assertEqual(data["total"]["buying"], 3)
        self.assertIsNone(self.dashboard(company=self.beta).read_overview()["concentration"])

    def test_month_end(self):
        month_end = self.dashboard().read_overview()["month_end"]
        self.assertEqual((month_end["date"], month_end["current_value"]), ("01/31/2026", 900))
        self.assertEqual((month_end["lifetime_value"], month_end["key_at_risk"]), (1800, 0))

    def test_every_figure_opens_its_customers(self):
        a, b, c, _d = self.partners
        dashboard = self.dashboard()
        data = dashboard.read_overview()
        self.assertEqual(self.opened(dashboard.open_customers("all")), a | b | c)
        for row in data["segments"]:
            opened = self.opened(dashboard.open_customers("segment", row["value"]))
            self.assertEqual(len(opened), row["customers"])
        self.assertEqual(self.opened(dashboard.open_customers("at_risk")), a | b)
        for by, rows in data["at_risk"].items():
            self.assertTrue(rows)
            for row in rows:
                opened = self.opened(dashboard.open_customers("at_risk", row["value"], by))
                self.assertEqual(len(opened), row["risky"], (by, row["name"]))
        self.assertEqual(self.opened(dashboard.open_customers("satisfaction", ["key", "unsatisfied"])), a)

    def test_movement(self):
        dashboard = self.dashboard()
        movement = dashboard.read_movement("value_segment", "2026-01-31")
        flows = {(flow["from"], flow["to"]): flow for flow in movement["flows"]}
        moved = flows["value_segment:key_stable", "value_segment:key_at_risk"]
        self.assertEqual(
            (moved["customers"], moved["direction"], moved["from_name"]), (1, "down", "Key, stable")
        )
        self.assertEqual(flows["absent", "value_segment:lost"]["direction"], "new")
        for ends, flow in flows.items():
            action = dashboard.open_movement("value_segment", "2026-01-31", *ends)
            self.assertEqual(len(self.opened(action)), flow["customers"])
        self.assertIn("2026-01-31", [day["day"] for day in movement["days"]])
        matrix = dashboard.open_movement("value_segment", "2026-01-31")
        self.assertEqual(len(self.opened({**matrix, "domain": []})), 3)

    def test_without_a_forecast(self):
        self.env.cr.execute("UPDATE crm_value_profile SET churn_withheld = TRUE")
        self.env.invalidate_all()
        data = self.dashboard().read_overview()
        self.assertEqual((data["total"]["risky"], data["at_risk"]["user"]), (0, []))
        self.assertFalse(self.opened(self.dashboard().open_customers("at_risk")))

    def test_companies_stay_apart(self):
        data = self.dashboard(company=self.beta).read_overview()
        self.assertEqual((data["customers"], data["total"]["current_value"]), (1, 5000))
        self.assertEqual(data["currency_id"], self.beta.currency_id.id)
        branch = self.dashboard(company=self.branch).read_overview()
        self.assertEqual(branch["customers"], 3)

    def test_before_the_first_run(self):
        self.env.cr.execute("DELETE FROM crm_value_profile; DELETE FROM crm_value_run")
        self.env.invalidate_all()
        data = self.dashboard().read_overview()
        self.assertEqual((data["customers"], data["as_of"], data["stale"]), (0, "", False))

    def test_old_scores_are_told(self):
        self.assertTrue(self.dashboard().read_overview()["stale"])

    def test_scores_made_up_of_a_past_day_are_old_however_late_they_are_made(self):
        self.score_on(self.alpha._crm_value_today(), [self.whole(self.partners[0])])
        self.assertFalse(self.dashboard().read_overview()["stale"])
        run = self.env["crm.value.run"].search([("company_id", "=", self.alpha.id)], order="id desc", limit=1)
        run.write({"as_of": "2026-02-10", "closed_at": fields.Datetime.now()})
        self.assertTrue(self.dashboard().read_overview()["stale"])

    def test_only_who_sees_amounts(self):
        for user in (self.viewer, self.employee, self.portal, self.sync):
            dashboard = self.dashboard(user)
            for ask in (
                dashboard.read_overview,
                dashboard.read_movement,
                dashboard.read_cohorts,
                lambda dashboard=dashboard: dashboard.open_customers("all"),
                lambda dashboard=dashboard: dashboard.open_movement("value_class", "2026-01-31"),
            ):
                with self.assertRaises(AccessError):
                    ask()

    def test_bad_questions(self):
        dashboard = self.dashboard()
        for ask in (
            lambda: dashboard.open_customers("everything"),
            lambda: dashboard.open_customers("satisfaction", "key"),
            lambda: dashboard.open_customers("at_risk", 1, "partner_id"),
            lambda: dashboard.open_movement("name", "2026-01-31"),
            lambda: dashboard.open_movement("value_class", "soon"),
            lambda: dashboard.read_movement("name"),
        ):
            with self.assertRaises(UserError):
                ask()

    def test_as_many_queries_for_many_customers(self):
        def count():
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.dashboard().read_overview()
            return self.env.cr.sql_log_count - before

        count()
        few = count()
        more = self.env["res.partner"].create(
            [{"name": f"More {i}", "user_id": self.user.id} for i in range(20)]
        )
        self.score_on("2026-02-11", [self.whole(partner) for partner in more])
        self.assertEqual(count(), few)
