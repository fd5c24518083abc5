"""What was sold is one for queries in Odoo and for the worker."""

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL

from .test_export_invoiced import InvoicedCase
from .test_export_pos import CounterCase


class SalesCase(InvoicedCase):
    def count_from(self, sales, company=None):
        """Activate a policy that counts sales so; what is exported from now on is that too."""
        self.sales = sales
        version = self.env["crm.value.policy.version"].create(
            {
                "company_id": (company or self.alpha).id,
                "rule_ids": [
                    Command.create({"key": "sales_basis", "value": "1" if sales == "invoices" else "0"})
                ],
            }
        )
        version.action_activate()

    def asked(self, company=None):
        """``[(customer id, day, amount)]`` of what queries of this database see."""
        rows = self.env.execute_query(
            SQL(
                "SELECT customer, day, amount, moment FROM (%s) sales",
                self.env["crm.value.sync"]._sales_sql(company or self.alpha),
            )
        )
        self.assertTrue(all(moment for *_row, moment in rows))
        return sorted((customer, str(day), float(amount)) for customer, day, amount, _moment in rows)

    def exported(self, *datasets, company=None):
        rows = [row for dataset in datasets or ("orders",) for row in self.export(dataset, company)]
        return sorted((int(row["customer_id"]), row["date"], float(row["amount"])) for row in rows)

    def advance_line(self, order, amount):
        order.order_line = [
            Command.create(
                {
                    "product_id": self._product("Advance").id,
                    "price_unit": amount,
                    "tax_ids": False,
                    "is_downpayment": True,
                }
            )
        ]
        return order


@tagged("post_install", "-at_install", "crm_value_export")
class TestSales(SalesCase):
    def test_orders_as_they_are_exported(self):
        self.alpha.partner_id.tz = "Asia/Tokyo"
        eur = self.rate(**{"2026-01-01": 4.0})
        pricelist = self.env["product.pricelist"].create(
            {"name": "EUR", "currency_id": eur.id, "company_id": self.alpha.id}
        )
        self.order(self.contact, 100, day="2026-01-15 20:00:00")
        self.order(self.customer2, 100, pricelist_id=pricelist.id)
        self.order(self.customer2, -30)
        self.order(self.customer3, 50, company=self.branch)
        self.advance_line(self.order(self.customer3, 70), 20)
        for unseen in ({"state": "draft"}, {"state": "cancel"}, {"company": self.beta}):
            self.order(self.customer, 9, **unseen)
        self.post(self.invoice(self.customer, 1000))
        self.count_from("orders")
        expected = [
            (self.customer.id, "2026-01-16", 100),
            (self.customer2.id, "2026-01-15", -30),
            (self.customer2.id, "2026-01-15", 25),
            (self.customer3.id, "2026-01-15", 50),
            (self.customer3.id, "2026-01-15", 70),
        ]
        self.assertEqual(self.asked(), expected)
        self.assertEqual(self.exported(), expected)
        self.assertEqual(self.asked(self.beta), [(self.customer.id, "2026-01-15", 9)])
        self.object(self.customer3)
        self.assertEqual(self.asked(), expected[:3])

    def test_invoices_as_they_are_exported(self):
        self.post(self.invoice(self.contact, 100, company=self.alpha))
        self.post(self.invoice(self.customer2, 30, move_type="out_refund", day="2026-01-20"))
        order = self.deliver(self.order(self.customer3, 80))
        self.advance(order, 20)
        self.bill(order, day="2026-01-25")
        self.invoice(self.customer, 7)
        self.count_from("invoices")
        expected = [
            (self.customer.id, "2026-01-10", 100),
            (self.customer2.id, "2026-01-20", -30),
            (self.customer3.id, "2026-01-18", 0),
            (self.customer3.id, "2026-01-25", 80),
        ]
        self.assertEqual(self.asked(), expected)
        self.assertEqual(self.exported(), expected)

    def test_an_invoice_begins_with_its_day_where_the_company_is(self):
        self.alpha.partner_id.tz = "Asia/Tokyo"
        self.post(self.invoice(self.customer, 100, day="2026-01-10"))
        self.count_from("invoices")
        sales = self.env["crm.value.sync"]._sales_sql(self.alpha)
        [(moment,)] = self.env.execute_query(SQL("SELECT moment FROM (%s) sales", sales))
        self.assertEqual(str(moment), "2026-01-09 15:00:00")

    def test_without_invoices_orders_count(self):
        self.order(self.customer, 100)
        self.count_from("invoices")
        with self.without("account.move"):
            self.assertEqual(self.asked(), [(self.customer.id, "2026-01-15", 100)])


@tagged("post_install", "-at_install", "-standard", "crm_value_export")
class TestSalesModules(CounterCase, SalesCase):
    """With delivery and point of sale."""

    def test_counter_and_transport_as_they_are_exported(self):
        carrier = self.env["delivery.carrier"].create(
            {"name": "Van", "product_id": self._product("Transport", type="service").id}
        )
        order = self.order(self.customer2, 100)
        order.order_line = [
            Command.create(
                {
                    "product_id": carrier.product_id.id,
                    "price_unit": 7,
                    "tax_ids": False,
                    "is_delivery": True,
                }
            )
        ]
        self.sell(self.contact, (self.product, 2, 50), (self.tip, 1, 5))
        self.sell(self.customer, (self.product, -1, 40), is_refund=True)
        self.sell(self.customer, (self.product, 1, 9), state="draft")
        settled = self.order(self.customer3, 60)
        self.sell(self.customer3, (self.product, 1, 60, {"sale_order_origin_id": settled.id}))
        billed = self.sell(self.customer3, (self.product, 1, 11))
        move = self.post(self.invoice(self.customer3, 11))
        self.stamp(billed, account_move=move.id)
        self.post(self.invoice(self.customer2, 33))
        counter = [(self.customer.id, "2026-02-03", -40), (self.customer.id, "2026-02-03", 100)]
        for sales, expected in (
            (
                "orders",
                [
                    *counter,
                    (self.customer2.id, "2026-01-15", 100),
                    (self.customer3.id, "2026-01-15", 60),
                    (self.customer3.id, "2026-02-03", 11),
                ],
            ),
            (
                "invoices",
                [
                    *counter,
                    (self.customer2.id, "2026-01-10", 33),
                    (self.customer3.id, "2026-02-03", 11),
                    (self.customer3.id, "2026-02-03", 60),
                ],
            ),
        ):
            self.count_from(sales)
            # What the counter only settled is a row of nothing there, and none of the export.
            self.assertEqual([row for row in self.asked() if row[2]], expected, sales)
            self.assertEqual(self.exported("orders", "pos_orders"), expected, sales)
