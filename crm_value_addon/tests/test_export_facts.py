from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL

from .test_export import ExportCase


class FactsCase(ExportCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.employee_partner = cls.employee.partner_id

    @classmethod
    def _chart(cls, company):
        cls.env["account.chart.template"].try_loading("generic_coa", company, install_demo=False)

    def rows(self, dataset, company=None, **kwargs):
        """The rows of a dataset by their id, without their customers' other data."""
        rows = self.export(dataset, company, **kwargs)
        key = next(iter(self.contract.describe()["datasets"][dataset]))
        return {int(row[key]): row for row in rows}

    def stamp(self, record, **columns):
        """Set what the ORM would not, as if the record had been written then."""
        self.env.flush_all()
        for column, value in columns.items():
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET %s = %s WHERE id = %s",
                    SQL.identifier(record._table),
                    SQL.identifier(column),
                    value,
                    record.id,
                )
            )
        self.env.invalidate_all(flush=False)

    def object(self, partner):
        self.env["crm.value.objection"].create({"partner_id": partner.id})

    def without(self, *names):
        """As if what these modules bring were not there: names of models, or of fields as `model.field`."""
        installed = type(self.env["crm.value.sync"])._installed

        def answer(sync, model, *fields):
            gone = model in names or any(f"{model}.{field}" in names for field in fields)
            return not gone and installed(sync, model, *fields)

        return patch.object(self.registry["crm.value.sync"], "_installed", answer)


class InvoiceCase(FactsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._chart(cls.alpha)

    def invoice(self, partner, amount=100.0, day="2026-01-10", due="2026-02-09", company=None, **values):
        company = company or self.alpha
        line = {
            "product_id": self.product.id,
            "quantity": 1,
            "price_unit": amount,
            "tax_ids": False,
            **values.pop("line", {}),
        }
        move = (
            self.env["account.move"]
            .with_company(company)
            .create(
                {
                    "move_type": "out_invoice",
                    "partner_id": partner.id,
                    "company_id": company.id,
                    "invoice_date": day,
                    "date": day,
                    "invoice_date_due": due,
                    "invoice_line_ids": [Command.create(line)],
                    **values,
                }
            )
        )
        self.stamp(move, create_date=f"{day} 08:00:00")
        return move

    def post(self, move):
        move.action_post()
        return move

    def pay(self, move, amount, day):
        wizard = (
            self.env["account.payment.register"]
            .with_company(move.company_id)
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"amount": amount, "payment_date": day})
        )
        return wizard._create_payments()


