from odoo import api, models
from odoo.tools import SQL


class CrmLead(models.Model):
    """Scores of the lead's customer, in the company of the lead or else in the current one."""

    _name = "crm.lead"
    _inherit = ["crm.lead", "crm.value.told"]

    def _profile_company(self):
        return self.company_id or self.env.company

    @api.model
    def _profile_company_sql(self, alias):
        return SQL("COALESCE(%s, %s)", super()._profile_company_sql(alias), self.env.company.id)

    @api.depends("partner_id.commercial_partner_id", "company_id")
    def _compute_profile_fields(self):
        return super()._compute_profile_fields()
