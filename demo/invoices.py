"""Invoices and credit notes of the second company, copied in bulk from `document_patterns.py`.

Numbers are without a year (`INV/000123`), so that they stay right when an old demonstration is moved to the present;
Odoo goes on from the last one.
"""

from demo.document_patterns import repeat
from demo.people import WHOLESALE

#: An invoice of each order that was delivered. Amounts are in the order's currency and positive, `sign` is that of
#: what the customer owes. As on the order, tax and total are rounded once for the whole.
INVOICES = """
    CREATE TEMP TABLE demo_invoice AS
    SELECT d.basket, d.invoice_id AS id, d.kind, d.order_id, d.order_name, d.user_id, d.team_id, d.fiscal_position_id,
           d.payment_term_id, d.partner_invoice_id AS partner_id, d.partner_shipping_id, d.billed_id, d.billed_name,
           d.currency_id, d.invoiced AS day, d.due, d.done AS moment, r.rate, sold.invoice_id AS reversed_id,
           'INV/' || lpad(d.invoice_number::text, 6, '0') AS number, d.invoice_number,
           CASE WHEN d.kind = 'return' THEN -1 ELSE 1 END AS sign,
           sum.untaxed, sum.tax, sum.untaxed + sum.tax AS total, sum.lines, sum.tax_rate,
           nextval('account_move_line_id_seq')::int AS receivable_id
    FROM demo_document d
    JOIN (
        SELECT basket, round(sum(net), 2) AS untaxed, round(sum(net * rate / 100), 2) AS tax,
               sum(subtotal) AS lines, max(rate) AS tax_rate
        FROM demo_document_line WHERE item_id IS NOT NULL GROUP BY 1
    ) sum USING (basket)
    JOIN demo_rate r ON (r.company, r.currency_id, r.day) = (%(company)s, d.currency_id, d.invoiced)
    LEFT JOIN demo_document sold ON sold.basket = d.origin
    WHERE d.invoice_id IS NOT NULL
    ORDER BY d.invoiced, d.basket DESC;
    UPDATE demo_invoice SET number = 'R' || number WHERE kind = 'return';
    CREATE UNIQUE INDEX ON demo_invoice (basket);
    ANALYZE demo_invoice
"""

#: What each item is worth in both currencies, debit positive. Cents by which the rounded lines miss the rounded whole
#: are the largest line's, as Odoo has it.
ITEMS = """
    CREATE TEMP TABLE demo_invoice_item AS
    SELECT i.item_id AS id, i.basket, i.line_id, i.subtotal + round(i.net * i.rate / 100, 2) AS total,
           row_number() OVER (PARTITION BY i.basket ORDER BY i.line_id) - 1 AS place,
           worth.amount_currency, round(worth.amount_currency / v.rate, 2) AS balance
    FROM (
        SELECT *, row_number() OVER (PARTITION BY basket ORDER BY subtotal DESC, line_id) AS size
        FROM demo_document_line WHERE item_id IS NOT NULL
    ) i
    JOIN demo_invoice v USING (basket)
    CROSS JOIN LATERAL (
        SELECT -v.sign * (i.subtotal + CASE WHEN i.size = 1 THEN v.untaxed - v.lines ELSE 0 END) AS amount_currency
    ) worth;
    CREATE TEMP TABLE demo_invoice_balance AS
    SELECT basket, v.sign * round(v.tax / v.rate, 2) AS tax, v.sign * round(v.tax / v.rate, 2) - items.balance AS total
    FROM demo_invoice v JOIN (SELECT basket, sum(balance) AS balance FROM demo_invoice_item GROUP BY 1) items
         USING (basket);
    CREATE UNIQUE INDEX ON demo_invoice_balance (basket);
    ANALYZE demo_invoice_item, demo_invoice_balance
"""


def make(env):
    env.cr.execute(INVOICES, {"company": WHOLESALE})
    env.cr.execute(ITEMS)
    _moves(env)
    _product_items(env)
    _tax_items(env)
    _receivable_items(env)


def written(row):
    """When and by whom: the salesperson, on the moment of delivery."""
    return {
        "create_date": f"{row}.moment",
        "write_date": f"{row}.moment",
        "create_uid": f"{row}.user_id",
        "write_uid": f"{row}.user_id",
    }


