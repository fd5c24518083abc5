"""What is exported of modules the addon does not depend on.

Run in a database that has them (`script/test`): these tests are none of the standard ones.
"""

from odoo.fields import Command
from odoo.tests import tagged

from .test_export_facts import FactsCase

# What sales and CRM alone bring along.
BASIC = {
    *("orders", "lines", "partners", "products", "profiles", "order_details", "quotations"),
    *("invoices", "payments", "leads", "messages", "activities"),
}
# What others do, by the model it comes from.
OPTIONAL = {
    "deliveries": "stock.picking",
    "ratings": "rating.rating",
    "points": "loyalty.history",
    "pos_orders": "pos.order",
    "pos_lines": "pos.order",
}


@tagged("post_install", "-at_install", "-standard", "crm_value_export")
class TestOptionalModules(FactsCase):
    def test_everything_is_offered(self):
        offered = self.contract.describe()["datasets"]
        self.assertEqual(set(offered), BASIC | set(OPTIONAL))
        for dataset, columns in offered.items():
            with self.subTest(dataset=dataset):
                page = self.contract.export_history(dataset=dataset, company_id=self.alpha.id)
                self.assertEqual(page["columns"], columns)

    def test_missing_modules_one_by_one(self):
        self.order(self.customer)
        everything = set(self.contract.describe()["datasets"])
        for model in set(OPTIONAL.values()):
            gone = {dataset for dataset, needs in OPTIONAL.items() if needs == model}
            with self.subTest(model=model), self.without(model):
                offered = set(self.contract.describe()["datasets"])
                self.assertEqual(everything - offered, gone)
                for dataset in offered:
                    self.export(dataset)

    def test_missing_links_between_modules_one_by_one(self):
        for field in (
            "stock.picking.sale_id",
            "sale.order.website_id",
            "sale.order.line.is_delivery",
            "sale.order.line.margin",
            "account.move.line.is_downpayment",
            "account.move.line.sale_line_ids",
            "pos.order.account_move",
            "pos.order.line.sale_order_origin_id",
            "pos.config.tip_product_id",
            "pos.config.down_payment_product_id",
            "loyalty.program.program_type",
            "delivery.carrier.product_id",
        ):
            for self.sales in ("orders", "invoices"):
                with self.subTest(field=field, sales=self.sales), self.without(field):
                    for dataset in self.contract.describe()["datasets"]:
                        self.export(dataset)


@tagged("post_install", "-at_install", "-standard", "crm_value_export")
class TestSalesModules(FactsCase):
    """What sale_margin, website_sale, delivery and sale_loyalty add to sales orders."""

    def test_margin(self):
        self.product.with_company(self.alpha).standard_price = 60
        without_cost = self._product("Unknown cost")

        def margin(*lines):
            line_values = [
                Command.create({"product_id": product.id, "price_unit": price, "tax_ids": False})
                for product, price in lines
            ]
            order = self.order(self.customer, order_line=line_values)
            [row] = [row for row in self.export("orders") if int(row["order_id"]) == order.id]
            return row["margin"]

        self.assertEqual(float(margin((self.product, 100))), 40)
        self.assertEqual(margin((self.product, 100), (without_cost, 100)), "")
        self.assertEqual(float(margin((self.product, 100), (without_cost, -10))), 30)

    def test_orders_and_carts_of_the_website(self):
        website = self.env["website"].create({"name": "Shop", "company_id": self.alpha.id})
        bought = self.order(self.customer, 100, website_id=website.id, user_id=self.user.id)
        cart = self.order(self.customer, 50, state="draft", website_id=website.id)
        offered = self.order(self.customer, 60, state="sent", website_id=website.id)
        self.assertEqual(self.rows("order_details")[bought.id]["channel"], "website")
        self.assertEqual(set(self.rows("quotations")), {offered.id})
        with self.without("sale.order.website_id"):
            self.assertEqual(self.rows("order_details")[bought.id]["channel"], "salesperson")
            self.assertEqual(set(self.rows("quotations")), {cart.id, offered.id})

    def add(self, order, product, price, **values):
        line = {"product_id": product.id, "product_uom_qty": 1, "price_unit": price, "tax_ids": False}
        order.order_line = [Command.create({**line, **values})]

    def test_gift_cards_and_transport_are_no_sales(self):
        program = self.env["loyalty.program"].create(
            {
                "name": "Gift cards",
                "program_type": "gift_card",
                "company_id": self.alpha.id,
                **self.env["loyalty.program"]._get_template_values()["gift_card"],
            }
        )
        gift = self._product("Gift card")
        program.rule_ids.product_ids = gift
        carrier = self.env["delivery.carrier"].create(
            {"name": "Van", "product_id": self._product("Transport", type="service").id}
        )
        order = self.order(self.customer, 100)
        self.add(order, gift, 50)
        self.add(order, program.reward_ids.discount_line_product_id, -20)
        self.add(order, carrier.product_id, 7)
        self.assertEqual(order.amount_untaxed, 137)
        self.assertEqual(self.amounts(), {order.id: 100})
        self.assertEqual([float(row["amount"]) for row in self.export("lines")], [100])
        self.assertEqual(float(self.rows("order_details")[order.id]["quoted"]), 100)


