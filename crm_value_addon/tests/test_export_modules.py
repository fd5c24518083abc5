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
class TestDeliveries(FactsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product.type = "consu"

    def confirmed(self, partner, quantity=4, company=None, **values):
        order = self.order(
            partner,
            10,
            company,
            state="draft",
            line={"product_uom_qty": quantity, **values.pop("line", {})},
            **values,
        )
        day = order.date_order
        order.action_confirm()
        order.date_order = day
        return order

    def deliver(self, picking, quantity, day="2026-01-20 12:00:00", backorder=True):
        """Validate a transfer for a part of what it should move."""
        picking.move_ids.quantity = quantity
        picking.move_ids.picked = True
        picking.with_context(
            skip_backorder=True, picking_ids_not_to_backorder=[] if backorder else picking.ids
        ).button_validate()
        self.assertEqual(picking.state, "done")
        self.stamp(picking, date_done=day)
        return picking

    def give_back(self, picking, quantity, day="2026-02-01 12:00:00"):
        wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
        wizard.product_return_moves.quantity = quantity
        returned = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        return self.deliver(returned, quantity, day)

    def test_deliveries_and_returns(self):
        address = self.env["res.partner"].create({"name": "Site of another", "parent_id": self.customer2.id})
        order = self.confirmed(
            self.contact, commitment_date="2026-01-18 10:00:00", partner_shipping_id=address.id
        )
        picking = self.deliver(order.picking_ids, 4)
        returned = self.give_back(picking, 1)
        rows = self.rows("deliveries")
        self.assertEqual(
            rows[picking.id],
            {
                "delivery_id": str(picking.id),
                "order_id": str(order.id),
                "customer_id": str(self.customer.id),
                "known": "2026-01-20",
                "promised": "2026-01-18",
                "demanded": rows[picking.id]["demanded"],
                "delivered": rows[picking.id]["delivered"],
                "is_return": "f",
            },
        )
        figures = {key: (float(row["demanded"]), float(row["delivered"])) for key, row in rows.items()}
        self.assertEqual(figures, {picking.id: (4, 4), returned.id: (1, 1)})
        self.assertEqual(
            {name: rows[returned.id][name] for name in ("order_id", "known", "promised", "is_return")},
            {"order_id": str(order.id), "known": "2026-02-01", "promised": "", "is_return": "t"},
        )

    def test_a_part_with_the_rest_later_and_a_part_without_rest(self):
        order = self.confirmed(self.customer)
        first = self.deliver(order.picking_ids, 3)
        rest = order.picking_ids - first
        self.assertEqual(set(self.rows("deliveries")), {first.id})
        self.deliver(rest, 1, "2026-02-20 12:00:00")
        short = self.deliver(self.confirmed(self.customer).picking_ids, 3, backorder=False)
        figures = {
            key: (float(row["demanded"]), float(row["delivered"]))
            for key, row in self.rows("deliveries").items()
        }
        self.assertEqual(figures, {first.id: (3, 3), rest.id: (1, 1), short.id: (4, 3)})

    def test_a_product_that_was_never_sent_was_demanded(self):
        other = self._product("Out of stock", type="consu")
        order = self.confirmed(
            self.customer,
            order_line=[
                Command.create({"product_id": product.id, "product_uom_qty": 4, "tax_ids": False})
                for product in (self.product, other)
            ],
        )
        picking = order.picking_ids
        sent, missing = (
            picking.move_ids.filtered(lambda move, product=product: move.product_id == product)
            for product in (self.product, other)
        )
        sent.quantity, missing.quantity = 4, 0
        sent.picked = True
        picking.with_context(skip_backorder=True, picking_ids_not_to_backorder=picking.ids).button_validate()
        self.assertEqual((sent.state, missing.state), ("done", "cancel"))
        row = self.rows("deliveries")[picking.id]
        self.assertEqual((float(row["demanded"]), float(row["delivered"])), (8, 4))

    def test_promised_by_lead_times_and_not_by_their_absence(self):
        promised = self.confirmed(self.customer, line={"customer_lead": 5})
        silent = self.confirmed(self.customer)
        self.deliver(promised.picking_ids, 4)
        self.deliver(silent.picking_ids, 4)
        self.stamp(promised.picking_ids, date_deadline="2026-01-20 12:00:00")
        self.stamp(silent.picking_ids, date_deadline="2026-01-15 12:00:00")
        rows = self.rows("deliveries")
        self.assertEqual(rows[promised.picking_ids.id]["promised"], "2026-01-20")
        self.assertEqual(rows[silent.picking_ids.id]["promised"], "")

    def test_what_is_no_delivery(self):
        waiting = self.confirmed(self.customer)
        cancelled = self.confirmed(self.customer)
        cancelled.picking_ids.action_cancel()
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", self.alpha.id)], limit=1)
        supplier = self.env.ref("stock.stock_location_suppliers")
        receipt = self.env["stock.picking"].create(
            {
                "partner_id": self.customer.id,
                "picking_type_id": warehouse.in_type_id.id,
                "location_id": supplier.id,
                "location_dest_id": warehouse.lot_stock_id.id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": self.product.id,
                            "product_uom_qty": 1,
                            "location_id": supplier.id,
                            "location_dest_id": warehouse.lot_stock_id.id,
                        }
                    )
                ],
            }
        )
        receipt.action_confirm()
        self.deliver(receipt, 1)
        self.assertTrue(waiting.picking_ids)
        self.assertEqual(self.rows("deliveries"), {})

    def test_in_steps_only_the_last_is_a_delivery(self):
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", self.alpha.id)], limit=1)
        warehouse.delivery_steps = "pick_ship"
        order = self.confirmed(self.customer)
        pick = order.picking_ids
        self.deliver(pick, 4)
        self.assertEqual(self.rows("deliveries"), {})
        ship = order.picking_ids - pick or pick.move_ids.move_dest_ids.picking_id
        self.deliver(ship, 4)
        self.assertEqual(
            {key: row["order_id"] for key, row in self.rows("deliveries").items()}, {ship.id: str(order.id)}
        )

    def test_without_sales_orders_by_address(self):
        order = self.confirmed(self.contact, commitment_date="2026-01-18 10:00:00")
        picking = self.deliver(order.picking_ids, 4)
        self.stamp(picking, date_deadline="2026-01-19 10:00:00")
        with self.without("stock.picking.sale_id"):
            row = self.rows("deliveries")[picking.id]
        self.assertEqual(
            (row["order_id"], row["customer_id"], row["promised"]), ("", str(self.customer.id), "2026-01-19")
        )

    def test_pages(self):
        pickings = [self.deliver(self.confirmed(partner).picking_ids, 4) for partner in self.partners[:3]]
        self.give_back(pickings[0], 1)
        self.assert_paged("deliveries")
        self.assert_splits("deliveries")

    def test_companies_and_objection(self):
        own = self.deliver(self.confirmed(self.customer).picking_ids, 4)
        other = self.deliver(self.confirmed(self.customer, company=self.beta).picking_ids, 4)
        self.assertEqual(set(self.rows("deliveries")), {own.id})
        self.assertEqual(set(self.rows("deliveries", self.beta)), {other.id})
        self.object(self.customer)
        self.assertEqual(self.rows("deliveries"), {})


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
