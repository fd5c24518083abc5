from odoo import fields, models

from ..labels import (
    CAUSES,
    CHURN_RISKS,
    CONFIDENCES,
    GROUP_USER,
    LABELS,
    LIFECYCLE_STAGES,
    LOYALTY_STAGES,
    VALUE_CLASSES,
    VALUE_SEGMENTS,
    VALUE_TYPES,
)


class CrmValueHistory(models.Model):
    """The full state of a customer from one change of its labels to the next."""

    _name = "crm.value.history"
    _inherit = ["crm.value.protected"]
    _description = "Customer Value History"
    _order = "valid_from desc, id desc"
    _rec_name = "partner_id"
    _log_access = False

    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    format_id = fields.Many2one("crm.value.format", string="Business Format", ondelete="set null")
    valid_from = fields.Date(required=True)
    valid_to = fields.Date(help="First day on which another state held; empty for the present one.")
    cause = fields.Selection(CAUSES, required=True)
    # Numbers and not references, which would be checked for every row of every run.
    run_id = fields.Integer()
    policy_number = fields.Integer(
        string="Policy Version", help="Number of the company's policy version that held."
    )
    # A number: that partner is there no more.
    merged_from = fields.Integer(
        help="Number of the customer this was told of before it was merged into the present one."
    )
    value_class = fields.Selection(VALUE_CLASSES)
    value_segment = fields.Selection(VALUE_SEGMENTS)
    loyalty_stage = fields.Selection(LOYALTY_STAGES)
    lifecycle_stage = fields.Selection(LIFECYCLE_STAGES)
    churn_risk = fields.Selection(CHURN_RISKS)
    value_type = fields.Selection(VALUE_TYPES)
    lost_type = fields.Selection(LABELS["lost_type"])
    confidence = fields.Selection(CONFIDENCES)
    churn_probability = fields.Float(aggregator="avg")
    historical_value = fields.Monetary(groups=GROUP_USER)
    current_value = fields.Monetary(groups=GROUP_USER)
    potential_value = fields.Monetary(groups=GROUP_USER)
    lifetime_value = fields.Monetary(groups=GROUP_USER)

    _merged = models.Index("(company_id, partner_id) WHERE merged_from IS NOT NULL")
