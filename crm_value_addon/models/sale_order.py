from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command


class SaleOrder(models.Model):
    """Scores of the order's customer in the order's own company."""

    _name = "sale.order"
    _inherit = ["sale.order", "crm.value.told"]

    @api.depends("partner_id.commercial_partner_id", "company_id")
    def _compute_profile_fields(self):
        return super()._compute_profile_fields()

    def _quote_again(self):
        """A new quotation of what was sold, at the prices of today; what is no longer sold is left out and noted.

        :raise UserError: when none of it is sold any more
        """
        self.ensure_one()
        lines = self._get_copiable_order_lines().filtered(
            lambda line: line.display_type or (line.product_uom_qty > 0 and not line.is_expense)
        )
        gone = lines.filtered(
            lambda line: line.product_id and not (line.product_id.active and line.product_id.sale_ok)
        )
        if not (lines - gone).product_id:
            raise UserError(self.env._("Nothing of the last order, %s, is sold any more.", self.name))
        quotation = self.copy(
            {
                "origin": self.name,
                # That was of the last sale.
                "opportunity_id": False,
                "user_id": (self.user_id.filtered("active") or self.env.user).id,
                "order_line": [Command.create(values) for values in (lines - gone).copy_data()],
            }
        )
        # As for any new quotation of the customer.
        quotation._compute_pricelist_id()
        quotation.action_update_prices()
        if gone:
            names = ", ".join(gone.product_id.mapped("display_name"))
            quotation.message_post(body=self.env._("Left out, for it is no longer sold: %s", names))
        return quotation


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # Holds the few lines that are not sales, which the export subtracts from each order.
    _crm_value_not_sales = models.Index("(order_id) WHERE is_downpayment OR is_expense")