@tagged("post_install", "-at_install", "-standard", "crm_value_export")
class TestAttitude(FactsCase):
    def rating(self, partner, record=None, rating=5, consumed=True, day="2026-02-03 12:00:00"):
        record = record or self.product.product_tmpl_id
        rated = self.env["rating.rating"].create(
            {
                "partner_id": partner.id,
                "res_model_id": self.env["ir.model"]._get_id(record._name),
                "res_id": record.id,
                "rating": rating,
                "consumed": consumed,
                "feedback": "Zyxwvut",
            }
        )
        self.stamp(rated, rated_on=day)
        return rated

    def test_given_ratings(self):
        rated = self.rating(self.contact, rating=4)
        self.rating(self.customer, rating=0)
        self.rating(self.customer, consumed=False)
        self.rating(self.env["res.partner"])
        self.assertEqual(
            self.rows("ratings"),
            {
                rated.id: {
                    "rating_id": str(rated.id),
                    "customer_id": str(self.customer.id),
                    "known": "2026-02-03",
                    "rating": "4",
                }
            },
        )

    def test_a_rating_without_its_day_is_known_when_it_was_written(self):
        rated = self.rating(self.customer)
        self.stamp(rated, rated_on=None, write_date="2026-02-09 12:00:00")
        self.assertEqual(self.rows("ratings")[rated.id]["known"], "2026-02-09")

    def test_ratings_belong_to_the_company_of_what_was_rated(self):
        own = self.rating(self.customer, self._product("Ours", company_id=self.alpha.id).product_tmpl_id)
        other = self.rating(self.customer, self._product("Theirs", company_id=self.beta.id).product_tmpl_id)
        shared = self.rating(self.customer)
        order = self.rating(self.customer, self.order(self.customer, company=self.beta))
        self.assertEqual(set(self.rows("ratings")), {own.id, shared.id})
        self.assertEqual(set(self.rows("ratings", self.beta)), {other.id, shared.id, order.id})

    def test_ratings_of_a_model_that_is_gone(self):
        gone = self.rating(self.customer)
        self.stamp(gone, res_model="no.such.model")
        self.assertEqual(self.rows("ratings"), {})

    def card(self, partner, program_type="loyalty", company=None):
        program = self.env["loyalty.program"].create(
            {
                "name": program_type,
                "program_type": program_type,
                "company_id": (company or self.alpha).id,
                "trigger": "auto",
                "reward_ids": [Command.create({})],
                "currency_id": (company or self.alpha).currency_id.id,
            }
        )
        return self.env["loyalty.card"].create({"program_id": program.id, "partner_id": partner.id})

    def points(self, card, issued, used):
        history = self.env["loyalty.history"].create(
            {"card_id": card.id, "description": "Zyxwvut", "issued": issued, "used": used}
        )
        self.stamp(history, create_date="2026-02-05 12:00:00")
        return history

    def test_points_given_and_spent(self):
        card = self.card(self.contact)
        history = self.points(card, 12, 5)
        self.points(self.card(self.customer, "ewallet"), 100, 0)
        self.points(self.card(self.env["res.partner"]), 3, 0)
        self.points(self.card(self.customer, company=self.beta), 3, 0)
        self.assertEqual(
            self.rows("points"),
            {
                history.id: {
                    "points_id": str(history.id),
                    "customer_id": str(self.customer.id),
                    "known": "2026-02-05",
                    "card_id": str(card.id),
                    "issued": "12",
                    "used": "5",
                }
            },
        )

    def test_objecting_customers_are_left_out(self):
        self.rating(self.contact)
        self.points(self.card(self.contact), 12, 5)
        self.object(self.customer)
        self.assertEqual((self.rows("ratings"), self.rows("points")), ({}, {}))

    def test_pages(self):
        for partner in self.partners[:3]:
            self.rating(partner)
            self.points(self.card(partner), 12, 5)
        for dataset in ("ratings", "points"):
            with self.subTest(dataset=dataset):
                self.assert_paged(dataset)
                self.assert_splits(dataset)

    def test_no_words_leave(self):
        """Feedback of ratings and descriptions of points stay in Odoo."""
        self.rating(self.contact)
        self.points(self.card(self.contact), 12, 5)
        for dataset in ("ratings", "points"):
            [row] = self.export(dataset)
            self.assertNotIn("Zyxwvut", "".join(row.values()))
            for column in row:
                self.assertNotRegex(column, "name|mail|note|ref|feedback|description")
