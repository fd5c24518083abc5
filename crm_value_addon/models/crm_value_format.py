from odoo import fields, models


class CrmValueFormat(models.Model):
    """Business format: the family of customers one is compared with."""

    _name = "crm.value.format"
    _description = "Business Format"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, help="Stable name used by the worker, in files and in policies.")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    industry_ids = fields.Many2many("res.partner.industry", string="Industries")
    category_ids = fields.Many2many(
        "res.partner.category", string="Tags", help="A tag decides before the industry does."
    )

    _code_unique = models.Constraint("UNIQUE(code)", "Each business format needs its own code.")
