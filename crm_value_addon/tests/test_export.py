import zlib
from base64 import b64decode

from odoo.fields import Command
from odoo.tests import tagged

from .common import CustomerValueCase, unpack


class ExportCase(CustomerValueCase):
    sales = "orders"  # what they are counted from

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls._product()

    def export(self, dataset, company=None, limit=200_000, after=None):
        """All pages of a dataset, those behind a cursor if one is given, as a list of dicts, which is sorted by the
        first column: within a page rows come in any order.
        """
        company = company or self.alpha
        rows = []
        for _page in range(10_000):
            page = self.contract.export_history(
                dataset=dataset, company_id=company.id, after=after, limit=limit, sales=self.sales
            )
            found = unpack(page)
            self.assertEqual(len(found), page["rows"])
            rows += [dict(zip(page["columns"], row, strict=True)) for row in found]
            after = page["after"]
            if not after:
                return sorted(rows, key=lambda row: int(next(iter(row.values()))))
        raise AssertionError("The pages never end")

    def assert_paged(self, dataset):
        """However a dataset is cut into pages, each row comes once. Rows are compared as a list: a credit note that
        was set off against an invoice gives two rows of one id.
        """
        whole = self.export(dataset)
        self.assertGreaterEqual(len(whole), 3)
        last = self.contract.export_history(dataset=dataset, company_id=self.alpha.id, sales=self.sales)
        self.assertIsNone(last["after"])
        for limit in (2, 500):
            self.assertCountEqual(self.export(dataset, limit=limit), whole)

    def assert_splits(self, dataset):
        """However the worker splits the cursor behind the last three ids, each row comes once."""
        key = self.contract.describe()["datasets"][dataset][0]
        whole = self.export(dataset)
        ids = sorted({int(row[key]) for row in whole})[-3:]
        self.assertEqual(len(ids), 3)
        low, until = ids[0] - 1, ids[-1]
        expected = [row for row in whole if int(row[key]) > low]
        for between in range(low, until + 1):
            parts = ({"id": low, "until": between}, {"id": between, "until": until})
            rows = [row for part in parts for row in self.export(dataset, limit=2, after=part)]
            self.assertCountEqual(rows, expected)

    def amounts(self, company=None, **kwargs):
        return {
            int(row["order_id"]): float(row["amount"]) for row in self.export("orders", company, **kwargs)
        }


