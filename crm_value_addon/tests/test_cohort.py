from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestCohort(CustomerValueCase):
    """Two customers of the first quarter and one of the second, looked at in the third."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls._product()
        cls.boss = cls._user("cv_boss", "sales_team.group_sale_manager", cls.alpha | cls.beta | cls.branch)

    def setUp(self):
        super().setUp()
        a, b, c, d = self.partners
        self.order(a, 100, day="2026-01-15 12:00:00")
        self.order(self.contact, 20, day="2026-02-15 12:00:00")
        self.order(a, 200, day="2026-04-15 12:00:00", company=self.branch)
        self.order(a, 999, day="2026-04-15 12:00:00", state="draft")
        self.order(b, 300, day="2026-03-31 12:00:00")
        self.order(c, 50, day="2026-05-01 12:00:00")
        self.order(c, 60, day="2026-08-01 12:00:00")
        self.order(d, 70, day="2026-08-01 12:00:00", company=self.beta)

    def records(self, *companies):
        records = self.as_user("crm.value.cohort", self.boss, *(companies or [self.alpha, self.branch]))
        records.invalidate_model()
        return records

    def groups(self, domain, groupby, aggregates, *companies):
        with freeze_time("2026-08-15 12:00:00"):
            groups = self.records(*companies).formatted_read_group(domain, groupby, aggregates)
        return [tuple(group[name] for name in (*groupby, *aggregates)) for group in groups]

    def test_rows(self):
        a, b, c, _d = self.partners
        with freeze_time("2026-08-15 12:00:00"):
            rows = self.records().search([])
            found = {
                (row.partner_id, row.quarters_after): (row.ordered, row.sales, row.is_over) for row in rows
            }
            self.assertEqual({str(row.first_quarter) for row in rows if row.partner_id == a}, {"2026-01-01"})
        self.assertEqual(
            found,
            {
                (a, 0): (1, 120, True),
                (a, 1): (1, 200, True),
                (a, 2): (0, 0, False),
                (b, 0): (1, 300, True),
                (b, 1): (0, 0, True),
                (b, 2): (0, 0, False),
                (c, 0): (1, 50, True),
                (c, 1): (1, 60, False),
            },
        )
        self.assertEqual(len(set(rows.ids)), 8)

    def test_retention(self):
        groups = self.groups(
            [("is_over", "=", True)],
            ["first_quarter:quarter", "quarters_after"],
            ["partner_id:count_distinct", "ordered:sum", "ordered_share:avg", "sales:sum"],
        )
        self.assertEqual(
            [(quarter[0], *rest) for quarter, *rest in groups],
            [
                ("2026-01-01", 0, 2, 2, 1.0, 420),
                ("2026-01-01", 1, 2, 1, 0.5, 200),
                ("2026-04-01", 0, 1, 1, 1.0, 50),
            ],
        )

    def test_stages(self):
        self.score(
            [
                self.full(self.customer, lifecycle_stage="lost"),
                self.full(self.customer2, lifecycle_stage="acquisition"),
            ]
        )
        self.assertEqual(
            self.groups([("quarters_after", "=", 0)], ["lifecycle_stage"], ["partner_id:count_distinct"]),
            [("acquisition", 1), ("lost", 1), (False, 1)],
        )

    def test_day_of_the_company(self):
        self.beta.partner_id.tz = "Asia/Tokyo"
        self.order(self.customer, 10, day="2026-03-31 20:00:00", company=self.beta)
        groups = self.groups([], ["first_quarter:quarter"], ["partner_id:count_distinct"], self.beta)
        self.assertEqual([quarter[0] for quarter, _count in groups], ["2026-04-01", "2026-07-01"])

    def test_foreign_currency(self):
        usd = self.alpha.currency_id
        eur = self.beta.currency_id
        eur.rate_ids.unlink()
        usd.rate_ids.unlink()
        self.env["res.currency.rate"].create(
            {"name": "2026-01-01", "currency_id": usd.id, "rate": 2.0, "company_id": self.beta.id}
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "USD", "currency_id": usd.id, "company_id": False}
        )
        self.order(
            self.customer, 100, day="2026-08-02 12:00:00", company=self.beta, pricelist_id=pricelist.id
        )
        with freeze_time("2026-08-15 12:00:00"):
            row = self.records(self.beta).search([("partner_id", "=", self.customer.id)])
            self.assertEqual((row.sales, row.currency_id), (50, eur))

    def test_companies(self):
        with freeze_time("2026-08-15 12:00:00"):
            self.assertEqual(self.records(self.beta).search([]).partner_id, self.unscored)
            # Without the branch its orders are not the reader's to see.
            alone = self.records(self.alpha).search([("partner_id", "=", self.customer.id)])
            self.assertEqual(sorted(alone.mapped("ordered")), [0, 0, 1])

    def test_own_rules_of_the_reader(self):
        self.env["ir.rule"].create(
            {
                "name": "None of the second customer",
                "model_id": self.env["ir.model"]._get_id("sale.order"),
                "domain_force": repr([("partner_id", "!=", self.customer2.id)]),
                "groups": [Command.clear()],
            }
        )
        with freeze_time("2026-08-15 12:00:00"):
            self.assertNotIn(self.customer2, self.records().search([]).partner_id)

    def test_who_objected_is_in_no_cohort(self):
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        with freeze_time("2026-08-15 12:00:00"):
            self.assertNotIn(self.customer, self.records().search([]).partner_id)
