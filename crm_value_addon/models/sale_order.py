from odoo import api, models
from odoo.tools import SQL


class SaleOrder(models.Model):
    """Scores of the order's customer in the order's own company."""

    _name = "sale.order"
    _inherit = ["sale.order", "crm.value.mixin"]

    def _profile_customer(self):
        return self.partner_id.commercial_partner_id

    def _profile_company(self):
        return self.company_id

    @api.model
    def _profile_customer_sql(self, alias, query):
        _comodel, partner = self._fields["partner_id"].join(self, alias, query)
        field = self.env["res.partner"]._fields["commercial_partner_id"]
        return SQL.identifier(partner, "commercial_partner_id", to_flush=field)

    @api.model
    def _profile_company_sql(self, alias):
        return SQL.identifier(alias, "company_id", to_flush=self._fields["company_id"])

    @api.depends("partner_id.commercial_partner_id", "company_id")
    def _compute_profile_fields(self):
        return super()._compute_profile_fields()


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # Holds the few lines that are not sales, which the export subtracts from each order.
    _crm_value_not_sales = models.Index("(order_id) WHERE is_downpayment OR is_expense")