@tagged("post_install", "-at_install", "crm_value_export")
class TestOrders(ExportCase):
    def test_columns(self):
        order = self.order(self.contact, 120)
        self.assertEqual(
            self.export("orders"),
            [
                {
                    "order_id": str(order.id),
                    "customer_id": str(self.customer.id),
                    "date": "2026-01-15",
                    "amount": self.export("orders")[0]["amount"],
                    "margin": self.export("orders")[0]["margin"],
                }
            ],
        )
        self.assertEqual(self.amounts(), {order.id: 120})

    def test_confirmed_only(self):
        confirmed = self.order(self.customer)
        for state in ("draft", "sent", "cancel"):
            self.order(self.customer, state=state)
        self.assertEqual(list(self.amounts()), [confirmed.id])

    def test_companies(self):
        own, branch, other = (
            self.order(self.customer, 100, company) for company in (self.alpha, self.branch, self.beta)
        )
        self.assertEqual(self.amounts(), {own.id: 100, branch.id: 100})
        self.assertEqual(self.amounts(self.beta), {other.id: 100})

    def test_orders_of_an_archived_branch_count(self):
        order = self.order(self.customer, 100, self.branch)
        self.branch.active = False
        self.assertEqual(list(self.amounts()), [order.id])

    def test_currency(self):
        self.env["res.currency.rate"].create(
            {
                "name": "2026-01-01",
                "rate": 4.0,
                "currency_id": self.env.ref("base.EUR").id,
                "company_id": self.alpha.id,
            }
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "EUR", "currency_id": self.env.ref("base.EUR").id, "company_id": self.alpha.id}
        )
        order = self.order(self.customer, 100, pricelist_id=pricelist.id)
        self.assertEqual(order.currency_id, self.env.ref("base.EUR"))
        self.assertAlmostEqual(order.currency_rate, 4)
        self.assertEqual(self.amounts(), {order.id: 25})
        self.assertEqual(float(self.export("lines")[0]["amount"]), 25)

    def test_returns_are_negative(self):
        order = self.order(self.customer, -30)
        self.assertEqual(self.amounts(), {order.id: -30})
        self.assertEqual(float(self.export("lines")[0]["quantity"]), -1)

    def test_what_is_not_sales(self):
        order = self.order(self.customer, 100)
        not_sales = [{"is_downpayment": True}, {"is_expense": True}]
        if "is_delivery" in self.env["sale.order.line"]._fields:
            not_sales.append({"is_delivery": True})
        for values in not_sales:
            order.order_line = [
                Command.create(
                    {
                        "product_id": self.product.id,
                        "product_uom_qty": 1,
                        "price_unit": 40,
                        "tax_ids": False,
                        **values,
                    }
                )
            ]
        order.order_line = [Command.create({"display_type": "line_section", "name": "Section"})]
        self.assertEqual(order.amount_untaxed, 100 + 40 * len(not_sales))
        self.assertEqual(self.amounts(), {order.id: 100})
        self.assertEqual([float(row["amount"]) for row in self.export("lines")], [100])

    def test_day_of_the_company(self):
        for timezone, expected in (
            ("America/Los_Angeles", "2026-01-14"),
            ("UTC", "2026-01-15"),
            ("Asia/Tokyo", "2026-01-15"),
            (False, "2026-01-15"),
        ):
            self.alpha.partner_id.tz = timezone
            if not timezone:
                self.alpha.resource_calendar_id.tz = "UTC"
            self.order(self.customer, day="2026-01-15 07:30:00")
            self.assertEqual(self.export("orders")[-1]["date"], expected, timezone)
        self.alpha.partner_id.tz = "Asia/Tokyo"
        self.order(self.customer, day="2026-01-15 15:30:00")
        self.assertEqual(self.export("orders")[-1]["date"], "2026-01-16")

    def test_objecting_customers_are_left_out(self):
        self.order(self.contact)
        kept = self.order(self.customer2)
        self.env["crm.lead"].create(
            {"name": "x", "partner_id": self.customer.id, "company_id": self.alpha.id}
        )
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        self.assertEqual(list(self.amounts()), [kept.id])
        self.assertEqual([int(row["order_id"]) for row in self.export("lines")], [kept.id])
        self.assertEqual([int(row["customer_id"]) for row in self.export("partners")], [self.customer2.id])

    def test_pages_of_one(self):
        orders = [self.order(self.customer, 10 + number) for number in range(3)]
        whole = self.export("orders")
        page = self.contract.export_history(dataset="orders", company_id=self.alpha.id, limit=1)
        # Odoo may hold orders of other companies before ours: jump to the first of ours.
        after = {"id": orders[0].id - 1, "until": orders[-1].id}
        rows = []
        while after:
            page = self.contract.export_history(
                dataset="orders", company_id=self.alpha.id, after=after, limit=1
            )
            rows += [dict(zip(page["columns"], row, strict=True)) for row in unpack(page)]
            after = page["after"]
        self.assertCountEqual(rows, whole)

    def test_limits(self):
        self.order(self.customer)
        for limit in (0, -5, 10**12):
            self.assertLessEqual(
                self.contract.export_history(dataset="orders", company_id=self.alpha.id, limit=limit)["rows"],
                1,
            )

    def test_rows_after_the_first_page_do_not_enter(self):
        first, second = self.order(self.customer, 1), self.order(self.customer, 2)
        after = {"id": first.id - 1, "until": second.id}
        page = self.contract.export_history(dataset="orders", company_id=self.alpha.id, after=after, limit=1)
        self.assertEqual(page["after"], {"id": first.id, "until": second.id})
        self.order(self.customer, 3)
        page = self.contract.export_history(
            dataset="orders", company_id=self.alpha.id, after=page["after"], limit=100
        )
        self.assertEqual([int(row[0]) for row in unpack(page)], [second.id])
        self.assertIsNone(page["after"])

    def test_split_cursor(self):
        """The worker may split a cursor and read the parts side by side."""
        orders = [self.order(self.partners[number % 3], 10 + number) for number in range(6)]
        whole = self.export("orders")
        low, until = orders[0].id - 1, orders[-1].id
        for between in range(low, until + 1):
            rows = []
            for part in ({"id": low, "until": between}, {"id": between, "until": until}):
                after = part
                while after:
                    page = self.contract.export_history(
                        dataset="orders", company_id=self.alpha.id, after=after, limit=2
                    )
                    rows += [dict(zip(page["columns"], row, strict=True)) for row in unpack(page)]
                    after = page["after"]
            self.assertEqual(sorted(rows, key=lambda row: int(row["order_id"])), whole)

    def test_commercial_partner(self):
        other = self.env["res.partner"].create({"name": "Site", "parent_id": self.contact.id})
        for partner in (self.contact, other, self.customer2):
            self.order(partner)
        self.assertEqual(
            [int(row["customer_id"]) for row in self.export("orders")],
            [self.customer.id, self.customer.id, self.customer2.id],
        )

    def test_empty(self):
        company = self.env["res.company"].create({"name": "Empty"})
        self.sync.company_ids |= company
        for dataset in ("orders", "lines", "partners", "profiles"):
            page = self.contract.export_history(dataset=dataset, company_id=company.id)
            self.assertEqual((page["rows"], page["after"]), (0, None))
            self.assertEqual(zlib.decompress(b64decode(page["data"])), b"")
