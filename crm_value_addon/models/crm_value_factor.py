from odoo import api, fields, models

from ..reasons import may_open


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
