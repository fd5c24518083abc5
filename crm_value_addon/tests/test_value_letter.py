from datetime import date

from freezegun import freeze_time
from lxml import html

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..label_texts import label_text, policy_figures
from ..labels import LABELS, SATISFACTIONS
from ..letter_texts import COST_CODES, VALUE_CODES, dataset_text, reason_without_figures
from ..policy_schema import POLICY_SCHEMA
from ..reasons import MARGIN_CODES
from .common import CustomerValueCase
from .test_reasons import reason


@tagged("post_install", "-at_install")
class TestLabelTexts(CustomerValueCase):
    """Every label is explained, with the thresholds that decided."""

    def text(self, label, value, user=None, **changed):
        env = self.env(user=user or self.user)
        values = {key: spec["default"] for key, spec in POLICY_SCHEMA.items()} | changed
        figures = policy_figures(env, values, self.alpha.currency_id)
        return label_text(env, label, value, values, figures)

    def test_every_label_is_explained(self):
        for label, selection in {**LABELS, "satisfaction": SATISFACTIONS}.items():
            texts = [self.text(label, value) for value, _name in selection]
            for (value, _name), text in zip(selection, texts, strict=True):
                with self.subTest(label=label, value=value):
                    self.assertTrue(text)
                    self.assertNotRegex(text, r"%\(|%%")
                    self.assertNotRegex(text.lower(), "burden|unprofitable|haggler|laggard")
            self.assertEqual(len(set(texts)), len(texts), label)
            self.assertEqual(self.text(label, "unheard of"), "")

    def test_thresholds_are_those_of_the_policy(self):
        self.assertIn("91 %", self.text("value_class", "key", key_share=0.91))
        self.assertIn("33", self.text("churn_risk", "high", churn_horizon_days=33))
        self.assertIn("61 %", self.text("churn_risk", "high", risk_high_from=0.61))
        self.assertIn(
            "in 64 % of the categories", self.text("loyalty_stage", "preference", breadth_kept=0.64)
        )
        self.assertIn("from 2.75", self.text("satisfaction", "neutral", unsatisfied_below=2.75))

    def test_a_class_by_value_is_explained_by_value(self):
        text = self.text("value_class", "key", key_rule=1, key_value_minimum=12345)
        self.assertIn("12,345", text)
        self.assertNotIn("80 %", text)
        self.assertNotIn("80 %", self.text("value_class", "standard", key_rule=1, key_value_minimum=12345))

    def test_thresholds_in_money_are_for_those_who_see_amounts(self):
        text = self.text("value_class", "unprofitable", user=self.viewer, net_value_minimum=4321)
        self.assertNotIn("4,321", text)
        self.assertIn("threshold of our policy", text)
        self.assertIn("4,321", self.text("value_class", "unprofitable", net_value_minimum=4321))


