"""Cases out of what other modules know: run in a database that has them, as the exports beside them are."""

from odoo.fields import Command
from odoo.tests import tagged

from .test_case import RecoveryCase
from .test_export_deliveries import TestDeliveries
from .test_export_modules import TestAttitude


@tagged("post_install", "-at_install", "-standard", "crm_value_export")
class TestCaseModules(RecoveryCase):
    confirmed, deliver, give_back = (
        TestDeliveries.confirmed,
        TestDeliveries.deliver,
        TestDeliveries.give_back,
    )
    rating = TestAttitude.rating

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product.type = "consu"

    def noon(self, days_ago):
        return f"{self.ago(days_ago)} 12:00:00"

    def sent(self, partner=None, quantity=4, ago=5, promised=None, **values):
        """Four of a product, so many of them delivered some days ago; promised by a day of as many ago."""
        if promised is not None:
            values["commitment_date"] = self.noon(promised)
        order = self.confirmed(partner or self.customer, **values)
        return self.deliver(order.picking_ids, quantity, self.noon(ago), backorder=False)

    def found(self):
        return {(case.res_model, case.res_id, case.kind): case.text for case in self.cases()}

    def test_deliveries_late_and_short(self):
        on_the_day = self.sent(promised=5)
        one = self.sent(self.contact, promised=6)
        late = self.sent(promised=9)
        short = self.sent(quantity=3, promised=5)
        both = self.sent(quantity=1, promised=8)
        self.sent(ago=31, promised=40)
        self.sent(self.unscored, promised=9)
        other = self.sent(promised=9, company=self.beta)
        self.rescore()
        self.assertNotIn(on_the_day.id, [case.res_id for case in self.cases()])
        found = self.found()
        self.assertEqual(
            set(found),
            {
                ("stock.picking", one.id, "late_delivery"),
                ("stock.picking", late.id, "late_delivery"),
                ("stock.picking", short.id, "short_delivery"),
                ("stock.picking", both.id, "late_delivery"),
                ("stock.picking", both.id, "short_delivery"),
            },
        )
        self.assertIn("one day late", found[("stock.picking", one.id, "late_delivery")])
        self.assertIn("4 days late", found[("stock.picking", late.id, "late_delivery")])
        self.assertIn("3 of 4 units", found[("stock.picking", short.id, "short_delivery")])
        self.assertEqual(self.cases().partner_id, self.customer)
        self.rescore()
        self.assertEqual(self.found(), found)
        self.score([self.calm(self.customer)], self.beta)
        self.assertEqual(self.cases(company_id=self.beta.id).res_id, other.id)

    def test_days_of_grace_of_the_policy(self):
        version = self.env["crm.value.policy.version"].create(
            {
                "company_id": self.alpha.id,
                "rule_ids": [
                    Command.create({"key": "late_grace_days", "value": 2}),
                    Command.create({"key": "late_grace_days", "value": 4, "format_id": self.restaurants.id}),
                ],
            }
        )
        version.action_activate()
        self.sent(promised=7)
        late = self.sent(promised=8)
        self.sent(self.customer2, promised=9)
        later = self.sent(self.customer2, promised=10)
        self.rescore()
        self.assertEqual(set(self.cases().mapped("res_id")), {late.id, later.id})

    def test_goods_that_came_back(self):
        back = self.give_back(self.sent(ago=10), 1, self.noon(3))
        self.rescore()
        self.assertEqual(self.found(), {("stock.picking", back.id, "return"): "Quantity sent back: 1."})

    def credited(self, order, ago):
        """A credit note about an order."""
        line = {"sale_line_ids": [Command.link(order.order_line.id)]}
        return self.credit_note(self.customer, ago, line=line)

    def test_goods_and_their_credit_note_are_one_event(self):
        sent = self.sent(ago=10)
        back = self.give_back(sent, 1, self.noon(3))
        self.credited(sent.sale_id, 2)
        self.rescore()
        self.assertEqual(set(self.found()), {("stock.picking", back.id, "return")})

    def test_a_credit_note_before_the_goods_is_one_event(self):
        sent, other = self.sent(ago=10), self.sent(ago=10)
        note = self.credited(sent.sale_id, 4)
        self.rescore()
        self.give_back(sent, 1, self.noon(3))
        back = self.give_back(other, 1, self.noon(3))
        self.rescore()
        self.assertEqual(
            set(self.found()), {("account.move", note.id, "return"), ("stock.picking", back.id, "return")}
        )

    def test_without_links_each_counts_for_itself(self):
        sent = self.sent(ago=10)
        back = self.give_back(sent, 1, self.noon(3))
        note = self.credited(sent.sale_id, 2)
        with self.without("stock.picking.sale_id"):
            self.rescore()
        self.assertEqual(
            set(self.found()), {("account.move", note.id, "return"), ("stock.picking", back.id, "return")}
        )

    def test_low_ratings_of_what_we_did(self):
        order = self.order(self.contact)
        picking = self.sent(promised=5)
        low = self.rating(self.contact, order, 2, day=self.noon(2))
        self.rating(self.contact, order, 3, day=self.noon(2))
        self.rating(self.customer, order, 1, day=self.noon(31))
        lowest = self.rating(self.customer, picking, 1, day=self.noon(2))
        self.rating(self.customer, order, 0, day=self.noon(2))
        self.rating(self.customer, order, 1, consumed=False, day=self.noon(2))
        self.rating(self.customer, self.product.product_tmpl_id, 1, day=self.noon(2))
        self.rating(self.customer, self.order(self.customer, company=self.beta), 1, day=self.noon(2))
        self.rating(self.unscored, order, 1, day=self.noon(2))
        self.rescore()
        self.assertEqual(
            self.found(),
            {
                ("rating.rating", low.id, "low_rating"): "Rated 2 of 5.",
                ("rating.rating", lowest.id, "low_rating"): "Rated 1 of 5.",
            },
        )

    def test_a_delivery_late_and_short_is_one_failure(self):
        self.policy(watched=True)
        self.sent(quantity=1, promised=8)
        self.rescore()
        alerts = self.env["crm.value.alert"]
        repeated = [("partner_id", "=", self.customer.id), ("rule", "=", "repeated_failures")]
        self.assertFalse(alerts.search(repeated))
        self.sent(promised=9)
        self.rescore()
        self.assertIn("2 times", alerts.search(repeated).text)

    def test_missing_modules_one_by_one(self):
        def everything():
            picking = self.sent(promised=9)
            self.rating(self.customer, self.order(self.customer), 1, day=self.noon(2))
            self.credit_note(self.customer)
            return picking

        kinds = {"stock.picking": "late_delivery", "rating.rating": "low_rating", "account.move": "return"}
        for model, kind in kinds.items():
            with self.subTest(model=model), self.without(model):
                self.cases().unlink()
                everything()
                self.rescore()
                self.assertEqual(set(self.cases().mapped("kind")), set(kinds.values()) - {kind})
