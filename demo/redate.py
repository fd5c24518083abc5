"""Moves a demonstration that has aged to the present by whole weeks; run in `odoo shell` by script/demo."""

from odoo import fields
from odoo.tools import SQL

from demo.orders import SHOP_ZONE, weeks_until_recent

# These move in local time, so that a shop opens at the same hour on either side of a clock change.
MOMENTS = {
    "sale_order": ["date_order", "commitment_date", "effective_date", "create_date", "write_date"],
    "crm_lead": ["create_date", "date_open", "date_closed", "date_last_stage_update"],
    "res_partner": ["create_date"],
    "product_product": ["create_date"],
    "product_template": ["create_date"],
    "mail_message": ["date", "create_date", "write_date"],
    "rating_rating": ["rated_on", "create_date", "write_date"],
    "mail_activity": ["create_date", "write_date"],
    "stock_picking": ["scheduled_date", "date_deadline", "date_done", "create_date", "write_date"],
    "stock_move": ["date", "date_deadline", "create_date", "write_date"],
    "stock_move_line": ["date", "create_date", "write_date"],
    "account_move": ["create_date", "write_date"],
    "account_move_line": ["create_date", "write_date"],
    "account_payment": ["create_date", "write_date"],
    "account_partial_reconcile": ["create_date", "write_date"],
    "loyalty_card": ["create_date", "write_date"],
    "loyalty_history": ["create_date", "write_date"],
}
DAYS = {
    "sale_order": ["validity_date"],
    "mail_activity": ["date_deadline", "date_done"],
    "stock_move": ["reservation_date"],
    "account_move": ["date", "invoice_date", "invoice_date_due", "delivery_date"],
    "account_move_line": ["date", "invoice_date", "date_maturity"],
    "account_payment": ["date"],
    "account_partial_reconcile": ["max_date"],
}
# What was not there in the past stays: users, messages of the visitors, the first company's products.
WHERE = {
    "res_partner": "commercial_partner_id IN (SELECT id FROM res_partner WHERE ref ~ '^(CJ|W)[0-9]')",
    "product_product": "default_code ~ '^W[0-9]'",
    "product_template": "default_code ~ '^W[0-9]'",
    "mail_message": "message_id LIKE '<demo-%@example.com>'",
    "mail_activity": "date_done IS NOT NULL",
}


def move(env):
    """Moves orders, quotations, leads, contacts, documents, customers and rates, if the last order is older than a
    week."""
    env.cr.execute("SELECT max(date_order) FROM sale_order WHERE state = 'sale'")
    weeks = weeks_until_recent(env.cr.fetchone()[0])
    if weeks <= 0:
        return
    for table, columns in MOMENTS.items():
        assignments = [
            SQL(
                """
                %(column)s = ((%(column)s AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)
                              + %(weeks)s * interval '7 days') AT TIME ZONE %(zone)s AT TIME ZONE 'UTC'
                """,
                column=SQL.identifier(column),
                zone=SHOP_ZONE,
                weeks=weeks,
            )
            for column in columns
        ]
        assignments += [
            SQL("%(column)s = %(column)s + %(days)s", column=SQL.identifier(column), days=7 * weeks)
            for column in DAYS.get(table, ())
        ]
        where = SQL("WHERE " + WHERE[table].replace("%", "%%")) if table in WHERE else SQL()
        env.cr.execute(SQL("UPDATE %s SET %s %s", SQL.identifier(table), SQL(", ").join(assignments), where))
    # In two steps, since one rate may move onto the day another is about to leave.
    for days in (100_000, 7 * weeks - 100_000):
        env.cr.execute(
            SQL("UPDATE res_currency_rate SET name = name + %s WHERE company_id IS NOT NULL", days)
        )
    env.invalidate_all(flush=False)
    env.cr.commit()
    print(f"  {fields.Date.today()}: moved by {weeks} weeks", flush=True)
