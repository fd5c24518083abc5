from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..customer_texts import lateness_text
from ..labels import GROUP_USER, GROUP_VIEWER

# What a customer usually orders is told by its latest orders: few enough to be of today, enough for a median.
LATEST_ORDERS = 10
AMOUNTS = ("current_value", "potential_value")


class ResPartner(models.Model):
    """What the working lists show of a customer and do for it."""

    _inherit = "res.partner"

    order_lateness = fields.Char(
        string="Late by",
        compute="_compute_order_lateness",
        groups=GROUP_VIEWER,
        help="Days since the last day on which an order was to be expected of this customer's own rhythm.",
    )
    usual_order = fields.Monetary(
        compute="_compute_usual_order",
        currency_field="value_currency_id",
        groups=GROUP_USER,
        help=f"Median of its last {LATEST_ORDERS} confirmed orders, before taxes.",
    )

    @api.depends("expected_next_order_high")
    @api.depends_context("company", "lang")
    def _compute_order_lateness(self):
        today = self.env.company.root_id._crm_value_today()
        for partner in self:
            latest = partner.expected_next_order_high
            partner.order_lateness = (latest and lateness_text(self.env, (today - latest).days)) or False

    @api.depends("value_segment")
    @api.depends_context("company")
    def _compute_usual_order(self):
        company = self.env.company.root_id.id
        # Of an objector, who has no profile, nothing is worked out.
        keys = {(customer, company) for customer in self.commercial_partner_id._origin.ids}
        scored = [customer for customer, _company in self._read_profiles(keys, ["id"])]
        usual = self._read_usual_orders(scored)
        for partner in self:
            partner.usual_order = usual.get(partner.commercial_partner_id._origin.id, 0.0)

    @api.model
    def _read_usual_orders(self, customers):
        """``{customer id: amount}`` in the current company and its branches, in its currency."""
        if not customers:
            return {}
        self.env["sale.order"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT customer, percentile_cont(0.5) WITHIN GROUP (ORDER BY amount)
                  FROM (SELECT partner.commercial_partner_id AS customer,
                               sales.amount_untaxed / COALESCE(NULLIF(sales.currency_rate, 0), 1) AS amount,
                               row_number() OVER (
                                   PARTITION BY partner.commercial_partner_id
                                   ORDER BY sales.date_order DESC, sales.id DESC
                               ) AS place
                          FROM sale_order sales
                          JOIN res_partner partner ON partner.id = sales.partner_id
                          JOIN res_company company ON company.id = sales.company_id
                         WHERE partner.commercial_partner_id = ANY(%(customers)s)
                           AND company.parent_path LIKE %(family)s
                           AND sales.state = 'sale' AND sales.amount_untaxed > 0
                           AND sales.date_order <= now() AT TIME ZONE 'UTC') latest
                 WHERE place <= %(latest)s
              GROUP BY customer
                """,
                customers=customers,
                family=f"{self.env.company.root_id.id}/%",
                latest=LATEST_ORDERS,
            )
        )
        return dict(rows)

    # ------------------------------------------------------- a list's own order

    @api.model
    def _get_view_cache_key(self, view_id=None, view_type="form", **options):
        key = super()._get_view_cache_key(view_id, view_type, **options)
        return (*key, self.env.user.has_group(GROUP_USER))

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Sort lists by the place among peers for those to whom an order by an amount would be refused."""
        arch, view = super()._get_view(view_id, view_type, **options)
        by_amount = arch.get("default_order", "").split(" ")[0] in AMOUNTS
        if by_amount and not self.env.user.has_group(GROUP_USER):
            arch.set("default_order", "value_percentile desc")
        return arch, view

    # ---------------------------------------------------------------- quotation

    def action_quote_last_order(self):
        """Open a new quotation with the lines of the customer's last confirmed order at today's prices.

        :raise UserError: when the reader may not make one, there is no such order, or nothing of it is sold any more
        """
        self.ensure_one()
        self.check_access("read")
        if not self.env["sale.order"].has_access("create"):
            raise UserError(self.env._("You may not create quotations: ask an administrator for the right."))
        quotation = self._last_order()._quote_again()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "res_id": quotation.id,
            "views": [[False, "form"]],
        }

    def _last_order(self):
        """The last order of the customer in the current company that the reader may see; returns do not count."""
        company = self.env.company
        order = self.env["sale.order"].search(
            [
                ("partner_id.commercial_partner_id", "=", self.commercial_partner_id.id),
                ("company_id", "=", company.id),
                ("state", "=", "sale"),
                ("amount_untaxed", ">", 0),
            ],
            order="date_order desc, id desc",
            limit=1,
        )
        if not order:
            raise UserError(
                self.env._(
                    "There is no confirmed order of %(customer)s in %(company)s that you may see.",
                    customer=self.commercial_partner_id.display_name,
                    company=company.name,
                )
            )
        return order
