"""Deliveries, invoices, payments and points of the second company: temporary tables of what belongs to each order."""

from odoo.tools import SQL

from demo import deliveries, invoices, loyalty, payments
from demo.document_patterns import stage as stage_patterns
from demo.orders import copy_csv

#: A row per order of the files. Ids are drawn here, so that what refers to a document knows its id before it is there.
#: What is done is done by now: the day that ends the files may still be going on.
DOCUMENTS = """
    CREATE TEMP TABLE demo_document AS
    SELECT f.basket, f.origin, f.markup, o.id AS order_id, o.name AS order_name, o.date_order, o.currency_id,
           o.currency_rate, o.user_id, o.team_id, o.fiscal_position_id, o.payment_term_id, o.partner_id,
           o.partner_shipping_id, o.partner_invoice_id, bill.commercial_partner_id AS billed_id,
           billed.name AS billed_name,
           CASE WHEN f.origin <> 0 THEN 'return' WHEN f.done IS NULL THEN 'open' ELSE 'sale' END AS kind,
           CASE WHEN f.origin = 0 THEN f.promised + moved.by ELSE o.date_order END AS promised,
           CASE WHEN f.done IS NOT NULL
                THEN LEAST(GREATEST(f.done + moved.by, o.date_order + interval '1 hour'),
                           now() AT TIME ZONE 'UTC') END AS done,
           (f.invoiced + moved.by)::date AS invoiced, (f.due + moved.by)::date AS due,
           nextval('stock_picking_id_seq')::int AS picking_id,
           nextval('stock_reference_id_seq')::int AS reference_id,
           CASE WHEN f.invoiced IS NOT NULL THEN nextval('account_move_id_seq')::int END AS invoice_id,
           row_number() OVER (PARTITION BY f.origin <> 0 ORDER BY o.id) AS picking_number,
           row_number() OVER (PARTITION BY f.origin <> 0 ORDER BY f.invoiced, o.id) AS invoice_number
    FROM demo_file_document f
    JOIN demo_number n USING (basket)
    JOIN sale_order o ON o.id = %(base)s + n.rank
    JOIN res_partner bill ON bill.id = o.partner_invoice_id
    JOIN res_partner billed ON billed.id = bill.commercial_partner_id
    CROSS JOIN (SELECT %(weeks)s * interval '7 days' AS by) moved
    ORDER BY o.id;
    CREATE UNIQUE INDEX ON demo_document (basket);
    ANALYZE demo_document
"""

#: A row per line of those orders; `net` is what is invoiced, not rounded, `rate` its tax in percent.
LINES = """
    CREATE TEMP TABLE demo_document_line AS
    SELECT d.basket, l.id AS line_id, l.product_id, l.product_uom_id, l.name, l.discount, l.purchase_price, l.sequence,
           abs(l.product_uom_qty) AS ordered, moved.quantity,
           billed.price, billed.net, round(billed.net, 2) AS subtotal,
           COALESCE(tax.rate, 0) AS rate, tax.ids AS tax_ids,
           nextval('stock_move_id_seq')::int AS move_id,
           CASE WHEN d.invoice_id IS NOT NULL AND moved.quantity > 0
                THEN nextval('account_move_line_id_seq')::int END AS item_id
    FROM demo_document d
    JOIN sale_order_line l ON l.order_id = d.order_id
    JOIN demo_product p ON p.product_id = l.product_id
    LEFT JOIN demo_file_missing m ON (m.basket, m.product) = (d.basket, p.product)
    LEFT JOIN (
        SELECT r.sale_order_line_id AS line_id, sum(t.amount) AS rate, array_agg(t.id) AS ids
        FROM account_tax_sale_order_line_rel r JOIN account_tax t ON t.id = r.account_tax_id GROUP BY 1
    ) tax ON tax.line_id = l.id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN d.kind = 'open' THEN 0 ELSE abs(l.product_uom_qty) - COALESCE(m.missing, 0) END AS quantity
    ) moved
    CROSS JOIN LATERAL (SELECT round(l.price_unit * (1 + d.markup), 2) AS price) asked
    CROSS JOIN LATERAL (
        SELECT asked.price, moved.quantity * asked.price * (1 - l.discount / 100) AS net
    ) billed
    ORDER BY d.basket DESC, l.id;
    CREATE INDEX ON demo_document_line (basket);
    ANALYZE demo_document_line
"""


