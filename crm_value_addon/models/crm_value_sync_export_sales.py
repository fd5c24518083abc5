from odoo import models
from odoo.tools import SQL

from .crm_value_sync_export import Dataset


class CrmValueSync(models.AbstractModel):
    """Sales orders beyond their amounts: who sold them and how, what was invoiced; offers that became no order."""

    _inherit = "crm.value.sync"

    def _datasets(self):
        return {
            **super()._datasets(),
            "order_details": Dataset(
                "sale_order",
                ["order_id", "customer_id", "known", "salesperson_id", "channel", "quoted", "invoiced"],
            ),
            "quotations": Dataset(
                "sale_order", ["quotation_id", "customer_id", "known", "amount", "outcome"]
            ),
        }

    def _channels(self, low, high):
        """``[(condition on sale, channel)]``, the first that holds counts."""
        channels = [(SQL("sale.user_id IS NOT NULL"), "salesperson")]
        if self._installed("sale.order", "website_id"):
            channels.insert(0, (SQL("sale.website_id IS NOT NULL"), "website"))
        return channels

    def _export_order_details_sql(self, company, low, high):
        amount, other_join = self._order_sales_sql(low, high)
        return SQL(
            """
            SELECT sale.id, contact.commercial_partner_id, %(date)s, sale.user_id, CASE %(channels)s END,
                   %(quoted)s, invoiced.amount
              FROM sale_order sale
              JOIN res_partner contact ON contact.id = sale.partner_id
              %(other_join)s
              LEFT JOIN (%(invoiced)s) invoiced ON invoiced.order_id = sale.id
             WHERE sale.id > %(low)s AND sale.id <= %(high)s AND %(sales)s
            """,
            date=self._local_date_sql(company, SQL("sale.date_order")),
            channels=SQL(" ").join(
                SQL("WHEN %s THEN %s", condition, channel) for condition, channel in self._channels(low, high)
            ),
            quoted=self._company_amount_sql(company, amount),
            other_join=other_join,
            invoiced=self._invoiced_sql(company, low, high),
            low=low,
            high=high,
            sales=self._order_sale_sql(company),
        )

    def _invoiced_sql(self, company, low, high):
        """What was invoiced, less credit notes, of the sales lines of each order, in the company's currency.

        At the rate of the order, so that a moving rate makes no difference to what was quoted.
        """
        return SQL(
            """
            SELECT line.order_id,
                   sum(CASE WHEN move.currency_id = sale.currency_id
                            THEN %(in_currency)s
                            ELSE -item.balance END) AS amount
              FROM sale_order_line line
              JOIN sale_order sale ON sale.id = line.order_id
              JOIN sale_order_line_invoice_rel link ON link.order_line_id = line.id
              JOIN account_move_line item ON item.id = link.invoice_line_id
              JOIN account_move move ON move.id = item.move_id
             WHERE line.order_id > %(low)s AND line.order_id <= %(high)s AND %(not_sales)s IS NOT TRUE
               AND move.state = 'posted' AND move.move_type IN ('out_invoice', 'out_refund', 'out_receipt')
             GROUP BY line.order_id
            """,
            in_currency=self._company_amount_sql(
                company,
                SQL("CASE WHEN move.move_type = 'out_refund' THEN -1 ELSE 1 END * item.price_subtotal"),
            ),
            low=low,
            high=high,
            not_sales=self._not_sales_sql("line"),
        )

    def _export_quotations_sql(self, company, low, high):
        amount, other_join = self._order_sales_sql(low, high)
        # An open order of the website is a cart: nobody has offered anything.
        cart = (
            SQL("sale.state = 'draft' AND sale.website_id IS NOT NULL")
            if self._installed("sale.order", "website_id")
            else SQL("FALSE")
        )
        return SQL(
            """
            SELECT sale.id, contact.commercial_partner_id, %(date)s, %(amount)s,
                   CASE WHEN sale.state = 'cancel' THEN 'cancelled' ELSE 'open' END
              FROM sale_order sale
              JOIN res_partner contact ON contact.id = sale.partner_id
              %(other_join)s
             WHERE sale.id > %(low)s AND sale.id <= %(high)s AND sale.state IN ('draft', 'sent', 'cancel')
               AND NOT (%(cart)s) AND sale.company_id IN %(companies)s AND %(not_objecting)s
            """,
            date=self._local_date_sql(company, SQL("sale.date_order")),
            amount=self._company_amount_sql(company, amount),
            other_join=other_join,
            cart=cart,
            low=low,
            high=high,
            companies=tuple(company._crm_value_branches()),
            not_objecting=self._not_objecting_sql(SQL("sale.partner_id")),
        )