@tagged("post_install", "-at_install", "crm_value_export")
class TestInvoices(InvoiceCase):
    def test_posted_documents_of_customers(self):
        invoice = self.post(self.invoice(self.contact, 100))
        self.invoice(self.customer, 7)
        credit = self.post(self.invoice(self.customer2, 30, move_type="out_refund", day="2026-01-20"))
        self.post(self.invoice(self.customer3, 50)).button_cancel()
        bill = self.invoice(self.customer, 60, move_type="in_invoice")
        self.post(bill)
        self.assertEqual(
            self.rows("invoices"),
            {
                invoice.id: {
                    "invoice_id": str(invoice.id),
                    "customer_id": str(self.customer.id),
                    "known": "2026-01-10",
                    "date": "2026-01-10",
                    "due": "2026-02-09",
                    "amount": "100.00",
                    "total": "100.00",
                },
                credit.id: {
                    "invoice_id": str(credit.id),
                    "customer_id": str(self.customer2.id),
                    "known": "2026-01-20",
                    "date": "2026-01-20",
                    "due": str(credit.invoice_date_due),
                    "amount": "-30.00",
                    "total": "-30.00",
                },
            },
        )

    def test_an_invoice_is_known_once_it_is_dated_and_there(self):
        self.alpha.partner_id.tz = "Asia/Tokyo"
        entered_later = self.post(self.invoice(self.customer, day="2026-01-10"))
        self.stamp(entered_later, create_date="2026-03-01 20:00:00")
        dated_ahead = self.post(self.invoice(self.customer, day="2026-04-10"))
        self.stamp(dated_ahead, create_date="2026-03-01 08:00:00")
        rows = self.rows("invoices")
        self.assertEqual(rows[entered_later.id]["known"], "2026-03-02")
        self.assertEqual(rows[entered_later.id]["date"], "2026-01-10")
        self.assertEqual(rows[dated_ahead.id]["known"], "2026-04-10")

    def test_currency_and_tax(self):
        eur = self.env.ref("base.EUR")
        self.env["res.currency.rate"].create(
            {"name": "2026-01-01", "rate": 4.0, "currency_id": eur.id, "company_id": self.alpha.id}
        )
        tax = self.env["account.tax"].create({"name": "20 %", "amount": 20, "company_id": self.alpha.id})
        invoice = self.post(
            self.invoice(self.customer, 100, currency_id=eur.id, line={"tax_ids": [Command.set(tax.ids)]})
        )
        row = self.rows("invoices")[invoice.id]
        self.assertEqual((float(row["amount"]), float(row["total"])), (25, 30))

    def test_companies_and_branches(self):
        self._chart(self.beta)
        branch = self.post(self.invoice(self.customer, company=self.branch))
        other = self.post(self.invoice(self.customer, company=self.beta))
        self.assertEqual(set(self.rows("invoices")), {branch.id})
        self.assertEqual(set(self.rows("invoices", self.beta)), {other.id})

    def test_objecting_customers_are_left_out(self):
        invoice = self.post(self.invoice(self.contact))
        self.pay(invoice, 100, "2026-01-15")
        self.assertTrue(self.rows("payments"))
        self.object(self.customer)
        self.assertEqual((self.rows("invoices"), self.rows("payments")), ({}, {}))

    def test_payments(self):
        invoice = self.post(self.invoice(self.contact, 100))
        unpaid = self.post(self.invoice(self.contact, 10))
        self.pay(invoice, 60, "2026-02-01")
        self.pay(invoice, 40, "2026-03-05")
        rows = sorted(self.rows("payments").values(), key=lambda row: row["known"])
        self.assertEqual(
            [(row["known"], float(row["amount"])) for row in rows], [("2026-02-01", 60), ("2026-03-05", 40)]
        )
        self.assertEqual({row["invoice_id"] for row in rows}, {str(invoice.id)})
        self.assertEqual({row["customer_id"] for row in rows}, {str(self.customer.id)})
        self.assertNotEqual(invoice, unpaid)

    def test_paid_in_advance_counts_on_the_day_of_the_invoice(self):
        invoice = self.post(self.invoice(self.customer, 100, day="2026-01-10"))
        self.pay(invoice, 100, "2026-01-03")
        [row] = self.export("payments")
        self.assertEqual(row["known"], "2026-01-10")

    def test_credit_note_settles_both(self):
        invoice = self.post(self.invoice(self.customer, 100))
        credit = self.post(self.invoice(self.customer, 30, move_type="out_refund", day="2026-01-20"))
        lines = (invoice | credit).line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        lines.reconcile()
        settled = {int(row["invoice_id"]): float(row["amount"]) for row in self.export("payments")}
        self.assertEqual(settled, {invoice.id: 30, credit.id: -30})

    def test_payment_in_another_currency_settles_what_was_owed(self):
        eur = self.env.ref("base.EUR")
        self.env["res.currency.rate"].create(
            [
                {"name": day, "rate": rate, "currency_id": eur.id, "company_id": self.alpha.id}
                for day, rate in (("2026-01-01", 4.0), ("2026-02-01", 5.0))
            ]
        )
        invoice = self.post(self.invoice(self.customer, 100, currency_id=eur.id))
        self.pay(invoice, 100, "2026-02-10")
        # 25 were owed and 20 came: the rest was lost to the exchange rate, and the customer owes nothing.
        settled = sum(float(row["amount"]) for row in self.export("payments"))
        self.assertAlmostEqual(settled, float(self.rows("invoices")[invoice.id]["total"]))

    def test_what_is_settled_on_other_accounts_pays_no_invoice(self):
        passing = self.env["account.account"].create(
            {
                "name": "Passing through",
                "code": "199999",
                "account_type": "asset_current",
                "reconcile": True,
                "company_ids": [Command.set(self.alpha.ids)],
            }
        )
        invoice = self.post(self.invoice(self.customer, 100, line={"account_id": passing.id}))
        credit = self.post(
            self.invoice(self.customer2, 100, move_type="out_refund", line={"account_id": passing.id})
        )
        (invoice | credit).line_ids.filtered(lambda line: line.account_id == passing).reconcile()
        self.assertEqual(self.export("payments"), [])

    def test_vendor_payments_are_none(self):
        bill = self.post(self.invoice(self.customer, 60, move_type="in_invoice"))
        self.pay(bill, 60, "2026-02-01")
        self.assertEqual(self.export("payments"), [])


