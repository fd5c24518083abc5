from odoo import api, models
from odoo.tools import SQL


class CrmLead(models.Model):
    """Scores of the lead's customer, in the company of the lead or else in the current one."""

    _name = "crm.lead"
    _inherit = ["crm.lead", "crm.value.mixin"]

    def _profile_customer(self):
        return self.partner_id.commercial_partner_id

    def _profile_company(self):
        return self.company_id or self.env.company

    @api.model
    def _profile_customer_sql(self, alias, query):
        _comodel, partner = self._fields["partner_id"].join(self, alias, query)
        field = self.env["res.partner"]._fields["commercial_partner_id"]
        return SQL.identifier(partner, "commercial_partner_id", to_flush=field)

    @api.model
    def _profile_company_sql(self, alias):
        company = SQL.identifier(alias, "company_id", to_flush=self._fields["company_id"])
        return SQL("COALESCE(%s, %s)", company, self.env.company.id)

    @api.depends("partner_id.commercial_partner_id", "company_id")
    def _compute_profile_fields(self):
        return super()._compute_profile_fields()
