"""What Odoo itself writes into deliveries, invoices and payments, learned from some made through the ORM.

One order of one customer is delivered, invoiced and paid, and one sent back, and every row they left is read before
all is rolled back. The bulk copy (`deliveries.py`, `invoices.py`, `payments.py`) repeats these rows.
"""

import json

from odoo import Command
from odoo.tools import SQL

from demo.orders import insert_as
from demo.patterns import rows_of
from demo.people import QUIET

TABLES = (
    "stock_picking",
    "stock_move",
    "stock_move_line",
    "account_move",
    "account_move_line",
    "account_payment",
)


def learn(env, company, partner, product):
    """Rows as the ORM writes them; nothing stays in the database.

    Answers `{table: [(kind, row), ...]}`. Kinds of deliveries and their parts are `open`, `sale` and `return`; of
    moves, their lines and payments `sale` and `return`, with `_paid` for those of payments, and for lines
    `_product`, `_tax`, `_receivable` and `_bank`.
    """
    env.cr.commit()
    env = env(context={**env.context, **QUIET, "allowed_company_ids": company.ids})
    found = {table: [] for table in TABLES}
    for kind, quantity in (("sale", 2), ("return", -2)):
        order = _order(env, partner, product, quantity)
        if kind == "sale":
            _keep(env, found, "open", order.picking_ids)
        order.picking_ids.move_ids.picked = True
        order.picking_ids.button_validate()
        _keep(env, found, kind, order.picking_ids)
        invoice = order._create_invoices(final=True)
        invoice.action_post()
        _pay(env, invoice)
        _keep_accounts(env, found, kind, invoice)
    env.cr.rollback()
    return found


def _order(env, partner, product, quantity):
    order = env["sale.order"].create(
        {
            "partner_id": partner.id,
            "order_line": [
                Command.create({"product_id": product.id, "product_uom_qty": quantity, "price_unit": 10})
            ],
        }
    )
    assert order.amount_tax, "the pattern of an invoice has to show how tax is written"
    order.action_confirm()
    return order


def _pay(env, invoice):
    register = env["account.payment.register"].with_context(
        active_model="account.move", active_ids=invoice.ids
    )
    register.create({})._create_payments()


def _keep(env, found, kind, picking):
    env.flush_all()
    for records in (picking, picking.move_ids, picking.move_line_ids):
        (row,) = rows_of(env, records._table, records.ids)
        found[records._table].append((kind, row))


def _keep_accounts(env, found, kind, invoice):
    env.flush_all()
    payment = invoice.matched_payment_ids
    entry = payment.move_id
    receivable = entry.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
    parts = [
        (kind, invoice),
        (f"{kind}_product", invoice.line_ids.filtered(lambda line: line.display_type == "product")),
        (f"{kind}_tax", invoice.line_ids.filtered("tax_line_id")),
        (f"{kind}_receivable", invoice.line_ids.filtered(lambda line: line.display_type == "payment_term")),
        (f"{kind}_paid", payment),
        (f"{kind}_paid", entry),
        (f"{kind}_paid_receivable", receivable),
        (f"{kind}_paid_bank", entry.line_ids - receivable),
    ]
    for name, records in parts:
        (row,) = rows_of(env, records._table, records.ids)
        found[records._table].append((name, row))


def stage(env, found):
    """Temporary tables `pattern_stock_picking` and so on, with the kind of each row in `p_kind`."""
    for table, rows in found.items():
        name = SQL.identifier(f"pattern_{table}")
        env.cr.execute(
            SQL(
                """
                CREATE TEMP TABLE %(name)s AS SELECT ''::text AS p_kind, t.* FROM %(table)s t LIMIT 0;
                INSERT INTO %(name)s SELECT * FROM json_populate_recordset(NULL::%(name)s, %(rows)s::json)
                """,
                name=name,
                table=SQL.identifier(table),
                rows=json.dumps([{**row, "p_kind": kind} for kind, row in rows]),
            )
        )


def repeat(env, table, replaced, source, kind):
    """Copies of the pattern `kind` (SQL text) of a table for each row of `source` (SQL text: FROM items)."""
    return insert_as(env, table, "p", replaced, f"FROM {source} JOIN pattern_{table} p ON p.p_kind = {kind}")
