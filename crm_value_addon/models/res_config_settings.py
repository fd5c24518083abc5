from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    crm_value_interval_hours = fields.Integer(
        related="company_id.root_id.crm_value_interval_hours", readonly=False
    )
    crm_value_alerts_per_user = fields.Integer(
        related="company_id.root_id.crm_value_alerts_per_user", readonly=False
    )
    crm_value_alerts_at_once = fields.Integer(
        related="company_id.root_id.crm_value_alerts_at_once", readonly=False
    )
    crm_value_case_window_days = fields.Integer(
        related="company_id.root_id.crm_value_case_window_days", readonly=False
    )
    crm_value_case_due_days = fields.Integer(
        related="company_id.root_id.crm_value_case_due_days", readonly=False
    )
    group_crm_value_user = fields.Boolean(
        string="Amounts for every salesperson",
        group="sales_team.group_sale_salesman",
        implied_group="crm_value_addon.group_user",
        help="Salespeople who see only their own documents also see amounts drawn from the documents of others.",
    )
