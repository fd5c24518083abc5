from odoo import models
from odoo.tools import SQL

from .crm_value_sync_export import Dataset

# Documents a customer owes for or is owed by.
CUSTOMER_DOCUMENTS = ("out_invoice", "out_refund", "out_receipt")


class CrmValueSync(models.AbstractModel):
    """Posted invoices and credit notes, and what of them was settled."""

    _inherit = "crm.value.sync"

    def _datasets(self):
        datasets = super()._datasets()
        if self._has_invoices():
            datasets["invoices"] = Dataset(
                "account_move", ["invoice_id", "customer_id", "known", "date", "due", "amount", "total"]
            )
        if self._installed("account.partial.reconcile", "max_date"):
            datasets["payments"] = Dataset(
                "account_partial_reconcile", ["payment_id", "invoice_id", "customer_id", "known", "amount"]
            )
        return datasets

    def _first_contacts(self, company):
        contacts = super()._first_contacts(company)
        if self._has_invoices():
            # The day of an invoice has no time zone, the other first contacts are in UTC.
            contacts.append(
                SQL(
                    """SELECT partner_id, min(COALESCE(invoice_date, date))::timestamp
                                          AT TIME ZONE %s AT TIME ZONE 'UTC' AS first
                         FROM account_move
                        WHERE partner_id IS NOT NULL AND move_type IN %s AND state = 'posted'
                          AND company_id IN %s
                        GROUP BY partner_id""",
                    company._crm_value_timezone(),
                    CUSTOMER_DOCUMENTS,
                    tuple(company._crm_value_branches()),
                )
            )
        return contacts

    def _export_invoices_sql(self, company, low, high):
        # Odoo keeps no day of posting: an invoice is known once it is dated and there.
        return SQL(
            """
            SELECT move.id, contact.commercial_partner_id, GREATEST(move.invoice_date, %(created)s),
                   move.invoice_date, move.invoice_date_due, move.amount_untaxed_signed, move.amount_total_signed
              FROM account_move move
              JOIN res_partner contact ON contact.id = move.partner_id
             WHERE move.id > %(low)s AND move.id <= %(high)s AND move.move_type IN %(documents)s
               AND move.state = 'posted' AND move.company_id IN %(companies)s AND %(not_objecting)s
            """,
            created=self._local_date_sql(company, SQL("move.create_date")),
            low=low,
            high=high,
            documents=CUSTOMER_DOCUMENTS,
            companies=tuple(company._crm_value_branches()),
            not_objecting=self._not_objecting_sql(SQL("move.partner_id")),
        )

    def _export_payments_sql(self, company, low, high):
        # A credit note set off against an invoice settles both: two rows, of opposite signs as their totals are.
        # The day is that of the money; when somebody matched it with the invoice is not the customer's doing.
        return SQL(
            """
            SELECT part.id, move.id, contact.commercial_partner_id, part.max_date, side.sign * part.amount
              FROM account_partial_reconcile part
             CROSS JOIN LATERAL (VALUES (part.debit_move_id, 1), (part.credit_move_id, -1)) side (item, sign)
              JOIN account_move_line item ON item.id = side.item
              JOIN account_account account
                ON account.id = item.account_id AND account.account_type = 'asset_receivable'
              JOIN account_move move ON move.id = item.move_id
              JOIN res_partner contact ON contact.id = move.partner_id
             WHERE part.id > %(low)s AND part.id <= %(high)s AND move.move_type IN %(documents)s
               AND move.state = 'posted' AND move.company_id IN %(companies)s AND %(not_objecting)s
            """,
            low=low,
            high=high,
            documents=CUSTOMER_DOCUMENTS,
            companies=tuple(company._crm_value_branches()),
            not_objecting=self._not_objecting_sql(SQL("move.partner_id")),
        )
