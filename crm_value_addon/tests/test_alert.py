from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .test_service_policy import ServiceCase


@tagged("post_install", "-at_install")
class TestAlert(ServiceCase):
    def setUp(self):
        super().setUp()
        self.seller = self._user("cv_seller", "sales_team.group_sale_salesman_all_leads", self.alpha)
        self.partners.user_id = self.seller
        # Two people at the first, so that one rule is silent there.
        self.env["res.partner"].create({"name": "Boss", "parent_id": self.customer.id})
        self.policy(contact_days=30, watched=True)

    def alerts(self, partner=None, rule=None):
        domain = [("partner_id", "=", (partner or self.customer).id)]
        domain += [("rule", "=", rule)] if rule else []
        return self.env["crm.value.alert"].search(domain, order="id")

    def activities(self, partner=None, done=False):
        return (
            self.env["mail.activity"]
            .with_context(active_test=not done)
            .search([("res_model", "=", "res.partner"), ("res_id", "=", (partner or self.customer).id)])
        )

    def test_each_rule_opens_one_activity(self):
        self.rescore()
        self.assertFalse(self.alerts())
        self.rescore(
            last_contact_date=str(self.ago(40)),
            anomaly="drop",
            anomaly_percent=-61,
            anomaly_since=str(self.ago(30)),
            churn_risk="high",
            churn_probability=0.8,
            reasons=[
                {
                    "code": "unanswered",
                    "direction": "value",
                    "contribution": 0,
                    "params": {"unanswered": 3, "messages": 5},
                    "model": None,
                    "record_ids": [],
                }
            ],
        )
        told = {alert.rule: alert.text for alert in self.alerts()}
        self.assertEqual(set(told), {"contact_overdue", "sales_drop", "at_risk", "unanswered"})
        self.assertIn("61 % less", told["sales_drop"])
        self.assertIn("80 %", told["at_risk"])
        self.assertIn("3 of 5 messages", told["unanswered"])
        activities = self.activities()
        self.assertEqual(len(activities), 4)
        self.assertEqual(activities.user_id, self.seller)
        self.assertEqual(self.alerts().activity_id, activities)
        # Another run finds the same: nothing is opened twice, done or not.
        activities[0].action_feedback("done")
        self.rescore(last_contact_date=str(self.ago(40)), churn_risk="high", churn_probability=0.9)
        self.assertEqual(len(self.alerts(rule="at_risk")), 1)
        self.assertIn("90 %", self.alerts(rule="at_risk").text)
        # The others are over, and with them what was to be done.
        self.assertEqual(len(self.alerts()), 4)
        left = (activities - activities[0]).exists().filtered("active")
        self.assertEqual(self.activities(), left)
        self.assertEqual(
            left, self.alerts().filtered(lambda alert: alert.state == "open").activity_id.filtered("active")
        )

    def test_a_value_that_falls(self):
        self.rescore(value_trend="falling", value_basis="margin")
        alert = self.alerts(rule="value_falling")
        self.assertIn("margin falls", alert.text)
        self.rescore(value_trend="steady", value_basis="margin")
        self.assertEqual(alert.state, "ended")

    def test_a_single_message_without_an_answer_alerts_nobody(self):
        for unanswered, messages, alerted in ((1, 2, 0), (2, 9, 0), (2, 8, 1)):
            reason = {"code": "unanswered", "direction": "value", "contribution": 0, "model": None}
            params = {"unanswered": unanswered, "messages": messages}
            self.rescore(reasons=[{**reason, "params": params, "record_ids": []}])
            found = self.alerts(rule="unanswered").filtered(lambda alert: alert.state != "ended")
            self.assertEqual(len(found), alerted, params)

    def test_opened_again_only_when_it_recurs(self):
        self.rescore(churn_risk="high", churn_probability=0.8)
        self.activities().action_feedback("called")
        self.rescore(churn_risk="high", churn_probability=0.8)
        self.assertFalse(self.activities(), "it goes on: no other")
        self.rescore(churn_risk="low", churn_probability=0.1)
        first = self.alerts(rule="at_risk")
        self.assertEqual((first.state, first.ended_on), ("ended", self.today))
        self.rescore(churn_risk="high", churn_probability=0.7)
        self.assertEqual(self.alerts(rule="at_risk").mapped("state"), ["ended", "open"])
        self.assertEqual(len(self.activities()), 1)

    def test_what_is_over_leaves_nothing_to_do(self):
        self.rescore(churn_risk="high", churn_probability=0.8)
        self.assertEqual(len(self.activities()), 1)
        self.rescore(churn_risk="low", churn_probability=0.1)
        self.assertEqual(self.alerts().state, "ended")
        self.assertFalse(self.activities(done=True), "neither open nor taken for done")
        # What was done stays.
        self.rescore(churn_risk="high", churn_probability=0.8)
        self.activities().action_feedback("called")
        self.rescore(churn_risk="low", churn_probability=0.1)
        self.assertEqual(len(self.activities(done=True)), 1)

    def test_a_single_contact_person(self):
        self.rescore()
        alert = self.alerts(self.customer2, "single_contact")
        self.assertIn("no person", alert.text)
        self.env["res.partner"].create({"name": "One", "parent_id": self.customer2.id})
        self.rescore()
        self.assertIn("one person", alert.text)
        self.env["res.partner"].create({"name": "Two", "parent_id": self.customer2.id})
        self.rescore()
        self.assertEqual(alert.state, "ended")
        # An address is no person.
        two = self.env["res.partner"].search([("name", "=", "Two")])
        two.type = "delivery"
        self.rescore()
        self.assertEqual(len(self.alerts(self.customer2, "single_contact")), 2)

    def test_only_who_is_under_safeguards(self):
        self.rescore()
        self.assertFalse(self.alerts(self.customer3), "of a class without safeguards")
        self.env["crm.value.service.policy"].search([]).watched = False
        self.rescore(churn_risk="high", churn_probability=0.9)
        self.assertFalse(self.alerts().filtered(lambda alert: alert.state != "ended"))

    def test_a_forecast_that_is_withheld_alerts_nobody(self):
        self.rescore(churn_risk=None, churn_probability=None, churn_withheld="t")
        self.assertFalse(self.alerts())

    def test_without_anybody_responsible(self):
        self.customer.user_id = False
        self.rescore(churn_risk="high", churn_probability=0.8)
        alert = self.alerts()
        self.assertEqual((alert.state, alert.hindrance), ("held", "nobody"))
        self.customer.user_id = self.seller
        self.rescore(churn_risk="high", churn_probability=0.8)
        self.assertEqual((alert.state, alert.user_id, alert.hindrance), ("open", self.seller, False))
        self.assertEqual(len(self.activities()), 1)

    def test_an_archived_salesperson(self):
        self.seller.active = False
        self.rescore(churn_risk="high", churn_probability=0.8)
        self.assertEqual(self.alerts().hindrance, "gone")

    def test_a_salesperson_of_another_company(self):
        other = self._user("cv_other", "sales_team.group_sale_salesman", self.beta)
        self.customer.user_id = other
        self.rescore(churn_risk="high", churn_probability=0.8)
        self.assertEqual(self.alerts().hindrance, "gone")

    def test_no_more_than_the_salesperson_can_take(self):
        self.alpha.crm_value_alerts_per_user = 1
        # The first is worth most.
        self.rescore(current_value=10**6, last_contact_date=str(self.ago(40)))
        self.assertEqual(self.alerts().state, "open")
        held = self.alerts(self.customer2)
        self.assertEqual(set(held.mapped("hindrance")), {"workload"})
        self.activities().action_feedback("done")
        self.rescore(current_value=10**6, last_contact_date=str(self.ago(40)))
        self.assertEqual(sorted(held.mapped("state")), ["held"] * (len(held) - 1) + ["open"])

    def test_too_many_at_once_are_held_with_a_summary(self):
        self.alpha.crm_value_alerts_at_once = 1
        people = self.env["res.partner"].create(
            [{"name": f"Shop {n}", "is_company": True, "user_id": self.seller.id} for n in range(3)]
        )
        records = [self.calm(each) for each in people]
        answer = self.score(records)
        self.assertTrue(answer)
        alerts = self.env["crm.value.alert"].search([("partner_id", "in", people.ids)])
        self.assertEqual(set(alerts.mapped("hindrance")), {"many"})
        run = self.env["crm.value.run"].search([("company_id", "=", self.alpha.id)], order="id desc", limit=1)
        self.assertIn("3 activities at once would be opened for “One contact person only”", run.warnings)
        self.score(records)
        self.assertEqual(set(alerts.mapped("state")), {"held"}, "they wait for a manager")
        with self.assertRaises(AccessError):
            alerts.with_user(self.user).action_release()
        alerts.with_user(self.manager).action_release()
        self.assertEqual(set(alerts.mapped("state")), {"open"})
        with self.assertRaises(UserError):
            alerts.with_user(self.manager).action_release()

    def test_a_past_day_alerts_nobody(self):
        run = self.contract.claim_run(
            worker="test:1",
            company_id=self.alpha.id,
            kind="score",
            request=True,
            as_of=str(self.ago(40)),
        )["run"]
        self.publish(run, [self.calm(self.customer2)])
        self.close(run, 1)
        self.assertFalse(self.alerts(self.customer2))
        self.rescore()
        self.assertTrue(self.alerts(self.customer2))

    def test_merged_customers_have_one(self):
        a, b = self.customer, self.customer2
        low, high = {"churn_risk": "low", "churn_probability": 0.1}, {"churn_risk": "high"}
        high["churn_probability"] = 0.8
        self.score([self.calm(a, **low), self.calm(b, **high)])
        elder = self.alerts(b, "at_risk")
        self.score([self.calm(a, **high), self.calm(b, **high)])
        younger = self.alerts(a, "at_risk")
        activity = elder.activity_id
        self.assertTrue(activity and younger.activity_id)
        self.env["base.partner.merge.automatic.wizard"].create({})._merge((a | b).ids, a, [])
        self.assertEqual((elder | younger).partner_id, a)
        self.assertEqual((elder.state, younger.state, younger.ended_on), ("open", "ended", self.today))
        self.assertEqual(elder.activity_id, activity)
        rules = self.alerts(a).filtered(lambda alert: alert.state != "ended").mapped("rule")
        self.assertEqual(sorted(rules), ["at_risk", "single_contact"])
        self.assertEqual(
            self.activities(a), self.alerts(a).filtered(lambda alert: alert.state == "open").activity_id
        )

    def test_nothing_is_kept_of_who_objects(self):
        others = self.customer.message_ids
        self.rescore(churn_risk="high", churn_probability=0.8)
        self.activities().action_feedback("done")
        own = self.customer.activity_schedule("mail.mail_activity_data_call", user_id=self.env.uid)
        own.action_feedback("of my own accord")
        self.rescore(churn_risk="low", churn_probability=0.1)
        self.rescore(churn_risk="high", churn_probability=0.8)
        self.assertEqual(len(self.activities(done=True)), 3)
        self.assertEqual(len(self.customer.message_ids - others), 2)
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        self.assertFalse(self.alerts())
        self.assertEqual(self.activities(done=True), own)
        left = self.customer.message_ids - others
        self.assertEqual(len(left), 1)
        self.assertIn("of my own accord", left.body)

    def test_only_the_engine_writes_alerts(self):
        self.rescore(churn_risk="high", churn_probability=0.8)
        alert = self.alerts()
        for user in (self.viewer, self.user, self.manager):
            self.assertTrue(alert.with_user(user).text)
            with self.assertRaises(AccessError):
                alert.with_user(user).write({"state": "ended"})
            with self.assertRaises(AccessError):
                alert.with_user(user).unlink()
        for user in (self.employee, self.portal, self.sync):
            with self.assertRaises(AccessError):
                alert.with_user(user).read(["text"])
        self.assertFalse(
            self.as_user("crm.value.alert", self.user, self.beta).search([("id", "=", alert.id)])
        )
