from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..formatting import tenths_text
from ..labels import GROUP_VIEWER

# Of the discount: rounding to cents is none.
ROUNDING = 0.001


class SaleOrder(models.Model):
    """Scores of the order's customer in the order's own company."""

    _name = "sale.order"
    _inherit = ["sale.order", "crm.value.told"]

    discount_notice = fields.Char(
        compute="_compute_discount_notice",
        groups=GROUP_VIEWER,
        help="Told when the order has more discount than the service policy of its customer allows.",
    )

    @api.depends("service_policy_id", "order_line.price_subtotal", "order_line.discount", "state")
    @api.depends_context("lang")
    def _compute_discount_notice(self):
        for order in self:
            policy = order.service_policy_id.sudo()
            order.discount_notice = False
            if not policy.limits_discount or order.state == "cancel":
                continue
            share = order._discount_share()
            if share > policy.discount_ceiling + ROUNDING:
                order.discount_notice = self.env._(
                    "%(share)s %% discount: more than the %(ceiling)s %% of the service policy for %(whom)s.",
                    share=tenths_text(self.env, share),
                    ceiling=tenths_text(self.env, policy.discount_ceiling),
                    whom=policy.display_name,
                )

    def _discount_share(self):
        """Discount of the whole order as a share of what it would cost without, untaxed; lines of discount count."""
        lines = self.order_line.filtered(lambda line: not line.display_type)
        full = net = 0.0
        for line in lines:
            net += line.price_subtotal
            if line.price_subtotal > 0 and line.discount < 100:
                full += line.price_subtotal / (1 - line.discount / 100)
            elif line.discount >= 100:
                # What is given away: its price may be with taxes.
                full += line.tax_ids.compute_all(
                    line.price_unit, line.currency_id, line.product_uom_qty, line.product_id, self.partner_id
                )["total_excluded"]
        return 1 - net / full if full > 0 else 0.0

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
