"""Sales counted from invoices, with what other modules make of invoices; run as test_export_modules.py is."""

from odoo.fields import Command
from odoo.tests import tagged

from .test_export_invoiced import InvoicedCase
from .test_export_pos import CounterCase


@tagged("post_install", "-at_install", "-standard", "crm_value_export")
class TestInvoicedModules(InvoicedCase):
    """With sale_margin and delivery."""

    def margin(self, move):
        [row] = [row for row in self.export("orders") if int(row["order_id"]) == move.id]
        return row["margin"] and float(row["margin"])

    def test_margin_of_an_order_by_the_part_that_is_invoiced(self):
        self.product.invoice_policy = "delivery"
        self.product.with_company(self.alpha).standard_price = 60
        order = self.order(self.customer, 100, line={"product_uom_qty": 4})
        order.order_line.qty_delivered = 3
        part = self.bill(order)
        self.assertEqual((self.sold()[part.id][2], self.margin(part)), (300, 120))
        order.order_line.qty_delivered = 4
        rest = self.bill(order)
        self.assertEqual(self.margin(rest), 40)
        reversal = self.env["account.move.reversal"].create(
            {"move_ids": [Command.set(part.ids)], "journal_id": part.journal_id.id, "date": "2026-01-25"}
        )
        reversal.reverse_moves()
        back = self.post(reversal.new_move_ids)
        self.assertEqual((self.sold()[back.id][2], self.margin(back)), (-300, -120))

    def test_margin_in_another_currency(self):
        eur = self.rate(**{"2026-01-01": 4.0, "2026-01-18": 5.0})
        pricelist = self.env["product.pricelist"].create(
            {"name": "EUR", "currency_id": eur.id, "company_id": self.alpha.id}
        )
        self.product.with_company(self.alpha).standard_price = 15
        order = self.deliver(self.order(self.customer, 100, pricelist_id=pricelist.id))
        self.assertAlmostEqual(order.order_line.purchase_price, 60)
        invoice = self.bill(order)
        # 40 of 100 euros; the invoice's own rate makes it 8 of 20 dollars
        self.assertEqual((self.sold()[invoice.id][2], self.margin(invoice)), (20, 8))

    def test_margin_is_unknown_without_a_cost_at_the_time(self):
        self.product.with_company(self.alpha).standard_price = 60
        self.assertEqual(self.margin(self.post(self.invoice(self.customer, 100))), "")
        order = self.deliver(self.order(self.customer, 100))
        order.order_line = [
            Command.create(
                {
                    "product_id": self._product("Unknown cost").id,
                    "price_unit": 7,
                    "tax_ids": False,
                    "qty_delivered": 1,
                }
            )
        ]
        self.assertEqual(self.margin(self.bill(order)), "")

    def test_a_discount_has_no_cost_and_a_down_payment_no_margin(self):
        self.product.with_company(self.alpha).standard_price = 60
        order = self.order(self.customer, 100)
        order.order_line = [
            Command.create({"product_id": self._product("Discount").id, "price_unit": -10, "tax_ids": False})
        ]
        self.deliver(order)
        advance = self.advance(order, 20)
        invoice = self.bill(order)
        self.assertEqual(self.margin(advance), "")
        self.assertEqual((self.sold()[invoice.id][2], self.margin(invoice)), (90, 30))

    def test_transport_is_no_sale(self):
        carrier = self.env["delivery.carrier"].create(
            {"name": "Van", "product_id": self._product("Transport", type="service").id}
        )
        invoice = self.invoice(self.customer, 100)
        invoice.invoice_line_ids = [
            Command.create({"product_id": carrier.product_id.id, "price_unit": 7, "tax_ids": False})
        ]
        self.post(invoice)
        self.assertEqual(invoice.amount_untaxed, 107)
        self.assertEqual(self.sold()[invoice.id][2], 100)
        self.assertEqual(self.lines_of(invoice), [(1, 100)])


@tagged("post_install", "-at_install", "-standard", "crm_value_export")
class TestInvoicedCounter(CounterCase, InvoicedCase):
    def test_what_the_counter_sold_is_counted_there_and_its_invoice_is_not(self):
        sale = self.sell(self.customer, (self.product, 1, 100))
        back = self.sell(self.customer, (self.product, -1, 40), is_refund=True)
        bare = self.sell(self.customer, (self.product, 1, 5))
        elsewhere = self.post(self.invoice(self.customer, 60))
        for order, kind in ((sale, "out_invoice"), (back, "out_refund")):
            move = self.post(self.invoice(self.customer, abs(order.amount_total), move_type=kind))
            self.stamp(order, account_move=move.id)
        self.assertEqual(set(self.sold()), {elsewhere.id})
        self.assertEqual([float(row["amount"]) for row in self.export("lines")], [60])
        self.assertEqual(
            {key: float(row["amount"]) for key, row in self.rows("pos_orders").items()},
            {sale.id: 100, back.id: -40, bare.id: 5},
        )

    def test_a_sales_order_settled_at_the_counter_is_sold_there(self):
        settled = self.order(self.customer, 100)
        order = self.sell(self.customer, (self.product, 1, 100, {"sale_order_origin_id": settled.id}))
        self.assertEqual(float(self.rows("pos_orders")[order.id]["amount"]), 100)
        self.assertEqual([float(row["amount"]) for row in self.export("pos_lines")], [100])
        self.assertEqual(self.sold(), {})
        self.sales = "orders"
        self.assertEqual((self.rows("pos_orders"), set(self.amounts())), ({}, {settled.id}))
