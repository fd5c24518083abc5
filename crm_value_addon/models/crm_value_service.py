from odoo import api, fields, models
from odoo.exceptions import UserError

from ..reasons import may_open


class CrmValueNamed(models.AbstractModel):
    """A row of a run that names records behind it, which people open under their own rights."""

    _name = "crm.value.named"
    _inherit = ["crm.value.analysis"]
    _description = "Customer Value Analysis with Records"

    def _open_named(self, model, ids, title):
        """The action that lists the records, as far as the reader may see them.

        :raise UserError: when there are none
        """
        self.ensure_one()
        self.check_access("read")
        found = self.env[model].search([("id", "in", ids or [])]) if may_open(self.env, model) else None
        if not found:
            raise UserError(self.env._("The records behind this were deleted, or are not yours to see."))
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": model,
            "views": [[False, "list"], [False, "form"]],
            "domain": [["id", "in", found.ids]],
            "context": {"create": False},
        }


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


class CrmValueFactor(models.Model):
    """What separates bad ratings from good ones among key customers."""

    _name = "crm.value.factor"
    _inherit = ["crm.value.named"]
    _description = "What Key Customers' Satisfaction Depends On"
    _rec_name = "factor"

    factor = fields.Selection(
        [
            ("late", "Late deliveries"),
            ("short", "Short deliveries"),
            ("returns", "Goods sent back"),
            ("answer", "Waiting for an answer"),
            ("discount", "Discounts"),
        ],
        string="In the 60 Days Before",
        required=True,
    )
    matters = fields.Boolean(string="More than Chance", help="Whether the difference is more than chance.")
    good_mean = fields.Float(
        string="Before Good Ratings",
        aggregator=None,
        help="Share of the deliveries; hours of waiting; discount in percent.",
    )
    bad_mean = fields.Float(
        string="Before Bad Ratings",
        aggregator=None,
        help="Share of the deliveries; hours of waiting; discount in percent.",
    )
    effect = fields.Float(
        string="Difference",
        aggregator=None,
        help="How much likelier it was more before a bad rating than before a good one, less the reverse: 0 is none, "
        "1 always. Empty with fewer than 20 ratings of either kind, or 5 customers who gave them.",
    )
    good = fields.Integer(string="Good Ratings", aggregator=None)
    bad = fields.Integer(string="Bad Ratings", aggregator=None)
    customers = fields.Integer(aggregator=None)
    untold = fields.Json()
    rating_ids = fields.Json(help="The newest bad ratings with more of it before than is usual.")
    has_ratings = fields.Boolean(compute="_compute_has_ratings")

    @api.depends("rating_ids")
    @api.depends_context("uid")
    def _compute_has_ratings(self):
        readable = may_open(self.env, "rating.rating")
        for row in self:
            row.has_ratings = readable and bool(row.rating_ids)

    def action_open_ratings(self):
        names = dict(self._fields["factor"]._description_selection(self.env))
        return self._open_named(
            "rating.rating", self.rating_ids, self.env._("Bad ratings after: %s", names.get(self.factor, ""))
        )
