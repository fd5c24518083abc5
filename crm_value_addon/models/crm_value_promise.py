from odoo import api, fields, models

from ..reasons import may_open


class CrmValuePromise(models.Model):
    """How far the promises made on the orders of a salesperson were kept, in the current window of the customers."""

    _name = "crm.value.promise"
    _inherit = ["crm.value.named"]
    _description = "Promises by Salesperson"
    _order = "as_of desc, share, id"
    _rec_name = "user_id"

    user_id = fields.Many2one("res.users", string="Salesperson", required=True, ondelete="cascade")
    promises = fields.Integer(
        help="Days of delivery, quantities and prices that were promised, each where both sides of it are known."
    )
    kept = fields.Integer()
    share = fields.Float(string="Kept (%)", aggregator="avg", help="From three promises on.")
    late = fields.Integer(help="Deliveries after the promised day.")
    short = fields.Integer(help="Deliveries of less than was ordered.")
    overcharged = fields.Integer(string="Above Quote", help="Orders invoiced above the price quoted.")
    untold = fields.Json()
    delivery_ids = fields.Json(help="The newest deliveries that came late or short.")
    order_ids = fields.Json(help="The newest orders invoiced above the price quoted.")
    has_deliveries = fields.Boolean(compute="_compute_has")
    has_orders = fields.Boolean(compute="_compute_has")

    @api.depends("delivery_ids", "order_ids")
    @api.depends_context("uid")
    def _compute_has(self):
        deliveries, orders = (may_open(self.env, model) for model in ("stock.picking", "sale.order"))
        for row in self:
            row.has_deliveries = deliveries and bool(row.delivery_ids)
            row.has_orders = orders and bool(row.order_ids)

    def action_open_deliveries(self):
        return self._open_named(
            "stock.picking", self.delivery_ids, self.env._("Late or short: %s", self.user_id.name)
        )

    def action_open_orders(self):
        return self._open_named(
            "sale.order", self.order_ids, self.env._("Invoiced above the quote: %s", self.user_id.name)
        )
