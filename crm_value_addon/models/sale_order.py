from odoo import api, models


class SaleOrder(models.Model):
    """Scores of the order's customer in the order's own company."""

    _name = "sale.order"
    _inherit = ["sale.order", "crm.value.mixin"]

    @api.depends("partner_id.commercial_partner_id", "company_id")
    def _compute_profile_fields(self):
        return super()._compute_profile_fields()


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # Holds the few lines that are not sales, which the export subtracts from each order.
    _crm_value_not_sales = models.Index("(order_id) WHERE is_downpayment OR is_expense")
