"""What Odoo itself writes into an order, learned from orders made through the ORM and thrown away again.

For each customer and company one order with a line of each kind of product is created, confirmed and read back
column by column, before the transaction is rolled back. The bulk copy then repeats those rows and replaces
only what differs from basket to basket. So fields that other modules add, fiscal positions, teams or terms
need no knowledge here.
"""

import json

from odoo import Command, fields
from odoo.tools import SQL

from demo.people import QUIET


def table_columns(env, table):
    """Stored columns of a table in their order."""
    env.cr.execute(
        SQL(
            """
            SELECT attname FROM pg_attribute
            WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
            """,
            table,
        )
    )
    return [name for (name,) in env.cr.fetchall()]


def order_values(company, partner, lines, date_order):
    """What a person would enter: customer and lines with quantity, price, discount and what the product cost."""
    return {
        "company_id": company.id,
        "partner_id": partner.id,
        "name": "pattern",  # a name given leaves the sequence alone
        "date_order": date_order,
        "order_line": [
            Command.create(
                {
                    "product_id": product.id,
                    "product_uom_qty": quantity,
                    "price_unit": price,
                    "discount": discount,
                    "purchase_price": cost,
                }
            )
            for product, quantity, price, discount, cost in lines
        ],
    }


def make_orders(env, vals_list):
    """Confirmed orders through the ORM, dated as given: confirming alone would date them now."""
    # What is to be delivered is made in bulk as well (deliveries.py), or, in the shop, was taken along.
    orders = env["sale.order"].with_context(**QUIET, skip_procurement=True).create(vals_list)
    dates = [order.date_order for order in orders]
    orders.action_confirm()
    for order, date_order in zip(orders, dates, strict=True):
        order.date_order = date_order
    env.flush_all()
    return orders


def rows_of(env, table, ids, key="id"):
    env.cr.execute(
        SQL(
            "SELECT row_to_json(t)::text FROM %s t WHERE %s = ANY(%s) ORDER BY id",
            SQL.identifier(table),
            SQL.identifier(key),
            ids,
        )
    )
    return [json.loads(row) for (row,) in env.cr.fetchall()]


def learn(env, pairs, companies, buyers, samples):
    """Rows as the ORM writes them; nothing stays in the database. `pairs` are (customer, company), both as
    numbers, `samples` a product of each kind that a company has: `{company: {taxed or not: product}}`.

    Answers (orders, lines): orders is a list of (customer, company, row); lines of (customer, company, taxed,
    tax rate, tax ids, row).
    """
    env.cr.commit()
    vals_list = [
        order_values(
            companies[company],
            buyers[customer],
            [(product, 1, 10, 0, 0) for product in samples[company].values()],
            fields.Datetime.now(),
        )
        for customer, company in pairs
    ]
    made = make_orders(env, vals_list)
    headers = {row["id"]: row for row in rows_of(env, "sale_order", made.ids)}
    lines = {}
    for row in rows_of(env, "sale_order_line", made.ids, "order_id"):
        lines.setdefault(row["order_id"], []).append(row)
    taxes = {line.id: line.tax_ids for line in made.order_line}
    assert all(
        tax.amount_type == "percent" and not tax.price_include for found in taxes.values() for tax in found
    ), "the copy reckons with taxes in percent on top of the price only"
    order_rows, line_rows = [], []
    for (customer, company), order in zip(pairs, made, strict=True):
        order_rows.append((customer, company, headers[order.id]))
        kinds = {product.id: taxed for taxed, product in samples[company].items()}
        for row in lines[order.id]:
            found = taxes[row["id"]]
            rate = sum(found.mapped("amount"))
            line_rows.append((customer, company, kinds[row["product_id"]], rate, found.ids, row))
    env.cr.rollback()
    return order_rows, line_rows
