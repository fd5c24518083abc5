from odoo.fields import Command
from odoo.tests import tagged

from .test_fields import ScoredCase


@tagged("post_install", "-at_install")
class TestDocuments(ScoredCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls("setUp")
        case.env = cls.env
        cls.in_alpha = case.order(cls.contact, 100)
        cls.in_branch = case.order(cls.customer, 200, cls.branch)
        cls.in_beta = case.order(cls.customer, 400, cls.beta)
        cls.of_nobody = case.order(cls.unscored, 800)
        cls.orders = cls.in_alpha | cls.in_branch | cls.in_beta | cls.of_nobody
        leads = [
            {"name": "alpha", "partner_id": cls.contact.id, "company_id": cls.alpha.id},
            {"name": "beta", "partner_id": cls.customer.id, "company_id": cls.beta.id},
            {"name": "any", "partner_id": cls.customer.id, "company_id": False},
            {"name": "nobody", "company_id": cls.alpha.id},
        ]
        cls.leads = cls.env["crm.lead"].create(
            [{**lead, "type": "opportunity", "user_id": False} for lead in leads]
        )
        cls.leads.filtered(lambda lead: lead.name == "any").company_id = False
        cls.sales = cls._user(
            "cv_sales", "sales_team.group_sale_salesman_all_leads", cls.alpha | cls.branch | cls.beta
        )

    def records(self, model, *companies):
        return self.as_user(model, self.sales, *(companies or (self.alpha, self.branch, self.beta)))

    def labels(self, records):
        return [record.value_class for record in records]

    def test_orders_follow_their_own_company(self):
        for companies in ((self.alpha, self.branch, self.beta), (self.beta, self.branch, self.alpha)):
            orders = self.records("sale.order", *companies).browse(self.orders.ids)
            self.assertEqual(self.labels(orders), ["key", "key", "unprofitable", False])
            domain = [("id", "in", self.orders.ids)]
            for value, expected in (
                ("key", self.in_alpha | self.in_branch),
                ("unprofitable", self.in_beta),
                (False, self.of_nobody),
            ):
                found = orders.search([*domain, ("value_class", "=", value)])
                self.assertEqual(set(found.ids), set(expected.ids))
            groups = orders.formatted_read_group(domain, ["value_class"], ["amount_untaxed:sum", "__count"])
            self.assertEqual(
                [(group["value_class"], group["amount_untaxed:sum"]) for group in groups],
                [("key", 300), ("unprofitable", 400), (False, 800)],
            )
            ordered = orders.search(domain, order="value_class desc, id")
            self.assertEqual(self.labels(ordered), ["unprofitable", "key", "key", False])

    def test_leads_follow_their_own_company_or_the_current_one(self):
        for current, other, label in (
            (self.alpha, self.beta, "key"),
            (self.beta, self.alpha, "unprofitable"),
        ):
            leads = self.records("crm.lead", current, other).browse(self.leads.ids)
            self.assertEqual(self.labels(leads), ["key", "unprofitable", label, False])
            for value in ("key", "unprofitable", False):
                found = leads.search([("id", "in", leads.ids), ("value_class", "=", value)])
                self.assertEqual(
                    found, leads.filtered(lambda lead, v=value: lead.value_class == v).sorted("id") & found
                )
                self.assertEqual(len(found), self.labels(leads).count(value))
            groups = leads.formatted_read_group([("id", "in", leads.ids)], ["value_class"], ["__count"])
            self.assertEqual(
                {group["value_class"]: group["__count"] for group in groups},
                {v: self.labels(leads).count(v) for v in ("key", "unprofitable", False)},
            )

    def test_lead_of_no_company_in_a_branch(self):
        leads = self.records("crm.lead", self.branch).browse(self.leads[2].id)
        self.assertEqual(leads.value_class, "key")
        self.assertEqual(leads.search([("id", "=", leads.id), ("value_class", "=", "key")]), leads)

    def test_report(self):
        report = self.records("sale.report")
        domain = [("order_reference", "in", [f"sale.order,{order.id}" for order in self.orders])]
        groups = report.formatted_read_group(domain, ["value_class"], ["price_subtotal:sum", "__count"])
        self.assertEqual(
            [(g["value_class"], g["__count"]) for g in groups], [("key", 2), ("unprofitable", 1), (False, 1)]
        )
        rows = report.search([*domain, ("value_class", "=", "key")])
        self.assertEqual(len(rows), 2)
        self.assertEqual(set(rows.mapped("value_class")), {"key"})
        self.assertEqual(len(report.search([*domain, ("value_class", "=", False)])), 1)
        pivot = report.formatted_read_group(domain, ["value_class", "date:month"], ["price_subtotal:sum"])
        self.assertEqual(len(pivot), 3)

    def test_path_through_the_customer(self):
        orders = self.records("sale.order", self.alpha, self.branch, self.beta)
        domain = [("id", "in", self.orders.ids)]
        found = orders.search([*domain, ("partner_id.value_class", "=", "key")])
        self.assertEqual(
            set(found.ids), set((self.orders - self.of_nobody).ids)
        )  # the current company's word
        groups = orders.formatted_read_group(domain, ["partner_id.value_class"], ["__count"])
        self.assertEqual({g["partner_id.value_class"]: g["__count"] for g in groups}, {"key": 3, False: 1})

    def test_customer_that_the_reader_may_not_see(self):
        self.customer.company_id = self.beta
        self.env.flush_all()
        order = self.records("sale.order", self.alpha).browse(self.in_alpha.id)
        self.env.invalidate_all()
        self.assertEqual(order.read(["value_class"])[0]["value_class"], "key")
        lead = self.records("crm.lead", self.alpha).browse(self.leads[0].id)
        self.assertEqual(lead.read(["value_class"])[0]["value_class"], "key")

    def test_change_of_customer_shows_at_once(self):
        order = self.order(self.customer, 5, state="draft")
        self.assertEqual(order.value_class, "key")
        order.partner_id = self.customer2
        self.assertEqual(order.value_class, "growth")
        self.assertEqual(order.search([("id", "=", order.id), ("value_class", "=", "growth")]), order)

    def test_one_query_for_many(self):
        partners = self.env["res.partner"].create([{"name": f"More {i}"} for i in range(20)])
        self.score([self.full(partner) for partner in partners], self.beta)
        leads = self.env["crm.lead"].create(
            [{"name": "x", "partner_id": partner.id, "company_id": self.beta.id} for partner in partners]
        )
        leads = self.records("crm.lead").browse(leads.ids)
        leads.invalidate_recordset()
        leads.mapped("partner_id.commercial_partner_id.name")
        _ = leads.mapped("company_id.root_id"), leads.has_access("read")
        with self.assertQueryCount(1):
            leads.mapped("value_class")
            leads.mapped("churn_risk")

    def test_order_forms_load(self):
        for model, user in (
            ("sale.order", self.sales),
            ("crm.lead", self.sales),
            ("res.partner", self.viewer),
        ):
            for kind in ("form", "list", "search"):
                self.as_user(model, user, self.alpha).get_views([(None, kind)])

    def test_orders_of_several_lines_are_counted_once(self):
        order = self.order(
            self.customer,
            10,
            order_line=[
                Command.create({"product_id": self.product.id, "price_unit": 5, "tax_ids": False})
                for _ in "ab"
            ],
        )
        self.assertEqual(order.search_count([("id", "=", order.id), ("value_class", "=", "key")]), 1)
