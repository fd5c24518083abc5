import json

from markupsafe import Markup

from odoo import fields
from odoo.tests import tagged

from ..customer_page import PAGE_COLUMNS, TOPICS_OF_GROUPS
from ..customer_texts import attitude_text, next_action_text, value_type_text
from ..labels import ATTITUDES, LIFECYCLE_STAGES, VALUE_CLASSES, VALUE_TYPES
from ..publish_columns import COLUMN_TYPES, profile_column
from ..reasons import TOPICS
from .common import CustomerValueCase
from .test_reasons import reason

AMOUNTS = ("net_value", "cost_to_serve", "historical_value", "current_value", "next_class_gap")


@tagged("post_install", "-at_install")
class TestCustomerPage(CustomerValueCase):
    """What people read on the page of a customer, and what they do not."""

    def page(self, user=None, partner=None, company=None):
        records = self.as_user("res.partner", user or self.user, company or self.alpha)
        return records.browse((partner or self.customer).id).value_page

    def facts(self, page):
        """``{(group, fact): text}``, the notes included."""
        return {
            (group["name"], fact["name"]): " ".join(filter(None, [fact["text"], fact.get("note")]))
            for group in page["groups"]
            for fact in (*group["pair"], *group["facts"])
        }

    def shown(self, user=None, **values):
        self.score([self.whole(self.customer, **values)])
        self.env.invalidate_all()
        return self.facts(self.page(user))

    def test_the_first_among_peers_is_not_above_itself(self):
        facts = self.shown(value_percentile=1.0)
        self.assertEqual(facts["who", "value_percentile"], "above 99 % of them")

    def test_groups(self):
        facts = self.shown()
        page = self.page()
        self.assertEqual(
            [group["name"] for group in page["groups"]],
            ["who", "value", "relation", "life_cycle", "risk", "peers"],
        )
        for key, text in {
            ("who", "value_class"): "Standard (C)",
            ("who", "value_type"): "Value for money weighs price against performance",
            ("who", "value_percentile"): "above 82 % of them",
            ("who", "composite_rating"): "74 of 100",
            ("who", "rating_integrity"): "63 %",
            ("value", "net_value"): "$\N{NO-BREAK SPACE}160",
            ("value", "cost_to_serve"): "$\N{NO-BREAK SPACE}40",
            ("value", "next_class_gap"): "$\N{NO-BREAK SPACE}77",
            ("value", "value_trend"): "falling by $\N{NO-BREAK SPACE}12 a quarter",
            ("value", "margin_level"): "High margin",
            ("relation", "loyalty_stage"): "Approval",
            ("relation", "satisfaction"): "Unsatisfied",
            ("relation", "service_strategy"): "Zipper recommended: it adapts to us, and we adapt to it",
            ("relation", "customisation"): "34 %",
            ("relation", "promise_kept"): "71 %",
            ("relation", "last_contact_date"): "02/03/2026; usually it writes or calls first",
            ("relation", "preferred_channel"): "Salesperson",
            ("life_cycle", "lifecycle_stage"): "Retention",
            ("life_cycle", "share_of_customer"): "about 42 % (estimate)",
            ("risk", "churn_risk"): "Low",
            ("peers", "place_value_percentile"): "above most 82 %",
            ("peers", "place_percentile_integrity"): "among the lowest tenth 8 %",
            ("peers", "place_percentile_compliance"): "in the middle 50 %",
            ("peers", "place_percentile_frequency"): "among the highest tenth 97 %",
            ("peers", "place_percentile_margin"): "below most 31 %",
            ("peers", "place_percentile_loyalty"): "above most 60 %",
        }.items():
            with self.subTest(key=key):
                self.assertEqual(facts.get(key), text)
        self.assertNotIn(("peers", "place_percentile_influence"), facts, "unknown is not zero")
        self.assertEqual(page["banner"]["text"], "Down 61 % against its own pattern since May 2026")
        relation = next(group for group in page["groups"] if group["name"] == "relation")
        self.assertIn("captive", relation["note"])
        self.assertEqual([fact["name"] for fact in relation["pair"]], ["loyalty_stage", "satisfaction"])

    def test_empty_things_are_hidden(self):
        self.score(
            [{"partner_id": self.customer.id, "lifecycle_stage": "selection", "value_segment": "prospect"}]
        )
        page = self.page()
        self.assertEqual(
            set(self.facts(page)),
            {("who", "value_segment"), ("life_cycle", "lifecycle_stage"), ("life_cycle", "next_action")},
        )
        self.assertFalse(page["banner"])
        self.assertIsNone(page["why"])
        self.assertFalse(self.page(partner=self.unscored))

    def test_a_worker_that_sends_none_of_it(self):
        self.score([self.full(self.customer)])
        profile = self.profile(self.customer)
        for name in ("effective_value_type", "anomaly", "satisfaction", "recommendations", "replacement_due"):
            self.assertFalse(profile[name])
        facts = self.facts(self.page())
        self.assertNotIn(("value", "net_value"), facts, "unknown is not zero")
        self.assertNotIn(("who", "composite_rating"), facts)

    def test_nothing_is_zero(self):
        facts = self.shown(net_value=0, composite_rating=0, promise_kept=0, cost_to_serve=-5)
        self.assertEqual(facts["value", "net_value"], "$\N{NO-BREAK SPACE}0")
        self.assertEqual(facts["who", "composite_rating"], "0 of 100")
        self.assertEqual(facts["relation", "promise_kept"], "0 %")

    def test_viewers_see_no_amounts(self):
        self.shown(reasons=[reason("poor_net_value"), reason("top_share")])
        for user, sees in ((self.viewer, False), (self.user, True), (self.manager, True)):
            page = self.page(user)
            facts = self.facts(page)
            for name in AMOUNTS:
                self.assertEqual(("value", name) in facts, sees, (user.login, name))
            self.assertIn(("who", "value_percentile"), facts)
            self.assertEqual("$" in json.dumps(page), sees)
            self.assertEqual("poor_net_value" in json.dumps(page), sees)
        profile = self.profile(self.customer).with_user(self.viewer)
        self.assertNotIn("$", json.dumps(profile.page))

    def test_profile_shows_the_same(self):
        self.shown()
        self.assertEqual(self.profile(self.customer).with_user(self.user).page, self.page())
        self.assertEqual(self.page(partner=self.contact), self.page())

    def test_each_company_its_own(self):
        self.score([self.whole(self.customer, value_class="key", anomaly=None)], self.beta)
        self.score([self.whole(self.customer)])
        page = self.page(company=self.beta)
        self.assertEqual(self.facts(page)["who", "value_class"], "Key (A)")
        self.assertIn("€", self.facts(page)["value", "net_value"])
        self.assertFalse(page["banner"])
        self.assertTrue(self.page(company=self.branch)["banner"], "a branch follows its root")

    def test_word_of_a_person(self):
        self.shown(lifecycle_stage="lost", lost_type="price_seeker")
        self.env["crm.value.override"].create(
            {
                "partner_id": self.customer.id,
                "label": "lost_type",
                "value": "circumstances_changed",
                "reason": "moved away",
                "date_until": fields.Date.add(fields.Date.today(), days=9),
            }
        )
        text = self.facts(self.page())["risk", "lost_type"]
        self.assertEqual(text, "Circumstances changed stated by a person; computed: Price seeker")
        self.assertEqual(self.history(self.customer)[-1].lost_type, "price_seeker")

    def test_lost_customer(self):
        given = [reason("long_silence"), reason("top_share")]
        self.shown(lifecycle_stage="lost", lost_type="undetermined", reasons=given)
        risk = next(group for group in self.page()["groups"] if group["name"] == "risk")
        self.assertEqual(risk["title"], "Why it was lost")
        self.assertEqual([each["code"] for each in risk["reasons"]], ["long_silence"])

    def test_recommendations_by_name(self):
        gap, due, gone = self.env["product.category"].create(
            [{"name": n} for n in ("Snacks", "Filters", "Gone")]
        )
        gone_id = gone.id
        gone.unlink()
        facts = self.shown(
            recommendations=[
                {"category_id": gap.id, "kind": "cross_sell", "strength": 0.9, "due": None},
                {"category_id": gone_id, "kind": "cross_sell", "strength": 0.9, "due": None},
                {"category_id": due.id, "kind": "replacement", "strength": 0.4, "due": "2026-12-31"},
                {"category_id": gap.id, "kind": "replacement", "strength": 0.4, "due": "2026-02-31"},
            ]
        )
        self.assertEqual(facts["life_cycle", "cross_sell"], "Snacks")
        self.assertEqual(facts["life_cycle", "replacement_due"], "Filters (12/31/2026), Snacks")
        facts = self.shown(recommendations=[], replacement_due="2026-12-30")
        self.assertEqual(facts["life_cycle", "replacement_due"], "12/30/2026")
        self.assertNotIn(("life_cycle", "cross_sell"), facts)

    def test_every_label_has_words(self):
        for stage, _name in LIFECYCLE_STAGES:
            for value_class in (*(value for value, _name in VALUE_CLASSES), None):
                self.assertTrue(next_action_text(self.env, stage, value_class), (stage, value_class))
        self.assertFalse(next_action_text(self.env, None, "key"))
        self.assertIn("suddenly", next_action_text(self.env, "retention", "key", anomaly="drop"))
        self.assertIn("right", next_action_text(self.env, "retention", "key", attitude="loyal_unsatisfied"))
        self.assertEqual(
            next_action_text(self.env, "lost", "key", anomaly="drop"),
            next_action_text(self.env, "lost", "key"),
        )
        key = next_action_text(self.env, "dormant", "key")
        self.assertNotEqual(key, next_action_text(self.env, "dormant", "unprofitable"))
        for value, _name in ATTITUDES:
            self.assertTrue(attitude_text(self.env, value))
        for value, _name in VALUE_TYPES:
            self.assertTrue(value_type_text(self.env, value))

    def test_service_strategy(self):
        """Each is explained, and told by its reason among how we stand with the customer, to viewers too."""
        why = reason("strategy_key_loyal_kept", params={"percent": 34, "needed": 20})
        for strategy, words in (("hook", "adapts to what we offer"), ("velcro", "we adapt to what it needs")):
            facts = self.shown(self.viewer, service_strategy=strategy, reasons=[why])
            self.assertIn(words, facts["relation", "service_strategy"])
        relation = next(group for group in self.page(self.viewer)["groups"] if group["name"] == "relation")
        self.assertEqual(
            [each["text"] for each in relation["reasons"]],
            ["Key, loyal, 34 % of its sales in products kept for it (counts from 20 %)"],
        )
        facts = self.shown(service_strategy=None, customisation=None)
        self.assertNotIn(("relation", "service_strategy"), facts)
        self.assertNotIn(("relation", "customisation"), facts, "unknown is not zero")
        self.assertEqual(self.shown(customisation=0)["relation", "customisation"], "0 %")

    def test_profiles_are_found_and_grouped_by_service_strategy(self):
        self.score([self.whole(self.customer, service_strategy="velcro", customisation=0.34)])
        profiles = self.as_user("crm.value.profile", self.user, self.alpha)
        found = profiles.search([("service_strategy", "=", "velcro"), ("customisation", ">=", 0.2)])
        self.assertEqual(found.partner_id, self.customer)
        groups = profiles.formatted_read_group([], ["service_strategy"], ["customisation:avg"])
        self.assertIn(
            ("velcro", 0.34), [(each["service_strategy"], each["customisation:avg"]) for each in groups]
        )

    def test_every_topic_is_told_somewhere(self):
        told = [topic for topics in TOPICS_OF_GROUPS.values() for topic in topics]
        self.assertEqual(sorted([*told, "anomaly"]), sorted(TOPICS))

    def test_a_figure_with_markup_stays_plain_text(self):
        self.shown(reasons=[reason("long_silence", params={"days_since": "<b>40</b>"})])
        risk = next(group for group in self.page()["groups"] if group["name"] == "risk")
        [told] = risk["reasons"]
        self.assertEqual(told["text"], "Silent for <b>40</b> days")
        self.assertNotIsInstance(told["text"], Markup)

    def test_anomalies(self):
        for values, text in (
            ({"anomaly": "surge", "anomaly_percent": 140}, "Up 140 % against its own pattern since May 2026"),
            ({"anomaly_since": None}, "Down 61 % against its own pattern"),
            ({"anomaly_percent": None, "anomaly_since": None}, "Down against its own pattern"),
        ):
            self.shown(**values)
            self.assertEqual(self.page()["banner"]["text"], text)

    def test_published_columns_arrive(self):
        """Every column of the contract has its place in the profile, with the value sent."""
        row = self.whole(
            self.customer,
            lost_type="price_seeker",
            rating_influence=0.125,
            replacement_due="2026-07-01",
            recommendations=[{"category_id": 1, "kind": "cross_sell", "strength": 0.5, "due": None}],
        )
        self.assertEqual(set(row), set(COLUMN_TYPES))
        self.score([row])
        names = [name for name in row if name not in ("partner_id", "cause", "format_id")]
        self.env.cr.execute(
            "SELECT {} FROM crm_value_profile WHERE partner_id = %s AND company_id = %s".format(
                ", ".join(f"{profile_column(name)} AS {name}" for name in names)
            ),
            [self.customer.id, self.alpha.id],
        )
        found = self.env.cr.dictfetchone()
        for name in names:
            sent, kept = row[name], found[name]
            if COLUMN_TYPES[name] == "boolean":
                sent = sent == "t"
            elif COLUMN_TYPES[name] == "date" and sent:
                kept = fields.Date.to_string(kept)
            self.assertEqual(kept, sent, name)
        self.assertLessEqual(set(PAGE_COLUMNS), set(self.env["crm.value.profile"]._fields))
        self.assertEqual(self.history(self.customer).value_type, "value_for_money")
        self.assertEqual(self.score([row])["unchanged"], 1)
        self.assertEqual(self.score([{**row, "anomaly_percent": -62}])["updated"], 1)
        self.assertEqual(len(self.history(self.customer)), 1, "no label changed")
        self.score([{**row, "value_type": "haggler"}])
        self.assertEqual(self.history(self.customer).mapped("value_type"), ["value_for_money", "haggler"])
