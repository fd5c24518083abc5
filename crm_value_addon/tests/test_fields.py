from freezegun import freeze_time

from odoo.fields import Domain
from odoo.tests import tagged

from .common import CustomerValueCase


class ScoredCase(CustomerValueCase):
    """Two companies that know the same customers differently."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls._product()
        case = cls("setUp")
        case.env = cls.env
        cls.score_both(case)

    def score_both(self):
        self.score(
            [
                self.full(
                    self.customer, value_class="key", value_segment="key_stable", churn_probability=0.1
                ),
                self.full(self.customer2, value_class="growth", churn_probability=0.5, churn_risk="medium"),
                self.full(
                    self.customer3, value_class="unprofitable", churn_probability=0.9, churn_risk="high"
                ),
            ],
            self.alpha,
        )
        self.score(
            [self.full(self.customer, value_class="unprofitable", churn_probability=0.8, churn_risk="high")],
            self.beta,
        )

    def search(self, domain, model="res.partner", company=None, order=None, base=None):
        records = self.as_user(model, self.user, *([company] if company else [self.alpha, self.beta]))
        base = base if base is not None else [("id", "in", self.partners.ids)]
        return records.search(Domain(base) & Domain(domain), order=order).sudo()


@tagged("post_install", "-at_install")
class TestPartner(ScoredCase):
    def test_company_decides(self):
        for company, label in ((self.alpha, "key"), (self.beta, "unprofitable")):
            self.assertEqual(self.customer.with_company(company).value_class, label)
            partner = self.as_user("res.partner", self.user, company).browse(self.customer.id)
            self.assertEqual(partner.value_class, label)
        partner = self.as_user("res.partner", self.user, self.beta, self.alpha).browse(self.customer.id)
        self.assertEqual(partner.value_class, "unprofitable")
        self.assertEqual(partner.value_currency_id, self.beta.currency_id)

    def test_branch_follows_its_root(self):
        partner = self.as_user("res.partner", self.user, self.branch).browse(self.customer.id)
        self.assertEqual((partner.value_class, partner.churn_probability), ("key", 0.1))
        self.assertEqual(self.search([("value_class", "=", "key")], company=self.branch), self.customer)
        self.assertTrue(partner.scored_at)

    def test_branch_made_later_follows_too(self):
        self.search([("value_class", "=", "key")], company=self.branch)  # warms the cache of branches
        late = self.env["res.company"].create({"name": "Alpha South", "parent_id": self.alpha.id})
        deep = self.env["res.company"].create({"name": "Alpha South Pole", "parent_id": late.id})
        self.user.company_ids |= late | deep
        for company in late | deep:
            self.assertEqual(self.search([("value_class", "=", "key")], company=company), self.customer)
            partner = self.as_user("res.partner", self.user, company).browse(self.customer.id)
            self.assertEqual(partner.value_class, "key")

    def test_contact_shows_its_company(self):
        contact = self.as_user("res.partner", self.user, self.alpha).browse(self.contact.id)
        self.assertEqual((contact.value_class, contact.current_value), ("key", 500))
        self.assertEqual(
            self.search(
                [("value_class", "=", "key")], base=[("id", "child_of", self.customer.id)], company=self.alpha
            ),
            self.customer | self.contact,
        )

    def test_unscored(self):
        partner = self.as_user("res.partner", self.user, self.alpha).browse(self.unscored.id)
        values = partner.read(
            ["value_class", "churn_probability", "current_value", "expected_next_order", "scored_at"]
        )
        self.assertEqual(
            values[0],
            {
                "id": partner.id,
                "value_class": False,
                "churn_probability": 0.0,
                "current_value": 0.0,
                "expected_next_order": False,
                "scored_at": False,
            },
        )

    def test_new_record(self):
        partner = self.as_user("res.partner", self.user, self.alpha).new(
            {"name": "Not yet", "parent_id": self.customer.id}
        )
        self.assertIn(partner.value_class, ("key", False))
        self.assertFalse(
            self.as_user("res.partner", self.user, self.alpha).new({"name": "Not yet"}).value_class
        )

    def test_domains_of_labels(self):
        for domain, expected in (
            ([("value_class", "=", "key")], self.customer),
            ([("value_class", "in", ["key", "growth"])], self.customer | self.customer2),
            ([("value_class", "!=", "key")], self.customer2 | self.customer3 | self.unscored),
            ([("value_class", "not in", ["key", "growth"])], self.customer3 | self.unscored),
            ([("value_class", "=", False)], self.unscored),
            ([("value_class", "!=", False)], self.partners - self.unscored),
            ([("value_class", "in", ["key", False])], self.customer | self.unscored),
            ([("value_class", "ilike", "KEY")], self.customer),
            (["!", ("value_class", "=", "key")], self.customer2 | self.customer3 | self.unscored),
            (["|", ("value_class", "=", "key"), ("churn_risk", "=", "high")], self.customer | self.customer3),
            ([("value_class", "=", "key"), ("value_segment", "=", "key_stable")], self.customer),
            ([("value_class", "in", [])], self.env["res.partner"]),
        ):
            with self.subTest(domain=domain):
                self.assertEqual(self.search(domain, company=self.alpha), expected)

    @freeze_time("2026-03-21 12:00:00")
    def test_domains_of_figures(self):
        scored = self.partners - self.unscored
        for domain, expected in (
            ([("churn_probability", "<", 0.2)], self.customer),
            ([("churn_probability", "<=", 0.5)], self.customer | self.customer2),
            ([("churn_probability", ">=", 0)], scored),
            ([("churn_probability", ">", -1)], scored),
            ([("churn_probability", ">", 0.5)], self.customer3),
            ([("current_value", ">=", 0)], scored),
            ([("current_value", "<", 1e9)], scored),
            ([("current_value", ">", 500)], self.env["res.partner"]),
            ([("expected_next_order", "<", "2026-03-11")], scored),
            ([("expected_next_order", ">", "2026-03-11")], self.env["res.partner"]),
            ([("expected_next_order_high", "<", "today")], scored),
            ([("expected_next_order_high", "<", "today -100y")], self.env["res.partner"]),
            ([("expected_next_order", "=", False)], self.unscored),
        ):
            with self.subTest(domain=domain):
                self.assertEqual(self.search(domain, company=self.alpha), expected)

    def test_domain_equals_value_read(self):
        partners = self.as_user("res.partner", self.user, self.alpha).browse(self.partners.ids)
        for domain in (
            [("value_class", "=", "key")],
            [("value_class", "!=", "key")],
            [("churn_risk", "in", ["low", "high"])],
            [("value_class", "=", False)],
        ):
            with self.subTest(domain=domain):
                self.assertEqual(
                    partners.filtered_domain(domain).sudo(), self.search(domain, company=self.alpha)
                )

    def test_order(self):
        c1, c2, c3, none = self.partners
        for order, expected in (
            ("value_class, id", [c1, c2, c3, none]),
            ("value_class desc, id", [c3, c2, c1, none]),
            ("churn_probability desc", [c3, c2, c1, none]),
            ("churn_probability", [c1, c2, c3, none]),
            ("churn_risk desc, id", [c3, c2, c1, none]),
            ("value_class nulls first, id", [none, c1, c2, c3]),
            ("current_value desc, id desc", [c3, c2, c1, none]),
            ("value_currency_id, id", [c1, c2, c3, none]),
        ):
            with self.subTest(order=order):
                self.assertEqual(list(self.search([], company=self.alpha, order=order)), expected)

    def group(self, model, groupby, aggregates, domain, company=None, order=None):
        records = self.as_user(model, self.user, *([company] if company else [self.alpha, self.beta]))
        groups = records.formatted_read_group(domain, groupby, aggregates, order=order)
        return [tuple(row[spec] for spec in (*groupby, *aggregates)) for row in groups]

    def test_groups_and_aggregates(self):
        domain = [("id", "in", self.partners.ids)]
        self.assertEqual(
            self.group("res.partner", ["value_class"], ["__count", "current_value:sum"], domain, self.alpha),
            [("key", 1, 500), ("growth", 1, 500), ("unprofitable", 1, 500), (False, 1, 0)],
        )
        self.assertEqual(
            self.group(
                "res.partner", ["value_class"], ["__count"], domain, self.alpha, order="value_class desc"
            ),
            [("unprofitable", 1), ("growth", 1), ("key", 1), (False, 1)],
        )
        total = self.group(
            "res.partner", [], ["churn_probability:avg", "lifetime_value:sum"], domain, self.alpha
        )
        self.assertAlmostEqual(total[0][0], 0.5)
        self.assertEqual(total[0][1], 3 * 1750)

    def test_two_dimensions_and_months(self):
        domain = [("id", "in", self.partners.ids)]
        groups = self.group("res.partner", ["value_class", "churn_risk"], ["__count"], domain, self.alpha)
        self.assertIn(("key", "low", 1), groups)
        months = self.group("res.partner", ["expected_next_order:month"], ["__count"], domain, self.alpha)
        self.assertEqual(
            [(month and month[0], count) for month, count in months], [("2026-03-01", 3), (False, 1)]
        )
        by_number = self.group(
            "res.partner", ["expected_next_order:month_number"], ["__count"], domain, self.alpha
        )
        self.assertIn((3, 3), by_number)

    def test_groups_are_opened_by_their_own_domain(self):
        records = self.as_user("res.partner", self.user, self.alpha)
        domain = [("id", "in", self.partners.ids)]
        for groupby in ("value_class", "churn_risk", "expected_next_order:month", "value_currency_id"):
            for group in records.formatted_read_group(domain, [groupby], ["__count"]):
                with self.subTest(groupby=groupby, group=group):
                    self.assertEqual(
                        records.search_count(Domain(domain) & Domain(group["__extra_domain"])),
                        group["__count"],
                    )

    def test_web_calls(self):
        records = self.as_user("res.partner", self.user, self.alpha)
        domain = [("id", "in", self.partners.ids), ("churn_probability", ">", 0.05)]
        specification = {
            "value_class": {},
            "churn_probability": {},
            "value_currency_id": {"fields": {"display_name": {}}},
        }
        result = records.web_search_read(domain, specification, order="churn_probability desc", limit=2)
        self.assertEqual(result["length"], 3)
        self.assertEqual([row["value_class"] for row in result["records"]], ["unprofitable", "growth"])
        self.assertEqual(result["records"][0]["value_currency_id"]["display_name"], "USD")
        groups = records.web_read_group(domain, ["value_class"], ["churn_probability:avg"])
        self.assertEqual(groups["length"], 3)
        description = records.fields_get(["value_class", "current_value"])
        self.assertTrue(description["value_class"]["groupable"] and description["value_class"]["sortable"])
        self.assertEqual(description["current_value"]["aggregator"], "sum")
        self.assertTrue(description["value_class"]["readonly"])
        self.assertFalse(description["value_class"]["store"])

    def test_one_query_for_many(self):
        partners = self.env["res.partner"].create([{"name": f"More {i}"} for i in range(40)])
        self.score([self.full(partner) for partner in partners], self.beta)
        for company in (self.alpha, self.beta):
            records = self.as_user("res.partner", self.user, company).browse(partners.ids)
            records.invalidate_recordset()
            records.mapped("commercial_partner_id.name")
            # What Odoo itself reads once: the company, the rounding of its currency, the rules.
            _ = (
                records.env.company.root_id.currency_id.with_user(self.user).rounding,
                records.has_access("read"),
            )
            with self.assertQueryCount(1):
                records.mapped("value_class")
                records.mapped("churn_probability")
                records.mapped("current_value")

    def test_export_data(self):
        self.user.group_ids += self.env.ref("base.group_allow_export")
        partner = self.as_user("res.partner", self.user, self.alpha).browse(self.customer.id)
        self.assertEqual(
            partner.export_data(["value_class", "churn_probability"])["datas"], [["Key (A)", 0.1]]
        )

    def test_people_cannot_write_a_score(self):
        partner = self.as_user("res.partner", self.manager, self.alpha).browse(self.customer2.id)
        partner.sudo().write({"value_class": "key", "churn_probability": 0.0})
        self.env.invalidate_all()
        self.assertEqual((partner.value_class, partner.churn_probability), ("growth", 0.5))
