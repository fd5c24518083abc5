"""Payments of the second company's invoices, copied in bulk from `document_patterns.py`, and what they settle.

A payment in another currency is booked at the rate of its invoice, so that there are no differences of exchange.
"""

from demo.document_patterns import repeat
from demo.invoices import written
from demo.orders import copy_csv

#: A row per payment: `amount` in the invoice's currency and `worth` in the company's, both positive, `sign` as of the
#: invoice. The shares of an invoice add up to its total to the cent.
PAYMENTS = """
    CREATE TEMP TABLE demo_payment AS
    SELECT f.basket, v.id AS invoice_id, v.receivable_id, v.kind, v.sign, v.number AS invoice_number, v.partner_id,
           v.billed_id, v.billed_name, v.currency_id, v.fiscal_position_id, v.user_id, paid.day,
           paid.day + interval '12 hours' AS moment,
           round(v.total * f.upto, 2) - round(v.total * f.before, 2) AS amount,
           abs(round(b.total * f.upto, 2) - round(b.total * f.before, 2)) AS worth,
           row_number() OVER (ORDER BY paid.day, f.basket DESC) AS place,
           nextval('account_payment_id_seq')::int AS id,
           nextval('account_move_id_seq')::int AS move_id,
           nextval('account_move_line_id_seq')::int AS bank_id,
           nextval('account_move_line_id_seq')::int AS item_id,
           nextval('account_partial_reconcile_id_seq')::int AS part_id
    FROM demo_file_payment f
    JOIN demo_invoice v USING (basket)
    JOIN demo_invoice_balance b USING (basket)
    CROSS JOIN LATERAL (
        SELECT LEAST(GREATEST(f.paid + 7 * %(weeks)s, v.day), (now() AT TIME ZONE 'UTC')::date) AS day
    ) paid
    WHERE v.total > 0
    ORDER BY paid.day, f.basket DESC;
    ALTER TABLE demo_payment ADD COLUMN number text;
    UPDATE demo_payment SET number = 'PBNK1/' || lpad(place::text, 6, '0');
    CREATE TEMP TABLE demo_settled AS
    SELECT basket, v.sign * (v.total - sum(a.amount)) AS left_currency,
           v.sign * (abs(b.total) - sum(a.worth)) AS left_balance,
           v.total = sum(a.amount) AS whole, min(a.part_id) AS first,
           CASE WHEN v.total = sum(a.amount) THEN nextval('account_full_reconcile_id_seq')::int END AS full_id
    FROM demo_payment a JOIN demo_invoice v USING (basket) JOIN demo_invoice_balance b USING (basket)
    GROUP BY basket, v.sign, v.total, b.total;
    CREATE UNIQUE INDEX ON demo_settled (basket);
    ANALYZE demo_payment, demo_settled
"""


def make(env, folder, weeks):
    env.cr.execute(
        "CREATE TEMP TABLE demo_file_payment (basket int, paid date, before numeric, upto numeric)"
    )
    copy_csv(env, "demo_file_payment", folder / "wholesale_payments.csv")
    env.cr.execute(PAYMENTS, {"weeks": weeks})
    _payments(env)
    _moves(env)
    _items(env)
    _settle(env)


def _payments(env):
    repeat(
        env,
        "account_payment",
        {
            "id": "a.id",
            "move_id": "a.move_id",
            "name": "a.number",
            "memo": "a.invoice_number",
            "date": "a.day",
            "partner_id": "a.billed_id",
            "currency_id": "a.currency_id",
            "amount": "a.amount",
            "amount_company_currency_signed": "a.sign * a.worth",
            "state": "CASE WHEN s.whole THEN 'paid' ELSE 'in_process' END",
            **written("a"),
        },
        "demo_payment a JOIN demo_settled s USING (basket)",
        "a.kind || '_paid'",
    )
    env.cr.execute(
        """
        INSERT INTO account_move__account_payment (invoice_id, payment_id)
        SELECT invoice_id, id FROM demo_payment
        """
    )


