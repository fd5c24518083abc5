"""Sales counted from posted invoices less credit notes."""

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .test_export_facts import InvoiceCase


class InvoicedCase(InvoiceCase):
    sales = "invoices"

    def sold(self, company=None):
        """``{invoice id: (customer id, day, amount)}``."""
        return {
            int(row["order_id"]): (int(row["customer_id"]), row["date"], float(row["amount"]))
            for row in self.export("orders", company)
        }

    def rate(self, **rates):
        """Rates of the euro in the company's dollars from the first of January on, and others from a later day."""
        eur = self.env.ref("base.EUR")
        self.env["res.currency.rate"].create(
            [
                {"name": day, "rate": rate, "currency_id": eur.id, "company_id": self.alpha.id}
                for day, rate in rates.items()
            ]
        )
        return eur

    def lines_of(self, move):
        return [
            (float(row["quantity"]), float(row["amount"]))
            for row in sorted(self.export("lines"), key=lambda row: int(row["line_id"]))
            if int(row["order_id"]) == move.id
        ]

    def deliver(self, order):
        for line in order.order_line:
            line.qty_delivered = line.product_uom_qty
        return order

    def bill(self, order, day="2026-01-20"):
        """What is left to invoice of an order, posted."""
        invoice = order._create_invoices(final=True)
        invoice.invoice_date = day
        return self.post(invoice)

    def advance(self, order, amount, day="2026-01-18"):
        wizard = (
            self.env["sale.advance.payment.inv"]
            .with_context(active_ids=order.ids, active_model="sale.order")
            .create({"advance_payment_method": "fixed", "fixed_amount": amount})
        )
        invoice = wizard._create_invoices(order)
        invoice.invoice_date = day
        return self.post(invoice)


