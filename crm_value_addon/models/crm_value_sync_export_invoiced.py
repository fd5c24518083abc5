from odoo import models
from odoo.tools import SQL

from .crm_value_sync_export import Dataset
from .crm_value_sync_export_invoices import CUSTOMER_DOCUMENTS


class CrmValueSync(models.AbstractModel):
    """Sales counted from posted invoices less credit notes, with the columns of orders and lines.

    Ids are those of invoices (`account.move`) and their items. An invoice is dated as it says, in no time zone, and in
    the company's currency at its own rate; branches have the currency of their main company. What was sold at the
    counter is a sale there, and its invoice is none.
    """

    _inherit = "crm.value.sync"

    def _datasets(self):
        datasets = super()._datasets()
        if self._counts_invoices():
            datasets["orders"] = Dataset("account_move", datasets["orders"].columns)
            datasets["lines"] = Dataset("account_move_line", datasets["lines"].columns)
        return datasets

    def _invoiced_elsewhere_sql(self):
        """``[SQL]`` conditions for a ``move`` whose sales are counted by another document."""
        return []

    def _invoice_sales_sql(self, company):
        """Condition for a ``move`` that is a sale or a return."""
        conditions = [
            SQL("move.move_type IN %s", CUSTOMER_DOCUMENTS),
            SQL("move.state = 'posted'"),
            SQL("move.partner_id IS NOT NULL"),
            SQL("move.company_id IN %s", tuple(company._crm_value_branches())),
            self._not_objecting_sql(SQL("move.partner_id")),
            *(SQL("NOT (%s)", condition) for condition in self._invoiced_elsewhere_sql()),
        ]
        return SQL(" AND ").join(conditions)

    def _no_sales_items_sql(self, asked):
        """Condition for an ``item`` whose balance is in the untaxed amount of its invoice and no sale: the rest of
        rounding to coins too.

        :param SQL asked: as in ``_no_invoice_sales_sql``
        """
        return SQL(
            """(item.display_type = 'rounding' AND item.tax_repartition_line_id IS NULL
                OR item.display_type = 'product' AND %s)""",
            self._no_invoice_sales_sql(asked),
        )

    def _no_invoice_sales_sql(self, asked):
        """Condition for an ``item`` of an invoice that is no sale: what is none on an order, and what an order's line
        that is none was invoiced by.

        :param SQL asked: condition for those among which the items asked for are, there named ``billed``
        """
        conditions = []
        if self._installed("account.move.line", "is_downpayment"):
            conditions.append(SQL("item.is_downpayment"))
        no_goods = self._no_goods().ids
        if no_goods:
            conditions.append(SQL("item.product_id IN %s", tuple(no_goods)))
        if self._installed("account.move.line", "sale_line_ids"):
            conditions.append(
                SQL(
                    """item.id IN (
                           SELECT link.invoice_line_id
                             FROM sale_order_line line
                             JOIN sale_order_line_invoice_rel link ON link.order_line_id = line.id
                             JOIN account_move_line billed ON billed.id = link.invoice_line_id
                            WHERE %s AND %s
                       )""",
                    self._not_sales_sql("line"),
                    asked,
                )
            )
        return SQL("(%s)", SQL(" OR ").join(conditions or [SQL("FALSE")]))

    def _export_orders_sql(self, company, low, high):
        if not self._counts_invoices():
            return super()._export_orders_sql(company, low, high)
        return SQL(
            """
            SELECT move.id, COALESCE(contact.commercial_partner_id, move.partner_id),
                   COALESCE(move.invoice_date, move.date), move.amount_untaxed_signed + COALESCE(other.balance, 0),
                   %(margin)s
              FROM account_move move
              LEFT JOIN (
                    SELECT id, commercial_partner_id FROM res_partner WHERE commercial_partner_id <> id
                   ) contact ON contact.id = move.partner_id
              LEFT JOIN (
                    SELECT item.move_id, sum(item.balance) AS balance
                      FROM account_move_line item
                     WHERE item.move_id > %(low)s AND item.move_id <= %(high)s AND %(no_sales)s
                     GROUP BY item.move_id
                   ) other ON other.move_id = move.id
              %(margin_join)s
             WHERE move.id > %(low)s AND move.id <= %(high)s AND %(sales)s
            """,
            margin=SQL("cost.margin") if self._knows_margins() else SQL("NULL"),
            margin_join=self._invoice_margin_join_sql(low, high) if self._knows_margins() else SQL(),
            no_sales=self._no_sales_items_sql(SQL("billed.move_id > %s AND billed.move_id <= %s", low, high)),
            low=low,
            high=high,
            sales=self._invoice_sales_sql(company),
        )

    def _knows_margins(self):
        return self._installed("account.move.line", "sale_line_ids") and self._installed(
            "sale.order.line", "margin"
        )

    def _invoice_margin_join_sql(self, low, high):
        """Joins ``cost.margin`` of each ``move``: what was invoiced of an order's line earns its part of that line's
        margin.

        What a product cost at the time is not known otherwise: without an order, or with one without cost, the margin
        of the whole invoice is not known. A discount has no cost.
        """
        return SQL(
            """LEFT JOIN (
                   SELECT item.move_id,
                          CASE WHEN bool_and(ordered.rate IS NOT NULL OR item.price_unit <= 0)
                               THEN round(-sum(item.balance * COALESCE(ordered.rate, 1)), 4) END AS margin
                     FROM account_move_line item
                     LEFT JOIN (
                           SELECT link.invoice_line_id,
                                  CASE WHEN bool_and(COALESCE(line.purchase_price, 0) <> 0)
                                       THEN sum(line.margin)::numeric / NULLIF(sum(line.price_subtotal), 0) END AS rate
                             FROM account_move_line item
                             JOIN sale_order_line_invoice_rel link ON link.invoice_line_id = item.id
                             JOIN sale_order_line line ON line.id = link.order_line_id
                            WHERE item.move_id > %(low)s AND item.move_id <= %(high)s
                            GROUP BY link.invoice_line_id
                          ) ordered ON ordered.invoice_line_id = item.id
                    WHERE item.move_id > %(low)s AND item.move_id <= %(high)s
                      AND item.display_type = 'product' AND %(no_sales)s IS NOT TRUE
                    GROUP BY item.move_id
               ) cost ON cost.move_id = move.id""",
            low=low,
            high=high,
            no_sales=self._no_invoice_sales_sql(
                SQL("billed.move_id > %s AND billed.move_id <= %s", low, high)
            ),
        )

    def _export_lines_sql(self, company, low, high):
        if not self._counts_invoices():
            return super()._export_lines_sql(company, low, high)
        return SQL(
            """
            SELECT item.id, item.move_id, item.product_id,
                   CASE WHEN move.move_type = 'out_refund' THEN -item.quantity ELSE item.quantity END,
                   -item.balance, item.discount
              FROM account_move_line item
              JOIN account_move move ON move.id = item.move_id
             WHERE item.id > %(low)s AND item.id <= %(high)s AND item.display_type = 'product'
               AND %(no_sales)s IS NOT TRUE AND %(sales)s
            """,
            low=low,
            high=high,
            no_sales=self._no_invoice_sales_sql(SQL("billed.id > %s AND billed.id <= %s", low, high)),
            sales=self._invoice_sales_sql(company),
        )
