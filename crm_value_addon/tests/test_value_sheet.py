from lxml import html

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import CustomerValueCase
from .test_reasons import reason


@tagged("post_install", "-at_install")
class TestValueSheet(CustomerValueCase):
    """The page on a customer that a salesperson takes along."""

    def sheet(self, partner=None, user=None, company=None):
        reports = self.as_user("ir.actions.report", user or self.user, company or self.alpha)
        content, kind = reports._render_qweb_html(
            "crm_value_addon.value_sheet", (partner or self.customer).ids
        )
        self.assertEqual(kind, "html")
        return html.fromstring(content)

    def rows(self, sheet, name):
        return [
            [" ".join(cell.text_content().split()) for cell in row.xpath("./td")]
            for row in sheet.xpath(f"//table[contains(@class, 'o_{name}')]//tr[td]")
        ]

    def text(self, sheet, name="o_crm_value_sheet"):
        found = sheet.xpath(f"//*[contains(@class, '{name}')]")
        return " ".join(" ".join(part.text_content() for part in found).split())

    def told(self, user=None, **values):
        self.score([self.whole(self.customer, **values)])
        self.env.invalidate_all()
        return self.sheet(user=user)

    def test_what_a_review_needs(self):
        self.customer.user_id = self.user
        category = self.env["product.category"].create({"name": "Canned Juices"})
        sheet = self.told(
            value_class="growth",
            usual_gap=21,
            recommendations=[
                {"category_id": category.id, "kind": "cross_sell", "strength": 0.5, "due": None}
            ],
            reasons=[
                reason("late_against_rhythm"),
                reason("order_brings_low"),
                reason("missing_to_key", params={"amount": 4711}),
                reason("pays_late"),
                reason("prefers_channel"),
                reason("cross_sell_gap"),
            ],
        )
        who = dict(self.rows(sheet, "who"))
        self.assertEqual(who["Class"], "Growth (B)")
        self.assertEqual(who["Churn risk"], "Low (25 %)")
        self.assertIn("Zipper", who["Service strategy"])
        self.assertIn("captive", self.text(sheet, "o_attitude"))
        worth = dict(self.rows(sheet, "worth"))
        self.assertEqual(
            worth["Lifetime value"], "$\N{NO-BREAK SPACE}1,750".replace("\N{NO-BREAK SPACE}", " ")
        )
        self.assertEqual(worth["Sales in products kept for it"], "34 %")
        rhythm = dict(self.rows(sheet, "rhythm"))
        self.assertEqual(rhythm["Usually orders"], "every 21 days")
        daily = dict(self.rows(self.told(usual_gap=1), "rhythm"))
        self.assertEqual(daily["Usually orders"], "every day")
        self.assertEqual(rhythm["Next order was due"], "03/01/2026 to 03/20/2026")
        ahead = {"expected_next_order_low": "2199-03-01", "expected_next_order_high": "2199-03-20"}
        coming = dict(self.rows(self.told(**ahead), "rhythm"))
        self.assertEqual(coming["Next order expected"], "03/01/2199 to 03/20/2199")
        places = {row[0]: row[2] for row in self.rows(sheet, "places")}
        self.assertEqual(places["Purchase frequency"], "among the highest tenth (97 %)")
        self.assertNotIn("Influence", places, "unknown is not zero")
        why = self.rows(sheet, "why")
        self.assertEqual([topic for topic, _text in why], ["Risk of leaving", "Rating"])
        missing = self.text(sheet, "o_missing")
        for text in ("Missing to Key (A): $ 77", "would bring the risk to low", "$ 4,711"):
            self.assertIn(text, missing.replace("\N{NO-BREAK SPACE}", " "))
        self.assertEqual(self.rows(sheet, "offer"), [["Peers buy, it does not", "Canned Juices"]])
        self.assertIn("Call today", self.text(sheet, "o_next_action"))
        self.assertIn("Down 61 %", self.text(sheet, "o_banner"))
        self.assertIn(self.user.name, self.text(sheet))

    def test_amounts_are_for_those_who_see_them(self):
        given = [
            reason("missing_to_key", params={"amount": 4711}),
            reason("poor_net_value"),
            reason("top_share"),
        ]
        self.assertIn("$", self.text(self.told(reasons=given)))
        sheet = self.sheet(user=self.viewer)
        self.assertNotIn("$", self.text(sheet))
        self.assertNotIn("4,711", self.text(sheet))
        self.assertEqual(
            [text for _topic, text in self.rows(sheet, "why")], ["Number 40 by value among 41 peers"]
        )
        self.assertTrue(self.rows(sheet, "places"))

    def test_it_stays_one_page(self):
        """The strongest of everything, and no more than fit."""
        codes = ("late_against_rhythm", "on_rhythm", "long_silence", "recent_order", "frequent_buyer")
        of_others = (
            "sudden_drop",
            "top_share",
            "won_back",
            "buys_basics",
            "no_tax_id",
            "late_deliveries",
            "lost_share",
        )
        sheet = self.told(reasons=[reason(code) for code in (*codes, *of_others)])
        why = self.rows(sheet, "why")
        self.assertLessEqual(len(why), 8)
        self.assertEqual([topic for topic, _text in why].count("Risk of leaving"), 2)

    def test_little_is_known(self):
        self.score(
            [{"partner_id": self.customer.id, "lifecycle_stage": "selection", "value_segment": "prospect"}]
        )
        sheet = self.sheet()
        self.assertEqual(dict(self.rows(sheet, "who"))["Segment"], "Prospect")
        for name in ("worth", "rhythm", "places", "why", "offer"):
            self.assertFalse(self.rows(sheet, name), name)
        self.assertIn("not scored", self.text(self.sheet(self.unscored)))

    def test_withheld_forecast(self):
        sheet = self.told(churn_risk=None, churn_probability=None, churn_withheld="t")
        self.assertEqual(dict(self.rows(sheet, "who"))["Churn risk"], "Not reliable here")

    def test_of_a_contact_and_of_several_in_a_company(self):
        self.score([self.whole(self.customer, value_class="key"), self.whole(self.customer2)])
        self.score([self.whole(self.customer, value_class="unprofitable")], self.beta)
        sheet = self.sheet(self.contact | self.customer2)
        self.assertEqual(len(sheet.xpath("//div[contains(@class, 'o_crm_value_sheet')]")), 2)
        self.assertIn("Key (A)", self.text(sheet))
        beta = self.sheet(company=self.beta)
        self.assertIn("Unprofitable (D)", self.text(beta))
        self.assertIn("€", self.text(beta))

    def test_only_for_those_who_see_the_value(self):
        self.score([self.whole(self.customer)])
        for user in (self.portal, self.employee, self.sync):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.sheet(user=user)
        action = self.env.ref("crm_value_addon.value_sheet_action")
        for user, offered in ((self.viewer, True), (self.employee, False)):
            bindings = self.as_user("ir.actions.actions", user).get_bindings("res.partner")
            self.assertEqual(action.id in [each["id"] for each in bindings.get("report", ())], offered)