def _moves(env):
    repeat(
        env,
        "account_move",
        {
            "id": "a.move_id",
            "origin_payment_id": "a.id",
            "name": "a.number",
            "sequence_prefix": "'PBNK1/'",
            "sequence_number": "a.place",
            "ref": "a.invoice_number",
            "partner_id": "a.billed_id",
            "commercial_partner_id": "a.billed_id",
            "invoice_partner_display_name": "a.billed_name",
            "fiscal_position_id": "a.fiscal_position_id",
            "currency_id": "a.currency_id",
            "date": "a.day",
            "invoice_date_due": "a.day",
            "amount_total": "a.amount",
            "amount_total_signed": "a.worth",
            "amount_total_in_currency_signed": "a.amount",
            **written("a"),
        },
        "demo_payment a",
        "a.kind || '_paid'",
    )


def _items(env):
    """Both items of each: the money, which waits for the bank's statement, and what it settles."""
    for kind, key, sign in (("bank", "bank_id", "a.sign"), ("receivable", "item_id", "-a.sign")):
        worth, amount = f"{sign} * a.worth", f"{sign} * a.amount"
        is_open = kind == "bank"
        repeat(
            env,
            "account_move_line",
            {
                "id": f"a.{key}",
                "move_id": "a.move_id",
                "move_name": "a.number",
                "payment_id": "a.id",
                "ref": "a.invoice_number",
                "name": "'Manual Payment: ' || a.invoice_number",
                "partner_id": "a.billed_id",
                "currency_id": "a.currency_id",
                "date": "a.day",
                "date_maturity": "a.day",
                "balance": worth,
                "debit": f"GREATEST({worth}, 0)",
                "credit": f"GREATEST(-({worth}), 0)",
                "amount_currency": amount,
                "price_subtotal": amount,
                "price_total": amount,
                "amount_residual": worth if is_open else "0",
                "amount_residual_currency": amount if is_open else "0",
                "full_reconcile_id": "NULL" if is_open else "s.full_id",
                "matching_number": "NULL" if is_open else "COALESCE(s.full_id::text, 'P' || s.first)",
                **written("a"),
            },
            "demo_payment a JOIN demo_settled s USING (basket)",
            f"a.kind || '_paid_{kind}'",
        )


def _settle(env):
    """Ties payments to invoices, and says of these what is left."""
    # What was analysed while it was empty would be searched from end to end for every row.
    env.cr.execute("ANALYZE account_move, account_move_line")
    env.cr.execute(
        """
        INSERT INTO account_full_reconcile (id, create_uid, write_uid, create_date, write_date)
            SELECT s.full_id, max(a.user_id), max(a.user_id), max(a.moment), max(a.moment)
            FROM demo_settled s JOIN demo_payment a USING (basket) WHERE s.whole GROUP BY s.full_id;
        INSERT INTO account_partial_reconcile
            (id, debit_move_id, credit_move_id, full_reconcile_id, debit_currency_id, credit_currency_id, company_id,
             max_date, amount, debit_amount_currency, credit_amount_currency,
             create_uid, write_uid, create_date, write_date)
        SELECT a.part_id, CASE WHEN a.sign > 0 THEN a.receivable_id ELSE a.item_id END,
               CASE WHEN a.sign > 0 THEN a.item_id ELSE a.receivable_id END, s.full_id, a.currency_id, a.currency_id,
               m.company_id, a.day, a.worth, a.amount, a.amount, a.user_id, a.user_id, a.moment, a.moment
        FROM demo_payment a JOIN demo_settled s USING (basket) JOIN account_move m ON m.id = a.invoice_id;
        UPDATE account_move_line l
        SET amount_residual = s.left_balance, amount_residual_currency = s.left_currency, reconciled = s.whole,
            full_reconcile_id = s.full_id, matching_number = COALESCE(s.full_id::text, 'P' || s.first)
        FROM demo_settled s JOIN demo_invoice v USING (basket) WHERE l.id = v.receivable_id;
        UPDATE account_move m
        SET amount_residual = abs(s.left_currency), amount_residual_signed = s.left_balance,
            payment_state = CASE WHEN s.whole THEN 'paid' ELSE 'partial' END
        FROM demo_settled s JOIN demo_invoice v USING (basket) WHERE m.id = v.id
        """
    )
