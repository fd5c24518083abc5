from odoo import models
from odoo.tools import SQL

from .crm_value_sync_export import SALES


class CrmValueSyncSales(models.AbstractModel):
    """What was sold, for queries of this database: counted as the exported orders are, so that a sale of the scores is
    one everywhere."""

    _inherit = "crm.value.sync"

    def _sales_sql(self, company):
        """What a root company and its branches sold, by the policy in force.

        Each document is a row of ``customer``, ``moment`` (UTC), ``day`` (of the company) and ``amount`` (untaxed, in
        the company's currency; below zero for what came back). An invoice tells no more than its day, and its moment is
        where that begins.

        Amounts are looked up document by document. Ask for the customers of a query one by one, by a subquery or
        ``LATERAL``: joined, the sales of everybody would be looked up first.
        """
        self.env.flush_all()
        sales = SALES[int(self.env["crm.value.policy.version"]._in_force(company)["sales_basis"])]
        counting = self._counting(sales if self._has_invoices() else "orders")
        return SQL(" UNION ALL ").join(counting._sales_documents_sql(company))

    def _sales_documents_sql(self, company):
        """``[SQL]``, one for each kind of document that sales are counted from; see ``_sales_sql``."""
        documents = [
            self._sold_invoices_sql(company) if self._counts_invoices() else self._sold_orders_sql(company)
        ]
        if self._installed("pos.order", "partner_id", "currency_rate"):
            documents.append(self._sold_at_counter_sql(company))
        return documents

    def _sold_orders_sql(self, company):
        return SQL(
            """
            SELECT contact.commercial_partner_id AS customer, sale.date_order AS moment, %(day)s AS day,
                   %(amount)s AS amount
              FROM res_partner contact
              JOIN sale_order sale ON sale.partner_id = contact.id
             WHERE %(sales)s
            """,
            day=self._local_date_sql(company, SQL("sale.date_order")),
            amount=self._company_amount_sql(
                company,
                SQL(
                    """sale.amount_untaxed - COALESCE((SELECT sum(line.price_subtotal) FROM sale_order_line line
                                                        WHERE line.order_id = sale.id AND %s), 0)""",
                    self._not_sales_sql("line"),
                ),
            ),
            sales=self._order_sale_sql(company),
        )

    def _sold_invoices_sql(self, company):
        day = SQL("COALESCE(move.invoice_date, move.date)")
        return SQL(
            """
            SELECT contact.commercial_partner_id AS customer,
                   %(day)s::timestamp AT TIME ZONE %(zone)s AT TIME ZONE 'UTC' AS moment, %(day)s AS day,
                   move.amount_untaxed_signed + COALESCE((
                       SELECT sum(item.balance) FROM account_move_line item
                        WHERE item.move_id = move.id AND %(no_sales)s), 0) AS amount
              FROM res_partner contact
              JOIN account_move move ON move.partner_id = contact.id
             WHERE %(sales)s
            """,
            day=day,
            zone=company._crm_value_timezone(),
            no_sales=self._no_sales_items_sql(SQL("billed.move_id = move.id")),
            sales=self._invoice_sales_sql(company),
        )

    def _sold_at_counter_sql(self, company):
        return SQL(
            """
            SELECT contact.commercial_partner_id AS customer, pos.date_order AS moment, %(day)s AS day,
                   %(amount)s AS amount
              FROM res_partner contact
              JOIN pos_order pos ON pos.partner_id = contact.id
             WHERE %(sales)s
            """,
            day=self._local_date_sql(company, SQL("pos.date_order")),
            amount=self._pos_company_amount_sql(
                SQL(
                    """(SELECT COALESCE(sum(%s), 0) FROM pos_order_line line
                         WHERE line.order_id = pos.id AND %s)""",
                    self._pos_subtotal_sql(),
                    self._pos_sales_sql(),
                )
            ),
            sales=self._pos_sale_sql(company),
        )