@tagged("post_install", "-at_install", "crm_value_export")
class TestInvoicedSales(InvoicedCase):
    def test_posted_invoices_less_credit_notes(self):
        invoice = self.post(self.invoice(self.contact, 100))
        credit = self.post(self.invoice(self.customer, 30, move_type="out_refund", day="2026-01-20"))
        receipt = self.post(self.invoice(self.customer2, 8, move_type="out_receipt"))
        self.invoice(self.customer, 7)
        self.post(self.invoice(self.customer3, 50)).button_cancel()
        self.post(self.invoice(self.customer3, 51)).button_draft()
        self.post(self.invoice(self.customer, 60, move_type="in_invoice"))
        self.order(self.customer, 1000)
        self.assertEqual(
            self.sold(),
            {
                invoice.id: (self.customer.id, "2026-01-10", 100),
                credit.id: (self.customer.id, "2026-01-20", -30),
                receipt.id: (self.customer2.id, "2026-01-10", 8),
            },
        )
        self.assertEqual({row["margin"] for row in self.export("orders")}, {""})

    def test_orders_alone_unless_invoices_are_asked_for(self):
        order = self.order(self.customer, 100)
        self.post(self.invoice(self.customer, 70))
        self.sales = "orders"
        page = self.contract.export_history(dataset="orders", company_id=self.alpha.id)
        self.assertEqual(page["rows"], 1)
        self.assertEqual(set(self.amounts()), {order.id})

    def test_columns_are_the_same(self):
        for dataset, columns in self.contract.describe()["datasets"].items():
            for sales in ("orders", "invoices"):
                page = self.contract.export_history(dataset=dataset, company_id=self.alpha.id, sales=sales)
                self.assertEqual(page["columns"], columns)

    def test_lines(self):
        other = self._product("Other")
        sale = {"product_id": other.id, "quantity": 4, "price_unit": 10, "discount": 25, "tax_ids": False}
        invoice = self.post(
            self.invoice(
                self.contact,
                invoice_line_ids=[
                    Command.create({"display_type": "line_section", "name": "Part one"}),
                    Command.create(sale),
                    Command.create({"display_type": "line_note", "name": "As agreed"}),
                    Command.create({"name": "By hand", "quantity": 1, "price_unit": 5, "tax_ids": False}),
                ],
            )
        )
        credit = self.post(
            self.invoice(self.contact, move_type="out_refund", invoice_line_ids=[Command.create(sale)])
        )
        rows = {
            (int(row["order_id"]), row["product_id"]): tuple(
                float(row[name]) for name in ("quantity", "amount", "discount")
            )
            for row in self.export("lines")
        }
        self.assertEqual(
            rows,
            {
                (invoice.id, str(other.id)): (4, 30, 25),
                (invoice.id, ""): (1, 5, 0),
                (credit.id, str(other.id)): (-4, -30, 25),
            },
        )
        self.assertEqual(
            {key: value[2] for key, value in self.sold().items()}, {invoice.id: 35, credit.id: -30}
        )

    def test_untaxed_in_the_company_s_currency_at_the_invoice_s_own_rate(self):
        eur = self.rate(**{"2026-01-01": 4.0, "2026-02-01": 5.0})
        tax = self.env["account.tax"].create({"name": "20 %", "amount": 20, "company_id": self.alpha.id})
        line = {"tax_ids": [Command.set(tax.ids)]}
        early = self.post(self.invoice(self.customer, 100, currency_id=eur.id, line=line))
        late = self.post(self.invoice(self.customer, 100, day="2026-02-10", currency_id=eur.id, line=line))
        agreed = self.invoice(self.customer, 100, currency_id=eur.id, line=line)
        agreed.invoice_currency_rate = 8
        self.post(agreed)
        self.assertEqual(
            {key: value[2] for key, value in self.sold().items()},
            {early.id: 25, late.id: 20, agreed.id: 12.5},
        )
        self.assertEqual(
            [self.lines_of(move) for move in (early, late, agreed)], [[(1, 25)], [(1, 20)], [(1, 12.5)]]
        )

    def test_coins(self):
        rounding = self.env["account.cash.rounding"].create(
            {
                "name": "Coins",
                "rounding": 0.05,
                "strategy": "add_invoice_line",
                "profit_account_id": self.product.with_company(self.alpha)
                ._get_product_accounts()["income"]
                .id,
                "loss_account_id": self.product.with_company(self.alpha)
                ._get_product_accounts()["expense"]
                .id,
            }
        )
        invoice = self.post(self.invoice(self.customer, 9.98, invoice_cash_rounding_id=rounding.id))
        self.assertEqual(invoice.amount_untaxed, 10)
        self.assertEqual(self.sold()[invoice.id][2], 9.98)

    def test_a_down_payment_is_no_sale_and_takes_nothing_from_the_sale(self):
        order = self.deliver(self.order(self.customer, 100))
        advance = self.advance(order, 40)
        self.assertEqual(advance.amount_untaxed, 40)
        self.assertEqual(self.sold(), {advance.id: (self.customer.id, "2026-01-18", 0)})
        last = self.bill(order)
        self.assertEqual(last.amount_untaxed, 60)
        self.assertEqual(self.sold()[last.id], (self.customer.id, "2026-01-20", 100))
        self.assertEqual((self.lines_of(advance), self.lines_of(last)), ([], [(1, 100)]))

    def test_a_down_payment_given_back_is_no_return(self):
        order = self.order(self.customer, 100)
        advance = self.advance(order, 40)
        reversal = self.env["account.move.reversal"].create(
            {
                "move_ids": [Command.set(advance.ids)],
                "journal_id": advance.journal_id.id,
                "date": "2026-01-25",
            }
        )
        reversal.reverse_moves()
        back = self.post(reversal.new_move_ids)
        self.assertEqual(self.sold()[back.id][2], 0)
        self.assertEqual(self.lines_of(back), [])

    def test_what_is_no_sale_on_an_order_is_none_on_its_invoice(self):
        order = self.order(self.customer, 100)
        order.order_line = [
            Command.create(
                {
                    "product_id": self._product("Fare").id,
                    "price_unit": 12,
                    "tax_ids": False,
                    "is_expense": True,
                }
            )
        ]
        invoice = self.bill(self.deliver(order))
        self.assertEqual(invoice.amount_untaxed, 112)
        self.assertEqual(self.sold()[invoice.id][2], 100)
        self.assertEqual(self.lines_of(invoice), [(1, 100)])

    def test_an_invoice_has_no_time_zone(self):
        for timezone in ("Pacific/Auckland", "Pacific/Honolulu"):
            self.alpha.partner_id.tz = timezone
            invoice = self.post(self.invoice(self.customer, day="2026-01-10"))
            self.assertEqual(self.sold()[invoice.id][1], "2026-01-10")
            [row] = self.export("partners")
            self.assertEqual((row["customer_id"], row["first_seen"]), (str(self.customer.id), "2026-01-10"))

    def test_customers_with_invoices_only_are_known_whatever_sales_are_counted_from(self):
        self.post(self.invoice(self.contact, day="2026-01-10"))
        self.post(self.invoice(self.contact, day="2025-11-03"))
        self.post(self.invoice(self.customer2, move_type="out_refund"))
        self.invoice(self.customer3)
        self.post(self.invoice(self.unscored, move_type="in_invoice"))
        for self.sales in ("orders", "invoices"):
            self.assertEqual(
                {int(row["customer_id"]): row["first_seen"] for row in self.export("partners")},
                {self.customer.id: "2025-11-03", self.customer2.id: "2026-01-10"},
            )

    def test_nobody_s_receipt(self):
        nobody = self.post(self.invoice(self.env["res.partner"], move_type="out_receipt"))
        self.assertFalse(nobody.partner_id)
        self.assertEqual((self.sold(), self.export("lines")), ({}, []))

    def test_companies_and_branches(self):
        self._chart(self.beta)
        own = self.post(self.invoice(self.customer, 10))
        branch = self.post(self.invoice(self.customer, 20, company=self.branch))
        other = self.post(self.invoice(self.customer, 40, company=self.beta))
        amounts = {
            company: {key: row[2] for key, row in self.sold(company).items()}
            for company in (self.alpha, self.beta)
        }
        self.assertEqual(amounts, {self.alpha: {own.id: 10, branch.id: 20}, self.beta: {other.id: 40}})
        self.assertEqual(self.lines_of(branch), [(1, 20)])
        self.assertEqual([float(row["amount"]) for row in self.export("lines", self.beta)], [40])

    def test_a_branch_sells_in_another_currency(self):
        eur = self.rate(**{"2026-01-01": 4.0})
        branch = self.post(self.invoice(self.customer, 100, company=self.branch, currency_id=eur.id))
        self.assertEqual(self.sold()[branch.id][2], 25)

    def test_objecting_customers_are_left_out(self):
        self.post(self.invoice(self.contact))
        self.object(self.customer)
        self.assertEqual((self.sold(), self.export("lines"), self.export("partners")), ({}, [], []))

    def test_pages(self):
        for partner in self.partners[:3]:
            self.post(self.invoice(partner))
        for dataset in ("orders", "lines"):
            with self.subTest(dataset=dataset):
                self.assert_paged(dataset)
                self.assert_splits(dataset)

    def test_what_sales_cannot_be_counted_from(self):
        def export(sales):
            return self.contract.export_history(dataset="orders", company_id=self.alpha.id, sales=sales)

        for sales in ("moves", None, 1, ["invoices"]):
            with (
                self.subTest(sales=sales),
                self.assertRaisesRegex(UserError, "counted from orders, invoices"),
            ):
                export(sales)
        with self.without("account.move"):
            self.assertEqual(export("orders")["rows"], 0)
            with self.assertRaisesRegex(UserError, "install the app Invoicing"):
                export("invoices")


