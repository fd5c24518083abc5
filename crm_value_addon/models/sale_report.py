from odoo import api, models
from odoo.tools import SQL


class SaleReport(models.Model):
    """Scores of the customer as dimensions of the sales analysis.

    A join and not the report's hook for additional fields, which would leave point-of-sale rows
    empty.
    """

    _name = "sale.report"
    _inherit = ["sale.report", "crm.value.mixin"]

    def _profile_customer(self):
        return self.commercial_partner_id

    @api.model
    def _profile_customer_sql(self, alias, query):
        return SQL.identifier(alias, "commercial_partner_id")

    @api.model
    def _profile_company_sql(self, alias):
        return SQL.identifier(alias, "company_id")

    @api.depends("commercial_partner_id", "company_id")
    def _compute_profile_fields(self):
        return super()._compute_profile_fields()