@tagged("post_install", "-at_install")
class TestValueLetter(CustomerValueCase):
    """What a customer who asks is told, in words."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls._product()

    def letter(self, partner=None, user=None, company=None):
        reports = self.as_user("ir.actions.report", user or self.user, company or self.alpha)
        content, kind = reports._render_qweb_html(
            "crm_value_addon.value_letter", (partner or self.customer).ids
        )
        self.assertEqual(kind, "html")
        return html.fromstring(content)

    def text(self, letter, name=None):
        """The words of the letter, or of its part of a class."""
        found = letter.xpath(
            f"//*[contains(@class, '{name}')]" if name else "//div[contains(@class, 'page')]"
        )
        return " ".join(" ".join(part.text_content() for part in found).split())

    def rows(self, letter, name):
        return [
            [" ".join(cell.text_content().split()) for cell in row.xpath("./td")]
            for row in letter.xpath(f"//table[contains(@class, '{name}')]//tr[td]")
        ]

    def told(self, user=None, **values):
        self.score([self.whole(self.customer, **values)])
        self.env.invalidate_all()
        return self.letter(user=user)

    def test_which_data(self):
        for day in ("2026-01-15 12:00:00", "2026-02-20 12:00:00"):
            self.order(self.customer, day=day)
        self.order(self.contact, day="2025-11-30 12:00:00")
        self.order(self.customer, day="2026-02-01 12:00:00", company=self.beta)
        self.order(self.customer2, day="2026-02-01 12:00:00")
        self.order(self.customer, day="2030-02-01 12:00:00")
        self.order(self.customer, day="2026-01-10 12:00:00", state="draft")
        data = self.rows(self.told(), "o_data")
        self.assertIn(
            ["Orders: day, amount, products, quantities, discounts", "3", "11/30/2025", "02/20/2026"], data
        )
        self.assertIn(["Quotations that became no order", "1", "01/10/2026", ""], data)
        self.assertTrue(any(row[0].startswith("Master data") and row[1] == "" for row in data))
        self.assertFalse(any("Ratings" in row[0] for row in data))

    def test_every_dataset_about_customers_has_words(self):
        sync = self.env["crm.value.sync"]
        for name, dataset in sync._datasets().items():
            if "customer_id" in dataset.columns:
                self.assertNotEqual(dataset_text(self.env, name), name.replace("_", " ").capitalize(), name)

    def test_labels_with_their_rules_and_policy(self):
        draft = self.env["crm.value.policy.version"].create({"company_id": self.alpha.id})
        self.env["crm.value.policy.rule"].create(
            {"version_id": draft.id, "key": "risk_high_from", "value": "0.66"}
        )
        draft.action_activate()
        letter = self.told(churn_risk="high")
        labels = {row[0]: row for row in self.rows(letter, "o_labels")}
        self.assertIn("from 66 %", labels["Churn Risk"][1])
        self.assertEqual(labels["Churn Risk"][2], "High")
        self.assertEqual(labels["Value Class"][2], "Standard (C)")
        self.assertNotIn("Lost Type", labels)
        self.assertIn(f"version {draft.number} of our rules", self.text(letter))

    def test_rules_of_the_last_run_though_they_changed_nothing(self):
        self.told(churn_risk="high")
        draft = self.env["crm.value.policy.version"].create({"company_id": self.alpha.id})
        self.env["crm.value.policy.rule"].create(
            {"version_id": draft.id, "key": "risk_high_from", "value": "0.66"}
        )
        draft.action_activate()
        letter = self.told(churn_risk="high")
        self.assertNotEqual(self.profile(self.customer).policy_version_id, draft, "nothing changed")
        self.assertIn(f"version {draft.number} of our rules", self.text(letter))
        self.assertIn("from 66 %", self.text(letter, "o_labels"))

    def test_rules_of_its_business_format(self):
        business_format = self.env.ref("crm_value_addon.crm_value_format_wholesale")
        draft = self.env["crm.value.policy.version"].create({"company_id": self.alpha.id})
        self.env["crm.value.policy.rule"].create(
            {
                "version_id": draft.id,
                "key": "risk_high_from",
                "value": "0.55",
                "format_id": business_format.id,
            }
        )
        draft.action_activate()
        letter = self.told(churn_risk="high", format_id=business_format.id)
        self.assertIn("from 55 %", self.text(letter, "o_labels"))

    def test_unflattering_labels_are_told_with_their_definition(self):
        letter = self.told(value_class="unprofitable", value_segment="burden", value_type="haggler")
        labels = {row[0]: row for row in self.rows(letter, "o_labels")}
        for title, name in (("Value Class", "Unprofitable (D)"), ("Value Segment", "Burden")):
            self.assertIn("after costs", labels[title][1])
            self.assertIn("says nothing of the person", labels[title][1])
            self.assertEqual(labels[title][2], name)
        self.assertIn("compares with what it paid before", labels["Value Type"][1])

    def test_reasons_and_what_would_change_it(self):
        letter = self.told(
            reasons=[
                reason("late_against_rhythm"),
                reason("on_rhythm"),
                reason("order_brings_low"),
                reason("cross_sell_gap"),
                reason("missing_to_key", params={"amount": 4711}),
            ]
        )
        told = self.text(letter, "o_topic")
        self.assertIn("Last order 40 days ago; usually orders every 41 days (Raises the risk)", told)
        self.assertIn("(Lowers the risk)", told)
        changes = self.text(letter, "o_changes")
        self.assertIn("An order within 40 days would bring the risk to low", changes)
        self.assertIn("4,711", changes)
        self.assertNotIn("buy a category", changes)
        self.assertNotIn("would help", told)

    def test_how_far_we_adapt_stays_ours(self):
        given = [reason("strategy_burden"), reason("strategy_key_kept"), reason("cross_sell_gap")]
        letter = self.told(service_strategy="hook", customisation=0.34, reasons=given)
        told = " ".join(letter.text_content().split())
        for words in ("concessions", "counts from", "Service strategy", "Hook"):
            self.assertNotIn(words, told)
        self.assertRegex(told, "Sales in products kept for it:? 34 %")
        self.assertIn("buy a category", self.text(letter, "o_topic"))

    def test_our_costs_and_margins_stay_ours(self):
        codes = sorted(MARGIN_CODES | COST_CODES | VALUE_CODES)
        given = {code: reason(code) for code in codes}
        for each in given.values():
            each["params"] = dict.fromkeys(each["params"], 98765)
        letter = self.told(
            value_basis="margin",
            historical_value=87654,
            net_value=87654,
            cost_to_serve=87654,
            reasons=list(given.values()),
        )
        words = self.text(letter)
        for figure in ("98765", "98,765", "87,654"):
            self.assertNotIn(figure, words)
        for code in codes:
            self.assertIn(reason_without_figures(self.env, code), words)
        self.assertNotIn("High margin", words)
        self.assertTrue(self.text(letter, "o_internal"))

    def test_values_in_revenue_are_told_to_those_who_see_amounts(self):
        letter = self.told(historical_value=87654)
        self.assertIn("87,654", self.text(letter, "o_facts"))
        self.assertFalse(self.text(letter, "o_internal") or self.text(letter, "o_amounts"))
        without = self.letter(user=self.viewer)
        self.assertNotIn("87,654", self.text(without))
        self.assertTrue(self.text(without, "o_amounts"))

    def test_places_among_peers_but_for_our_margin(self):
        facts = dict(self.rows(self.told(), "o_facts"))
        self.assertEqual(
            facts["Purchase frequency, compared with similar customers"], "among the highest tenth"
        )
        self.assertNotIn("Margin", "".join(facts))

    def test_what_we_mean_to_do_next_is_not_told(self):
        words = self.text(self.told(lifecycle_stage="lost", value_segment="lost", lost_type="price_seeker"))
        self.assertNotIn("No effort", words)
        self.assertIn("left as prices rose", words)

    def test_a_person_s_word(self):
        self.score([self.whole(self.customer)])
        self.env["crm.value.override"].create(
            {
                "partner_id": self.customer.id,
                "label": "value_class",
                "value": "key",
                "reason": "the CEO's cousin",
                "date_until": "2100-01-01",
            }
        )
        letter = self.letter()
        labels = {row[0]: row for row in self.rows(letter, "o_labels")}
        self.assertEqual(labels["Value Class"][2], "Key (A)")
        self.assertIn("the program had found: Standard (C)", labels["Value Class"][1])
        self.assertNotIn("cousin", self.text(letter))

    def test_withheld_forecast(self):
        letter = self.told(churn_risk=None, churn_probability=None, churn_withheld="t")
        self.assertTrue(self.text(letter, "o_withheld"))
        self.assertNotIn("Churn Risk", self.text(letter, "o_labels"))

    def test_little_history(self):
        self.assertFalse(self.text(self.told(), "o_thin"))
        self.assertTrue(self.text(self.told(confidence="thin"), "o_thin"))

    def test_without_a_profile(self):
        letter = self.letter(self.unscored)
        self.assertIn("no profile", self.text(letter, "o_none"))
        self.assertFalse(self.rows(letter, "o_labels") or self.text(letter, "o_states"))
        self.assertTrue(self.text(letter, "o_rights"))

    @freeze_time("2026-03-01 12:00:00")
    def test_states_that_outlive_the_profile(self):
        self.score([self.full(self.customer), self.full(self.customer2)])
        self.score([self.full(self.customer2)])
        letter = self.letter()
        self.assertTrue(self.text(letter, "o_none"))
        self.assertIn("since 03/01/2026 (states: 1)", self.text(letter, "o_states"))

    def test_who_objected(self):
        self.score([self.whole(self.customer)])
        self.env["crm.value.objection"].create(
            {"partner_id": self.customer.id, "date": date(2026, 2, 3), "ground": "a rude letter"}
        )
        for partner in self.customer | self.contact:
            letter = self.letter(partner)
            self.assertIn("02/03/2026", self.text(letter, "o_objected"))
            self.assertNotIn("rude", self.text(letter))
            self.assertFalse(self.rows(letter, "o_labels") or self.text(letter, "o_rights"))

    def test_of_a_contact_and_of_several(self):
        self.score([self.whole(self.customer), self.whole(self.customer2, churn_risk="medium")])
        letter = self.letter(self.contact | self.customer2 | self.unscored)
        words = self.text(letter)
        self.assertIn("about Customer 0.", words)
        self.assertIn("about Customer 1.", words)
        self.assertEqual(len(letter.xpath("//table[contains(@class, 'o_labels')]")), 2)

    def test_company_decides(self):
        self.score([self.whole(self.customer, value_class="key")], self.alpha)
        self.score([self.whole(self.customer, value_class="growth")], self.beta)
        for company, name in ((self.alpha, "Key (A)"), (self.branch, "Key (A)"), (self.beta, "Growth (B)")):
            self.assertIn(name, self.text(self.letter(company=company), "o_labels"))

    def test_language_of_the_customer(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.customer.lang = "fr_FR"
        self.order(self.customer, day="2026-01-15 12:00:00")
        letter = self.told()
        self.assertIn(["1", "15/01/2026", ""], [row[1:] for row in self.rows(letter, "o_data")])

    def test_only_for_those_who_see_the_value(self):
        self.score([self.whole(self.customer)])
        for user in (self.portal, self.employee, self.sync):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.letter(user=user)
        self.env["ir.rule"].create(
            {
                "name": "not this one",
                "model_id": self.env.ref("base.model_res_partner").id,
                "domain_force": f"[('id', '!=', {self.customer.id})]",
            }
        )
        with self.assertRaises(AccessError):
            self.letter()

    def test_in_the_print_menu_of_those_who_see_the_value(self):
        action = self.env.ref("crm_value_addon.value_letter_action")
        for user, offered in ((self.viewer, True), (self.manager, True), (self.employee, False)):
            bindings = self.as_user("ir.actions.actions", user).get_bindings("res.partner")
            self.assertEqual(action.id in [each["id"] for each in bindings.get("report", ())], offered)
