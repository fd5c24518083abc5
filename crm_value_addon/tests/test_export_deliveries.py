"""What is exported of deliveries, in a database that has them (`script/test`): none of the standard tests."""

from odoo.fields import Command
from odoo.tests import tagged

from .test_export_facts import FactsCase


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