@tagged("post_install", "-at_install")
class TestSalesBasis(InvoicedCase):
    def version(self, value, business_format=None):
        rule = {"key": "sales_basis", "value": value, "format_id": business_format and business_format.id}
        return self.as_user("crm.value.policy.version", self.manager, self.alpha).create(
            {"company_id": self.alpha.id, "rule_ids": [Command.create(rule)]}
        )

    def test_the_policy_says_it_and_the_run_shows_it(self):
        self.assertEqual(self.env["crm.value.run"].browse(self.claim()["id"]).sales_basis, "orders")
        version = self.version("1")
        self.assertEqual(version.sales_basis, "invoices")
        version.action_activate()
        run = self.claim(kind="backtest")
        self.assertEqual(run["policy"]["rules"], [{"key": "sales_basis", "format_id": None, "value": 1}])
        shown = self.as_user("crm.value.run", self.viewer, self.alpha).browse(run["id"])
        self.assertEqual(shown.sales_basis, "invoices")
        self.assertEqual(self.version("0").sales_basis, "orders")

    def test_of_the_whole_company_only(self):
        with self.assertRaisesRegex(ValidationError, "one for the whole company"):
            self.version("1", self.env.ref("crm_value_addon.crm_value_format_wholesale"))

    def test_no_activation_without_invoices(self):
        version = self.version("1")
        with self.without("account.move"), self.assertRaisesRegex(UserError, "install the app Invoicing"):
            version.action_activate()
        self.assertEqual(version.state, "draft")
        with self.without("account.move"):
            self.version("0").action_activate()