def _moves(env):
    repeat(
        env,
        "account_move",
        {
            "id": "v.id",
            "name": "v.number",
            "sequence_prefix": "CASE WHEN v.kind = 'return' THEN 'RINV/' ELSE 'INV/' END",
            "sequence_number": "v.invoice_number",
            "payment_reference": "CASE WHEN v.kind = 'return' THEN p.payment_reference ELSE v.number END",
            "ref": "v.order_name",
            "invoice_origin": "v.order_name",
            "reversed_entry_id": "v.reversed_id",
            "partner_id": "v.partner_id",
            "partner_shipping_id": "v.partner_shipping_id",
            "commercial_partner_id": "v.billed_id",
            "invoice_partner_display_name": "v.billed_name",
            "fiscal_position_id": "v.fiscal_position_id",
            # what came back is paid back at once
            "invoice_payment_term_id": "CASE WHEN v.kind <> 'return' THEN v.payment_term_id END",
            "invoice_user_id": "v.user_id",
            "team_id": "v.team_id",
            "currency_id": "v.currency_id",
            "invoice_currency_rate": "v.rate",
            "date": "v.day",
            "invoice_date": "v.day",
            "invoice_date_due": "v.due",
            "delivery_date": "CASE WHEN p.delivery_date IS NOT NULL THEN v.day END",
            "amount_untaxed": "v.untaxed",
            "amount_tax": "v.tax",
            "amount_total": "v.total",
            "amount_residual": "v.total",
            "amount_untaxed_in_currency_signed": "v.sign * v.untaxed",
            "amount_total_in_currency_signed": "v.sign * v.total",
            "amount_untaxed_signed": "b.total - b.tax",
            "amount_tax_signed": "b.tax",
            "amount_total_signed": "b.total",
            "amount_residual_signed": "b.total",
            "payment_state": "'not_paid'",
            **written("v"),
        },
        "demo_invoice v JOIN demo_invoice_balance b USING (basket)",
        "v.kind",
    )


def _common(balance, amount_currency):
    """Columns of every item of an invoice; it is open until it is paid, where it is a receivable."""
    return {
        "move_id": "v.id",
        "move_name": "v.number",
        "ref": "v.order_name",
        "partner_id": "v.billed_id",
        "currency_id": "v.currency_id",
        "date": "v.day",
        "invoice_date": "v.day",
        "balance": balance,
        "debit": f"GREATEST({balance}, 0)",
        "credit": f"GREATEST(-({balance}), 0)",
        "amount_currency": amount_currency,
        **written("v"),
    }


def _product_items(env):
    repeat(
        env,
        "account_move_line",
        {
            **_common("m.balance", "m.amount_currency"),
            "id": "m.id",
            "sequence": "m.place",
            "name": "i.name",
            "product_id": "i.product_id",
            "product_uom_id": "i.product_uom_id",
            "quantity": "i.quantity",
            "price_unit": "i.price",
            "discount": "i.discount",
            "price_subtotal": "i.subtotal",
            "price_total": "m.total",
        },
        """demo_invoice_item m JOIN demo_document_line i ON i.item_id = m.id
           JOIN demo_invoice v ON v.basket = m.basket""",
        "v.kind || '_product'",
    )
    env.cr.execute(
        """
        INSERT INTO sale_order_line_invoice_rel (invoice_line_id, order_line_id)
            SELECT id, line_id FROM demo_invoice_item;
        INSERT INTO account_move_line_account_tax_rel (account_move_line_id, account_tax_id)
            SELECT item_id, unnest(tax_ids) FROM demo_document_line WHERE item_id IS NOT NULL
        """
    )


def _tax_items(env):
    repeat(
        env,
        "account_move_line",
        {
            **_common("-b.tax", "-v.sign * v.tax"),
            "id": "nextval('account_move_line_id_seq')",
            "tax_base_amount": "v.sign * (b.total - b.tax)",
        },
        "demo_invoice v JOIN demo_invoice_balance b USING (basket)",
        "v.kind || '_tax' AND v.tax_rate > 0",
    )


def _receivable_items(env):
    repeat(
        env,
        "account_move_line",
        {
            **_common("b.total", "v.sign * v.total"),
            "id": "v.receivable_id",
            "name": "CASE WHEN v.kind = 'return' THEN p.name ELSE v.order_name || ' - ' || v.number END",
            "date_maturity": "v.due",
            "amount_residual": "b.total",
            "amount_residual_currency": "v.sign * v.total",
            "reconciled": "false",
            "full_reconcile_id": "NULL",
            "matching_number": "NULL",
        },
        "demo_invoice v JOIN demo_invoice_balance b USING (basket)",
        "v.kind || '_receivable'",
    )
