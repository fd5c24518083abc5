from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestLikelyCustomers(CustomerValueCase):
    """On a product: the customers to whom its category is recommended."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.snacks, cls.filters, cls.other = cls.env["product.category"].create(
            [{"name": name} for name in ("Snacks", "Filters", "Other")]
        )
        cls.product = cls._product(categ_id=cls.snacks.id)
        case = cls("setUp")
        case.env = cls.env

        def wants(*categories):
            return [
                {"category_id": category.id, "kind": "cross_sell", "strength": 0.5, "due": None}
                for category in categories
            ]

        case.score(
            [
                case.whole(cls.customer, recommendations=wants(cls.filters, cls.snacks)),
                case.whole(cls.customer2, recommendations=wants(cls.filters)),
                case.whole(cls.customer3, recommendations=[]),
                case.full(cls.unscored),
            ]
        )
        case.score([case.whole(cls.customer2, recommendations=wants(cls.snacks))], cls.beta)

    def search(self, domain, *companies, user=None):
        profiles = self.as_user("crm.value.profile", user or self.viewer, *(companies or [self.alpha]))
        return profiles.search(domain).partner_id.sudo()

    def test_search(self):
        name = "recommended_category_ids"
        for domain, expected in (
            ([(name, "in", self.snacks.ids)], self.customer),
            ([(name, "=", self.snacks.id)], self.customer),
            ([(name, "in", (self.snacks | self.filters).ids)], self.customer | self.customer2),
            ([(name, "in", self.other.ids)], self.partners.browse()),
            ([(name, "in", [])], self.partners.browse()),
            ([(name, "ilike", "snack")], self.customer),
            ([(name, "any", [("name", "=", "Filters")])], self.customer | self.customer2),
            ([(name, "not in", self.filters.ids)], self.customer3 | self.unscored),
            ([(name, "=", False)], self.customer3 | self.unscored),
            ([(name, "!=", False)], self.customer | self.customer2),
            ([(f"{name}.name", "=", "Snacks")], self.customer),
        ):
            with self.subTest(domain=domain):
                self.assertEqual(self.search(domain), expected)

    def test_names_on_the_profile(self):
        profile = self.profile(self.customer).with_user(self.viewer)
        self.assertEqual(profile.recommended_category_ids, self.filters | self.snacks)

    def test_button(self):
        for product in (self.product, self.product.product_tmpl_id):
            for user in (self.viewer, self.user, self.manager):
                with self.subTest(model=product._name, user=user.login):
                    record = self.as_user(product._name, user, self.alpha).browse(product.id)
                    action = record.action_open_likely_customers()
                    self.assertEqual(self.search(action["domain"], user=user), self.customer)
                    self.assertEqual(action["res_model"], "crm.value.profile")

    def test_each_company_its_own(self):
        record = self.as_user("product.product", self.viewer, self.beta).browse(self.product.id)
        domain = record.action_open_likely_customers()["domain"]
        self.assertEqual(self.search(domain, self.beta), self.customer2)
        self.assertEqual(self.search(domain, self.alpha, self.beta), self.customer | self.customer2)

    def test_outsiders(self):
        for user in (self.portal, self.employee, self.sync):
            for product in (self.product, self.product.product_tmpl_id):
                with self.subTest(user=user.login, model=product._name), self.assertRaises(AccessError):
                    self.as_user(product._name, user, self.alpha).browse(
                        product.id
                    ).action_open_likely_customers()
            with self.assertRaises(AccessError):
                self.search([("recommended_category_ids", "in", self.snacks.ids)], user=user)

    def test_on_every_form(self):
        for model, view in (
            ("product.template", "product.product_template_only_form_view"),
            ("product.product", "product.product_normal_form_view"),
            ("product.product", "product.product_variant_easy_edit_view"),
        ):
            for user, buttons in ((self.viewer, 1), (self.employee, 0)):
                with self.subTest(view=view, user=user.login):
                    records = self.as_user(model, user, self.alpha)
                    arch = etree.fromstring(records.get_view(self.env.ref(view).id, "form")["arch"])
                    found = arch.xpath("//button[@name='action_open_likely_customers']")
                    self.assertEqual(len(found), buttons)