@tagged("post_install", "-at_install", "crm_value_export")
class TestOrderDetails(InvoiceCase):
    def billed(self, order, **values):
        """The order's invoice, posted."""
        order.order_line.qty_delivered = 1
        invoice = order._create_invoices(final=True)
        invoice.write({"invoice_date": "2026-01-20", **values})
        return self.post(invoice)

    def detail(self, order):
        return self.rows("order_details")[order.id]

    def test_of_confirmed_orders(self):
        order = self.order(self.contact, 100, user_id=self.user.id)
        nobody = self.order(self.customer2, 50, user_id=False)
        self.order(self.customer, state="draft")
        self.assertEqual(
            self.rows("order_details"),
            {
                order.id: {
                    "order_id": str(order.id),
                    "customer_id": str(self.customer.id),
                    "known": "2026-01-15",
                    "salesperson_id": str(self.user.id),
                    "channel": "salesperson",
                    "quoted": "100.00",
                    "invoiced": "",
                },
                nobody.id: {
                    **self.detail(nobody),
                    "salesperson_id": "",
                    "channel": "",
                    "quoted": "50.00",
                },
            },
        )

    def test_invoiced_less_credit_notes(self):
        order = self.order(self.customer, 100)
        invoice = self.billed(order)
        self.assertEqual(float(self.detail(order)["invoiced"]), 100)
        reversal = self.env["account.move.reversal"].create(
            {
                "move_ids": [Command.set(invoice.ids)],
                "journal_id": invoice.journal_id.id,
                "date": "2026-01-25",
            }
        )
        reversal.reverse_moves()
        reversal.new_move_ids.invoice_line_ids.price_unit = 30
        self.assertEqual(float(self.detail(order)["invoiced"]), 100, "a draft has changed nothing")
        self.post(reversal.new_move_ids)
        self.assertEqual(float(self.detail(order)["invoiced"]), 70)

    def test_invoiced_for_more_than_quoted(self):
        order = self.order(self.customer, 100)
        order.order_line.qty_delivered = 1
        invoice = order._create_invoices()
        invoice.invoice_line_ids.price_unit = 120
        self.post(invoice)
        row = self.detail(order)
        self.assertEqual((float(row["quoted"]), float(row["invoiced"])), (100, 120))

    def test_a_moving_exchange_rate_breaks_no_promise(self):
        eur = self.env.ref("base.EUR")
        self.env["res.currency.rate"].create(
            [
                {"name": day, "rate": rate, "currency_id": eur.id, "company_id": self.alpha.id}
                for day, rate in (("2026-01-01", 4.0), ("2026-01-18", 5.0))
            ]
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "EUR", "currency_id": eur.id, "company_id": self.alpha.id}
        )
        order = self.order(self.customer, 100, pricelist_id=pricelist.id)
        self.assertAlmostEqual(order.currency_rate, 4)
        self.billed(order)
        row = self.detail(order)
        self.assertEqual((float(row["quoted"]), float(row["invoiced"])), (25, 25))

    def test_a_down_payment_is_not_the_order(self):
        order = self.order(self.customer, 100)
        order.order_line.qty_delivered = 1
        advance = (
            self.env["sale.advance.payment.inv"]
            .with_context(active_ids=order.ids, active_model="sale.order")
            .create({"advance_payment_method": "fixed", "fixed_amount": 40})
        )
        self.post(advance._create_invoices(order))
        row = self.detail(order)
        self.assertEqual((float(row["quoted"]), row["invoiced"]), (100, ""))
        self.billed(order)
        self.assertEqual(float(self.detail(order)["invoiced"]), 100)

    def test_objecting_customers_are_left_out(self):
        self.order(self.contact)
        self.order(self.contact, state="cancel")
        self.assertTrue(self.rows("quotations"))
        self.object(self.customer)
        self.assertEqual((self.rows("order_details"), self.rows("quotations")), ({}, {}))


@tagged("post_install", "-at_install", "crm_value_export")
class TestQuotations(FactsCase):
    def test_offers_that_became_no_order(self):
        orders = {
            state: self.order(self.contact, amount, state=state)
            for state, amount in (("draft", 10), ("sent", 20), ("cancel", 30), ("sale", 40))
        }
        rows = self.rows("quotations")
        self.assertEqual(
            {key: (row["outcome"], float(row["amount"])) for key, row in rows.items()},
            {
                orders["draft"].id: ("open", 10),
                orders["sent"].id: ("open", 20),
                orders["cancel"].id: ("cancelled", 30),
            },
        )
        self.assertEqual({row["customer_id"] for row in rows.values()}, {str(self.customer.id)})
        self.assertEqual({row["known"] for row in rows.values()}, {"2026-01-15"})

    def test_companies(self):
        own, branch, other = (
            self.order(self.customer, 100, company, state="draft")
            for company in (self.alpha, self.branch, self.beta)
        )
        self.assertEqual(set(self.rows("quotations")), {own.id, branch.id})
        self.assertEqual(set(self.rows("quotations", self.beta)), {other.id})

    def test_every_order_is_either_sold_or_offered(self):
        for state in ("draft", "sent", "sale", "cancel"):
            self.order(self.customer, state=state)
        sold, offered = set(self.rows("order_details")), set(self.rows("quotations"))
        self.assertEqual(sold, {int(row["order_id"]) for row in self.export("orders")})
        self.assertFalse(sold & offered)
        self.assertEqual(len(sold | offered), 4)
