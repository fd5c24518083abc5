from datetime import timedelta

import psycopg2

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CustomerValueCase


class ServiceCase(CustomerValueCase):
    """Two key customers, one of them a restaurant, and a standard one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls._product()
        cls.restaurants = cls.env["crm.value.format"].create({"name": "Restaurants", "code": "restaurants"})
        cls.today = cls.alpha._crm_value_today()

    def rescore(self, **values):
        """Score the customers as of today; ``values`` are of the first of them."""
        a, b, c, _d = self.partners
        return self.score(
            [
                self.calm(a, **values),
                self.calm(b, format_id=self.restaurants.id),
                self.calm(c, value_class="standard"),
            ]
        )

    def calm(self, partner, **values):
        """A row about a key customer that gives no reason to worry."""
        return self.whole(
            partner,
            **{
                "value_class": "key",
                "format_id": None,
                "value_trend": "steady",
                "anomaly": None,
                "anomaly_percent": None,
                "anomaly_since": None,
                "last_contact_date": str(self.today),
                "last_order_date": str(self.today),
                "reasons": [],
                **values,
            },
        )

    def policy(self, value_class="key", company=None, **values):
        return self.env["crm.value.service.policy"].create(
            {"company_id": (company or self.alpha).id, "value_class": value_class, **values}
        )

    def ago(self, days):
        return self.today - timedelta(days=days)


@tagged("post_install", "-at_install")
class TestServicePolicy(ServiceCase):
    def setUp(self):
        super().setUp()
        self.rescore(last_contact_date=str(self.ago(40)), last_order_date=str(self.ago(5)))

    def of(self, partner, user=None, company=None):
        record = self.as_user("res.partner", user or self.viewer, company or self.alpha).browse(partner.id)
        return record.service_policy_id, record.service_terms

    def due(self, partner):
        self.env.invalidate_all()
        return self.as_user("res.partner", self.viewer, self.alpha).browse(partner.id).contact_due

    def test_that_of_its_own_format_goes_before_that_of_all(self):
        a, b, c, d = self.partners
        general = self.policy()
        self.policy(company=self.beta)
        own = self.policy(format_id=self.restaurants.id)
        self.assertEqual(self.of(a)[0], general)
        self.assertEqual(self.of(b)[0], own)
        self.assertFalse(self.of(c)[0], "of another class")
        self.assertFalse(self.of(d)[0], "not scored")
        self.assertEqual(self.of(self.contact)[0], general, "a contact is served as its company")
        self.assertFalse(self.of(a, company=self.beta)[0], "it is no customer there")
        self.assertEqual((general.customers, own.customers), (1, 1))
        for policy, customer in ((general, a), (own, b)):
            action = policy.action_open_customers()
            self.assertEqual(self.env["crm.value.profile"].search(action["domain"]).partner_id, customer)

    def test_recommended_and_measured(self):
        a, b, c, d = self.partners
        self.score(
            [
                self.calm(a, service_strategy="zipper", response_hours=2),
                self.calm(b, service_strategy="velcro", response_hours=7),
                self.calm(c, service_strategy="zipper", response_hours=None),
                self.calm(d, value_class="standard", service_strategy="hook", response_hours=99),
            ]
        )
        policy = self.policy(response_hours=4)
        self.assertEqual(policy.recommended, "Zipper 2, Velcro 1")
        self.assertEqual(policy.measured, "4.5 hours; longer for 1 of 2")
        policy.response_hours = 0
        self.assertEqual(policy.measured, "4.5 hours")
        empty = self.policy("growth")
        self.assertEqual((empty.recommended, empty.measured, empty.customers), ("", "", 0))

    def test_terms_in_words(self):
        self.policy(
            strategy="zipper", contact_days=30, response_hours=4, limits_discount=True, discount_ceiling=0.1
        )
        _policy, terms = self.of(self.customer)
        self.assertEqual(
            terms.splitlines()[1:],
            ["A contact at least every 30 days", "An answer within 4 hours", "Discounts up to 10 %"],
        )
        self.assertTrue(terms.startswith("Zipper"))

    def test_an_override_of_the_class_changes_the_service(self):
        standard = self.policy("standard", contact_days=90)
        self.policy(contact_days=30)
        self.assertEqual(self.due(self.customer), self.ago(10))
        self.env["crm.value.override"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.alpha.id,
                "label": "value_class",
                "value": "standard",
                "reason": "Small shop",
                "date_from": self.today,
                "date_until": self.today + timedelta(days=30),
            }
        )
        self.assertEqual(self.of(self.customer)[0], standard)
        self.assertEqual(self.due(self.customer), self.ago(40) + timedelta(days=90))

    def test_contact_due_follows_policy_and_contacts(self):
        self.assertFalse(self.due(self.customer))
        policy = self.policy(contact_days=30)
        self.assertEqual(self.due(self.customer), self.ago(10))
        policy.contact_days = 60
        self.assertEqual(self.due(self.customer), self.ago(-20))
        self.rescore(last_contact_date=str(self.ago(70)))
        self.assertEqual(self.due(self.customer), self.ago(10))
        policy.contact_days = 0
        self.assertFalse(self.due(self.customer))
        policy.contact_days = 30
        policy.unlink()
        self.assertFalse(self.due(self.customer))

    def test_never_contacted_is_due_by_the_last_order(self):
        self.rescore(last_contact_date=None, last_order_date=str(self.ago(50)))
        self.policy(contact_days=30)
        self.assertEqual(self.due(self.customer), self.ago(20))

    def test_nobody_owes_a_contact_to_who_is_lost(self):
        self.policy(contact_days=30)
        self.rescore(last_contact_date=str(self.ago(400)), lifecycle_stage="lost")
        self.assertFalse(self.due(self.customer))

    def test_classes_in_the_order_people_read_them(self):
        for value_class in ("unprofitable", "growth", "standard", "key"):
            self.policy(value_class)
        policies = self.env["crm.value.service.policy"].search([("company_id", "=", self.alpha.id)])
        order = ["key", "growth", "standard", "unprofitable"]
        self.assertEqual(policies.mapped("value_class"), order)
        profiles = self.env["crm.value.profile"].search(
            [("company_id", "=", self.alpha.id)], order="effective_value_class desc, id"
        )
        self.assertEqual(profiles.mapped("effective_value_class"), ["standard", "key", "key"])

    def test_what_is_done_counts_at_once(self):
        self.policy(contact_days=30)
        order = self.order(self.contact)
        for record in (self.customer, self.contact, order):
            self.rescore(last_contact_date=str(self.ago(40)))
            self.env.cr.execute("UPDATE crm_value_profile SET contacted_on = NULL")
            self.env["crm.value.service.policy"]._refresh_contact_due(self.alpha)
            self.assertEqual(self.due(self.customer), self.ago(10))
            activity = record.activity_schedule("mail.mail_activity_data_call", user_id=self.env.uid)
            activity.action_feedback("talked")
            self.assertEqual(self.due(self.customer), self.today + timedelta(days=30), record._name)
        # What was done about a complaint was done for the customer.
        self.env.cr.execute("UPDATE crm_value_profile SET contacted_on = NULL")
        self.env["crm.value.service.policy"]._refresh_contact_due(self.alpha)
        case = self.env["crm.value.case"].create({"partner_id": self.customer.id, "description": "Broken"})
        case.activity_schedule("mail.mail_activity_data_call", user_id=self.env.uid).action_feedback("sorry")
        self.assertEqual(self.due(self.customer), self.today + timedelta(days=30))
        # The next run knows of no later contact than the one before: what was done stands.
        self.rescore(last_contact_date=str(self.ago(40)))
        self.assertEqual(self.due(self.customer), self.today + timedelta(days=30))

    def test_what_is_done_counts_in_its_own_company(self):
        self.policy(contact_days=30)
        self.policy(contact_days=30, company=self.beta)

        def contacted(record, user):
            self.env.cr.execute("UPDATE crm_value_profile SET contacted_on = NULL")
            self.env.invalidate_all()
            record.activity_schedule("mail.mail_activity_data_call", user_id=user.id).action_feedback("x")
            profiles = self.env["crm.value.profile"].search([("partner_id", "=", self.customer.id)])
            return profiles.filtered("contacted_on").company_id

        row = self.calm(self.customer, last_contact_date=str(self.ago(40)))
        self.score([row], self.alpha)
        self.score([row], self.beta)
        both, one = self.env.user, self._user("cv_beta", "sales_team.group_sale_manager", self.beta)
        self.assertEqual(contacted(self.order(self.customer), both), self.alpha)
        self.assertEqual(contacted(self.order(self.customer, company=self.beta), both), self.beta)
        self.assertEqual(contacted(self.customer, both), self.alpha | self.beta)
        self.assertEqual(contacted(self.customer, one), self.beta, "where who did it works")
        lead = self.env["crm.lead"].create({"name": "x", "partner_id": self.contact.id})
        lead.company_id = self.alpha
        self.assertEqual(contacted(lead, both), self.alpha)

    def test_contacts_due_are_a_list(self):
        self.policy(contact_days=30)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_value_addon.res_partner_action_contact_due"
        )
        partners = self.as_user("res.partner", self.viewer, self.alpha)
        due = [("contact_due", "<=", self.today)]
        self.assertIn("contact_due", action["domain"])
        self.assertIn(self.customer.id, partners.search(due).ids)
        self.policy("standard", contact_days=1)
        self.assertNotIn(self.customer3.id, partners.search(due).ids, "due tomorrow")
        by_day = partners.search(
            [("contact_due", "!=", False), ("parent_id", "=", False)], order="contact_due"
        )
        self.assertEqual(by_day.ids, [self.customer.id, self.customer3.id, self.customer2.id])
        with self.assertRaises(AccessError):
            self.as_user("res.partner", self.employee, self.alpha).search(due)

    def said(self, user=None, **values):
        self.rescore(
            **{
                "value_class": "growth",
                "next_class_gap": 250,
                "current_value": 600,
                "potential_value": 400,
                **values,
            }
        )
        self.env.invalidate_all()
        partner = self.as_user("res.partner", user or self.viewer, self.alpha).browse(self.customer.id)
        facts = [fact for group in partner.value_page["groups"] for fact in group["facts"]]
        return next((fact["text"] for fact in facts if fact["name"] == "incentive"), None)

    def test_what_more_business_would_bring_the_customer(self):
        self.assertEqual(self.said(), "About 25 % more business makes it a key customer")
        self.policy(contact_days=30, privileges="Free delivery", limits_discount=True, discount_ceiling=0.2)
        self.assertEqual(
            self.said(next_class_gap=251),
            "With about 26 % more business it gets: A contact at least every 30 days; Free delivery",
        )
        self.policy(format_id=self.restaurants.id, response_hours=2)
        self.assertEqual(
            self.said(format_id=self.restaurants.id),
            "With about 25 % more business it gets: An answer within 2 hours",
        )
        for silent in (
            {"value_class": "key"},
            {"value_class": "unprofitable"},
            {"next_class_gap": 3001},
            {"next_class_gap": None},
            {"current_value": -600},
        ):
            self.assertIsNone(self.said(**silent), silent)

    def test_a_format_that_is_gone_takes_its_policies_along(self):
        general = self.policy()
        self.policy(format_id=self.restaurants.id)
        self.assertNotEqual(self.of(self.customer2)[0], general)
        self.restaurants.unlink()
        self.env.invalidate_all()
        self.assertEqual(self.of(self.customer2)[0], general)

    def test_as_many_queries_for_many_customers(self):
        self.policy(contact_days=30)

        def count(partners):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            partners.mapped("service_terms")
            return self.env.cr.sql_log_count - before

        records = self.as_user("res.partner", self.viewer, self.alpha).browse(self.partners.ids)
        count(records)
        self.assertEqual(count(records[:1]), count(records))

    def test_suggestion_fills_what_is_missing(self):
        own = self.policy(contact_days=7)
        policies = self.as_user("crm.value.service.policy", self.manager, self.alpha)
        policies.action_suggest()
        made = policies.search([("company_id", "=", self.alpha.id)])
        self.assertEqual(len(made), 4)
        self.assertEqual(own.contact_days, 7)
        policies.action_suggest()
        self.assertEqual(policies.search_count([("company_id", "=", self.alpha.id)]), 4)
        with self.assertRaises(AccessError):
            self.as_user("crm.value.service.policy", self.user, self.alpha).action_suggest()

    def test_bad_input(self):
        self.policy()
        for bad in (
            {},
            {"value_class": "growth", "contact_days": -1},
            {"value_class": "growth", "response_hours": -1},
            {"value_class": "growth", "discount_ceiling": 1.2},
        ):
            with (
                self.subTest(bad=bad),
                mute_logger("odoo.sql_db"),
                self.assertRaises(psycopg2.IntegrityError),
                self.env.cr.savepoint(),
            ):
                self.policy(**bad)
        with self.assertRaises(ValidationError):
            self.policy(company=self.branch)

    def test_who_may_see_and_change(self):
        policy = self.policy()
        for user in (self.viewer, self.user):
            self.assertTrue(policy.with_user(user).display_name)
            with self.assertRaises(AccessError):
                policy.with_user(user).contact_days = 1
        for user in (self.employee, self.portal, self.sync):
            with self.assertRaises(AccessError):
                policy.with_user(user).read(["contact_days"])
            with self.assertRaises(AccessError):
                self.of(self.customer, user)
        policy.with_user(self.manager).contact_days = 14

    def test_notice_of_a_discount_above_the_ceiling(self):
        order = self.order(self.customer, state="draft")
        order.order_line.write({"product_uom_qty": 10, "price_unit": 10, "tax_ids": [Command.clear()]})
        self.assertFalse(order.discount_notice)
        policy = self.policy(limits_discount=True, discount_ceiling=0.1)
        for discount, told in ((0, False), (10, False), (12, True), (100, True)):
            order.order_line.discount = discount
            order.invalidate_recordset(["discount_notice", "service_policy_id"])
            self.assertEqual(bool(order.discount_notice), told, discount)
        self.assertIn("100 % discount: more than the 10 %", order.discount_notice)
        # A discount on the whole order is a line of its own.
        order.order_line.discount = 0
        order.write(
            {
                "order_line": [
                    Command.create(
                        {
                            "product_id": self.product.id,
                            "product_uom_qty": 1,
                            "price_unit": -25,
                            "tax_ids": [Command.clear()],
                        }
                    )
                ]
            }
        )
        self.assertIn("25 % discount", order.discount_notice)
        policy.discount_ceiling = 0.125
        order.invalidate_recordset(["discount_notice", "service_policy_id"])
        self.assertIn("25 % discount: more than the 12.5 %", order.discount_notice)
        self.assertIn("Discounts up to 12.5 %", policy._terms())
        policy.limits_discount = False
        order.invalidate_recordset(["discount_notice", "service_policy_id"])
        self.assertFalse(order.discount_notice)

    def test_a_line_given_away_counts_without_its_taxes(self):
        of_alpha = {"company_id": self.alpha.id, "country_id": self.env.ref("base.be").id}
        group = self.env["account.tax.group"].create({"name": "VAT", **of_alpha})
        taxes = self.env["account.tax"].create(
            {
                "name": "Included 25 %",
                "amount": 25,
                "price_include_override": "tax_included",
                "tax_group_id": group.id,
                **of_alpha,
            }
        )
        order = self.order(self.customer, state="draft")
        values = {"product_id": self.product.id, "price_unit": 125, "tax_ids": [Command.set(taxes.ids)]}
        order.order_line = [
            Command.clear(),
            Command.create({**values, "product_uom_qty": 3}),
            Command.create({**values, "product_uom_qty": 1, "discount": 100}),
        ]
        self.assertAlmostEqual(order._discount_share(), 0.25)
