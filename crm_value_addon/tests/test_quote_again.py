"""A quotation made from the customer's last order."""

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .test_work import WorkCase


@tagged("post_install", "-at_install")
class TestQuoteAgain(WorkCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls._product("Other", list_price=7.0)

    def quote(self, partner=None, user=None, company=None):
        records = self.as_user("res.partner", user or self.leader, company or self.alpha)
        action = records.browse((partner or self.customer).id).action_quote_last_order()
        self.assertEqual(action["res_model"], "sale.order")
        return self.env["sale.order"].browse(action["res_id"])

    def lines(self, order):
        return [(line.product_id, line.product_uom_qty, line.price_unit) for line in order.order_line]

    def test_goods_and_quantities_at_the_prices_of_today(self):
        self.order(self.customer, 10, day="2026-01-01 12:00:00", product=self.other)
        last = self.order(
            self.contact,
            80,
            day="2026-01-20 12:00:00",
            user_id=self.manager.id,
            line={"product_uom_qty": 3, "discount": 10},
        )
        self.product.list_price = 120
        quotation = self.quote()
        self.assertEqual(self.lines(quotation), [(self.product, 3, 120)])
        self.assertEqual(quotation.order_line.discount, 0)
        self.assertEqual(quotation.state, "draft")
        self.assertEqual(quotation.partner_id, self.contact)
        self.assertEqual(quotation.company_id, self.alpha)
        self.assertEqual(quotation.origin, last.name)
        self.assertEqual(quotation.user_id, last.user_id)
        self.assertEqual(self.quote(self.contact).origin, last.name, "of a contact: that of its company")

    def test_the_prices_of_the_customer(self):
        self.leader.group_ids += self.env.ref("product.group_product_pricelist")
        values = {"name": "Friends", "company_id": self.alpha.id, "currency_id": self.beta.currency_id.id}
        rule = {"compute_price": "fixed", "fixed_price": 44, "applied_on": "3_global"}
        pricelist = self.env["product.pricelist"].create({**values, "item_ids": [Command.create(rule)]})
        self.order(self.customer, 80)
        self.customer.with_company(self.alpha).specific_property_product_pricelist = pricelist
        quotation = self.quote()
        self.assertEqual(quotation.pricelist_id, pricelist)
        self.assertEqual(self.lines(quotation), [(self.product, 1, 44)])
        self.assertEqual(quotation.currency_id, self.beta.currency_id)

    def test_what_is_no_order_to_repeat(self):
        last = self.order(self.customer, 80, day="2026-01-01 12:00:00")
        self.order(self.customer, -80, day="2026-01-05 12:00:00")
        self.order(self.customer, 10, day="2026-01-06 12:00:00", state="cancel")
        self.order(self.customer, 10, day="2026-01-06 12:00:00", state="sent")
        self.order(self.customer2, 10, day="2026-01-07 12:00:00")
        self.order(self.customer, 10, self.beta, day="2026-01-08 12:00:00")
        self.assertEqual(self.quote().origin, last.name)

    def test_in_the_company_of_the_list(self):
        own = self.order(self.customer, 10, self.beta)
        self.order(self.customer, 10, self.alpha)
        quotation = self.quote(company=self.beta)
        self.assertEqual((quotation.company_id, quotation.origin), (self.beta, own.name))
        with self.assertRaisesRegex(UserError, "no confirmed order of Customer 0 in Alpha North"):
            self.quote(company=self.branch)

    def test_what_is_no_longer_sold_is_left_out_and_said(self):
        last = self.order(self.customer, 80)
        last.order_line = [
            Command.create({"display_type": "line_section", "name": "Extras"}),
            Command.create({"product_id": self.other.id, "product_uom_qty": 2}),
        ]
        self.product.active = False
        quotation = self.quote()
        self.assertEqual(
            [(line.display_type, line.product_id) for line in quotation.order_line],
            [("line_section", self.env["product.product"]), (False, self.other)],
        )
        self.assertIn("no longer sold: Thing", quotation.message_ids[0].body)
        self.other.sale_ok = False
        with self.assertRaisesRegex(UserError, f"Nothing of the last order, {last.name}, is sold any more"):
            self.quote()

    def test_neither_costs_nor_advances_are_repeated(self):
        last = self.order(self.customer, 80)
        line = {"product_id": self.other.id, "product_uom_qty": 1, "price_unit": 5}
        last.order_line = [
            Command.create({**line, "is_downpayment": True}),
            Command.create({**line, "is_expense": True}),
            Command.create({**line, "product_uom_qty": -1}),
        ]
        self.assertEqual(self.lines(self.quote()), [(self.product, 1, 100)])

    def test_own_documents_only(self):
        own = self.order(self.customer, 80, day="2026-01-01 12:00:00", user_id=self.seller.id)
        self.order(self.customer, 90, day="2026-01-09 12:00:00", user_id=self.leader.id)
        quotation = self.quote(user=self.seller)
        self.assertEqual((quotation.origin, quotation.user_id), (own.name, self.seller))
        self.order(self.customer2, 90, user_id=self.leader.id)
        with self.assertRaisesRegex(UserError, "that you may see"):
            self.quote(self.customer2, user=self.seller)

    def test_of_a_salesperson_who_left(self):
        self.order(self.customer, 80, user_id=self.seller.id)
        self.seller.active = False
        self.assertEqual(self.quote().user_id, self.leader)

    def test_opportunity_was_of_the_last_sale(self):
        lead = self.env["crm.lead"].create({"name": "x", "type": "opportunity", "company_id": self.alpha.id})
        self.order(self.customer, 80, opportunity_id=lead.id)
        self.assertFalse(self.quote().opportunity_id)

    def test_who_may_not(self):
        self.order(self.customer, 80)
        for user in (self.viewer, self.user, self.employee):
            with self.assertRaisesRegex(UserError, "may not create quotations"):
                self.quote(user=user)
        with self.assertRaises(AccessError):
            self.quote(user=self.portal)
        with self.assertRaisesRegex(UserError, "no confirmed order of Customer 3 in Alpha"):
            self.quote(self.unscored)