def make(env, folder, company, partners, loaded, patterns, say):
    """Documents of the orders that `orders.load` copied; `patterns` are those of `document_patterns.learn`."""
    stage_patterns(env, patterns)
    env.cr.execute(
        """
        CREATE TEMP TABLE demo_file_document (basket int, origin int, promised timestamp, done timestamp,
                                              invoiced date, due date, markup numeric);
        CREATE TEMP TABLE demo_file_missing (basket int, product int, missing numeric)
        """
    )
    copy_csv(env, "demo_file_document", folder / "wholesale_documents.csv")
    copy_csv(env, "demo_file_missing", folder / "wholesale_missing.csv")
    # What was analysed while it was empty would be searched from end to end for every row.
    env.cr.execute(
        """
        ANALYZE demo_file_document, demo_file_missing, demo_number, demo_product;
        ANALYZE sale_order, sale_order_line, account_tax_sale_order_line_rel, res_partner
        """
    )
    env.cr.execute(SQL(DOCUMENTS, base=loaded.base, weeks=loaded.weeks))
    env.cr.execute(LINES)
    say("deliveries")
    deliveries.make(env, company)
    say("invoices and credit notes")
    invoices.make(env)
    say("payments")
    payments.make(env, folder, loaded.weeks)
    say("loyalty points")
    loyalty.make(env, folder, company, partners)
    _tell_orders(env)
    env.invalidate_all(flush=False)


def _tell_orders(env):
    """What an order and its lines know of their deliveries and invoices."""
    env.cr.execute(
        """
        UPDATE sale_order_line l
        SET qty_delivered = s.sign * i.quantity,
            qty_invoiced = CASE WHEN i.item_id IS NULL THEN 0 ELSE s.sign * i.quantity END,
            qty_to_invoice = 0,
            untaxed_amount_invoiced = CASE WHEN i.item_id IS NULL THEN 0 ELSE s.sign * i.subtotal END,
            -- in binary as Odoo reckons: half a cent is seldom quite one
            untaxed_amount_to_invoice = CASE WHEN i.item_id IS NULL THEN 0 ELSE round((
                l.price_unit::float8 * (1 - l.discount::float8 / 100) * (s.sign * i.quantity)::float8
                - (s.sign * i.subtotal)::float8)::text::numeric, 2) END,
            invoice_status = CASE WHEN i.item_id IS NULL THEN 'no' ELSE 'invoiced' END
        FROM demo_document_line i JOIN demo_document d USING (basket)
        CROSS JOIN LATERAL (SELECT CASE WHEN d.kind = 'return' THEN -1 ELSE 1 END AS sign) s
        WHERE l.id = i.line_id AND d.kind <> 'open'
        """
    )
    env.cr.execute(
        """
        UPDATE sale_order o
        SET commitment_date = CASE WHEN d.kind <> 'return' THEN d.promised END,
            delivery_status = CASE WHEN d.kind = 'open' THEN 'pending' ELSE 'full' END,
            effective_date = CASE WHEN d.kind = 'sale' THEN d.done END,
            invoice_status = CASE WHEN whole.invoiced THEN 'invoiced' ELSE 'no' END
        FROM demo_document d
        JOIN (SELECT basket, bool_and(item_id IS NOT NULL) AS invoiced FROM demo_document_line GROUP BY 1) whole
             USING (basket)
        WHERE o.id = d.order_id
        """
    )
