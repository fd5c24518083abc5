from odoo import models
from odoo.tools import SQL

from .crm_value_sync_export import Dataset


class CrmValueSync(models.AbstractModel):
    """Sales at the counter to customers whose name was taken, with the columns of orders and lines.

    A sales order settled at the counter is a sale once: as the sales order; where sales are counted from invoices, as
    what the counter sold, be that invoiced or not.
    """

    _inherit = "crm.value.sync"

    def _datasets(self):
        datasets = super()._datasets()
        if self._installed("pos.order", "partner_id", "currency_rate"):
            datasets["pos_orders"] = Dataset("pos_order", datasets["orders"].columns)
            datasets["pos_lines"] = Dataset("pos_order_line", datasets["lines"].columns)
        return datasets

    def _no_goods(self):
        products = super()._no_goods()
        if self._installed("pos.config", "tip_product_id"):
            configs = self.env["pos.config"].sudo()
            configs = configs.with_context(active_test=False).search([("company_id", "!=", False)])
            products |= configs.tip_product_id
            if self._installed("pos.config", "down_payment_product_id"):
                products |= configs.down_payment_product_id
        return products

    def _first_contacts(self, company):
        contacts = super()._first_contacts(company)
        if self._installed("pos.order", "partner_id"):
            contacts.append(
                SQL(
                    """SELECT partner_id, min(date_order) AS first FROM pos_order
                        WHERE partner_id IS NOT NULL AND state IN ('paid', 'done') AND company_id IN %s
                        GROUP BY partner_id""",
                    tuple(company._crm_value_branches()),
                )
            )
        return contacts

    def _channels(self, low, high):
        channels = super()._channels(low, high)
        if self._installed("pos.order.line", "sale_order_origin_id"):
            settled = SQL(
                """sale.id IN (SELECT sale_order_origin_id FROM pos_order_line
                                WHERE sale_order_origin_id > %s AND sale_order_origin_id <= %s)""",
                low,
                high,
            )
            channels.insert(0, (settled, "point_of_sale"))
        return channels

    def _pos_sales_sql(self):
        """Condition for a ``line`` of the point of sale that is a sale of its own."""
        conditions = [SQL("TRUE")]
        no_goods = self._no_goods().ids
        if no_goods:
            conditions.append(SQL("line.product_id NOT IN %s", tuple(no_goods)))
        if not self._counts_invoices() and self._installed("pos.order.line", "sale_order_origin_id"):
            conditions.append(
                SQL(
                    """NOT EXISTS (SELECT FROM sale_order sale
                                    WHERE sale.id = line.sale_order_origin_id AND sale.state = 'sale')"""
                )
            )
        return SQL("(%s)", SQL(" AND ").join(conditions))

    def _pos_sale_sql(self, company):
        """Condition for a ``pos`` order that was paid at these companies."""
        return SQL(
            "pos.state IN ('paid', 'done') AND pos.company_id IN %s AND %s",
            tuple(company._crm_value_branches()),
            self._not_objecting_sql(SQL("pos.partner_id")),
        )

    def _invoiced_elsewhere_sql(self):
        conditions = super()._invoiced_elsewhere_sql()
        if self._installed("pos.order", "account_move"):
            conditions.append(SQL("EXISTS (SELECT FROM pos_order pos WHERE pos.account_move = move.id)"))
        return conditions

    def _pos_subtotal_sql(self):
        """The untaxed amount of a ``line``: below zero for what came back, whichever way it was entered."""
        return SQL("sign(line.qty) * sign(line.price_unit) * abs(line.price_subtotal)")

    def _pos_company_amount_sql(self, amount):
        """An amount of ``pos`` in the company's currency, at the order's own rate."""
        return SQL(
            """CASE WHEN COALESCE(pos.currency_rate, 0) IN (0, 1) THEN %(amount)s
                    ELSE round((%(amount)s) / pos.currency_rate, 4) END""",
            amount=amount,
        )

    def _export_pos_orders_sql(self, company, low, high):
        # The cost of a line may still be computed when the session closes; without it the margin is not known.
        return SQL(
            """
            SELECT pos.id, contact.commercial_partner_id, %(date)s, %(amount)s, %(margin)s
              FROM pos_order pos
              JOIN res_partner contact ON contact.id = pos.partner_id
              JOIN (
                    SELECT line.order_id, sum(%(subtotal)s) AS amount,
                           CASE WHEN bool_and(line.is_total_cost_computed IS TRUE
                                              AND COALESCE(line.total_cost, 0) <> 0 OR line.price_unit <= 0)
                                THEN sum(%(subtotal)s - COALESCE(line.total_cost, 0)) END AS margin
                      FROM pos_order_line line
                     WHERE line.order_id > %(low)s AND line.order_id <= %(high)s AND %(sales)s
                     GROUP BY line.order_id
                   ) sold ON sold.order_id = pos.id
             WHERE pos.id > %(low)s AND pos.id <= %(high)s AND %(orders)s
            """,
            date=self._local_date_sql(company, SQL("pos.date_order")),
            amount=self._pos_company_amount_sql(SQL("sold.amount")),
            margin=self._pos_company_amount_sql(SQL("sold.margin")),
            subtotal=self._pos_subtotal_sql(),
            sales=self._pos_sales_sql(),
            low=low,
            high=high,
            orders=self._pos_sale_sql(company),
        )

    def _export_pos_lines_sql(self, company, low, high):
        return SQL(
            """
            SELECT line.id, line.order_id, line.product_id, line.qty, %(amount)s, line.discount
              FROM pos_order_line line
              JOIN pos_order pos ON pos.id = line.order_id
             WHERE line.id > %(low)s AND line.id <= %(high)s AND %(sales)s
               AND pos.partner_id IS NOT NULL AND %(orders)s
            """,
            amount=self._pos_company_amount_sql(self._pos_subtotal_sql()),
            sales=self._pos_sales_sql(),
            low=low,
            high=high,
            orders=self._pos_sale_sql(company),
        )
